"""Codes on their way out and back, over a real store."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from email.message import EmailMessage
from pathlib import Path

import pytest

from switch.billing.code_policy import CodeRefusal, CodeVerdict
from switch.ids import AccountId
from switch.outside.codes import CodeDesk
from switch.outside.sms import SmsResult
from switch.store import payer_notice
from switch.store.account_statements import NewAccount
from switch.store.account_store import AccountStore
from switch.store.engine import Store
from switch.store.vault import FileVault
from tests.support.house_rig import HouseClock

PAT, NUMBER = "pat@example.invalid", "+15550100123"


class Post:
    """Keeps what goes out by mail and by message."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []

    def compose(self, recipient: str, *, subject: str, text: str) -> EmailMessage:
        mail = EmailMessage()
        mail["To"], mail["Subject"] = recipient, subject
        mail.set_content(text)
        return mail

    async def send_now(self, mail: EmailMessage) -> bool:
        self.sent.append((str(mail["To"]), str(mail.get_content())))
        return True

    async def send(self, number: str, text: str) -> SmsResult:
        self.sent.append((number, text))
        return SmsResult.TAKEN

    @property
    def code(self) -> str:
        found = re.search(r"\b\d{6}\b", self.sent[-1][1])
        assert found is not None
        return found[0]


class Rig:
    def __init__(self, store: Store, clock: HouseClock) -> None:
        self.clock = clock
        self.post = Post()
        self.vault = FileVault(store)
        self.desk = CodeDesk(self.vault, key=b"k" * 32, mails=self.post, messages=self.post)
        self.account = AccountId(0)

    async def ask(self, way: str = "mail", address: str = PAT) -> CodeRefusal | None:
        return await self.desk.ask(f"contact:{self.account}", way, address, client="192.0.2.1")

    async def prove(self, code: str, way: str = "mail", address: str = PAT) -> CodeVerdict:
        return await self.desk.prove_contact(self.account, way, address, code)

    async def contacts(self) -> list[tuple[str, str]]:
        return await self.vault.read(lambda raw: payer_notice.contacts_of(raw, self.account))


def with_codes(path: Path, scene: Callable[[Rig], Awaitable[None]]) -> None:
    async def main() -> None:
        clock = HouseClock()
        store = await Store.open(path / "kinline.sqlite3", clock=clock)
        try:
            rig = Rig(store, clock)
            rig.account = await AccountStore(rig.vault).open(NewAccount(kind="called_prepaid"))
            await scene(rig)
        finally:
            await store.close()

    asyncio.run(main())


def test_the_right_code_proves_an_address_once(tmp_path: Path) -> None:
    async def scene(rig: Rig) -> None:
        for way, address in (("mail", PAT), ("sms", NUMBER)):
            assert await rig.ask(way, address) is None
            assert rig.post.sent[-1][0] == address
            code = rig.post.code
            assert await rig.prove(code, way, address) is CodeVerdict.RIGHT
            assert await rig.prove(code, way, address) is CodeVerdict.WRONG
        assert await rig.contacts() == [("mail", PAT), ("sms", NUMBER)]

    with_codes(tmp_path, scene)


def test_five_wrong_codes_end_it_even_for_the_right_one(tmp_path: Path) -> None:
    async def scene(rig: Rig) -> None:
        await rig.ask()
        right = rig.post.code
        wrong = "000000" if right != "000000" else "111111"
        for _ in range(5):
            assert await rig.prove(wrong) is CodeVerdict.WRONG
        assert await rig.prove(right) is CodeVerdict.TRIED_OUT
        assert await rig.contacts() == []

    with_codes(tmp_path, scene)


def test_a_new_code_makes_the_old_one_worthless(tmp_path: Path) -> None:
    async def scene(rig: Rig) -> None:
        await rig.ask()
        old = rig.post.code
        assert await rig.ask() is CodeRefusal.TOO_SOON
        rig.clock.at += 30
        assert await rig.ask() is None
        if rig.post.code != old:
            assert await rig.prove(old) is CodeVerdict.WRONG
        assert await rig.prove(rig.post.code) is CodeVerdict.RIGHT

    with_codes(tmp_path, scene)


def test_nobody_can_have_messages_pumped(tmp_path: Path) -> None:
    async def scene(rig: Rig) -> None:
        taken = 0
        for _ in range(30):
            taken += await rig.ask("sms", NUMBER) is None
            rig.clock.at += 130
        assert taken == 8

    with_codes(tmp_path, scene)


@pytest.mark.parametrize(
    ("way", "address"),
    [
        ("sms", "+19005550123"), ("sms", "+18005550123"), ("sms", "+18765550123"),
        ("sms", "+442079460123"), ("sms", "911"), ("sms", "15550100123"), ("sms", ""),
        ("mail", "nobody"), ("mail", "a@b\nBcc: c@d"), ("mail", ""),
    ],
)  # fmt: skip
def test_no_code_goes_where_it_must_not(tmp_path: Path, way: str, address: str) -> None:
    async def scene(rig: Rig) -> None:
        assert await rig.ask(way, address) is CodeRefusal.NO_ADDRESS
        assert rig.post.sent == []

    with_codes(tmp_path, scene)


def test_the_answer_is_the_same_whether_we_know_an_address(tmp_path: Path) -> None:
    async def scene(rig: Rig) -> None:
        async def answer(*, is_known: bool) -> CodeRefusal | None:
            address = f"{is_known}@example.invalid"
            return await rig.desk.ask(
                "sign-in", "mail", address, client="192.0.2.1", is_known=is_known
            )

        answers = [await answer(is_known=known) for known in (True, True, False, False)]
        assert answers[:2] == answers[2:]
        assert len(rig.post.sent) == 1

    with_codes(tmp_path, scene)


def test_no_code_is_kept(tmp_path: Path) -> None:
    async def scene(rig: Rig) -> None:
        await rig.ask()
        rows = await rig.vault.read(lambda raw: raw.execute("SELECT * FROM code").fetchall())
        assert rig.post.code not in repr(rows)

    with_codes(tmp_path, scene)
