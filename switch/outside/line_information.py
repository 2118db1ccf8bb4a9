"""What is known of an outside line: asked of sources in order, within a deadline, remembered.

    memory -> the database -> each source in order -> nothing known

A source that fails rests (circuit breaker) and has a budget for each day. No answer is not a no:
what comes back then is UNKNOWN, with the type of line if an older answer had it. Answers of paid
sources are kept for disputes. money.md section 7.
"""

import asyncio
import logging
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

import msgspec

from switch.billing.line import NOTHING_KNOWN, LineInfo, LineVerdict
from switch.clock import Clock
from switch.errors import KinlineError, SettingsError
from switch.routing.number import mask
from switch.routing.wildcard import canonical_pattern, matches
from switch.store.engine import Store, driver

LINE_TYPE_S: Final = 30 * 86_400
"""How long a line stays a mobile. money.md section 7."""

PORTING_S: Final = 86_400
"""How long a carrier stays the carrier. money.md section 7; a whole answer lives this long."""

REMEMBERED_MAX: Final = 10_000
"""Answers in memory. Chosen: some 5 MB; the database has the rest."""

FAILURES_MAX: Final = 3
"""Failures in a row before a source rests. Chosen."""

REST_S: Final = 60.0
"""How long it rests. Chosen: as a trunk's target does."""

_KEPT: Final = """
SELECT body FROM line_answer WHERE number = ? ORDER BY fetched_at DESC LIMIT 1
"""
_KEEP: Final = "INSERT INTO line_answer (number, fetched_at, purpose, body) VALUES (?, ?, ?, ?)"

log = logging.getLogger(__name__)


class LineSource(Protocol):
    """Somebody who knows about lines."""

    name: str
    is_local: bool
    """It costs nothing to ask again, so nothing is kept."""
    budget_per_day_max: int

    async def ask(self, number: str, *, purpose: str) -> LineInfo | None:
        """Return what is known, or None. May raise OSError, ValueError or KinlineError."""
        ...


class LineRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One row of the bundled file."""

    pattern: str
    verdict: LineVerdict = LineVerdict.UNKNOWN
    reason: str = ""
    line_type: str = ""
    carrier: str = ""
    ported: bool | None = None
    collect_block: bool = False
    third_party_block: bool = False
    payphone: bool = False
    prepaid_wireless: bool = False


class LineFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The bundled file: rows, the first that fits answers."""

    line: tuple[LineRow, ...] = ()


class FileSource:
    """Answers from a file: tests, the laboratory, a small site's own list.

    Args:
        path: the file.

    Raises:
        SettingsError: it cannot be read, or says something that no line is.
    """

    name = "file"
    is_local = True
    budget_per_day_max = 0

    def __init__(self, path: Path) -> None:
        try:
            found = msgspec.convert(tomllib.loads(path.read_text()), LineFile)
            self._rows = [(canonical_pattern(row.pattern), _info(row)) for row in found.line]
        except (OSError, ValueError, KinlineError) as error:
            raise SettingsError(f"{path}: {error}") from error

    async def ask(self, number: str, *, purpose: str) -> LineInfo | None:  # noqa: ARG002 - contract
        """Return the first row that fits."""
        return next((info for pattern, info in self._rows if matches(pattern, number)), None)


@dataclass(slots=True)
class _Breaker:
    """How one source has been lately."""

    failures: int = 0
    rests_until: float = 0.0
    day: int = 0
    asked: int = 0

    def may_ask(self, source: LineSource, *, now: float, day: int) -> bool:
        if day != self.day:
            self.day, self.asked = day, 0
        within = source.budget_per_day_max == 0 or self.asked < source.budget_per_day_max
        return now >= self.rests_until and within

    def failed(self, *, now: float) -> None:
        self.failures += 1
        if self.failures >= FAILURES_MAX:
            self.failures, self.rests_until = 0, now + REST_S


@dataclass(slots=True)
class LineBook:
    """The one place that is asked about lines. Never raises.

    Args:
        store: where answers are kept.
        clock: for deadlines and ages.
        sources: in the order in which they are asked.
    """

    store: Store
    clock: Clock
    sources: Sequence[LineSource]
    _memory: dict[str, LineInfo] = field(default_factory=dict)
    _breakers: dict[str, _Breaker] = field(default_factory=dict)

    async def line_info(self, number: str, *, purpose: str, deadline_ms: int = 800) -> LineInfo:
        """Return what the first source that knows says; UNKNOWN after the deadline."""
        if not self.sources:
            return NOTHING_KNOWN
        old = self._memory.get(number)
        if old is not None and self._age_s(old) < (old.ttl_s or PORTING_S):
            return old
        try:
            async with asyncio.timeout(deadline_ms / 1000):
                old = old or await self._kept(number)
                if old is not None and self._age_s(old) < (old.ttl_s or PORTING_S):
                    return self._remember(number, old)
                return await self._ask_all(number, purpose) or self._stale(old)
        except TimeoutError:
            log.warning("line information for %s: nothing within %d ms", mask(number), deadline_ms)
            return self._stale(old)

    async def _ask_all(self, number: str, purpose: str) -> LineInfo | None:
        for source in self.sources:
            found = await self._ask(source, number, purpose)
            if found is not None:
                stamped = msgspec.structs.replace(
                    found, source=found.source or source.name, fetched_at=self.clock.wall()
                )
                if not source.is_local:
                    await self._keep(number, purpose, stamped)
                return self._remember(number, stamped)
        return None

    async def _ask(self, source: LineSource, number: str, purpose: str) -> LineInfo | None:
        breaker = self._breakers.setdefault(source.name, _Breaker())
        now, day = self.clock.monotonic(), int(self.clock.wall() // 86_400)
        if not breaker.may_ask(source, now=now, day=day):
            return None
        breaker.asked += 1
        try:
            found = await source.ask(number, purpose=purpose)
        except asyncio.CancelledError:
            breaker.failed(now=now)
            raise
        except (OSError, ValueError, KinlineError) as error:
            breaker.failed(now=now)
            log.warning("line source %s: %s", source.name, error)
            return None
        breaker.failures = 0
        return found

    def _remember(self, number: str, info: LineInfo) -> LineInfo:
        if len(self._memory) >= REMEMBERED_MAX:
            self._memory.pop(next(iter(self._memory)))
        self._memory[number] = info
        return info

    async def _kept(self, number: str) -> LineInfo | None:
        if all(source.is_local for source in self.sources):
            return None
        row = await self.store.read(lambda c: driver(c).execute(_KEPT, (number,)).fetchone())
        return None if row is None else msgspec.json.decode(row[0], type=LineInfo)

    async def _keep(self, number: str, purpose: str, info: LineInfo) -> None:
        row = (number, info.fetched_at, purpose, msgspec.json.encode(info).decode())
        await self.store.write(lambda c: driver(c).execute(_KEEP, row))

    def _age_s(self, info: LineInfo) -> float:
        return self.clock.wall() - info.fetched_at

    def _stale(self, old: LineInfo | None) -> LineInfo:
        """Keep the type of line of an older answer; whether it can be billed is not known."""
        if old is None or self._age_s(old) > LINE_TYPE_S:
            return NOTHING_KNOWN
        return msgspec.structs.replace(old, verdict=LineVerdict.UNKNOWN, reason="an old answer")


def _info(row: LineRow) -> LineInfo:
    fields = msgspec.to_builtins(row)
    del fields["pattern"]
    return msgspec.convert({**fields, "source": "file"}, LineInfo)
