"""The house in memory: what is looked up on every call and changes only by staff.

A value: a change makes a new one (`HouseStore.reload`). Persons, lists, blocks and counts are not
in it; they are read per call.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from switch.ids import FacilityId, PersonId, TerminalId
from switch.routing.call_class import CallClass
from switch.routing.schedule import ALWAYS_OPEN, Schedule
from switch.routing.terminal import Gateway, Terminal, anonymous_line
from switch.routing.treatment import SpeedDial
from switch.routing.trunk import Trunk
from switch.screening.facts import HouseOrder
from switch.screening.person import spares_suspended
from switch.screening.settings import Agency, Facility, Unit
from switch.sip.digest import Algorithm, Credential
from switch.sip.events import Source, SourceKind
from switch.sip.sources import KnownSource, SourceBook


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """Agencies, facilities, units, terminals, gateways, trunks, speed dials, orders."""

    version: int
    agencies: Mapping[str, Agency] = field(default_factory=dict)
    facilities: Mapping[FacilityId, Facility] = field(default_factory=dict)
    units: Mapping[tuple[str, str], Unit] = field(default_factory=dict)
    terminals: Mapping[TerminalId, Terminal] = field(default_factory=dict)
    gateways: Mapping[str, Gateway] = field(default_factory=dict)
    trunks: tuple[Trunk, ...] = ()
    speed_dials: Mapping[tuple[str, str], SpeedDial] = field(default_factory=dict)
    orders: tuple[HouseOrder, ...] = ()
    """Those in force, the oldest first."""
    gone: frozenset[PersonId] = frozenset()
    """People who may not use a telephone any more: released or moved."""
    suspended: frozenset[PersonId] = frozenset()
    """People who may not use a telephone today, but for what their site spares."""

    # ---- which line

    def terminal_of_user(self, user: str) -> Terminal | None:
        """Find the terminal that a digest user was proved for."""
        return next((t for t in self.terminals.values() if t.digest_user == user != ""), None)

    def terminal_of_gateway(self, gateway: str, from_user: str) -> Terminal | None:
        """Find the terminal that a gateway's From user names; None is nobody's line."""
        found = self.terminals.get(TerminalId(from_user))
        if found is not None and found.gateway == gateway:
            return found
        known = self.gateways.get(gateway)
        if known is None or not known.anonymous_lines:
            return None
        return anonymous_line(known, from_user)

    def channels_max(self, gateway: str) -> int | None:
        """How many calls a gateway may carry at once; None if it is not known."""
        known = self.gateways.get(gateway)
        return known.channels_max if known is not None else None

    def credentials(self) -> dict[str, Credential]:
        """Return the digest of every terminal that registers itself, by user."""
        found: dict[str, Credential] = {}
        for terminal in self.terminals.values():
            for algorithm, ha1 in list(terminal.digest_ha1.items())[:1]:
                found[terminal.digest_user] = Credential(
                    user=terminal.digest_user,
                    realm=terminal.digest_realm,
                    algorithm=Algorithm(algorithm),
                    ha1=ha1,
                )
        return found

    def source_book(self, terminal_networks: Iterable[str] = ()) -> SourceBook:
        """Return who may talk to us: trunks and gateways by address, terminals by network."""
        return SourceBook(
            [*self._trunk_sources(), *self._gateway_sources()]
            + [
                KnownSource(source=Source(SourceKind.TERMINAL, ""), network=network)
                for network in terminal_networks
            ]
        )

    def _trunk_sources(self) -> list[KnownSource]:
        return [
            KnownSource(
                source=Source(SourceKind.TRUNK, trunk.id),
                network=trunk.settings.host,
                port=trunk.settings.port,
                nat=trunk.settings.nat,
                certificate_name=trunk.certificate_name,
                calls_per_second_max=float(trunk.settings.calls_per_second_max),
            )
            for trunk in self.trunks
        ]

    def _gateway_sources(self) -> list[KnownSource]:
        return [
            KnownSource(
                source=Source(SourceKind.GATEWAY, gateway.id),
                network=gateway.host,
                port=gateway.port,
                nat=gateway.nat,
                calls_per_second_max=float(gateway.calls_per_second_max),
            )
            for gateway in self.gateways.values()
        ]

    # ---- what a site chose

    def facility(self, facility: FacilityId) -> Facility:
        """Return a facility; one that nobody configured for a line that is nobody's."""
        return self.facilities.get(facility) or Facility(id=facility, agency="", name="")

    def overrides(self, facility: FacilityId) -> Mapping[str, Any]:
        """Return what a facility chose of calls.md section 2.3, for `merged`."""
        found = self.facility(facility)
        return (
            {**found.settings, "languages": found.languages}
            if found.languages
            else {**found.settings}
        )

    def unit_schedule(self, terminal: Terminal) -> Schedule:
        """Return the hours of the unit that a terminal is in."""
        unit = self.units.get((terminal.facility, terminal.unit))
        return unit.schedule if unit is not None else ALWAYS_OPEN

    def speed_dial(self, facility: FacilityId, digits: str) -> SpeedDial | None:
        """Find what a code stands for; a hotline is known by its number too."""
        found = self.speed_dials.get((facility, digits))
        if found is not None:
            return found
        numbers = (d for d in self.speed_dials.values() if d.facility == facility and d.hotline)
        return next((d for d in numbers if d.number == digits), None)

    def hotlines(self, facility: FacilityId) -> list[SpeedDial]:
        """Return a facility's hotlines."""
        return [d for d in self.speed_dials.values() if d.facility == facility and d.hotline]

    def hotline_codes(self, facility: FacilityId) -> frozenset[str]:
        """Return the codes that work without a PIN."""
        return frozenset(d.code for d in self.hotlines(facility) if not d.pin_required)

    # ---- orders

    def orders_on(self, terminal: Terminal) -> tuple[HouseOrder, ...]:
        """Return the orders in force that cover a terminal, the oldest first."""
        agency = self.facility(terminal.facility).agency
        return tuple(o for o in self.orders if o.covers(agency=agency, terminal=terminal))

    def person_active(self, person: PersonId) -> bool:
        """Say whether a person may still use a telephone for whatever call."""
        return person not in self.gone and person not in self.suspended

    def may_talk(
        self, person: PersonId, facility: FacilityId, call_class: CallClass | None
    ) -> bool:
        """Say whether a call in progress may go on, as far as its caller goes.

        Args:
            person: who calls.
            facility: whose rules say what a suspension spares.
            call_class: of the call; None while nothing was dialled.
        """
        if person in self.gone:
            return False
        rules = self.facility(facility).rules
        return person not in self.suspended or spares_suspended(rules, call_class)
