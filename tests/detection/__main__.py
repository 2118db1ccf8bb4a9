"""`make detection`: every evaluation, side by side with its anchors; progress, then JSON.

    python -m tests.detection --hours 150 --out build/detection [--family report] [--card dsp]
        [--parts digits tones tapes activity calls]

A card keeps the figures of the parts that a run leaves out.

Run on the `report` family for figures to quote; `fit` is what constants may be tuned on.
"""

import argparse
import json
import os
import sys
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from tests.bench.__main__ import machine
from tests.detection import (
    activity,
    anchors,
    card,
    digits,
    household,
    paths,
    progress,
    sources,
    talk_off,
    three_way,
)

SEEDS = {"fit": 1, "report": 1001}
MUSIC_SHARE = 0.25
"""Of the hours: there is less music than talk."""
TONES_SHARE = 0.2
TTY_HOURS = 10.0
"""No alarm in so many hours of it is the target."""

CALLS_PER_HOUR = 2
"""Three-way calls per path class, and as many with call waiting: 300 for 150 hours."""
CALLS_MIN = 15
HOUSEHOLD_SHARE = 2.0
"""300 hours of household for 150."""


def main() -> int:
    """Run all parts over two processes; write `FAMILY.json`; return 0."""
    parser = argparse.ArgumentParser(prog="python -m tests.detection", description=__doc__)
    parser.add_argument("--hours", type=float, default=150.0, help="length of the talk-off tape")
    parser.add_argument("--out", type=Path, default=Path("build/detection"))
    parser.add_argument("--family", choices=sorted(SEEDS), default="report")
    parser.add_argument("--card", type=Path, help="folder to write CARD.md and card.json to")
    parser.add_argument("--parts", nargs="+", choices=list(PARTS), default=list(PARTS))
    told = parser.parse_args()
    say("fetching voices and music (Debian packages)")
    sources.fetch(told.out)
    with ProcessPoolExecutor(2) as pool:
        jobs: Jobs = {}
        for part in told.parts:
            jobs |= PARTS[part](pool, told.out, told.family, told.hours)
        parts = {name: [job.result() for job in some] for name, some in jobs.items()}
    report: dict[str, object] = {
        **(card.figures(told.card, told.family) if told.card is not None else {}),
        **machine(),
        "family": told.family,
        "voices": sources.FAMILIES[told.family],
        "seed": SEEDS[told.family],
        **{k: joined(*v) if k in JOINED else v[0] for k, v in parts.items()},
    }
    if told.card is not None:
        (told.card / "CARD.md").write_text(card.card_md(report))
        (told.card / "card.json").write_text(card.card_json(report))
    path = told.out / f"{told.family}.json"
    path.write_text(json.dumps(report, indent=1) + "\n")
    for line in table(report):
        say(line)
    say(f"written: {path}")
    return 0


Jobs = dict[str, list[Future[Any]]]
JOINED = ("talk_off_speech", "talk_off_music", "false_tones_speech", "false_tones_music")
"""Counts of false digits or tones, to be added up over their tapes."""


def start_digits(pool: Executor, out: Path, family: str, _hours: float) -> Jobs:
    """Digits that must be taken, and digits that must not."""
    return {"digits": [pool.submit(digits_job, out, family)]}


def start_tones(pool: Executor, _out: Path, family: str, _hours: float) -> Jobs:
    """Call-progress tones, SIT, fax; ten hours of TTY."""
    return {
        "progress": [pool.submit(progress.measure, SEEDS[family])],
        "tty": [pool.submit(progress.tty_hours, TTY_HOURS, SEEDS[family])],
    }


def start_tapes(pool: Executor, out: Path, family: str, hours: float) -> Jobs:
    """Tapes of talk and music in which there are neither digits nor tones."""
    half, few, tones = hours / 2, hours * MUSIC_SHARE, hours * TONES_SHARE
    submit = pool.submit
    return {
        "talk_off_speech": [submit(tape_job, out, family, half, part) for part in (0, 1)],
        "talk_off_music": [submit(tape_job, out, family, few, 2)],
        "false_tones_speech": [submit(false_job, out, family, tones, is_music=False)],
        "false_tones_music": [submit(false_job, out, family, tones * MUSIC_SHARE, is_music=True)],
    }


def start_activity(pool: Executor, out: Path, family: str, _hours: float) -> Jobs:
    """Voice activity in noise and music."""
    return {"activity": [pool.submit(activity_job, out, family)]}


def start_calls(pool: Executor, out: Path, family: str, hours: float) -> Jobs:
    """Whole calls: with a third party, and honest ones."""
    count = max(round(hours * CALLS_PER_HOUR), CALLS_MIN)
    return {
        "household": [pool.submit(household_job, out, family, hours * HOUSEHOLD_SHARE)],
        "three_way": [pool.submit(three_way_job, out, family, count)],
    }


PARTS = {
    "digits": start_digits,
    "tones": start_tones,
    "tapes": start_tapes,
    "activity": start_activity,
    "calls": start_calls,
}


def say(line: str) -> None:
    """One line of progress."""
    sys.stdout.write(f"· {line}\n")
    sys.stdout.flush()


def tape_job(build: Path, family: str, hours: float, part: int) -> dict[str, talk_off.TalkOff]:
    """Talk-off on speech (parts 0 and 1, between each other's speeds) or on music (part 2)."""
    what = "music" if part == 2 else f"talk {part + 1}"
    sound = sources.music(build, family) if part == 2 else sources.speech(build, family)
    shift = -0.25 if part == 0 else 0.25
    return talk_off.measure(sound, hours, lambda line: say(f"{what}: {line}"), shift=shift)


