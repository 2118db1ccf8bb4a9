"""Files of payments, into the ledger: each line once, whatever file it comes in. Inside a deed.

Accepted and rejected lines are all of a file, and its total must be what its sender says: a file
that does not add up is not imported at all.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final

from switch.billing.ledger import Transfer, TransferResult
from switch.billing.money_file import PERSON_KINDS, FileLine, Sums, add_up, read_lines
from switch.billing.payer import Payer
from switch.errors import UserError
from switch.ids import AccountId
from switch.money import Micros, dollars_text
from switch.store import account_statements, dunning_statements, ledger_statements, payer_notice
from switch.store.account_statements import NewAccount
from switch.store.vault import Raw, lock_name

_KNOWN: Final = """
SELECT accepted, accepted_micros, rejected, rejected_micros FROM money_file WHERE hash = ?
"""
_FILE: Final = "INSERT INTO money_file VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_LINE: Final = "INSERT INTO money_line VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_ONCE: Final = """
SELECT hash FROM money_line WHERE kind = ? AND facility = ? AND ref = ? AND fault = ''
"""
LIST: Final = """
SELECT hash, kind, facility, name, accepted, accepted_micros, rejected, rejected_micros, who, at
  FROM money_file ORDER BY at DESC LIMIT ?
"""
LINES: Final = """
SELECT line, ref, payee, amount, account_id, fault FROM money_line WHERE hash = ? ORDER BY line
"""
"""Both are for commands, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyFile:
    """A file, and what its sender says of it."""

    kind: str
    facility: str
    name: str
    text: str
    total: Micros
    """What its sender says that it adds up to."""

    @property
    def hash(self) -> str:
        """Its name for ever: the same content at the same facility is the same file."""
        return sha256(f"{self.kind}\n{self.facility}\n{self.text}".encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What became of a file."""

    hash: str
    sums: Sums
    lines: tuple[FileLine, ...]
    was_known: bool


def take(
    raw: Raw, file: MoneyFile, *, people: Mapping[str, str], by: str, is_dry: bool, at: float
) -> Imported:
    """Import a file; told again, it is the first import.

    Args:
        raw: a deed.
        file: the file.
        people: the facility of every person, by their id.
        by: who imports it.
        is_dry: only say what would become of it.
        at: wall seconds.

    Raises:
        UserError: it is no such file, or does not add up to its total.
    """
    lock_name(raw, "money file")
    known = raw.execute(_KNOWN, (file.hash,)).fetchone()
    if known is not None:
        names = ("accepted", "accepted_micros", "rejected", "rejected_micros")
        sums = Sums(**dict(zip(names, known, strict=True)))
        return Imported(hash=file.hash, sums=sums, lines=lines_of(raw, file.hash), was_known=True)
    lines = tuple(_judged(raw, file, line, people) for line in read_lines(file.text))
    sums = add_up(lines)
    _refuse_difference(file, sums)
    if not is_dry:
        row = (sums.accepted, sums.accepted_micros, sums.rejected, sums.rejected_micros)
        raw.execute(_FILE, (file.hash, file.kind, file.facility, file.name, *row, by, at))
        for line in lines:
            account = None if line.fault else _pay_in(raw, file, line, at=at)
            place = (file.hash, line.line, file.kind, file.facility, line.ref, line.payee)
            raw.execute(_LINE, (*place, line.amount, account, line.fault))
    return Imported(hash=file.hash, sums=sums, lines=lines, was_known=False)


def lines_of(raw: Raw, hash_: str) -> tuple[FileLine, ...]:
    """Return the lines of a file that was imported."""
    return tuple(
        FileLine(line=line, ref=ref, payee=payee, amount=Micros(amount), fault=fault)
        for line, ref, payee, amount, _account, fault in raw.execute(LINES, (hash_,))
    )


def _refuse_difference(file: MoneyFile, sums: Sums) -> None:
    found = sums.accepted_micros + sums.rejected_micros
    if found != file.total:
        raise UserError(
            f"The lines add up to {dollars_text(found)} and the total is"
            f" {dollars_text(file.total)}: a difference of {dollars_text(found - file.total)}."
            " Nothing was imported."
        )


def _judged(raw: Raw, file: MoneyFile, line: FileLine, people: Mapping[str, str]) -> FileLine:
    if line.fault:
        return line
    before = raw.execute(_ONCE, (file.kind, file.facility, line.ref)).fetchone()
    if before is not None:
        return replace(line, fault=f"was imported before, in file {before[0][:12]}")
    if file.kind in PERSON_KINDS:
        return replace(line, fault=_fault_of_person(file, people.get(line.payee)))
    account = _named_account(raw, line.payee)
    if isinstance(account, str):
        return replace(line, fault=account)
    found = ledger_statements.find(raw, account)
    is_open = found is not None and found.is_open and found.purse.floor is not None
    return line if is_open else replace(line, fault="no such account, or it is closed")


def _fault_of_person(file: MoneyFile, facility: str | None) -> str:
    if facility is None:
        return "no such person"
    return "" if facility == file.facility else f"the person is at {facility}"


def _named_account(raw: Raw, payee: str) -> AccountId | str:
    """Find the account that is meant by its id or by a number; or say why there is none."""
    if payee.isascii() and payee.isdigit():
        return AccountId(int(payee[:15]))
    found = [a for a in account_statements.find_all(raw, number=payee) if a.is_open]
    return found[0].id if len(found) == 1 else f"{len(found)} open accounts pay for this number"


def _pay_in(raw: Raw, file: MoneyFile, line: FileLine, *, at: float) -> AccountId:
    if file.kind in PERSON_KINDS:
        account = _debit_account(raw, file, line.payee, at=at)
        kind, place = "trust", file.facility
    else:
        named = _named_account(raw, line.payee)
        assert not isinstance(named, str)
        account, kind, place = named, "offline", ""
    row = Transfer(
        id=f"import:{file.hash}:{line.line}",
        debit=ledger_statements.book(raw, kind, currency="USD", facility=place, at=at),
        credit=account,
        amount=line.amount,
        code="fund",
        ref=f"{file.kind}:{line.ref}",
    )
    result = ledger_statements.transfer(raw, row, at=at)
    assert result is TransferResult.OK, result
    dunning_statements.relieve(raw, account, at=at)
    body = {"amount": line.amount, "receipt": f"{file.kind} {line.ref}"}
    payer_notice.tell(raw, account, "deposit", body, at=at)
    return account


def _debit_account(raw: Raw, file: MoneyFile, person: str, *, at: float) -> AccountId:
    found = account_statements.owned_account(raw, Payer.CALLER_DEBIT, owner=person)
    if found is not None:
        return found.id
    new = NewAccount(kind="caller_debit", owner=person, facility=file.facility)
    return account_statements.open_purse(raw, new, at=at)
