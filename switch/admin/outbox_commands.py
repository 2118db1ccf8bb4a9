"""`kinline outbox …`: what is to be told to people outside, and what came of it."""

from collections.abc import Mapping
from typing import Any, Final

from switch.admin.command import Argument, Command, Desk
from switch.admin.house_desk import ROWS, option
from switch.errors import UserError
from switch.store import outbox_store
from switch.store.engine import driver
from switch.store.house_clock import utc_text

Given = Mapping[str, Any]


async def _list(desk: Desk, given: Given) -> list[dict[str, Any]]:
    notices = await desk.store.read(
        lambda c: outbox_store.listed(driver(c), state=given["state"], rows_max=given["rows"])
    )
    return [
        {
            "notice": notice.id,
            "kind": notice.kind,
            "recipient": notice.recipient,
            "since": utc_text(notice.at),
            "state": notice.state,
            "tries": notice.tries,
            "next_try": utc_text(notice.next_at)
            if notice.state == "waiting" and notice.next_at
            else "",
            "fault": notice.fault,
        }
        for notice in notices
    ]


async def _retry(desk: Desk, given: Given) -> dict[str, Any]:
    which = given["notice"]
    if which != "all" and (not which.isdecimal() or int(which) < 1):
        raise UserError(f"{which!r} is no notice (allowed: a number of `outbox list`, or all)")
    count = await desk.store.write(
        lambda c: outbox_store.retry(driver(c), 0 if which == "all" else int(which))
    )
    if not count and which != "all":
        raise UserError(
            f"No unsent notice has the number {which}. `kinline outbox list` shows all."
        )
    return {"notice": which, "waiting": count}


OUTBOX_COMMANDS: Final = (
    Command(
        noun="outbox",
        verb="list",
        help="notices to people outside, the youngest first; without a mail server they wait",
        arguments=(
            option("--state", "only these", choices=("", "waiting", "sent", "failed")),
            ROWS,
        ),
        run=_list,
    ),
    Command(
        noun="outbox",
        verb="retry",
        help="send again what failed or waits, and trust its address again",
        arguments=(Argument(name="notice", help="its number, or all"),),
        run=_retry,
        examples=("outbox retry 7", "outbox retry all"),
    ),
)
"""`kinline outbox …`."""
