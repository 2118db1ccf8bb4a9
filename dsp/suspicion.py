"""One outside leg's suspicions: three-way and forwarded. What fired goes in, alarms come out.

Source: the list of cues in `evidence.py`, the states in `three_way.py`; windows are chosen.
"""

from typing import Final

from dsp import evidence, fired, gap
from dsp.event import Event, Kind
from dsp.evidence import EvidenceSet, Ledger, Weight, gap_nats
from dsp.frame import FRAME_S
from dsp.leg import LegSpec, Note, NoteKind
from dsp.listen import Ears
from dsp.music import HOP_FRAMES, HOPS, RUN_HOPS, is_likely
from dsp.room import forget_after, room_change
from dsp.three_way import GAP_SETS, WATCHED, Action, FarEnd, Input, State
from dsp.tones import SIT_CLASSES
from dsp.voice_change import Verdict, VoiceChange, has_reference

EDGE_S: Final = 0.4
"""A click within 250 ms of a gap's edge; and 150 ms until it is known."""
NUMBER_DIGITS: Final = 7
NUMBER_S: Final = 15.0
DIGIT_GAP_S: Final = 2.0
"""T4: seven digits in 15 s, or one within 2 s of a gap."""
WAITING_KEYS: Final = frozenset("AD")
"""They answer a call-waiting signal."""
FORWARD_S: Final = 10.0
"""F2: ringback this soon after answer, with no gap before, is a forwarded call."""
GAP_REAL_S: Final = 2.0
NOTHING_DB: Final = 20.0
"""So far below the room is as good as digital silence. Chosen: codecs leave no exact zeros."""
GAP_WATCHED_S: Final = 3.0
"""After so long a gap, if the floor is not the same, the voice is compared. Chosen."""
FLOOR_GONE_STEPS: Final = 4
"""G2 for 2 s."""
U1_TALK_S: Final = 1.5
U1_NATS_PER_S: Final = 0.4
MUTE_S: Final = ((0.3, 0.5), (0.8, 1.6))
"""G5: without and with caller ID. Adapter data sheets."""
SHORT_GAP_S: Final = 2.5
SHORT_GAPS_MAX: Final = 3
"""So many gaps that were pauses, and the line is half duplex or gated: G2 and U1 mean nothing."""
MUSIC_FIRST_S: Final = (HOPS + RUN_HOPS - 1) * HOP_FRAMES * FRAME_S
"""Music comes again and again where a television is on: only the first time counts, and
only after 2 s of talk. Chosen."""
AFTER_MUSIC_NATS_MAX: Final = 1.5
"""Below a sign of a second call. Chosen, after three of fifteen calls waiting on an adapter's line
were told as three-way because music seemed to be over before it was (measured)."""
CALM_S: Final = 20.0
P2_OTHER: Final = 3.0
P2_SAME: Final = -1.0
SAME_STEPS: Final = 10
"""Nats from which the voice decides, and 5 s of speech after which the same one is told. Chosen."""
SIGNALLED_HOLD_S_MAX: Final = 60.0
"""A hold whose end is not signalled is forgotten. Chosen."""


