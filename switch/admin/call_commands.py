"""`kinline calls …`, `cut …`, `health`, `audit …`: what happened, what happens, and ending it."""

from collections.abc import Mapping
from typing import Any, Final

from switch.admin.command import Argument, Command, Desk
from switch.errors import UserError
from switch.ids import CallId
from switch.store import audit_store
from switch.store.record_store import RecordStore, public

Given = Mapping[str, Any]

TERMINAL_OFF_S: Final = 300
"""How long a staff cut turns the terminal off. Chosen: staff must have time to walk there."""

ROWS: Final = Argument(name="--rows", help="at most so many", kind=int, required=False, default=50)


async def _calls(desk: Desk, given: Given) -> dict[str, Any]:
    records = await RecordStore(desk.store).find_all(rows_max=given["rows"])
    live = desk.board.live_calls() if desk.board is not None else []
    return {"live": live, "ended": [public(record) for record in records]}


async def _show(desk: Desk, given: Given) -> dict[str, Any]:
    store = RecordStore(desk.store)
    call = CallId(given["call"])
    record = await store.get(call)
    if record is None:
        raise UserError(f"There is no record of a call {call}. `kinline calls list` shows them.")
    legs = [public(cdr) for cdr in await store.cdrs(call)]
    return {"record": public(record), "legs": legs}


async def _follow(desk: Desk, given: Given) -> dict[str, Any]:
    store = RecordStore(desk.store)
    position = given.get("position")
    if position is None:
        position = await store.head()
    head, records = await store.follow(position)
    return {"position": head, "records": [public(record) for record in records]}


async def _cut(desk: Desk, given: Given) -> dict[str, Any]:
    if desk.board is None:
        raise UserError("The switch does not run, so no call is live.")
    if given["alarm"] and not given["joined"]:
        raise UserError("--alarm names what --joined is about; give both or neither.")
    await desk.board.cut(
        given["call"],
        by=desk.by,
        why=given["why"],
        disable_terminal_s=given["terminal_off_s"],
        block=given["block"],
        joined=given["joined"],
        alarm=given["alarm"],
    )
    return {"cut": given["call"]}


async def _health(desk: Desk, _given: Given) -> dict[str, Any]:
    if desk.board is None:
        raise UserError("The switch does not run.")
    return desk.board.health()


async def _audit_verify(desk: Desk, given: Given) -> dict[str, Any]:
    published = _head(given["head"]) if given["head"] else None
    verdict = await desk.store.read(lambda c: audit_store.verify(c, published=published))
    return {
        "sound": not verdict.faults,
        "entries": verdict.entries,
        "head": f"{verdict.entries}:{verdict.head}",
        "faults": list(verdict.faults),
    }


def _head(text: str) -> tuple[int, str]:
    """Read a head as `verify` prints it: `120:9f…`."""
    n, _, link = text.partition(":")
    if not n.isdecimal() or len(link) != 64:
        raise UserError("A head is written like `120:` and 64 hexadecimal digits.")
    return int(n), link


async def _audit_list(desk: Desk, given: Given) -> list[dict[str, Any]]:
    rows = await desk.store.read(lambda c: audit_store.tail(c, given["rows"]))
    return [row.as_dict() for row in rows]


CALL_COMMANDS: Final = (
    Command(
        noun="calls",
        verb="list",
        help="live calls, and the last records",
        arguments=(ROWS,),
        run=_calls,
    ),
    Command(
        noun="calls",
        verb="show",
        help="one call: its record and both legs",
        arguments=(Argument(name="call", help="the call's id", kind=int),),
        run=_show,
    ),
    Command(
        noun="calls",
        verb="after",
        help="the records since a position (what --follow asks)",
        arguments=(
            Argument(name="--position", help="since then", kind=int, required=False, default=None),
        ),
        run=_follow,
    ),
    Command(
        noun="cut",
        verb="",
        help="end a live call at once; the people on it hear that staff ended it",
        arguments=(
            Argument(name="call", help="the call's id", kind=int),
            Argument(name="--why", help="the reason; kept for good"),
            Argument(
                name="--terminal-off-s",
                help="turn its terminal off for so many seconds; 0 leaves it on",
                kind=int,
                required=False,
                default=TERMINAL_OFF_S,
            ),
            Argument(
                name="--block",
                help="block the number as a security risk",
                kind=bool,
                required=False,
                default=False,
            ),
            Argument(
                name="--joined",
                help="two facilities' calls are joined: it ends as joined_calls, with its credit",
                kind=bool,
                required=False,
                default=False,
            ),
            Argument(
                name="--alarm",
                help="with --joined: the alarm, if you know it but the switch did not raise it",
                required=False,
                default="",
                choices=("inmate_to_inmate",),
            ),
        ),
        run=_cut,
        needs_switch=True,
        examples=(
            'cut 4711 --why "threats"',
            'cut 4711 --joined --why "two units talk to each other"',
        ),
    ),
    Command(
        noun="health",
        verb="",
        help="what the running switch holds: transactions, dialogs, legs, ports, workers",
        run=_health,
        needs_switch=True,
    ),
    Command(
        noun="audit",
        verb="verify",
        help="prove that the audit trail is whole",
        arguments=(
            Argument(
                name="--head",
                help="a head that was published: it must still be there",
                required=False,
                default="",
            ),
        ),
        run=_audit_verify,
    ),
    Command(noun="audit", verb="list", help="the last entries", arguments=(ROWS,), run=_audit_list),
)
