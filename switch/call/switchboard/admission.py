"""A new INVITE: which line is it, may it be answered, and what does its call begin with?

The a-leg's port is opened here and its answer written, so that the script only has to say when.
What is refused by status alone (an unknown line, a line that is busy, no port left, a call from
outside) gets a driver too, so that every refusal has its record.
"""

import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

import msgspec

from switch.call import effects as fx
from switch.call.call import Call
from switch.call.line import Line
from switch.call.script import Script
from switch.call.settings import ScriptSettings, merged
from switch.call.signals import Side
from switch.call.switchboard.caller import CallerLeg, CallerMedia
from switch.call.switchboard.caller_dialog import CallerDialog
from switch.call.switchboard.capacity import Capacity
from switch.call.switchboard.dialling import Dialling
from switch.call.switchboard.dialogs import DialogBook
from switch.call.switchboard.driver import CallDriver, Step
from switch.call.switchboard.money import CallMoney
from switch.call.switchboard.people import LiveHouse, People
from switch.call.switchboard.record_keeper import RecordKeeper
from switch.call.switchboard.rooms import Rooms
from switch.call.switchboard.secrecy import new_keys
from switch.call.switchboard.service_number import ServiceCall, service_call
from switch.call.switchboard.trunks import TrunkDesk
from switch.errors import PeerError
from switch.ids import CallId, FacilityId, TerminalId, leg_id
from switch.media.phrase import Named
from switch.media.ports import PortsExhausted
from switch.routing.call_class import CallClass
from switch.routing.terminal import Terminal
from switch.routing.trunk import Trunk
from switch.screening.permit import Denied
from switch.screening.reasons import DenyReason
from switch.sdp import parser as sdp_parser
from switch.sdp.crypto import Srtp
from switch.sdp.offer_answer import LocalMedia, answer, audio_family, make_offer
from switch.sip.events import InviteReceived, SourceKind
from switch.sip.headers import parse_name_addr
from switch.sip.uri import parse_uri
from switch.store.house_snapshot import House
from switch.transport.resolver import ResolveError

DIALLED: Final = re.compile(r"\+?[0-9*#]{1,40}")
"""A user part that is keys: a number, a code, or a PIN and a number with `*` between."""

NOWHERE: Final = Terminal(id=TerminalId("-"), facility=FacilityId("-"))
"""Stands for the line of a call that has none."""

log = logging.getLogger(__name__)


