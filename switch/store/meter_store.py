"""The money of live calls, durable: reserve, one beat a second, settle. Every method is one deed.

What was answered is on disk. Told twice, each answers with its first result. The book is one; the
statements under it are `FileMeters` or `PostgresMeters`.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

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
from switch.store import ledger_statements, meter_settlement
from switch.store.account_limits import Scope, Standing
from switch.store.meter_decision import StaleError
from switch.store.meter_statements import Opening
from switch.store.vault import Vault


class MeterStatements(Protocol):
    """The hot statements, one transaction each. `at` is wall time."""

    @property
    def vault(self) -> Vault:
        """Where the ledger is."""
        ...

    async def begin_epoch(self, node: str, boot_id: str, *, at: float) -> int:
        """Raise the epoch of a node and take its unsettled meters along."""
        ...

    async def reserve(
        self, opening: Opening, *, at: float
    ) -> tuple[Reserved | ReserveResult, set[CallId]]:
        """Hold the first seconds; return the call, too, if limits bind it."""
        ...

    async def write_beat(self, beat: Beat, *, limited: Collection[CallId], at: float) -> BeatResult:
        """Write one second of all calls.

        Raises:
            StaleError: a meter stands elsewhere, or nobody knows whether the beat counts.
        """
        ...

    async def settle(
        self, call: CallId, *, seconds: int, credit: Credit, heard_until: float | None, at: float
    ) -> Settled:
        """End a call's money."""
        ...

    async def credit_rest(self, call: CallId, *, at: float) -> Micros:
        """Give back what is left of a settled call's charge."""
        ...

    async def unsettled(self, node: str) -> tuple[list[MeterRow], set[CallId]]:
        """Return the open meters of a node, and those of them that limits bind."""
        ...

    async def standing(self) -> Standing:
        """Return what changes when a limit is set for the first time, or ended."""
        ...

    async def tie_live(self, scopes: Mapping[CallId, Sequence[Scope]], *, at: float) -> set[CallId]:
        """Tie live calls to limits that were set after they began; return which."""
        ...

    async def quote(self, quote_id: str) -> Quote:
        """Return a stored quote; LocalError if there is none."""
        ...


class MeterStore:
    """The ledger as the switchboard sees it.

    Args:
        statements: what carries it out.
    """

    def __init__(self, statements: MeterStatements) -> None:
        self._statements = statements
        self._vault = statements.vault
        self.node = ""
        self.epoch = 0
        self.boot_id = ""
        self._limited: set[CallId] = set()
        self._scopes: dict[CallId, tuple[Scope, ...]] = {}
        self._standing: Standing | None = None
        self.reserve_failures = 0
        """Calls for which no first money could be held, whatever the reason."""

    async def begin_epoch(self, node: str, boot_id: str) -> int:
        """Take over a node: its epoch rises, so that a former process of it is fenced off.

        Args:
            node: which switch.
            boot_id: names this run of the machine; a meter of another one has dead media.
        """
        at = self._vault.clock.wall()
        self.node, self.boot_id = node, boot_id
        self.epoch = await self._statements.begin_epoch(node, boot_id, at=at)
        return self.epoch

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
        opening = Opening(
            call=call,
            account=account,
            quote=quote,
            node=node or self.node,
            epoch=epoch or self.epoch,
            boot_id=self.boot_id,
            facility=facility,
            scopes=every,
        )
        at = self._vault.clock.wall()

        self._scopes[call] = every  # before: a limit set meanwhile must find this call
        try:
            result, limited = await self._statements.reserve(opening, at=at)
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
        standing = await self._statements.standing()
        if standing == self._standing:
            return
        at, scopes = self._vault.clock.wall(), dict(self._scopes)
        self._limited |= await self._statements.tie_live(scopes, at=at)
        self._standing = standing

    async def beat(self, beat: Beat) -> BeatResult:
        """Write one second of all calls in one transaction."""
        at = self._vault.clock.wall()
        limited = frozenset(self._limited)
        try:
            return await self._statements.write_beat(beat, limited=limited, at=at)
        except StaleError:
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
        at = self._vault.clock.wall()

        settled = await self._statements.settle(
            call, seconds=seconds, credit=credit, heard_until=heard_until, at=at
        )
        self._limited.discard(call)
        self._scopes.pop(call, None)
        return settled

    async def void(self, call: CallId) -> Settled:
        """Give everything back: the call was never bridged."""
        return await self.settle(call, seconds=0, credit=Credit.FREE)

    async def credit_rest(self, call: CallId) -> Micros:
        """Give back what is left of a settled call's charge; nothing the second time."""
        at = self._vault.clock.wall()
        return await self._statements.credit_rest(call, at=at)

    async def number(self) -> int:
        """Return the number of this node among those of the ledger; 0 where it is alone."""
        node = self.node
        query = "SELECT number FROM node WHERE id = ?"
        return int(await self._vault.read(lambda raw: raw.execute(query, (node,)).fetchone()[0]))

    async def told(self, call: CallId) -> Settled | None:
        """Return how a call was settled, by whatever node; None if it was not."""
        return await self._vault.read(lambda raw: meter_settlement.settled_before(raw, call))

    async def unsettled(self, node: str) -> list[MeterRow]:
        """Return the meters that this node must adopt or settle."""
        rows, limited = await self._statements.unsettled(node)
        self._limited |= limited
        return rows

    async def quote(self, quote_id: str) -> Quote:
        """Return a stored quote.

        Raises:
            LocalError: there is none of this id.
        """
        return await self._statements.quote(quote_id)

    async def balance(self, account: AccountId) -> Purse:
        """Return what stands on an account.

        Raises:
            LocalError: there is no such account.
        """
        found = await self._vault.read(lambda raw: ledger_statements.find(raw, account))
        if found is None:
            raise LocalError(f"there is no account {account}")
        return found.purse

    async def transfer(self, wanted: Transfer) -> TransferResult:
        """Move money from one account to another, once for each id."""
        at = self._vault.clock.wall()
        return await self._vault.write(lambda raw: ledger_statements.transfer(raw, wanted, at=at))
