"""A called party blocks a person, then calls the site's service number and takes it back. B8."""

import asyncio
from pathlib import Path

import pytest

from tests.support.switch_rig import SwitchRig, next_call, spoken, within

pytestmark = [pytest.mark.live, pytest.mark.slow]

OWNER = "15552000077"
SERVICE = "15550000009"


def with_service_number(text: str) -> str:
    house = 'id = "OPEN"\nagency = "agency"'
    trunk = 'caller_number = "+15550000001"'
    assert house in text
    return text.replace(house, f'{house}\nservice_number = "+{SERVICE}"').replace(
        trunk, f"{trunk}\ntrusted = true"
    )


async def test_the_owner_of_a_blocked_number_undoes_it_alone(tmp_path: Path) -> None:
    async with SwitchRig(tmp_path, edit=with_service_number) as rig:
        outside, gateway = await rig.outside(), await rig.gateway()
        first = await gateway.call(OWNER)
        there = await next_call(outside)
        there.answer()
        await rig.until("greeting")
        there.media.press("59")
        await within(30, there.ended)
        assert (await rig.last_record())["reason"] == "blocked_by_called"
        first.hang_up()
        await rig.quiet()

        refused = await gateway.call(OWNER)
        await within(20, refused.ended)
        assert (await rig.last_record(2))["reason"] == "blocked_keypad"

        outside.user = OWNER
        service = await outside.call(SERVICE)
        await within(10, service.answered)
        row = await rig.until("number")
        assert row["terminal"] == "service:OPEN"
        service.media.press("7")
        await asyncio.sleep(2.0)
        service.hang_up()
        record = await rig.last_record(3)
        assert record["number"] == f"+{OWNER}"
        assert record["reason"] == "caller_hangup"
        assert record["charge"] == 0
        assert "block_undone" in spoken(record, "a")
        assert [mark["kind"] for mark in record["marks"]] == ["block_undone"]

        again = await gateway.call(OWNER)
        there = await next_call(outside)
        assert OWNER in there.invite.uri if there.invite is not None else False
        again.hang_up()


async def test_a_caller_without_a_number_is_refused(tmp_path: Path) -> None:
    async with SwitchRig(tmp_path, edit=with_service_number) as rig:
        outside = await rig.outside()
        outside.user = "anonymous"
        call = await outside.call(SERVICE)
        await within(10, call.ended)
        assert call.status == 403
        assert (await rig.last_record())["reason"] == "inbound_refused"
