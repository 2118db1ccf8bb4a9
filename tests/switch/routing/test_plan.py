import pytest

from switch.ids import TrunkId
from switch.routing.number import E164
from switch.routing.plan import number_out, route
from switch.routing.trunk import NumberFormat, Trunk, TrunkSettings

NUMBER = E164("+15552345678")


def a_trunk(
    name: str,
    *,
    order: int = 0,
    enabled: bool = True,
    trusted: bool = False,
    form: NumberFormat = "plus",
    prefix: str = "",
    caller: str = "",
) -> Trunk:
    settings = TrunkSettings(
        id=TrunkId(name),
        host=f"{name}.example",
        order=order,
        enabled=enabled,
        trusted=trusted,
        number_format=form,
        prefix=prefix,
        caller_number=caller,
    )
    return Trunk(id=settings.id, settings=settings)


def test_trunks_are_tried_in_their_order_and_never_when_disabled() -> None:
    trunks = [a_trunk("b", order=1), a_trunk("c", enabled=False), a_trunk("a"), a_trunk("aa")]
    assert [r.trunk for r in route(NUMBER, trunks)] == ["a", "aa", "b"]


@pytest.mark.parametrize(
    ("form", "number", "written"),
    [
        ("plus", "+15552345678", "+15552345678"),
        ("plain", "+15552345678", "15552345678"),
        ("national", "+15552345678", "5552345678"),
        ("national", "+44555123456", "01144555123456"),
    ],
)
def test_a_number_is_written_as_the_trunk_wants_it(
    form: NumberFormat, number: str, written: str
) -> None:
    assert number_out(E164(number), a_trunk("a", form=form)) == written
    assert number_out(E164(number), a_trunk("a", form=form, prefix="9")) == f"9{written}"


def test_a_route_carries_the_facilitys_number_and_never_the_terminals() -> None:
    (found,) = route(NUMBER, [a_trunk("a", caller="+15550000009")], caller_number="+15550000001")
    assert found.uri == "sip:+15552345678@a.example:5060"
    assert found.from_uri == "sip:+15550000001@a.example:5060"
    (found,) = route(NUMBER, [a_trunk("a")])
    assert found.from_uri == "sip:anonymous@a.example:5060"


def test_only_a_trusted_trunk_is_told_the_asserted_identity() -> None:
    (trusted,) = route(NUMBER, [a_trunk("a", trusted=True)], caller_number="+15550000001")
    assert trusted.headers == (("P-Asserted-Identity", "<sip:+15550000001@a.example:5060>"),)
    (other,) = route(NUMBER, [a_trunk("a")], caller_number="+15550000001")
    assert other.headers == ()
