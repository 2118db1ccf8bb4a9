import pytest

from switch.billing.invoice import Invoice, InvoiceLine, Movement, Sums, make_invoice
from switch.errors import LocalError

LINE = InvoiceLine(
    call=1,
    started_at=0.0,
    number="+15550100001",
    seconds=60,
    micros_per_minute=123_457,
    price=100_000,
    taxes={"tax:usf": 20_000, "tax:state": 3_457},
    credited=7,
)
PAID = Movement(id="m", at=0.0, code="fund", amount=50_000)
SUMS = Sums(opening=-10, closing=-10 - 123_450 + 50_000, settled=123_457, credited=7)


def invoice(sums: Sums = SUMS) -> Invoice:
    return make_invoice(
        number=1,
        account=5,
        owner="Legal Aid",
        currency="USD",
        period="2026-09",
        issued_at=0.0,
        lines=[LINE],
        movements=[PAID],
        sums=sums,
    )


def test_micros_add_up_first_and_the_rest_of_a_cent_is_not_asked_for() -> None:
    made = invoice()
    assert (made.total, made.total_cents, made.rest) == (123_450, 12, 3_450)
    assert made.taxes == {"tax:usf": 20_000, "tax:state": 3_457}
    assert made.due_at == 20 * 86_400


@pytest.mark.parametrize("name", ["opening", "closing", "settled", "credited"])
def test_what_the_ledger_contradicts_is_not_issued(name: str) -> None:
    said = {field: getattr(SUMS, field) for field in ("opening", "closing", "settled", "credited")}
    with pytest.raises(LocalError, match="it is not issued"):
        invoice(Sums(**said | {name: said[name] + 1}))
