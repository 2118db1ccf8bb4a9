import pytest

from switch.ids import TrunkId
from switch.routing.trunk import Trunk, TrunkHealth, TrunkSettings
from switch.sip.message import Headers, Response


def a_trunk(**fields: str) -> Trunk:
    settings = TrunkSettings(id=TrunkId("lab-carrier"), host="192.0.2.1", **fields)  # type: ignore[arg-type]  # text fields only
    return Trunk(id=settings.id, settings=settings, password="secret")


def test_a_trunk_is_down_after_two_misses_and_up_after_one_answer() -> None:
    health = TrunkHealth()
    health.answered(0, now=0.0)
    assert health.is_up(now=0.0)
    health.answered(408, now=30.0)
    assert not health.is_up(now=30.0)
    health.answered(405, now=60.0)
    assert health.is_up(now=60.0)


@pytest.mark.parametrize("status", [200, 401, 404, 405, 481, 500, 501, 600])
def test_any_answer_but_408_and_503_proves_life(status: int) -> None:
    health = TrunkHealth()
    health.answered(0, now=0.0)
    health.answered(status, now=1.0)
    health.answered(0, now=2.0)
    assert health.is_up(now=2.0)


def test_a_trunk_that_is_busy_rests_as_long_as_it_asks_for() -> None:
    health = TrunkHealth()
    health.answered(503, retry_after_s=20, now=100.0)
    assert not health.is_up(now=119.9)
    assert health.is_up(now=120.0)


def test_a_503_without_a_time_rests_five_seconds() -> None:
    health = TrunkHealth()
    health.answered(503, now=0.0)
    assert (health.is_up(now=4.9), health.is_up(now=5.0)) == (False, True)


def test_options_go_out_at_once_and_then_every_thirty_seconds() -> None:
    health = TrunkHealth()
    assert health.is_due(now=7.0)
    health.asked(now=7.0)
    assert (health.is_due(now=36.9), health.is_due(now=37.0)) == (False, True)


def test_an_answer_to_options_is_read_with_its_retry_after() -> None:
    health = TrunkHealth()
    headers = Headers((("Retry-After", "9"),))
    health.answered_options(Response(503, "Busy", headers, b""), now=0.0)
    assert (health.is_up(now=8.9), health.is_up(now=9.0)) == (False, True)
    health.answered_options(None, now=10.0)
    assert health.misses == 1


def test_a_trunk_does_not_show_its_password() -> None:
    assert "secret" not in repr(a_trunk())


def test_a_trunk_is_reached_by_its_address_or_its_domain() -> None:
    assert a_trunk().uri == "sip:192.0.2.1:5060"
    assert a_trunk(transport="tcp").uri == "sip:192.0.2.1:5060;transport=tcp"
    assert a_trunk(domain="carrier.example").uri == "sip:carrier.example"
