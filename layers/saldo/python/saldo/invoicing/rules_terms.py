"""Terms of payment: early-payment discount, instalments, and differences too small to chase."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from saldo.accounts.model import DiscountTax as DiscountTax
from saldo.accounts.model import EarlyDiscount as EarlyDiscount
from saldo.invoicing.model import DocumentKind, InvoiceBody
from saldo.kernel.errors import Refusal
from saldo.kernel.rounding import rounded_ratio
from saldo.ledger.model import LedgerAccount
from saldo.tax.model import Collection, TaxTotal
from saldo.tax.rules import percent_of


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


@dataclass(frozen=True, slots=True)
class EarlyOffer:
    """A discount as it stands on an issued invoice: through when, and what its parts are booked to.

    legs: (ledger account, tag, minor units above zero): the net part, and each tax's part by jurisdiction.
    """

    until_on: date
    legs: tuple[tuple[LedgerAccount, str, int], ...]

    @property
    def minor(self) -> int:
        """What less is to be paid."""
        return sum(minor for _, _, minor in self.legs)

    def of_rest(self, left_minor: int, total_minor: int) -> EarlyOffer:
        """The discount on what credit notes left of an invoice, in proportion."""
        legs = ((account, tag, rounded_ratio(minor * left_minor, total_minor)) for account, tag, minor in self.legs)
        return EarlyOffer(self.until_on, tuple(leg for leg in legs if leg[2]))


def early_offer(body: InvoiceBody) -> EarlyOffer | None:
    """What the terms on the body offer for paying early; None without them, or where less than that is to be paid.

    None too where the buyer pays a tax to the state: what it would get back of that is not the seller's to give.
    """
    discount = body.early_discount
    charged_only = all(t.collection is Collection.CHARGED for t in body.tax_totals)
    if discount is None or body.kind is not DocumentKind.INVOICE or not charged_only:
        return None
    early = early_payment(body, discount)
    taxes = []
    if discount.tax is not DiscountTax.NEVER:
        parts = ((t.jurisdiction, t.tax_minor - _discounted_tax(t, discount.percent)) for t in body.tax_totals)
        taxes = [(LedgerAccount.TAX_PAYABLE, where, minor) for where, minor in parts if minor]
    minor = body.total_minor - early.early_minor
    net = (LedgerAccount.EARLY_DISCOUNT, "", minor - sum(tax[2] for tax in taxes))
    if not 0 < minor < body.payable_minor:
        return None
    return EarlyOffer(early.until_on, (net, *taxes))


def _discounted_tax(total: TaxTotal, percent: Decimal) -> int:
    if total.included or not total.share.is_percentage:
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
