from pathlib import Path

import pytest

from switch.errors import UserError
from switch.ids import FacilityId
from switch.store import house_seed
from tests.support.house_rig import HouseClock, lab_seed, open_house
from tests.switch.admin.test_house_commands import Office, office

__all__ = ["office"]


async def test_a_facility_is_changed_at_once_and_says_what_was_before(office: Office) -> None:
    done = await office.do(
        "facility set",
        key="F1",
        changes=["zone=America/Chicago", "rules.velocity=true", "settings.call_minutes_max=20"],
        why="moved",
    )
    assert done["before"]["zone"] == "America/Denver"
    assert done["after"]["zone"] == "America/Chicago"
    assert done["after"]["settings"] == {"call_minutes_max": 20}
    assert office.board.told == 1
    await office.house.reload()
    assert office.house.settings_of(FacilityId("F1")).call_minutes_max == 20
    shown = await office.do("facility show", key="F1")
    assert shown["rules"]["velocity"] is True


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("zone=Mars/Base", "zone: 'Mars/Base' is no time zone"),
        ("agency=nobody", "allowed: pine-county"),
        ("settings.call_minutes_max=100", r"call_minutes_max: .*allowed: 1 to 99"),
        ("settings.pin_mode=face", "allowed: one of id, id_passcode, none, passcode"),
        ("settings.nonsense=1", "nonsense"),
        ("rules.velocity=perhaps", "allowed: true or false"),
        ("home_area_code=55", "allowed: 3 digits"),
        ("caller_number=12", "not a whole number"),
        ("colour=red", "colour"),
        ("languages=[en", "not JSON"),
        ("nothing", "not a change"),
        ("zone.inner=1", "zone holds no further names"),
        ("id=F2", "part of the key"),
        ("name=", "name"),
        ("settings.detection_action=cut", "cut_opted_in_by"),
    ],
)
async def test_a_bad_value_is_refused_with_what_is_allowed(
    office: Office, change: str, says: str
) -> None:
    before = await office.do("facility show", key="F1")
    with pytest.raises(UserError, match=says):
        await office.do("facility set", key="F1", changes=[change], why="try")
    assert await office.do("facility show", key="F1") == before
    assert office.board.told == 0


async def test_a_field_gets_its_default_back(office: Office) -> None:
    await office.do("facility set", key="F1", changes=["zone="], why="try")
    assert (await office.do("facility show", key="F1"))["zone"] == "UTC"


async def test_a_unit_from_its_beginning_to_its_end(office: Office) -> None:
    await office.do("unit add", key="F1/B", changes=["name=Unit B"], why="opened")
    with pytest.raises(UserError, match="already"):
        await office.do("unit add", key="F1/B", changes=[], why="again")
    with pytest.raises(UserError, match="no facility"):
        await office.do("unit add", key="F9/B", changes=[], why="wrong house")
    with pytest.raises(UserError, match="like FACILITY/UNIT"):
        await office.do("unit show", key="B")
    with pytest.raises(UserError, match="used by terminal T1"):
        await office.do("unit remove", key="F1/A", why="closed")
    assert (await office.do("unit remove", key="F1/B", why="closed"))["before"]["name"] == "Unit B"
    assert [row["unit"] for row in await office.do("unit list")] == ["F1/A"]


async def test_a_gateway_is_trusted_by_an_address(office: Office) -> None:
    with pytest.raises(UserError, match="host"):
        await office.do("gateway add", key="G1", changes=["facility=F1"], why="new")
    for wrong, says in (("host=box.example", "an address or a network"), ("port=0", "1 to 65535")):
        with pytest.raises(UserError, match=says):
            await office.do(
                "gateway add", key="G1", changes=["facility=F1", "host=192.0.2.7", wrong], why="new"
            )
    changes = ["facility=F1", "host=192.0.2.7", "channels_max=8"]
    await office.do("gateway add", key="G1", changes=changes, why="new")
    assert (await office.do("gateway list"))[0]["channels_max"] == 8
    await office.house.reload()
    assert office.house.house.channels_max("G1") == 8


async def test_a_speed_dial_and_a_trunk(office: Office) -> None:
    await office.do("speed-dial add", key="F1/*78", changes=["number=+15552340078"], why="help")
    with pytest.raises(UserError, match="not a whole number"):
        await office.do("speed-dial set", key="F1/*78", changes=["number=1"], why="wrong")
    await office.do("trunk set", key="lab-carrier", changes=["enabled=false"], why="fault")
    await office.house.reload()
    assert office.house.house.trunks == ()
    assert office.house.house.speed_dial(FacilityId("F1"), "*78") is not None
    with pytest.raises(UserError, match="no trunk"):
        await office.do("trunk remove", key="west", why="gone")


async def test_a_facility_in_use_stays(office: Office) -> None:
    with pytest.raises(UserError, match="terminal T1"):
        await office.do("facility remove", key="F1", why="closed")
    with pytest.raises(UserError, match="facility F1"):
        await office.do("agency remove", key="pine-county", why="closed")


async def test_what_staff_changed_outlives_a_restart(tmp_path: Path) -> None:
    async with open_house(tmp_path, HouseClock()) as (store, house):
        office = Office(store, house)
        await office.do("facility set", key="F1", changes=["zone=America/Chicago"], why="moved")
        await office.do("speed-dial remove", key="F1/*77", why="gone")
    async with open_house(tmp_path, HouseClock()) as (_, house):
        assert house.house.facility(FacilityId("F1")).zone == "America/Chicago"
        assert house.house.speed_dials == {}


async def test_a_configuration_that_says_something_new_is_followed(tmp_path: Path) -> None:
    async with open_house(tmp_path, HouseClock()) as (store, house):
        office = Office(store, house)
        await office.do("facility set", key="F1", changes=["zone=America/Chicago"], why="moved")
        seed = lab_seed()
        seed.facility[0]["zone"] = "America/Phoenix"
        await house_seed.apply(seed, store=store, house=house)
        assert house.house.facility(FacilityId("F1")).zone == "America/Phoenix"
