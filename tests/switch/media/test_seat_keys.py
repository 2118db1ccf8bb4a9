"""The sessions of one leg: when they begin, when they go on."""

import numpy as np
import pytest

from switch.media import legs as legs_module
from switch.media import wire
from switch.media.legs import Drop, Legs
from switch.media.seat_keys import SeatKeys
from switch.rtp import source

INDEX = 1
CM_80 = "AES_CM_128_HMAC_SHA1_80"
ONE, TWO, THREE = (bytes([n]) * 30 for n in range(3))


@pytest.fixture
def legs() -> Legs:
    made = legs_module.build(legs_max=2, rows_max=1)
    made.ssrc[INDEX], made.sequence[INDEX], made.in_step[INDEX] = 77, 500, 1
    return made


def numbers(legs: Legs) -> tuple[int, int, int, int]:
    return (
        int(legs.srtp_in[INDEX]),
        int(legs.srtp_out[INDEX]),
        int(legs.ssrc[INDEX]),
        int(legs.sequence[INDEX]),
    )


def test_the_first_keys_leave_our_numbers_as_they_are(legs: Legs) -> None:
    keys = SeatKeys(legs, INDEX)
    keys.take(wire.Srtp(CM_80, ONE, TWO))
    into, out, ssrc, sequence = numbers(legs)
    assert into != 0 != out != into
    assert (ssrc, sequence) == (77, 500)
    assert np.flatnonzero(legs.srtp_in).tolist() == [INDEX]


def test_the_same_again_changes_nothing(legs: Legs) -> None:
    keys = SeatKeys(legs, INDEX)
    keys.take(wire.Srtp(CM_80, ONE, TWO))
    before = numbers(legs)
    legs.sent[INDEX] = 5
    keys.take(wire.Srtp(CM_80, ONE, TWO))
    assert numbers(legs) == before


def test_a_new_key_of_theirs_is_a_new_session_for_them_only(legs: Legs) -> None:
    keys = SeatKeys(legs, INDEX)
    keys.take(wire.Srtp(CM_80, ONE, TWO))
    into, *rest = numbers(legs)
    legs.srtp_ssrcs[INDEX] = 9
    keys.take(wire.Srtp(CM_80, ONE, THREE))
    assert numbers(legs)[0] != into
    assert list(numbers(legs)[1:]) == rest
    assert legs.srtp_ssrcs[INDEX] == 0


def test_a_new_key_of_ours_speaks_as_a_new_source(legs: Legs) -> None:
    keys = SeatKeys(legs, INDEX)
    keys.take(wire.Srtp(CM_80, ONE, TWO))
    legs.sent[INDEX] = 5
    keys.take(wire.Srtp(CM_80, THREE, TWO))
    assert legs.ssrc[INDEX] != 77
    assert legs.sequence[INDEX] < 1 << 15
    assert legs.in_step[INDEX] == 0


def test_an_old_key_that_comes_back_does_not_begin_at_zero(legs: Legs) -> None:
    keys = SeatKeys(legs, INDEX)
    keys.take(wire.Srtp(CM_80, ONE, TWO))
    first = legs.srtp_out[INDEX]
    keys.take(None)
    assert numbers(legs)[:2] == (0, 0)
    keys.take(wire.Srtp(CM_80, THREE, TWO))
    keys.take(wire.Srtp(CM_80, ONE, TWO))
    assert legs.srtp_out[INDEX] == first


def test_at_another_worker_the_same_key_speaks_as_a_new_source(legs: Legs) -> None:
    legs.sent[INDEX], legs.received_ns[INDEX] = 5, 6
    legs.srtp_ssrc[INDEX] = 9
    legs.source[INDEX, source.CYCLES] = 2 << 16
    SeatKeys(legs, INDEX).take(wire.Srtp(CM_80, ONE, TWO))
    assert legs.ssrc[INDEX] != 77
    assert legs.srtp_ssrc[INDEX] == -1


def test_reports_in_the_clear_pass_on_a_leg_without_keys_only(legs: Legs) -> None:
    keys = SeatKeys(legs, INDEX)
    report = bytes.fromhex("80ca0002") + bytes(8)
    assert keys.protect_rtcp(report) == keys.unprotect_rtcp(report) == report
    keys.take(wire.Srtp(CM_80, ONE, TWO))
    assert keys.protect_rtcp(report) != report
    assert keys.unprotect_rtcp(report) == b""
    assert legs.drops[INDEX, Drop.NOT_AUTHENTIC] == 1


def test_no_key_stands_in_the_text_of_an_order() -> None:
    order = wire.Srtp(CM_80, ONE, b"secret secret secret secret 30")
    assert "secret " not in f"{order} {order!r}"
