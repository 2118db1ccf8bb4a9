import pytest

from switch.billing.ledger import Account, Purse
from switch.billing.payer import Payer
from switch.ids import AccountId
from switch.money import Micros
from switch.routing.call_class import CallClass
from switch.routing.number import E164
from switch.routing.treatment import PLAIN, Treatment
from switch.screening.payer import NOBODY, Choice, Purses, choose_payer
from switch.screening.register import RegisterEntry
from switch.screening.settings import FacilityRules


def an_account(id_: int, kind: str) -> Account:
    purse = Purse(posted=Micros(0), held=Micros(0), floor=Micros(0))
    return Account(
        id=AccountId(id_), kind=kind, owner="", facility="", currency="USD", purse=purse,
        is_open=True,
    )  # fmt: skip


CALLED = an_account(1, "called_prepaid")
DEBIT = an_account(2, "caller_debit")
AGENCY = an_account(3, "agency")
DIRECT = an_account(4, "called_direct")
ALL = Purses(called=CALLED, direct=DIRECT, debit=DEBIT, agency=AGENCY)
ENTRY = RegisterEntry(seq=1, action="add", number=E164("+15552340001"), by=("legal",), at=0.0)


def choose(
    call_class: CallClass = CallClass.ORDINARY,
    treatment: Treatment = PLAIN,
    entry: RegisterEntry | None = None,
    *,
    purses: Purses = ALL,
    collect: bool = False,
    agency_pays_privileged: bool = False,
) -> Choice:
    rules = FacilityRules(collect=collect, agency_pays_privileged=agency_pays_privileged)
    return choose_payer(call_class, treatment, entry, rules=rules, purses=purses)


def test_the_order_is_called_debit_collect_nobody() -> None:
    assert choose() == Choice(Payer.CALLED_PREPAID, CALLED)
    assert choose(purses=Purses(direct=DIRECT, debit=DEBIT)) == Choice(Payer.CALLED_DIRECT, DIRECT)
    assert choose(purses=Purses(debit=DEBIT)) == Choice(Payer.CALLER_DEBIT, DEBIT)
    assert choose(purses=Purses(), collect=True) == Choice(Payer.CALLED_COLLECT, None)
    line = Purses(collect=DIRECT)
    assert choose(purses=line, collect=True) == Choice(Payer.CALLED_COLLECT, DIRECT)
    assert choose(purses=line) == NOBODY
    assert choose(purses=Purses()) == NOBODY


def test_the_numbers_own_treatment_comes_first() -> None:
    assert choose(treatment=Treatment(payer="caller_debit")) == Choice(Payer.CALLER_DEBIT, DEBIT)
    assert choose(treatment=Treatment(payer="called_direct")) == Choice(Payer.CALLED_DIRECT, DIRECT)


@pytest.mark.parametrize(
    "treatment",
    [Treatment(free=True), Treatment(relay=True), Treatment(greeting=False),
     Treatment(payer="agency_free")],
)  # fmt: skip
def test_the_agency_pays_for_free_numbers(treatment: Treatment) -> None:
    assert choose(CallClass.FREE, treatment) == Choice(Payer.AGENCY_FREE, AGENCY)


def test_a_hotline_costs_nobody_anything() -> None:
    assert choose(CallClass.HOTLINE) == Choice(Payer.AGENCY_FREE, None)


def test_an_attorney_is_paid_for_by_the_agency_only_where_that_was_agreed() -> None:
    privileged = CallClass.PRIVILEGED
    assert choose(privileged, entry=ENTRY).payer is Payer.CALLED_PREPAID
    assert choose(privileged, entry=ENTRY, agency_pays_privileged=True).payer is Payer.AGENCY_FREE
