"""What `saldo account terms` is told, and says, of what is agreed with a customer."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from local.cli.typed import number
from local.cli.voice import said
from saldo.accounts.model import (
    Account,
    DiscountTax,
    EarlyDiscount,
    LateFee,
    LatePolicy,
    LateTerms,
    MonthCount,
    Settle,
    Terms,
)
from saldo.accounts.model_payment_terms import PaymentTerms
from saldo.accounts.reading_payment_terms import MOST_DAYS, payment_terms_from
from saldo.accounts.rules import COMPOUNDING
from saldo.documents.wording_terms import due_in_words
from saldo.kernel.errors import Refusal
from saldo.kernel.exact import plain
from saldo.kernel.exchange import rate_in_words
from saldo.kernel.money import Money
from saldo.kernel.periods import Unit
from saldo.kernel.reading import read

COMPOUNDS = ["never", *(unit.value for unit in COMPOUNDING)]
YEAR_HELP = "365, 360, 30/360, calendar"
FEE_HELP = "after=14,amount=5.00,percent=1,least=5,most=40,every=30,times=3"
DUE_HELP = "When to pay: days=30,then=end_of_month; from=end_of_month,days=10; months=1; day=20,months=1,cut_off=12."
_EARLY = ("early_percent", "early_days", "early_tax", "early_then")
_EARLY_TAX = {
    DiscountTax.ALWAYS: "on the less amount whether or not it is taken",
    DiscountTax.IF_EARLY: "on the less amount when it is taken",
    DiscountTax.NEVER: "on the whole amount",
}
_LATE = {"late_policy": "policy", "late_percent": "percent", "compensation": "compensation", "grace_days": "grace_days"}
_LATE |= {"late_per_month": "per_month", "late_from_grace": "from_grace", "late_most": "most_percent"}
_LATE |= {"late_daily_rounding": "daily_rounding"}


def agreed(now: Terms, asked: dict[str, Any]) -> Terms:
    """Terms with what was named of them; what was not stays."""
    early = () if asked["no_early"] else now.early_discounts
    if given := {name.removeprefix("early_"): asked[name] for name in _EARLY if name in asked}:
        if asked["no_early"]:
            raise Refusal("invalid_input", "say either --no-early or what the discount is")
        early = _discounts(early, given)
    late = {field: asked[name] for name, field in _LATE.items() if name in asked} | _late_besides(asked)
    late_now = now.late
    if "policy" in late:
        late["policy"] = LatePolicy(late["policy"])
        late_now = LateTerms() if late["policy"] is LatePolicy.NONE else late_now
    if "settle" in asked:
        asked["settle"] = None if asked["settle"] == "as_seller" else Settle(asked["settle"])
    if asked["no_early"]:
        asked["early_in_part"] = False
    others = ("early_in_part", "review", "settle", "segment", "contract", "credit_limit_minor", "price_rates")
    rest = {name: asked[name] for name in others if name in asked}
    return replace(now, early_discounts=early, late=replace(late_now, **late), **rest)


def _discounts(now: tuple[EarlyDiscount, ...], given: dict[str, Any]) -> tuple[EarlyDiscount, ...]:
    """The first discount with what is given of it; the steps after it anew where they are given, else as they are."""
    then = given.pop("then", None)
    if not now and not {"percent", "days"} <= given.keys():
        raise Refusal("invalid_input", "a discount has --early-percent and --early-days")
    if "tax" in given:
        given["tax"] = DiscountTax(given["tax"])
    first = replace(now[0] if now else EarlyDiscount(Decimal(0), 0), **given)
    steps = now[1:] if then is None else map(_step, then)
    return first, *(replace(one, tax=first.tax) for one in steps)


def _step(text: str) -> EarlyDiscount:
    percent, _, days = text.partition("/")
    if days.isdecimal():
        with suppress(ValueError):
            return EarlyDiscount(number(percent), int(days))
    raise Refusal("invalid_input", f"{text!r} is not PERCENT/DAYS, such as 2/14")


def _late_besides(asked: dict[str, Any]) -> dict[str, Any]:
    """Percents of later days, compounding, how days count, and fees, where they are named."""
    found: dict[str, Any] = _year(asked["late_year"]) if "late_year" in asked else {}
    if "late_months" in asked:
        found["months"] = MonthCount(asked["late_months"])
    if "late_later" in asked:
        found["later"] = tuple(_later(text) for text in asked["late_later"])
    if "late_compounds" in asked:
        found["compounds"] = None if asked["late_compounds"] == "never" else Unit(asked["late_compounds"])
    if "late_fees" in asked or asked["no_late_fees"]:
        found["fees"] = tuple(_fee(text, asked["currency"]) for text in asked.get("late_fees", ()))
    return found


def _later(text: str) -> tuple[date, Decimal]:
    day, _, percent = text.partition("=")
    try:
        return date.fromisoformat(day), number(percent)
    except ValueError as error:
        raise Refusal("invalid_input", f"{text!r} is not DAY=PERCENT, such as 2027-01-01=9.5") from error


def _year(text: str) -> dict[str, Any]:
    """By which days a year counts: `calendar`, or so many; `30/360`: with months of thirty."""
    by_calendar, months, days = text == "calendar", *text.rpartition("/")[::2]
    if not by_calendar and (months not in ("", "30") or not days.isdecimal()):
        raise Refusal("invalid_input", f"{text!r} is no year such as {YEAR_HELP}")
    year_days = None if by_calendar else int(days)
    return {"year_days": year_days, "calendar_year": by_calendar, "thirty_days": months == "30"}


def _fee(text: str, currency: str) -> LateFee:
    told = dict(part.partition("=")[::2] for part in text.split(","))
    unknown = told.keys() - {"after", "amount", "percent", "least", "most", "every", "times"}
    if unknown:
        raise Refusal("invalid_input", f"a fee has no {', '.join(sorted(unknown))}; it is told as {FEE_HELP}")
    try:
        money = {name: Money.parse(told[name], currency).minor for name in ("amount", "least", "most") if name in told}
        days = {name: int(told[name]) for name in ("after", "every", "times") if name in told}
        percent = number(told.get("percent", "0"))
    except (ValueError, Refusal) as error:
        raise Refusal("invalid_input", f"{text!r} is no fee such as {FEE_HELP}") from error
    amounts = money.get("amount", 0), percent, money.get("least", 0), money.get("most")
    return LateFee(days.get("after", 0), *amounts, days.get("every"), days.get("times"))


def due_said(text: str) -> PaymentTerms:
    """When to pay, told as an object of a document is, its fields by commas: days=30,then=end_of_month."""
    told: dict[str, Any] = dict(part.strip().partition("=")[::2] for part in text.split(","))
    whole = {name: int(value) if value.isascii() and value.isdigit() else value for name, value in told.items()}
    return read(whole, lambda fields: payment_terms_from(fields, MOST_DAYS), f"{text!r} does not say when to pay")


def terms_said(account: Account) -> dict[str, str]:
    """What is agreed with an account, in words."""
    terms, late = account.terms, account.terms.late
    early = ", ".join(f"{plain(one.percent)} % within {one.days} days" for one in terms.early_discounts)
    taxed = _EARLY_TAX[terms.early_discounts[0].tax] if terms.early_discounts else "–"
    per = "month" if late.per_month else "year"
    by_policy = f"{late.policy.value}, {plain(late.percent)} % a {per}" if late.percent else late.policy.value
    limit = terms.credit_limit_minor
    return {
        "to be paid": due_in_words(account.payment_terms, "en"),
        "early discount": early or "–",
        "tax of the early discount": taxed,
        "money that names no invoice settles": terms.settle.value if terms.settle else "as the seller chose",
        "of a part paid early": "its part" if terms.early_in_part else "nothing",
        "late payment": f"{by_policy}, {late.grace_days} days of grace",
        "interest counts": "from the end of grace" if late.from_grace else "from the due date",
        "interest bears interest": late.compounds.value if late.compounds else "never",
        "a year counts": _year_said(late),
        "months count": late.months.value,
        "what a day costs is rounded first": said(late.daily_rounding),
        "later percents": ", ".join(f"{plain(percent)} % from {on}" for on, percent in late.later) or "–",
        "late fees": ", ".join(_fee_said(fee, account.currency) for fee in late.fees) or "–",
        "most of interest and fees": f"{plain(late.most_percent)} %" if late.most_percent is not None else "–",
        "fixed sum when late": said(late.compensation),
        "looked at before it is issued": said(terms.review),
        "segment": said(terms.segment),
        "contract": said(terms.contract),
        "credit limit": str(Money(limit, account.currency)) if limit else "–",
        "price rates": ", ".join(map(rate_in_words, terms.price_rates)) or "–",
    }


def _year_said(late: LateTerms) -> str:
    days = "the days of the calendar" if late.calendar_year else f"{late.days_of_year} days"
    return f"{days}, 30 a month" if late.thirty_days else days


def _fee_said(fee: LateFee, currency: str) -> str:
    def money(minor: int) -> str:
        return str(Money(minor, currency))

    percent = f"{plain(fee.percent)} %" if fee.percent else ""
    amount = " and ".join(filter(None, (money(fee.amount_minor) if fee.amount_minor else "", percent)))
    least = f", at least {money(fee.least_minor)}" if fee.least_minor else ""
    most = f", at most {money(fee.most_minor)}" if fee.most_minor is not None else ""
    again = f", every {fee.every_days} days" if fee.every_days else ""
    times = f", at most {fee.times} times" if fee.times else ""
    return f"{amount}{least}{most} after {fee.after_days} days{again}{times}"
