from dataclasses import replace
from random import Random
from typing import Any

import pytest

from switch.call.cause import EndReason
from switch.call.ladder import (
    WARNINGS_MAX,
    Cut,
    CutCondition,
    Detection,
    ErrorCard,
    Ladder,
    Note,
    Site,
    Tier,
    Warn,
    cut_reason,
    read_card,
    read_detection,
    unmet,
)
from switch.screening.permit import DetectionAction

CARD = ErrorCard(wrong_cuts={"three_way": {"g711": 0.00005}})

SITE = Site(
    action=DetectionAction.CUT,
    opted_in_by="Warden Example, 2026-01-05",
    opted_in_for=frozenset({"three_way"}),
    ordinary=True,
    card=CARD,
)

EVENT = {
    "t_s": 61.0,
    "leg": "b",
    "kind": "three_way",
    "tier": "cut_eligible",
    "score_nats": 14.0,
    "path": "g711",
    "cues": [
        {"cue": "G2", "group": "gap", "t_s": 40.0, "nats": 4.0, "value": "digital silence"},
        {"cue": "T2", "group": "tone", "t_s": 60.0, "nats": 6.0, "renewed": True},
    ],
}


def event(**changes: Any) -> Detection:
    return read_detection({**EVENT, **changes})


SURE = event()


def missing(detection: Detection = SURE, site: Site = SITE, **at: Any) -> set[CutCondition]:
    return set(unmet(detection, site, **{"warned_at": 100.0, "now": 120.0, **at}))


def test_with_everything_there_a_cut_may_follow() -> None:
    assert missing() == set()


@pytest.mark.parametrize(
    "site",
    [replace(SITE, opted_in_by=""), replace(SITE, opted_in_for=frozenset({"forwarded"}))],
)
def test_one_the_facility_opted_in_for_this_detection(site: Site) -> None:
    assert missing(site=site) == {CutCondition.OPTED_IN}


def test_two_at_least_two_groups_agree() -> None:
    same = [{**cue, "group": "tone"} for cue in EVENT["cues"]]  # type: ignore[attr-defined]
    assert missing(event(cues=same)) == {CutCondition.TWO_GROUPS}
    weak = [{**cue, "nats": 1.9} for cue in EVENT["cues"][:1]] + EVENT["cues"][1:]  # type: ignore[index]
    assert missing(event(cues=weak)) == {CutCondition.TWO_GROUPS}


def test_three_the_warning_ended_fifteen_seconds_before() -> None:
    assert missing(warned_at=None) == {CutCondition.WARNED}
    assert missing(now=114.9) == {CutCondition.WARNED}
    assert missing(now=115.0) == set()


def test_four_the_evidence_was_renewed() -> None:
    old = [{**cue, "renewed": False} for cue in EVENT["cues"]]  # type: ignore[attr-defined]
    assert missing(event(cues=old)) == {CutCondition.RENEWED}


def test_five_none_of_it_fell_into_packet_loss() -> None:
    lossy = [{**cue, "lossy": True} for cue in EVENT["cues"]]  # type: ignore[attr-defined]
    assert missing(event(cues=lossy)) == {CutCondition.NO_LOSS}


def test_six_the_call_is_an_ordinary_one() -> None:
    assert missing(site=replace(SITE, ordinary=False)) == {CutCondition.ORDINARY}


@pytest.mark.parametrize(
    "card",
    [
        None,
        ErrorCard(wrong_cuts={}),
        ErrorCard(wrong_cuts={"three_way": {"amr": 0.00001}}),
        ErrorCard(wrong_cuts={"three_way": {"g711": 0.00011}}),
    ],
)
def test_seven_the_published_card_is_inside_the_bound(card: ErrorCard | None) -> None:
    assert missing(site=replace(SITE, card=card)) == {CutCondition.CARD}


def test_a_card_is_read_from_its_file() -> None:
    assert read_card(b'{"wrong_cuts": {"three_way": {"g711": 0.00005}}}') == CARD


def ladder(action: DetectionAction, **changes: Any) -> Ladder:
    return Ladder(replace(SITE, action=action, **changes), Random(1))


