"""Facts of a call that meets every condition; a test changes what it is about."""

import dataclasses
from typing import Any

import msgspec

from switch.billing.line import LineInfo, LineVerdict
from switch.billing.payer import Payer
from switch.billing.quote import Quote, QuoteLine, make_quote
from switch.ids import AccountId, CallId, FacilityId, PersonId, TerminalId, UnitId
from switch.money import Micros
from switch.routing.call_class import Inspectable
from switch.routing.number import normalise
from switch.routing.schedule import LocalTime, Schedule, Window
from switch.routing.terminal import Terminal
from switch.screening.facts import (
    Facts,
    HouseOrder,
    MoneyFacts,
    NumberFacts,
    PanState,
    Person,
    PersonFacts,
    PinOutcome,
    SiteFacts,
    TerminalFacts,
)
from switch.screening.settings import Facility, FacilityRules, ScreeningSettings

CALL = CallId(7)
TUESDAY_NOON = LocalTime(2026, 11, 24, 1, 720)
CLOSED_AT_NOON = Schedule(open=(Window(start="08:00", end="11:30"),))


def a_quote(payer: Payer = Payer.CALLED_PREPAID) -> Quote:
    """Ten cents a minute."""
    lines = (QuoteLine(book="revenue", label="", micros_per_minute=100_000),)
    return make_quote(payer=payer, call_class="interstate", tariff="lab", lines=lines)


GOOD = Facts(
    call=CALL,
    at=TUESDAY_NOON,
    site=SiteFacts(
        facility=Facility(id=FacilityId("F1"), agency="pine-county", name="Pine County Jail"),
        settings=ScreeningSettings(),
    ),
    terminal=TerminalFacts(
        terminal=Terminal(id=TerminalId("T1"), facility=FacilityId("F1"), unit=UnitId("A"))
    ),
    person=PersonFacts(
        person=Person(id=PersonId("123456"), facility="F1", name="Alex Sample"),
        pin=PinOutcome.GOOD,
    ),
    number=NumberFacts(
        number=normalise("+15552345678"), audibility=Inspectable(CALL), pan=PanState.APPROVED
    ),
    money=MoneyFacts(
        payer=Payer.CALLED_PREPAID,
        account=AccountId(1),
        available=Micros(1_000_000),
        quote=a_quote(),
    ),
    line=LineInfo(verdict=LineVerdict.ALLOW, source="file"),
    rules_version="1",
)


def but(facts: Facts = GOOD, /, **changes: Any) -> Facts:
    """Return the facts with some parts changed: `person__pin=…` reaches inside a part."""
    tops: dict[str, dict[str, Any]] = {}
    for name, value in changes.items():
        part, _, inner = name.partition("__")
        tops.setdefault(part, {})[inner] = value
    fields = {part: _changed(getattr(facts, part), inner) for part, inner in tops.items()}
    return dataclasses.replace(facts, **fields)


def _changed(part: Any, inner: dict[str, Any]) -> Any:
    if "" in inner:
        return inner[""]
    plain = {name: value for name, value in inner.items() if "__" not in name}
    for name, value in inner.items():
        head, sep, rest = name.partition("__")
        if sep:
            plain[head] = _changed(plain.get(head, getattr(part, head)), {rest: value})
    if isinstance(part, msgspec.Struct):
        return msgspec.structs.replace(part, **plain)
    return dataclasses.replace(part, **plain)


def with_rules(facts: Facts = GOOD, /, **rules: Any) -> Facts:
    """Return the facts at a facility that chose otherwise."""
    return but(facts, site__facility__rules=FacilityRules(**rules))


def an_order(**changes: Any) -> HouseOrder:
    """A lockdown of the facility."""
    order = HouseOrder(
        id=3, kind="lockdown", level="facility", target="F1", by="officer", why="drill", at=0.0
    )
    return msgspec.structs.replace(order, **changes)
