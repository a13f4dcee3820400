"""From the records of a batch of accounts to billing cases, in a few reads for all of them."""

from __future__ import annotations

import logging
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from types import MappingProxyType

from saldo.accounts.model import Account, LegalEntity
from saldo.accounts.records import account_from
from saldo.catalog.model import PlanVersion
from saldo.catalog.service import PlanVersions
from saldo.exchange.service import ExchangeRates
from saldo.invoicing.model import BillingCase, BillingOptions, DueItem, DueSubscription
from saldo.invoicing.model_tally import Tally, TallyKey
from saldo.invoicing.rules import due_of
from saldo.invoicing.rules_conversion import is_priced_elsewhere, rates_needed
from saldo.invoicing.rules_history import usage_asked
from saldo.invoicing.rules_late import late_charge
from saldo.invoicing.rules_tallies import keys_touched
from saldo.invoicing.rules_templates import TemplateChoice
from saldo.invoicing.run.earlier import with_earlier
from saldo.invoicing.run.in_parts import is_held, named_keys
from saldo.invoicing.run.model import BEING_BILLED, DueAccount, SetAside
from saldo.invoicing.tally_records import read_tallies
from saldo.invoicing.wallet_records import version_of, wallet_from, wallet_key
from saldo.kernel.errors import Refusal
from saldo.kernel.exchange import ExchangeRate
from saldo.orders.model import ItemStatus, WaitingItem
from saldo.orders.records import item_key, waiting_item_from
from saldo.storage.items import Item, Key
from saldo.storage.store import Store
from saldo.subscriptions.model import Subscription
from saldo.subscriptions.records import subscription_from, subscription_key
from saldo.tax.model import OwnRates
from saldo.tax.ports import TaxPort
from saldo.usage.model import UsageKey
from saldo.usage.model_windows import AccountUsage
from saldo.usage.ports import LargeUsage
from saldo.usage.rules import Asking
from saldo.usage.service import UsageTotals

log = logging.getLogger(__name__)

# What reading a damaged record raises. Trouble of the table itself is not in here: that is for the step to repeat.
_UNREADABLE = (
    *(KeyError, ValueError, TypeError, AttributeError, ArithmeticError, AssertionError),
    *(zlib.error, Refusal),
)


@dataclass(frozen=True, slots=True)
class Billing:
    """What billing needs: records, plan versions (kept: they never change), usage totals and tax."""

    store: Store
    plan_versions: PlanVersions
    usage: UsageTotals
    tax: TaxPort

    @classmethod
    def by_table(
        cls, store: Store, *, versions: PlanVersions | None = None, large: LargeUsage | None = None
    ) -> Billing:
        """Of what the store reaches, with the tax table that is shipped: no tax service is asked. versions: kept from
        before; large: counts usage that lies in files."""
        from saldo.tax.table import TableTax, shipped_table
        from saldo.usage.totals import UsageTotals

        return cls(store, versions or PlanVersions(store), UsageTotals(store, large), TableTax(shipped_table()))

    def remembering(self) -> Billing:
        """The same, for one look: what is needed twice is read once."""
        store = self.store.remembering()
        return replace(self, store=store, usage=self.usage.within(store))


@dataclass(frozen=True, slots=True)
class AccountCase:
    """What billing one account needs, as it was read.

    `items`: the waiting items among what is billed. `wallet_read`: the version of its wallet's record. `before`: ids of
    the invoices that its records say this attempt froze already; `billed_last`: of those that billed them last, by
    whatever attempt. `members`: accounts that share its invoices. `usage`: what was counted, by account; billing closes
    its windows.
    """

    due: DueAccount
    case: BillingCase
    items: tuple[WaitingItem, ...]
    wallet_read: int | None
    before: tuple[str, ...]
    members: tuple[Account, ...] = ()
    usage: Mapping[str, AccountUsage] = field(default_factory=dict)
    billed_last: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Batch:
    """What is the same for all accounts of a batch. `opened_at`: when the attempt was; a period whose time of grace has
    not passed by then is not billed yet. `rates`: those that documents are booked at; `price_rates`: those that prices
    are converted at. `own_rates`: the seller's own of taxes."""

    entity: LegalEntity
    options: BillingOptions
    as_of: date
    billed_by: str
    opened_at: datetime
    rates: ExchangeRates | None = None
    price_rates: ExchangeRates | None = None
    seller_facts: str = ""
    templates: TemplateChoice = field(default_factory=TemplateChoice)
    under_way: Mapping[str, str] = field(default_factory=dict)
    own_rates: OwnRates | None = None


