"""Short messages by HTTP, and the outbox of those that go to telephones."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import pytest

from switch.outside.settings import SmsSettings
from switch.outside.sms import SmsGate, SmsResult
from switch.store import outbox_store
from switch.store.engine import Store, driver
from switch.store.payer_notice import NoticeCarrier
from switch.store.vault import FileVault
from tests.support.house_rig import HouseClock

NUMBER = "+15550100123"


class Gateway:
    """A gateway that answers as told."""

    def __init__(self) -> None:
        self.status = 202
        self.error: OSError | None = None
        self.got: list[tuple[str, dict[str, str]]] = []

    def __call__(self, headers: Mapping[str, str], body: bytes) -> int:
        if self.error is not None:
            raise self.error
        self.got.append((headers["authorization"], json.loads(body)))
        return self.status


Scene = Callable[[Store, SmsGate, Gateway, HouseClock], Awaitable[None]]


def with_gateway(path: Path, scene: Scene) -> None:
    async def main() -> None:
        clock = HouseClock()
        store = await Store.open(path / "kinline.sqlite3", clock=clock)
        (path / "token").write_text("t0ken\n")
        settings = SmsSettings(
            url="https://sms.invalid/send", token_file=str(path / "token"), sender="KINLINE",
            tries_max=2,
        )  # fmt: skip
        gateway = Gateway()
        try:
            await scene(store, SmsGate(settings, store=store, post=gateway), gateway, clock)
        finally:
            await store.close()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("status", "result"),
    [(200, SmsResult.TAKEN), (202, SmsResult.TAKEN), (429, SmsResult.LATER),
     (503, SmsResult.LATER), (400, SmsResult.NEVER), (401, SmsResult.NEVER)],
)  # fmt: skip
def test_a_status_says_what_became_of_it(tmp_path: Path, status: int, result: SmsResult) -> None:
    async def scene(_store: Store, gate: SmsGate, gateway: Gateway, _clock: HouseClock) -> None:
        gateway.status = status
        assert await gate.send(NUMBER, "x" * 1000) is result
        ((token, message),) = gateway.got
        assert token == "Bearer t0ken"
        assert message == {"from": "KINLINE", "to": NUMBER, "text": "x" * 612}

    with_gateway(tmp_path, scene)


async def queue(store: Store, recipient: str) -> None:
    body = {"amount": 20_000_000, "account": 3, "receipt": "R"}
    await store.write(
        lambda c: outbox_store.queue(driver(c), "deposit", recipient=recipient, body=body, at=0.0)
    )


async def states(store: Store) -> list[tuple[str, str]]:
    rows = await store.read(lambda c: outbox_store.listed(driver(c), state="", rows_max=10))
    return [(row.recipient, row.state) for row in rows]


def test_only_what_goes_to_a_telephone_goes_by_message(tmp_path: Path) -> None:
    async def scene(store: Store, gate: SmsGate, gateway: Gateway, _clock: HouseClock) -> None:
        await queue(store, NUMBER)
        await queue(store, "pat@example.invalid")
        assert await gate.send_due() == 1
        assert "20.00 dollars" in gateway.got[0][1]["text"]
        assert await states(store) == [("pat@example.invalid", "waiting"), (NUMBER, "sent")]

    with_gateway(tmp_path, scene)


def test_without_an_answer_it_is_tried_again_and_not_for_ever(tmp_path: Path) -> None:
    async def scene(store: Store, gate: SmsGate, gateway: Gateway, clock: HouseClock) -> None:
        await queue(store, NUMBER)
        gateway.error = ConnectionRefusedError()
        assert await gate.send_due() == 0
        assert await states(store) == [(NUMBER, "waiting")]
        assert await gate.send_due() == 0
        clock.at += 3600
        assert await gate.send_due() == 0
        assert await states(store) == [(NUMBER, "failed")]

    with_gateway(tmp_path, scene)


def test_notices_are_carried_from_the_ledger_to_the_outbox_once(tmp_path: Path) -> None:
    async def scene(store: Store, _gate: SmsGate, _gateway: Gateway, _clock: HouseClock) -> None:
        vault = FileVault(store)
        add = "INSERT INTO payer_notice (kind, recipient, body, at) VALUES (?, ?, ?, ?)"
        await vault.write(lambda raw: raw.execute(add, ("deposit", NUMBER, "{}", 1.0)).rowcount)
        carrier = NoticeCarrier(vault, store)
        assert await carrier.carry() == 1
        assert await carrier.carry() == 0
        # As after a crash between the two writes.
        await vault.write(
            lambda raw: raw.execute("UPDATE payer_notice SET carried_at = NULL").rowcount
        )
        assert await carrier.carry() == 1
        assert await states(store) == [(NUMBER, "waiting")]

    with_gateway(tmp_path, scene)
