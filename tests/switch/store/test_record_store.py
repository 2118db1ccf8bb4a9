import ast
import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from switch.billing.cdr import CallRecord, Cdr
from switch.clock import SystemClock
from switch.ids import CallId, LegId
from switch.store.engine import Store
from switch.store.record_store import RecordStore, public, utc_text

ROOT = Path(__file__).parents[3]
FIELDS = """
call_id facility unit terminal person pin_mode class digits number speed_dial line_type carrier
ported line_source payer account languages prompts acceptance off_hook_at screened_at sent_at
ringing_at answered_at accepted_at bridged_at ended_at closing_done_at talked_s limit_s warnings
overlays reason phase released_by evidence marks digits_after_accept recorded not_recorded_because
recording_id hash listened_by barged_by rate_row quote charge taxes credits postings rules_version
switch_version node
"""
RECORD = CallRecord(
    call_id=CallId(9),
    facility="F1",
    person="P1",
    reason="called_hangup",
    phase="talking",
    released_by="called",
    off_hook_at=1_790_000_000.25,
    acceptance={"how": "1", "at": 1_790_000_012.0},
    talked_s=61.5,
    charge=111_833,
    credits=(("call:9:credit:0", 5),),
)


def play(path: Path, scene: Callable[[RecordStore], Awaitable[None]]) -> None:
    async def main() -> None:
        store = await Store.open(path / "kinline.db", clock=SystemClock())
        try:
            await scene(RecordStore(store))
        finally:
            await store.close()

    asyncio.run(main())


def test_a_record_has_exactly_the_fields_of_the_trade() -> None:
    """Those of calls.md section 9, and what section 3 wants beside the reason of a refusal."""
    assert set(public(RECORD)) == {*FIELDS.split(), "refusal_detail"}


def test_what_is_saved_is_found(tmp_path: Path) -> None:
    async def scene(records: RecordStore) -> None:
        legs = [Cdr(leg_id=LegId(18 + b), call_id=CallId(9), side="ab"[b]) for b in (0, 1)]
        await records.save(RECORD, legs)
        await records.save(RECORD, legs)
        assert await records.get(CallId(9)) == RECORD
        assert await records.get(CallId(8)) is None
        assert await records.cdrs(CallId(9)) == legs
        assert await records.find_all(person="P1") == [RECORD]
        assert await records.find_all(reason="funds") == []

    play(tmp_path, scene)


def test_whoever_follows_sees_each_record_once_it_is_written(tmp_path: Path) -> None:
    async def scene(records: RecordStore) -> None:
        start = await records.head()
        await records.save(RECORD)
        position, found = await records.follow(start)
        assert found == [RECORD]
        assert await records.follow(position) == (position, [])

    play(tmp_path, scene)


def test_detections_are_kept_in_order(tmp_path: Path) -> None:
    async def scene(records: RecordStore) -> None:
        for n in range(3):
            await records.save_detection(
                CallId(9), 18, at=1.0 + n, kind="sit", tier="log", event={"kind": "sit", "n": n}
            )
        assert [event["n"] for event in await records.detections(CallId(9))] == [0, 1, 2]

    play(tmp_path, scene)


def test_people_read_utc_with_microseconds() -> None:
    shown = public(RECORD)
    assert shown["off_hook_at"] == utc_text(1_790_000_000.25) == "2026-09-21T14:13:20.250000Z"
    assert shown["acceptance"]["at"].endswith("Z")
    assert shown["talked_s"] == 61.5


def test_no_way_leads_from_a_record_to_a_transfer() -> None:
    for name in ("switch/billing/cdr.py", "switch/store/record_store.py"):
        tree = ast.parse((ROOT / name).read_text())
        imported = {
            node.module
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module
        }
        assert not {m for m in imported if "ledger" in m or "meter" in m or "account" in m}
