"""What a dead worker left is read as it was, and only by the same layout."""

import os
from collections.abc import Iterator

import numpy as np
import pytest

from switch.ids import LegId
from switch.media import legs as legs_module
from switch.media.estate import Estate, share
from switch.media.legs import Legs, Mail

LEG = LegId(8)


@pytest.fixture
def dead() -> Iterator[tuple[Legs, int]]:
    """Arrays in which one leg has come some way."""
    legs, fd = share(legs_module.build(legs_max=4, rows_max=4))
    legs.leg_id[2], legs.top[0] = LEG, 3
    legs.sequence[2], legs.sent[2], legs.ssrc[2] = 65_000, 77, 12345
    legs.peer[2], legs.fd[2] = 1, 9
    legs.alive_ns[0] = 5_000
    yield legs, fd
    os.close(fd)


def left(fd: int, legs_max: int = 4) -> tuple[Estate, Legs]:
    own = legs_module.build(legs_max=legs_max, rows_max=4)
    return Estate(os.dup(fd), own), own


def test_a_shared_array_begins_as_it_was() -> None:
    plain = legs_module.build(legs_max=4, rows_max=4)
    legs, fd = share(plain)
    os.close(fd)
    for name in Legs._fields:
        one, other = getattr(plain, name), getattr(legs, name)
        assert one.dtype == other.dtype, name
        assert np.array_equal(one, other), name


def test_the_numbers_of_a_leg_go_on_at_another_place(dead: tuple[Legs, int]) -> None:
    estate, own = left(dead[1])
    assert estate.pass_on(LEG, own, 0)
    assert (own.sequence[0], own.sent[0], own.ssrc[0]) == (65_000, 77, 12345)
    assert estate.alive_at_ns == 5_000


def test_no_place_and_no_descriptor_is_taken_over(dead: tuple[Legs, int]) -> None:
    estate, own = left(dead[1])
    estate.pass_on(LEG, own, 0)
    assert (own.peer[0], own.fd[0], own.row[0], own.sound[0]) == (-1, -1, -1, 0)


def test_a_leg_that_was_not_there_begins_anew(dead: tuple[Legs, int]) -> None:
    estate, own = left(dead[1])
    assert not estate.pass_on(LegId(9), own, 0)
    assert own.sequence[0] == 0


def test_memory_of_another_layout_is_not_read(dead: tuple[Legs, int]) -> None:
    estate, own = left(dead[1], legs_max=8)
    assert not estate.pass_on(LEG, own, 0)
    os.pwrite(dead[1], b"\xff" * 8, 0)
    estate, own = left(dead[1])
    assert not estate.pass_on(LEG, own, 0)


def test_keys_that_nobody_was_told_of_are_read(dead: tuple[Legs, int]) -> None:
    legs, fd = dead
    legs.mail[:4] = [
        [Mail.KEY, 2, 5, 100],
        [Mail.PLAY_ENDED, 2, 8000, 101],
        [Mail.FLASH, 2, 16, 102],
        [Mail.KEY, 3, 5, 103],
    ]
    legs.mail_count[0] = 4
    estate, _ = left(fd)
    assert [(one.kind, one.leg, one.value) for one in estate.letters] == [
        (Mail.KEY, LEG, 5),
        (Mail.FLASH, LEG, 16),
    ]


def test_how_far_a_prompt_had_come(dead: tuple[Legs, int]) -> None:
    legs, fd = dead
    legs.sound[2], legs.sound_bytes[2], legs.sound_at[2], legs.sound_play[2] = 1, 800, 320, 6
    assert left(fd)[0].played(LEG, 6, 800) == 320
    assert left(fd)[0].played(LEG, 7, 800) == 0
    assert left(fd)[0].played(LEG, 6, 640) == 0
    legs.sound[2] = 0
    assert left(fd)[0].played(LEG, 6, 800) == 800


def test_garbage_is_no_reason_to_die(dead: tuple[Legs, int]) -> None:
    legs, fd = dead
    legs.top[0], legs.mail_count[0] = 1 << 60, -7
    estate, own = left(fd)
    assert estate.letters == []
    assert estate.pass_on(LEG, own, 0)
