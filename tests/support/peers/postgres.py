"""A real PostgreSQL, 15 or later, in a folder of its own, on a Unix socket only.

It never runs as root: `initdb` refuses that, so as root it is started as the user `postgres`.
"""

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import asyncpg

from switch.store import postgres_schema

VERSION_MIN: Final = 15
USER: Final = "postgres"
ROLE: Final = "kinline"

MEMORY: Final = Path("/dev/shm")
"""Where a server lives that need not outlive the machine."""


def binaries() -> Path | None:
    """Return the folder of the newest server's programs; None if there is none."""
    known = sorted(Path("/usr/lib/postgresql").glob("[0-9]*/bin"), key=_version, reverse=True)
    on_path = shutil.which("initdb")
    for folder in [*known, *([Path(on_path).parent] if on_path else [])]:
        if (folder / "initdb").exists() and _version(folder) >= VERSION_MIN:
            return folder
    return None


def _version(folder: Path) -> int:
    said = subprocess.run(
        [folder / "initdb", "--version"], capture_output=True, text=True, check=False
    ).stdout
    words = said.split()
    return int(words[2].split(".")[0]) if len(words) > 2 else 0


class PostgresServer:
    """A running server with a template of the ledger's schema.

    Args:
        folder: of its data, socket and log.
        programs: where its programs are.
        as_user: words that start a program as somebody other than root.
        is_durable: it waits for the disk. What is killed in a test is never the machine, so most
            do without.
    """

    def __init__(
        self, folder: Path, programs: Path, as_user: list[str | Path], *, is_durable: bool
    ) -> None:
        self.folder = folder
        self._is_durable = is_durable
        self._template = ""
        self._programs = programs
        self._as_user = as_user
        self._names = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it answers."""
        options: list[str | Path] = ["-D", self.folder / "data", "-k", self.folder]
        options += ["-c", "listen_addresses=", "-c", "shared_buffers=128MB"]
        if not self._is_durable:
            options += ["-c", "fsync=off", "-c", "full_page_writes=off"]
        words = [*self._as_user, self._programs / "postgres", *options]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(words, stdout=log, stderr=log, cwd=self.folder)
        _wait(self._programs, self.folder, self._process)

    def stop(self) -> None:
        """Stop at once, as a crash would: every connection breaks, nothing is tidied up."""
        if self._process is not None:
            _stop(self.folder / "data", self._process)

    def dsn(self, database: str, *, role: str = USER) -> str:
        """The address of a database."""
        return f"postgresql://{role}@/{database}?host={self.folder}"

    async def database(self, template: str = "template1") -> str:
        """Make an empty database, and the switch's own role; return its name."""
        name = f"ledger_{next(self._names)}"
        owner = await asyncpg.connect(self.dsn("postgres"))
        try:
            await owner.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
            if name == "ledger_1":
                await owner.execute(f"CREATE ROLE {ROLE} LOGIN")
        finally:
            await owner.close()
        return name

    async def ledger(self) -> str:
        """Make an empty ledger; return the address at which the switch's own role finds it."""
        if not self._template:
            self._template = await self._ledger_template()
        return self.dsn(await self.database(self._template), role=ROLE)

    async def _ledger_template(self) -> str:
        """Make the schema once: a copy of it takes a fraction of the time."""
        name = await self.database()
        owner = await asyncpg.connect(self.dsn(name))
        try:
            async with owner.transaction():
                await postgres_schema.bring_up_to_date(owner, role=ROLE)
        finally:
            await owner.close()
        return name


@contextmanager
def postgres_server(*, is_durable: bool = False) -> Iterator[PostgresServer]:
    """Start a server, and stop it and remove its folder in the end."""
    programs = binaries()
    assert programs is not None, "no PostgreSQL; deploy/install-peers installs one"
    in_memory = not is_durable and MEMORY.is_dir()
    folder = Path(tempfile.mkdtemp(prefix="kinline-pg-", dir=MEMORY if in_memory else None))
    as_user: list[str | Path] = []
    if os.geteuid() == 0:
        owner = pwd.getpwnam(USER)
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        as_user = ["runuser", "-u", USER, "--"]
    data = folder / "data"
    init: list[str | Path] = ["-D", data, "-U", USER, "--auth=trust", "--no-sync"]
    init += ["-E", "UTF8", "--locale=C"]
    subprocess.run(
        [*as_user, programs / "initdb", *init], check=True, capture_output=True, cwd=folder
    )
    server = PostgresServer(folder, programs, as_user, is_durable=is_durable)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _wait(programs: Path, folder: Path, process: subprocess.Popen[bytes]) -> None:
    ready: list[str | Path] = [programs / "pg_isready", "-q", "-t", "1"]
    ready += ["-h", folder, "-U", USER]
    for _ in range(300):
        if subprocess.run(ready, check=False).returncode == 0:
            return
        if process.poll() is not None:
            break
        try:
            process.wait(0.1)
        except subprocess.TimeoutExpired:
            continue
    raise RuntimeError(f"PostgreSQL did not start: {(folder / 'log').read_text()[-2_000:]}")


def _stop(data: Path, process: subprocess.Popen[bytes]) -> None:
    """Stop the server itself, at once: `runuser` between us does not pass a signal on."""
    try:
        server = int((data / "postmaster.pid").read_text().split()[0])
        os.kill(server, signal.SIGQUIT)
    except (OSError, ValueError, IndexError):
        process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
