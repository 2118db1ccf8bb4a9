"""What the live page reads from the switch, and the form in which it shows it. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from switch.money import MICROS_PER_CENT

ROWS_MAX: Final = 200
"""Calls on one page; those with trouble come first. Chosen: a person reads no more, and a page
of a thousand rows each second would slow the loop that also serves SIP."""

TIERS: Final = ("cut_eligible", "warn", "log")
"""Of a detection, the gravest first. detection.md section 6.2."""


class LiveView(Protocol):
    """What lives now. Plain rows; each call costs nothing but the copying."""

    def live_calls(self) -> list[dict[str, Any]]:
        """One row per call.

        `call, facility, terminal, state, class, privileged, trunk, elapsed_s, talked_s|None,
        seconds_left|None, balance_micros|None, detections: [{kind, tier, …}]`. No number, no name.
        """
        ...

    def trunks(self) -> list[dict[str, Any]]:
        """One row per trunk: `trunk, up, registered|None, channels, channels_max`."""
        ...

    def workers(self) -> list[dict[str, Any]]:
        """One row per media worker.

        `worker, legs, calls, inspected_legs, ticks, late_ticks, shed_ticks, tick_ms_p99`.
        """
        ...

    def is_draining(self) -> bool:
        """Whether new calls are refused."""
        ...

    def register_fault(self) -> str:
        """Why the privileged register is not whole; '' if it is. calls.md section 6, P8."""
        ...

    async def cut(
        self, call: int, *, by: str, why: str, disable_terminal_s: int = 0, block: bool = False
    ) -> None:
        """End a call at once. Raises UserError if there is no such call."""
        ...


@dataclass(frozen=True, slots=True)
class Detection:
    """One detection as a badge."""

    kind: str
    tier: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRow:
    """A live call as it stands on the page."""

    call: int
    facility: str
    terminal: str
    state: str
    call_class: str
    privileged: bool
    trunk: str
    elapsed: str
    talked: str
    balance: str
    left: str
    is_low: bool
    detections: tuple[Detection, ...]
    worst_tier: str
    may_cut: bool


LOW_S: Final = 60
"""Under a minute left is shown as low: the caller hears the last warning then. Chosen."""


def call_row(row: Mapping[str, Any], *, may_cut: bool) -> CallRow:
    """Turn a row of the switchboard into one of the page.

    A privileged call is shown, and bare: no detections, no button, whoever looks.
    """
    privileged = bool(row["privileged"])
    left = row.get("seconds_left")
    found = () if privileged else _detections(row.get("detections") or ())
    return CallRow(
        call=int(row["call"]),
        facility=str(row["facility"]),
        terminal=str(row["terminal"]),
        state=str(row["state"]),
        call_class=str(row.get("class") or ""),
        privileged=privileged,
        trunk=str(row.get("trunk") or ""),
        elapsed=duration(row["elapsed_s"]),
        talked=duration(row.get("talked_s")),
        balance=dollars(row.get("balance_micros")),
        left=duration(left),
        is_low=left is not None and left < LOW_S,
        detections=found,
        worst_tier=next((t for t in TIERS for d in found if d.tier == t), ""),
        may_cut=may_cut and not privileged,
    )


def in_order(rows: Iterable[CallRow]) -> list[CallRow]:
    """Trouble on top, then the calls whose money runs out, then by age."""
    grave = {tier: place for place, tier in enumerate(TIERS[:-1])}
    return sorted(rows, key=lambda r: (grave.get(r.worst_tier, len(TIERS)), not r.is_low, r.call))


def duration(seconds: float | None) -> str:
    """Write seconds as `m:ss` or `h:mm:ss`; '' for none."""
    if seconds is None:
        return ""
    whole = max(0, int(seconds))
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def dollars(micros: int | None) -> str:
    """Write an amount in dollars and cents, never more than there is; '' for none."""
    if micros is None:
        return ""
    cents = abs(micros) // MICROS_PER_CENT
    if micros < 0 and abs(micros) % MICROS_PER_CENT:
        cents += 1
    return f"{'-' if micros < 0 else ''}${cents // 100:,}.{cents % 100:02d}"


def _detections(found: Iterable[Any]) -> tuple[Detection, ...]:
    """Count what was detected by kind, each with its gravest tier."""
    tiers: dict[str, str] = {}
    counts: dict[str, int] = {}
    for one in found:
        kind, tier = (str(one.get("kind", "")), str(one.get("tier", "log")))
        counts[kind] = counts.get(kind, 0) + 1
        known = tiers.get(kind, "log")
        tiers[kind] = min(tier, known, key=_gravity)
    badges = [Detection(kind, tiers[kind], count) for kind, count in counts.items()]
    return tuple(sorted(badges, key=lambda badge: _gravity(badge.tier)))


def _gravity(tier: str) -> int:
    return TIERS.index(tier) if tier in TIERS else len(TIERS)
