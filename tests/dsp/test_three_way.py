import pytest

from dsp.event import Event, Kind, Tier
from dsp.inspect import TALKING_FROM_THE_START, TimedNote, inspect
from dsp.leg import Kernels, Note, NoteKind, Role
from dsp.three_way import TABLE, FarEnd, Input, State
from tests.corpus.scenes import Scene, second_call, two_party
from tests.corpus.voices import CHILD, WOMAN

ORDER = list(Tier)


def alarms(scene: Scene, *more: TimedNote, kernels: Kernels = Kernels.NUMBA) -> list[Event]:
    notes = (*TALKING_FROM_THE_START, *more)
    events = inspect(scene.a.ravel(), scene.b.ravel(), notes, kernels=kernels)
    return [e for e in events if e.kind in (Kind.THREE_WAY, Kind.CALL_WAITING)]


@pytest.mark.parametrize("floor_dbm0", [-50.0, None])
@pytest.mark.parametrize("hold_s", [4.5, 6.0])
@pytest.mark.parametrize("seed", [50, 51])
def test_a_second_call_with_ringback_and_a_third_voice_is_flagged(
    floor_dbm0: float | None, hold_s: float, seed: int
) -> None:
    scene = second_call(seed, floor_dbm0=floor_dbm0, hold_s=hold_s, talk_s=20, third=CHILD)
    found = alarms(scene)
    assert ORDER.index(found[-1].tier) >= ORDER.index(Tier.WARN)
    assert all(event.kind is Kind.THREE_WAY for event in found)
    assert scene.held_s < found[0].t_s < scene.rejoined_s + 5


@pytest.mark.parametrize("floor_dbm0", [-45.0, -55.0, -65.0, None])
@pytest.mark.parametrize("seed", [1, 2])
def test_two_people_who_talk_with_pauses_are_never_flagged(
    floor_dbm0: float | None, seed: int
) -> None:
    assert alarms(two_party(seed, 120, floor_dbm0)) == []


def test_hold_and_return_of_the_same_person_is_call_waiting_and_never_a_warning() -> None:
    waiting = 0
    for seed in range(50, 56):
        scene = second_call(seed, floor_dbm0=-50.0, hold_s=6, talk_s=20, third=WOMAN, ring=False)
        found = alarms(scene)
        waiting += Kind.CALL_WAITING in {event.kind for event in found}
        assert {event.tier for event in found} <= {Tier.LOG}
    assert waiting >= 3


def test_without_a_bridge_sign_the_tier_stays_log() -> None:
    """A hold by signalling and a vanished floor make any answered call waiting."""
    scene = second_call(53, floor_dbm0=-50.0, hold_s=9, talk_s=20, third=WOMAN, ring=False)
    held = TimedNote(scene.held_s, Role.B, Note(NoteKind.HOLD, form="inactive"))
    found = [e for e in alarms(scene, held) if e.kind is Kind.THREE_WAY]
    assert found
    assert found[-1].score_nats > 9
    assert {event.tier for event in found} == {Tier.LOG}


def test_the_listed_nats_add_up_to_the_score() -> None:
    for seed in (54, 55):
        for event in alarms(second_call(seed, talk_s=20)):
            assert event.score_nats == pytest.approx(sum(cue.nats for cue in event.cues), abs=1e-6)


def test_a_tty_call_has_no_three_way() -> None:
    told = TimedNote(0.0, Role.B, Note(NoteKind.TTY))
    assert alarms(second_call(50, talk_s=20), told) == []


def test_after_the_warning_evidence_is_renewed() -> None:
    scene = second_call(50, floor_dbm0=-50.0, talk_s=20, hold_s=6)
    warned = TimedNote(scene.rejoined_s - 1.5, Role.B, Note(NoteKind.WARNED))
    cues = alarms(scene, warned)[-1].cues
    assert {cue.renewed for cue in cues} == {True, False}
    assert cues[-1].to_json_dict()["renewed"] is True


def test_compiled_and_plain_machines_agree_on_a_whole_scene() -> None:
    scene = second_call(56, floor_dbm0=None, talk_s=5, hold_s=4)
    cut = Scene(scene.a[:550], scene.b[:550])
    assert alarms(cut) == alarms(cut, kernels=Kernels.NUMPY)
    assert alarms(cut)


def test_every_state_but_data_can_be_left() -> None:
    left = {state for (state, _), (after, _) in TABLE.items() if after is not state}
    assert left == set(State) - {State.DATA}


def test_any_input_in_any_state_is_taken() -> None:
    for state in State:
        for kind in Input:
            far = FarEnd()
            far.state = state
            far.step(kind)
            if state is State.DATA:
                assert far.state is State.DATA
            elif kind is Input.NOISE:
                assert far.state is State.MASKED


def test_ringback_right_after_answer_is_forwarding_not_three_way() -> None:
    scene = second_call(50, floor_dbm0=-50.0, talk_s=2, hold_s=3)
    events = inspect(scene.a.ravel(), scene.b.ravel())
    kinds = {e.kind for e in events}
    assert Kind.FORWARDED in kinds
    assert Kind.THREE_WAY not in kinds


def test_ringback_before_answer_is_nothing_but_a_fact() -> None:
    scene = second_call(50, floor_dbm0=-50.0, talk_s=2, hold_s=3)
    kinds = {e.kind for e in inspect(scene.a.ravel(), scene.b.ravel(), ())}
    assert Kind.RINGBACK in kinds
    assert not kinds & {Kind.FORWARDED, Kind.THREE_WAY}