WARNED = event(tier="warn")


@pytest.mark.parametrize("tier", list(Tier))
def test_off_writes_a_line_and_does_nothing_else(tier: Tier) -> None:
    steps = ladder(DetectionAction.OFF).detected(event(tier=tier), now=0.0)
    assert steps == [Note(for_review=False)]


def test_flag_marks_for_review_and_never_speaks() -> None:
    flag = ladder(DetectionAction.FLAG)
    assert flag.detected(event(tier="log"), now=0.0) == [Note(for_review=False)]
    assert flag.detected(WARNED, now=1.0) == [Note(for_review=True)]
    assert flag.detected(SURE, now=2.0) == [Note(for_review=True)]


def test_prompt_once_speaks_once() -> None:
    once = ladder(DetectionAction.PROMPT_ONCE)
    assert once.detected(WARNED, now=0.0) == [Note(for_review=True), Warn()]
    assert once.detected(SURE, now=60.0) == [Note(for_review=True)]


def test_prompt_random_speaks_later_and_at_most_twice_again() -> None:
    some = ladder(DetectionAction.PROMPT_RANDOM)
    warnings = 0
    for n in range(10):
        now = 100.0 * n
        assert some.detected(WARNED if n == 0 else SURE, now=now) == [Note(for_review=True)]
        at = some.next_deadline()
        if at is None:
            continue
        assert now + 2 <= at <= now + 15
        assert some.handle_timers(now=at - 0.1) == []
        warnings += some.handle_timers(now=at) == [Warn()]
    assert warnings == WARNINGS_MAX


def test_a_cut_comes_only_after_the_warning_and_renewed_evidence() -> None:
    cut = ladder(DetectionAction.CUT)
    first = cut.detected(SURE, now=0.0)
    assert first[0] == Note(for_review=True, unmet=(CutCondition.WARNED,))
    assert first[1:] == [Warn()]
    cut.warned(now=6.0)
    assert not any(isinstance(step, Cut) for step in cut.detected(SURE, now=20.9))
    assert cut.detected(SURE, now=21.0)[-1] == Cut(EndReason.THREE_WAY)


def test_a_line_that_went_back_to_two_people_is_left_alone() -> None:
    cut = ladder(DetectionAction.CUT)
    cut.detected(WARNED, now=0.0)
    cut.warned(now=6.0)
    old = event(cues=[{**cue, "renewed": False} for cue in EVENT["cues"]])  # type: ignore[attr-defined]
    assert not any(isinstance(step, Cut) for step in cut.detected(old, now=100.0))


def test_without_a_card_nothing_is_ever_cut() -> None:
    cut = ladder(DetectionAction.CUT, card=None)
    cut.detected(SURE, now=0.0)
    cut.warned(now=6.0)
    (note,) = cut.detected(SURE, now=100.0)
    assert note == Note(for_review=True, unmet=(CutCondition.CARD,))


def test_a_call_that_turns_out_to_be_tty_is_left_alone() -> None:
    some = ladder(DetectionAction.PROMPT_RANDOM)
    some.detected(WARNED, now=0.0)
    some.exempt()
    assert some.next_deadline() is None
    assert some.detected(SURE, now=1.0) == [Note(for_review=True)]


@pytest.mark.parametrize("kind", ["call_waiting", "silence_long", "extra_digits", "music"])
def test_no_other_fact_does_more_than_a_line(kind: str) -> None:
    cut = ladder(DetectionAction.CUT)
    assert cut.detected(event(kind=kind), now=0.0) == [Note(for_review=False)]


def test_keys_of_the_called_party_name_the_ending() -> None:
    keys = event(cues=[*EVENT["cues"], {"cue": "T4", "group": "tone", "nats": 5, "renewed": True}])  # type: ignore[misc]
    assert cut_reason(keys) is EndReason.EXTRA_DIGITS
    assert cut_reason(event(kind="forwarded")) is EndReason.FORWARD


def test_an_event_of_another_schema_is_read_without_harm() -> None:
    odd = read_detection({"kind": 7, "tier": "certain"})
    assert odd.tier is Tier.LOG
    assert odd.cues == ()
