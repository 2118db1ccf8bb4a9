"""What will stand in the record of one call, gathered while it lives, and told to the outside."""

from typing import Any, Final

from switch.billing.cdr import CallRecord, Cdr
from switch.billing.ledger import Settled
from switch.call import effects as fx
from switch.call.cause import EndReason
from switch.call.news import CallEndedNews, CallStateNews, PolicyNews, QualityNews
from switch.call.signals import Side
from switch.call.switchboard.rooms import Rooms
from switch.ids import CallId, FacilityId, TrunkId
from switch.media.messages import CallEnded, Detected, LegReport, LegResumed, PlayEnded
from switch.routing.call_class import Privileged
from switch.routing.number import mask
from switch.rtp.quality import Counts, score
from switch.screening.permit import Denied, Permit
from switch.screening.reasons import DenyReason
from switch.sdp.offer_answer import RemoteAudio
from switch.sip.forwarding import ForwardingSeen
from switch.store.record_store import RecordStore

EVIDENCE_MAX: Final = 512
"""Detections, digits and marks that one record keeps. Chosen: one each 12 s for 99 min."""


NOTES: Final = {
    "forwarding": "forwarding", "far_end_hold": "hold", "far_end_resume": "resume",
}  # fmt: skip
"""Marks that are notes to the detectors, and the names that they have there."""


