"""RFC 4475 at the whole stack: what leaves the switch, and that the next good call is served."""

import re
from random import Random

import pytest

from switch.sip.binding import BindingBook
from switch.sip.events import Effect, Flow, InviteReceived, RegisterReceived, SendBytes
from switch.sip.local_address import LocalAddresses
from switch.sip.settings import SipSettings
from switch.sip.sources import SourceBook
from switch.sip.stack import SipStack
from tests.support.memory_wire import gateway
from tests.vectors import messages, torture

HERE = torture.messages()
FLOW = Flow("udp", ("192.0.2.9", 5060), ("192.0.2.1", 5060))
OPTIONS = messages.request(
    line="OPTIONS sip:x@192.0.2.9 SIP/2.0", cseq="1 OPTIONS", call_id="later", body=b""
)


class Desk:
    """A stack whose REGISTERs are answered, as the switchboard would."""

    def __init__(self) -> None:
        addresses = LocalAddresses()
        addresses.put("udp", *FLOW.local)
        self.stack = SipStack(
            settings=SipSettings(),
            random=Random(1),
            contact=addresses,
            sources=SourceBook([gateway("192.0.2.0/24")]),
            credentials={},
            nonce_secret=b"0123456789abcdef",
        )
        self.book = BindingBook()

    def feed(self, data: bytes) -> list[Effect]:
        done: list[Effect] = []
        for effect in self.stack.receive(data, FLOW, now=1.0):
            done.append(effect)
            if isinstance(effect, RegisterReceived):
                status, headers = self.book.register(
                    effect.request, effect.flow, effect.source.name, now=1.0
                )
                done += self.stack.respond_to(effect.transaction, status, headers=headers, now=1.0)
        return done


def statuses(effects: list[Effect]) -> list[int]:
    sent = [effect.data for effect in effects if isinstance(effect, SendBytes)]
    return [int(found[1]) for data in sent if (found := re.match(rb"SIP/2\.0 (\d{3}) ", data))]


@pytest.mark.skipif(not HERE, reason="no RFC 4475 messages; see tests/vectors/README.md")
@pytest.mark.parametrize("name", torture.EXPECTED)
def test_each_torture_message_gets_its_verdict(name: str) -> None:
    desk, expected = Desk(), torture.EXPECTED[name]
    effects = desk.feed(HERE[name])
    final = [status for status in statuses(effects) if status >= 200]
    if expected.stack == (torture.DROP,):
        assert not statuses(effects)
    elif expected.stack:
        assert len(final) == 1
        assert final[0] in expected.stack
    else:
        assert final or any(isinstance(effect, InviteReceived) for effect in effects)
    assert statuses(desk.feed(OPTIONS)) == [200]


@pytest.mark.skipif(not HERE, reason="no RFC 4475 messages; see tests/vectors/README.md")
def test_unsupported_names_what_was_required_and_no_more() -> None:
    (sent,) = [e for e in Desk().feed(HERE["bext01"]) if isinstance(e, SendBytes)]
    (line,) = re.findall(rb"Unsupported: ([^\r]*)", sent.data)
    assert set(line.split(b", ")) == {b"nothingSupportsThis", b"nothingSupportsThisEither"}
