"""The hot statements of the meter on PostgreSQL, each one deed; see `MeterStatements`.

Several nodes may meter on one database: each has its epoch, and a node that was taken over is
refused at the fence.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import TypeVar

from switch.billing.beat import Beat, BeatResult, MeterRow
from switch.billing.credit import Credit
from switch.billing.ledger import Reserved, ReserveResult, Settled
from switch.billing.quote import Quote
from switch.errors import ConnectionLostError
from switch.ids import AccountId, CallId
from switch.money import Micros
from switch.store import postgres_ledger, postgres_meter, postgres_settlement
from switch.store.account_limits import Scope, Standing
from switch.store.meter_decision import StaleError
from switch.store.meter_statements import Opening
from switch.store.meter_store import MeterStore
from switch.store.postgres_link import Link, Postgres
from switch.store.postgres_settlement import Books, Known, keep_quote
from switch.store.postgres_vault import PostgresVault
from switch.store.vault import Vault

T = TypeVar("T")


class PostgresMeters:
    """Meters on PostgreSQL.

    Args:
        postgres: the open pool.
    """

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres
        self._vault = PostgresVault(postgres)
        self._flight = AccountId(0)
        self._quotes: dict[str, Quote] = {}
        self._books: Books = {}

    @property
    def vault(self) -> Vault:
        """Where the ledger is."""
        return self._vault

    async def begin_epoch(self, node: str, boot_id: str, *, at: float) -> int:
        """See `MeterStatements`; so for all."""

        async def deed(link: Link) -> tuple[int, AccountId]:
            epoch = await postgres_meter.begin_epoch(link, node, boot_id)
            flight = await postgres_ledger.book(
                link, "in_flight", owner=node, currency="USD", at=at
            )
            return epoch, flight

        epoch, self._flight = await self._postgres.write(deed)
        return epoch

    async def reserve(  # noqa: D102
        self, opening: Opening, *, at: float
    ) -> tuple[Reserved | ReserveResult, set[CallId]]:
        is_quote_known = opening.quote.id in self._quotes
        result, is_limited, is_stored = await self._postgres.write(
            lambda link: postgres_meter.reserve(link, opening, is_quote_known=is_quote_known, at=at)
        )
        if is_stored:
            keep_quote(self._quotes, opening.quote)
        return result, {opening.call} if is_limited else set()

    async def write_beat(self, beat: Beat, *, limited: Collection[CallId], at: float) -> BeatResult:
        """Write one beat.

        If the connection is lost in the middle, nobody knows whether the beat counts: it is not
        sent again; the meters are read, and the book stands where they say.
        """
        try:
            return await self._postgres.write(
                lambda link: postgres_meter.write_beat(
                    link, beat, flight=self._flight, limited=limited, at=at
                ),
                is_beat=True,
            )
        except ConnectionLostError as error:
            raise StaleError("the line broke") from error

    async def settle(  # noqa: D102
        self, call: CallId, *, seconds: int, credit: Credit, heard_until: float | None, at: float
    ) -> Settled:
        return await self._knowing(
            lambda link, known: postgres_settlement.settle(
                link,
                call,
                seconds=seconds,
                credit=credit,
                heard_until=heard_until,
                known=known,
                at=at,
            )
        )

    async def credit_rest(self, call: CallId, *, at: float) -> Micros:  # noqa: D102
        return await self._knowing(
            lambda link, known: postgres_settlement.credit_rest(link, call, known=known, at=at)
        )

    async def _knowing(self, deed: Callable[[Link, Known], Awaitable[T]]) -> T:
        """Carry out a deed that may open books; they are known once it is durable."""

        async def carried_out(link: Link) -> tuple[T, Books]:
            known = Known(self._quotes, self._books)
            return await deed(link, known), known.found

        result, found = await self._postgres.write(carried_out)
        self._books |= found
        return result

    async def unsettled(self, node: str) -> tuple[list[MeterRow], set[CallId]]:  # noqa: D102
        async def deed(link: Link) -> tuple[list[MeterRow], set[CallId]]:
            rows = await postgres_meter.unsettled(link, node)
            return rows, await postgres_meter.limited_of(link, [row.call for row in rows])

        return await self._postgres.read(deed)

    async def standing(self) -> Standing:  # noqa: D102
        return await self._postgres.read(postgres_ledger.standing)

    async def tie_live(  # noqa: D102
        self, scopes: Mapping[CallId, Sequence[Scope]], *, at: float
    ) -> set[CallId]:
        return await self._postgres.write(
            lambda link: postgres_ledger.tie_live(link, scopes, at=at)
        )

    async def quote(self, quote_id: str) -> Quote:  # noqa: D102
        return await self._postgres.read(lambda link: postgres_settlement.quote_of(link, quote_id))


def postgres_meters(postgres: Postgres) -> MeterStore:
    """The meters of a ledger on PostgreSQL."""
    return MeterStore(PostgresMeters(postgres))