class Suspicion:
    """All that is suspected of one outside leg."""

    def __init__(self, row: int, spec: LegSpec, ears: Ears) -> None:
        self._row = row
        self._ears = ears
        self._kinds = spec.kinds
        self._three_way = Ledger(row, Kind.THREE_WAY, needs_bridge_sign=True)
        self._forwarded = Ledger(row, Kind.FORWARDED, needs_bridge_sign=False)
        self._far = FarEnd()
        self._change = VoiceChange()
        self._can_compare = False
        self._is_same = True
        self._waiting = False
        self._waiting_told = False
        self._signalled_hold_s: float | None = None
        self._answered_s: float | None = None
        self._gap_began_s = -1e9
        self._gap_ended_s = -1e9
        self._state_since_s = 0.0
        self._click_s = -1e9
        self._talked_s = 0.0
        self._floor_gone = 0
        self._short_gaps = 0
        self._had_real_gap = False
        self._is_music = False
        self._after_music = False
        self._music_times = 0
        self._digits: list[float] = []

    @property
    def is_watched(self) -> bool:
        """Whether the leg's speech is to be compared with before."""
        return self._far.state in WATCHED and self._can_compare

    def take(self, code: int, x: float, y: float, t_s: float) -> list[Event]:
        """Take a code of `fired`."""
        self._settle(t_s)
        if code == fired.VOICE_STEP:
            self._hear_step(t_s)
        elif code in (fired.GAP_BEGAN, fired.GAP_STEP, fired.GAP_ENDED):
            if not self._is_music:
                self._hear_gap(code, x, y, t_s)
        elif code in (fired.NOISE, fired.NOISE_OVER, fired.TTY, fired.FAX):
            self._mask(code)
        elif code in (fired.MUSIC, fired.MUSIC_OVER):
            self._hear_music(code, x, t_s)
        elif not self._far.is_deaf:
            self._hear_cue(code, x, y, t_s)
        return self._tell(t_s)

    def note(self, note: Note, t_s: float) -> list[Event]:
        """Take what signalling saw."""
        self._settle(t_s)
        kind = note.note
        if kind is NoteKind.ANSWERED or (kind is NoteKind.TALKING and self._answered_s is None):
            self._answered_s = t_s
        elif kind is NoteKind.HOLD:
            self._add(evidence.S1, t_s, note.form)
            self._step(Input.HOLD, t_s)
            self._signalled_hold_s = t_s
        elif kind is NoteKind.RESUME:
            self._signalled_hold_s = None
            self._step(Input.RESUME, t_s)
        elif kind is NoteKind.FORWARDING:
            self._forwarded.add(evidence.F1, t_s, note.form)
        elif kind is NoteKind.FLASH:
            self._add(evidence.C1_PAIR, t_s, note.form)
        elif kind is NoteKind.TTY:
            self._step(Input.DATA, t_s)
        elif kind is NoteKind.WARNED:
            self._three_way.rearm()
            self._forwarded.rearm()
        return self._tell(t_s)

    def digit(self, key: str, t_s: float) -> list[Event]:
        """The called party pressed a key (T4)."""
        self._settle(t_s)
        if self._answered_s is None:
            return []
        self._digits = [at for at in self._digits if t_s - at <= NUMBER_S] + [t_s]
        near_gap = self._far.state is not State.CONNECTED or t_s - self._gap_ended_s <= DIGIT_GAP_S
        if len(self._digits) >= NUMBER_DIGITS:
            self._add(evidence.T4_NUMBER, t_s, "number")
            self._step(Input.TONE, t_s)
        elif near_gap and key not in WAITING_KEYS:
            self._add(evidence.T4_ONE, t_s, "digit")
        return self._tell(t_s)

    def _settle(self, t_s: float) -> None:
        self._far.settle(self._three_way, t_s)
        self._far.settle(self._forwarded, t_s)
        state = self._far.state
        last = max(self._three_way.last_evidence_s, self._state_since_s)
        if state in (State.BRIDGED, State.REJOIN) and t_s - last >= CALM_S:
            self._step(Input.CALM, t_s)

    def _add(self, weight: Weight, t_s: float, value: str, nats: float | None = None) -> None:
        if not self._far.is_deaf:
            self._three_way.add(weight, t_s, value, nats)

    def _step(self, kind: Input, t_s: float) -> None:
        before = self._far.state
        for action in self._far.step(kind):
            match action:
                case Action.TELL_WAITING:
                    self._tell_waiting()
                case Action.RETRACT_GAP:
                    self._three_way.retract(GAP_SETS)
                case Action.CLEAR:
                    self._three_way.clear()
                case Action.COMPARE:
                    self._change = VoiceChange()
                    self._can_compare = has_reference(self._ears.voices, self._row)
                    self._is_same = True
                    self._waiting_told = False
                    self._after_music = kind is Input.MUSIC
                case Action.LEARN:
                    if self._is_same:
                        self._change.learn(self._ears.voices, self._row)
        if self._far.state is not before:
            self._state_since_s = t_s
            if self._far.state is State.REJOIN:
                forget_after(self._row, self._ears.rooms)

    def _tell_waiting(self) -> None:
        """Once per hold."""
        self._waiting |= not self._waiting_told
        self._waiting_told = True

    def _tell(self, t_s: float) -> list[Event]:
        events: list[Event] = []
        if self._waiting:
            self._waiting = False
            events.append(Event(t_s, self._row, Kind.CALL_WAITING))
        events += self._three_way.tell(t_s)
        events += self._forwarded.tell(t_s)
        return [event for event in events if event.kind in self._kinds]

    def _mask(self, code: int) -> None:
        if code == fired.NOISE:
            self._far.step(Input.NOISE)
        elif code == fired.NOISE_OVER:
            self._far.step(Input.NOISE_OVER)
        else:
            for _ in self._far.step(Input.DATA):
                self._three_way.clear()

    @property
    def _is_gated(self) -> bool:
        return self._short_gaps >= SHORT_GAPS_MAX

    def _hear_gap(self, code: int, x: float, y: float, t_s: float) -> None:
        if code == fired.GAP_BEGAN:
            self._gap_began_s = t_s - x
            self._talked_s = 0.0
            self._floor_gone = 0
            self._step(Input.GAP, t_s)
            if self._gap_began_s - self._click_s <= EDGE_S:
                self._add(evidence.C1, t_s, "at the edge")
        elif code == fired.GAP_STEP:
            self._last_in_gap(x, y, t_s)
        else:
            self._leave_gap(x, int(y), t_s)

    def _last_in_gap(self, talked: float, distance_db: float, t_s: float) -> None:
        if self._far.state not in (State.GAP, State.HELD, State.HELD_TONE):
            return
        gap_s = t_s - self._gap_began_s
        self._had_real_gap |= gap_s >= GAP_REAL_S
        self._talked_s += talked * gap.STEP_FRAMES * 0.02
        if not self._is_gated:
            self._weigh_floor(distance_db, t_s)
        heard = self._three_way.nats_of(EvidenceSet.GAP_TIME)
        nats = gap_nats(gap_s)
        if nats >= 0 or heard <= 0:
            self._add(evidence.G4, t_s, f"{gap_s:.1f} s", nats)
        if gap_s >= GAP_WATCHED_S and distance_db >= gap.FLOOR_SAME_DB:
            self._step(Input.FLOOR_GONE, t_s)
        if self._talked_s >= U1_TALK_S and not self._is_gated:
            nats = min(U1_NATS_PER_S * self._talked_s, evidence.U1.nats)
            self._add(evidence.U1, t_s, f"{self._talked_s:.1f} s", nats)

    def _weigh_floor(self, distance_db: float, t_s: float) -> None:
        """Before the time is weighed: a short gap must not use up what a click has said."""
        weight = floor_weight(distance_db)
        if weight is None:
            self._floor_gone = 0
            return
        self._floor_gone += 1
        far = "digital silence" if distance_db >= gap.DISTANCE_SILENCE else f"{distance_db:.0f} dB"
        self._add(weight, t_s, far)
        if self._floor_gone >= FLOOR_GONE_STEPS:
            self._step(Input.FLOOR_GONE, t_s)

    def _leave_gap(self, gap_s: float, how: int, t_s: float) -> None:
        was_gap = self._far.state is State.GAP
        sharp, how = how >= gap.ENDED_SHARP, how % gap.ENDED_SHARP
        self._gap_ended_s = t_s
        mute = sharp and any(low <= gap_s <= high for low, high in MUTE_S) and not self._is_gated
        if was_gap and gap_s < SHORT_GAP_S:
            self._short_gaps += 1
        if was_gap and mute and how != gap.ENDED_LOSS:
            self._step(Input.MUTE, t_s)
        elif how == gap.ENDED_FLOOR:
            if was_gap:
                self._add(evidence.G3, t_s, "")
            self._step(Input.SAME_FLOOR, t_s)
        elif was_gap or how != gap.ENDED_LOSS:
            self._step(Input.VOICE, t_s)
        if t_s - self._click_s <= EDGE_S:
            self._add(evidence.C1, t_s, "at the edge")

    def _hear_cue(self, code: int, x: float, y: float, t_s: float) -> None:
        if code == fired.CLICK:
            self._click_s = t_s
            if y > 0:
                self._add(evidence.C2, t_s, "while talking")
        elif code == fired.FLASH:
            self._add(evidence.C1_PAIR, t_s, f"{x:.2f} s apart")
        elif code == fired.STREAM:
            bits = int(x).bit_count()
            self._add(evidence.S2, t_s, f"flags {int(x)}", min(1.5 * bits, 3.0))
        elif self._answered_s is not None and not self._is_music:
            self._hear_tone(code, x, t_s, self._answered_s)

    def _hear_music(self, code: int, music_s: float, t_s: float) -> None:
        self._is_music = code == fired.MUSIC
        if not self._is_music or self._answered_s is None or self._far.state is State.BRIDGED:
            return
        if music_s <= MUSIC_FIRST_S:
            self._music_times += 1 if has_reference(self._ears.voices, self._row) else 2
        if self._music_times > 1:
            self._step(Input.MUSIC, t_s)
            return
        self._add(evidence.T5, t_s, f"{music_s:.1f} s")
        nats = gap_nats(music_s)
        if nats > 0:
            self._add(evidence.G4, t_s, f"{music_s:.1f} s", nats)
        self._step(Input.MUSIC, t_s)

    def _hear_tone(self, code: int, x: float, t_s: float, answered_s: float) -> None:
        if code == fired.DIAL_TONE:
            self._add(evidence.T1, t_s, f"{x:.2f} s")
        elif code == fired.RINGBACK:
            if t_s - answered_s <= FORWARD_S and not self._had_real_gap:
                self._forwarded.add(evidence.F2, t_s, f"{x:.2f} s")
                return
            self._add(evidence.T2, t_s, f"{x:.2f} s")
        elif code in (fired.BUSY, fired.REORDER):
            self._add(evidence.T3, t_s, "busy" if code == fired.BUSY else "reorder")
        elif code == fired.SIT:
            self._forwarded.add(evidence.F3, t_s, SIT_CLASSES[int(x)])
            self._add(evidence.T3, t_s, f"sit {SIT_CLASSES[int(x)]}")
        else:
            return
        self._step(Input.TONE, t_s)

    def _hear_step(self, t_s: float) -> None:
        verdict = self._change.take(self._ears.voices, self._row)
        if self._is_held_by_signal(t_s):
            self._change = VoiceChange()
            return
        if self._far.state in (State.HELD, State.HELD_TONE):
            self._step(Input.VOICE, t_s)
        if is_likely(self._row, self._ears.music):
            return
        if verdict is not None:
            self._judge(verdict, t_s)
        if self._far.state in (State.REJOIN, State.BRIDGED):
            self._judge_room(t_s)
        if self._far.state is State.REJOIN and self._change.is_over:
            self._step(Input.UNDECIDED, t_s)

    def _is_held_by_signal(self, t_s: float) -> bool:
        """Until the far end is resumed, what talks is a holding machine."""
        since_s = self._signalled_hold_s
        return since_s is not None and t_s - since_s <= SIGNALLED_HOLD_S_MAX

    def _judge_room(self, t_s: float) -> None:
        if self._after_music:
            return
        change = room_change(self._ears.rooms, self._row)
        if change is not None and change.nats > 0:
            value = f"room {change.level_db:+.1f} dB, shape {change.shape_db:.1f} dB"
            self._add(evidence.P1, t_s, value, change.nats)
            if change.nats >= evidence.BRIDGE_NATS_MIN:
                self._step(Input.OTHER_PARTY, t_s)

    def _judge_after_music(self, verdict: Verdict, t_s: float) -> None:
        """What sounds on after music may be more of it: no sign of another person."""
        self._add(evidence.P2, t_s, "after music", min(verdict.p2_nats, AFTER_MUSIC_NATS_MAX))
        if self._change.is_over:
            self._step(Input.UNDECIDED, t_s)

    def _judge(self, verdict: Verdict, t_s: float) -> None:
        self._is_same = verdict.whole_nats <= 0
        if self._after_music:
            self._judge_after_music(verdict, t_s)
            return
        if verdict.moved:
            self._add(evidence.P1, t_s, f"level {verdict.level_db:+.0f} dB")
        if verdict.p2_nats > 0 or self._far.state is State.REJOIN:
            self._add(evidence.P2, t_s, "voice", verdict.p2_nats)
        if verdict.two_voices:
            self._add(evidence.P3, t_s, "old and new voice")
        if verdict.moved or verdict.two_voices or verdict.p2_nats >= P2_OTHER:
            self._step(Input.OTHER_PARTY, t_s)
        elif verdict.whole_nats <= P2_SAME and not self._three_way.has_bridge_sign():
            if verdict.steps >= SAME_STEPS:
                self._tell_waiting()
            if self._change.is_over:
                self._step(Input.SAME_PARTY, t_s)


def floor_weight(distance_db: float) -> Weight | None:
    """G2's weight for the floor's distance from the baseline, or None."""
    if distance_db >= NOTHING_DB:
        return evidence.G2_SILENCE
    if distance_db > 10:
        return evidence.G2_STRONG
    return evidence.G2_WEAK if distance_db >= 6 else None
