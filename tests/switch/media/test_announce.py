import os
from pathlib import Path

import numpy as np
import pytest

from dsp import g711
from switch.media import legs as legs_module
from switch.media.announce import RATE_HZ, Announcer, Clips, tones


def level_dbm0(code: np.ndarray) -> float:
    power = float(np.mean(g711.TO_FLOAT[0][code] ** 2))
    return 3.17 + 3.01 + 10 * float(np.log10(power))


def test_the_ring_tone_is_two_seconds_in_six_and_has_its_level() -> None:
    ring = tones()["ringback"]
    assert ring.size == 6 * RATE_HZ
    assert level_dbm0(ring[: 2 * RATE_HZ]) == pytest.approx(-19 + 3.01, abs=0.2)
    assert set(ring[2 * RATE_HZ :].tolist()) == {g711.ULAW_SILENCE}


def test_the_ring_tone_is_440_and_480_hz() -> None:
    linear = g711.TO_FLOAT[0][tones()["ringback"][:RATE_HZ]]
    spectrum = np.abs(np.fft.rfft(linear))
    assert sorted(np.argsort(spectrum)[-2:].tolist()) == [440, 480]


def test_files_are_said_one_after_the_other(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).write_bytes(name.encode() * 3)
    found = Clips().join([str(tmp_path / "a"), str(tmp_path / "none"), str(tmp_path / "b")])
    assert found.tobytes() == b"aaabbb"


def test_a_file_that_was_replaced_is_read_again(tmp_path: Path) -> None:
    path, clips = tmp_path / "a", Clips()
    path.write_bytes(b"old")
    clips.load(str(path))
    path.write_bytes(b"new")
    os.utime(path, ns=(1, 1))
    assert clips.load(str(path)).tobytes() == b"new"


def test_no_more_is_kept_than_there_is_room_for(tmp_path: Path) -> None:
    clips = Clips(bytes_max=10)
    for n in range(4):
        (tmp_path / str(n)).write_bytes(bytes(4))
        clips.load(str(tmp_path / str(n)))
    assert clips._bytes <= 10


def test_a_leg_of_a_law_hears_a_law(tmp_path: Path) -> None:
    legs = legs_module.build(legs_max=2, rows_max=1)
    legs.law[0] = 1
    path = tmp_path / "a"
    path.write_bytes(bytes(range(256)))
    announcer = Announcer(legs)
    announcer.play(0, [str(path)], 1)
    _, sound = announcer._playing[0]
    assert sound.tobytes() == g711.ULAW_TO_ALAW.tobytes()


def test_nothing_to_say_is_a_play_that_ends(tmp_path: Path) -> None:
    legs = legs_module.build(legs_max=2, rows_max=1)
    announcer = Announcer(legs)
    announcer.play(0, [], 7)
    assert legs.sound_bytes[0] == 1
    assert announcer.ended(0) == 7
