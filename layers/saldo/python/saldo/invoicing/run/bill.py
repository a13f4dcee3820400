"""Bill one batch of accounts: read all of them in a few calls, decide, freeze a draft each, set aside what fails."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from saldo.accounts.model import LegalEntity
from saldo.accounts.records import account_from, entity_from
from saldo.catalog.model import PlanVersion
from saldo.catalog.service import PlanVersions
from saldo.invoicing.codec import body_to_bytes
from saldo.invoicing.model import BillingCase, Draft, InvoiceBody, NothingToBill
from saldo.invoicing.records import body_key, draft_header, header_from, header_item, header_key
from saldo.invoicing.rules import bill, due_of, usage_needed
from saldo.invoicing.run import records
from saldo.invoicing.run.model import Attempt, BatchResult, Drafted, DueAccount, SetAside
from saldo.invoicing.run.number import load_attempt
from saldo.kernel.errors import NotFound, Refusal, Unavailable
from saldo.storage.items import Item, Key
from saldo.storage.store import Store
from saldo.storage.units import Unit
from saldo.subscriptions.model import Subscription
from saldo.subscriptions.records import move_on, subscription_from, subscription_key
from saldo.tax.ports import TaxPort
from saldo.usage.service import UsageTotals

log = logging.getLogger(__name__)

# What reading a damaged record raises. Trouble of the table itself is not in here: that is for the step to repeat.
_UNREADABLE = (KeyError, ValueError, TypeError, ArithmeticError, AssertionError, zlib.error, Refusal)


@dataclass(frozen=True, slots=True)
class Billing:
    """What billing needs: records, plan versions (kept: they never change), usage totals and tax."""

    store: Store
    plan_versions: PlanVersions
    usage: UsageTotals
    tax: TaxPort


@dataclass(frozen=True, slots=True)
class _Decided:
    """What is to be written for one account, or why it is set aside."""

    account: DueAccount
    unit: Unit | None = None
    drafted: Drafted | None = None
    set_aside: SetAside | None = None


def bill_accounts(billing: Billing, run_id: str, attempt_number: int, batch: str) -> BatchResult:
    """Freeze one draft for each account of the batch that has something to pay.

    Safe to repeat, after a crash at any point: what an account was billed before by this attempt is found through its
    guards and counted again.
    """
    attempt = load_attempt(billing.store, run_id, attempt_number)
    found = billing.store.get_many([records.plan_key(run_id, attempt.plan_id, batch), (attempt.entity_id, "entity")])
    due = records.plan_from(found[records.plan_key(run_id, attempt.plan_id, batch)])
    entity = entity_from(found[attempt.entity_id, "entity"])
    cases = _cases(billing, entity, attempt.as_of, due)
    decided = [_decide(billing, attempt, account, cases[account.account_id]) for account in due]
    result = _dry(decided) if attempt.dry_run else _write(billing.store, attempt, decided)
    billing.store.put_many([records.result_item(run_id, attempt_number, batch, result)])
    return result


def _cases(
    billing: Billing, entity: LegalEntity, as_of: date, due: Sequence[DueAccount]
) -> dict[str, BillingCase | SetAside]:
    """One billing case per account. A record that cannot be read sets its own account aside, not the whole batch."""
    try:
        return _read_cases(billing, entity, as_of, due)
    except _UNREADABLE as error:
        if len(due) > 1:
            alone = (_cases(billing, entity, as_of, [account]) for account in due)
            return {account_id: case for cases in alone for account_id, case in cases.items()}
        log.exception("an account's records cannot be read", extra={"account_id": due[0].account_id})
        return {due[0].account_id: SetAside(due[0].account_id, "unreadable_records", type(error).__name__)}


def _read_cases(
    billing: Billing, entity: LegalEntity, as_of: date, due: Sequence[DueAccount]
) -> dict[str, BillingCase | SetAside]:
    """All cases from as few reads as hold them."""
    keys: list[Key] = [(account.account_id, "account") for account in due]
    keys += [subscription_key(a.account_id, s) for a in due for s in a.subscription_ids]
    items = billing.store.get_many(keys, consistent=True)
    subscriptions = {key: subscription_from(item) for key, item in items.items() if item["kind"] == "subscription"}
    versions = billing.plan_versions.get_many((entity.id, s.plan_version_id) for s in subscriptions.values())
    prepared = {a.account_id: _prepare(entity, as_of, a, items, subscriptions, versions) for a in due}
    cases = {account_id: case for account_id, case in prepared.items() if isinstance(case, BillingCase)}
    totals = billing.usage.totals([(case.account, key) for case in cases.values() for key in usage_needed(case.due)])
    return prepared | {
        account_id: replace(case, usage=totals.get(account_id, {})) for account_id, case in cases.items()
    }


def _prepare(
    entity: LegalEntity,
    as_of: date,
    due: DueAccount,
    items: Mapping[Key, Item],
    subscriptions: Mapping[Key, Subscription],
    versions: Mapping[Key, PlanVersion],
) -> BillingCase | SetAside:
    item = items.get((due.account_id, "account"))
    if item is None:
        return SetAside(due.account_id, "account_missing", "the account of these subscriptions does not exist")
    found = [subscriptions.get(subscription_key(due.account_id, s)) for s in due.subscription_ids]
    return BillingCase(
        account=account_from(item),
        entity=entity,
        due=tuple(due_of(s, versions.get((entity.id, s.plan_version_id)), as_of) for s in found if s is not None),
        usage={},
        as_of=as_of,
    )


def _decide(billing: Billing, attempt: Attempt, account: DueAccount, case: BillingCase | SetAside) -> _Decided:
    if isinstance(case, SetAside):
        return _Decided(account, set_aside=case)
    try:
        outcome = bill(case, billing.tax)
    except Refusal as refusal:
        return _Decided(account, set_aside=SetAside(account.account_id, refusal.code, str(refusal)[:300]))
    except Unavailable as outage:
        return _Decided(account, set_aside=SetAside(account.account_id, "unavailable", str(outage)[:300]))
    except Exception as error:
        log.exception("billing an account failed", extra={"account_id": account.account_id})
        return _Decided(account, set_aside=SetAside(account.account_id, "internal_error", type(error).__name__))
    return _decided(attempt, account, case, outcome)


def _decided(attempt: Attempt, account: DueAccount, case: BillingCase, outcome: Draft | NothingToBill) -> _Decided:
    before = {d.subscription.id: d.subscription for d in case.due}
    body = outcome.body if isinstance(outcome, Draft) else None
    unit = Unit(f"bill {account.account_id}")
    if body:
        unit.insert(header_item(draft_header(body, attempt.run_id)))
        unit.insert({**_named(body_key(body.account_id, body.id)), "kind": "body", "body": body_to_bytes(body)})
    for moved in outcome.subscriptions:
        if moved != before[moved.id]:
            move_on(unit, before[moved.id], moved)
    for d in case.due:
        for boundary in sorted({period.boundary for period in d.due}):
            unit.insert(_guard(attempt, d.subscription, boundary, body))
    drafted = Drafted(body.account_id, body.id, body.currency, body.total_minor, body.kind) if body else None
    return _Decided(account, unit if unit.writes else None, drafted)


def _guard(attempt: Attempt, subscription: Subscription, boundary: date, body: InvoiceBody | None) -> Item:
    return records.guard_item(
        subscription.account_id,
        subscription.id,
        boundary,
        invoice_id=body.id if body else "",
        run_id=attempt.run_id,
        attempt=attempt.number,
    )


def _named(key: Key) -> Item:
    return {"pk": key[0], "sk": key[1]}


def _dry(decided: Iterable[_Decided]) -> BatchResult:
    decided = list(decided)
    return BatchResult(
        tuple(d.drafted for d in decided if d.drafted), tuple(d.set_aside for d in decided if d.set_aside)
    )


def _write(store: Store, attempt: Attempt, decided: Sequence[_Decided]) -> BatchResult:
    """Write every account's unit. An account that was billed before, or whose unit did not hold, is looked at again."""
    conflicts = {c.unit for c in store.write([d.unit for d in decided if d.unit])}
    drafts: list[Drafted] = []
    set_aside: list[SetAside] = []
    for d in decided:
        if d.set_aside:
            set_aside.append(d.set_aside)
        elif d.unit and d.unit.name not in conflicts:
            drafts += [d.drafted] if d.drafted else []
        else:
            mine = _billed_before(store, attempt, d.account)
            drafts += mine
            if d.unit and not mine:
                set_aside.append(_overtaken(d.account))
    return BatchResult(tuple(drafts), tuple(set_aside))


def _overtaken(account: DueAccount) -> SetAside:
    reason = "a subscription of this account changed while it was billed; it stays due"
    return SetAside(account.account_id, "changed_meanwhile", reason)


def _billed_before(store: Store, attempt: Attempt, account: DueAccount) -> list[Drafted]:
    """Drafts that this attempt froze for the account earlier, found through the guards of its subscriptions."""
    invoice_ids = set()
    for subscription_id in account.subscription_ids:
        guards = store.query_all(account.account_id, prefix=records.guard_prefix(subscription_id), consistent=True)
        for guard in guards:
            if (guard["run_id"], guard["attempt"]) == (attempt.run_id, attempt.number) and guard["invoice_id"]:
                invoice_ids.add(guard["invoice_id"])
    return [_drafted(store, account.account_id, invoice_id) for invoice_id in sorted(invoice_ids)]


def _drafted(store: Store, account_id: str, invoice_id: str) -> Drafted:
    item = store.get(*header_key(account_id, invoice_id))
    if item is None:
        raise NotFound(f"a guard names {invoice_id}, which does not exist")
    header = header_from(item)
    return Drafted(account_id, invoice_id, header.currency, header.total_minor, header.document_kind)
