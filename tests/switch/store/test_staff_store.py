from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from switch.clock import SystemClock
from switch.errors import UserError
from switch.store import staff_store
from switch.store.engine import Store
from switch.store.staff_passwords import hash_password, is_password
from switch.store.staff_store import Grant, Role

GRANTS = [Grant(Role.OFFICER, "north"), Grant(Role.OPS, "*")]
HASH = "a" * 64


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(tmp_path / "kinline.sqlite3", clock=SystemClock())
    await opened.write(
        partial(
            staff_store.put,
            name="lee",
            password_hash="hash",
            language="es",
            grants=[*GRANTS, GRANTS[0]],
            at_micros=1,
        )
    )
    begin = partial(staff_store.begin_session, id_hash=HASH, staff="lee", address="127.0.0.1")
    await opened.write(partial(begin, at_micros=10, ends_at_micros=100))
    yield opened
    await opened.close()


async def test_a_member_is_found_with_grants(store: Store) -> None:
    member = await store.read(partial(staff_store.find, name="lee"))
    assert member is not None
    assert (member.language, member.disabled, member.grants) == ("es", False, tuple(GRANTS))
    assert await store.read(partial(staff_store.find, name="ann")) is None
    assert await store.read(staff_store.every) == [member]


async def test_a_sign_in_is_found_by_the_hash_of_its_id(store: Store) -> None:
    found = await store.read(partial(staff_store.find_session, id_hash=HASH))
    assert found is not None
    assert (found[0].staff, found[0].ends_at_micros, found[1].name) == ("lee", 100, "lee")
    await store.write(partial(staff_store.session_seen, id_hash=HASH, at_micros=50))
    seen = await store.read(partial(staff_store.find_session, id_hash=HASH))
    assert seen is not None
    assert seen[0].seen_at_micros == 50
    await store.write(partial(staff_store.end_session, id_hash=HASH))
    assert await store.read(partial(staff_store.find_session, id_hash=HASH)) is None


async def test_who_is_disabled_or_gets_a_new_password_is_signed_out(store: Store) -> None:
    assert await store.write(partial(staff_store.disable, name="lee", at_micros=20))
    assert await store.read(partial(staff_store.find_session, id_hash=HASH)) is None
    assert not await store.write(partial(staff_store.disable, name="ann", at_micros=20))


async def test_an_old_sign_in_goes_when_a_new_one_comes(store: Store) -> None:
    begin = partial(staff_store.begin_session, id_hash="b" * 64, staff="lee", address="::1")
    await store.write(partial(begin, at_micros=100, ends_at_micros=200))
    assert await store.read(partial(staff_store.find_session, id_hash=HASH)) is None


def test_a_password_is_known_by_its_hash_only() -> None:
    kept = hash_password("correct horse battery")
    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert is_password("correct horse battery", kept)
    assert not is_password("correct horse batterz", kept)
    assert not is_password("nobody has this password", None)
    assert not is_password("anything", "no hash at all")


@pytest.mark.parametrize("password", ["short", "x" * 257])
def test_a_password_has_a_length(password: str) -> None:
    with pytest.raises(UserError, match="12 to 256"):
        hash_password(password)
