"""The money of live calls, durable: reserve, one beat a second, settle. Every method is one deed.

What was answered is on disk. Told twice, each answers with its first result.
"""

from collections.abc import Collection, Sequence

import msgspec
from sqlalchemy import Connection

from switch.billing.beat import Beat, BeatOutcome, BeatResult, MeterRow
from switch.billing.credit import Credit
from switch.billing.ledger import (
    Purse,
    Reserved,
    ReserveResult,
    Settled,
    Transfer,
    TransferResult,
)
from switch.billing.quote import Quote
from switch.errors import LocalError, StoreError
from switch.ids import AccountId, CallId
from switch.media.messages import CallEnded
from switch.money import Micros
from switch.store import account_limits, ledger_statements, meter_settlement, meter_statements
from switch.store.account_limits import Scope
from switch.store.engine import Store, driver

QUOTES_MAX = 4_096
"""Quotes that are kept in memory. Chosen: far more than a day's different prices."""


class MeterStore:
    """The ledger as the switchboard sees it.

    Args:
        store: the open database.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._node = ""
        self._epoch = 0
        self._boot_id = ""
        self._quotes: dict[str, Quote] = {}
        self._limited: set[CallId] = set()
        self._scopes: dict[CallId, tuple[Scope, ...]] = {}
        self._standing: account_limits.Standing | None = None
        self.reserve_failures = 0
        """Calls for which no first money could be held, whatever the reason."""

    async def begin_epoch(self, node: str, boot_id: str) -> int:
        """Take over a node: its epoch rises, so that a former process of it is fenced off.

        Args:
            node: which switch.
            boot_id: names this run of the machine; a meter of another one has dead media.
        """
        at = self._store.clock.wall()
        self._node, self._boot_id = node, boot_id
        self._epoch = await self._store.write(
            lambda c: meter_statements.begin_epoch(driver(c), node, boot_id, at=at)
        )
        return self._epoch

    async def reserve(
        self,
        call: CallId,
        account: AccountId,
        quote: Quote,
        *,
        node: str = "",
        epoch: int = 0,
        facility: str = "",
        scopes: Sequence[Scope] = (),
    ) -> Reserved | ReserveResult:
        """Hold the first seconds of a call, or say why not.

        Args:
            call: the call.
            account: who pays.
            quote: what was promised; it is stored with the meter.
            node: which switch meters it; '' is the one of `begin_epoch`.
            epoch: of the node; 0 is the one of `begin_epoch`.
            facility: whose part of the price it is.
            scopes: what else limits may be set on: the number, the person, the agency. The
                account itself is always looked at.
        """
        every = (Scope(scope="account", id=str(account)), *scopes)
        opening = meter_statements.Opening(
            call=call,
            account=account,
            quote=quote,
            node=node or self._node,
            epoch=epoch or self._epoch,
            boot_id=self._boot_id,
            facility=facility,
            scopes=every,
        )
        at = self._store.clock.wall()

        def deed(connection: Connection) -> tuple[Reserved | ReserveResult, bool]:
            raw = driver(connection)
            result = meter_statements.reserve(raw, opening, at=at)
            return result, meter_statements.is_limited(raw, call)

        self._scopes[call] = every  # before: a limit set meanwhile must find this call
        try:
            result, is_limited = await self._store.write(deed)
        except StoreError:
            self.reserve_failures += 1
            del self._scopes[call]
            raise
        self.reserve_failures += not isinstance(result, Reserved)
        if is_limited:
            self._limited.add(call)
        if not isinstance(result, Reserved):
            self._scopes.pop(call, None)
        self._keep(quote)
        return result

    @property
    def limited(self) -> Collection[CallId]:
        """The live calls that are tied to spending limits."""
        return self._limited

    async def follow_limits(self) -> None:
        """Tie live calls to limits that were set while they lasted; before each beat."""
        standing = await self._store.read(lambda c: account_limits.standing(driver(c)))
        if standing == self._standing:
            return
        at, scopes = self._store.clock.wall(), dict(self._scopes)
        self._limited |= await self._store.write(
            lambda c: account_limits.tie_live(driver(c), scopes, at=at)
        )
        self._standing = standing

    async def beat(self, beat: Beat) -> BeatResult:
        """Write one second of all calls in one transaction."""
        at = self._store.clock.wall()
        limited = frozenset(self._limited)
        try:
            return await self._store.write(
                lambda c: meter_statements.write_beat(driver(c), beat, limited=limited, at=at)
            )
        except meter_statements.StaleError:
            rows = tuple(await self.unsettled(beat.node))
            return BeatResult(outcome=BeatOutcome.STALE, rows=rows)

    async def settle(
        self, call: CallId, *, seconds: int, credit: Credit, ended: CallEnded | None = None
    ) -> Settled:
        """End a call's money: charge, give back, credit, all in one transaction.

        Args:
            call: the call; it must have a meter.
            seconds: the whole seconds that count, as `MeterBook.ended` returned them.
            credit: what comes back by itself.
            ended: what the worker told of the end; `DEAD_60` needs its last moment of sound.
        """
        heard_until = ended.last_both_heard_at if ended is not None else None
        at = self._store.clock.wall()

        def deed(connection: Connection) -> Settled:
            raw = driver(connection)
            quote = self._quote(raw_name=meter_settlement.quote_name(raw, call), on=connection)
            return meter_settlement.settle(
                raw,
                call,
                quote,
                seconds=seconds,
                credit=credit,
                heard_until=heard_until,
                at=at,
            )

        settled = await self._store.write(deed)
        self._limited.discard(call)
        self._scopes.pop(call, None)
        return settled

    async def void(self, call: CallId) -> Settled:
        """Give everything back: the call was never bridged."""
        return await self.settle(call, seconds=0, credit=Credit.FREE)

    async def credit_rest(self, call: CallId) -> Micros:
        """Give back what is left of a settled call's charge; nothing the second time."""
        at = self._store.clock.wall()
        return await self._store.write(
            lambda c: meter_settlement.credit_rest(driver(c), call, at=at)
        )

    async def unsettled(self, node: str) -> list[MeterRow]:
        """Return the meters that this node must adopt or settle."""

        def deed(connection: Connection) -> tuple[tuple[MeterRow, ...], set[CallId]]:
            raw = driver(connection)
            rows = meter_statements.unsettled(raw, node)
            return rows, {r.call for r in rows if meter_statements.is_limited(raw, r.call)}

        rows, limited = await self._store.read(deed)
        self._limited |= limited
        return list(rows)

    async def quote(self, quote_id: str) -> Quote:
        """Return a stored quote.

        Raises:
            LocalError: there is none of this id.
        """
        return await self._store.read(lambda c: self._quote(raw_name=quote_id, on=c))

    async def balance(self, account: AccountId) -> Purse:
        """Return what stands on an account.

        Raises:
            LocalError: there is no such account.
        """
        found = await self._store.read(lambda c: ledger_statements.find(driver(c), account))
        if found is None:
            raise LocalError(f"there is no account {account}")
        return found.purse

    async def transfer(self, wanted: Transfer) -> TransferResult:
        """Move money from one account to another, once for each id."""
        at = self._store.clock.wall()
        return await self._store.write(
            lambda c: ledger_statements.transfer(driver(c), wanted, at=at)
        )

    def _quote(self, *, raw_name: str, on: Connection) -> Quote:
        if raw_name not in self._quotes:
            row = driver(on).execute("SELECT body FROM quote WHERE id = ?", (raw_name,)).fetchone()
            if row is None:
                raise LocalError(f"there is no quote {raw_name}")
            self._keep(msgspec.json.decode(row[0], type=Quote))
        return self._quotes[raw_name]

    def _keep(self, quote: Quote) -> None:
        if len(self._quotes) >= QUOTES_MAX:
            self._quotes.clear()
        self._quotes[quote.id] = quote
