"""`kinline terminal …`, `trunk …`, `lockdown …`, `why …`: the switches of the house."""

import asyncio
import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from switch.admin.command import Argument, Command, Desk
from switch.admin.house_desk import changed, open_house, option
from switch.billing.settings import BillingSettings
from switch.errors import UserError
from switch.ids import FacilityId, PersonId, TerminalId, TrunkId, UnitId
from switch.routing.terminal import Terminal
from switch.routing.trunk import TrunkSettings
from switch.screening.facts import HouseOrder
from switch.screening.order import Outcome, preview, screen
from switch.screening.permit import Denied
from switch.sdp.crypto import Srtp
from switch.sip.digest import Algorithm, ha1
from switch.store import house_orders, house_rows
from switch.store.engine import driver
from switch.store.house_clock import utc_text
from switch.store.house_store import known_terminal
from switch.store.price_files import load_price_book

Given = Mapping[str, Any]
T = TypeVar("T", Terminal, TrunkSettings, HouseOrder)


async def _terminal_add(desk: Desk, given: Given) -> dict[str, Any]:
    house = await open_house(desk)
    if given["facility"] not in house.house.facilities:
        raise UserError(f"There is no facility {given['facility']}.")
    terminal = _made(
        Terminal,
        id=TerminalId(given["terminal"]),
        facility=FacilityId(given["facility"]),
        unit=UnitId(given["unit"]),
        gateway=given["gateway"],
        use=given["use"],
        only=given["only"] or [],
        tty=given["tty"],
        nat=given["nat"],
        srtp=given["srtp"],
    )
    if terminal.id in house.house.terminals:
        raise UserError(f"There is a terminal {terminal.id} already.")
    answer: dict[str, Any] = {}
    if not terminal.gateway:
        user, name = given["user"] or terminal.id, f"terminal-{terminal.id}.password"
        password = house.keys.secret(name)
        digest = ha1(user, terminal.digest_realm, password, Algorithm(given["algorithm"]))
        terminal = msgspec.structs.replace(
            terminal, digest_user=user, digest_ha1={given["algorithm"]: digest}
        )
        answer = {"password_file": str(house.keys.folder / name)}
    await desk.store.write(lambda c: house_rows.put(driver(c), terminal))
    await changed(desk)
    return {**_terminal_view(terminal), **answer}


async def _terminal_show(desk: Desk, given: Given) -> dict[str, Any]:
    house = await open_house(desk)
    terminal = known_terminal(house.house, given["terminal"])
    shown: dict[str, Any] = msgspec.to_builtins(terminal)
    shown["digest_ha1"] = list(terminal.digest_ha1)
    return shown


async def _terminal_list(desk: Desk, given: Given) -> list[dict[str, Any]]:
    house = await open_house(desk)
    return [
        _terminal_view(terminal)
        for terminal in house.house.terminals.values()
        if given["facility"] in {"", terminal.facility}
    ]


async def _enable(desk: Desk, given: Given) -> dict[str, Any]:
    return await _switch(desk, given["terminal"], enabled=True)


async def _disable(desk: Desk, given: Given) -> dict[str, Any]:
    return await _switch(desk, given["terminal"], enabled=False)


async def _switch(desk: Desk, terminal: str, *, enabled: bool) -> dict[str, Any]:
    """Turn a terminal on or off; a call in progress finishes."""
    house = await open_house(desk)
    old = known_terminal(house.house, terminal)
    until = 0.0 if enabled else old.disabled_until
    fresh = msgspec.structs.replace(old, enabled=enabled, disabled_until=until)
    await desk.store.write(lambda c: house_rows.put(driver(c), fresh))
    await changed(desk)
    return _terminal_view(fresh)


async def _trunk_add(desk: Desk, given: Given) -> dict[str, Any]:
    trunk = _made(
        TrunkSettings,
        id=TrunkId(given["trunk"]),
        host=given["host"],
        port=given["port"],
        transport=given["transport"],
        domain=given["domain"],
        srtp=given["srtp"],
        order=given["order"],
        channels_max=given["channels"],
        user=given["user"],
        password_file=given["password_file"],
        caller_number=given["caller_number"],
    )
    await desk.store.write(lambda c: house_rows.put(driver(c), trunk))
    await changed(desk)
    return _trunk_view(trunk)


async def _trunk_list(desk: Desk, _given: Given) -> list[dict[str, Any]]:
    trunks = await desk.store.read(lambda c: house_rows.every(driver(c), TrunkSettings))
    return [_trunk_view(trunk) for trunk in sorted(trunks, key=lambda t: (t.order, t.id))]


