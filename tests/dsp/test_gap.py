import numpy as np
import pytest

from dsp import fired
from dsp.bank import Bank
from dsp.event import Kind
from dsp.leg import Flag, LegSpec, Role
from tests.corpus.scenes import frames
from tests.corpus.voices import WOMAN, Sound, noise, silence, talk
from tests.dsp.listening import heard


def codes(sound: Sound, flags: dict[int, Flag] | None = None) -> list[tuple[float, int]]:
    """What the machines fire about one outside leg, with its time."""
    bank = Bank(legs_max=1)
    bank.open(0, LegSpec(Role.B))
    seen = []
    for tick, frame in enumerate(frames(sound)):
        flag = np.array([int((flags or {}).get(tick, 0))], np.uint16)
        bank.push(frame[None], flag & Flag.ABSENT == 0, flag)
        used = bank._codes.used[0]
        seen += [(round(tick * 0.02, 2), int(code)) for code in bank._codes.code[:used]]
    return seen


def gaps(seen: list[tuple[float, int]]) -> list[tuple[float, int]]:
    return [one for one in seen if one[1] in (fired.GAP_BEGAN, fired.GAP_ENDED)]


def spoken(seconds: float = 12.0) -> Sound:
    rng = np.random.default_rng(4)
    return talk(WOMAN, seconds, rng) + noise(seconds, -50, rng)


def test_a_floor_that_vanishes_is_a_gap_and_a_voice_ends_it() -> None:
    seen = gaps(codes(np.concatenate([spoken(), silence(2), spoken(2)])))
    assert [code for _, code in seen] == [fired.GAP_BEGAN, fired.GAP_ENDED]
    assert seen[0][0] == pytest.approx(12.2, abs=0.1)
    assert seen[1][0] == pytest.approx(14.1, abs=0.2)


def test_pauses_of_a_talker_are_no_gap_while_the_room_is_there() -> None:
    assert gaps(codes(spoken(30))) == []


def test_nothing_counts_near_lost_frames() -> None:
    sound = np.concatenate([spoken(), silence(0.3), spoken(2)])
    lost = dict.fromkeys(range(600, 616), Flag.ABSENT)
    assert gaps(codes(sound)) != []
    assert gaps(codes(sound, lost)) == []


def test_while_our_prompt_plays_no_gap_begins() -> None:
    sound = np.concatenate([spoken(), silence(1.0)])
    assert gaps(codes(sound, dict.fromkeys(range(600, 700), Flag.PLAYING))) == []


def test_masking_noise_is_told_after_it_has_lasted() -> None:
    rng = np.random.default_rng(5)
    loud = noise(14, -15, rng, 0.0)
    found = heard(np.concatenate([spoken(), loud]), kinds=frozenset({Kind.NOISE_MASKING}))
    assert len(found) == 1


def test_a_minute_of_silence_on_both_sides_is_told_each_minute() -> None:
    found = heard(silence(125), kinds=frozenset({Kind.SILENCE_LONG}))
    assert [(event.t_s, event.value) for event in found] == [(60.0, "60"), (120.0, "120")]
    assert heard(spoken(65), kinds=frozenset({Kind.SILENCE_LONG})) == []
