from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from switch.admin.command import Desk
from switch.admin.limit_commands import LIMIT_COMMANDS
from switch.errors import UserError
from switch.screening.order import screen
from switch.screening.permit import Denied
from switch.screening.reasons import DenyReason
from switch.store import ledger_verify
from switch.store.engine import Store, driver
from switch.store.house_store import HouseStore
from tests.support.house_rig import HouseClock, open_house


class Cashier:
    def __init__(self, store: Store, house: HouseStore) -> None:
        self.store, self.house = store, house

    async def do(self, verb: str, **given: Any) -> Any:
        command = next(c for c in LIMIT_COMMANDS if c.verb == verb)
        desk = Desk(store=self.store, clock=HouseClock(), board=None, by="cashier")
        whole: Mapping[str, Any] = command.complete(given)
        return await command.run(desk, whole)

    async def refusal(self) -> DenyReason | None:
        facts = await self.house.gather(
            terminal=next(iter(self.house.house.terminals.values())),
            person=next(p for p in ("123456",)),  # type: ignore[arg-type]
            digits="+15552345678",
            at_wall=HouseClock().wall(),
        )
        verdict = screen(facts)
        return verdict.reason if isinstance(verdict, Denied) else None


@pytest.fixture
async def cashier(tmp_path: Path) -> AsyncIterator[Cashier]:
    async with open_house(tmp_path, HouseClock()) as (store, house):
        yield Cashier(store, house)


async def test_a_limit_of_nothing_refuses_the_next_call_until_it_is_removed(
    cashier: Cashier,
) -> None:
    assert await cashier.refusal() is None
    made = await cashier.do("set", scope="person", id="123456", most="0", why="sanction")
    assert made["before"] == {}
    assert made["after"]["zone"] == "America/Denver"
    assert await cashier.refusal() is DenyReason.PAYER_LIMIT
    raised = await cashier.do("set", scope="person", id="123456", most="5.00", why="over")
    assert (raised["before"]["most"], raised["after"]["most"]) == ("0.00", "5.00")
    assert await cashier.refusal() is None
    [row] = await cashier.do("list", scope="person")
    assert (row["used"], row["left"], row["starts_again"][:10]) == ("0.00", "5.00", "2026-12-01")
    await cashier.do("remove", limit=row["limit"], why="over")
    assert await cashier.do("list") == []
    assert await cashier.store.read(lambda c: ledger_verify.verify(driver(c))) == []


async def test_each_has_their_own_limit_and_minutes_are_one_too(cashier: Cashier) -> None:
    await cashier.do("set", scope="account", id="1", most="20.00", period="week", why="asked")
    await cashier.do("set", scope="account", id="1", most="60min", by="facility", why="rule")
    rows = await cashier.do("list", scope="account", id="1")
    assert {(row["by"], row["most"]) for row in rows} == {
        ("payer", "20.00"), ("facility", "60min"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"scope": "account", "id": "999", "most": "1"}, "no account 999"),
        ({"scope": "account", "id": "x", "most": "1"}, "no account x"),
        ({"scope": "person", "id": "000000", "most": "1"}, "no person"),
        ({"scope": "agency", "id": "nobody", "most": "1"}, "allowed: pine-county"),
        ({"scope": "contact", "id": "12", "most": "1"}, "not a whole number"),
        ({"scope": "person", "id": "123456", "most": "-1"}, "allowed: 0 to 100000 dollars"),
        ({"scope": "person", "id": "123456", "most": "100001"}, "allowed: 0 to 100000 dollars"),
        ({"scope": "person", "id": "123456", "most": "44641min"}, "allowed: 0min to 44640min"),
        ({"scope": "person", "id": "123456", "most": "much"}, "not an amount"),
        ({"scope": "person", "id": "123456", "most": "1", "zone": "Mars"}, "no time zone"),
    ],
)
async def test_a_bad_limit_is_refused(cashier: Cashier, given: dict[str, Any], says: str) -> None:
    with pytest.raises(UserError, match=says):
        await cashier.do("set", **given, why="try")
    assert await cashier.do("list") == []


async def test_a_limit_that_is_not_there_cannot_be_removed(cashier: Cashier) -> None:
    with pytest.raises(UserError, match="no limit 7"):
        await cashier.do("remove", limit=7, why="try")