class RecordKeeper:
    """Gathers, publishes, and at the end writes.

    Args:
        facts: what is known at the start: facility, unit, terminal, digits.
    """

    def __init__(
        self, rooms: Rooms, call: CallId, *, facility: FacilityId, facts: dict[str, Any]
    ) -> None:
        self.call = call
        self.facility = facility
        self.fields: dict[str, Any] = dict(facts)
        self.state = fx.CallState.OFF_HOOK
        self.phase = fx.CallState.OFF_HOOK
        """How far the call had come when its reason arose: the last state before the closing."""
        self.bridged_at: float | None = None
        self.ended: CallEnded | None = None
        self.trunk: TrunkId | None = None
        self.detections: list[dict[str, Any]] = []
        self.tries: list[dict[str, Any]] = []
        self.forwarding_forms: list[str] = []
        """How the trunk tried last said that the call is passed on, in order."""
        self.reports: dict[Side, LegReport] = {}
        self.began_at = rooms.clock.monotonic()
        self.b_law = ""
        self._rooms = rooms
        self._privileged = False
        self._prompts: dict[int, dict[str, Any]] = {}
        self._marks: list[dict[str, Any]] = []
        self._digits: list[dict[str, Any]] = []
        self._warnings: list[str] = []
        self._sent_at: float | None = None
        self._ringing_at: float | None = None

    # ---- the stations of the call

    def stamp(self, name: str, wall: float) -> None:
        """Note the wall time of a station once."""
        self.fields.setdefault(name, wall)

    def state_changed(self, state: fx.CallState, now: float) -> None:
        """The call is in another state."""
        self.state = state
        if state not in {fx.CallState.CLOSING, fx.CallState.DONE}:
            self.phase = state
        wall = self._wall(now)
        if state is fx.CallState.SCREENING:
            self.stamp("screened_at", wall)
        news = CallStateNews(
            call=self.call,
            facility=self.facility,
            state=state.value,
            at_wall=wall,
            privileged=self._privileged,
        )
        self._rooms.publisher.publish_nowait(news)

    def permitted(self, permit: Permit) -> None:
        """Screening allowed the call."""
        self._privileged = isinstance(permit.audibility, Privileged)
        quote = permit.quote
        self.fields |= {
            "call_class": permit.call_class.value,
            "number": str(permit.number),
            "speed_dial": permit.speed_dial,
            "line_type": permit.line_type,
            "carrier": permit.carrier,
            "ported": permit.ported,
            "line_source": permit.line_source,
            "payer": permit.payer.value,
            "account": permit.account,
            "limit_s": permit.limit_s,
            "not_recorded_because": permit.not_recorded_because,
            "rate_row": quote.rate_row if quote else "",
            "quote": quote.id if quote else "",
            "rules_version": permit.rules_version,
        }

    def denied(self, denied: Denied) -> None:
        """Screening refused the call; the detail is for staff."""
        self.fields["refusal_detail"] = denied.detail

    def dialled(self, now: float) -> None:
        """The first INVITE is about to go out."""
        self._sent_at = now

    def tried(self, trunk: TrunkId, now: float, wall: float) -> None:
        """An INVITE goes to a trunk."""
        self._sent_at = self._sent_at or now
        self.trunk = trunk
        self.forwarding_forms = []
        self.stamp("sent_at", wall)
        self.tries.append({"trunk": trunk, "at": wall})

    def rang(self, now: float, wall: float) -> None:
        """The outside rings."""
        self._ringing_at = self._ringing_at or now
        self.stamp("ringing_at", wall)

    def answered(self, now: float, wall: float, remote: RemoteAudio) -> None:
        """The outside picked up."""
        self._ringing_at = self._ringing_at or now
        self.b_law = remote.law
        self.stamp("answered_at", wall)

    def accepted(self, how: str, now: float) -> None:
        """The called party agreed, or the number needs no agreement."""
        wall = self._wall(now)
        self.stamp("accepted_at", wall)
        self.fields["acceptance"] = {"how": how, "at": wall}

    def bridged(self, now: float, wall: float) -> None:
        """Talking and charging began."""
        self.bridged_at = now
        self.stamp("bridged_at", wall)

    def parted(self, ended: CallEnded) -> None:
        """Talking and charging stopped."""
        if self.ended is None:
            self.ended = ended
            self.stamp("ended_at", self._wall(ended.ended_at))

    def lost_media(self, call: CallId, now: float) -> CallEnded:
        """Make up the end that no worker can tell any more: the last moment both were heard."""
        heard = max(
            (r.last_packet_at for r in self.reports.values()), default=self.bridged_at or now
        )
        return CallEnded(call, min(now, heard), by_paid_until=False, last_both_heard_at=heard)

    # ---- its recording

    def recorded(self, recording: str) -> None:
        """The worker records the call."""
        self.fields |= {"recorded": True, "recording_id": recording, "not_recorded_because": ""}

    def not_recorded(self, because: str) -> None:
        """It is not recorded, or no more."""
        self.fields |= {"recorded": False, "not_recorded_because": because}

    def recording_closed(self, sha256: str, because: str) -> None:
        """The file is closed."""
        self.fields |= {
            "hash": sha256,
            "recorded": not because,
            "not_recorded_because": because,
        }

    def events(self) -> list[dict[str, Any]]:
        """What happened while it was recorded, in seconds since the bridge, for the sidecar."""
        began = self.fields.get("bridged_at")
        if began is None:
            return []
        spoken = [
            {"type": "warning", "at": entry["started_at"], "prompts": entry["prompts"]}
            for entry in self._prompts.values()
            if any(key.startswith("warning") for key in entry["prompts"])
        ]
        found = [
            *({"type": "detection"} | one for one in self.detections),
            *({"type": "mark"} | one for one in self._marks),
            *({"type": "note"} | one for one in self._notes(began)),
            *({"type": "digit"} | one for one in self._digits),
            *spoken,
        ]
        timed = [one | {"at_s": round(one["at"] - began, 3)} for one in found]
        return sorted((one for one in timed if one["at_s"] >= 0), key=lambda one: one["at_s"])

    def _notes(self, began: float) -> list[dict[str, Any]]:
        """What signalling said, as the detectors' sidecar has it: at the bridge if it was before.

        detection.md section 5: the form, never the number.
        """
        return [
            {"note": NOTES[one["kind"]], "leg": "b", "form": one["detail"]["form"]}
            | {"at": max(began, one["at"])}
            for one in self._marks
            if one["kind"] in NOTES
        ]

    # ---- what happens in between

    def resumed(self, side: Side, report: LegResumed) -> None:
        """The worker of this call died and another goes on: the talk has a gap."""
        if side is not Side.A or self.bridged_at is None or self.ended is not None:
            return
        lost_at = max(report.lost_at, self.bridged_at)
        detail = (("gap_ms", str(round(1000 * (report.at - lost_at)))),)
        self.mark(fx.Mark("media_gap", "log", "a media worker was replaced", detail), report.at)

    def prompt_started(self, play: fx.Play, versions: list[str], now: float) -> None:
        """Something is said to one side, in these versions of its sentences.

        calls.md section 2.2: prompt id, version, language, start and end, per leg.
        """
        keys = [p.key for p in play.phrases]
        self._prompts[play.play] = {
            "prompts": keys,
            "versions": versions,
            "side": play.side.value,
            "language": play.language,
            "started_at": self._wall(now),
            "ended_at": None,
            "completed": False,
        }
        self._warnings += [k for k in keys if k.startswith("warning")]

    def prompt_ended(self, ended: PlayEnded) -> None:
        """It was said, or cut off."""
        entry = self._prompts.get(ended.play)
        if entry is not None:
            entry["ended_at"] = self._wall(ended.at)
            entry["completed"] = ended.completed

    def digit(self, side: Side, key: str, now: float) -> None:
        """A key was pressed while people talked. Never called for a privileged call."""
        if len(self._digits) < EVIDENCE_MAX:
            self._digits.append({"side": side.value, "key": key, "at": self._wall(now)})

    def detection(self, event: Detected) -> None:
        """The detectors said something."""
        if len(self.detections) < EVIDENCE_MAX:
            self.detections.append(event.event | {"at": self._wall(event.at)})
        self._policy(
            "detection", str(event.event["kind"]), str(event.event["tier"]), event.at, event.event
        )

    def mark(self, mark: fx.Mark, now: float) -> None:
        """The script marks the call."""
        detail = dict(mark.detail)
        if len(self._marks) < EVIDENCE_MAX:
            self._marks.append(
                {
                    "kind": mark.kind,
                    "tier": mark.tier,
                    "text": mark.text,
                    "at": self._wall(now),
                    "for_review": mark.for_review,
                    "detail": detail,
                }
            )
        self._policy("mark", mark.kind, mark.tier, now, detail | {"text": mark.text})

    def forwarding(self, seen: ForwardingSeen, now: float) -> None:
        """The carrier said that the call is passed on. Never called for a privileged call.

        The record keeps the number that was named, what is told outside masks it.
        """
        form = seen.form.value
        self.forwarding_forms.append(form)
        detail = {"form": form, "reason": seen.reason, "target": seen.target}
        self._evidence("forwarding", "The carrier says that the call is passed on.", now, detail)
        shown = detail | {"target": mask(seen.target) if seen.target else ""}
        self._policy("forwarding", form, "log", now, shown)

    def far_end_hold(self, what: str, form: str, now: float) -> None:
        """The far end put the call on hold, or took it back: call waiting does that, too."""
        detail = {"form": form}
        self._evidence(f"far_end_{what}", "The far end's telephone said so.", now, detail)
        self._policy("mark", f"far_end_{what}", "log", now, detail)

    def _evidence(self, kind: str, text: str, now: float, detail: dict[str, Any]) -> None:
        if len(self._marks) < EVIDENCE_MAX:
            row = {"kind": kind, "tier": "log", "text": text, "at": self._wall(now)}
            self._marks.append(row | {"for_review": False, "detail": detail})

    def leg_report(self, side: Side, report: LegReport) -> None:
        """A worker counted a leg's packets."""
        before = self.reports.get(side)
        counts = counts_of(report)
        stretch = counts if before is None else counts.since(counts_of(before))
        self.reports[side] = report
        self._rooms.publisher.publish_nowait(
            QualityNews(
                call=self.call,
                facility=self.facility,
                side=side.value,
                packets_received=report.packets_received,
                packets_sent=report.packets_sent,
                packets_lost=report.packets_lost,
                packets_dropped=report.dropped,
                packets_late=report.packets_late,
                jitter_ms=report.jitter_ms,
                mos=score(stretch, report.round_trip_ms),
                round_trip_ms=report.round_trip_ms,
                far_lost=report.far_lost,
                far_jitter_ms=report.far_jitter_ms,
                at_wall=self._wall(report.at),
            )
        )

    def detections_shown(self) -> list[dict[str, Any]]:
        """The detections that the consoles show: not the plain facts, such as keys."""
        return [
            {"kind": d["kind"], "tier": d["tier"], "at": d["at"]}
            for d in self.detections
            if d["kind"] != "dtmf"
        ][-8:]

    # ---- the end

    def talked_s(self) -> float:
        """Seconds between bridge and end, as the monotonic clock measured them."""
        if self.bridged_at is None or self.ended is None:
            return 0.0
        return max(0.0, self.ended.ended_at - self.bridged_at)

    def setup_s(self) -> float | None:
        """Post-dial delay, if it rang or was answered."""
        if self._sent_at is None or self._ringing_at is None:
            return None
        return self._ringing_at - self._sent_at

    def so_far(self) -> dict[str, Any]:
        """What a successor of this process needs to write the record, should we die."""
        known = set(CallRecord.__struct_fields__)
        return {k: v for k, v in self.fields.items() if k in known} | {"facility": self.facility}

    def record(self, finish: fx.Finish, settled: Settled, now: float) -> CallRecord:
        """Build the record; it quotes the meter."""
        self.stamp("closing_done_at", self._wall(now))
        fields = self.so_far()
        return CallRecord(
            call_id=self.call,
            facility=self.facility,
            prompts=list(self._prompts.values()),
            warnings=self._warnings,
            marks=self._marks,
            evidence=self.detections,
            digits_after_accept=self._digits,
            talked_s=round(self.talked_s(), 6),
            reason=finish.reason.value,
            phase=self.phase.value,
            released_by=finish.released_by,
            charge=settled.charged,
            taxes=settled.taxes,
            credits=settled.credits,
            postings=settled.postings,
            node=self._rooms.node,
            switch_version=self._rooms.version,
            **{k: v for k, v in fields.items() if k not in _BUILT},
        )

    async def close(
        self,
        finish: fx.Finish,
        settled: Settled,
        cdrs: list[Cdr],
        *,
        languages: dict[str, str],
        now: float,
    ) -> None:
        """Write the record and the two legs, and tell the consoles."""
        self.fields["languages"] = languages
        record = self.record(finish, settled, now)
        await RecordStore(self._rooms.store).save(record, cdrs)
        kind = "ending" if isinstance(finish.reason, EndReason) else "refusal"
        self._policy(kind, finish.reason.value, "", now, {"released_by": finish.released_by})
        self._rooms.publisher.publish_nowait(
            CallEndedNews(
                call=self.call,
                facility=self.facility,
                reason=finish.reason.value,
                talked_s=int(self.talked_s()),
                charge_micros=settled.charged,
                setup_s=self.setup_s(),
                trunk=self.trunk or "",
                at_wall=self._wall(now),
            )
        )

    def wall_now(self) -> float:
        """Wall time, for labels."""
        return self._rooms.clock.wall()

    def _wall(self, at: float) -> float:
        """Turn a monotonic moment of this life into wall time, for labels only."""
        clock = self._rooms.clock
        return clock.wall() - (clock.monotonic() - at)

    def _policy(self, kind: str, code: str, tier: str, at: float, detail: dict[str, Any]) -> None:
        self._rooms.publisher.publish_nowait(
            PolicyNews(
                call=self.call,
                facility=self.facility,
                kind=kind,
                code=code,
                tier=tier,
                at_wall=self._wall(at),
                detail=detail,
            )
        )


_BUILT: Final = frozenset(
    {
        "call_id", "facility", "prompts", "warnings", "marks", "evidence", "digits_after_accept",
        "talked_s", "reason", "phase", "released_by", "charge", "taxes", "credits", "postings",
        "node", "switch_version",
    }
)  # fmt: skip
"""Fields that `record` fills itself."""

Reason = EndReason | DenyReason


def counts_of(report: LegReport) -> Counts:
    """Return what a report counts of that which came."""
    return Counts(
        report.packets_received, report.packets_lost, report.packets_late, report.loss_runs
    )