class Admission:
    """Turns INVITEs into calls.

    Args:
        live: who is on the phone just now.
        second_line: told when a busy line calls again: its adapter may try to mix lines itself.
    """

    def __init__(
        self,
        rooms: Rooms,
        *,
        live: LiveHouse,
        dialogs: DialogBook,
        trunks: TrunkDesk,
        capacity: Capacity,
        second_line: Callable[[CallId], None],
    ) -> None:
        self.house = rooms.houses.house
        self._second_line = second_line
        self._rooms = rooms
        self._live = live
        self._dialogs = dialogs
        self._trunks = trunks
        self._capacity = capacity

    async def reload(self) -> House:
        """Read the directory again."""
        house = await self._rooms.houses.reload()
        self.house = replace(house, trunks=await self._resolved(house.trunks))
        self._rooms.stack.sources = self.house.source_book(self._rooms.terminal_networks)
        self._rooms.credentials.clear()
        self._rooms.credentials.update(self.house.credentials())
        addresses = self._rooms.stack.addresses
        self._trunks.load(
            (t, addresses.flow_to(t.settings.transport, t.settings.host, t.settings.port))
            for t in self.house.trunks
        )
        return self.house

    async def _resolved(self, trunks: Iterable[Trunk]) -> tuple[Trunk, ...]:
        """Turn the names of trunks into addresses; one that has none is left out, and said."""
        found = []
        for trunk in trunks:
            try:
                ips = await self._rooms.resolver.resolve(trunk.settings.host)
            except ResolveError as error:
                log.error("trunk %s is left out: %s", trunk.id, error)  # noqa: TRY400 - one sentence
                continue
            domain = trunk.domain
            settings = msgspec.structs.replace(trunk.settings, host=ips[0], domain=domain)
            found.append(replace(trunk, settings=settings))
        return tuple(found)

    def admit(self, event: InviteReceived, *, now: float) -> tuple[CallDriver | None, Step]:
        """Make the driver of a new call and its first step; None if it was answered here."""
        call = self._rooms.ids.take(wall=self._rooms.clock.wall())
        terminal, denied = self.line_of(event)
        if denied is None and terminal.id in self._live.terminals and not terminal.shared:
            self._second_line(self._live.terminals[terminal.id])
            denied = Denied(reason=DenyReason.TERMINAL_BUSY)
        settings = self._settings(terminal)
        media: CallerMedia | None = None
        if denied is None:
            try:
                media = self._media(event, call, terminal)
            except PeerError as error:
                effects = self._rooms.stack.respond(event.dialog, error.status, now=now)
                self._rooms.pump.apply(effects)
                return None, _nothing
            except PortsExhausted as error:
                log.warning("no port for a new call: %s", error)
                denied = Denied(reason=DenyReason.CAPACITY, detail=str(error))
        driver = self._driver(event, call, terminal, settings, media)
        if media is not None and driver.people.outside is None:
            denied = self._rooms.houses.check_off_hook(
                terminal, call=call, at_wall=self._rooms.clock.wall()
            )
            if not terminal.shared:
                self._live.terminals[terminal.id] = call
        if denied is not None:
            refused = denied
            driver.keeper.denied(refused)
            return driver, lambda now: driver.script.refused(refused, now=now)
        return driver, lambda now: driver.script.begin(now=now)

    def over(self, driver: CallDriver) -> None:
        """A call is gone: its line is free again, nobody listens to its dialogs."""
        terminal = driver.people.terminal.id
        if self._live.terminals.get(terminal) == driver.call:
            del self._live.terminals[terminal]
        person = driver.people.person
        if person is not None and self._live.persons.get(person.person) == driver.call:
            del self._live.persons[person.person]
        self._dialogs.forget(driver.caller.dialog)
        driver.dialling.forget()

    async def cut(self, driver: CallDriver, *, by: str, why: str, off_s: int, block: bool) -> None:
        """Do what a staff cut does beside ending the call: terminal off, number blocked."""
        permit = driver.permit
        await self._rooms.houses.after_cut(
            terminal=driver.people.terminal,
            number=permit.number if permit else None,
            person=permit.person if permit else None,
            audibility=permit.audibility if permit else None,
            off_s=off_s,
            block=block,
            by=by,
            why=why,
            at_wall=self._rooms.clock.wall(),
        )
        if off_s or block:
            await self.reload()

    # ---- which line

    def line_of(self, event: InviteReceived) -> tuple[Terminal, Denied | None]:
        """Find the line of an INVITE, or why it has none."""
        if event.source.kind is SourceKind.TRUNK:
            service = service_call(event, self.house)
            refused = Denied(reason=DenyReason.INBOUND_REFUSED, detail=event.source.name)
            return (NOWHERE, refused) if service is None else (service.terminal, None)
        if event.source.kind is SourceKind.GATEWAY:
            found = self.house.terminal_of_gateway(event.source.name, _from_user(event))
        else:
            found = self.house.terminal_of_user(event.source.name)
        if found is None:
            return NOWHERE, Denied(reason=DenyReason.TERMINAL_UNKNOWN, detail=event.source.name)
        return found, None

    def class_at_the_door(self, event: InviteReceived, terminal: Terminal) -> CallClass | None:
        """Say what class a call is by the number that came with it; None: not known yet."""
        dialled, _pin = split_dialled(_dialled_user(event))
        return self._rooms.houses.class_at_the_door(terminal, dialled)

    def _settings(self, terminal: Terminal) -> ScriptSettings:
        return merged(self._rooms.script, self.house.overrides(terminal.facility))

    # ---- its sound

    def _media(self, event: InviteReceived, call: CallId, terminal: Terminal) -> CallerMedia:
        leg = leg_id(call, is_b=False)
        session_id = self._rooms.random.getrandbits(31)
        offer = sdp_parser.parse(event.request.body) if event.request.body else None
        family = (audio_family(offer) if offer is not None else None) or (
            "ip6" if ":" in event.flow.peer[0] else "ip4"
        )
        port = self._rooms.plane.open_leg(leg, family=family, law="PCMU")
        local = LocalMedia(
            ip=port.ip,
            port=port.port,
            event_max=16,
            srtp=terminal.srtp,
            keys=new_keys(self._rooms, event.flow, terminal.srtp),
        )
        if offer is None:
            if local.srtp is Srtp.REQUIRED and not local.keys:
                self._rooms.plane.close_leg(leg)
                raise PeerError(488, "SRTP needs TLS")
            if local.srtp is not Srtp.REQUIRED:  # nobody could ask again: a late offer is plain
                local = replace(local, srtp=Srtp.OFF)
            body = make_offer(local, session_id=session_id)
            return CallerMedia(leg=leg, local=local, remote=None, body=body, session_id=session_id)
        try:
            negotiated = answer(offer, local, session_id=session_id)
        except PeerError:
            self._rooms.plane.close_leg(leg)
            raise
        return CallerMedia(
            leg=leg,
            local=local,
            remote=negotiated.remote,
            body=negotiated.body,
            session_id=session_id,
        )

    # ---- its call

    def _line(
        self,
        event: InviteReceived,
        terminal: Terminal,
        settings: ScriptSettings,
        service: ServiceCall | None,
    ) -> Line:
        if service is not None:
            may_hear = not self._rooms.houses.register.may_hold(service.number)
            return service.line(settings.languages, in_band=may_hear)
        dialled, pin = split_dialled(_dialled_user(event))
        facility = self.house.facility(terminal.facility)
        return Line(
            terminal=terminal.id,
            facility_name=Named(f"facility/{terminal.facility}"),
            provider_name=Named(f"provider/{facility.provider_id}"),
            languages=settings.languages,
            pin_required=settings.pin_mode != "none",
            dialled=dialled,
            pin_digits=pin,
            hotline_codes=self.house.hotline_codes(terminal.facility),
            tty=terminal.tty,
        )

    def _driver(
        self,
        event: InviteReceived,
        call: CallId,
        terminal: Terminal,
        settings: ScriptSettings,
        media: CallerMedia | None,
    ) -> CallDriver:
        rooms = self._rooms
        service = service_call(event, self.house)
        line = self._line(event, terminal, settings, service)
        script = Script(settings=settings, line=line, random=rooms.random, card=rooms.card)
        facts = {
            "unit": terminal.unit,
            "terminal": terminal.id,
            "pin_mode": settings.pin_mode,
            "off_hook_at": rooms.clock.wall(),
            "number": service.number if service is not None else "",
        }
        keeper = RecordKeeper(rooms, call, facility=terminal.facility, facts=facts)
        people = People(
            rooms,
            call,
            terminal=terminal,
            settings=settings,
            keeper=keeper,
            live=self._live,
            capacity=self._capacity,
        )
        people.outside = service.number if service is not None else None
        money = CallMoney(rooms, call, people)
        legs = Call()
        caller = CallerLeg(rooms, event, media, leg=legs.legs[Side.A], nat=terminal.nat)
        dialling = Dialling(
            rooms,
            call,
            leg=legs.legs[Side.B],
            caller=caller,
            script=script,
            keeper=keeper,
            trunks=self._trunks,
        )
        driver = CallDriver(
            rooms,
            call,
            legs=legs,
            caller=caller,
            script=script,
            people=people,
            dialling=dialling,
            money=money,
            keeper=keeper,
        )
        dialling.post = driver.post
        listener = CallerDialog(rooms, driver)
        self._dialogs.bind(event.dialog, listener.on_sip)
        return driver


def split_dialled(user: str) -> tuple[str | None, str | None]:
    """Read a dialled user part: (number, PIN). `123456789*15550100` brings its PIN along."""
    if not DIALLED.fullmatch(user):
        return None, None
    pin, star, number = user.partition("*")
    if star and pin.isdigit() and number.lstrip("+").isdigit():
        return number, pin
    return user, None


def _dialled_user(event: InviteReceived) -> str:
    uri = parse_uri(event.request.uri)
    return getattr(uri, "user", None) or getattr(uri, "number", None) or ""


def _from_user(event: InviteReceived) -> str:
    uri = parse_uri(parse_name_addr(event.request.headers.get("from") or "").uri)
    return getattr(uri, "user", None) or ""


def _nothing(_now: float) -> list[fx.Effect]:
    return []
