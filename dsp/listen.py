"""The kernels of a tick: pack and measure; every per-leg machine; what takes both sides of a call.

A machine hears all legs of a chunk before the next machine hears any: then only its own few arrays
are read, one after the other, as the processor fetches ahead. Leg by leg, over forty arrays, 2,000
legs cost a sixth more (measured).

Source: numba documentation, "Notes on caching" (see `jit.py`). With `Kernels.NUMPY` the very same
functions are run by the interpreter.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple, cast

from dsp import (
    click,
    digit_proof,
    dtmf,
    fired,
    floor,
    frame,
    gap,
    jit,
    measure,
    music,
    room,
    spectrum,
    tones,
    voice_activity,
    voice_score,
    voice_weights,
)
from dsp.click import Clicks, forget, hear_click
from dsp.dtmf import Digits, has_digit, hear_digits, miss
from dsp.fired import STREAM, Fired, fire
from dsp.floor import Floors, follow, learn_base, total
from dsp.gap import (
    QUIET_SAMPLES,
    Gaps,
    hear_both,
    hear_gap,
    hear_noise,
    in_gap,
    is_calm,
    pass_time,
)
from dsp.jit import stage
from dsp.leg import Kernels
from dsp.measure import CN_BIT, DIGITS_ONLY, FULL, STREAM_BITS, Legs, Measures, Tick, gather
from dsp.music import Music, hear_music, is_music, lose_music
from dsp.room import AFTER, BEFORE, IN_GAP, Rooms, add_room
from dsp.spectrum import measure_bands, measure_levels
from dsp.state import StateOwner
from dsp.tones import Tones, hear_tones, is_tonal, lose_tones
from dsp.voice_activity import Voices, add_voice, end_hop, hear_voice, is_speech
from dsp.voice_score import Scores, hear_talk, score_frame

STAMP: Final = jit.stamp(
    *(click, digit_proof, dtmf, fired, floor, frame, gap, measure, music, room, spectrum, tones),
    *(voice_activity, voice_score, voice_weights),
)

Counts = tuple[int, int, int]
"""Full legs, legs with sound, legs whose time passed."""


class Ears(NamedTuple):
    """The state of every per-leg machine."""

    digits: Digits
    tones: Tones
    floors: Floors
    voices: Voices
    scores: Scores
    clicks: Clicks
    gaps: Gaps
    rooms: Rooms
    music: Music


Gather = Callable[[Tick, tuple[int, int], Legs, Measures], Counts]
Listen = Callable[[tuple[int, int, int, int], Measures, Legs, Ears, Fired], None]
"""The counts, and of how many rows both sides are heard now: all, with the last chunk."""


def allocate(owner: StateOwner) -> Ears:
    """State of all machines, registered with the one owner."""
    return Ears(
        digits=dtmf.allocate(owner),
        tones=tones.allocate(owner),
        floors=floor.allocate(owner),
        voices=voice_activity.allocate(owner),
        scores=voice_score.allocate(owner),
        clicks=click.allocate(owner),
        gaps=gap.allocate(owner),
        rooms=room.allocate(owner),
        music=music.allocate(owner),
    )


@stage
def begin(i: int, measures: Measures, ears: Ears, codes: Fired) -> None:
    """What a frame says before any machine has heard it."""
    row = measures.row[i]
    flags = measures.flags[i]
    pass_time(row, flags, ears.gaps)
    measures.calm[i] = is_calm(row, ears.gaps)
    if (flags & STREAM_BITS) != 0:
        fire(codes, row, STREAM, flags & STREAM_BITS, 0.0)
    measure_bands(measures.frame_z[i], measures.bands[i])
    measure_levels(measures.band_bits[i], measures.levels[i])


@stage
def hear_floor(i: int, measures: Measures, ears: Ears) -> None:
    """Floor and talk-spurts."""
    row = measures.row[i]
    tonal = is_tonal(row, ears.tones) or has_digit(row, ears.digits)
    trace = ears.floors.trace[row]
    first = trace[0] < 0.0
    speech = not tonal and not first and is_speech(measures.bands[i], trace)
    follow(i, measures, ears.floors)
    score_frame(i, measures, ears.floors, ears.scores)
    hear_talk(row, speech, ears.scores)
    hear_voice(row, speech, ears.voices)
    measures.tonal[i] = tonal
    measures.speech[i] = speech


@stage
def listen_music(i: int, measures: Measures, legs: Legs, ears: Ears, codes: Fired) -> None:
    """Take a frame for music; at the end of each hop, what is no music may be a voice."""
    row = measures.row[i]
    ended = hear_music(i, measures, ears.music, codes)
    if ended and legs.compared[row] != 0:
        end_hop(row, is_music(row, ears.music), ears.voices)


@stage
def compare_voice(i: int, measures: Measures, legs: Legs, ears: Ears, codes: Fired) -> None:
    """Take a frame of speech that is no echo into the sums over the leg's voice."""
    row = measures.row[i]
    if measures.speech[i] == 0 or measures.calm[i] == 0 or legs.compared[row] == 0:
        return
    if is_music(row, ears.music):
        return
    if ears.voices.speaking[row] != 0 and ears.voices.other[row] == 0:
        add_voice(i, measures, legs, ears.voices, codes)


