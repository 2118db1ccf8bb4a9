"""The hot statements of the meter on the store's own file; see `MeterStatements`."""

from collections.abc import Collection, Mapping, Sequence

import msgspec
from sqlalchemy import Connection

from switch.billing.beat import Beat, BeatResult, MeterRow
from switch.billing.credit import Credit
from switch.billing.ledger import Reserved, ReserveResult, Settled
from switch.billing.quote import Quote
from switch.errors import LocalError
from switch.ids import CallId
from switch.money import Micros
from switch.store import account_limits, meter_settlement, meter_statements
from switch.store.account_limits import Scope, Standing
from switch.store.engine import Store, driver
from switch.store.meter_statements import Opening
from switch.store.meter_store import MeterStore
from switch.store.vault import FileVault, Vault

QUOTES_MAX = 4_096
"""Quotes that are kept in memory. Chosen: far more than a day's different prices."""


class FileMeters:
    """Meters in the store's own file.

    Args:
        store: the open database.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._vault = FileVault(store)
        self._quotes: dict[str, Quote] = {}

    @property
    def vault(self) -> Vault:
        """Where the ledger is."""
        return self._vault

    async def begin_epoch(self, node: str, boot_id: str, *, at: float) -> int:
        """See `MeterStatements`; so for all."""
        return await self._store.write(
            lambda c: meter_statements.begin_epoch(driver(c), node, boot_id, at=at)
        )

    async def reserve(  # noqa: D102
        self, opening: Opening, *, at: float
    ) -> tuple[Reserved | ReserveResult, set[CallId]]:
        def deed(connection: Connection) -> tuple[Reserved | ReserveResult, set[CallId]]:
            raw = driver(connection)
            result = meter_statements.reserve(raw, opening, at=at)
            is_limited = meter_statements.is_limited(raw, opening.call)
            return result, {opening.call} if is_limited else set()

        answer = await self._store.write(deed)
        self._keep(opening.quote)
        return answer

    async def write_beat(  # noqa: D102
        self, beat: Beat, *, limited: Collection[CallId], at: float
    ) -> BeatResult:
        return await self._store.write(
            lambda c: meter_statements.write_beat(driver(c), beat, limited=limited, at=at)
        )

    async def settle(  # noqa: D102
        self, call: CallId, *, seconds: int, credit: Credit, heard_until: float | None, at: float
    ) -> Settled:
        def deed(connection: Connection) -> Settled:
            raw = driver(connection)
            quote = self._quote(meter_settlement.quote_name(raw, call), on=connection)
            return meter_settlement.settle(
                raw,
                call,
                quote,
                seconds=seconds,
                credit=credit,
                heard_until=heard_until,
                at=at,
            )

        return await self._store.write(deed)

    async def credit_rest(self, call: CallId, *, at: float) -> Micros:  # noqa: D102
        return await self._store.write(
            lambda c: meter_settlement.credit_rest(driver(c), call, at=at)
        )

    async def unsettled(self, node: str) -> tuple[list[MeterRow], set[CallId]]:  # noqa: D102
        def deed(connection: Connection) -> tuple[list[MeterRow], set[CallId]]:
            raw = driver(connection)
            rows = meter_statements.unsettled(raw, node)
            return list(rows), {r.call for r in rows if meter_statements.is_limited(raw, r.call)}

        return await self._store.read(deed)

    async def standing(self) -> Standing:  # noqa: D102
        return await self._store.read(lambda c: account_limits.standing(driver(c)))

    async def tie_live(  # noqa: D102
        self, scopes: Mapping[CallId, Sequence[Scope]], *, at: float
    ) -> set[CallId]:
        return await self._store.write(lambda c: account_limits.tie_live(driver(c), scopes, at=at))

    async def quote(self, quote_id: str) -> Quote:  # noqa: D102
        return await self._store.read(lambda c: self._quote(quote_id, on=c))

    def _quote(self, quote_id: str, *, on: Connection) -> Quote:
        if quote_id not in self._quotes:
            row = driver(on).execute("SELECT body FROM quote WHERE id = ?", (quote_id,)).fetchone()
            if row is None:
                raise LocalError(f"there is no quote {quote_id}")
            self._keep(msgspec.json.decode(row[0], type=Quote))
        return self._quotes[quote_id]

    def _keep(self, quote: Quote) -> None:
        if len(self._quotes) >= QUOTES_MAX:
            self._quotes.clear()
        self._quotes[quote.id] = quote


def file_meters(store: Store) -> MeterStore:
    """The meters of a store whose ledger is in its own file."""
    return MeterStore(FileMeters(store))
