"""Orders as rows, and one with what became of each line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from functions.portal.presenters.tags import Tag
from functions.portal.words import Words
from saldo.orders.model_orders import LineStatus, Order, OrderStatus
from saldo.orders.showing import LineProgress

_TONES = {"held": "wait", "accepted": "open", "fulfilled": "done", "refused": "over"}


@dataclass(frozen=True, slots=True)
class OrderRow:
    order_id: str
    number: str
    on: str
    amount: str
    tag: Tag


@dataclass(frozen=True, slots=True)
class LineView:
    """`note`: of what recurs, when it is billed next."""

    number: str
    article: str
    quantity: str
    ordered: str
    invoiced: str
    to_come: str
    note: str
    tag: Tag


@dataclass(frozen=True, slots=True)
class OrderView:
    number: str
    tag: Tag
    currency: str
    facts: tuple[tuple[str, str], ...]
    lines: tuple[LineView, ...]
    totals: tuple[str, str, str]
    invoice_ids: tuple[str, ...]
    is_held: bool


def order_rows(found: Sequence[Order], currency: str, words: Words) -> tuple[OrderRow, ...]:
    """currency: of the account, where an order that is held names none."""
    return tuple(
        OrderRow(
            o.id,
            o.request.purchase_order or o.id,
            words.day(o.request.order_on),
            words.money(o.amount_minor, o.currency or currency),
            _tag(o.status, words),
        )
        for o in found
    )


def order_view(order: Order, progress: Sequence[LineProgress], currency: str, words: Words) -> OrderView:
    in_currency = order.currency or currency
    sums = (
        sum(p.ordered_minor for p in progress),
        sum(p.invoiced_minor for p in progress),
        sum(p.to_come_minor for p in progress),
    )
    return OrderView(
        order.request.purchase_order or order.id,
        _tag(order.status, words),
        in_currency,
        (
            (words("orders.on"), words.day(order.request.order_on)),
            (words("orders.cost_centre"), order.request.cost_centre),
        ),
        tuple(_line(p, in_currency, words) for p in progress),
        (words.amount(sums[0], in_currency), words.amount(sums[1], in_currency), words.amount(sums[2], in_currency)),
        tuple(sorted({invoice_id for p in progress for invoice_id in p.invoice_ids})),
        order.status is OrderStatus.HELD,
    )


def _line(progress: LineProgress, currency: str, words: Words) -> LineView:
    asked, next_on = progress.line.asked, progress.next_bill_on
    return LineView(
        asked.number,
        asked.sku or asked.buyer_sku,
        words.number(asked.quantity),
        words.amount(progress.ordered_minor, currency),
        words.amount(progress.invoiced_minor, currency),
        words.amount(progress.to_come_minor, currency),
        words("orders.recurs", on=words.day(next_on)) if next_on else "",
        _tag(progress.line.status, words),
    )


def _tag(status: OrderStatus | LineStatus, words: Words) -> Tag:
    return Tag(_TONES[status], words(f"orders.state.{status}"))
