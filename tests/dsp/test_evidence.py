import pytest

from dsp import evidence
from dsp.event import Kind, Tier
from dsp.evidence import EvidenceSet, Ledger, gap_nats


def ledger() -> Ledger:
    return Ledger(0, Kind.THREE_WAY, needs_bridge_sign=True)


def test_of_a_set_the_strongest_cue_counts() -> None:
    book = ledger()
    book.add(evidence.G2_STRONG, 1.0, "")
    book.add(evidence.G2_WEAK, 2.0, "")
    assert book.score_nats == 2.5
    book.add(evidence.G2_SILENCE, 3.0, "")
    assert book.score_nats == 4.0


def test_sets_add_up() -> None:
    book = ledger()
    for weight in (evidence.G2_SILENCE, evidence.T2, evidence.P1):
        book.add(weight, 1.0, "")
    assert book.score_nats == 12.0


def test_the_score_never_falls_below_zero_and_zero_clears_the_ledger() -> None:
    book = ledger()
    book.add(evidence.G2_WEAK, 1.0, "")
    book.add(evidence.P2, 2.0, "", -3.0)
    assert book.score_nats == 0
    book.add(evidence.G2_WEAK, 3.0, "")
    assert book.score_nats == 1.0


def test_what_speaks_against_nothing_is_not_kept() -> None:
    book = ledger()
    book.add(evidence.G3, 1.0, "")
    book.add(evidence.T2, 2.0, "")
    assert book.score_nats == 6.0


def test_contributions_halve_in_20_s_unless_a_gap_is_on() -> None:
    book = ledger()
    book.settle(10.0, holding=False)
    book.add(evidence.T2, 10.0, "")
    book.settle(30.0, holding=False)
    assert book.score_nats == pytest.approx(3.0)
    book.settle(90.0, holding=True)
    assert book.score_nats == pytest.approx(3.0)


def test_cut_eligible_needs_two_groups_and_a_bridge_sign() -> None:
    book = ledger()
    for weight in (evidence.T1, evidence.T2, evidence.T3):
        book.add(weight, 1.0, "")
    assert book.tell(1.0)[0].tier is Tier.WARN
    book.add(evidence.P1, 2.0, "")
    assert book.tell(2.0)[0].tier is Tier.CUT_ELIGIBLE
    unbridged = ledger()
    for weight in (evidence.S1, evidence.G2_SILENCE, evidence.U1, evidence.C1_PAIR):
        unbridged.add(weight, 1.0, "")
    assert unbridged.score_nats > evidence.CUT_NATS
    assert unbridged.tell(1.0)[0].tier is Tier.LOG


def test_an_alarm_is_told_when_its_tier_rises_and_when_it_is_renewed() -> None:
    book = ledger()
    book.add(evidence.T2, 1.0, "")
    assert [event.tier for event in book.tell(1.0)] == [Tier.LOG]
    assert book.tell(9.0) == []
    book.add(evidence.G2_STRONG, 2.0, "")
    assert book.tell(3.0) == []
    assert [event.tier for event in book.tell(6.0)] == [Tier.LOG]
    book.add(evidence.P1, 7.0, "")
    assert [event.tier for event in book.tell(7.0)] == [Tier.WARN]


def test_a_warning_rearms_every_set_once() -> None:
    book = ledger()
    book.add(evidence.T2, 1.0, "")
    book.rearm()
    book.add(evidence.T2, 2.0, "")
    book.add(evidence.T2, 3.0, "")
    event = book.tell(3.0)[0]
    assert event.score_nats == 12.0
    assert [cue.renewed for cue in event.cues] == [False, True]


def test_retracted_sets_are_gone() -> None:
    book = ledger()
    book.add(evidence.G4, 1.0, "", 3.0)
    book.add(evidence.T2, 1.0, "")
    book.retract([EvidenceSet.GAP_TIME])
    assert book.score_nats == 6.0


@pytest.mark.parametrize(("gap_s", "nats"), [(0.5, -2), (1, -2), (4, 0), (8, 2.4), (9, 3), (60, 3)])
def test_the_length_of_a_gap(gap_s: float, nats: float) -> None:
    assert gap_nats(gap_s) == pytest.approx(nats)


def test_a_number_dialled_is_a_bridge_sign_and_a_single_digit_is_none() -> None:
    book = ledger()
    book.add(evidence.T4_ONE, 1.0, "digit")
    assert not book.has_bridge_sign()
    book.add(evidence.T4_NUMBER, 1.0, "number")
    assert book.has_bridge_sign()
