"""The call that speaks a code: its table, walked in full, and what is said in it."""

import itertools

import pytest

from switch.call.code_call import (
    TABLE,
    CodeCall,
    CodeDeed,
    CodeInput,
    CodeState,
    spoken_code,
)


def at(state: CodeState) -> CodeCall:
    call = CodeCall()
    call.state = state
    return call


@pytest.mark.parametrize(("state", "kind"), list(itertools.product(CodeState, CodeInput)))
def test_what_the_table_does_not_know_does_nothing(state: CodeState, kind: CodeInput) -> None:
    call = at(state)
    deed = call.take(kind)
    assert (call.state, deed) == TABLE.get((state, kind), (state, CodeDeed.NOTHING))


@pytest.mark.parametrize("state", [CodeState.DIALLING, CodeState.SPEAKING])
@pytest.mark.parametrize("kind", [CodeInput.LATE, CodeInput.OVER])
def test_it_always_comes_to_its_end(state: CodeState, kind: CodeInput) -> None:
    call = at(state)
    call.take(kind)
    assert call.state is CodeState.DONE


def test_nothing_leads_out_of_the_end() -> None:
    assert not any(state is CodeState.DONE for state, _ in TABLE)


def test_who_may_still_be_on_the_line_is_released_and_who_is_gone_is_not() -> None:
    for (_, kind), (after, deed) in TABLE.items():
        is_gone = kind in {CodeInput.OVER, CodeInput.FAILED_OVER}
        if after is CodeState.DONE:
            assert deed is (CodeDeed.NOTHING if is_gone else CodeDeed.RELEASE)


@pytest.mark.parametrize("kinds", list(itertools.product(CodeInput, repeat=3)))
def test_only_what_was_said_to_somebody_was_heard(kinds: tuple[CodeInput, ...]) -> None:
    call = CodeCall()
    for kind in kinds:
        call.take(kind)
    goes_on = [k for k in kinds if k is not CodeInput.FAILED_OVER]
    first = [k for k in goes_on if k is not CodeInput.SPOKEN or goes_on[0] is not k]
    answered = bool(first) and first[0] is CodeInput.ANSWERED
    if call.is_heard:
        assert answered
        assert CodeInput.SPOKEN in kinds


def test_the_code_is_said_twice_and_stands_in_no_phrase() -> None:
    said = spoken_code("402913")
    keys = [one.key for one in said]
    assert keys.count("code_digit") == 12
    assert (keys[0], keys[7], keys[-1]) == ("code_greeting", "code_again", "code_end")
    assert not any("402913" in repr(one) for one in said)
