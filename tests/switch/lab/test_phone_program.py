import numpy as np
import pytest

from switch.errors import UserError
from switch.lab import sounds
from switch.lab.phone_program import described, steps_of


def test_steps_take_what_belongs_to_them() -> None:
    words = ["register", "call", "15550100", "keys", "1", "tone", "440", "2", "hang-up"]
    assert steps_of(words) == [
        ("register", ()),
        ("call", ("15550100",)),
        ("keys", ("1",)),
        ("tone", ("440", "2")),
        ("hang-up", ()),
    ]


def test_a_step_that_is_not_known_is_named() -> None:
    with pytest.raises(UserError, match="dance is no step"):
        steps_of(["register", "dance"])


def test_a_step_without_its_argument_is_named() -> None:
    with pytest.raises(UserError, match="tone needs 2"):
        steps_of(["tone", "440"])


def test_a_tone_is_described_as_one() -> None:
    assert described(sounds.tone([440], 1.0)) == "heard 1.0 s at -23 dB; 440 Hz 100% 1000 Hz 0%"


def test_nothing_is_described_as_nothing() -> None:
    assert described(np.zeros(0)) == "heard 0.0 s at -90 dB"
