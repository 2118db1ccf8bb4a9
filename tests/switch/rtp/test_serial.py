from hypothesis import given
from hypothesis import strategies as st

from switch.rtp.serial import sequence_delta, timestamp_delta

SHORT = st.integers(0, 0xFFFF)
LONG = st.integers(0, 0xFFFF_FFFF)


@given(SHORT, st.integers(-0x8000, 0x7FFF))
def test_a_sequence_number_is_ahead_by_what_was_added(old: int, ahead: int) -> None:
    assert sequence_delta((old + ahead) & 0xFFFF, old) == ahead


@given(LONG, st.integers(-(1 << 31), (1 << 31) - 1))
def test_a_timestamp_is_ahead_by_what_was_added(old: int, ahead: int) -> None:
    assert timestamp_delta((old + ahead) & 0xFFFF_FFFF, old) == ahead


def test_the_wrap_is_one_step() -> None:
    assert sequence_delta(0, 0xFFFF) == 1
    assert timestamp_delta(159, 0xFFFF_FFFF) == 160
