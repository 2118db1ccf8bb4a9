from collections.abc import Sequence

import pytest

from switch.call.switchboard.service_number import service_call
from switch.ids import FacilityId, TrunkId
from switch.routing.trunk import Trunk, TrunkSettings
from switch.screening.settings import Facility
from switch.sip.events import DialogId, Flow, InviteReceived, Source, SourceKind
from switch.sip.message import Headers, Request
from switch.store.house_snapshot import House

CALLER = ("P-Asserted-Identity", "<sip:+15552000009@carrier.example>")
FLOW = Flow("udp", ("192.0.2.1", 5060), ("192.0.2.9", 5060))


def house(*, trusted: bool = True, service: str = "+15550000009") -> House:
    settings = TrunkSettings(id=TrunkId("east"), host="192.0.2.9", trusted=trusted, nat=True)
    facility = Facility(id=FacilityId("F1"), agency="a", name="F", service_number=service)
    return House(
        version=1,
        facilities={facility.id: facility},
        trunks=(Trunk(id=settings.id, settings=settings),),
    )


def invite(
    uri: str = "sip:5550000009@192.0.2.1",
    *,
    kind: SourceKind = SourceKind.TRUNK,
    headers: Sequence[tuple[str, str]] = (CALLER,),
) -> InviteReceived:
    request = Request("INVITE", uri, Headers(tuple(headers)), b"")
    return InviteReceived(DialogId(1), request, FLOW, Source(kind, "east"))


def test_a_trusted_trunk_says_who_called_whose_service_number() -> None:
    found = service_call(invite(), house())
    assert found is not None
    assert (found.number, found.facility.id) == ("+15552000009", "F1")
    assert (found.terminal.id, found.terminal.shared, found.terminal.nat) == (
        "service:F1", True, True,
    )  # fmt: skip
    line = found.line(("en",), in_band=False)
    assert (line.service, line.in_band, line.dialled, line.pin_required) == (
        True, False, None, False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("event", "where"),
    [
        (invite(), house(trusted=False)),
        (invite(), house(service="")),
        (invite("sip:5550000008@192.0.2.1"), house()),
        (invite("sip:192.0.2.1"), house()),
        (invite(headers=(("From", "<sip:anonymous@anonymous.invalid>;tag=1"),)), house()),
        (invite(kind=SourceKind.GATEWAY), house()),
    ],
    ids=["untrusted", "no service", "another number", "no number", "anonymous", "a gateway"],
)
def test_everything_else_from_outside_is_no_service_call(
    event: InviteReceived, where: House
) -> None:
    assert service_call(event, where) is None
