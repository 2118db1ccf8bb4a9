"""What money needs every night, whatever the facility: each is done once however often it runs."""

import logging
from collections.abc import Awaitable, Callable
from typing import Final

from switch.store import claim_statements, dunning_statements, idle_statements, money_rules
from switch.store.vault import Vault

log: Final = logging.getLogger(__name__)


class MoneyNights:
    """The nightly work on claims and idle money.

    Args:
        vault: where both are.
    """

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def jobs(self) -> dict[str, Callable[[object], Awaitable[object]]]:
        """Return what is done every night, by name; each takes whose night it is."""
        return {
            "claims that nobody decided": lambda _due: self.grant_undecided(),
            "look for idle money": lambda _due: self.look_for_idle(),
            "late invoices": lambda _due: self.remind(),
        }

    async def grant_undecided(self) -> list[int]:
        """Grant the claims that nobody decided in time."""
        at = self._vault.clock.wall()
        due = await self._vault.write(lambda raw: claim_statements.lapse_due(raw, at=at))
        if due:
            log.warning("claims that nobody decided in time were paid: %s", due)
        return due

    async def look_for_idle(self) -> idle_statements.IdleNight:
        """Tell whose money lies idle, and pay back what was told long enough ago."""
        at = self._vault.clock.wall()
        night = await self._vault.write(
            lambda raw: idle_statements.look(raw, money_rules.rules_of(raw), at=at)
        )
        if night.told or night.paid_back:
            log.info("idle money: %d told, %d paid back", len(night.told), len(night.paid_back))
        return night

    async def remind(self) -> list[dunning_statements.Reached]:
        """Remind of late invoices, suspend and convert their accounts."""
        at = self._vault.clock.wall()
        reached = await self._vault.write(lambda raw: dunning_statements.look(raw, at=at))
        for row in reached:
            log.info("invoice %d of account %d: %s", row.invoice, row.account, row.stage.name)
        return reached