def read_cases(
    billing: Billing,
    batch: Batch,
    due: Sequence[DueAccount],
    instead: Mapping[Key, Subscription] = MappingProxyType({}),
    under_way: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, AccountCase | SetAside]:
    """One case per account. A record that cannot be read sets its own account aside, not the whole batch; so does one
    that a billing in parts holds (`being_billed`), unless it is the one that is `under_way` for the account.

    instead: subscriptions as they are looked at instead of as they are on record.
    """
    batch = replace(batch, under_way=under_way) if under_way else batch
    try:
        return _read(billing, batch, due, instead)
    except _UNREADABLE as error:
        if len(due) > 1:
            alone = (read_cases(billing, batch, [account], instead, batch.under_way) for account in due)
            return {account_id: case for cases in alone for account_id, case in cases.items()}
        if isinstance(error, Refusal):
            return {due[0].account_id: SetAside(due[0].account_id, error.code, error.message[:300])}
        log.exception("an account's records cannot be read", extra={"account_id": due[0].account_id})
        return {due[0].account_id: SetAside(due[0].account_id, "unreadable_records", type(error).__name__)}


def _read(
    billing: Billing, batch: Batch, due: Sequence[DueAccount], instead: Mapping[Key, Subscription]
) -> dict[str, AccountCase | SetAside]:
    records = billing.store.get_many([key for account in due for key in _keys(account)], consistent=True)
    sold = {k: subscription_from(item) for k, item in records.items() if item["kind"] == "subscription"}
    sold |= {k: subscription for k, subscription in instead.items() if k in sold}
    wanted = ((batch.entity.id, version_id) for s in sold.values() for version_id in _version_ids(s))
    known = billing.plan_versions.get_many(wanted)
    found = _Found(records, sold, {version_id: version for (_, version_id), version in known.items()})
    prepared = {account.account_id: _prepare(batch, account, found) for account in due}
    cases = {account_id: case for account_id, case in prepared.items() if isinstance(case, AccountCase)}
    usage = billing.usage.read(_usage_asked(cases.values()))
    late = {(batch.entity.id, late.window.terms.plan_version_id) for one in usage.values() for late in one.late}
    sold_by = billing.plan_versions.get_many(late)
    counted = {account_id: _with_usage(batch, one, usage, sold_by) for account_id, one in cases.items()}
    tallies = read_tallies(billing.store, (key for one in counted.values() for key in _tally_keys(one)))
    if tallies:
        counted = {account_id: _with_tallies(one, tallies) for account_id, one in counted.items()}
    counted = {account_id: _with_earlier(billing.store, one) for account_id, one in counted.items()}
    return prepared | {account_id: _with_price_rates(batch, one) for account_id, one in counted.items()}


def _with_price_rates(batch: Batch, one: AccountCase | SetAside) -> AccountCase | SetAside:
    """The case with the rates that its prices are converted at: the seller's policy and one read for each currency and
    day, for all accounts of a batch together; none where everything is priced in the currency of the invoice."""
    rates = batch.price_rates
    if isinstance(one, SetAside) or rates is None or not is_priced_elsewhere(one.case):
        return one
    seller, currency = batch.entity.id, one.case.account.currency
    case = replace(one.case, prices_on=rates.prices_on(seller))
    try:
        found = {(c, on): rates.price_rate(seller, c, currency, on) for c, on in sorted(rates_needed(case))}
    except Refusal as refusal:
        return SetAside(one.due.account_id, refusal.code, refusal.message)
    return replace(one, case=replace(case, price_rates=found))


def _with_earlier(store: Store, one: AccountCase | SetAside) -> AccountCase | SetAside:
    if isinstance(one, SetAside):
        return one
    return replace(one, case=with_earlier(store, one.case, one.billed_last))


def _tally_keys(one: AccountCase | SetAside) -> set[TallyKey]:
    """The tallies that a case may touch."""
    if isinstance(one, SetAside):
        return set()
    return keys_touched(one.case)


def _with_tallies(one: AccountCase | SetAside, tallies: Mapping[TallyKey, Tally]) -> AccountCase | SetAside:
    found = {key: tallies[key] for key in _tally_keys(one) if key in tallies}
    if isinstance(one, SetAside) or not found:
        return one
    return replace(one, case=replace(one.case, tallies=found))


def _keys(account: DueAccount) -> Iterator[Key]:
    yield from named_keys(account)
    yield from ((one.account_id, "account") for one in account.all)


def _version_ids(subscription: Subscription) -> Iterator[str]:
    yield subscription.plan_version_id
    yield from (change.plan_version_id for change in subscription.changes if change.plan_version_id)


def _usage_asked(cases: Iterable[AccountCase]) -> dict[Account, list[tuple[UsageKey, Asking]]]:
    """Usage that charges need, and every account of a case besides: something may have come late for it."""
    asked: dict[Account, list[tuple[UsageKey, Asking]]] = defaultdict(list)
    for one in cases:
        for account in (one.case.account, *one.members):
            asked.setdefault(account, [])
        for due in one.case.due:
            asked[due.member or one.case.account].extend(usage_asked(due))
    return asked


