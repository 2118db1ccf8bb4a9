"""The hot statements of the meter on PostgreSQL, each one deed; see `MeterStatements`.

Several nodes may meter on one database: each has its epoch, and a node that was taken over is
refused at the fence.
"""

from collections.abc import Collection, Mapping, Sequence

from switch.billing.beat import Beat, BeatResult, MeterRow
from switch.billing.credit import Credit
from switch.billing.ledger import Reserved, ReserveResult, Settled
from switch.billing.quote import Quote
from switch.errors import ConnectionLostError
from switch.ids import AccountId, CallId
from switch.money import Micros
from switch.store import postgres_ledger, postgres_meter
from switch.store.account_limits import Scope, Standing
from switch.store.meter_decision import StaleError
from switch.store.meter_statements import Opening
from switch.store.meter_store import MeterStore
from switch.store.postgres_link import Link, Postgres
from switch.store.postgres_vault import PostgresVault
from switch.store.vault import Vault


class PostgresMeters:
    """Meters on PostgreSQL.

    Args:
        postgres: the open pool.
    """

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres
        self._vault = PostgresVault(postgres)
        self._flight = AccountId(0)

    @property
    def vault(self) -> Vault:
        """Where the ledger is."""
        return self._vault

    async def begin_epoch(self, node: str, boot_id: str, *, at: float) -> int:
        """See `MeterStatements`; so for all."""

        async def deed(link: Link) -> tuple[int, AccountId]:
            epoch = await postgres_meter.begin_epoch(link, node, boot_id)
            return epoch, await postgres_meter.in_flight(link, node, at=at)

        epoch, self._flight = await self._postgres.write(deed)
        return epoch

    async def reserve(  # noqa: D102
        self, opening: Opening, *, at: float
    ) -> tuple[Reserved | ReserveResult, set[CallId]]:
        async def deed(link: Link) -> tuple[Reserved | ReserveResult, set[CallId]]:
            result = await postgres_meter.reserve(link, opening, at=at)
            return result, await postgres_meter.limited_of(link, [opening.call])

        return await self._postgres.write(deed)

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
        return await self._postgres.write(
            lambda link: postgres_meter.settle(
                link, call, seconds=seconds, credit=credit, heard_until=heard_until, at=at
            )
        )

    async def credit_rest(self, call: CallId, *, at: float) -> Micros:  # noqa: D102
        return await self._postgres.write(
            lambda link: postgres_meter.credit_rest(link, call, at=at)
        )

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
        return await self._postgres.read(lambda link: postgres_meter.quote_of(link, quote_id))


def postgres_meters(postgres: Postgres) -> MeterStore:
    """The meters of a ledger on PostgreSQL."""
    return MeterStore(PostgresMeters(postgres))
