"""Reading what an order is held against: its customer, what is sold, contracts, history, what is owed."""

from __future__ import annotations

from collections.abc import Sequence

from saldo.accounts.model import Account
from saldo.accounts.records import account_from
from saldo.catalog.service import Catalog, PlanVersions
from saldo.kernel.clock import Clock
from saldo.kernel.money import Money
from saldo.ledger.model import LedgerAccount
from saldo.ledger.service import stored_balances
from saldo.orders import records, records_orders
from saldo.orders.model import ItemStatus
from saldo.orders.model_orders import Order, Ordering, OrderRequest, ReferenceKind
from saldo.orders.records_contracts import contracts_of
from saldo.orders.rules_matching import Assortment, Facts
from saldo.orders.rules_running import Running
from saldo.storage.store import Store
from saldo.subscriptions.claims import MeterClaims
from saldo.subscriptions.records import subscription_from, subscription_key
from saldo.subscriptions.rules_meters import Held
from saldo.usage.ingest import meters_of


class FactsReader:
    """Reads facts for one seller's orders; what is sold is read once and kept, so make one per request or file."""

    def __init__(self, store: Store, clock: Clock, entity_id: str) -> None:
        self._store, self._clock, self.entity_id = store, clock, entity_id
        self._assortment: Assortment | None = None
        self._apart: frozenset[str] | None = None
        self.claims: MeterClaims | None = None  # of the account that was asked for last

    def assortment(self) -> Assortment:
        if self._assortment is None:
            catalog = Catalog(self._store, self._clock)
            products, (plans, versions) = catalog.products_of(self.entity_id), catalog.sold_by(self.entity_id)
            self._assortment = Assortment({p.id: p for p in products}, {p.id: p for p in plans}, versions)
        return self._assortment

    def facts(self, request: OrderRequest, changed_lines: frozenset[str] = frozenset()) -> Facts:
        accounts = self._accounts(request)
        if len(accounts) != 1:
            return Facts(accounts, self.assortment(), changed_lines=changed_lines)
        account = accounts[0]
        ordering = ordering_of(self._store, account.id)
        return Facts(
            accounts,
            self.assortment(),
            contracts_of(self._store, account.id),
            ordering,
            self._owed_minor(account) if ordering.credit_limit_minor is not None else 0,
            changed_lines,
            running_of(self._store, account.id, changed_by(request)),
            self._held(account),
        )

    def _held(self, account: Account) -> Held:
        """What meters of new subscriptions are held against, where any plan has some."""
        self.claims = MeterClaims(self._store, account.id, self.entity_id)
        if not any(c.meter_id for version in self.assortment().versions for c in version.components):
            return Held()
        if self._apart is None:
            meters = meters_of(self._store, self.entity_id).values()
            self._apart = frozenset(meter.id for meter in meters if meter.by_subscription)
        return self.claims.held(self._apart)

    def _accounts(self, request: OrderRequest) -> list[Account]:
        """Every account of this seller that the references name."""
        ids = {r.value for r in request.references if r.kind is ReferenceKind.ACCOUNT}
        others = [r for r in request.references if r.kind is not ReferenceKind.ACCOUNT]
        keys = [records_orders.reference_key(self.entity_id, r) for r in others]
        if keys:
            ids |= {item["account_id"] for item in self._store.get_many(keys, consistent=True).values()}
        if not ids:
            return []
        items = self._store.get_many([(account_id, "account") for account_id in sorted(ids)], consistent=True)
        found = [account_from(item) for item in items.values() if item["entity_id"] == self.entity_id]
        return sorted(found, key=lambda account: account.id)

    def _owed_minor(self, account: Account) -> int:
        """Open balance, and items that wait for the next run."""
        owed = stored_balances(self._store, account.id).get((account.currency, LedgerAccount.RECEIVABLES), 0)
        for record in self._store.query_all(account.id, prefix=records.PREFIX, consistent=True):
            waiting = records.waiting_item_from(record)
            if waiting.status is ItemStatus.WAITING:
                owed += Money.of_major(waiting.item.amount, account.currency).minor
        return owed


def ordering_of(store: Store, account_id: str) -> Ordering:
    return records_orders.ordering_from(account_id, store.get(account_id, records_orders.ORDERING))


def order_at(store: Store, owner: str, order_id: str) -> Order | None:
    item = store.get(*records_orders.order_key(owner, order_id))
    return records_orders.order_from(item) if item else None


def changed_by(request: OrderRequest) -> list[str]:
    """The subscriptions that an order changes."""
    return [line.changes for line in request.lines if line.changes]


def running_of(store: Store, account_id: str, subscription_ids: Sequence[str]) -> dict[str, Running]:
    """Those of an account's subscriptions that exist, with the plan versions they have been or will be on."""
    if not subscription_ids:
        return {}
    items = store.get_many([subscription_key(account_id, i) for i in subscription_ids], consistent=True)
    found = [subscription_from(item) for item in items.values()]
    wanted = {
        (s.entity_id, version_id)
        for s in found
        for version_id in (s.plan_version_id, *(c.plan_version_id for c in s.changes))
        if version_id
    }
    versions = {version_id: v for (_, version_id), v in PlanVersions(store).get_many(wanted).items()}
    return {s.id: Running(s, versions) for s in found}
