import numpy as np
import pytest

from dsp.bank import Bank
from dsp.event import Cue, Event, Kind, Tier
from dsp.g711 import ULAW_TO_ALAW
from dsp.leg import Flag, Kernels, Law, LegSpec, Note, NoteKind, Role
from tests.corpus import scenes, tones
from tests.corpus.scenes import frames
from tests.corpus.voices import WOMAN, noise, silence, talk
from tests.dsp.listening import ALL, ANSWERED, heard, of_kind, push_all


def medley(seed: int) -> scenes.Frames:
    """A bit of everything that fires."""
    rng = np.random.default_rng(seed)
    parts = [
        silence(rng.uniform(0.1, 0.3)),
        tones.digits("19*"),
        talk(WOMAN, 1.0, rng),
        tones.dial_tone(0.5),
        silence(0.4),
        tones.busy(2, 0.25, 0.25),
        tones.sit("SSL", "LLL"),
        tones.ringback(1.2),
        tones.tty(0.6, rng),
    ]
    sound = np.concatenate(parts)
    return frames(sound + noise(len(sound) / 8000 + 1, -52, rng)[: len(sound)])


Value = tuple[float, Kind, Tier, str, tuple[Cue, ...]]


def values(events: list[Event], row: int) -> list[Value]:
    return [(e.t_s, e.kind, e.tier, e.value, e.cues) for e in events if e.leg == row]


def alone(leg: scenes.Frames, role: Role = Role.B) -> list[Value]:
    return values(heard(leg, role=role, notes=ANSWERED), 0)


def open_all(bank: Bank, rows: range) -> None:
    for row in rows:
        bank.open(row, LegSpec(Role.B))
        for note in ANSWERED:
            bank.note(row, note)


def test_a_leg_hears_the_same_alone_and_among_many() -> None:
    legs = [medley(seed) for seed in range(21)]
    bank = Bank(legs_max=64)
    open_all(bank, range(len(legs)))
    events = push_all(bank, range(len(legs)), legs)
    for row, leg in enumerate(legs):
        assert values(events, row) == alone(leg), f"row {row}"


def test_the_row_makes_no_difference_nor_do_other_rows_that_only_want_digits() -> None:
    leg = medley(3)
    bank = Bank(legs_max=1200)
    for row in (5, 700):
        bank.open(row, LegSpec(Role.A, kinds=frozenset({Kind.DTMF})))
    bank.open(1100, LegSpec(Role.B))
    for note in ANSWERED:
        bank.note(1100, note)
    events = push_all(bank, [5, 700, 1100], [medley(8), medley(9), leg])
    assert values(events, 1100) == alone(leg)
    assert {event.kind for event in events if event.leg == 5} == {Kind.DTMF}


def test_numpy_and_numba_give_the_same_events() -> None:
    for seed in (1, 2):
        leg = medley(seed)
        plain = heard(leg, notes=ANSWERED, kernels=Kernels.NUMPY)
        assert values(plain, 0) == alone(leg)
        assert len(plain) > 5


def test_a_reused_row_hears_like_a_fresh_one() -> None:
    bank = Bank(legs_max=2)
    open_all(bank, range(2))
    push_all(bank, [0, 1], [medley(1), medley(2)])
    bank.close(0)
    open_all(bank, range(1))
    fresh = Bank(legs_max=2)
    open_all(fresh, range(1))
    for kept, new in zip(bank._owner.snapshot(0), fresh._owner.snapshot(0), strict=True):
        assert np.array_equal(kept, new)


def test_a_row_without_time_stands_still() -> None:
    """Frames with ticks of nothing between give the same events as without."""
    leg = medley(4)
    bank = Bank(legs_max=1)
    open_all(bank, range(1))
    events, none = [], np.zeros(1, np.uint16)
    for frame in leg:
        events += bank.push(frame[None], np.ones(1, np.bool_), none)
        events += bank.push(frame[None], np.zeros(1, np.bool_), none)
    assert values(events, 0) == alone(leg)


