"""What was used so far, what the next invoice is likely to be, and the limits that somebody wants to be told of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from functions.portal import services
from functions.portal.answers import Answer, see_other
from functions.portal.endpoint import Routes, roles
from functions.portal.pages import page
from functions.portal.presenters.paying import typed_digits
from functions.portal.presenters.usage import COST, UsageView, limit_text, usage_view
from functions.portal.visit import Visit
from saldo.access.rules import READERS
from saldo.access.rules_people import ADMINS
from saldo.accounts.records import ACCOUNT
from saldo.invoicing.looked_ahead import LOOKED_AHEAD
from saldo.invoicing.wallet_records import WALLET
from saldo.kernel.errors import Refusal
from saldo.kernel.money import Money
from saldo.kernel.numbers import number_in
from saldo.orders.records import ITEMS
from saldo.subscriptions.records import CLAIMED
from saldo.usage.model_thresholds import OwnThreshold, Then
from saldo.usage.records_thresholds import thresholds_key
from saldo.usage.records_windows import closings_key

if TYPE_CHECKING:
    from saldo.invoicing.model_forecast import NextInvoice

routes = Routes("usage")
_DONE = ("set", "removed")
_AHEAD = (ACCOUNT, WALLET, closings_key("")[1], thresholds_key("")[1], LOOKED_AHEAD, CLAIMED, ITEMS)


@routes.get("/accounts/{account_id}/usage", roles(READERS, ahead=_AHEAD))
def usage(visit: Visit) -> Answer:
    done = visit.asked("done")
    ahead, code = _ahead(visit)
    return _page(visit, ahead, code, [], visit.words(f"usage.done.{done}") if done in _DONE else "")


@routes.post("/accounts/{account_id}/usage/limit/check", roles(ADMINS))
def check_limit(visit: Visit) -> Answer:
    ahead, code = _ahead(visit)
    meters = _meters(ahead, visit)
    wanted, problems = _wanted(visit, meters)
    return _check_page(visit, wanted, meters) if wanted else _page(visit, ahead, code, problems)


@routes.post("/accounts/{account_id}/usage/limit", roles(ADMINS))
def set_limit(visit: Visit) -> Answer:
    ahead, code = _ahead(visit)
    wanted, problems = _wanted(visit, _meters(ahead, visit))
    if wanted is None:
        return _page(visit, ahead, code, problems)
    services.thresholds(visit.records).put_own(visit.account.account_id, wanted, visit.actor)
    return see_other(f"{visit.home}/usage?done=set")


@routes.post("/accounts/{account_id}/usage/limit/remove", roles(ADMINS))
def remove_limit(visit: Visit) -> Answer:
    limits = services.thresholds(visit.records)
    limits.remove_own(visit.account.account_id, visit.sent("limit")[:40], visit.actor)
    return see_other(f"{visit.home}/usage?done=removed")


def _page(
    visit: Visit, ahead: NextInvoice | None, code: str, problems: list[tuple[str, str]], notice: str = ""
) -> Answer:
    limits = services.thresholds(visit.records)
    view = usage_view(ahead, limits.of_account(visit.account.account_id), visit.words) if ahead else UsageView()
    asked = {name: visit.sent(name)[:40] if visit.method == "POST" else "" for name in ("of", "at", "then")}
    values = {"view": view, "code": code, "asked": asked, "notice": notice, "problems": problems, "tab": "usage"}
    return page(visit, "usage", status=422 if problems else 200, **values)


def _ahead(visit: Visit) -> tuple[NextInvoice | None, str]:
    """The next invoice, or why it cannot be told."""
    seat = visit.account
    try:
        return services.forecasts(visit.records).next_invoice(seat.account_id, seat.entity_id), ""
    except Refusal as refusal:
        return None, refusal.code if refusal.code in ("nothing_ahead", "usage_in_files") else "other"


def _wanted(visit: Visit, meters: Mapping[str, str]) -> tuple[OwnThreshold | None, list[tuple[str, str]]]:
    """What the form asks for, or what is wrong with it. meters: names by id."""
    of, then = visit.sent("of"), visit.sent("then")
    if then not in [t.value for t in Then] or of not in {COST, *meters}:
        raise Refusal("invalid_form", "no such limit")
    digits = typed_digits(visit.sent("at")[:40], visit.words.language)
    try:
        at = Money.parse(digits, visit.account.currency).as_decimal() if of == COST else number_in(digits)
    except Refusal:
        at = None
    if at is None:
        return None, [("at", visit.words("problem.invalid_amount"))]
    if not at.is_finite() or at <= 0 or at.adjusted() > 15:
        return None, [("at", visit.words("problem.not_above_zero"))]
    return OwnThreshold(at, "" if of == COST else of, Then(then)), []


def _meters(ahead: NextInvoice | None, visit: Visit) -> dict[str, str]:
    return {m.meter.id: visit.words.of(m.meter.names) for m in ahead.meters} if ahead else {}


def _check_page(visit: Visit, wanted: OwnThreshold, meters: Mapping[str, str]) -> Answer:
    of = meters.get(wanted.meter_id, "")
    text = limit_text(wanted.at, of, visit.account.currency, visit.words)
    asked = {name: visit.sent(name)[:40] for name in ("of", "at", "then")}
    return page(visit, "usage_check", text=text, asked=asked, tab="usage")
