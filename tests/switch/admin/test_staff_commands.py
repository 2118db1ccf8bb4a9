from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from switch.admin.audit_note import news_of
from switch.admin.command import Desk
from switch.admin.staff_commands import STAFF_COMMANDS
from switch.errors import UserError
from switch.store import staff_store, staff_totp
from switch.store.engine import Store
from switch.store.house_keys import HouseKeys
from tests.support.house_rig import HouseClock

HASH = "$argon2id$invented"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(tmp_path / "kinline.sqlite3", clock=HouseClock())
    yield opened
    await opened.close()


async def do(store: Store, verb: str, **given: Any) -> Any:
    command = next(c for c in STAFF_COMMANDS if c.verb == verb)
    desk = Desk(store=store, clock=HouseClock(), board=None, by="admin")
    return await command.run(desk, {"language": "en", **given})


async def test_who_is_added_gets_a_second_factor_that_is_shown_once(
    store: Store, tmp_path: Path
) -> None:
    made = await do(store, "add", name="lee", role=["ops"], password_hash=HASH)
    assert made["for_the_app"].startswith("otpauth://totp/Kinline:lee?secret=")
    assert made["second_factor"] in made["for_the_app"]
    again = await do(store, "add", name="lee", role=["ops"], password_hash=HASH)
    assert "second_factor" not in again, "a new password keeps the app as it is"
    member = await store.read(partial(staff_store.find, name="lee"))
    assert member is not None
    assert member.totp_sealed is not None
    key = HouseKeys(tmp_path).staff_key()
    secret = staff_totp.unseal(member.totp_sealed, key=key, name="lee")
    assert secret is not None
    assert staff_totp.shown(secret) == made["second_factor"]
    assert [row["second_factor"] for row in await do(store, "list")] == [True]


async def test_a_lost_telephone_gets_another_one(store: Store) -> None:
    first = await do(store, "add", name="lee", role=["ops"], password_hash=HASH)
    second = await do(store, "totp", name="lee")
    assert second["second_factor"] != first["second_factor"]
    with pytest.raises(UserError, match="nobody called ann"):
        await do(store, "totp", name="ann")


async def test_the_trail_never_sees_the_secret(store: Store) -> None:
    made = await do(store, "add", name="lee", role=["ops"], password_hash=HASH)
    command = next(c for c in STAFF_COMMANDS if c.verb == "add")
    given = {"name": "lee", "role": ["ops"], "password_hash": HASH}
    entry = news_of(
        command, given, by="cli:me", address="store", outcome="", at_wall=1.0, result=made
    )
    assert made["second_factor"] not in repr(entry)
    assert HASH not in repr(entry)
