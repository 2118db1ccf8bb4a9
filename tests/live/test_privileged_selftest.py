"""The test call to an attorney: it passes where nothing hears, and fails where anything does."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from switch.errors import UserError
from tests.support.switch_rig import SwitchRig, next_call

pytestmark = [pytest.mark.live, pytest.mark.slow]

SELFTEST = """
[selftest]
number = "{number}"
user = "t1"
terminal = "T1"
talk_s = 1.5
"""


def house_of(number: str) -> Callable[[str], str]:
    """The open house records, and tests this number."""

    def edit(text: str) -> str:
        rules = "rules = { velocity = false, pan_required = false"
        on = 'recording = true, recording_days = 30, recording_accepted_by = "a test, 2026-11-01"'
        text = text.replace(rules, f"{rules}, {on}")
        return text + SELFTEST.format(number=number)

    return edit


async def answered(rig: SwitchRig) -> dict[str, Any]:
    """Answer the test call as the test attorney does: by itself."""
    outside = await rig.outside()
    asked = asyncio.create_task(rig.asked("privileged", "selftest"))  # noqa: TID251 - awaited below
    there = await next_call(outside)
    there.answer()
    result: dict[str, Any] = await asked
    return result


async def said(rig: SwitchRig) -> list[str]:
    """What the trail says of test calls."""
    trail = await rig.asked("audit", "list", rows=50)
    return [entry["after"] for entry in trail if entry["what"] == "privileged_selftest"]


async def test_nothing_hears_the_test_attorney(tmp_path: Path) -> None:
    async with SwitchRig(tmp_path, edit=house_of("+15553000001")) as rig:
        result = await answered(rig)
        assert result["faults"] == []
        assert result["passed"] is True
        assert result["looks"] >= 3
        record = await rig.last_record()
        assert record["call_id"] == result["call"]
        assert record["class"] == "privileged"
        async with asyncio.timeout(5):
            while not (entries := await said(rig)):
                await asyncio.sleep(0.1)
        assert entries == ["passed"]


async def test_it_fails_where_the_call_is_heard_and_kept(tmp_path: Path) -> None:
    """An ordinary number in the place of the attorney's: everything must show."""
    async with SwitchRig(tmp_path, edit=house_of("+15551000001")) as rig:
        result = await answered(rig)
        assert result["passed"] is False
        faults = " ".join(result["faults"])
        for fault in ("frame rings", "recorders", "tapes", "recorded", "registered", "bytes"):
            assert fault in faults, fault
        assert "privileged_selftest" in rig.log_text() or "attorney failed" in rig.log_text()


async def test_without_a_number_it_says_what_is_missing(tmp_path: Path) -> None:
    async with SwitchRig(tmp_path) as rig:
        with pytest.raises(UserError, match="selftest"):
            await rig.asked("privileged", "selftest")
