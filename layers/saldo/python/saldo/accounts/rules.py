"""Decisions on terms of payment."""

from __future__ import annotations

from saldo.accounts.model import DiscountTax, LatePolicy, Terms
from saldo.kernel.errors import Problems

_MOST_DAYS = 365


def check_terms(terms: Terms, currency: str) -> None:
    """Refusal `invalid_terms` for what no invoice of an account in a currency could carry, naming every problem."""
    problems = Problems()
    early, late = terms.early_discount, terms.late
    if early:
        if not 0 < early.percent < 100:
            problems.add("early_discount.percent", "out_of_range", "a discount is above 0 and below 100 per cent")
        if not 0 <= early.days <= _MOST_DAYS:
            problems.add("early_discount.days", "out_of_range", f"from 0 to {_MOST_DAYS} days")
        if early.tax is DiscountTax.ALWAYS:
            # The tax of the invoice itself would have to be reckoned on the discounted amount; quotes can, runs do not.
            problems.add("early_discount.tax", "not_supported", "tax on the discounted amount alone is for quotes only")
    if late.policy is LatePolicy.CONTRACT and not 0 < late.percent <= 100:
        problems.add("late.percent", "out_of_range", "a rate is above 0 and at most 100 per cent a year")
    if late.policy is not LatePolicy.CONTRACT and late.percent:
        problems.add("late.percent", "not_agreed", "only a contract has a rate of its own")
    if not 0 <= late.grace_days <= _MOST_DAYS:
        problems.add("late.grace_days", "out_of_range", f"from 0 to {_MOST_DAYS} days")
    if terms.credit_limit_minor < 0:
        problems.add("credit_limit_minor", "out_of_range", "a credit limit is above zero, or 0 for none")
    pairs = [{rate.base, rate.counter} for rate in terms.price_rates]
    if any(len(pair) < 2 for pair in pairs) or any(pair in pairs[:n] for n, pair in enumerate(pairs)):
        problems.add("price_rates", "not_unique", "one rate for two currencies")
    if any(currency not in pair for pair in pairs):
        problems.add("price_rates", "other_currency", f"a rate is between {currency} and another currency")
    problems.refuse_if_any("these terms cannot be agreed", "invalid_terms")
