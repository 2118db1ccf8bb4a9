"""The sender against a real SMTP server (aiosmtpd) on this machine."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiosmtpd.smtp import SMTP, AuthResult

from switch.errors import SettingsError
from switch.outside.mail import BACK_OFF_S, BACK_OFF_S_MAX, MailSender, back_off_s
from switch.outside.settings import MailSettings
from switch.store import outbox_store
from switch.store.engine import Store, driver
from switch.store.outbox_store import Notice
from tests.support.house_rig import HouseClock

COUNSEL = "casey@example.invalid"
ADD = "INSERT INTO outbox (kind, recipient, body, at) VALUES (?, ?, ?, ?)"


class PostOffice:
    """What the server does with mail: keeps it, or answers as told."""

    def __init__(self) -> None:
        self.mails: list[str] = []
        self.answers: dict[str, str] = {}
        self.data_answer = "250 taken"

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        answer = self.answers.get(address, "250 fine")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        if self.data_answer.startswith("250"):
            self.mails.append(envelope.content.decode())
        return self.data_answer


class Office:
    def __init__(self, store: Store, clock: HouseClock, post: PostOffice, port: int) -> None:
        self.store, self.clock, self.post, self.port = store, clock, post, port

    def sender(self, **more: Any) -> MailSender:
        settings = MailSettings(
            host="127.0.0.1",
            port=self.port,
            security="none",
            sender="switch@kinline.invalid",
            **({"tries_max": 3} | more),
        )
        return MailSender(settings, store=self.store, clock=self.clock, node="n1")

    async def queue(self, recipient: str = COUNSEL, kind: str = "privileged_removed") -> None:
        body = json.dumps({"number": "+15552340001", "by": ["one", "two"], "note": "left"})
        row = (kind, recipient, body, self.clock.wall())
        await self.store.write(lambda c: driver(c).execute(ADD, row).close())

    async def notices(self) -> list[Notice]:
        found = await self.store.read(
            lambda c: outbox_store.listed(driver(c), state="", rows_max=99)
        )
        return found[::-1]


@asynccontextmanager
async def server(post: PostOffice, **more: Any) -> AsyncIterator[int]:
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(
        lambda: SMTP(post, hostname="post.invalid", loop=loop, **more), "127.0.0.1", 0
    )
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    clock, post = HouseClock(), PostOffice()
    store = await Store.open(tmp_path / "kinline.sqlite3", clock=clock)
    try:
        async with server(post) as port:
            yield Office(store, clock, post, port)
    finally:
        await store.close()


async def test_a_notice_reaches_the_attorney_and_is_sent_once(office: Office) -> None:
    await office.queue()
    sender = office.sender()
    assert await sender.send_due() == 1
    assert await sender.send_due() == 0
    [mail] = office.post.mails
    assert f"To: {COUNSEL}" in mail
    assert "From: switch@kinline.invalid" in mail
    assert "+15552340001" in mail
    assert "left" in mail
    assert "Auto-Submitted: auto-generated" in mail
    [notice] = await office.notices()
    assert (notice.state, notice.tries, notice.fault) == ("sent", 1, "")


async def test_many_go_through_one_connection_in_their_order(office: Office) -> None:
    for n in range(4):
        await office.queue(f"counsel{n}@example.invalid")
    assert await office.sender().send_due() == 4
    found = [mail.split("To: counsel", 1)[1][0] for mail in office.post.mails]
    assert found == ["0", "1", "2", "3"]


async def test_an_address_that_bounces_is_marked_and_written_to_no_more(office: Office) -> None:
    office.post.answers[COUNSEL] = "550 5.1.1 no such user"
    await office.queue()
    await office.queue("other@example.invalid")
    sender = office.sender()
    assert await sender.send_due() == 1, "the other one is not held up"
    first, other = await office.notices()
    assert (first.state, other.state) == ("failed", "sent")
    assert "no such user" in first.fault
    await office.queue()
    assert await sender.send_due() == 0
    assert (await office.notices())[-1].fault.startswith("the address bounced: 550")
    office.post.answers.clear()
    assert await office.store.write(lambda c: outbox_store.retry(driver(c), 0)) == 2
    assert await sender.send_due() == 2


async def test_what_is_refused_for_now_is_tried_later_and_not_for_ever(office: Office) -> None:
    office.post.answers[COUNSEL] = "451 4.3.0 busy"
    await office.queue()
    sender = office.sender(tries_max=3)
    begin = office.clock.at
    waits = []
    for _ in range(3):
        assert await sender.send_due() == 0
        [notice] = await office.notices()
        waits.append(notice.next_at - office.clock.at)
        assert await sender.send_due() == 0, "not before it is due"
        office.clock.at = max(office.clock.at, notice.next_at)
    assert waits[:2] == [BACK_OFF_S, 2 * BACK_OFF_S]
    assert office.clock.at == begin + 3 * BACK_OFF_S
    [notice] = await office.notices()
    assert (notice.state, notice.tries) == ("failed", 3)
    assert "busy" in notice.fault


async def test_a_mail_that_is_refused_does_not_mark_its_address(office: Office) -> None:
    office.post.data_answer = "554 5.7.1 looks like spam"
    await office.queue()
    await office.sender().send_due()
    assert (await office.notices())[0].state == "failed"
    assert await office.store.read(lambda c: outbox_store.bad_address(driver(c), COUNSEL)) == ""


async def test_a_server_that_is_not_there_puts_everything_off(office: Office) -> None:
    async with server(PostOffice()) as gone:
        pass
    office.port = gone
    await office.queue()
    assert await office.sender().send_due() == 0
    [notice] = await office.notices()
    assert (notice.state, notice.tries) == ("waiting", 1)
    assert notice.fault


@pytest.mark.parametrize("recipient", ["", "+15552340001", "a@b\r\nBcc: c@d", "a b@c.invalid"])
async def test_what_is_no_address_is_for_a_person_to_tell(office: Office, recipient: str) -> None:
    await office.queue(recipient)
    await office.sender().send_due()
    [notice] = await office.notices()
    assert (notice.state, notice.fault) == ("failed", "no address for mail; tell them by hand")
    assert office.post.mails == []


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
async def test_the_password_comes_from_a_file(office: Office, tmp_path: Path) -> None:
    asked: list[bytes] = []

    def authenticate(_s: Any, _sn: Any, _e: Any, _mechanism: str, data: Any) -> AuthResult:
        asked.append(data.password)
        return AuthResult(success=data.password == b"an invented word")

    post = PostOffice()
    secret = tmp_path / "mail.password"
    secret.write_text("an invented word\n")
    check: Callable[..., AuthResult] = authenticate
    async with server(
        post, authenticator=check, auth_required=True, auth_require_tls=False
    ) as port:
        office.port = port
        await office.queue()
        assert await office.sender(user="kinline", password_file=str(secret)).send_due() == 1
    assert asked == [b"an invented word"]
    with pytest.raises(SettingsError, match="cannot be read"):
        office.sender(user="kinline", password_file=str(tmp_path / "nothing"))


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"host": "mail.example", "sender": "nobody"}, "sender must be an address"),
        ({"host": "mail.example", "sender": "a@b", "security": "none"}, "only for a mail server"),
        ({"host": "mail.example", "sender": "a@b", "user": "me"}, "password_file is needed"),
        ({"host": "mail.example", "sender": "a@b", "port": 0}, ">= 1"),
    ],
)
def test_settings_that_cannot_work_are_refused(fields: dict[str, Any], says: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=says):
        msgspec.convert(fields, MailSettings)


def test_the_back_off_doubles_up_to_its_most() -> None:
    assert [back_off_s(n) for n in range(3)] == [60.0, 120.0, 240.0]
    assert back_off_s(1000) == BACK_OFF_S_MAX
