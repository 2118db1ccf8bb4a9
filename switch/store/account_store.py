"""Accounts as commands and portals see them. Each method is one deed."""

from collections.abc import Sequence
from dataclasses import dataclass

from switch.billing.ledger import Account, TransferResult
from switch.billing.refund import RefundPlan
from switch.ids import AccountId
from switch.money import Micros
from switch.store import account_limits, account_statements, ledger_statements
from switch.store.account_limits import Limit, Scope
from switch.store.account_statements import NewAccount
from switch.store.vault import Vault


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountView:
    """An account and the numbers that it pays for."""

    account: Account
    numbers: tuple[str, ...]


class AccountStore:
    """The accounts of people and bodies.

    Args:
        vault: where the ledger is.
    """

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    async def open(self, new: NewAccount) -> AccountId:
        """Open an account with nothing in it."""
        at = self._vault.clock.wall()
        return await self._vault.write(lambda raw: account_statements.open_purse(raw, new, at=at))

    async def find(self, account: AccountId) -> AccountView | None:
        """Return an account; None if there is none of this id."""
        return await self._vault.read(
            lambda raw: (
                None
                if (found := ledger_statements.find(raw, account)) is None
                else AccountView(
                    account=found,
                    numbers=tuple(account_statements.numbers_of(raw, account)),
                )
            )
        )

    async def find_all(
        self, *, kind: str = "", owner: str = "", number: str = "", rows_max: int = 1_000
    ) -> list[AccountView]:
        """List accounts, by kind, owner or number."""
        return await self._vault.read(
            lambda raw: [
                AccountView(
                    account=account,
                    numbers=tuple(account_statements.numbers_of(raw, account.id)),
                )
                for account in account_statements.find_all(
                    raw, kind=kind, owner=owner, number=number, rows_max=rows_max
                )
            ]
        )

    async def fund(self, account: AccountId, amount: Micros, *, ref: str) -> TransferResult:
        """Pay in by hand; once for each `ref`."""
        at = self._vault.clock.wall()
        return await self._vault.write(
            lambda raw: account_statements.fund(raw, account, amount, ref=ref, at=at)
        )

    async def close(self, account: AccountId, *, ref: str) -> Micros:
        """Close an account; return what was paid back.

        Raises:
            UserError: it does not exist, money of it is reserved, or it is in debt.
        """
        at = self._vault.clock.wall()
        return await self._vault.write(
            lambda raw: account_statements.close(raw, account, ref=ref, at=at)
        )

    async def refund(self, account: AccountId, amount: Micros, *, ref: str) -> RefundPlan:
        """Pay some of the balance back to where it came from, once for each `ref`.

        Raises:
            UserError: there is no such account, or it has not so much available.
        """
        at = self._vault.clock.wall()
        return await self._vault.write(
            lambda raw: account_statements.refund(raw, account, amount, ref=ref, at=at)
        )

    async def link(self, account: AccountId, number: str) -> None:
        """Let an account pay for calls to a number."""
        await self._vault.write(lambda raw: account_statements.link(raw, account, number))

    async def unlink(self, account: AccountId, number: str) -> None:
        """Take a number off an account."""
        await self._vault.write(lambda raw: account_statements.unlink(raw, account, number))

    async def judge_person(self, account: AccountId, person: str, *, approved: bool) -> None:
        """Approve or deny calls from a person."""
        await self._vault.write(
            lambda raw: account_statements.judge_person(raw, account, person, approved=approved)
        )

    async def set_limit(
        self, scope: Scope, *, set_by: str, unit: str, period: str, cap: int, zone: str
    ) -> None:
        """Set or change a spending limit; see `account_limits.set_limit`."""
        at = self._vault.clock.wall()
        await self._vault.write(
            lambda raw: account_limits.set_limit(
                raw,
                scope,
                set_by=set_by,
                unit=unit,
                period=period,
                cap=cap,
                zone=zone,
                at=at,
            )
        )

    async def limits(self, scopes: Sequence[Scope]) -> list[Limit]:
        """Return the limits of these scopes as they stand now."""
        at = self._vault.clock.wall()
        return await self._vault.read(
            lambda raw: account_limits.limits_of_scopes(raw, scopes, at=at)
        )
