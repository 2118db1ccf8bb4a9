"""Who pays for a call. The choice falls before ringing and stays.

The number's own treatment; else a called account that approved this person, prepaid before
invoiced; else the person's own money; else the called line's bill. calls.md section 3.
"""

from dataclasses import dataclass

from switch.billing.ledger import Account
from switch.billing.payer import Payer
from switch.routing.call_class import CallClass
from switch.routing.treatment import Treatment
from switch.screening.register import RegisterEntry
from switch.screening.settings import FacilityRules


@dataclass(frozen=True, slots=True, kw_only=True)
class Purses:
    """The accounts that could pay; None where there is none."""

    called: Account | None = None
    """A contact's prepaid account for this number that approved this person."""
    direct: Account | None = None
    """An account of an attorney or a body for this number, paid by invoice, likewise."""
    debit: Account | None = None
    """The person's own."""
    agency: Account | None = None
    collect: Account | None = None
    """A line that is billed by the month through an agent, up to its limit."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Who pays, from which account."""

    payer: Payer | None
    account: Account | None


NOBODY = Choice(None, None)


def choose_payer(
    call_class: CallClass,
    treatment: Treatment,
    entry: RegisterEntry | None,
    *,
    rules: FacilityRules,
    purses: Purses,
) -> Choice:
    """Choose the payer of a call.

    Args:
        call_class: hotlines cost nobody anything.
        treatment: what the site chose for the number.
        entry: of the privileged register.
        rules: of the facility.
        purses: the accounts there are.
    """
    if call_class is CallClass.HOTLINE:
        return Choice(Payer.AGENCY_FREE, None)
    agency_pays = entry is not None and (entry.agency_pays or rules.agency_pays_privileged)
    if treatment.is_free or agency_pays:
        return Choice(Payer.AGENCY_FREE, purses.agency)
    if treatment.payer:
        return _own(Payer(treatment.payer), purses)
    if purses.called is not None:
        return Choice(Payer.CALLED_PREPAID, purses.called)
    if purses.direct is not None:
        return Choice(Payer.CALLED_DIRECT, purses.direct)
    if purses.debit is not None:
        return Choice(Payer.CALLER_DEBIT, purses.debit)
    return Choice(Payer.CALLED_COLLECT, purses.collect) if rules.collect else NOBODY


def _own(payer: Payer, purses: Purses) -> Choice:
    match payer:
        case Payer.CALLED_PREPAID:
            return Choice(payer, purses.called)
        case Payer.CALLER_DEBIT:
            return Choice(payer, purses.debit)
        case Payer.AGENCY_FREE:
            return Choice(payer, purses.agency)
        case Payer.CALLED_DIRECT:
            return Choice(payer, purses.direct)
        case Payer.CALLED_COLLECT:
            return Choice(payer, purses.collect)
