"""The ledger on PostgreSQL, behind the same methods as on SQLite. Every method is one deed.

Several nodes may meter on one database: each has its epoch, and a node that was taken over is
refused at the fence.
"""

from collections.abc import Collection, Sequence

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
from switch.store import postgres_ledger, postgres_meter
from switch.store.account_limits import Limit, Scope, Standing
from switch.store.account_statements import NewAccount
from switch.store.meter_statements import Opening, StaleError
from switch.store.postgres_link import ConnectionLostError, Link, Postgres


class PostgresMeterStore:
    """The ledger as the switchboard sees it; see `MeterStore`, method by method.

    Args:
        store: the open database.
    """

    def __init__(self, store: Postgres) -> None:
        self._store = store
        self._node = ""
        self._epoch = 0
        self._boot_id = ""
        self._flight = AccountId(0)
        self._limited: set[CallId] = set()
        self._scopes: dict[CallId, tuple[Scope, ...]] = {}
        self._standing: Standing | None = None
        self.reserve_failures = 0
        """Calls for which no first money could be held, whatever the reason."""

    async def begin_epoch(self, node: str, boot_id: str) -> int:
        """Take over a node: its epoch rises, so that a former process of it is fenced off."""
        at = self._store.clock.wall()
        self._node, self._boot_id = node, boot_id

        async def deed(link: Link) -> tuple[int, AccountId]:
            epoch = await postgres_meter.begin_epoch(link, node, boot_id, at=at)
            return epoch, await postgres_meter.in_flight(link, node, at=at)

        self._epoch, self._flight = await self._store.write(deed)
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
        """Hold the first seconds of a call, or say why not."""
        opening = Opening(
            call=call,
            account=account,
            quote=quote,
            node=node or self._node,
            epoch=epoch or self._epoch,
            boot_id=self._boot_id,
            facility=facility,
            scopes=(Scope(scope="account", id=str(account)), *scopes),
        )
        at = self._store.clock.wall()

        async def deed(link: Link) -> tuple[Reserved | ReserveResult, set[CallId]]:
            result = await postgres_meter.reserve(link, opening, at=at)
            return result, await postgres_meter.limited_of(link, [call])

        self._scopes[call] = opening.scopes  # before: a limit set meanwhile must find this call
        try:
            result, limited = await self._store.write(deed)
        except StoreError:
            self.reserve_failures += 1
            del self._scopes[call]
            raise
        self.reserve_failures += not isinstance(result, Reserved)
        self._limited |= limited
        if not isinstance(result, Reserved):
            self._scopes.pop(call, None)
        return result

    @property
    def limited(self) -> Collection[CallId]:
        """The live calls that are tied to spending limits."""
        return self._limited

    async def follow_limits(self) -> None:
        """Tie live calls to limits that were set while they lasted; before each beat."""
        standing = await self._store.read(postgres_ledger.standing)
        if standing == self._standing:
            return
        at, scopes = self._store.clock.wall(), dict(self._scopes)
        self._limited |= await self._store.write(
            lambda link: postgres_ledger.tie_live(link, scopes, at=at)
        )
        self._standing = standing

    async def beat(self, beat: Beat) -> BeatResult:
        """Write one second of all calls in one transaction.

        If the connection is lost in the middle, nobody knows whether the beat counts: it is not
        sent again; the meters are read, and the book stands where they say.
        """
        at = self._store.clock.wall()
        limited = frozenset(self._limited)
        try:
            return await self._store.write(
                lambda link: postgres_meter.write_beat(
                    link, beat, flight=self._flight, limited=limited, at=at
                )
            )
        except (StaleError, ConnectionLostError):
            return BeatResult(
                outcome=BeatOutcome.STALE, rows=tuple(await self.unsettled(beat.node))
            )

    async def settle(
        self, call: CallId, *, seconds: int, credit: Credit, ended: CallEnded | None = None
    ) -> Settled:
        """End a call's money: charge, give back, credit, all in one transaction."""
        heard_until = ended.last_both_heard_at if ended is not None else None
        at = self._store.clock.wall()
        settled = await self._store.write(
            lambda link: postgres_meter.settle(
                link, call, seconds=seconds, credit=credit, heard_until=heard_until, at=at
            )
        )
        self._limited.discard(call)
        self._scopes.pop(call, None)
        return settled

    async def void(self, call: CallId) -> Settled:
        """Give everything back: the call was never bridged."""
        return await self.settle(call, seconds=0, credit=Credit.FREE)

    async def credit_rest(self, call: CallId) -> Micros:
        """Give back what is left of a settled call's charge; nothing the second time."""
        at = self._store.clock.wall()
        return await self._store.write(lambda link: postgres_meter.credit_rest(link, call, at=at))

    async def unsettled(self, node: str) -> list[MeterRow]:
        """Return the meters that this node must adopt or settle."""

        async def deed(link: Link) -> tuple[list[MeterRow], set[CallId]]:
            rows = await postgres_meter.unsettled(link, node)
            return rows, await postgres_meter.limited_of(link, [row.call for row in rows])

        rows, limited = await self._store.read(deed)
        self._limited |= limited
        return rows

    async def quote(self, quote_id: str) -> Quote:
        """Return a stored quote.

        Raises:
            LocalError: there is none of this id.
        """
        return await self._store.read(lambda link: postgres_meter.quote_of(link, quote_id))

    async def balance(self, account: AccountId) -> Purse:
        """Return what stands on an account.

        Raises:
            LocalError: there is no such account.
        """
        found = await self._store.read(lambda link: postgres_ledger.find(link, account))
        if found is None:
            raise LocalError(f"there is no account {account}")
        return found.purse

    async def transfer(self, wanted: Transfer) -> TransferResult:
        """Move money from one account to another, once for each id."""
        at = self._store.clock.wall()
        return await self._store.write(lambda link: postgres_ledger.transfer(link, wanted, at=at))


