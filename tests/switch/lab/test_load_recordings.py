"""Whether what was kept is what was said: the comparison alone, without a switch."""

import numpy as np

from switch.lab.load_media import speech
from switch.lab.load_recordings import LIKENESS_MIN, least_likeness, likeness_of

TALK = speech(8.0, seed=3)
SENT = TALK.ravel()
SILENCE = np.full(4000, 0xFF, np.uint8)


def test_what_was_said_is_found_wherever_it_stands() -> None:
    kept = np.concatenate([SILENCE, SENT, SILENCE])
    assert likeness_of(kept, SENT) > 0.9999


def test_another_stretch_of_the_talk_is_not_alike() -> None:
    assert likeness_of(SENT[: SENT.size // 2], SENT[SENT.size // 2 :]) < 0.5


def test_a_lost_frame_in_a_hundred_is_forgiven_and_a_lost_second_is_not() -> None:
    few, many = SENT.copy(), SENT.copy()
    for at in range(20, len(TALK), 100):
        few[160 * at : 160 * at + 160] = 0xFF
    many[16_000:48_000] = 0xFF
    assert likeness_of(few, SENT) > LIKENESS_MIN
    assert likeness_of(many, SENT) < LIKENESS_MIN


def test_what_is_shorter_than_what_was_said_and_what_is_silent_are_not_alike() -> None:
    assert likeness_of(SENT[:-160], SENT) == 0.0
    assert likeness_of(np.full(SENT.size, 0xFF, np.uint8), SENT) == 0.0
    assert likeness_of(SENT, SENT[:0]) == 0.0


def test_a_call_that_ended_before_it_said_a_word_is_not_blamed() -> None:
    nothing = SENT[:0]
    assert least_likeness([(SILENCE, nothing), (SILENCE, nothing)]) == 1.0
    assert least_likeness([(SENT, SENT), (SILENCE, nothing)]) > 0.9999
    assert least_likeness([(SENT, SENT), (SILENCE, SENT)]) == 0.0
