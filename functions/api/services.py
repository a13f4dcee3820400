"""What the API is made of, each built when first asked for, once per process."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from functions import tracing
from functions.services import settings as settings
from functions.services import store as store
from saldo.access.api_keys import ApiKeys
from saldo.kernel.clock import Clock, system_clock
from saldo.storage.clients import client
from saldo.storage.narrowed import Narrowed
from saldo.storage.repeats import Repeats

if TYPE_CHECKING:
    from saldo.invoicing.forecast import Forecasts
    from saldo.invoicing.self_service import SelfService
    from saldo.orders.service import Orders
    from saldo.storage.store import Store
    from saldo.subscriptions.service import Subscriptions
    from saldo.usage.accept import AcceptUsage
    from saldo.usage.quarantine import Quarantine

_clock: Clock = system_clock


def clock() -> datetime:
    return _clock()


@lru_cache(maxsize=1)
def narrowed() -> Narrowed:
    return Narrowed(client("dynamodb"), client("sts"), settings().customer_role_arn, clock)


def records_of(*owners: str, name: str) -> Store:
    """Their records, under credentials that reach nothing else. name: whose call it is, for the trail of AWS."""
    return store().within(*owners, client=narrowed().client(owners, name))


@lru_cache(maxsize=1)
def api_keys() -> ApiKeys:
    return ApiKeys(store(), clock)


@lru_cache(maxsize=1)
def repeats() -> Repeats:
    return Repeats(store(), clock)


@lru_cache(maxsize=1)
def usage_acceptance() -> AcceptUsage:
    from saldo.usage.accept import AcceptUsage
    from saldo.usage.batch_queue import SqsBatches

    queue = SqsBatches(client("sqs"), settings().usage_queue_url, tracing.sqs_attributes)
    return AcceptUsage(store(), queue, clock)


@lru_cache(maxsize=1)
def quarantine() -> Quarantine:
    from saldo.usage.quarantine import Quarantine

    return Quarantine(store(), clock)


@lru_cache(maxsize=1)
def orders() -> Orders:
    from saldo.orders.service import Orders

    return Orders(store(), clock)


def subscriptions(within: Store) -> Subscriptions:
    """Of the account that `within` reaches."""
    from saldo.subscriptions.service import Subscriptions

    return Subscriptions(within, clock)


def forecasts(within: Store) -> Forecasts:
    """Invoices before their day, of the account that `within` reaches."""
    from saldo.invoicing.forecast import Forecasts
    from saldo.invoicing.run.cases import Billing

    return Forecasts(Billing.by_table(within), clock, rates=store())


def self_service(within: Store) -> SelfService:
    """Changes of subscriptions of the account that `within` reaches, and what they would cost."""
    from saldo.catalog.service import PlanVersions
    from saldo.invoicing.self_service import SelfService

    return SelfService(within, forecasts(within), PlanVersions(within), clock)
