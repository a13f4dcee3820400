"""Why a line costs what it costs, in sentences."""

from __future__ import annotations

from decimal import Decimal

from saldo.invoicing.model import Line
from saldo.kernel.exact import plain
from saldo.kernel.exchange import rate_in_words
from saldo.kernel.money import Money
from saldo.kernel.rounding import Rounding
from saldo.rating.model import Step

_ROUNDINGS = {
    Rounding.HALF_UP: "rounded half up",
    Rounding.HALF_EVEN: "rounded half to even",
    Rounding.HALF_DOWN: "rounded half down",
    Rounding.DOWN: "rounded towards zero",
    Rounding.UP: "rounded away from zero",
}
_BOUNDS = {
    "due_at_least": "{amount} are due at least",
    "due_at_most": "{amount} are due at most",
    "rounded": "rounded: {amount}",
    "counted": "less what was charged that counts towards it: {amount}",
    "asked_before": "less what was asked for before: {amount}",
    "true_up": "trued up to the minimum by {amount}",
    "minimum": "raised to the minimum by {amount}",
    "maximum": "taken down to the maximum by {amount}",
    "cap": "capped: {amount}",
    "overage": "{units} beyond the commitment at a factor of {price} on top: {amount}",
    "rolled_over": "{units} of what was left of earlier allowances",
    "included": "{units} included",
    "included_amount": "of that are included: {amount}",
    "free_units": "{units} free",
    "package": "{units} packages at {price}: {amount}",
    "percentage": "{price} of {units}: {amount}",
    "billed_before": "less what {units} cost before: {amount}",
    "discount": "taken off: {amount}",
    "prepaid": "paid from prepaid credit: {amount}",
    "flat": "{amount} whatever the quantity",
    "stair": "the stair {bounds} costs {amount}",
}


_MOST_DAYS = 20_000


def reasons_of(line: Line, currency: str) -> list[str]:
    """One sentence per step of the price, then the share of the period, the rate, and the rounding."""
    reasons = [_reason(step) for step in line.steps]
    share = line.share
    if share.of == 1 and share.days != 1:
        reasons.append(f"{share.days} of the units of time that the price is for: {plain(line.exact)} × {share.days}")
    elif share.days != share.of:
        days = share.unit or ("seconds" if share.of > 1000 else "days")
        reasons.append(
            f"{share.days} of {share.of} {days} of the period: {plain(line.exact)} × {share.days}/{share.of}"
        )
    if line.priced_in:
        reasons.append(f"converted from {line.priced_in.currency} at {rate_in_words(line.priced_in.rate)}")
    net = str(Money(line.net_minor, currency).as_decimal())
    reasons.append(f"{_ROUNDINGS[line.rounding]} to {net} {currency}")
    return reasons


def _reason(step: Step) -> str:
    values = {name: plain(getattr(step, name)) for name in ("units", "price", "amount")}
    wording = _BOUNDS.get(step.rule)
    if wording is None:
        flat = f" + {plain(step.flat)} flat" if step.flat else ""
        tier = f"tier {_bounds(step)}: " if step.rule in ("tier", "volume_tier") else ""
        wording = f"{tier}{{units}} × {{price}}{flat} = {{amount}}"
    return wording.format(bounds=_bounds(step), **values)


def _bounds(step: Step) -> str:
    above = plain(step.above or Decimal(0))
    return f"above {above}" if step.up_to is None else f"above {above} up to {plain(step.up_to)}"
