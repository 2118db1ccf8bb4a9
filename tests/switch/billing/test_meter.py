
from switch.billing.ledger import Reserved
from switch.billing.meter_news import CutCause, PaidUntil
from switch.billing.rating import charge
from switch.ids import CallId
from tests.support.money_rig import ELEVEN_CENTS, MoneyRig

CALL = CallId(77)
SEVEN_SECONDS = charge(ELEVEN_CENTS.rate, 7)


def run_to_the_cut(rig: MoneyRig, bridged_at: float, phase: float) -> float:
    """Beat once a second until the worker would cut; return when it does."""
    until = rig.book.bridged(CALL, at=bridged_at)
    for n in range(60):
        now = bridged_at + phase + n
        if now >= until:
            break
        for item in rig.beat(now=now):
            if isinstance(item, PaidUntil):
                until = item.at
    return until


def test_money_for_exactly_seven_seconds() -> None:
    for bridged_at in (0.0, 1.1, 86_400.123_456_7, 11_111_111.1, 3_000_000_000.7):
        for phase in (0.001, 0.3, 0.5, 0.6, 0.999):
            rig = MoneyRig()
            account = rig.account(SEVEN_SECONDS)
            assert isinstance(rig.reserve(CALL, account, now=bridged_at - 20), Reserved)
            until = run_to_the_cut(rig, bridged_at, phase)
            assert until == bridged_at + 7
            assert rig.book.cut_cause(CALL) is CutCause.FUNDS
            settled = rig.end(CALL, ended_at=until)
            assert (settled.seconds, settled.charged) == (7, 12_833)
            assert rig.standing(account) == (0, 0)
            assert rig.faults() == []
