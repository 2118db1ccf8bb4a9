"""Frequencies and cadences: Precise Tone Plan, ITU-T E.180."""

import numpy as np
import pytest

from dsp.event import Event, Kind
from dsp.leg import Role
from tests.corpus import tones
from tests.corpus.voices import MAN, WOMAN, Sound, Talker, noise, silence, talk
from tests.dsp.listening import heard, of_kind

CALL_PROGRESS = frozenset({Kind.DIAL_TONE, Kind.RINGBACK, Kind.BUSY, Kind.SIT, Kind.FAX, Kind.TTY})


def only(sound: Sound, role: Role = Role.B) -> list[Event]:
    lead = np.concatenate([silence(0.313), sound, silence(1.0)])
    return heard(lead, kinds=CALL_PROGRESS, role=role)


@pytest.mark.parametrize("role", list(Role))
def test_dial_tone_is_known_within_200_ms_on_both_legs(role: Role) -> None:
    events = only(tones.dial_tone(2.0), role=role)
    assert {event.kind for event in events} == {Kind.DIAL_TONE}
    assert events[0].t_s - 0.313 <= 0.2


def test_a_lasting_dial_tone_is_told_each_second_with_its_length() -> None:
    lengths = [float(event.value) for event in only(tones.dial_tone(3.5))]
    assert lengths == pytest.approx([0.16, 1.16, 2.16, 3.16])


def test_ringback_is_known_after_900_ms_and_only_outside() -> None:
    events = only(tones.ringback(2.0))
    assert [event.kind for event in events] == [Kind.RINGBACK, Kind.RINGBACK]
    assert events[0].t_s - 0.313 == pytest.approx(0.9, abs=0.05)
    assert only(tones.ringback(2.0), role=Role.A) == []


def test_ringback_is_known_at_minus_30_dbm0_with_10_db_snr() -> None:
    rng = np.random.default_rng(1)
    sound = tones.ringback(2.0, -33.0) + noise(2.0, -40.0, rng, 0.0)
    assert {event.kind for event in only(sound)} == {Kind.RINGBACK}


@pytest.mark.parametrize("deviation", [-0.01, 0.01])
def test_tones_one_percent_off_are_taken(deviation: float) -> None:
    sound = tones.tones((440 * (1 + deviation), 480 * (1 + deviation)), 1.5, -22)
    assert {event.kind for event in only(sound)} == {Kind.RINGBACK}


@pytest.mark.parametrize(
    ("on_s", "off_s", "value"),
    [(0.5, 0.5, "busy"), (0.25, 0.25, "reorder"), (0.2, 0.3, "reorder"), (0.3, 0.2, "reorder")],
)
def test_busy_and_reorder_are_known_by_their_cadence_after_two_cycles(
    on_s: float, off_s: float, value: str
) -> None:
    events = only(tones.busy(3, on_s, off_s))
    assert {(event.kind, event.value) for event in events} == {(Kind.BUSY, value)}
    assert events[0].t_s <= 0.313 + 2 * (on_s + off_s) + 0.1
    assert only(tones.busy(1, on_s, off_s)) == []


@pytest.mark.parametrize(
    ("lengths", "pitches", "value"),
    [
        ("SSL", "LLL", "intercept"),
        ("LSL", "HLL", "vacant"),
        ("SLL", "LHL", "reorder"),
        ("LLL", "HHL", "no_circuit"),
        ("LLL", "LLL", "no_circuit"),
    ],
)
@pytest.mark.parametrize("offset", [0, 70])
def test_sit_is_known_with_its_class(lengths: str, pitches: str, value: str, offset: int) -> None:
    sound = np.concatenate([np.zeros(offset), tones.sit(lengths, pitches)])
    assert [(e.kind, e.value) for e in only(sound)] == [(Kind.SIT, value)]


def test_sit_of_the_itu_form_is_known_without_a_class() -> None:
    parts = [
        np.concatenate([tones.tones((f,), 0.33, -24), silence(0.02)]) for f in (950, 1400, 1800)
    ]
    assert [(e.kind, e.value) for e in only(np.concatenate(parts))] == [(Kind.SIT, "unknown")]


def test_the_tones_of_a_sit_in_the_wrong_order_are_none() -> None:
    wrong = [tones.tones((f,), 0.38, -24) for f in (1776.7, 1370.6, 913.8)]
    assert only(np.concatenate(wrong)) == []


def test_a_fax_is_known_by_cng_and_ced() -> None:
    cng = only(tones.tones((1100.0,), 0.5, -13))
    ced = only(tones.tones((2100.0,), 2.6, -13))
    assert [event.value[:3] for event in cng + ced] == ["cng", "ced"]


def test_a_tty_is_known_once_and_shadows_everything_else() -> None:
    events = only(tones.tty(4.0, np.random.default_rng(1)))
    assert [event.kind for event in events] == [Kind.TTY]


@pytest.mark.parametrize("talker", [MAN, WOMAN])
def test_talk_is_no_tone(talker: Talker) -> None:
    assert only(talk(talker, 40, np.random.default_rng(3))) == []


def test_a_fact_carries_its_own_cue_without_nats() -> None:
    event = of_kind(only(tones.dial_tone(0.5)), Kind.DIAL_TONE)[0]
    assert [(cue.cue, cue.nats) for cue in event.cues] == [("T1", 0.0)]
