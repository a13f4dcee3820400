"""Use cases of orders: receive one, find, list, and say who may order for an account.

What is received is on record when the call returns: placed where all agrees, in the queue of discrepancies where not.
A delivery that comes again changes nothing, and goes on with what a crash left undone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from saldo.accounts.records import entity_from
from saldo.audit.model import Actor
from saldo.kernel.clock import Clock
from saldo.kernel.errors import NotFound, Refusal, Unavailable
from saldo.kernel.periods import local_date
from saldo.orders import records_orders as records
from saldo.orders.facts import FactsReader, order_at, ordering_of
from saldo.orders.model_orders import Discrepancy, Order, Ordering, OrderRequest, OrderStatus, Reference, ReferenceKind
from saldo.orders.placing import place_ready, placing_for
from saldo.orders.rules_fulfilment import ready
from saldo.orders.rules_matching import learned, match, remembered
from saldo.orders.rules_orders import Sifted, agreed_of, check_request, new_order, request_print, sift
from saldo.orders.writing import audit, audit_order, put_order, put_ordering
from saldo.storage.items import Item
from saldo.storage.store import Store
from saldo.storage.units import Unit

_MOST_ATTEMPTS = 8


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a delivery. repeated: all of it came before, and this is the order of that time.

    before: orders that have those of its lines which came before.
    """

    order_id: str
    account_id: str
    status: OrderStatus
    repeated: bool
    discrepancies: tuple[Discrepancy, ...]
    before: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Delivery:
    """One arrival of an order: by whom, under which key, from where."""

    request: OrderRequest
    actor: Actor
    key: str
    origin: str


