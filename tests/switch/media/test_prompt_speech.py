import pytest
from hypothesis import given
from hypothesis import strategies as st

from switch.media.phrase import Amount, Clock, Count, Day, Digits, Value
from switch.media.prompt_speech import (
    LANGUAGES,
    speak,
    speak_amount,
    speak_at,
    speak_count,
    vocabulary,
)
from switch.money import Micros

LANGUAGE = st.sampled_from(LANGUAGES)


def words(value: Value, language: str = "en") -> str:
    texts = vocabulary(language)
    return " ".join(texts[piece] for piece in speak(value, language))


def number(pieces: list[str]) -> int:
    """Read a whole number back from its pieces, by a way of its own."""
    total = group = 0
    for piece in pieces:
        if piece == "thousand":
            total, group = (group or 1) * 1000, 0
        elif piece == "ciento":
            group += 100
        else:
            group += int(piece.removeprefix("n").rstrip("mf"))
    return total + group


def micros(pieces: list[str]) -> int:
    """Read an amount back from its pieces."""
    total = 0
    heads = {"dollar", "dollars"} & set(pieces)
    if heads:
        at = pieces.index(heads.pop())
        total, pieces = number(pieces[:at]) * 1_000_000, pieces[at + 1 :]
    if not pieces:
        return total
    assert pieces[-1] in {"cent", "cents"}
    pieces = [piece for piece in pieces[:-1] if piece != "and_cents"]
    decimals = ""
    if "point" in pieces:
        at = pieces.index("point")
        decimals = "".join(piece.removeprefix("n") for piece in pieces[at + 1 :])
        pieces = pieces[:at]
    return total + number(pieces) * 10_000 + int(decimals.ljust(4, "0") or "0")


@given(st.integers(0, 999_999_999), LANGUAGE)
def test_an_amount_below_a_thousand_dollars_is_spoken_exactly(amount: int, language: str) -> None:
    assert micros(list(speak_amount(Micros(amount), language))) == amount


@given(st.integers(0, 999_999), LANGUAGE, st.sampled_from(("", "m", "f")))
def test_a_count_is_spoken_exactly(count: int, language: str, gender: str) -> None:
    assert number(list(speak_count(count, language, gender))) == count


VALUES = st.one_of(
    st.builds(Amount, st.integers(-(10**9), 10**13).map(Micros)),
    st.builds(Count, st.integers(-5, 10**7)),
    st.builds(Clock, st.integers(0, 1439)),
    st.builds(Day, st.integers(1990, 2099), st.integers(1, 12), st.integers(1, 31)),
    st.builds(Digits, st.text("0123456789*#+ -", max_size=20)),
)


@given(VALUES, LANGUAGE)
def test_every_piece_has_a_text(value: Value, language: str) -> None:
    assert set(speak_at(value, language)) <= set(vocabulary(language))


@pytest.mark.parametrize(
    ("amount", "english", "spanish"),
    [
        (110_000, "11 cents", "11 centavos"),
        (125_000, "12 point 5 cents", "12 punto 5 centavos"),
        (3_070_000, "3 dollars and 7 cents", "3 dólares con 7 centavos"),
        (1_000_000, "1 dollar", "un dólar"),
        (10_000, "1 cent", "un centavo"),
        (210_000, "21 cents", "veintiún centavos"),
        (0, "0 cents", "0 centavos"),
        (500, "0 point 0 5 cents", "0 punto 0 5 centavos"),
        (-1_000_000, "minus 1 dollar", "menos un dólar"),
        (101_000_000, "100 1 dollars", "ciento un dólares"),
    ],
)
def test_an_amount_sounds_like_a_person(amount: int, english: str, spanish: str) -> None:
    assert words(Amount(Micros(amount))) == english
    assert words(Amount(Micros(amount)), "es") == spanish


@pytest.mark.parametrize(
    ("minute", "english", "spanish"),
    [
        (0, "midnight", "la medianoche"),
        (720, "noon", "el mediodía"),
        (13 * 60, "1 P M", "la una de la tarde"),
        (8 * 60 + 5, "8 oh 5 A M", "las ocho y 5 de la mañana"),
        (20 * 60 + 30, "8 30 P M", "las ocho y 30 de la noche"),
    ],
)
def test_an_hour_sounds_like_a_person(minute: int, english: str, spanish: str) -> None:
    assert words(Clock(minute)) == english
    assert words(Clock(minute), "es") == spanish


def test_a_day_has_its_month_and_year() -> None:
    assert words(Day(2026, 3, 5)) == "March fifth 20 26"
    assert words(Day(2005, 3, 1)) == "March first 2 thousand 5"
    assert words(Day(2026, 3, 1), "es") == "el primero de marzo de 2 mil 26"


def test_a_preposition_fits_an_hour_and_a_day() -> None:
    assert speak_at(Clock(720), "en") == ("at", "noon")
    assert speak_at(Day(2026, 3, 5), "en")[0] == "on"
    assert speak_at(Day(2026, 3, 5), "es")[0] == "the"
