from collections.abc import Mapping
from typing import Any

import pytest

from switch.admin.audit_note import Looks, is_kept, is_view, news_of
from switch.admin.registry import commands, find

READING = {
    "account list", "account show", "agency list", "agency show", "audit list", "audit verify",
    "calls after", "calls list", "calls show", "facility list", "facility show", "gateway list",
    "gateway show", "health", "ledger show", "ledger verify", "limit list", "lockdown list",
    "number list", "outbox list", "pan list", "person list", "person names", "person show",
    "privileged list",
    "claim list", "claim show", "contact list", "late list", "money-file list",
    "money-file show", "deposit list", "dispute list", "payout list",
    "privileged verify", "rate quote", "speed-dial list", "speed-dial show", "staff list",
    "terminal list", "terminal show", "trunk list", "trunk show", "unit list", "unit show", "why",
}  # fmt: skip


def note(noun: str, verb: str, given: Mapping[str, Any], outcome: str = "") -> Any:
    command = find(noun, verb)
    assert command is not None
    return news_of(
        command, given, by="cli:lee", address="control.sock", outcome=outcome, at_wall=1.0
    )


@pytest.mark.parametrize("command", commands(), ids=lambda c: f"{c.noun} {c.verb}".strip())
def test_every_command_that_changes_something_is_kept(command: Any) -> None:
    assert is_kept(command) is (f"{command.noun} {command.verb}".strip() not in READING)


SEEN_WITHOUT_TRACE = {
    "agency list", "agency show", "audit verify", "claim list", "late list",
    "money-file list", "deposit list", "dispute list",
    "payout list", "facility list", "facility show", "gateway list",
    "gateway show", "health", "ledger show", "ledger verify", "lockdown list", "privileged verify",
    "rate quote", "speed-dial list", "speed-dial show", "staff list", "terminal list",
    "terminal show", "trunk list", "trunk show", "unit list", "unit show",
}  # fmt: skip
"""What shows no number and no name of a person."""


@pytest.mark.parametrize("command", commands(), ids=lambda c: f"{c.noun} {c.verb}".strip())
def test_every_look_at_a_number_or_a_name_is_kept(command: Any) -> None:
    name = f"{command.noun} {command.verb}".strip()
    assert is_view(command) is (name in READING - SEEN_WITHOUT_TRACE)


def test_the_same_look_again_is_one_entry_for_a_minute() -> None:
    looks, show = Looks(), find("calls", "show")
    assert show is not None
    seen = [
        looks.is_new(show, {"call": call}, by=by, now=now)
        for call, by, now in ((7, "lee", 0.0), (7, "lee", 59.0), (8, "lee", 59.0), (7, "sam", 59.0),
                              (7, "lee", 61.0))
    ]  # fmt: skip
    assert seen == [True, False, True, True, True]
    after = find("calls", "after")
    assert after is not None
    assert looks.is_new(after, {"position": 1}, by="lee", now=0.0)
    assert not looks.is_new(after, {"position": 2}, by="lee", now=1.0)


def test_a_cut_says_who_what_and_why() -> None:
    entry = note("cut", "", {"call": 7001, "why": "a threat", "block": False})
    assert (entry.who, entry.what, entry.target) == ("cli:lee", "cut", "7001")
    assert entry.why == "a threat"


def test_no_secret_goes_into_the_trail() -> None:
    given = {"person": "100042", "passcode": "4711", "password_hash": "$argon2id$x"}
    entry = note("person", "set-passcode", given)
    assert "4711" not in repr(entry)
    assert "argon2" not in repr(entry)
    assert entry.target == "100042"


def test_what_was_refused_is_kept_with_the_reason() -> None:
    entry = note("cut", "", {"call": 1, "why": "x"}, outcome="No call 1 is live.")
    assert entry.after == "refused: No call 1 is live."


def test_a_change_is_kept_with_what_was_there_before() -> None:
    command = find("facility", "set")
    assert command is not None
    given = {"key": "F1", "changes": ["zone=UTC"], "why": "moved"}
    result = {"facility": "F1", "before": {"zone": "America/Denver"}, "after": {"zone": "UTC"}}
    entry = news_of(
        command, given, by="cli:lee", address="store", outcome="", at_wall=1.0, result=result
    )
    assert (entry.target, entry.why) == ("F1", "moved")
    assert (entry.before, entry.after) == ('{"zone": "America/Denver"}', '{"zone": "UTC"}')


@pytest.mark.parametrize(
    ("words", "given", "target"),
    [
        (("limit", "set"), {"period": "day", "scope": "person", "id": "123456"}, "123456"),
        (("account", "fund"), {"why": "cash", "account": "1", "amount": "20.00"}, "1"),
        (("speed-dial", "add"), {"changes": ["hotline=true"], "key": "F1/*78"}, "F1/*78"),
        (("ledger", "seal"), {}, ""),
    ],
)
def test_the_target_is_what_was_acted_on_in_whatever_order_it_was_given(
    words: tuple[str, str], given: dict[str, Any], target: str
) -> None:
    assert note(*words, given).target == target
