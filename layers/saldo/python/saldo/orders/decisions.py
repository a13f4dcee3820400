"""What people decide about orders: accept, correct or refuse what waits, say what was delivered or accepted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal

from saldo.audit.model import Actor
from saldo.kernel.clock import Clock
from saldo.kernel.errors import Refusal
from saldo.kernel.exact import plain, plus
from saldo.orders.facts import FactsReader, ordering_of
from saldo.orders.model_orders import Code, LineStatus, Order, OrderLine, OrderRequest, OrderStatus
from saldo.orders.placing import place_in, place_ready, placing_for, with_lines
from saldo.orders.rules_matching import forgotten, learned, match, remembered, returned
from saldo.orders.rules_orders import (
    accepted,
    agreed_of,
    check_day,
    check_request,
    chosen_lines,
    corrected,
    corrections,
    refused,
)
from saldo.orders.service import Orders
from saldo.orders.writing import audit_order, put_order, put_ordering
from saldo.storage.store import Store
from saldo.storage.units import Unit


class Decisions:
    """What the seller's people do with orders. `version`: of the order as they saw it; None takes the latest."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock, self._orders = store, clock, Orders(store, clock)

    def accept(
        self,
        entity_id: str,
        order_id: str,
        actor: Actor,
        reason: str,
        *,
        lines: tuple[str, ...] = (),
        version: int | None = None,
    ) -> Order:
        """Accept held lines (all of them by default) as they were asked for.

        A price below ours takes two people: after the first the order is still held, and its approvals say so. Raises
        Refusal `reason_required`, `staff_only`, `cannot_be_accepted`, `second_person_needed`, `changed_meanwhile`.
        """
        order = self._seen(entity_id, order_id, actor, version, reason)
        chosen, at = chosen_lines(order, lines, LineStatus.HELD), self._clock()
        after, unit = accepted(order, chosen, actor.id, reason, at), Unit(f"accept {order.id} {order.version}")
        numbers = {line.asked.number for line in chosen}
        taken = [x for x in after.lines if x.asked.number in numbers and x.status is LineStatus.ACCEPTED]
        if taken:
            put_ordering(unit, learned(ordering_of(self._store, order.account_id), order.request, agreed_of(taken)))
            after = place_ready(unit, after, placing_for(self._store, after, actor, at))
        self._write(unit, order, after, "order.accepted" if taken else "order.approved", actor, reason)
        return self._orders.place_rest(after, actor)

    def correct(
        self,
        entity_id: str,
        order_id: str,
        request: OrderRequest,
        actor: Actor,
        reason: str,
        *,
        version: int | None = None,
    ) -> Order:
        """Put a mended request in place of the one that is held, and match it anew.

        Party, channel, purchase order and line numbers stay: they name the order. What agrees then is placed; prices
        below
        ours still need two people. Raises Refusal as `accept` does, `invalid_order`, `not_the_same_order`.
        """
        order = self._seen(entity_id, order_id, actor, version, reason)
        check_request(request, order.request.order_on)
        _check_same(order, request)
        at, unit = self._clock(), Unit(f"correct {order.id} {order.version}")
        reader = FactsReader(self._store, self._clock, entity_id)
        copies = frozenset(d.line for d in order.discrepancies if d.code is Code.DUPLICATE_ORDER)
        facts = reader.facts(request, copies)
        if facts.ordering is not None:
            facts = replace(facts, ordering=forgotten(facts.ordering, order.id))
        matching = match(request, facts)
        after = corrected(order, request, matching, at)
        if facts.ordering is not None:
            seen = remembered(facts.ordering, order.id, request)
            put_ordering(unit, seen if matching.discrepancies else learned(seen, request, agreed_of(after.lines)))
        if not matching.discrepancies:
            placing = placing_for(self._store, after, actor, at, facts, reader.claims)
            after = place_ready(unit, after, placing)
        self._write(unit, order, after, "order.corrected", actor, reason, corrections(order.request, request))
        return self._orders.place_rest(after, actor)

    def refuse(
        self,
        entity_id: str,
        order_id: str,
        actor: Actor,
        reason: str,
        *,
        lines: tuple[str, ...] = (),
        version: int | None = None,
    ) -> Order:
        """Call off held lines (all of them by default), or accepted ones by number of which nothing was delivered."""
        order = self._seen(entity_id, order_id, actor, version, reason)
        status = LineStatus.HELD
        if lines and any(x.status is LineStatus.ACCEPTED for x in order.lines if x.asked.number in lines):
            status = LineStatus.ACCEPTED
        chosen = chosen_lines(order, lines, status)
        after, unit = refused(order, chosen, self._clock()), Unit(f"refuse {order.id} {order.version}")
        if order.account_id:
            ordering = ordering_of(self._store, order.account_id)
            ordering = returned(ordering, chosen) if status is LineStatus.ACCEPTED else ordering
            gone = after.status is OrderStatus.REFUSED
            put_ordering(unit, forgotten(ordering, order.id) if gone else ordering)
        self._write(unit, order, after, "order.refused", actor, reason)
        return after

    def deliver(
        self,
        entity_id: str,
        order_id: str,
        line: str,
        on: date,
        document_ref: str,
        actor: Actor,
        *,
        quantity: Decimal | None = None,
        version: int | None = None,
    ) -> Order:
        """Say that a line (or a quantity of it) was delivered or accepted on a day: that much is billed from then on.

        The same document of a line again changes nothing. Raises Refusal `over_delivered`, `move_not_allowed`,
        `whole_only`
        for part of what recurs, `document_required`.
        """
        if not document_ref.strip():
            raise Refusal("document_required", "name the delivery note or acceptance record")
        check_day(on, self._clock().date())
        order = self._seen(entity_id, order_id, actor, version, document_ref)
        (wanted,) = [x for x in order.lines if x.asked.number == line] or chosen_lines(
            order, (line,), LineStatus.ACCEPTED
        )
        if document_ref in wanted.documents:
            return order
        chosen_lines(order, (line,), LineStatus.ACCEPTED)
        _check_part(wanted, quantity)
        at, unit = self._clock(), Unit(f"deliver {order.id} {order.version}")
        placing = placing_for(self._store, order, actor, at)
        placed = place_in(unit, order, wanted, on, placing, quantity, document_ref)
        after = replace(with_lines(order, [placed], at), version=order.version + 1)
        self._write(unit, order, after, "order.delivered", actor, document_ref)
        return after

    def _seen(self, entity_id: str, order_id: str, actor: Actor, version: int | None, reason: str) -> Order:
        if actor.kind != "staff":
            raise Refusal("staff_only", "orders are decided on by the seller's people")
        if not reason.strip():
            raise Refusal("reason_required", "say why, for those who look at it later")
        order = self._orders.find(entity_id, order_id)
        if version is not None and order.version != version:
            raise Refusal("changed_meanwhile", "the order was changed by someone else; look at it and try again")
        return order

    def _write(
        self,
        unit: Unit,
        before: Order,
        after: Order,
        action: str,
        actor: Actor,
        reason: str,
        changes: Mapping[str, str] | None = None,
    ) -> None:
        put_order(unit, before, after)
        audit_order(unit, after, action, actor, self._clock(), reason, changes)
        if self._store.write_one(unit):
            raise Refusal("changed_meanwhile", "the order was changed by someone else; look at it and try again")


def _check_same(order: Order, request: OrderRequest) -> None:
    names = ("party", "channel", "purchase_order")
    same = all(getattr(order.request, name) == getattr(request, name) for name in names)
    if not same or [x.number for x in request.lines] != [x.asked.number for x in order.lines]:
        raise Refusal("not_the_same_order", "party, channel, purchase order and line numbers are not corrected")


def _check_part(line: OrderLine, quantity: Decimal | None) -> None:
    if quantity is None:
        return
    if line.agreed and line.agreed.recurring and quantity != line.asked.quantity:
        raise Refusal("whole_only", "what recurs starts as a whole")
    if quantity <= 0 or plus(line.delivered, quantity) > line.asked.quantity:
        left = plain(line.asked.quantity - line.delivered)
        raise Refusal("over_delivered", f"line {line.asked.number} has {left} left to deliver")
