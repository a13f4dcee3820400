"""What makes an order readable at all, what was of it before, and what a person may decide about it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from saldo.kernel.errors import Problems, Refusal
from saldo.kernel.exact import plain
from saldo.kernel.ids import derived_id, fingerprint
from saldo.kernel.money import is_currency
from saldo.kernel.states import moved
from saldo.orders.model_orders import (
    FATAL,
    MOST_LINES,
    ORDER_MOVES,
    Agreed,
    Approval,
    Code,
    Discrepancy,
    LineStatus,
    Order,
    OrderLine,
    OrderRequest,
    OrderStatus,
    OrderStatusChange,
    RequestedLine,
    line_moved,
)
from saldo.orders.rules_matching import Matching
from saldo.orders.rules_prices import asked_minor

_LINE_NUMBER = re.compile(r"[0-9A-Za-z_.]{1,20}")
_FARTHEST_DAYS = 366
_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,80}")


def check_day(on: date, today: date) -> None:
    """Refusal `out_of_range` for a day more than a year from today: a slip that would bill years."""
    if abs((on - today).days) > _FARTHEST_DAYS:
        raise Refusal("out_of_range", f"{on} is more than a year from today")


def check_request(request: OrderRequest, today: date) -> None:
    """Refusal `invalid_order` naming every field at fault. Days far from today are slips, and would bill years."""
    problems = Problems()
    if abs((request.order_on - today).days) > _FARTHEST_DAYS:
        problems.add("order_on", "out_of_range", f"{request.order_on} is more than a year from today")
    for name in ("party", "purchase_order"):
        if not _NAME.fullmatch(getattr(request, name)):
            problems.add(name, "invalid_name", "1 to 80 characters")
    if not request.references:
        problems.add("references", "missing", "an order names its customer")
    if request.currency and not is_currency(request.currency):
        problems.add("currency", "invalid_currency", "must be an ISO 4217 code such as EUR")
    if request.ship_to_country and not re.fullmatch(r"[A-Z]{2}", request.ship_to_country):
        problems.add("ship_to_country", "invalid_country", "must be an ISO 3166 code of two letters")
    if not 1 <= len(request.lines) <= MOST_LINES:
        problems.add("lines", "number_of_lines", f"an order has 1 to {MOST_LINES} lines")
    times = Counter(line.number for line in request.lines)
    for i, line in enumerate(request.lines):
        _check_line(line, times, f"lines[{i}]", problems)
        if line.changes and sum(1 for other in request.lines if other.changes == line.changes) > 1:
            problems.add(f"lines[{i}].changes", "not_unique", f"{line.changes} is changed by two lines")
        if line.start_on is not None and abs((line.start_on - request.order_on).days) > _FARTHEST_DAYS:
            problems.add(f"lines[{i}].start_on", "out_of_range", "more than a year from the day of order")
    problems.refuse_if_any("the order cannot be read", "invalid_order")


def _check_line(line: RequestedLine, times: Mapping[str, int], at: str, problems: Problems) -> None:
    if not _LINE_NUMBER.fullmatch(line.number):
        problems.add(f"{at}.number", "invalid_number", "1 to 20 letters, digits, dots or underscores")
    elif times[line.number] > 1:
        problems.add(f"{at}.number", "not_unique", f"line {line.number} is there twice")
    if not _NAME.fullmatch(line.sku or line.buyer_sku):
        problems.add(f"{at}.sku", "missing", "what is ordered is required")
    if line.quantity <= 0:
        problems.add(f"{at}.quantity", "not_above_zero", "must be above zero")
    if line.unit_price is not None and line.unit_price < 0:
        problems.add(f"{at}.unit_price", "negative", "must be zero or more")


def line_print(request: OrderRequest, line: RequestedLine) -> str:
    """The same for two deliveries of a line that say the same."""
    price = "" if line.unit_price is None else plain(line.unit_price)
    what = (line.number, line.sku, line.buyer_sku, line.changes, plain(line.quantity), price, str(line.start_on or ""))
    references = sorted(f"{r.kind} {r.value}" for r in request.references)
    where = (request.currency, request.contract_id, request.cost_centre, request.ship_to_country)
    return fingerprint(*what, *where, request.order_on.isoformat(), *references)


def request_print(request: OrderRequest) -> str:
    """The same for two deliveries of an order that say the same, in whatever order their lines are."""
    lines = sorted(line_print(request, line) for line in request.lines)
    return fingerprint(request.party, request.purchase_order, *lines)


@dataclass(frozen=True, slots=True)
class Sifted:
    """A request against what its purchase order had before.

    fresh: its lines that are new. changed: numbers of those whose number came with other contents. before: the orders
    that
    have the others. known: lines by number as they are to be remembered: content → order.
    """

    fresh: tuple[RequestedLine, ...]
    changed: frozenset[str]
    before: tuple[str, ...]
    order_id: str
    known: Mapping[str, Mapping[str, str]]


def sift(entity_id: str, request: OrderRequest, known: Mapping[str, Mapping[str, str]]) -> Sifted:
    """Lines that came before are not taken again. known: line number → {content: order id}."""
    prints = {line.number: line_print(request, line) for line in request.lines}
    fresh = tuple(line for line in request.lines if prints[line.number] not in known.get(line.number, {}))
    changed = frozenset(line.number for line in fresh if line.number in known)
    repeated = [line.number for line in request.lines if line not in fresh]
    before = tuple(sorted({known[number][prints[number]] for number in repeated}))
    identity = sorted(prints[line.number] for line in fresh)
    order_id = derived_id("ord", request.order_on, entity_id, request.party, request.purchase_order, *identity)
    together = {number: dict(contents) for number, contents in known.items()}
    for line in fresh:
        together.setdefault(line.number, {})[prints[line.number]] = order_id
    return Sifted(fresh, changed, before, order_id, together)


def new_order(
    entity_id: str, order_id: str, request: OrderRequest, matching: Matching, origin: str, at: datetime
) -> Order:
    """The order as it is put on record: accepted where nothing is wrong with it, else held as a whole."""
    status = LineStatus.HELD if matching.discrepancies else LineStatus.ACCEPTED
    lines = tuple(OrderLine(line, status, one) for line, one in zip(request.lines, matching.agreed, strict=True))
    order = Order(
        order_id,
        entity_id,
        matching.account_id,
        request,
        matching.currency or request.currency,
        lines,
        matching.discrepancies,
        at,
        origin,
    )
    return replace(order, history=(OrderStatusChange(at, order.status),))


def agreed_of(lines: Iterable[OrderLine]) -> dict[str, Agreed]:
    """What lines were matched with, by their numbers."""
    return {line.asked.number: line.agreed for line in lines if line.agreed is not None}


def changed(order: Order, lines: Iterable[OrderLine], at: datetime) -> Order:
    """The order with these lines in place of those of their numbers; its next version."""
    by_number = {line.asked.number: line for line in lines}
    after = replace(
        order,
        lines=tuple(by_number.get(line.asked.number, line) for line in order.lines),
        version=order.version + 1,
    )
    return _tracked(order, after, at)


def _tracked(before: Order, after: Order, at: datetime) -> Order:
    moved(ORDER_MOVES, before.status, after.status)
    if after.status is before.status:
        return after
    return replace(after, history=(*after.history, OrderStatusChange(at, after.status)))


def chosen_lines(order: Order, numbers: Sequence[str], status: LineStatus) -> list[OrderLine]:
    """Lines of these numbers, all of that status when there are none named. NotFound-like Refusal `unknown_line`."""
    unknown = set(numbers) - {line.asked.number for line in order.lines}
    if unknown:
        raise Refusal("unknown_line", f"{order.id} has no line {', '.join(sorted(unknown))}")
    found = [line for line in order.lines if (line.asked.number in numbers if numbers else line.status is status)]
    if not found:
        raise Refusal("nothing_to_decide", f"no line of {order.id} is {status}")
    for line in found:
        if line.status is not status:
            raise Refusal("move_not_allowed", f"line {line.asked.number} is {line.status}, not {status}")
    return found


def concerning(order: Order, lines: Sequence[OrderLine]) -> list[Discrepancy]:
    """What does not agree with these lines, or with the order as a whole."""
    numbers = {line.asked.number for line in lines}
    return [d for d in order.discrepancies if not d.line or d.line in numbers]


def accepted(order: Order, lines: Sequence[OrderLine], actor_id: str, reason: str, at: datetime) -> Order:
    """The order with these held lines accepted as they were asked for, at the price that was asked.

    Prices below ours need two people: the first is noted and the lines stay held. Refusal `cannot_be_accepted` where
    something must be corrected first, `second_person_needed` when the same person comes again.
    """
    found = concerning(order, lines)
    fatal = sorted({d.code.value for d in found if d.code in FATAL})
    if fatal:
        raise Refusal("cannot_be_accepted", f"correct or refuse what is {', '.join(fatal)}")
    below = tuple(sorted(d.line for d in found if d.is_below_list))
    if below and not _two_agree(order, below, actor_id):
        if any(a.actor_id == actor_id and set(below) <= set(a.lines) for a in order.approvals):
            raise Refusal("second_person_needed", "a price below ours is accepted by two different people")
        approval = Approval(actor_id, below, reason)
        return replace(order, approvals=(*order.approvals, approval), version=order.version + 1)
    priced = {d.line for d in found if d.code is Code.PRICE_DIFFERS}
    taken = [
        replace(
            line,
            status=line_moved(line, LineStatus.ACCEPTED),
            agreed=_as_asked(line, order.currency) if line.asked.number in priced else line.agreed,
        )
        for line in lines
    ]
    after = changed(order, taken, at)
    return replace(after, discrepancies=_left(after))


def _two_agree(order: Order, below: Sequence[str], actor_id: str) -> bool:
    return any(a.actor_id != actor_id and set(below) <= set(a.lines) for a in order.approvals)


def _as_asked(line: OrderLine, currency: str) -> Agreed:
    assert line.agreed is not None and line.asked.unit_price is not None, "a price that differs was asked and matched"
    minor = asked_minor(line.asked.unit_price, line.asked.quantity, currency)
    return replace(line.agreed, unit_price=line.asked.unit_price, amount_minor=minor, negotiated=True)


def refused(order: Order, lines: Sequence[OrderLine], at: datetime) -> Order:
    """The order with these lines called off: held ones, or accepted ones of which nothing was delivered."""
    for line in lines:
        if line.delivered > Decimal(0):
            raise Refusal("already_delivered", f"line {line.asked.number} was delivered in part; credit what is wrong")
    gone = [replace(line, status=line_moved(line, LineStatus.REFUSED)) for line in lines]
    after = changed(order, gone, at)
    return replace(after, discrepancies=_left(after))


def _left(order: Order) -> tuple[Discrepancy, ...]:
    """What is still open: of lines that wait, and of the whole order while any does."""
    waiting = {line.asked.number for line in order.lines if line.status is LineStatus.HELD}
    return tuple(d for d in order.discrepancies if (d.line in waiting if d.line else waiting))


def corrected(order: Order, request: OrderRequest, matching: Matching, at: datetime) -> Order:
    """The held order as it is after someone mended it: matched anew, whatever was approved before forgotten."""
    if order.status is not OrderStatus.HELD or any(line.status is not LineStatus.HELD for line in order.lines):
        raise Refusal("move_not_allowed", "an order is corrected while all of it is held")
    fresh = new_order(order.entity_id, order.id, request, matching, order.origin, order.received_at)
    after = replace(fresh, history=order.history, version=order.version + 1)
    return _tracked(order, after, at)


def corrections(before: OrderRequest, after: OrderRequest) -> dict[str, str]:
    """What a correction changed, for the audit record; of references only that they differ, as they may be names."""
    found = {}
    for name in ("order_on", "currency", "cost_centre", "contract_id", "ship_to_country"):
        was, now = getattr(before, name), getattr(after, name)
        if was != now:
            found[name] = f"{was} → {now}"
    if before.references != after.references:
        found["references"] = "changed"
    for old, new in zip(before.lines, after.lines, strict=True):
        for name in ("sku", "buyer_sku", "quantity", "unit_price", "start_on", "changes"):
            if getattr(old, name) != getattr(new, name):
                found[f"line {new.number} {name}"] = f"{getattr(old, name)} → {getattr(new, name)}"
    return found
