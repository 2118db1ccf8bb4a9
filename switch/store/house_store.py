"""The house as the switch sees it: what is in memory, and every question a call has of it.

One object per process. `house` is the snapshot of what staff configured; `reload` makes a new one
after a change. Everything about one call goes through `gather`, which the call and `kinline why`
share.
"""

import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Protocol, Self

import msgspec

from switch.billing.line import LineInfo
from switch.billing.payer import Payer
from switch.billing.price_book import PriceBook
from switch.billing.quote import Quote
from switch.errors import StoreError, UserError
from switch.ids import CallId, FacilityId, PersonId, TerminalId
from switch.money import Micros
from switch.routing.call_class import SPARED, Audibility, CallClass, Privileged
from switch.routing.number import E164, normalise
from switch.routing.terminal import Gateway, Terminal
from switch.routing.treatment import SpeedDial
from switch.routing.trunk import Trunk, TrunkSettings
from switch.screening.facts import Facts, HouseOrder, PersonFacts, RoomFacts
from switch.screening.order import check_person, check_site_and_terminal
from switch.screening.permit import Denied
from switch.screening.settings import Agency, Facility, ScreeningSettings, Unit
from switch.store import (
    account_statements,
    facts_store,
    house_attempts,
    house_numbers,
    house_orders,
    house_pan,
    house_people,
    house_rows,
    outbox_store,
    pin_store,
)
from switch.store.engine import Store, driver
from switch.store.facts_store import PREVIEW, Question
from switch.store.house_clock import local_time
from switch.store.house_keys import HouseKeys
from switch.store.house_snapshot import House
from switch.store.pin_store import PersonChecked
from switch.store.register_store import Register
from switch.store.vault import FileVault, Vault

LINE_DEADLINE_MS: Final = 800
"""How long a call waits to hear about an outside line. calls.md section 3."""


class LineInformation(Protocol):
    """What is known of an outside line. Never raises; says UNKNOWN after the deadline."""

    async def line_info(self, number: str, *, purpose: str, deadline_ms: int = 800) -> LineInfo:
        """Return what the first source that knows says."""
        ...


