"""Terms of payment: early-payment discount, instalments, and differences too small to chase."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from saldo.invoicing.model import InvoiceBody
from saldo.kernel.errors import Refusal
from saldo.kernel.rounding import rounded_ratio
from saldo.tax.model import Collection, TaxTotal
from saldo.tax.rules import percent_of


class DiscountTax(StrEnum):
    """When tax is due on the discounted amount: whether or not the discount is taken (ALWAYS), IF_EARLY, or NEVER."""

    ALWAYS = "always"
    IF_EARLY = "if_early"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class EarlyDiscount:
    """`percent` (2 is 2 %) off the net amount when paid within `days` of issue."""

    percent: Decimal
    days: int
    tax: DiscountTax = DiscountTax.IF_EARLY


@dataclass(frozen=True, slots=True)
class EarlyPayment:
    """What is to be paid through `until_on`, and after it; tax as it then is. Minor units."""

    until_on: date
    early_minor: int
    early_tax_minor: int
    late_minor: int
    late_tax_minor: int


def early_payment(body: InvoiceBody, discount: EarlyDiscount) -> EarlyPayment:
    """What an early-payment discount makes of an invoice; each tax is reckoned again on its discounted base."""
    net = body.net_minor - percent_of(body.net_minor, discount.percent)
    charged = [t for t in body.tax_totals if t.collection is not Collection.WITHHELD]
    less = sum(_discounted_tax(t, discount.percent) for t in charged)
    early_tax = body.tax_minor if discount.tax is DiscountTax.NEVER else less
    late_tax = less if discount.tax is DiscountTax.ALWAYS else body.tax_minor
    until_on = body.issued_on + timedelta(days=discount.days)
    return EarlyPayment(until_on, net + early_tax, early_tax, body.net_minor + late_tax, late_tax)


def _discounted_tax(total: TaxTotal, percent: Decimal) -> int:
    if total.compound or total.levy_minor or total.included:
        return total.tax_minor - percent_of(total.tax_minor, percent)
    return percent_of(total.base_minor - percent_of(total.base_minor, percent), total.percent)


@dataclass(frozen=True, slots=True)
class Part:
    """One instalment: a `percent` of the total, an `amount_minor` (without sign), or with neither all that remains."""

    percent: Decimal | None = None
    amount_minor: int | None = None


def instalments(total_minor: int, parts: Sequence[Part]) -> list[int]:
    """The amounts of the instalments, which make up the total; fixed ones take its sign.

    Refusal `instalments_do_not_add_up` unless the last takes what remains, or nothing does.
    """
    found: list[int] = []
    sign = -1 if total_minor < 0 else 1
    for part in parts:
        if part.percent is not None:
            found.append(percent_of(total_minor, part.percent))
        elif part.amount_minor is not None:
            found.append(sign * part.amount_minor)
        else:
            found.append(total_minor - sum(found))
    if sum(found) != total_minor:
        raise Refusal("instalments_do_not_add_up", f"{sum(found)} is not {total_minor}")
    return found


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How small a difference is written off without asking: the lowest of the limits that are set.

    `amount_minor` is the customer's, `clerk_minor` that of whoever posts; `percent` is of the open item.
    """

    amount_minor: int | None = None
    percent: Decimal | None = None
    clerk_minor: int | None = None

    def limit_of(self, open_minor: int) -> int:
        """The greatest difference written off on an item, in minor units; 0 where no limit is set."""
        limits = [limit for limit in (self.amount_minor, self.clerk_minor) if limit is not None]
        if self.percent is not None:
            numerator, denominator = self.percent.as_integer_ratio()
            limits.append(rounded_ratio(abs(open_minor) * numerator, denominator * 100))
        return min(limits, default=0)
