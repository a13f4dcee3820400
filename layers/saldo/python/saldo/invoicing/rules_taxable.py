"""What tax is asked about an invoice: its lines, who buys, who sells. No clock, no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

from saldo.accounts.model import Account, LegalEntity
from saldo.catalog.model import Timing
from saldo.invoicing.model import BillingCase, BillingOptions, Line
from saldo.kernel.money import minor_digits
from saldo.tax.model import BuyerFacts, OwnRates, SellerFacts, TaxableLine

_DAY = timedelta(days=1)


def taxable_lines(lines: Sequence[Line], issued_on: date, currency: str = "EUR") -> list[TaxableLine]:
    """What tax is asked: a charge in arrears is supplied by the last day of its period, one in advance when billed.

    What gives back an earlier charge was supplied when that was, and bears its taxes.
    """
    scale = 10 ** minor_digits(currency)
    return [
        TaxableLine(
            line.id,
            line.net_minor - line.base_off_minor,
            line.tax_category,
            line.supplied_on or (line.period.end - _DAY if line.timing is Timing.ARREARS else issued_on),
            line.inclusive,
            (Decimal(line.net_minor - line.base_off_minor), 1, 1)
            if line.base_off_minor
            else (line.exact, line.part[0] * scale, line.part[1]),
            line.quantity if line.net_minor >= 0 else -line.quantity,
            line.of,
            line.taxes if line.supplied_on else (),
        )
        for line in lines
    ]


def buyer_facts(case: BillingCase) -> BuyerFacts:
    return facts_of_buyer(case.supplied_to or case.account)


def facts_of_buyer(account: Account) -> BuyerFacts:
    known = account.country, account.tax_region, account.tax_status, account.has_tax_id
    return BuyerFacts(*known, account.exemptions, account.tax_postcode, account.id)


def seller_facts(case: BillingCase) -> SellerFacts:
    return facts_of_seller(case.entity, case.options, case.own_rates)


def facts_of_seller(
    entity: LegalEntity,
    options: BillingOptions = BillingOptions(),  # noqa: B008 - frozen, so one default serves all
    own_rates: OwnRates | None = None,
) -> SellerFacts:
    return SellerFacts(
        entity.country,
        entity.region,
        frozenset(entity.tax_registrations),
        entity.address.postcode,
        rounding=options.tax_rounding,
        mode=options.tax_mode,
        own_rates=own_rates,
        dated=tuple(sorted(entity.registered.items())),
    )
