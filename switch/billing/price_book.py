"""Law and contracts together: the one engine behind quotes, the calculator and the statement.

Contract row, then state rule, then federal cap, then taxes, then the quote. A contract above a
verified cap does not load. Against an unverified one it loads with an alarm, and the quote takes
the lower of the two. A fee that the law forbids for its date does not load, verified or not:
whoever pays gets the benefit of the doubt. Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from switch.billing.dated import holds_on, overlap
from switch.billing.law import Cap, Law, Levy, StateRule
from switch.billing.payer import Payer
from switch.billing.quote import (
    FACILITY_PART,
    REVENUE,
    Quote,
    QuoteLine,
    QuoteRefusal,
    make_quote,
)
from switch.billing.tariff import ANY, MILLION, FeeRow, RateRow, Tariff, TaxRow
from switch.errors import SettingsError


@dataclass(frozen=True, slots=True)
class _Bound:
    """The lowest of the caps that are on a call."""

    row: str
    """Its id; '' if there is none."""
    micros: int | None


class PriceBook:
    """All prices.

    Args:
        law: the rows.
        tariffs: as `parse_tariff` read them.

    Raises:
        SettingsError: a contract is above a verified cap, has a forbidden fee, or names a levy
            that the law does not know.
    """

    def __init__(self, law: Law, tariffs: Sequence[Tariff]) -> None:
        self.law = law
        self.tariffs: Mapping[str, Tariff] = {tariff.id: tariff for tariff in tariffs}
        for tariff in tariffs:
            _check_levies(law, tariff)
            for fee in tariff.fee:
                _check_fee(law, tariff, fee)
        self.alarms = tuple(
            alarm
            for tariff in tariffs
            for row in tariff.rate
            for alarm in _checked(law, tariff, row)
        )
        """What staff must know: contracts above a cap that nobody has verified."""

    def alarms_on(self, date: str) -> list[str]:
        """Return what staff must know about the prices of a day: levies without a row for it."""
        have = {levy.levy for levy in self.law.levies if holds_on(levy, date)}
        return [
            f"tariff {tariff.id}: the levy {name} has no row for {date}, so nothing is charged for"
            " it; bring config/law up to date"
            for tariff in self.tariffs.values()
            for name in tariff.levies
            if name not in have
        ]

    def quote(
        self,
        tariff: str,
        *,
        payer: Payer,
        call_class: str,
        date: str,
        minute_of_day: int,
        country: str = "",
    ) -> Quote | QuoteRefusal:
        """Price a call, or say that there is no price.

        Args:
            tariff: of the facility.
            payer: who pays.
            call_class: `local`, `intrastate`, `interstate`, `territory`, `canada`, `international`.
            date: the day at the facility, `2026-11-24`.
            minute_of_day: at the facility, when the call is placed; it keeps that price.
            country: ISO 3166 of the number, for the prices abroad.
        """
        contract = self.tariffs.get(tariff)
        if contract is None:
            return QuoteRefusal.NO_RATE
        row = contract.row_for(
            payer=payer,
            call_class=call_class,
            country=country,
            date=date,
            minute_of_day=minute_of_day,
        )
        if row is None:
            return QuoteRefusal.NO_RATE
        tier = self.law.tier_of(contract.kind, contract.adp)
        states = self.law.state_rules_on(date, state=contract.state, call_class=call_class)
        bound = _bound(self.law.cap_on(date, tier=tier), states, row)
        asked = row.micros_per_minute
        price = asked if bound.micros is None else min(asked, bound.micros)
        taxes: list[TaxRow | Levy] = [
            *self.law.levies_on(date, names=contract.levies, call_class=call_class),
            *(tax for tax in contract.tax if tax.fits(call_class, date)),
        ]
        return make_quote(
            payer=payer,
            call_class=call_class,
            tariff=tariff,
            currency=contract.currency,
            lines=_lines(price, min(row.facility_part_micros, price), taxes),
            free_s=max([row.free_s, *(rule.free_s for rule in states)]),
            tier=tier,
            rate_row=row.id,
            law_row=bound.row,
            cap_micros_per_minute=bound.micros,
            capped=price < asked,
            band=row.band,
            country=country if row.country else "",
            state_rows=tuple(rule.id for rule in states),
            tax_rows=tuple(tax.id for tax in taxes),
        )


def _bound(cap: Cap | None, states: Sequence[StateRule], row: RateRow) -> _Bound:
    """Choose the lowest cap. What termination abroad costs raises the federal one (L5)."""
    bounds = [
        _Bound(rule.id, rule.value_micros) for rule in states if rule.value_micros is not None
    ]
    if cap is not None:
        bounds.append(_Bound(cap.id, cap.value_micros + row.termination_micros))
    return min(bounds, key=lambda bound: bound.micros or 0, default=_Bound("", None))


def _lines(price: int, facility_part: int, taxes: Sequence[TaxRow | Levy]) -> tuple[QuoteLine, ...]:
    parts = [
        QuoteLine(book=REVENUE, label="", micros_per_minute=price - facility_part),
        QuoteLine(book=FACILITY_PART, label="", micros_per_minute=facility_part),
        *(
            QuoteLine(
                book=f"tax:{tax.levy if isinstance(tax, Levy) else tax.id}",
                label=tax.label,
                micros_per_minute=price * tax.parts_per_million // MILLION,
            )
            for tax in taxes
        ),
    ]
    return tuple(part for part in parts if part.micros_per_minute > 0)


def _checked(law: Law, tariff: Tariff, row: RateRow) -> list[str]:
    """Hold one contract price against every cap that is in force with it."""
    tier = law.tier_of(tariff.kind, tariff.adp)
    above: list[Cap | StateRule] = [
        cap
        for cap in law.caps
        if cap.tier == tier
        and cap.medium == "audio"
        and overlap(cap, row)
        and row.micros_per_minute > cap.value_micros + row.termination_micros
    ]
    above += [
        rule
        for rule in law.state_rules
        if rule.state == tariff.state
        and row.call_class in {ANY, *rule.classes}
        and overlap(rule, row)
        and rule.value_micros is not None
        and row.micros_per_minute > rule.value_micros
    ]
    for cap in above:
        if cap.verified and (isinstance(cap, Cap) or row.call_class != ANY):
            raise SettingsError(
                f"tariff {tariff.id}: rate {row.id} of {row.micros_per_minute} micros a minute is"
                f" above the cap {cap.id} of {cap.value_micros} ({cap.citation})"
            )
    return [
        f"tariff {tariff.id}: rate {row.id} is above the cap {cap.id}"
        f"{'' if cap.verified else ', which nobody has verified'}; the lower one is quoted"
        for cap in above
    ]


def _check_levies(law: Law, tariff: Tariff) -> None:
    known = {levy.levy for levy in law.levies}
    for name in tariff.levies:
        if name not in known:
            raise SettingsError(
                f"tariff {tariff.id} passes on the levy {name}, which no file of law has;"
                f" known: {', '.join(sorted(known)) or 'none'}"
            )


def _check_fee(law: Law, tariff: Tariff, fee: FeeRow) -> None:
    for cap in law.fee_caps:
        if cap.fee == fee.fee and overlap(cap, fee) and fee.micros > cap.value_micros:
            raise SettingsError(
                f"tariff {tariff.id}: the fee {fee.id} of {fee.micros} micros is more than the"
                f" {cap.value_micros} of {cap.id} ({cap.citation})"
            )
    covered = any(cap.fee == fee.fee and cap.valid_from <= fee.valid_from for cap in law.fee_caps)
    if fee.micros and not covered:
        raise SettingsError(
            f"tariff {tariff.id}: no row of law allows a fee {fee.fee} from {fee.valid_from}"
        )
