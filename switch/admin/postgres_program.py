"""`kinline postgres prepare`: makes the ledger's tables on PostgreSQL, as their owner."""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from switch.clock import SystemClock
from switch.errors import UserError
from switch.store import postgres_schema
from switch.store.postgres_link import Postgres
from switch.store.vault_opening import dsn_of

EXAMPLE = """example, once, and again after an update of Kinline:
  createuser kinline_owner; createuser kinline; createdb -O kinline_owner kinline
  echo postgresql://kinline_owner@/kinline?host=/run/postgresql >owner.dsn
  kinline postgres prepare --dsn-file owner.dsn --role kinline
then, in the configuration of every node:
  [store]
  postgres_dsn_file = "kinline.dsn"    # the address with the role kinline
"""


def postgres_program(argv: Sequence[str]) -> int:
    """`kinline postgres prepare --dsn-file FILE [--role ROLE]`."""
    parser = argparse.ArgumentParser(
        prog="kinline postgres",
        description="Makes the ledger's tables in a PostgreSQL database, or brings them up to"
        " date. The switch itself connects as another role, which may not change transfers.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("verb", choices=("prepare",))
    parser.add_argument(
        "--dsn-file", type=Path, required=True, help="holds the address, with the owner's role"
    )
    parser.add_argument("--role", default="kinline", help="whom the switch connects as")
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args(argv)
    if not given.role.isidentifier() or not given.role.islower():
        raise UserError(f"{given.role!r} is no role (allowed: small letters, digits, _).")
    made = asyncio.run(_prepare(given.dsn_file, given.role))
    if given.json:
        sys.stdout.write(json.dumps({"made": made, "role": given.role}) + "\n")
    else:
        said = "".join(f"made {name}\n" for name in made) or "was up to date\n"
        sys.stdout.write(said)
    return 0


async def _prepare(dsn_file: Path, role: str) -> list[str]:
    postgres = await Postgres.open(dsn_of(dsn_file), clock=SystemClock(), connections_max=1)
    try:
        return await postgres.write(lambda link: postgres_schema.bring_up_to_date(link, role=role))
    finally:
        await postgres.close()
