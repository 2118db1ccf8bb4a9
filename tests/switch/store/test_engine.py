import asyncio
import fcntl
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection

from switch.clock import SystemClock
from switch.errors import StoreError
from switch.store import engine_opening
from switch.store.engine import Store, driver

CLOCK = SystemClock()


T = TypeVar("T")


def run(path: Path, scene: Callable[[Store], Awaitable[T]]) -> T:
    async def main() -> T:
        store = await Store.open(path, clock=CLOCK)
        try:
            return await scene(store)
        finally:
            await store.close()

    return asyncio.run(main())


def times(connection: Connection) -> int:
    return int(driver(connection).execute("SELECT times FROM opening").fetchone()[0])


def once_more(connection: Connection) -> int:
    driver(connection).execute("UPDATE opening SET times = times + 1")
    return times(connection)


async def nothing(_store: Store) -> None:
    return None


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "kinline.db"
    run(path, nothing)
    return path


def refuses(path: Path, sentence: str) -> None:
    """The start stops with this sentence, and the file is byte for byte as it was."""
    before = path.read_bytes()
    with pytest.raises(StoreError, match=sentence) as caught:
        run(path, nothing)
    assert str(caught.value).count("\n") == 0
    assert path.read_bytes() == before


def test_what_was_written_is_read_and_is_there_after_reopening(path: Path) -> None:
    async def scene(store: Store) -> tuple[int, int]:
        return await store.write(once_more), await store.read(times)

    written, read = run(path, scene)
    assert written == read

    async def look(store: Store) -> int:
        return await store.read(times)

    assert run(path, look) == read + 1  # each opening counts too


def test_the_writer_is_durable_and_the_reader_cannot_write(path: Path) -> None:
    async def scene(store: Store) -> tuple[Any, ...]:
        def ask(connection: Connection) -> tuple[Any, ...]:
            raw = driver(connection)
            return (
                raw.execute("PRAGMA journal_mode").fetchone()[0],
                raw.execute("PRAGMA synchronous").fetchone()[0],
                raw.execute("PRAGMA wal_autocheckpoint").fetchone()[0],
            )

        with pytest.raises(StoreError, match="read-only"):
            await store.read(lambda c: c.exec_driver_sql("UPDATE opening SET times = 0"))
        return await store.write(ask), await store.read(ask)

    writer, reader = run(path, scene)
    assert writer == ("wal", 2, 1_000)
    assert reader[2] == 0


def test_a_deed_that_raises_is_undone_and_its_neighbours_are_not(path: Path) -> None:
    class OwnError(Exception):
        pass

    def fails(connection: Connection) -> None:
        once_more(connection)
        raise OwnError

    async def scene(store: Store) -> tuple[int, list[Any], int]:
        before = await store.read(times)
        deeds = [once_more, fails, once_more, fails, once_more]
        results = await asyncio.gather(
            *(store.write(deed) for deed in deeds), return_exceptions=True
        )
        return before, results, await store.read(times)

    before, results, after = run(path, scene)
    assert after == before + 3
    assert [isinstance(r, OwnError) for r in results] == [False, True, False, True, False]


def test_writes_that_wait_together_share_a_commit(path: Path) -> None:
    async def scene(store: Store) -> int:
        commits = 0

        def trace(statement: str) -> None:
            nonlocal commits
            commits += statement == "COMMIT"

        await store.write(lambda c: driver(c).set_trace_callback(trace))
        await asyncio.gather(*(store.write(once_more) for _ in range(200)))
        await store.write(lambda c: driver(c).set_trace_callback(None))
        return commits

    assert run(path, scene) < 50


def test_a_waiter_that_gives_up_does_not_stop_the_others(path: Path) -> None:
    async def scene(store: Store) -> tuple[int, int]:
        before = await store.read(times)
        async with asyncio.TaskGroup() as group:
            first = group.create_task(store.write(once_more))
            second = group.create_task(store.write(once_more))
            await asyncio.sleep(0)
            first.cancel()
        return before, second.result()

    before, after = run(path, scene)
    assert after == before + 2


def test_a_closed_store_says_so(path: Path) -> None:
    async def scene() -> None:
        store = await Store.open(path, clock=CLOCK)
        await store.close()
        await store.close()
        with pytest.raises(StoreError, match="closed"):
            await store.write(once_more)
        with pytest.raises(StoreError, match="closed"):
            await store.read(times)

    asyncio.run(scene())