class Orders:
    """Orders of one region's sellers."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def receive(
        self,
        entity_id: str,
        request: OrderRequest,
        actor: Actor,
        *,
        key: str = "",
        origin: str = "",
        reader: FactsReader | None = None,
    ) -> Receipt:
        """Take an order: what agrees with customer, contract and price is placed, what does not waits for a person.

        key: names this delivery for ever (an API's idempotency key, an EDI control number). origin: where it came from,
        for people. Lines of a party's purchase order that came before are not taken again.
        Raises NotFound without the seller, Refusal `invalid_order` naming every field at fault, `key_reused` when the
        key
        came with another order; Unavailable when the account's orders keep coming in from elsewhere. Repeating is safe.
        """
        check_request(request, self._today(entity_id))
        reader = reader or FactsReader(self._store, self._clock, entity_id)
        for _ in range(_MOST_ATTEMPTS):
            order, repeated, before = self._take(reader, Delivery(request, actor, key, origin))
            if order is not None:
                order = self.place_rest(order, actor)
                return Receipt(order.id, order.account_id, order.status, repeated, order.discrepancies, before)
        raise Unavailable("orders for the same account are coming in from elsewhere; repeat the delivery")

    def _take(self, reader: FactsReader, delivery: Delivery) -> tuple[Order | None, bool, tuple[str, ...]]:
        """One attempt: the order and whether it was here before, or None when something changed meanwhile."""
        guard, key_guard = self._guards(reader.entity_id, delivery)
        if key_guard is not None:
            _check_key(key_guard, delivery)
        sifted = sift(reader.entity_id, delivery.request, guard["lines"] if guard else {})
        if not sifted.fresh:
            return self.find(reader.entity_id, sifted.before[0]), True, sifted.before
        unit = Unit(f"receive {sifted.order_id}")
        pk, sk = records.purchase_order_key(reader.entity_id, delivery.request.party, delivery.request.purchase_order)
        version = guard["version"] if guard else 0
        item = {"pk": pk, "sk": sk, "kind": "guard", "lines": sifted.known, "version": version + 1}
        unit.put(item, when={"version": version or None})
        if delivery.key:
            pk, sk = records.delivery_key(reader.entity_id, delivery.request.party, delivery.key)
            content = request_print(delivery.request)
            unit.insert({"pk": pk, "sk": sk, "kind": "guard", "order_id": sifted.order_id, "content": content})
        return self._write_new(unit, reader, delivery, sifted), False, sifted.before

    def _guards(self, entity_id: str, delivery: Delivery) -> tuple[Item | None, Item | None]:
        of_order = records.purchase_order_key(entity_id, delivery.request.party, delivery.request.purchase_order)
        of_key = records.delivery_key(entity_id, delivery.request.party, delivery.key)
        found = self._store.get_many([of_order, of_key] if delivery.key else [of_order], consistent=True)
        return found.get(of_order), found.get(of_key)

    def _write_new(self, unit: Unit, reader: FactsReader, delivery: Delivery, sifted: Sifted) -> Order | None:
        """Match the lines that are new, and write all there is of it in one unit; None when it did not hold."""
        request, at = replace(delivery.request, lines=sifted.fresh), self._clock()
        facts = reader.facts(request, sifted.changed)
        matching = match(request, facts)
        order = new_order(reader.entity_id, sifted.order_id, request, matching, delivery.origin, at)
        if facts.ordering is not None:
            seen = remembered(facts.ordering, order.id, request)
            put_ordering(unit, seen if matching.discrepancies else learned(seen, request, agreed_of(order.lines)))
        if matching.discrepancies:
            unit.insert(records.discrepancy_item(order))
        else:
            placing = placing_for(self._store, order, delivery.actor, at, facts, reader.claims)
            order = place_ready(unit, order, placing)
        unit.insert(records.order_item(order)).insert(records.owner_item(order))
        audit_order(unit, order, "order.received", delivery.actor, at)
        return None if self._store.write_one(unit) else order

    def place_rest(self, order: Order, actor: Actor) -> Order:
        """Place what the unit that accepted an order had no room for, or a crash left."""
        while any(ready(line) for line in order.lines):
            at, unit = self._clock(), Unit(f"place {order.id} {order.version}")
            after = place_ready(unit, order, placing_for(self._store, order, actor, at))
            after = replace(after, version=order.version + 1)
            put_order(unit, order, after)
            audit_order(unit, after, "order.placed", actor, at)
            self._store.write_one(unit)
            order = self.find(order.entity_id, order.id)
        return order

    # -- reading -----------------------------------------------------------------------------------------------

    def find(self, entity_id: str, order_id: str, told: Store | None = None) -> Order:
        """An order of a seller, wherever it lies; NotFound. told: where it lies may have been read there before."""
        owner = (told or self._store).get(*records.owner_key(entity_id, order_id))
        order = order_at(self._store, owner["owner"], order_id) if owner else None
        if order is None:
            raise NotFound(f"no such order: {order_id}")
        return order

    def of_account(self, account_id: str) -> list[Order]:
        """Every order of an account, newest first; all that the account's own people may see."""
        items = self._store.query_all(account_id, prefix=records.PREFIX, newest_first=True)
        return [records.order_from(item) for item in items]

    def of_seller(self, entity_id: str, since: date, until: date) -> Iterator[Order]:
        """A seller's orders by day of order, oldest first. until: the first day after."""
        rows = self._store.query_all(
            records.orders_agenda(entity_id), first=since.isoformat(), last=until.isoformat(), agenda=True
        )
        keys = [(row["pk"], row["sk"]) for row in rows]
        items = self._store.get_many(keys)
        yield from (records.order_from(items[key]) for key in keys if key in items)

    def discrepancies(self, entity_id: str) -> Iterator[Item]:
        """The queue: one record per order that waits for a person, in id (that is, in order day) order."""
        yield from self._store.query_all(entity_id, prefix=records.DISCREPANCY_PREFIX, consistent=True)

    # -- who may order -----------------------------------------------------------------------------------------

    def know_as(self, entity_id: str, account_id: str, reference: Reference, actor: Actor) -> bool:
        """Let a reference name an account; False when it did. Refusal `reference_taken` when it names another."""
        account = self._store.get(account_id, "account")
        if account is None or account["entity_id"] != entity_id:
            raise NotFound("no such account")
        if reference.kind is ReferenceKind.ACCOUNT or not reference.value.strip():
            raise Refusal("invalid_reference", "a reference is a customer number, a DUNS number or a name")
        pk, sk = records.reference_key(entity_id, reference)
        unit = Unit(f"reference {sk}")
        unit.insert({"pk": pk, "sk": sk, "kind": "reference", "account_id": account_id})
        audit(unit, account_id, "order_reference.added", sk, actor, self._clock(), {"kind": reference.kind.value})
        if self._store.write_one(unit) is None:
            return True
        there = self._store.get(pk, sk)
        if there is None or there["account_id"] != account_id:
            raise Refusal("reference_taken", "this reference names another account")
        return False

    def ordering(self, account_id: str) -> Ordering:
        """What an account's orders are held against."""
        return ordering_of(self._store, account_id)

    def set_policy(
        self,
        account_id: str,
        actor: Actor,
        *,
        credit_limit_minor: int | None = None,
        trusted: frozenset[str] = frozenset(),
        duplicate_days: int | None = None,
        unusual_factor: int | None = None,
    ) -> Ordering:
        """Set an account's credit limit (None: none) and let further parties order; other values stay where None."""
        before = self.ordering(account_id)
        after = replace(
            before,
            credit_limit_minor=credit_limit_minor,
            parties=before.parties | trusted,
            duplicate_days=before.duplicate_days if duplicate_days is None else duplicate_days,
            unusual_factor=before.unusual_factor if unusual_factor is None else unusual_factor,
        )
        unit = Unit(f"policy {account_id}")
        put_ordering(unit, after)
        what = {"credit_limit_minor": credit_limit_minor, "parties": len(after.parties)}
        audit(unit, account_id, "ordering.changed", account_id, actor, self._clock(), what)
        if self._store.write_one(unit):
            raise Refusal("changed_meanwhile", "an order came in at the same moment; look at it and try again")
        return self.ordering(account_id)

    def _today(self, entity_id: str) -> date:
        item = self._store.get(entity_id, "entity")
        if item is None:
            raise NotFound(f"no such legal entity: {entity_id}")
        return local_date(self._clock(), entity_from(item).time_zone)


def _check_key(guard: Item, delivery: Delivery) -> None:
    if guard["content"] != request_print(delivery.request):
        raise Refusal("key_reused", "this key came before with another order; use a key of its own for each")
