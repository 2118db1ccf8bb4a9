"""The household set: hours of honest calls in loud homes, and what is alarmed.

Every class of `tests.corpus.household` has the same share of the hours. `long silence` puts
stretches of 8 to 25 s without a voice in, `handed over` gives the telephone to another person (no
hold), `television` has a third voice or music in the room all the time.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from dsp.event import Kind, Tier
from switch.call.ladder import CUT_REASON
from tests.corpus.conversation import Person, Track, converse, echo, room, says
from tests.corpus.household import CLASSES
from tests.corpus.voices import RATE_HZ
from tests.detection import calls, sources
from tests.detection.people import people
from tests.detection.talk_off import poisson_upper
from tests.detection.three_way import tuned

CALL_S = 300


@dataclass
class Alarms:
    """Of one class, or of all."""

    hours: float = 0.0
    warn: int = 0
    """`warn` and above."""
    cut: int = 0
    by_kind: dict[str, int] = field(default_factory=dict)
    cut_by_kind: dict[str, int] = field(default_factory=dict)

    def to_json_dict(self) -> dict[str, object]:
        """Rates per 100 h and their upper 95 % bounds."""
        per = 100 / max(self.hours, 1e-9)
        return {
            "hours": round(self.hours, 2),
            "warn": self.warn,
            "warn_per_100_h": round(self.warn * per, 2),
            "warn_per_100_h_upper_95": round(poisson_upper(self.warn) * per, 2),
            "cut_eligible": self.cut,
            "cut_eligible_per_100_h": round(self.cut * per, 2),
            "cut_eligible_per_100_h_upper_95": round(poisson_upper(self.cut) * per, 2),
            "by_kind": self.by_kind,
            "cut_by_kind": self.cut_by_kind,
        }


def call(
    name: str, cast: Sequence[Person], music: Track, rng: np.random.Generator
) -> tuple[Track, Track]:
    """One call of a class: (caller, far)."""
    if name == "handed over":
        half = CALL_S // 2
        first = converse(cast[:2], half, rng)
        second = converse((cast[0], cast[2]), CALL_S - half, rng)
        caller, voice = (np.concatenate(both) for both in zip(first, second, strict=True))
    else:
        caller, voice = converse(cast[:2], CALL_S, rng)
    if name == "long silence":
        for at in np.arange(30, CALL_S - 30, 45) * RATE_HZ:
            size = int(rng.uniform(8, 25) * RATE_HZ)
            voice[at : at + size] = 0
            caller[at : at + size] *= rng.random() < 0.5
    far = voice * np.float32(10 ** (rng.uniform(-6, 3) / 20))
    far = far + room(len(far), rng.uniform(-62, -40), rng)
    far = far + echo(caller, rng.uniform(15, 50), rng.uniform(0.005, 0.06))
    if name == "television":
        gain = np.float32(10 ** (-rng.uniform(8, 22) / 20))
        if rng.random() < 0.5:
            far = far + says(cast[2], CALL_S, rng) * gain
        else:
            far = far + np.resize(np.roll(music, -int(rng.integers(len(music)))), len(far)) * gain
    far = np.asarray(far, np.float32)
    CLASSES[name](far, rng)
    return caller, far


def measure(
    build: Path, family: str, hours: float, seed: int, progress: Callable[[str], None]
) -> dict[str, dict[str, object]]:
    """Alarms per class and over all."""
    everyone = people(build, family)
    music = tuned(sources.music(build, family))
    found = {name: Alarms() for name in CLASSES}
    rng = np.random.default_rng((seed, 77))
    rounds = max(round(hours * 3600 / CALL_S / len(CLASSES)), 1)
    for done in range(rounds):
        heard = []
        for name in CLASSES:
            cast = [everyone[k] for k in rng.choice(len(everyone), 3, replace=False)]
            heard.append(calls.arriving(*call(name, cast, music, rng)))
        calls.hear(heard)
        for alarms, one in zip(found.values(), heard, strict=True):
            _count(alarms, one)
        whole = total(found.values())
        if done % 4 == 3 or done == rounds - 1:
            progress(
                f"{whole.hours:.1f} of about {hours:.0f} h: {whole.warn} at warn or above,"
                f" {whole.cut} cut-eligible"
            )
    return {
        "all": total(found.values()).to_json_dict(),
        **{name: alarms.to_json_dict() for name, alarms in found.items()},
    }


def _count(alarms: Alarms, heard: calls.Heard) -> None:
    """An alarm is one kind on one call: what is told again is not counted again."""
    alarms.hours += CALL_S / 3600
    of_kind: dict[Kind, set[Tier]] = {}
    for event in heard.events:
        if event.kind in CUT_REASON and event.tier is not Tier.LOG:
            of_kind.setdefault(event.kind, set()).add(event.tier)
    for kind, tiers in of_kind.items():
        alarms.warn += 1
        alarms.cut += Tier.CUT_ELIGIBLE in tiers
        counts = [alarms.by_kind]
        if Tier.CUT_ELIGIBLE in tiers:
            counts.append(alarms.cut_by_kind)
        for of in counts:
            of[kind.value] = of.get(kind.value, 0) + 1


def total(parts: Iterable[Alarms]) -> Alarms:
    """The sum."""
    whole = Alarms()
    for one in parts:
        whole.hours += one.hours
        whole.warn += one.warn
        whole.cut += one.cut
        for to, of in ((whole.by_kind, one.by_kind), (whole.cut_by_kind, one.cut_by_kind)):
            for kind, count in of.items():
                to[kind] = to.get(kind, 0) + count
    return whole