def false_job(
    build: Path, family: str, hours: float, *, is_music: bool
) -> dict[str, talk_off.TalkOff]:
    """Call-progress tones heard in talk or music."""
    sound = sources.music(build, family) if is_music else sources.speech(build, family)
    what = "tones in music" if is_music else "tones in talk"
    return progress.false_tones(sound, hours, lambda line: say(f"{what}: {line}"), 0.0)


def three_way_job(build: Path, family: str, count: int) -> list[dict[str, object]]:
    """Three-way calls and call waiting, per path class."""
    seed = SEEDS[family]
    return three_way.measure(build, family, count, seed, lambda line: say(f"three-way: {line}"))


def household_job(build: Path, family: str, hours: float) -> dict[str, dict[str, object]]:
    """Alarms in loud homes."""
    seed = SEEDS[family]
    return household.measure(build, family, hours, seed, lambda line: say(f"household: {line}"))


def activity_job(build: Path, family: str) -> list[dict[str, object]]:
    """The areas under the curve, per kind of noise."""
    seed = SEEDS[family]
    return activity.measure(build, family, seed, lambda line: say(f"voice activity: {line}"))


def joined(*parts: dict[str, talk_off.TalkOff]) -> dict[str, dict[str, float]]:
    """The rates of all parts together, with the upper 95 % bound."""
    rates = {}
    for name in parts[0]:
        whole = talk_off.TalkOff(
            sum(part[name].hours for part in parts), sum(part[name].digits for part in parts)
        )
        rates[name] = {
            "hours": round(whole.hours, 2),
            "false_digits": whole.digits,
            "per_100_h": round(whole.per_100_h(), 2),
            "per_100_h_upper_95": round(whole.bound_per_100_h(), 2),
        }
    return rates


def digits_job(build: Path, family: str) -> list[dict[str, object]]:
    """Every cell, by the bank and by libspandsp."""
    talk = sources.speech(build, family)
    rng = np.random.default_rng(SEEDS[family])
    played = [digits.play(cell, rng, talk) for cell in digits.CELLS]
    ours = digits.hear_cells(played)
    say("digits: heard by the bank; libspandsp is next")
    lines: list[dict[str, object]] = []
    for one, count in zip(played, ours, strict=True):
        other = digits.count_spandsp(one)
        lines.append(
            {
                "cell": one.cell.name,
                "sent": count.sent,
                "kinline_taken": count.taken / count.sent,
                "kinline_extra": count.extra,
                "kinline_latency_ms": count.latency_ms,
                "libspandsp_taken": other.taken / other.sent,
                "libspandsp_extra": other.extra,
                "target_min": one.cell.target_min,
                "target_max": one.cell.target_max,
                "reached": digits.reached(one.cell, count),
            }
        )
    return lines


def table(report: dict[str, object]) -> list[str]:
    """The report for a reader."""
    lines: list[str] = []
    if "digits" in report:
        lines += digit_lines(report["digits"])
    for name in JOINED:
        rates = report.get(name, {})
        assert isinstance(rates, dict)
        lines += [
            f"{name}, {who}: {rate['false_digits']} in {rate['hours']} h, {rate['per_100_h']}"
            f" per 100 h (at most {rate['per_100_h_upper_95']} with 95 %)"
            for who, rate in rates.items()
        ]
    if "progress" in report:
        lines += tone_lines(report["progress"])
    return lines + (call_lines(report) if "three_way" in report else [])


def digit_lines(cells: Any) -> list[str]:
    """Digits, for a reader."""
    lines = [f"{'digits':30s} {'kinline':>9s} {'spandsp':>9s}  target"]
    for cell in cells:
        least, most = cell["target_min"], cell["target_max"]
        target = f">= {100 * least:g} %" if least is not None else f"<= {100 * most:g} %"
        lines.append(
            f"{cell['cell']:30s} {100 * cell['kinline_taken']:7.2f} %"
            f" {100 * cell['libspandsp_taken']:7.2f} %  {target}"
            f"{'' if cell['reached'] else '  NOT REACHED'}"
        )
    return lines


def tone_lines(rows: Any) -> list[str]:
    """Call-progress tones, for a reader."""
    return [
        f"{row['row']:30s} {100 * row['taken']:7.2f} % within {row['until_s']} s"
        f"{'' if row['reached'] else '  NOT REACHED'}"
        for row in rows
    ]


def call_lines(report: dict[str, object]) -> list[str]:
    """Three-way calls and the household set, for a reader."""
    rows, home = report["three_way"], report["household"]
    assert isinstance(rows, list)
    assert isinstance(home, dict)
    whole = home["all"]
    return [
        f"{'three-way':30s} {'told':>9s} {'latency':>9s}  waiting told as three-way",
        *(
            f"{row['path']:30s} {100 * row['detected']:7.2f} % {row['latency_s']!s:>7s} s"
            f"  {100 * row['waiting_told_three_way']:.2f} %"
            f"{'' if row['reached'] else '  NOT REACHED'}"
            for row in rows
        ),
        *(
            f"household, {tier}: {whole[tier]} in {whole['hours']} h, {whole[tier + '_per_100_h']}"
            f" per 100 h (at most {whole[tier + '_per_100_h_upper_95']} with 95 %)"
            for tier in ("warn", "cut_eligible")
        ),
    ]


if __name__ == "__main__":
    anchors.check()
    paths.check()
    sys.exit(main())
