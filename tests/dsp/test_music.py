import numpy as np
import pytest

from dsp.bank import Bank
from dsp.event import Event, Kind, Tier
from dsp.leg import Kernels, LegSpec, Role
from dsp.voice_activity import REFERENCE
from tests.corpus.scenes import frames
from tests.corpus.voices import CHILD, MAN, RATE_HZ, WOMAN, Sound, Talker, noise, silence, talk
from tests.dsp.listening import ANSWERED, heard, of_kind, push_all

MUSIC = frozenset({Kind.MUSIC})
CHORDS_HZ = ((262, 330, 392), (349, 440, 523), (392, 494, 587), (220, 262, 330))


def tune(seconds: float, seed: int = 1) -> Sound:
    """Plucked chords with a melody over them, -20 dBm0."""
    rng = np.random.default_rng(seed)
    sound = np.zeros(int(seconds * RATE_HZ))
    beat = int(0.4 * RATE_HZ)
    t = np.arange(2 * beat) / RATE_HZ
    for n, at in enumerate(range(0, len(sound) - len(t), beat)):
        notes = [*CHORDS_HZ[n // 4 % 4], 2 * rng.choice(CHORDS_HZ[n // 4 % 4])]
        for hz in notes:
            for k in range(1, 4):
                part = np.sin(2 * np.pi * k * hz * t + rng.uniform(0, 6)) * np.exp(-3 * t) / k
                sound[at : at + len(t)] += part
    return np.asarray(0.06 * sound / np.std(sound) + noise(seconds, -65, rng)[: len(sound)])


def told(sound: Sound) -> list[Event]:
    return of_kind(heard(sound, kinds=MUSIC), Kind.MUSIC)


def test_music_is_told_after_three_seconds_and_then_each_ten() -> None:
    times = [event.t_s for event in told(tune(26))]
    assert times[0] == pytest.approx(4.0, abs=1.0)
    assert np.diff(times) == pytest.approx(10.0, abs=0.1)


@pytest.mark.parametrize("talker", [MAN, WOMAN, CHILD])
def test_talk_is_no_music(talker: Talker) -> None:
    rng = np.random.default_rng(2)
    assert told(talk(talker, 60, rng) + noise(60, -50, rng)) == []


@pytest.mark.parametrize("level_dbm0", [-25.0, -40.0])
def test_a_fan_that_is_switched_on_is_no_music(level_dbm0: float) -> None:
    rng = np.random.default_rng(3)
    assert told(np.concatenate([noise(10, -60, rng), noise(20, level_dbm0, rng)])) == []


def test_tones_and_silence_are_no_music() -> None:
    t = np.arange(10 * RATE_HZ) / RATE_HZ
    assert told(np.concatenate([silence(3), 0.05 * np.sin(2 * np.pi * 440 * t)])) == []


def test_music_teaches_no_voice() -> None:
    """Of a minute of talk and music what is learned is talk, but for the last second and a half."""
    rng = np.random.default_rng(4)
    spoken = talk(WOMAN, 20, rng) + noise(20, -60, rng)
    learned = []
    for sound in (spoken, np.concatenate([spoken, tune(20)])):
        bank = Bank(legs_max=1)
        bank.open(0, LegSpec(Role.B, kinds=MUSIC))
        push_all(bank, [0], [frames(sound)])
        learned.append(int(bank._ears.voices.frames[0, REFERENCE]))
    assert learned[1] - learned[0] < 100


def test_whoever_speaks_after_music_is_no_sign_of_a_third_party() -> None:
    """The music may only seem to be over."""
    rng = np.random.default_rng(5)
    parts = [talk(WOMAN, 20, rng), tune(9), talk(CHILD, 12, rng)]
    sound = np.concatenate(parts)
    sound = sound + noise(len(sound) / RATE_HZ + 1, -60, rng)[: len(sound)]
    events = heard(sound, notes=ANSWERED)
    assert of_kind(events, Kind.MUSIC)
    assert {event.tier for event in of_kind(events, Kind.THREE_WAY)} <= {Tier.LOG}


def test_compiled_and_plain_machines_agree() -> None:
    sound = tune(5)
    plain = heard(sound, kinds=MUSIC, kernels=Kernels.NUMPY)
    assert plain == heard(sound, kinds=MUSIC)
    assert plain