def test_a_second_process_is_told_who_has_it(path: Path) -> None:
    async def scene(store: Store) -> str:
        code = (
            "import asyncio, sys; from pathlib import Path\n"
            "from switch.store.engine import Store; from switch.clock import SystemClock\n"
            f"asyncio.run(Store.open(Path({str(store.path)!r}), clock=SystemClock()))"
        )
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode != 0
        return done.stderr

    said = run(path, scene)
    assert f"Another process (pid {os.getpid()}) has the database open" in said


def test_the_lock_is_free_again_after_a_refused_start(path: Path) -> None:
    path.write_bytes(b"not a database at all, " * 10)
    refuses(path, "is not a database")
    with path.with_name("kinline.db.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_no_database_where_none_may_be_made(tmp_path: Path) -> None:
    async def scene() -> None:
        await Store.open(tmp_path / "none.db", clock=CLOCK, create=False)

    with pytest.raises(StoreError, match="There is no database"):
        asyncio.run(scene())
    assert list(tmp_path.iterdir()) == []


def test_a_read_only_file(path: Path) -> None:
    path.chmod(0o444)
    refuses(path, "is read-only")


def test_a_read_only_folder(path: Path) -> None:
    path.parent.chmod(0o555)
    try:
        refuses(path, "folder of the database .* is read-only")
    finally:
        path.parent.chmod(0o755)


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is not there"):
        run(tmp_path / "no" / "kinline.db", nothing)


def test_a_file_that_is_no_database(path: Path) -> None:
    path.write_bytes(b"\x00" * 5_000)
    refuses(path, "is not a database. Put back the last backup")


def test_a_damaged_database(path: Path) -> None:
    data = bytearray(path.read_bytes())
    for start in range(4096, len(data), 4096):
        data[start : start + 64] = b"\xff" * 64
    path.write_bytes(data)
    refuses(path, "is damaged. Put back the last backup")


def test_a_cut_off_database(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: 3 * 4096])
    refuses(path, "is damaged. Put back the last backup")


def test_a_database_of_a_newer_version(path: Path) -> None:
    raw = sqlite3.connect(path)
    raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.commit()
    raw.close()
    refuses(path, r"was written by a newer version of Kinline \(schema 9999")


def test_a_database_of_another_program(tmp_path: Path) -> None:
    path = tmp_path / "music.db"
    raw = sqlite3.connect(path)
    raw.execute("CREATE TABLE song (title TEXT)")
    raw.commit()
    raw.close()
    refuses(path, "is a database of another program")


def test_a_full_disk(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = SimpleNamespace(total=10**9, used=10**9 - 9_000, free=9_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage)
    refuses(path, "The disk is full: .* has 8 KiB left")


def limit_files(size: int) -> tuple[int, int]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    return before


def test_a_disk_that_takes_no_more_at_start(path: Path) -> None:
    before = limit_files(2_048)
    try:
        refuses(path, "The disk (is full|refused)")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    run(path, nothing)


def test_a_new_database_on_a_full_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    before = limit_files(2_048)
    try:
        with pytest.raises(StoreError, match=r"The disk (is full|refused)"):
            run(tmp_path / "kinline.db", nothing)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [p.name for p in tmp_path.iterdir()] == ["kinline.db.lock"]


def test_a_disk_that_fills_up_while_we_run_loses_only_what_was_refused(path: Path) -> None:
    def grow(connection: Connection) -> None:
        driver(connection).execute("CREATE TABLE IF NOT EXISTS big (x)")
        driver(connection).execute("INSERT INTO big VALUES (zeroblob(1000000))")

    async def scene(store: Store) -> tuple[int, int]:
        before = await store.read(times)
        await store.write(lambda c: driver(c).execute("PRAGMA max_page_count = 60").fetchone())
        results = await asyncio.gather(
            store.write(once_more),
            store.write(grow),
            store.write(once_more),
            return_exceptions=True,
        )
        said = [str(r) for r in results if isinstance(r, StoreError)]
        assert said
        assert all("The disk is full" in sentence for sentence in said)
        kept = sum(1 for r in results if isinstance(r, int))
        assert await store.read(times) == before + kept
        assert await store.write(once_more) == before + kept + 1
        return before, kept

    run(path, scene)


def test_the_whole_file_is_not_read_when_it_is_huge(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_opening, "CHECKED_BYTES_MAX", 10)
    run(path, nothing)