async def _lockdown_set(desk: Desk, given: Given) -> dict[str, Any]:
    house = await open_house(desk)
    spares = given["spare"]
    if spares is None and given["level"] != "agency":
        facility = given["target"].split("/")[0]
        if given["level"] == "terminal":
            facility = known_terminal(house.house, given["target"]).facility
        spares = house.house.facility(FacilityId(facility)).rules.spared_by_lockdown
    order = _made(
        HouseOrder,
        id=0,
        kind=given["kind"],
        level=given["level"],
        target=given["target"],
        way=given["way"],
        spares=list(spares or ()),
        by=desk.by,
        why=given["why"],
        at=desk.clock.wall(),
    )
    _known_target(house.house, order)
    order = await house.give_order(order)
    await changed(desk)
    return _order_view(order)


async def _lockdown_lift(desk: Desk, given: Given) -> dict[str, Any]:
    at = desk.clock.wall()
    await desk.store.write(
        lambda c: house_orders.lift(driver(c), given["order"], by=desk.by, why=given["why"], at=at)
    )
    await changed(desk)
    return {"order": given["order"], "state": "lifted"}


async def _lockdown_list(desk: Desk, given: Given) -> list[dict[str, Any]]:
    rows = await desk.store.read(lambda c: house_orders.logged(driver(c), rows_max=given["rows"]))
    return [
        {
            **row,
            "at": utc_text(row["at"]),
            "lifted_at": utc_text(row["lifted_at"]) if row["lifted_at"] else "",
        }
        for row in rows
    ]


async def _why(desk: Desk, given: Given) -> dict[str, Any]:
    """Say why a call would be refused now. The call itself asks the same function.

    Whether there is room only a running switch knows; without it row 13 passes.
    """
    prices = await asyncio.to_thread(_prices, Path(given["config"]))
    house = await open_house(desk, prices)
    terminal = known_terminal(house.house, given["terminal"])
    person = None if given["person"] in {"", "-"} else PersonId(given["person"])
    facts = await house.gather(
        terminal=terminal, person=person, digits=given["number"], at_wall=desk.clock.wall()
    )
    if desk.board is not None and facts.number is not None:
        facts = dataclasses.replace(facts, room=desk.board.room_for(facts.number.number.e164))
    verdict = screen(facts)
    rows = [
        {
            "row": result.row,
            "reason": result.reason.value,
            "outcome": result.outcome.value,
            "detail": result.denied.detail if result.denied is not None else "",
        }
        for result in preview(facts)
    ]
    refused = verdict.reason.value if isinstance(verdict, Denied) else ""
    return {
        "allowed": not refused,
        "reason": refused,
        "class": facts.call_class.value if facts.call_class is not None else "",
        "also": [
            row["reason"]
            for row in rows
            if row["outcome"] == Outcome.FAILS.value and row["reason"] != refused
        ],
        "conditions": rows,
    }


def _prices(folder: Path) -> Any:  # noqa: ANN401 - a price book
    """Read every file of law and contracts in a configuration folder."""
    law = tuple(f"law/{path.name}" for path in sorted((folder / "law").glob("*.toml")))
    names = sorted((folder / "tariffs").glob("*.toml"))
    tariffs = tuple(f"tariffs/{path.name}" for path in names)
    return load_price_book(folder, BillingSettings(law=law, tariffs=tariffs))


def _known_target(house: Any, order: HouseOrder) -> None:  # noqa: ANN401 - a House
    """Refuse an order about something that is not there."""
    known = {
        "agency": set(house.agencies),
        "facility": set(house.facilities),
        "unit": {f"{facility}/{unit}" for facility, unit in house.units},
        "terminal": set(house.terminals),
    }[order.level]
    if order.target not in known:
        shown = ", ".join(sorted(known)[:10])
        raise UserError(f"There is no {order.level} {order.target}. Known: {shown}.")


def _made(made: type[T], /, **fields: Any) -> T:  # noqa: ANN401 - checked by msgspec
    try:
        return msgspec.convert(fields, made)
    except msgspec.ValidationError as error:
        raise UserError(str(error)) from error


def _terminal_view(terminal: Terminal) -> dict[str, Any]:
    return {
        "id": terminal.id,
        "facility": terminal.facility,
        "unit": terminal.unit,
        "user": terminal.digest_user,
        "gateway": terminal.gateway,
        "enabled": terminal.enabled,
        "off_until": utc_text(terminal.disabled_until) if terminal.disabled_until else "",
        "use": terminal.use,
    }


