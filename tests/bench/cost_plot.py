"""A picture of what a packet costs, by how many calls there are: `build/bench/media.svg`.

    python -m tests.bench.bench_media --calls 100 300 1000 | python -m tests.bench.cost_plot

Reads the JSON lines of the bench; the bare relay and the floor stand beside the switch. A point is
hollow where packets were lost or late: the core was full.
"""

import json
import math
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final
from xml.sax.saxutils import escape

OUT: Final = Path("build/bench/media.svg")
WIDTH, HEIGHT = 660, 400
LEFT, RIGHT, TOP, BOTTOM = 60, 170, 40, 50
FONT = 'font-family="sans-serif" font-size="12"'
DELIVERED_MIN: Final = 0.999
LINES: Final = (
    ("us_per_packet", "the switch, inspecting", "#b3261e"),
    ("bare_us_per_packet", "a bare relay", "#1a5fb4"),
    ("floor_us", "one hot socket pair", "#5e5c64"),
)


def draw(rows: Sequence[dict[str, Any]], machine: str) -> str:
    """Return the picture of these rows of `bench_media`, fewest calls first."""
    highest = max(float(row[name]) for row in rows for name, _, _ in LINES)
    step = max(1, math.ceil(highest / 6))
    top_us = step * math.ceil(highest / step)
    first, last = math.log(rows[0]["calls"]), math.log(rows[-1]["calls"])

    def x(calls: int) -> float:
        share = (math.log(calls) - first) / (last - first) if last > first else 0.5
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(us: float) -> float:
        return HEIGHT - BOTTOM - us / top_us * (HEIGHT - TOP - BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" {FONT}>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{LEFT}" y="18" font-size="14">µs of a processor for each packet</text>',
        f'<text x="{LEFT}" y="32" fill="#5e5c64">{escape(machine)}</text>',
    ]
    for us in range(0, top_us + 1, step):
        parts += [
            f'<path d="M{LEFT} {y(us):.1f}H{WIDTH - RIGHT}" stroke="#deddda"/>',
            f'<text x="{LEFT - 8}" y="{y(us) + 4:.1f}" text-anchor="end">{us}</text>',
        ]
    for row in rows:
        at = f'x="{x(row["calls"]):.1f}" y="{HEIGHT - BOTTOM + 18}"'
        parts.append(f'<text {at} text-anchor="middle">{row["calls"]}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 10}" text-anchor="middle">calls at once</text>')
    for name, label, colour in LINES:
        points = [(x(row["calls"]), y(row[name]), row) for row in rows]
        parts.append(
            f'<polyline points="{" ".join(f"{a:.1f},{b:.1f}" for a, b, _ in points)}" '
            f'fill="none" stroke="{colour}" stroke-width="2"/>'
        )
        for across, down, row in points:
            spoilt = name == "us_per_packet" and is_spoilt(row)
            parts.append(
                f'<circle cx="{across:.1f}" cy="{down:.1f}" r="4" stroke="{colour}" '
                f'fill="{"white" if spoilt else colour}"/>'
            )
        across, down, _ = points[-1]
        parts.append(f'<text x="{across + 10:.1f}" y="{down + 4:.1f}">{label}</text>')
    return "\n".join([*parts, "</svg>\n"])


def is_spoilt(row: dict[str, Any]) -> bool:
    """Whether the core was full: packets were lost."""
    return float(row["delivered"]) < DELIVERED_MIN


def read(lines: Iterable[str]) -> tuple[list[dict[str, Any]], str]:
    """Return the rows of the packet path, fewest calls first, and what names the machine."""
    found = [json.loads(line) for line in lines if line.startswith("{")]
    rows = [one for one in found if one.get("bench") == "media" and one.get("inspected")]
    machine: dict[str, Any] = next((one for one in found if one.get("bench") == "machine"), {})
    said = ", ".join(str(machine[name]) for name in ("processor", "kernel") if name in machine)
    return sorted(rows, key=lambda row: int(row["calls"])), said


def write(lines: Iterable[str]) -> Path | None:
    """Draw what these lines say of the packet path; None: they say nothing of it."""
    rows, machine = read(lines)
    if not rows:
        return None
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(draw(rows, machine))
    return OUT


def main() -> int:
    """Draw the JSON lines on standard input."""
    drawn = write(sys.stdin)
    said = f"drawn: {drawn}" if drawn else "no line of bench_media with inspection: nothing to draw"
    sys.stderr.write(f"{said}\n")
    return 0 if drawn else 1


if __name__ == "__main__":
    sys.exit(main())
