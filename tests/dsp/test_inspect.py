import numpy as np
from numpy.typing import NDArray

from dsp.event import Kind
from dsp.g711 import encode_ulaw
from dsp.inspect import TimedNote, inspect
from dsp.leg import Note, NoteKind, Role
from tests.corpus import tones
from tests.corpus.voices import Sound, silence


def pcm(sound: Sound) -> NDArray[np.int16]:
    return np.round(sound * 32635).astype(np.int16)


def test_linear_and_mu_law_give_the_same_events_in_order_of_time() -> None:
    a = pcm(np.concatenate([silence(1), tones.digits("12")]))
    b = pcm(np.concatenate([tones.dial_tone(0.5), silence(2)]))
    events = inspect(a, b)
    assert events == inspect(encode_ulaw(a), encode_ulaw(b))
    facts = [(e.kind, e.leg) for e in events if e.kind in (Kind.DTMF, Kind.DIAL_TONE)]
    assert facts == [(Kind.DIAL_TONE, 1), (Kind.DTMF, 0), (Kind.DTMF, 0)]


def test_lost_frames_break_what_is_heard() -> None:
    b = pcm(tones.dial_tone(0.3))
    lost = TimedNote(0.1, Role.B, Note(NoteKind.LOST, frames=4))
    assert inspect(pcm(silence(1)), b, (lost,)) == []


def test_a_note_past_the_end_is_harmless() -> None:
    late = TimedNote(99.0, Role.A, Note(NoteKind.TS_JUMP, ms=40))
    assert inspect(pcm(silence(0.1)), pcm(silence(0.1)), (late,)) == []


def test_a_note_is_told_at_its_time() -> None:
    key = TimedNote(0.5, Role.A, Note(NoteKind.DIGIT, value="4"))
    events = inspect(pcm(silence(1)), pcm(silence(1)), (key,))
    assert [(e.t_s, e.kind, e.value) for e in events] == [(0.5, Kind.DTMF, "4")]
