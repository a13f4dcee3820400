"""Decisions on terms of payment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from saldo.accounts.model import DiscountTax, EarlyDiscount, LatePolicy, Terms
from saldo.kernel.errors import Problem, Problems

_MOST_DAYS = 365


def check_terms(terms: Terms, currency: str) -> None:
    """Refusal `invalid_terms` for what no invoice of an account in a currency could carry, naming every problem."""
    problems = Problems()
    late = terms.late
    for n, found in enumerate(discount_problems(terms.early_discounts, _MOST_DAYS)):
        problems.extend(found, under=f"early_discounts[{n}]")
    for n, early in enumerate(terms.early_discounts):
        if early.tax is DiscountTax.ALWAYS:
            # The tax of the invoice itself would have to be reckoned on the discounted amount; quotes can, runs do not.
            why = "tax on the discounted amount alone is for quotes only"
            problems.add(f"early_discounts[{n}].tax", "not_supported", why)
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


def discount_problems(discounts: Sequence[EarlyDiscount], most_days: int) -> Iterator[list[Problem]]:
    """What is wrong with each of the discounts in steps: its amounts, and that it is no step after the one before."""
    for before, one in zip((None, *discounts), discounts, strict=False):
        found = []
        if not 0 < one.percent < 100:
            found.append(Problem("percent", "out_of_range", "a discount is above 0 and below 100 per cent"))
        if not 0 <= one.days <= most_days:
            found.append(Problem("days", "out_of_range", f"must be from 0 to {most_days}"))
        if before and one.percent >= before.percent:
            found.append(Problem("percent", "not_smaller", "each discount is smaller than the one before"))
        if before and one.days <= before.days:
            found.append(Problem("days", "not_later", "each discount holds longer than the one before"))
        if before and one.tax is not before.tax:
            found.append(Problem("tax", "not_alike", "all discounts of an invoice treat its tax alike"))
        yield found
