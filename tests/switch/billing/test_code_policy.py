"""Codes: how long, how often, whereto."""

import pytest

from switch.billing.code_policy import (
    ADDRESS_DAY_MAX,
    CLIENT_DAY_MAX,
    LIFE_S,
    PREFIX_DAY_MAX,
    TRIES_MAX,
    CodeRefusal,
    CodeVerdict,
    SentCode,
    SentToday,
    again_s,
    judge_code,
    judge_sending,
    mac_of,
    prefix_of,
)

NOTHING = SentToday(to_address=0, for_client=0, to_prefix=0)
KEY = b"k" * 32


def sent(*, at: float = 0.0, sends: int = 1, tries: int = 0) -> SentCode:
    return SentCode(mac=mac(), sends=sends, tries=tries, at=at)


def mac(code: str = "123456", purpose: str = "contact:1", address: str = "+15550100123") -> str:
    return mac_of(code, key=KEY, purpose=purpose, way="sms", address=address)


@pytest.mark.parametrize(("sends", "wait_s"), [(1, 30), (2, 60), (3, 120), (9, 120)])
def test_each_sending_makes_the_next_one_wait(sends: int, wait_s: int) -> None:
    assert again_s(sends) == wait_s
    last = sent(sends=sends)
    assert judge_sending(last, NOTHING, at=wait_s - 0.1) is CodeRefusal.TOO_SOON
    assert judge_sending(last, NOTHING, at=wait_s) is None


@pytest.mark.parametrize(
    "today",
    [
        SentToday(to_address=ADDRESS_DAY_MAX, for_client=0, to_prefix=0),
        SentToday(to_address=0, for_client=CLIENT_DAY_MAX, to_prefix=0),
        SentToday(to_address=0, for_client=0, to_prefix=PREFIX_DAY_MAX),
    ],
)
def test_a_day_has_its_limits(today: SentToday) -> None:
    assert judge_sending(None, today, at=0.0) is CodeRefusal.TOO_MANY


def test_a_code_lives_ten_minutes_and_five_tries() -> None:
    assert judge_code(sent(), mac(), at=LIFE_S - 1) is CodeVerdict.RIGHT
    assert judge_code(sent(), mac(), at=LIFE_S) is CodeVerdict.WRONG
    assert judge_code(sent(tries=TRIES_MAX - 1), mac(), at=1.0) is CodeVerdict.RIGHT
    assert judge_code(sent(tries=TRIES_MAX), mac(), at=1.0) is CodeVerdict.TRIED_OUT
    assert judge_code(None, mac(), at=1.0) is CodeVerdict.WRONG


def test_a_code_is_good_for_one_purpose_and_address_only() -> None:
    for other in (mac("123457"), mac(purpose="contact:2"), mac(address="+15550100124")):
        assert judge_code(sent(), other, at=1.0) is CodeVerdict.WRONG


def test_a_prefix_is_an_exchange_or_a_domain() -> None:
    assert prefix_of("sms", "+15550100123") == "+1555010"
    assert prefix_of("mail", "pat@Example.Invalid") == "example.invalid"