def test_absent_frames_pass_time_and_break_a_tone() -> None:
    bank = Bank(legs_max=1)
    bank.open(0, LegSpec(Role.A))
    leg = frames(tones.dial_tone(0.32))
    flags = np.full(1, int(Flag.ABSENT), np.uint16)
    for tick, frame in enumerate(leg):
        gone = tick % 6 == 5 or tick % 6 == 4
        assert bank.push(frame[None], np.array([not gone]), flags * gone) == []
    summary = bank.close(0)
    assert (summary.frames, summary.absent_frames) == (16, 4)


def test_a_law_legs_hear_the_same_keys() -> None:
    sound = frames(tones.digits("0123456789*#ABCD"))
    events = heard(ULAW_TO_ALAW[sound], law=Law.PCMA, kinds=frozenset({Kind.DTMF}))
    assert "".join(event.value for event in events) == "0123456789*#ABCD"


def test_only_the_kinds_asked_for_are_reported() -> None:
    for kind in (Kind.DTMF, Kind.BUSY, Kind.SIT):
        found = heard(medley(5), kinds=frozenset({kind}), notes=ANSWERED)
        assert {event.kind for event in found} == {kind}


def test_the_nineteen_kinds_are_all_there_are() -> None:
    assert len(ALL) == 19


def test_closing_parts_the_legs_and_no_event_comes_after() -> None:
    bank = Bank(legs_max=2)
    open_all(bank, range(2))
    bank.join(0, 1)
    bank.close(1)
    bank.unjoin(0)
    leg = medley(6)
    assert push_all(bank, [0, 1], [leg, leg]) != []
    bank.close(0)
    assert push_all(bank, [0, 1], [leg, leg]) == []


def test_an_event_has_the_schema_of_the_call_record() -> None:
    event = of_kind(heard(medley(7)), Kind.DTMF)[0].to_json_dict()
    assert list(event) == ["t_s", "leg", "kind", "tier", "score_nats", "cues", "value"]
    assert event["kind"] == "dtmf"
    assert event["tier"] == "log"


def test_a_row_cannot_be_opened_twice() -> None:
    bank = Bank(legs_max=1)
    bank.open(0, LegSpec(Role.A))
    with pytest.raises(AssertionError):
        bank.open(0, LegSpec(Role.A))


def test_a_digit_by_event_and_in_the_sound_is_one_digit() -> None:
    bank = Bank(legs_max=1)
    bank.open(0, LegSpec(Role.A))
    assert len(bank.note(0, Note(NoteKind.DIGIT, value="5"))) == 1
    assert push_all(bank, [0], [frames(tones.digits("5", 0.08))]) == []
    assert len(push_all(bank, [0], [frames(tones.digits("5", 0.08))])) == 1


def test_extra_digits_are_one_event_per_burst() -> None:
    sound = np.concatenate(
        [tones.digits("555", 0.1, 0.1), silence(4), tones.digits("12", 0.1, 0.1)]
    )
    bank = Bank(legs_max=1)
    bank.open(0, LegSpec(Role.A, kinds=frozenset({Kind.EXTRA_DIGITS})))
    assert push_all(bank, [0], [frames(tones.digits("7", 0.1))]) == []
    bank.note(0, Note(NoteKind.TALKING))
    events = push_all(bank, [0], [frames(sound)])
    assert [event.value for event in events] == ["555"]
    assert events[0].t_s == pytest.approx(0.1 + 0.15 + 0.4 + 3, abs=0.15)
    assert [event.value for event in bank.close(0).unclosed] == ["12"]


def test_warming_changes_nothing() -> None:
    bank = Bank(legs_max=4)
    before = bank._owner.snapshot(0)
    bank.warm()
    assert all(np.array_equal(a, b) for a, b in zip(before, bank._owner.snapshot(0), strict=True))
