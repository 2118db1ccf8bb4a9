from hypothesis import given
from hypothesis import strategies as st

from switch.call.keyed_digits import DIGITS_MAX, Entry, KeyedDigits

CODES = frozenset({"*77", "9123", "55"})


def key(entry: KeyedDigits, keys: str) -> Entry:
    for each in keys[:-1]:
        assert entry.take(each) is Entry.OPEN
    return entry.take(keys[-1])


def test_a_pin_ends_with_its_last_digit() -> None:
    assert key(KeyedDigits.pin(4, frozenset()), "1234") is Entry.COMPLETE


def test_a_number_ends_with_its_tenth_digit_or_its_eleventh_after_a_one() -> None:
    assert key(KeyedDigits.number(frozenset()), "5550100001") is Entry.COMPLETE
    assert key(KeyedDigits.number(frozenset()), "15550100001") is Entry.COMPLETE
    assert key(KeyedDigits.number(frozenset()), "01152555010000") is Entry.OPEN


def test_the_pound_key_ends_an_entry() -> None:
    entry = KeyedDigits.number(frozenset())
    assert key(entry, "12#") is Entry.COMPLETE
    assert entry.digits == "12"


def test_the_star_key_begins_anew() -> None:
    entry = KeyedDigits.pin(4, frozenset())
    assert key(entry, "99*123") is Entry.OPEN
    assert entry.digits == "123"


def test_a_code_with_a_star_is_complete_at_once() -> None:
    entry = KeyedDigits.pin(10, CODES)
    assert key(entry, "*77") is Entry.COMPLETE
    assert entry.is_code


def test_a_code_of_digits_waits_for_a_longer_pin() -> None:
    entry = KeyedDigits.pin(10, CODES)
    assert key(entry, "9123") is Entry.OPEN
    assert entry.is_code
    assert key(entry, "456789") is Entry.COMPLETE
    assert not entry.is_code


@given(st.text("0123456789*#", max_size=60))
def test_an_entry_never_grows_without_bound(keys: str) -> None:
    entry = KeyedDigits.number(CODES)
    for each in keys:
        if entry.take(each) is Entry.COMPLETE:
            break
    assert len(entry.digits) <= DIGITS_MAX
