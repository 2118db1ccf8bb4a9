"""Who decides about a claim: the table, walked in full."""

import itertools

import pytest

from switch.billing.claim import (
    TABLE,
    ClaimInput,
    ClaimRefusal,
    ClaimState,
    step,
)

OVER = {ClaimState.GRANTED}


@pytest.mark.parametrize(("state", "kind"), list(itertools.product(ClaimState, ClaimInput)))
def test_what_the_table_does_not_know_is_refused(state: ClaimState, kind: ClaimInput) -> None:
    after = step(state, kind, by="lee", decided_by="", is_large=False)
    assert after is TABLE.get((state, kind), ClaimRefusal.NOT_NOW)


@pytest.mark.parametrize("state", [s for s in ClaimState if s not in OVER])
def test_every_state_but_the_last_can_be_left(state: ClaimState) -> None:
    assert any(
        isinstance(step(state, kind, by="a", decided_by="b", is_large=False), ClaimState)
        for kind in ClaimInput
    )


def test_a_large_amount_takes_two_people() -> None:
    first = step(ClaimState.OPEN, ClaimInput.GRANT, by="lee", decided_by="", is_large=True)
    assert first is ClaimState.SECOND
    for kind in (ClaimInput.GRANT, ClaimInput.DENY):
        same = step(ClaimState.SECOND, kind, by="lee", decided_by="lee", is_large=True)
        assert same is ClaimRefusal.SAME_PERSON
    other = step(ClaimState.SECOND, ClaimInput.GRANT, by="page", decided_by="lee", is_large=True)
    assert other is ClaimState.GRANTED


def test_an_appeal_is_decided_by_another_person_and_once() -> None:
    state = ClaimState.APPEALED
    for kind in (ClaimInput.GRANT, ClaimInput.DENY):
        again = step(state, kind, by="lee", decided_by="lee", is_large=False)
        assert again is ClaimRefusal.SAME_PERSON
    denied = step(state, ClaimInput.DENY, by="page", decided_by="lee", is_large=False)
    assert denied is ClaimState.CLOSED
    last = step(ClaimState.CLOSED, ClaimInput.APPEAL, by="payer", decided_by="page", is_large=False)
    assert last is ClaimRefusal.NOT_NOW
    large = step(state, ClaimInput.GRANT, by="page", decided_by="lee", is_large=True)
    assert large is ClaimState.SECOND