def _with_usage(
    batch: Batch, one: AccountCase, usage: Mapping[str, AccountUsage], sold_by: Mapping[Key, PlanVersion]
) -> AccountCase | SetAside:
    own = {account.id: usage[account.id] for account in (one.case.account, *one.members)}
    waits = max((u.closes_at for u in own.values() if u.closes_at is not None), default=None)
    if waits is not None and waits > batch.opened_at:
        return SetAside(one.due.account_id, "usage_window_open", f"usage may come until {waits.isoformat()}; stays due")
    members = {member.id: member for member in one.members}
    try:
        late = tuple(
            late_charge(
                found, sold_by.get((batch.entity.id, found.window.terms.plan_version_id)), members.get(account_id)
            )
            for account_id, counted in own.items()
            for found in counted.late
        )
    except Refusal as refusal:
        return SetAside(one.due.account_id, refusal.code, str(refusal)[:300])
    totals = {key: total for counted in own.values() for key, total in counted.totals.items()}
    details = {key: detail for counted in own.values() for key, detail in counted.details.items()}
    stood = {key: window for counted in own.values() for key, window in counted.stood.items()}
    return replace(one, case=replace(one.case, usage=totals, details=details, late=late, stood=stood), usage=own)


@dataclass(frozen=True, slots=True)
class _Found:
    """What was read for a batch: records by key, and of them what is parsed."""

    records: dict[Key, Item]
    sold: Mapping[Key, Subscription]
    versions: Mapping[str, PlanVersion]


def _rate_of(batch: Batch, currency: str) -> ExchangeRate | None:
    """What documents of this run in a currency are booked at. Refusal `no_exchange_rate`."""
    if batch.rates is None:
        return None
    return batch.rates.rate_for(batch.entity.id, batch.entity.currency, currency, batch.as_of)


def _prepare(batch: Batch, due: DueAccount, found: _Found) -> AccountCase | SetAside:
    if is_held(due, found.records, batch.under_way.get(due.account_id, "")):
        return SetAside(due.account_id, BEING_BILLED, "it is being billed at this moment; try again in a minute")
    accounts = _accounts_of(due, found)
    if isinstance(accounts, SetAside):
        return accounts
    account = accounts[due.account_id]
    try:
        exchange = _rate_of(batch, account.currency)
    except Refusal as refusal:
        return SetAside(due.account_id, refusal.code, refusal.message)
    wallet = found.records.get(wallet_key(due.account_id))
    waiting = [item for one in due.all for item in _waiting(one, found)]
    case = BillingCase(
        account=account,
        entity=batch.entity,
        due=tuple(d for one in due.all for d in _subscriptions(batch, one, account, accounts[one.account_id], found)),
        usage={},
        as_of=batch.as_of,
        items=tuple(DueItem(w.item, None if w.account_id == account.id else accounts[w.account_id]) for w in waiting),
        options=batch.options,
        wallet=wallet_from(wallet),
        exchange=exchange,
        seller_facts=batch.seller_facts,
        template=batch.templates.of(account),
        own_rates=batch.own_rates,
    )
    before = [found.records[key] for key in named_keys(due) if key in found.records]
    billed = dict.fromkeys(invoice for record in before for invoice in _billed_before(record, batch))
    last = frozenset(invoice for record in before for invoice in record.get("invoice_ids", ()))
    members = tuple(accounts[member.account_id] for member in due.members)
    return AccountCase(due, case, tuple(waiting), version_of(wallet), tuple(billed), members, billed_last=last)


def _accounts_of(due: DueAccount, found: _Found) -> dict[str, Account] | SetAside:
    accounts: dict[str, Account] = {}
    for one in due.all:
        item = found.records.get((one.account_id, "account"))
        if item is None:
            return SetAside(due.account_id, "account_missing", f"{one.account_id}, which has charges, does not exist")
        accounts[one.account_id] = account_from(item)
    for member in due.members:
        if accounts[member.account_id].invoiced_to != due.account_id:
            return SetAside(due.account_id, "changed_meanwhile", f"{member.account_id} has invoices of its own again")
    return accounts


def _subscriptions(
    batch: Batch, one: DueAccount, payer: Account, account: Account, found: _Found
) -> Iterator[DueSubscription]:
    member = None if account.id == payer.id else account
    for subscription_id in one.subscription_ids:
        sold = found.sold.get(subscription_key(one.account_id, subscription_id))
        if sold is not None:
            version = found.versions.get(sold.plan_version_id)
            yield due_of(sold, version, batch.as_of, found.versions, account.time_zone, member)


def _waiting(one: DueAccount, found: _Found) -> Iterator[WaitingItem]:
    for item_id in one.item_ids:
        record = found.records.get(item_key(one.account_id, item_id))
        if record is not None and record["status"] == ItemStatus.WAITING.value:
            yield waiting_item_from(record)


def _billed_before(record: Item, batch: Batch) -> list[str]:
    """The invoices that this attempt billed a record by, as the record says."""
    if record.get("billed_by") != batch.billed_by:
        return []
    return list(record["invoice_ids"])
