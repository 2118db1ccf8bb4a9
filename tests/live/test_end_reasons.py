"""Every way in which a call may end, driven through the real switch from the outside.

The calls are placed once for the whole file, many at the same time, and each test looks at one.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from switch.call.cause import EndReason
from switch.call.switchboard.error_card import load_card, release_card
from switch.store.account_store import AccountStore
from switch.store.engine import Store
from switch.store.record_store import RecordStore, public
from switch.store.vault import FileVault
from tests.support.end_scenes import (
    DEAD_S,
    HEARD_S,
    MORE,
    SCENES,
    SCRIPT,
    House,
    HouseAhead,
    Placed,
    Scene,
    house_of,
    the_switch_is_ended,
)
from tests.support.switch_rig import spoken, within

pytestmark = [pytest.mark.live, pytest.mark.slow]

MICROS_PER_MINUTE = 110_000
FULL_MICROS = 1_000_000
START_MICROS = {"15551900001": 5_000, "15551900003": 200_000}
"""What stood on the accounts that are not full."""

AT_ONCE = 8
"""Calls in progress beside the long ones: two cores carry the switch and all telephones."""


# ---- what must come of it: calls.md section 5.2, and who ended it, and when


@dataclass(frozen=True)
class Ending:
    """What stands in the record, and who hears the reason."""

    phase: str
    by: str
    to: str
    """`a` is the caller, `b` the called party."""
    q850: int
    credit: str = "free"
    paid_s: int | None = None
    """Seconds that are paid, where they follow from what was heard; else from the talk."""


# fmt: off
ENDINGS = {
    "busy":                 Ending("ringing",  "network", "a",  17),
    "no_answer":            Ending("ringing",  "network", "a",  19),
    "no_answer: it rings too long": Ending("ringing", "switch", "a", 19),
    "bad_number":           Ending("ringing",  "network", "a",  1),
    "congestion":           Ending("ringing",  "network", "a",  34),
    "congestion: the trunk asks for a rest": Ending("ringing", "network", "a", 34),
    "rejected_by_network":  Ending("ringing",  "network", "a",  21),
    "redirected":           Ending("ringing",  "network", "a",  23),
    "refused":              Ending("greeting", "called",  "ab", 21),
    "refused: it hangs up in the greeting": Ending("greeting", "called", "a", 21),
    "blocked_by_called":    Ending("greeting", "called",  "ab", 21),
    "no_response":          Ending("greeting", "switch",  "ab", 16),
    "caller_hangup: while it rings": Ending("ringing", "caller", "", 16),
    "caller_hangup":        Ending("talking",  "caller",  "b",  16, "-"),
    "called_hangup":        Ending("talking",  "called",  "a",  16, "-"),
    "time_limit":           Ending("talking",  "switch",  "ab", 16, "-"),
    "funds":                Ending("talking",  "switch",  "ab", 16, "-"),
    "payer_limit":          Ending("talking",  "switch",  "ab", 16, "-"),
    "schedule":             Ending("talking",  "switch",  "ab", 16, "-"),
    "lockdown":             Ending("talking",  "staff",   "ab", 16, "-"),
    "maintenance":          Ending("talking",  "staff",   "ab", 41, "60"),
    "staff_cut":            Ending("talking",  "staff",   "ab", 16, "-"),
    "person_changed":       Ending("talking",  "staff",   "ab", 16, "-"),
    "inactivity":           Ending("talking",  "switch",  "ab", 16, "60"),
    "joined_calls":         Ending("talking",  "staff",   "ab", 16, "60+all"),
    "dial_tone":            Ending("talking",  "network", "ab", 16, "60+all"),
    "network_failure":      Ending("talking",  "network", "a",  38, "dead+60"),
    "terminal_failure":     Ending("talking",  "caller",  "b",  27, "dead+60"),
    "media_lost":           Ending("talking",  "network", "ab", 41, "dead+60", HEARD_S),
    "metering_lost":        Ending("talking",  "switch",  "ab", 41, "60"),
    "switch_failure":       Ending("talking",  "switch",  "",   41, "dead+60"),
}
# fmt: on

UNREACHABLE = {
    # A cut needs published error rates that bear it, on some kind of line.
    EndReason.THREE_WAY: "three_way",
    EndReason.EXTRA_DIGITS: "three_way",
}
"""The kind of detection whose card does not bear a cut yet."""

ELSEWHERE = {
    EndReason.VOICEMAIL,
    EndReason.FAX,
    EndReason.FORWARD,
    EndReason.RECORDER_FAILURE,
}
"""Need a machine's voice, a carrier that forwards or a recorder."""


LONG = ("inactivity", "time_limit", "person_changed")
ALONE = ("schedule", "metering_lost", "congestion: the trunk asks for a rest")
"""They want the switch for themselves, but for the long ones."""

LAST = "switch_failure"


@dataclass
class Outcome:
    """What came of a call."""

    placed: Placed
    record: dict[str, Any]
    balance_micros: int
    """What stands on the account afterwards."""


# ---- all of it, once


async def outcome_of(house: House, scene: Scene) -> Outcome:
    """Bring an ending about and gather what there is to know of it."""
    placed = await scene(house)
    await within(60, placed.here.ended)
    record = await house.rig.record_of(lambda r: r["number"] == f"+{placed.number}")
    shown = await house.rig.asked("account", "show", account=str(record["account"]))
    return Outcome(placed, record, shown["posted_micros"])


