"""The parent's side of `pjsua2_phone`: gives orders, waits for reports."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.certificates import Authority
from tests.support.peers.program import needed_module, running, write_tone
from tests.support.peers.talk import PEER_HZ
from tests.support.switch_rig import ROOT, free_port

REPORT_S_MAX = 30.0


class Pjsua2Phone:
    """A running pjsua2 telephone."""

    def __init__(self, folder: Path, process: asyncio.subprocess.Process) -> None:
        self.heard = folder / "heard.wav"
        self.reports: list[str] = []
        self._process = process

    def order(self, *words: str) -> None:
        """Tell it to do something."""
        assert self._process.stdin is not None
        self._process.stdin.write((" ".join(words) + "\n").encode())

    async def report(self, wanted: str) -> str:
        """Wait until it reports this; return the whole line."""
        assert self._process.stdout is not None
        async with asyncio.timeout(REPORT_S_MAX):
            while line := (await self._process.stdout.readline()).decode().strip():
                self.reports.append(line)
                if line.startswith(wanted):
                    return line
        raise AssertionError(f"it ended without {wanted}: {self.reports}")

    async def go(self) -> None:
        """End it, and with it its recording."""
        self.order("go")
        await self.report("gone")


@asynccontextmanager
async def pjsua2_phone(
    folder: Path, *, port: int = 0, authority: Authority | None = None, domain: str = "outside"
) -> AsyncIterator[Pjsua2Phone]:
    """Run one, or skip the test where the package is missing.

    Args:
        folder: of the test.
        port: its SIP port; 0 takes a free one.
        authority: signs its certificate: it signals over TLS and talks over SRTP, never otherwise.
        domain: in its certificate.
    """
    needed_module("pjsua2", "pjsua2-python")
    folder = folder / "pjsua2"
    folder.mkdir(parents=True)
    write_tone(folder / "tone.wav", PEER_HZ)
    if authority is not None:
        authority.write(folder / "authorities.pem")
        authority.issue(folder, f"dns:{domain}", common=domain)
    words = (sys.executable, "-m", "tests.support.peers.pjsua2_phone")
    async with running(
        folder,
        *words,
        str(port or free_port()),
        str(folder),
        *(["tls"] if authority is not None else []),
        env={"PYTHONPATH": str(ROOT)},
        piped=True,
    ) as process:
        phone = Pjsua2Phone(folder, process)
        await phone.report("ready")
        yield phone
