"""The choices of a seller, coupons and credits in a quote's document."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from saldo.invoicing.model import (
    BelowZero,
    BillingOptions,
    ChangeLegs,
    Coupon,
    CouponDuration,
    NetRounding,
    PayableRounding,
    PrepaidCredit,
    PrepaidOrder,
    Wallet,
)
from saldo.invoicing.rules_discounts import problems_of_coupon
from saldo.kernel.exact import times
from saldo.kernel.money import minor_digits
from saldo.kernel.reading import Fields
from saldo.kernel.rounding import Rounding
from saldo.quotes.reading_amounts import maybe_minor, minor_from

_LONG_AGO = date(1900, 1, 1)


def options_from(fields: Fields, currency: str) -> BillingOptions:
    """The options named; Saldo's defaults for the others."""
    options = BillingOptions(
        change_legs=fields.choice("change_legs", ChangeLegs, ChangeLegs.LEGS),
        below_zero=fields.choice("below_zero", BelowZero, BelowZero.CREDIT_NOTE),
        net_rounding=fields.choice("net_rounding", NetRounding, NetRounding.LINE),
        prepaid=fields.choice("prepaid", PrepaidOrder, PrepaidOrder.AFTER_TAX),
        payable_rounding=_rounding(fields.child("payable_rounding"), currency)
        if fields.has("payable_rounding")
        else None,
    )
    fields.finish()
    return options


def _rounding(fields: Fields, currency: str) -> PayableRounding | None:
    """To what the amount to be paid is rounded; `to` in major units, whole minor ones."""
    to = times(fields.decimal("to"), Decimal(10 ** minor_digits(currency)))
    mode = fields.choice("mode", Rounding, Rounding.HALF_UP)
    fields.finish()
    if to <= 0 or to != to.to_integral_value():
        fields.problems.add(
            fields.at("to"), "not_a_coin", f"must be above zero and a whole number of {currency}'s units"
        )
        return None
    return PayableRounding(currency, int(to), mode)


def wallet_from(document: Fields, currency: str) -> Wallet:
    """Coupons in the order in which they are taken off, prepaid credits, and what is left of credit notes.

    Amounts are rounded half up to the currency's minor unit.
    """
    coupons = tuple(_coupon(fields, n) for n, fields in enumerate(document.maybe_children("coupons"), 1))
    found = enumerate(document.maybe_children("prepaid_credits"), 1)
    credits = tuple(_credit(fields, n, currency) for n, fields in found)
    _told_once(document, "coupons", [coupon.id for coupon in coupons])
    _told_once(document, "prepaid_credits", [credit.id for credit in credits])
    return Wallet(coupons, credits, maybe_minor(document, "credit_note_balance", currency) or 0)


def _told_once(document: Fields, name: str, ids: list[str]) -> None:
    """What is used of each is told by its id."""
    for n, one in enumerate(ids):
        if one in ids[:n]:
            document.problems.add(f"{document.at(name)}[{n}].id", "not_unique", f"{one!r} is there twice")


def _coupon(fields: Fields, n: int) -> Coupon:
    coupon_id = fields.text("id", f"coupon_{n}")
    duration = fields.choice("duration", CouponDuration, CouponDuration.FOREVER)
    if fields.has("times") is not (duration is CouponDuration.REPEATING):
        fields.problems.add(
            fields.at("times"), "not_repeating", "a repeating coupon says how many `times`, no other does"
        )
    coupon = Coupon(
        id=coupon_id,
        names=fields.texts("names") or {"en": coupon_id},
        percent=fields.maybe_decimal("percent"),
        amount=fields.maybe_decimal("amount"),
        duration=duration,
        times=fields.integer("times", 1),
        plans=frozenset(fields.text_list("plans")),
        components=frozenset(fields.text_list("components")),
        from_on=fields.maybe_day("from_on"),
        until_on=fields.maybe_day("until_on"),
        used=fields.integer("used", 0),
        minimum=fields.maybe_decimal("minimum"),
        maximum=fields.maybe_decimal("maximum"),
        carries=fields.flag("carries", False),
        currency=fields.text("currency", ""),
    )
    fields.problems.extend(problems_of_coupon(coupon), fields.path)
    fields.finish()
    return coupon


def _credit(fields: Fields, n: int, currency: str) -> PrepaidCredit:
    credit = PrepaidCredit(
        id=fields.text("id", f"credit_{n:03d}"),
        balance_minor=minor_from(fields, "amount", currency),
        granted_on=fields.maybe_day("granted_on") or _LONG_AGO,
        expires_on=fields.maybe_day("expires_on"),
        priority=fields.integer("priority", 0),
        paid=fields.flag("paid", True),
        components=frozenset(fields.text_list("components")),
    )
    fields.finish()
    return credit