async def outcome_after_the_end(house: House, placed: Placed) -> Outcome:
    """Gather the same from the database of a switch that has ended."""
    store = await Store.open(house.rig.data / "kinline.sqlite3", clock=house.rig.clock)
    try:
        [record] = await RecordStore(store).find_all(number=f"+{placed.number}")
        [view] = await AccountStore(FileVault(store)).find_all(number=f"+{placed.number}")
    finally:
        await store.close()
    return Outcome(placed, public(record), view.account.purse.posted)


Result = Outcome | Exception


async def play(
    house: House, wanted: Iterable[str], results: dict[str, Result], at_once: int
) -> None:
    """Play scenes, so many at the same time; what goes wrong is one scene's own."""
    turn = asyncio.Semaphore(at_once)

    async def one(name: str) -> None:
        async with turn:
            try:
                results[name] = await outcome_of(house, SCENES[name])
            except Exception as error:  # noqa: BLE001 - told by the test of this scene
                results[name] = error

    async with asyncio.TaskGroup() as group:
        for name in wanted:
            group.create_task(one(name))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def results(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Result]:
    """Place the calls of all tests that were chosen; the long ones go on meanwhile."""
    params = [getattr(item, "callspec", None) for item in request.session.items]
    wanted = {spec.params["name"] for spec in params if spec and "name" in spec.params}
    found: dict[str, Result] = {}
    rig = HouseAhead(tmp_path_factory.mktemp("house"), script=SCRIPT, more=MORE)
    crowd = [r for r in SCENES if r in wanted and r not in (*LONG, *ALONE)]
    async with house_of(rig) as house:
        async with asyncio.TaskGroup() as group:
            group.create_task(play(house, [r for r in LONG if r in wanted], found, len(LONG)))
            await play(house, crowd, found, AT_ONCE)
            await play(house, [r for r in ALONE if r in wanted], found, 1)
        if LAST in wanted:
            placed = await the_switch_is_ended(house)
            found[LAST] = await outcome_after_the_end(house, placed)
    return found


# ---- what is said of each


@pytest.mark.parametrize("name", ENDINGS)
def test_a_call_ends_as(name: str, results: dict[str, Result]) -> None:
    outcome = results[name]
    if isinstance(outcome, Exception):
        raise outcome
    ending, record = ENDINGS[name], outcome.record
    reason = EndReason(name.split(":", maxsplit=1)[0])
    assert record["reason"] == reason.value
    assert (record["phase"], record["released_by"]) == (ending.phase, ending.by)
    check_words(reason, ending, outcome)
    check_money(ending, outcome)


def check_words(reason: EndReason, ending: Ending, outcome: Outcome) -> None:
    """Who is still there hears why; the terminal is told, the trunk is not."""
    said = {
        side: [k for k in spoken(outcome.record, side) if k.startswith("end_")] for side in "ab"
    }
    own = {side: [f"end_{reason.value}"] if side in ending.to else [] for side in "ab"}
    if reason is EndReason.BLOCKED_BY_CALLED:
        own["a"] = ["end_refused"]
    assert said == own
    completed = [p["completed"] for p in outcome.record["prompts"] if p["prompts"][0][:4] == "end_"]
    assert all(completed)
    if ending.by != "caller":
        header = f'Q.850;cause={ending.q850};text="{reason.value}"'
        assert outcome.placed.here.reason == header
    assert outcome.placed.there.reason in {"", "Q.850;cause=16"}


def check_money(ending: Ending, outcome: Outcome) -> None:
    """Every paid second is charged; what comes back comes back at once."""
    record = outcome.record
    seconds = int(record["talked_s"])
    if ending.credit == "dead+60" and ending.by != "switch":
        seconds -= DEAD_S
    if ending.paid_s is not None:
        seconds = ending.paid_s
    charge = 0 if ending.credit == "free" else charge_of(seconds)
    assert record["charge"] == charge
    assert (charge > 0) == (ending.credit != "free")
    back = charge - charge_of(seconds - 60) if "60" in ending.credit else 0
    assert sum(amount for _, amount in record["credits"]) == back
    start = START_MICROS.get(outcome.placed.number, FULL_MICROS)
    assert outcome.balance_micros == start - charge + back


def charge_of(seconds: int) -> int:
    """Price whole seconds, rounded down."""
    return MICROS_PER_MINUTE * max(0, seconds) // 60


@pytest.mark.xfail(reason="what they need is not there", strict=True)
@pytest.mark.parametrize("reason", UNREACHABLE, ids=lambda reason: reason.value)
def test_what_another_ending_needs_is_there(reason: EndReason) -> None:
    """Fails as expected; once it passes, the ending wants a scene."""
    card = load_card(release_card())
    kind = UNREACHABLE[reason]
    assert card is not None
    assert any(card.allows(kind, path) for path in card.wrong_cuts[kind])


def test_every_end_reason_is_driven_or_excused() -> None:
    assert {*SCENES, LAST} == set(ENDINGS)
    driven = {EndReason(name.split(":")[0]) for name in ENDINGS}
    assert driven | set(UNREACHABLE) | ELSEWHERE == set(EndReason)