def _trunk_view(trunk: TrunkSettings) -> dict[str, Any]:
    return {
        "id": trunk.id,
        "host": trunk.host,
        "port": trunk.port,
        "transport": trunk.transport,
        "srtp": trunk.srtp,
        "order": trunk.order,
        "channels_max": trunk.channels_max,
        "enabled": trunk.enabled,
    }


def _order_view(order: HouseOrder) -> dict[str, Any]:
    return {**msgspec.to_builtins(order), "at": utc_text(order.at)}


_TERMINAL: Final = Argument(name="terminal", help="the terminal's id")
_WHY: Final = Argument(name="--why", help="the reason; kept for good")

SITE_COMMANDS: Final = (
    Command(
        noun="terminal",
        verb="add",
        help="add a terminal; its password is made in the key folder",
        arguments=(
            _TERMINAL,
            Argument(name="--facility", help="where"),
            option("--unit", "housing block"),
            option("--user", "digest user; the terminal's id if not given"),
            option("--algorithm", "of its digest", default="MD5", choices=("MD5", "SHA-256")),
            option("--gateway", "hangs on this gateway and needs no password"),
            option("--use", "what it is for, like library"),
            option("--only", "a class of call that it may place", default=None, many=True),
            option("--tty", "a text telephone", kind=bool, default=False),
            option("--nat", "stands behind a translator of addresses", kind=bool, default=False),
            option("--srtp", "sound under a key, over TLS", default="allowed", choices=tuple(Srtp)),
        ),
        run=_terminal_add,
    ),
    Command(
        noun="terminal",
        verb="show",
        help="one terminal",
        arguments=(_TERMINAL,),
        run=_terminal_show,
    ),
    Command(
        noun="terminal",
        verb="list",
        help="terminals",
        arguments=(option("--facility", "of this facility"),),
        run=_terminal_list,
    ),
    Command(noun="terminal", verb="enable", help="turn it on", arguments=(_TERMINAL,), run=_enable),
    Command(
        noun="terminal",
        verb="disable",
        help="turn it off; a call in progress finishes",
        arguments=(_TERMINAL,),
        run=_disable,
    ),
    Command(
        noun="trunk",
        verb="add",
        help="add or change a trunk",
        arguments=(
            Argument(name="trunk", help="the trunk's id"),
            Argument(name="--host", help="its address"),
            option("--port", "its port", kind=int, default=5060),
            option("--transport", "how", default="udp", choices=("udp", "tcp", "tls")),
            option("--domain", "in its URIs and its certificate; its host if not given"),
            option("--srtp", "sound under a key, over TLS", default="allowed", choices=tuple(Srtp)),
            option("--order", "lower is tried first", kind=int, default=0),
            option("--channels", "calls at once", kind=int, default=30),
            option("--user", "who we are, if it asks"),
            option("--password-file", "in the data directory"),
            option("--caller-number", "what calls come from"),
        ),
        run=_trunk_add,
    ),
    Command(noun="trunk", verb="list", help="trunks, in the order of trying", run=_trunk_list),
    Command(
        noun="lockdown",
        verb="set",
        help="turn off a terminal, a unit, a facility or an agency",
        arguments=(
            Argument(name="level", help="what", choices=("agency", "facility", "unit", "terminal")),
            Argument(name="target", help="its id; a unit as FACILITY/UNIT"),
            option(
                "--way",
                "calls in progress: finish, end after 60 s, or end now",
                default="finish",
                choices=("finish", "announce", "now"),
            ),
            option(
                "--spare",
                "hotline or privileged calls go on",
                default=None,
                many=True,
                choices=("hotline", "privileged"),
            ),
            option("--kind", "why", default="lockdown", choices=("lockdown", "maintenance")),
            _WHY,
        ),
        run=_lockdown_set,
    ),
    Command(
        noun="lockdown",
        verb="lift",
        help="lift an order",
        arguments=(Argument(name="order", help="its number", kind=int), _WHY),
        run=_lockdown_lift,
    ),
    Command(
        noun="lockdown",
        verb="list",
        help="orders, the youngest first, with who lifted them",
        arguments=(option("--rows", "at most so many", kind=int, default=100),),
        run=_lockdown_list,
    ),
    Command(
        noun="why",
        verb="",
        help="why would this call be refused now?",
        arguments=(
            _TERMINAL,
            Argument(name="person", help="the person's id; - for nobody"),
            Argument(name="number", help="as it would be dialled"),
            option("--config", "folder of the configuration", default="config"),
        ),
        run=_why,
    ),
)
"""`kinline terminal …`, `kinline trunk …`, `kinline lockdown …`, `kinline why …`."""
