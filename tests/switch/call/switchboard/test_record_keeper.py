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
