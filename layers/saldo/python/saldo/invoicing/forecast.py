"""The next invoice of an account as it stands and as it is likely to be: by the same path as an invoice run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

from saldo.accounts.model import Account
from saldo.accounts.records import account_from, entity_from
from saldo.exchange.service import ExchangeRates
from saldo.invoicing.looked_ahead import LookedAhead
from saldo.invoicing.model import BillingCase
from saldo.invoicing.model_forecast import NextInvoice
from saldo.invoicing.rules_accounts import bill_account
from saldo.invoicing.rules_history import usage_asked
from saldo.invoicing.run.cases import AccountCase, Batch, Billing, read_cases
from saldo.invoicing.run.model import DueAccount, SetAside
from saldo.invoicing.seller_records import options_from, seller_billing_key
from saldo.kernel.clock import Clock
from saldo.kernel.errors import NotFound, Refusal
from saldo.kernel.periods import local_date
from saldo.orders.model import ItemStatus
from saldo.orders.records import PREFIX as ITEM_PREFIX
from saldo.storage.items import Item, Key
from saldo.storage.store import Store
from saldo.subscriptions.model import Subscription
from saldo.subscriptions.records import subscription_from, subscription_key
from saldo.tax.estimates import estimates
from saldo.tax.records import own_rates_from, own_rates_key
from saldo.usage.live import LiveUsage
from saldo.usage.model import NO_DETAIL, Counted
from saldo.usage.records_partitions import usage_files_key
from saldo.usage.rules import LookedBack
from saldo.usage.rules_forecast import LiveMeter, scaled

_ALWAYS_CLOSED = datetime.max.replace(tzinfo=UTC)


class Forecasts:
    """Looks ahead to invoices; writes no more than what it read (`looked_ahead`). Each look is at one moment: what it
    needs twice it reads once. Their tax is an estimate by the table, whatever tax port the run has: a look is free, and
    is taken often.

    rates: where published exchange rates lie, which are nobody's, for records narrowed to a customer's.
    """

    def __init__(self, billing: Billing, clock: Clock, rates: Store | None = None) -> None:
        self._billing, self._clock, self._rates = replace(billing, tax=estimates()), clock, rates or billing.store

    def next_invoice(self, account_id: str, entity_id: str = "") -> NextInvoice:
        """The account's next invoice. NotFound without such an account; Refusal `nothing_ahead` when none comes, and as
        a run would set the account aside. Accounts that share an invoice are looked at one by one.

        entity_id: its seller, where that is known, to be read in the same call.
        """
        return self._look().next_invoice(account_id, entity_id)

    def after_change(self, account_id: str, changed: Subscription) -> NextInvoice:
        """What the next invoice would hold of one subscription as it would be after a change. Refusals as
        `next_invoice`."""
        return self._look().after_change(account_id, changed)

    def _look(self) -> _Look:
        return _Look(self._billing.remembering(), self._clock, self._rates)


class _Look:
    def __init__(self, billing: Billing, clock: Clock, rates: Store) -> None:
        self._billing, self._clock, self._rates = billing, clock, rates
        self._live = LiveUsage(billing.store)

    def next_invoice(self, account_id: str, entity_id: str) -> NextInvoice:
        looked = LookedAhead(self._billing.store, account_id)
        try:
            account, seller = self._account(account_id, entity_id)
            due, due_on = self._due(account, local_date(self._clock(), account.time_zone), looked)
            return self._billed(account, due, due_on, seller)
        finally:
            looked.keep()

    def after_change(self, account_id: str, changed: Subscription) -> NextInvoice:
        account, seller = self._account(account_id, changed.entity_id)
        if changed.next_bill_on is None:
            raise Refusal("nothing_ahead", f"{changed.id} has nothing that a run would bill")
        return self._billed(account, DueAccount(account.id, (changed.id,)), changed.next_bill_on, seller, changed)

    def _billed(
        self,
        account: Account,
        due: DueAccount,
        due_on: date,
        seller: Mapping[Key, Item],
        instead: Subscription | None = None,
    ) -> NextInvoice:
        now = self._clock()
        on = max(due_on, local_date(now, account.time_zone))
        found = self._case(account, due, on, seller, instead)
        asked = (one for item in found.case.due for one in usage_asked(item))
        prices = tuple((key, price) for key, price in asked if not isinstance(price, LookedBack))
        needed = [key for key, _ in prices]
        meters = {live.key: live for live in self._live.of(account, needed, now)}
        so_far = bill_account(found.case, self._billing.tax)
        expected = bill_account(_ahead(found.case, list(meters.values())), self._billing.tax)
        details = found.case.details
        counted = {key: Counted(found.case.usage[key], details[key]) for key in needed}
        return NextInvoice(account, on, due_on, tuple(meters.values()), so_far, expected, counted, prices)

    def _account(self, account_id: str, entity_id: str) -> tuple[Account, Mapping[Key, Item]]:
        """The account, and its seller's records by key."""
        key, store = (account_id, "account"), self._billing.store
        files = usage_files_key(entity_id)  # asked for later, by what counts usage
        found = store.get_many([key, *_seller_keys(entity_id), files] if entity_id else [key], consistent=True)
        if key not in found:
            raise NotFound(f"no such account: {account_id}")
        account = account_from(found[key])
        return account, found if entity_id == account.entity_id else store.get_many(_seller_keys(account.entity_id))

    def _due(self, account: Account, today: date, looked: LookedAhead) -> tuple[DueAccount, date]:
        """What the next run that has something to bill will find, and the day on which that falls due."""
        sold = [subscription_from(item) for item in looked.subscriptions()]
        items = [
            (str(i["sk"]).removeprefix(ITEM_PREFIX), date.fromisoformat(i["bill_on"]))
            for i in looked.items()
            if i["status"] == ItemStatus.WAITING.value
        ]
        days = [s.next_bill_on for s in sold if s.next_bill_on is not None]
        if not days and not items:
            raise Refusal("nothing_ahead", f"{account.id} has nothing that a run would bill")
        due_on = min([*days, *(day for _, day in items)])
        on = max(due_on, today)
        due = tuple(s.id for s in sold if s.next_bill_on is not None and s.next_bill_on <= on)
        return DueAccount(account.id, due, tuple(item_id for item_id, day in items if day <= on)), due_on

    def _case(
        self, account: Account, due: DueAccount, on: date, seller: Mapping[Key, Item], instead: Subscription | None
    ) -> AccountCase:
        own, billing, taxes = _seller_keys(account.entity_id)
        rates = ExchangeRates(self._rates, ahead=True)
        options = options_from(seller.get(billing))
        own_rates = own_rates_from(seller.get(taxes))
        entity = entity_from(seller[own])
        batch = Batch(entity, options, on, "", _ALWAYS_CLOSED, price_rates=rates, own_rates=own_rates)
        looked_at = {subscription_key(account.id, instead.id): instead} if instead else {}
        found = read_cases(self._billing, batch, [due], looked_at)[account.id]
        if isinstance(found, SetAside):
            raise Refusal(found.code, found.reason)
        return found


def _seller_keys(entity_id: str) -> tuple[Key, Key, Key]:
    return (entity_id, "entity"), seller_billing_key(entity_id), own_rates_key(entity_id)


def _ahead(case: BillingCase, meters: Sequence[LiveMeter]) -> BillingCase:
    """The case with usage as it is forecast."""
    usage, details = dict(case.usage), dict(case.details)
    for live in meters:
        counted = Counted(usage[live.key], details.get(live.key, NO_DETAIL))
        usage[live.key], details[live.key] = scaled(counted, live.forecast.quantity)
    return replace(case, usage=usage, details=details)
