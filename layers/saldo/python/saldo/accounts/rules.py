"""Decisions on terms of payment, and on exemptions from taxes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from saldo.accounts.model import EarlyDiscount, Exemption, LateFee, LatePolicy, LateTerms, MonthCount, Terms
from saldo.kernel.errors import Problem, Problems
from saldo.kernel.exact import ZERO
from saldo.kernel.periods import Unit

_MOST_DAYS = 365
# After what time interest may bear interest.
COMPOUNDING = (Unit.DAY, Unit.MONTH, Unit.QUARTER, Unit.YEAR)


def exemption_problems(exemption: Exemption) -> Iterator[Problem]:
    """Everything for which no certificate could say that a tax is not charged."""
    if not exemption.jurisdictions:
        yield Problem("jurisdictions", "missing", "name whose tax is not charged, such as US-NY")
    if not 0 < exemption.percent <= 100:
        yield Problem("percent", "out_of_range", "more than 0 and at most 100 per cent of an amount are exempt")
    if exemption.until_on <= exemption.from_on:
        yield Problem("until_on", "not_after_from_on", "a certificate ends after it begins")


def check_terms(terms: Terms, currency: str) -> None:
    """Refusal `invalid_terms` for what no invoice of an account in a currency could carry, naming every problem."""
    problems = Problems()
    for n, found in enumerate(discount_problems(terms.early_discounts, _MOST_DAYS)):
        problems.extend(found, under=f"early_discounts[{n}]")
    if terms.early_in_part and not terms.early_discounts:
        problems.add("early_in_part", "no_discount", "there is no discount to have a part of")
    problems.extend(_late_problems(terms.late), under="late")
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


def _late_problems(late: LateTerms) -> Iterator[Problem]:
    by_contract = late.policy is LatePolicy.CONTRACT
    if by_contract and not 0 < late.percent <= 100:
        yield Problem("percent", "out_of_range", "a rate is above 0 and at most 100 per cent a year")
    if not by_contract and late.percent:
        yield Problem("percent", "not_agreed", "only a contract has a rate of its own")
    if not by_contract and late.later:
        yield Problem("later", "not_agreed", "only a contract has rates of its own")
    if not by_contract and late.compounds:
        yield Problem("compounds", "not_agreed", "only by contract does interest bear interest")
    if late.policy is LatePolicy.NONE and _says_something(late):
        yield Problem("policy", "missing", "nothing is charged for late payment without a policy")
    if late.compounds and late.compounds not in COMPOUNDING:
        yield Problem("compounds", "not_supported", "interest bears interest after a day, month, quarter or year")
    yield from counting_problems(late)
    if not 0 <= late.grace_days <= _MOST_DAYS:
        yield Problem("grace_days", "out_of_range", f"from 0 to {_MOST_DAYS} days")
    if late.most_percent is not None and late.most_percent <= 0:
        yield Problem("most_percent", "not_above_zero", "the most that is charged is above zero")
    days = [on for on, _ in late.later]
    if any(after <= before for before, after in pairwise(days)):
        yield Problem("later", "not_rising", "each percent holds from a later day than the one before")
    for n, (_, percent) in enumerate(late.later):
        if not 0 <= percent <= 100:
            yield Problem(f"later[{n}].percent", "out_of_range", "a rate is from 0 to 100 per cent a year")
    for n, fee in enumerate(late.fees):
        yield from (Problem(f"fees[{n}].{p.field}", p.code, p.message) for p in fee_problems(fee))


def _says_something(late: LateTerms) -> bool:
    """Whether more is agreed than what is looked at by itself."""
    seen = replace(late, percent=ZERO, later=(), compounds=None, compensation=False, grace_days=0, per_month=False)
    return seen != LateTerms()


def counting_problems(late: LateTerms) -> Iterator[Problem]:
    """What is wrong with how days and months of interest count, on record or in a quote."""
    if late.year_days is not None and late.year_days < 1:
        yield Problem("year_days", "below_one", "a year has days")
    if late.calendar_year and (late.year_days is not None or late.thirty_days):
        yield Problem("calendar_year", "one_of_two", "a year has the days of the calendar, or those that are agreed")
    if late.compounds and (late.thirty_days or late.months is not MonthCount.EXACT):
        yield Problem("compounds", "one_of_two", "interest that bears interest is counted by whole times and real days")
    if late.daily_rounding and (late.compounds or late.months is not MonthCount.EXACT):
        yield Problem("daily_rounding", "one_of_two", "what a day costs is rounded where interest counts by days alone")


def fee_problems(fee: LateFee) -> Iterator[Problem]:
    """What is wrong with a fee for late payment, on record or in a quote."""
    if not fee.amount_minor and not fee.percent:
        yield Problem("amount", "missing", "a fee has an `amount` or a `percent`")
    for name, value in (("amount", fee.amount_minor), ("percent", fee.percent), ("least", fee.least_minor)):
        if value < 0:
            yield Problem(name, "negative", "must be zero or more")
    if fee.most_minor is not None and fee.most_minor < fee.least_minor:
        yield Problem("most", "below_least", "the most is no less than the least")
    if fee.after_days < 0:
        yield Problem("after_days", "negative", "must be zero or more")
    if fee.every_days is not None and fee.every_days < 1:
        yield Problem("every_days", "below_one", "must be a day or more")
    if fee.times is not None and fee.times < 1:
        yield Problem("times", "below_one", "must be once or more")
