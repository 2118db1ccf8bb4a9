"""Where the money is kept."""

from typing import Annotated

import msgspec
from msgspec import Meta


class StoreSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The table `[store]`. Left out, everything stands in `DATA/kinline.sqlite3`."""

    postgres_dsn_file: str = ""
    """A file that holds the address of a PostgreSQL database (15 or later), beside the
    configuration or by its full path: `postgresql://kinline:PASSWORD@db.example/kinline`. A file,
    because it holds a secret. Accounts, the ledger, meters, limits, quotes, invoices and seals
    then stand there, for all nodes; rules, records, recordings and staff stay with the node."""
    connections_max: Annotated[int, Meta(ge=2, le=64)] = 4
    """Connections to it at once. Chosen: the meter, two deeds and a reader."""