class HouseStore:
    """The directory, the rules and the register of this process. Make it with `open`.

    Args:
        store: the open database.
        data: the data directory, where the keys stand.
        prices: the prices; None where no call is priced.
        vault: where the ledger is; None: in the store.
    """

    def __init__(
        self, store: Store, *, data: Path, prices: PriceBook | None, vault: Vault | None = None
    ) -> None:
        self.house = House(version=0)
        self.keys = HouseKeys(data)
        self.register = Register(store, self.keys)
        self.prices = prices
        self.vault = vault or FileVault(store)
        self._store = store
        self._data = data
        self._defaults: dict[str, Any] = {}

    @classmethod
    async def open(
        cls,
        store: Store,
        *,
        data: Path,
        prices: PriceBook | None = None,
        defaults: msgspec.Struct | None = None,
        vault: Vault | None = None,
    ) -> Self:
        """Read the house and prove the register.

        Args:
            store: the open database.
            data: the data directory; keys are made there at the first start.
            prices: law and contracts.
            defaults: the node's settings of calls.md section 2.3; kept, so that `kinline why`
                says the same without the switch. None takes the kept ones.
            vault: where the ledger is; None: in the store.
        """
        house = cls(store, data=data, prices=prices, vault=vault)
        empty = "SELECT NOT EXISTS (SELECT 1 FROM privileged_register)"
        (is_empty,) = await store.read(lambda c: driver(c).execute(empty).fetchone())
        house.keys.make(register_is_empty=bool(is_empty))
        if defaults is not None:
            body = json.dumps(msgspec.to_builtins(defaults), sort_keys=True)
            await store.write(lambda c: _keep_defaults(driver(c), body))
        await house.reload()
        return house

    async def reload(self) -> House:
        """Read everything again, and prove the register again."""
        at = self._store.clock.wall()
        self.house, self._defaults = await self._store.read(lambda c: self._load(driver(c), at))
        await self.register.verify()
        return self.house

    # ---- what a call asks

    def settings_of(self, facility: FacilityId) -> ScreeningSettings:
        """Return the settings of a facility: the node's, and its own laid over them."""
        merged = {**self._defaults, **self.house.overrides(facility)}
        return msgspec.convert(merged, ScreeningSettings)

    def check_off_hook(
        self,
        terminal: Terminal | None,
        *,
        call: CallId,
        busy_terminals: Mapping[TerminalId, CallId] | None = None,
        at_wall: float,
    ) -> Denied | None:
        """Rows 1 and 2, from memory."""
        question = Question(
            call=call,
            terminal=terminal,
            digits=None,
            busy_terminals=busy_terminals or {},
            at_wall=at_wall,
        )
        return check_site_and_terminal(facts_store.facts_without_number(self.house, question))

    def class_at_the_door(self, terminal: Terminal, digits: str | None) -> CallClass | None:
        """Say from memory what class a call to these digits is; None: nobody can say yet.

        That is so while nothing was dialled, where a number is privileged for some people only,
        and while the register cannot answer. Decides who is let in, never how a call is treated:
        that is `gather` and `screen`.
        """
        if digits is None:
            return None
        number, dial = facts_store.understood(self.house, terminal, digits)
        if dial is not None and dial.hotline:
            return CallClass.HOTLINE
        answer = self.register.answer(number.e164, facility=terminal.facility, person=None)
        if answer.whole and answer.entry is not None:
            return CallClass.PRIVILEGED
        if not answer.whole or self.register.mentions(number.e164):
            return None
        return CallClass.ORDINARY

    async def check_pin(
        self,
        *,
        call: CallId,
        terminal: Terminal,
        digits: str,
        busy_persons: Mapping[PersonId, CallId] | None = None,
        at_wall: float,
    ) -> PersonChecked | Denied:
        """Row 3: who keyed this, and may they dial at all? A miss is counted."""
        settings = self.settings_of(terminal.facility)
        pin = await pin_store.identify(
            self._store,
            key=self.keys.pin_key(),
            call=call,
            terminal=terminal,
            digits=digits,
            settings=settings,
            at=at_wall,
        )
        facts = await self._read(
            Question(
                call=call,
                terminal=terminal,
                digits=None,
                pin=pin,
                settings=settings,
                busy_persons=busy_persons or {},
                at_wall=at_wall,
            )
        )
        denied = check_person(facts)
        if denied is not None:
            return denied
        return _checked(pin)

    async def gather(
        self,
        *,
        call: CallId = PREVIEW,
        terminal: Terminal | None,
        person: PersonId | None,
        digits: str | None,
        busy_terminals: Mapping[TerminalId, CallId] | None = None,
        busy_persons: Mapping[PersonId, CallId] | None = None,
        room: RoomFacts | None = None,
        at_wall: float,
        line_information: LineInformation | None = None,
    ) -> Facts:
        """Gather everything about one call, for `screen` or `preview`."""
        line = None
        if terminal is not None and digits is not None and line_information is not None:
            line = await self._line(terminal, person, digits, line_information)
        return await self._read(
            Question(
                call=call,
                terminal=terminal,
                digits=digits,
                person=person,
                settings=self.settings_of(terminal.facility) if terminal else ScreeningSettings(),
                busy_terminals=busy_terminals or {},
                busy_persons=busy_persons or {},
                at_wall=at_wall,
                line=line,
                room=room or RoomFacts(),
            )
        )

    async def _read(self, question: Question) -> Facts:
        facts = await self._store.read(
            lambda c: facts_store.read_facts(
                driver(c), self.house, question, register=self.register
            )
        )
        if not facts_store.is_priced(facts):
            return facts
        at_wall, prices = question.at_wall, self.prices
        return await self.vault.read(
            lambda raw: facts_store.read_money(raw, facts, at_wall=at_wall, prices=prices)
        )

    async def _line(
        self, terminal: Terminal, person: PersonId | None, digits: str, lines: LineInformation
    ) -> LineInfo | None:
        """Ask about the line, but tell nobody outside which attorneys and hotlines are called."""
        number, dial = facts_store.understood(self.house, terminal, digits)
        if number.e164 is None or (dial is not None and dial.hotline):
            return None
        answer = self.register.answer(number.e164, facility=terminal.facility, person=person)
        if not answer.whole or answer.entry is not None:
            return None
        return await lines.line_info(number.e164, purpose="screening", deadline_ms=LINE_DEADLINE_MS)

    async def note_attempt(self, facts: Facts) -> None:
        """A call is about to be sent to a trunk. Hotlines and privileged calls are not counted."""
        if facts.number is None or facts.number.number.e164 is None or facts.terminal is None:
            return
        if facts.call_class in SPARED:
            return
        terminal, number = facts.terminal.terminal, facts.number.number.e164
        person = facts.person.person.id if facts.person.person is not None else ""
        at = self._store.clock.wall()
        await self._store.write(
            lambda c: house_attempts.begin(
                driver(c),
                facts.call,
                facility=terminal.facility,
                person=person,
                terminal=terminal.id,
                number=number,
                at=at,
            )
        )

    async def attempt_over(self, *, call: CallId, reason: str, talked_s: int) -> None:
        """A call is over: its minutes and its try count, unless the fault was ours."""
        at = self._store.clock.wall()
        await self._store.write(
            lambda c: house_attempts.end(driver(c), call, reason=reason, talked_s=talked_s, at=at)
        )

    # ---- the caller's menu

    async def own_balance(self, person: PersonId) -> tuple[Micros, int]:
        """Return a person's own money and the minutes it is worth within the country."""
        account = await self.vault.read(
            lambda raw: account_statements.owned_account(raw, Payer.CALLER_DEBIT, owner=person)
        )
        if account is None:
            return Micros(0), 0
        found = await self._store.read(lambda c: house_people.find(driver(c), person))
        available = Micros(max(0, account.purse.available))
        return available, self._minutes(found.facility if found else "", available)

    def _minutes(self, facility: str, available: Micros) -> int:
        if self.prices is None:
            return 0
        known = self.house.facility(FacilityId(facility))
        now = local_time(self._store.clock.wall(), known.zone)
        quote = self.prices.quote(
            known.tariff,
            payer=Payer.CALLER_DEBIT,
            call_class="interstate",
            date=now.iso_date,
            minute_of_day=now.minute_of_day,
        )
        if not isinstance(quote, Quote) or quote.micros_per_minute == 0:
            return 0
        return available // quote.micros_per_minute

    async def request_number(self, *, person: PersonId, digits: str) -> bool:
        """Ask for a number to be put on a person's list; False if that cannot be."""
        found = await self._store.read(lambda c: house_people.find(driver(c), person))
        if found is None:
            return False
        facility = FacilityId(found.facility)
        code = self.house.facility(facility).home_area_code
        number = normalise(digits, home_area_code=code)
        if number.e164 is None:
            return False
        e164, most = number.e164, self.settings_of(facility).pan_numbers_max
        at = self._store.clock.wall()
        return await self._store.write(
            lambda c: house_pan.ask(driver(c), person, e164, at=at, by=person, most=most)
        )

    # ---- the called party

    async def keypad_block(
        self,
        *,
        number: E164,
        scope: house_numbers.KeypadScope,
        target: str,
        call: CallId | None = None,
    ) -> None:
        """Write the called party's block of a person, a facility or an agency."""
        at = self._store.clock.wall()
        await self._store.write(
            lambda c: house_numbers.block_by_keypad(
                driver(c), number, scope=scope, target=target, call=call, at=at
            )
        )

    async def undo_keypad_blocks(self, number: E164) -> int:
        """Take back every block of the owner of a number; return how many there were."""
        at = self._store.clock.wall()
        return await self._store.write(
            lambda c: house_numbers.undo_keypad(driver(c), number, at=at)
        )

    # ---- staff

    async def after_cut(
        self,
        *,
        terminal: Terminal,
        number: E164 | None,
        person: PersonId | None,
        audibility: Audibility | None,
        off_s: int,
        block: bool,
        by: str,
        why: str,
        at_wall: float,
    ) -> None:
        """Do what a staff cut does beside ending the call.

        The terminal is turned off for a while, the number is blocked if staff ask for it. A
        privileged number is never blocked; whoever is to be told about it is told instead.
        calls.md section 4.1.
        """
        is_privileged = isinstance(audibility, Privileged)
        entry = None
        if number is not None and is_privileged:
            entry = self.register.answer(number, facility=terminal.facility, person=person).entry

        def deed(raw: sqlite3.Connection) -> None:
            if off_s > 0 and terminal.id in self.house.terminals:
                until = msgspec.structs.replace(terminal, disabled_until=at_wall + off_s)
                house_rows.put(raw, until)
            if entry is not None:
                place = self.house.facility(terminal.facility).name or terminal.facility
                body = {"number": entry.number, "facility": place, "by": by, "note": why}
                outbox_store.queue(
                    raw, "privileged_cut", recipient=entry.tell, body=body, at=at_wall
                )
            if number is not None and block and not is_privileged:
                house_numbers.add_rule(
                    raw,
                    number,
                    kind="security",
                    facility=terminal.facility,
                    by=by,
                    at=at_wall,
                    note=why or "cut by staff",
                )

        await self._store.write(lambda c: deed(driver(c)))

    async def give_order(self, order: HouseOrder) -> HouseOrder:
        """Give an order of lockdown or maintenance; nothing is reloaded yet."""
        return await self._store.write(lambda c: house_orders.give(driver(c), order))

    async def lift_order(self, order: int, *, by: str, why: str) -> None:
        """Lift an order; nothing is reloaded yet."""
        at = self._store.clock.wall()
        await self._store.write(
            lambda c: house_orders.lift(driver(c), order, by=by, why=why, at=at)
        )

    def order_for(self, terminal: Terminal, call_class: CallClass | None) -> HouseOrder | None:
        """Return the order in force that a live call has to obey, or None if it is spared.

        A caller who has not dialled yet may still dial what an order spares: row 1 is asked again.
        """
        for order in self.house.orders_on(terminal):
            is_spared = (
                bool(order.spares) if call_class is None else call_class.value in order.spares
            )
            if not is_spared:
                return order
        return None

    # ---- loading

    def _load(self, raw: sqlite3.Connection, at: float) -> tuple[House, dict[str, Any]]:
        facilities = {f.id: f for f in house_rows.every(raw, Facility)}
        trunks = house_rows.every(raw, TrunkSettings)
        gone, suspended = house_people.gone(
            raw, lambda zone: local_time(at, zone).iso_date, facilities
        )
        house = House(
            version=house_rows.version(raw),
            agencies={a.id: a for a in house_rows.every(raw, Agency)},
            facilities=facilities,
            units={(u.facility, u.id): u for u in house_rows.every(raw, Unit)},
            terminals={t.id: t for t in house_rows.every(raw, Terminal)},
            gateways={g.id: g for g in house_rows.every(raw, Gateway)},
            trunks=tuple(self._trunk(t) for t in trunks if t.enabled),
            speed_dials={(d.facility, d.code): d for d in house_rows.every(raw, SpeedDial)},
            orders=tuple(house_orders.in_force(raw)),
            gone=gone,
            suspended=suspended,
        )
        row = raw.execute("SELECT body FROM house_defaults").fetchone()
        return house, json.loads(row[0]) if row is not None else {}

    def _trunk(self, settings: TrunkSettings) -> Trunk:
        password = ""
        if settings.password_file:
            path = self._data / settings.password_file
            try:
                password = path.read_text().strip()
            except OSError as error:
                raise StoreError(f"trunk {settings.id}: {path} cannot be read: {error}") from error
        return Trunk(id=settings.id, settings=settings, password=password)


def known_terminal(house: House, terminal: str) -> Terminal:
    """Return a terminal that staff named.

    Raises:
        UserError: there is none.
    """
    found = house.terminals.get(TerminalId(terminal))
    if found is None:
        raise UserError(f"There is no terminal {terminal}. `kinline terminal list` shows all.")
    return found


def _keep_defaults(raw: sqlite3.Connection, body: str) -> None:
    raw.execute("DELETE FROM house_defaults")
    raw.execute("INSERT INTO house_defaults (body) VALUES (?)", (body,))


def _checked(pin: PersonFacts) -> PersonChecked:
    assert pin.person is not None
    person = pin.person
    return PersonChecked(
        person=person.id,
        name_path=person.name_file,
        needs_name=not person.name_file and not person.name_pending,
        language=person.language,
        tty=person.tty,
    )
