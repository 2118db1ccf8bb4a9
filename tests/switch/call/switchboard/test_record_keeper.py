from types import SimpleNamespace
from typing import Any

from switch.billing.ledger import Settled
from switch.call import effects as fx
from switch.call.cause import EndReason
from switch.call.signals import Side
from switch.call.switchboard.record_keeper import RecordKeeper
from switch.ids import CallId, FacilityId, leg_id
from switch.media.messages import PlayEnded
from switch.media.phrase import Phrase
from switch.money import Micros
from switch.sip.forwarding import Form, ForwardingSeen
from tests.support.house_rig import HouseClock

CALL = CallId(7)


def keeper() -> RecordKeeper:
    rooms: Any = SimpleNamespace(clock=HouseClock(), node="n1", version="0")
    return RecordKeeper(rooms, CALL, facility=FacilityId("F1"), facts={"terminal": "T1"})


def settled() -> Settled:
    none = Micros(0)
    return Settled(
        call=CALL, seconds=0, charged=none, taxes=none, credited=none, credits=(), postings=()
    )


def test_the_record_keeps_which_version_of_each_prompt_was_said_to_whom() -> None:
    kept = keeper()
    now = kept.began_at
    greeting = fx.Play(Side.B, (Phrase("greeting"), Phrase("greeting_keys")), "es", 3)
    kept.prompt_started(greeting, ["0a", "0b"], now)
    kept.prompt_ended(PlayEnded(leg_id(CALL, is_b=True), 3, True, now + 9.0, 9.0))
    record = kept.record(fx.Finish(EndReason.REFUSED, "called"), settled(), now + 10.0)
    (said,) = record.prompts
    assert said["prompts"] == ["greeting", "greeting_keys"]
    assert said["versions"] == ["0a", "0b"]
    assert (said["side"], said["language"], said["completed"]) == (Side.B.value, "es", True)
    assert said["ended_at"] - said["started_at"] == 9.0


def test_forwarding_is_kept_with_its_target_told_masked_and_noted_at_the_bridge() -> None:
    told: list[Any] = []
    kept = keeper()
    kept._rooms.publisher = SimpleNamespace(publish_nowait=told.append)  # type: ignore[misc]
    seen = ForwardingSeen(Form.HISTORY_INFO, "+15552340099", "302")
    kept.forwarding(seen, kept.began_at + 1.0)
    kept.bridged(kept.began_at + 4.0, kept._wall(kept.began_at + 4.0))
    kept.far_end_hold("hold", "sendonly", kept.began_at + 6.0)
    record = kept.record(fx.Finish(EndReason.CALLED_HANGUP, "called"), settled(), 10.0)
    assert record.marks[0]["detail"] == {
        "form": "history_info", "reason": "302", "target": "+15552340099",
    }  # fmt: skip
    assert told[0].kind == "forwarding"
    assert "0099" in told[0].detail["target"]
    assert "5552340099" not in str(told)
    notes = [
        (e["at_s"], e["note"], e["leg"], e["form"]) for e in kept.events() if e["type"] == "note"
    ]
    assert notes == [(0.0, "forwarding", "b", "history_info"), (2.0, "hold", "b", "sendonly")]