@stage
def hear_gaps(i: int, measures: Measures, legs: Legs, ears: Ears, codes: Fired) -> None:
    """Gaps, pauses and masking noise."""
    row = measures.row[i]
    tonal = measures.tonal[i] != 0
    if legs.is_b[row] != 0:
        hear_gap(i, measures, (ears.gaps, ears.floors, ears.voices), tonal, codes)
    if not tonal and measures.calm[i] != 0:
        learn_pause(i, measures, legs, ears)
        if legs.is_b[row] != 0:
            learn_room(i, measures, legs, ears)
        hear_noise(row, ears.gaps, ears.floors, codes)


@stage
def learn_pause(i: int, measures: Measures, legs: Legs, ears: Ears) -> None:
    """A frame without speech, outside of a gap, teaches the baseline."""
    row = measures.row[i]
    if ears.voices.speaking[row] != 0 or ears.voices.onset[row] > 0:
        return
    if legs.watch[row] != 0 or in_gap(row, ears.gaps) or measures.quiet[i] >= QUIET_SAMPLES:
        return
    if ears.floors.base_frames[row] >= floor.BASE_FRAMES:
        base = total(ears.floors.base[row])
        power = total(measures.bands[i])
        if power > gap.NOISE_OVER_BASE_END * base or power < gap.LOW * base:
            return
    learn_base(row, measures.bands[i], ears.floors)


@stage
def learn_room(i: int, measures: Measures, legs: Legs, ears: Ears) -> None:
    """A frame in which neither side speaks tells of the outside room."""
    row = measures.row[i]
    into = AFTER if legs.watch[row] != 0 else BEFORE
    if in_gap(row, ears.gaps):
        into = IN_GAP
    elif ears.rooms.frames[row, IN_GAP] > 0:
        room.end_gap(row, into, ears.rooms)
    if ears.voices.speaking[row] != 0 or ears.voices.onset[row] > 0 or ears.voices.other[row] != 0:
        return
    add_room(row, measures.levels[i], into, ears.rooms)


@stage
def hear_tonal(full: int, measures: Measures, legs: Legs, ears: Ears, codes: Fired) -> None:
    """The machines for tones, over all full legs."""
    for i in range(full):
        begin(i, measures, ears, codes)
    for i in range(full):
        hear_digits(i, measures, legs, ears.digits, codes)
    for i in range(full):
        hear_tones(i, measures, ears.tones, codes)


@stage
def hear_room(full: int, measures: Measures, legs: Legs, ears: Ears, codes: Fired) -> None:
    """The machines for voices and rooms, over all full legs."""
    for i in range(full):
        hear_floor(i, measures, ears)
    for i in range(full):
        if legs.music[measures.row[i]] != 0:
            listen_music(i, measures, legs, ears, codes)
    for i in range(full):
        compare_voice(i, measures, legs, ears, codes)
    for i in range(full):
        if measures.calm[i] != 0:
            talking = ears.voices.speaking[measures.row[i]]
            hear_click(i, measures, ears.clicks, talking, codes)
    for i in range(full):
        hear_gaps(i, measures, legs, ears, codes)


@stage
def hear_nothing(i: int, measures: Measures, legs: Legs, ears: Ears, codes: Fired) -> None:
    """20 ms passed without sound: absent, or comfort noise."""
    row = measures.row[i]
    flags = measures.flags[i]
    miss(ears.digits.number[row])
    miss(ears.digits.number[row])
    if legs.level[row] == DIGITS_ONLY:
        return
    pass_time(row, flags, ears.gaps)
    lose_tones(row, ears.tones, codes)
    lose_music(row, ears.music)
    hear_voice(row, False, ears.voices)
    hear_talk(row, False, ears.scores)
    if (flags & CN_BIT) == 0:
        forget(row, ears.clicks)


def _make_gather(stamp: int) -> Gather:
    def gather_kernel(
        tick: Tick, rows: tuple[int, int], legs: Legs, measures: Measures
    ) -> tuple[int, int, int]:
        assert stamp >= 0
        return gather(tick, rows, legs, measures)

    return gather_kernel


def _make_listen(stamp: int) -> Listen:
    def listen_kernel(
        counts: tuple[int, int, int, int], measures: Measures, legs: Legs, ears: Ears, codes: Fired
    ) -> None:
        assert stamp >= 0
        hear_tonal(counts[0], measures, legs, ears, codes)
        hear_room(counts[0], measures, legs, ears, codes)
        for i in range(counts[0], counts[1]):
            hear_digits(i, measures, legs, ears.digits, codes)
        for i in range(counts[1], counts[2]):
            hear_nothing(i, measures, legs, ears, codes)
        for row in range(counts[3]):
            if legs.level[row] == FULL:
                hear_both(row, legs, (ears.gaps, ears.floors, ears.voices, ears.scores), codes)

    return listen_kernel


def make(kernels: Kernels) -> tuple[Gather, Listen]:
    """The kernels, compiled or plain."""
    made: tuple[Callable[..., Any], ...] = (
        _make_gather(STAMP),
        _make_listen(STAMP),
    )
    if kernels is Kernels.NUMBA:
        made = tuple(jit.compiled(kernel) for kernel in made)
    return cast("tuple[Gather, Listen]", made)
