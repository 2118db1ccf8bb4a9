"""The amounts and days of refunds and idle money, as the switch was last started with. In a deed.

Commands work on the store alone, too; they must not fall back to a milder rule than the switch's.
"""

import msgspec

from switch.billing.settings import MoneyRules
from switch.store.vault import Raw


def keep(raw: Raw, rules: MoneyRules) -> None:
    """Keep the rules of the configuration."""
    raw.executemany(
        "INSERT INTO money_rule VALUES (?, ?)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        sorted(msgspec.structs.asdict(rules).items()),
    )


def rules_of(raw: Raw) -> MoneyRules:
    """Return the rules; the defaults if the switch never started."""
    known = {field.name for field in msgspec.structs.fields(MoneyRules)}
    rows = dict(raw.execute("SELECT name, value FROM money_rule").fetchall())
    return MoneyRules(**{name: value for name, value in rows.items() if name in known})
