"""What an operator says about money."""

from typing import Annotated

import msgspec
from msgspec import Meta

FileName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_./-]+\.toml$", max_length=200)]


Days = Annotated[int, Meta(ge=1, le=365)]


class MoneyRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The table `[billing.rules]`: amounts and days of refunds and of idle money."""

    second_above_cents: Annotated[int, Meta(ge=0, le=10_000_00)] = 2500
    """Above this, two people decide on a refund. Chosen: a month of calls of one family."""
    claim_days: Days = 90
    """How long after a call its charge can be asked back. Chosen: two statements and a month."""
    decide_days: Days = 5
    """Undecided for so long counts as yes. Chosen."""
    idle_tell_days: Days = 150
    """Idle for so long: told on every proved address. 47 CFR 64.6130 (L9), with a month to act."""
    idle_return_days: Days = 180
    """Idle for so long: paid back. 47 CFR 64.6130 (L9)."""

    def __post_init__(self) -> None:
        """Refuse what would fail later."""
        if self.idle_tell_days >= self.idle_return_days:
            raise ValueError("idle_tell_days must be below idle_return_days")


class BillingSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the law and the prices stand, relative to the folder of the configuration."""

    law: Annotated[tuple[FileName, ...], Meta(max_length=50)] = (
        "law/fcc_25_75.toml",
        "law/fcc_2021.toml",
        "law/states.toml",
        "law/levies.toml",
        "law/fees.toml",
        "law/duties.toml",
    )
    tariffs: Annotated[tuple[FileName, ...], Meta(max_length=500)] = ("tariffs/lab.toml",)
    rules: MoneyRules = MoneyRules()