class PostgresAccountStore:
    """The accounts of people and bodies; see `AccountStore`.

    Args:
        store: the open database.
    """

    def __init__(self, store: Postgres) -> None:
        self._store = store

    async def open(self, new: NewAccount) -> AccountId:
        """Open an account with nothing in it."""
        at = self._store.clock.wall()

        async def deed(link: Link) -> AccountId:
            account = await postgres_ledger.open_account(
                link,
                new.kind,
                new.owner,
                new.facility,
                new.currency,
                floor=new.floor,
                approves=new.approves,
                at=at,
            )
            for number in new.numbers:
                await link.execute("INSERT INTO account_number VALUES ($1, $2)", number, account)
            return account

        return await self._store.write(deed)

    async def fund(self, account: AccountId, amount: Micros, *, ref: str) -> TransferResult:
        """Pay in by hand; once for each `ref`."""
        at = self._store.clock.wall()

        async def deed(link: Link) -> TransferResult:
            found = await postgres_ledger.find(link, account)
            if found is None:
                return TransferResult.CREDIT_UNKNOWN
            offline = await postgres_ledger.book(link, "offline", currency=found.currency, at=at)
            row = Transfer(
                id=f"offline:{ref}",
                debit=offline,
                credit=account,
                amount=amount,
                code="fund",
                ref=ref,
            )
            return await postgres_ledger.transfer(link, row, at=at)

        return await self._store.write(deed)

    async def set_limit(
        self, scope: Scope, *, set_by: str, unit: str, period: str, cap: int, zone: str
    ) -> None:
        """Set or change a spending limit; see `account_limits.set_limit`."""
        at = self._store.clock.wall()
        await self._store.write(
            lambda link: postgres_ledger.set_limit(
                link, scope, set_by=set_by, unit=unit, period=period, cap=cap, zone=zone, at=at
            )
        )

    async def limits(self, scopes: Sequence[Scope]) -> list[Limit]:
        """Return the limits of these scopes as they stand now."""
        at = self._store.clock.wall()
        return await self._store.read(
            lambda link: postgres_ledger.limits_of_scopes(link, scopes, at=at, locked=False)
        )
