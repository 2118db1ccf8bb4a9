import pytest
from hypothesis import given
from hypothesis import strategies as st

from switch.routing.number import NumberKind, RateClass, mask, normalise, rate_class

K = NumberKind


@pytest.mark.parametrize(
    ("digits", "e164", "kind"),
    [
        ("5552345678", "+15552345678", K.ORDINARY),
        ("15552345678", "+15552345678", K.ORDINARY),
        ("+15552345678", "+15552345678", K.ORDINARY),
        ("(555) 234-5678", "+15552345678", K.ORDINARY),
        ("01144555123456", "+44555123456", K.ORDINARY),
        ("911", None, K.EMERGENCY),
        ("112", None, K.EMERGENCY),
        ("933", None, K.EMERGENCY),
        ("988", None, K.SERVICE),
        ("411", None, K.SERVICE),
        ("1411", None, K.SERVICE),
        ("*69", None, K.SERVICE),
        ("0", None, K.OPERATOR),
        ("00", None, K.OPERATOR),
        ("05552345678", None, K.OPERATOR),
        ("015552345678", None, K.OPERATOR),
        ("1010288", None, K.CARRIER),
        ("18005550100", "+18005550100", K.TOLL_FREE),
        ("8225550100", "+18225550100", K.TOLL_FREE),
        ("9005550100", "+19005550100", K.PREMIUM),
        ("5559765550", "+15559765550", K.PREMIUM),
        ("5005550100", "+15005550100", K.PERSONAL),
        ("7005550100", "+17005550100", K.PERSONAL),
        ("5559505550", "+15559505550", K.CARRIER),
        ("5554115550", "+15554115550", K.SERVICE),
        ("", None, K.INCOMPLETE),
        ("1", None, K.INCOMPLETE),
        ("555234", None, K.INCOMPLETE),
        ("2345678", None, K.INCOMPLETE),
        ("155523456789", None, K.INCOMPLETE),
        ("0552345678", None, K.OPERATOR),
        ("1552345678", None, K.INCOMPLETE),
        ("+9995551234", None, K.INCOMPLETE),
        ("+1555234567", None, K.INCOMPLETE),
    ],
)
def test_what_was_dialled(digits: str, e164: str | None, kind: NumberKind) -> None:
    number = normalise(digits)
    assert (number.e164, number.kind) == (e164, kind)


def test_seven_digits_need_a_home() -> None:
    assert normalise("2345678", home_area_code="555").e164 == "+15552345678"


@pytest.mark.parametrize("area", ["436", "357", "555", "235"])
def test_an_area_code_is_not_refused_because_it_is_young(area: str) -> None:
    assert normalise(f"{area}5550100").kind is K.ORDINARY


@pytest.mark.parametrize(
    ("digits", "country", "state", "reach"),
    [
        ("3035550100", "US", "CO", RateClass.INTRASTATE),
        ("7205550100", "US", "CO", RateClass.INTRASTATE),
        ("2125550100", "US", "NY", RateClass.INTERSTATE),
        ("4365550100", "US", "OH", RateClass.INTERSTATE),
        ("5552345678", "", "", RateClass.INTERSTATE),
        ("7875550100", "PR", "", RateClass.TERRITORY),
        ("6475550100", "CA", "", RateClass.CANADA),
        ("8765550100", "JM", "", RateClass.INTERNATIONAL),
        ("8095550100", "DO", "", RateClass.INTERNATIONAL),
        ("01144555123456", "GB", "", RateClass.INTERNATIONAL),
    ],
)
def test_plus_one_is_not_the_united_states(
    digits: str, country: str, state: str, reach: RateClass
) -> None:
    number = normalise(digits)
    assert (number.country, number.state) == (country, state)
    assert rate_class(number, home_state="CO", local_codes=frozenset()) is reach


def test_a_call_is_local_by_the_facilitys_own_list() -> None:
    number = normalise("3035550100")
    assert rate_class(number, home_state="CO", local_codes=frozenset({"303555"})) is RateClass.LOCAL


@given(st.text(alphabet="0123456789+*# -()abc", max_size=30))
def test_no_digits_make_it_fail(digits: str) -> None:
    number = normalise(digits)
    if number.e164 is None:
        assert number.kind is not K.ORDINARY
    else:
        assert number.e164.startswith("+")
        assert number.e164[1:].isdigit()
        assert normalise(number.e164).e164 == number.e164


def test_a_log_shows_the_last_four_digits() -> None:
    assert mask("+15552345678") == "…5678"
    assert mask("911") == "…"
