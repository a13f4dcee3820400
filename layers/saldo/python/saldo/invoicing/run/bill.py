"""Bill one batch of accounts: read all of them in a few calls, decide, freeze a draft each, set aside what fails."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from saldo.accounts.records import entity_from, facts_print
from saldo.exchange.service import ExchangeRates
from saldo.invoicing import approvals
from saldo.invoicing.codec import body_from_bytes, body_to_bytes
from saldo.invoicing.frozen import named_by_content
from saldo.invoicing.minimum_records import write_minimum
from saldo.invoicing.model import BilledAccount, InvoiceBody
from saldo.invoicing.records import body_item, body_key
from saldo.invoicing.records_templates import choice_from, templates_key
from saldo.invoicing.rules_accounts import bill_account
from saldo.invoicing.rules_late import windows_of
from saldo.invoicing.run import records
from saldo.invoicing.run.cases import AccountCase, Batch, Billing, read_cases
from saldo.invoicing.run.due import keep_due, place_after
from saldo.invoicing.run.model import Attempt, BatchResult, Drafted, DueAccount, SetAside
from saldo.invoicing.run.number import load_attempt
from saldo.invoicing.seller_records import options_from, seller_billing_key
from saldo.invoicing.wallet_records import write_wallet
from saldo.kernel.clock import instant_from
from saldo.kernel.errors import NotFound, Refusal, Unavailable
from saldo.orders.model import ItemStatus
from saldo.orders.records import close_item
from saldo.storage.items import Item, Key
from saldo.storage.store import Store
from saldo.storage.units import MOST_WRITES, Unit
from saldo.subscriptions.records import move_on
from saldo.usage.totals import MOST_WRITES_OF_WINDOWS, close_windows

__all__ = ["Billing", "bill_accounts"]

log = logging.getLogger(__name__)

# A customer who changes something while an account is billed costs one more look at it.
_MOST_ROUNDS = 4


@dataclass(frozen=True, slots=True)
class _Decided:
    """What is to be written for one account and what it makes, or why the account is set aside."""

    account: DueAccount
    unit: Unit | None = None
    bodies: tuple[InvoiceBody, ...] = ()
    before: tuple[str, ...] = ()
    set_aside: SetAside | None = None


def bill_accounts(billing: Billing, run_id: str, attempt_number: int, batch: str) -> BatchResult:
    """Freeze the drafts of each account of the batch that has something to pay.

    Safe to repeat, after a crash at any point: what an account was billed before by this attempt is found on its
    subscriptions and items and counted again.
    """
    store = billing.store
    attempt = load_attempt(store, run_id, attempt_number)
    plan_key, entity_key = records.plan_key(run_id, attempt.plan_id, batch), (attempt.entity_id, "entity")
    template_key = templates_key(attempt.entity_id)
    found = store.get_many([plan_key, entity_key, seller_billing_key(attempt.entity_id), template_key])
    options = options_from(found.get(seller_billing_key(attempt.entity_id)))
    entity = entity_from(found[entity_key])
    shared = Batch(
        entity,
        options,
        attempt.as_of,
        records.billed_by(attempt),
        instant_from(attempt.opened_at),
        ExchangeRates(store),
        facts_print(entity),
        choice_from(found.get(template_key)),
    )
    due = records.plan_from(found[plan_key])
    result = _bill(billing, attempt, shared, due)
    set_aside = {aside.account_id for aside in result.set_aside}
    if not attempt.dry_run:
        keep_due(store, attempt.as_of, [account for account in due if account.account_id in set_aside])
    store.put_many([records.result_item(run_id, attempt_number, batch, result)])
    return result


def _bill(billing: Billing, attempt: Attempt, shared: Batch, due: Sequence[DueAccount]) -> BatchResult:
    """Decide and write; an account that changed meanwhile is read and decided again."""
    drafts: list[Drafted] = []
    set_aside: list[SetAside] = []
    earlier: list[tuple[str, str]] = []
    waiting = list(due)
    for _ in range(_MOST_ROUNDS):
        cases = read_cases(billing, shared, waiting)
        decided = _decide_all(billing, attempt, waiting, cases)
        units = [] if attempt.dry_run else [d.unit for d in decided if d.unit]
        if units:  # before what names them, by plain writes at half the price: one that nothing names means nothing
            billing.store.put_many(_body_item(body) for d in decided if d.unit for body in d.bodies)
        conflicts = {conflict.unit for conflict in billing.store.write(units)}
        waiting = [d.account for d in decided if d.unit and d.unit.name in conflicts]
        for d in decided:
            if d.unit is None or d.unit.name not in conflicts:
                drafts += [_drafted_of(body) for body in d.bodies]
                earlier += [(d.account.account_id, invoice_id) for invoice_id in d.before]
                set_aside += [d.set_aside] if d.set_aside else []
        if not waiting:
            break
    set_aside += [_overtaken(account) for account in waiting]
    return BatchResult(tuple(drafts + _frozen_before(billing.store, earlier)), tuple(set_aside))


def _decide_all(
    billing: Billing, attempt: Attempt, due: Sequence[DueAccount], cases: Mapping[str, AccountCase | SetAside]
) -> list[_Decided]:
    """One after the other out of memory; where a tax service is asked, several at once, for each only waits."""
    if billing.tax.parallel == 1:
        return [_decide(billing, attempt, account, cases[account.account_id]) for account in due]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(billing.tax.parallel) as threads:
        return list(threads.map(lambda a: _decide(billing, attempt, a, cases[a.account_id]), due))


def _decide(billing: Billing, attempt: Attempt, account: DueAccount, found: AccountCase | SetAside) -> _Decided:
    if isinstance(found, SetAside):
        return _Decided(account, set_aside=found)
    try:
        billed = bill_account(found.case, billing.tax)
        billed = replace(billed, bodies=tuple(map(named_by_content, billed.bodies)))
        unit = _unit(attempt, found, billed)
    except Refusal as refusal:
        aside = SetAside(account.account_id, refusal.code, str(refusal)[:300])
    except Unavailable as outage:
        aside = SetAside(account.account_id, "unavailable", str(outage)[:300])
    except Exception as error:
        log.exception("billing an account failed", extra={"account_id": account.account_id})
        aside = SetAside(account.account_id, "internal_error", type(error).__name__)
    else:  # trouble of the table is not the account's: the step is repeated
        waits = approvals.decision(billing.store, attempt, found.case.account, billed.bodies)
        if waits is None:
            return _Decided(account, unit if unit.writes else None, billed.bodies, found.before)
        aside = waits
    return _Decided(account, before=found.before, set_aside=aside)


def _unit(attempt: Attempt, found: AccountCase, billed: BilledAccount) -> Unit:
    """All that billing one account moves: subscriptions and items that are thereby done, windows of usage, the wallet.

    That makes drafts of the bodies which these records name and which are there already.
    """
    case = found.case
    _check_size(found, billed)
    unit = Unit(f"bill {case.account.id}")
    invoices = {charge: body.id for body in billed.bodies for charge in body.charges}
    mark = {
        "billed_by": records.billed_by(attempt),
        "invoice_ids": sorted({*found.before, *(body.id for body in billed.bodies)}),
    }
    before = {due.subscription.id: due.subscription for due in case.due}
    for moved in billed.subscriptions:
        if moved != before[moved.id]:
            place = place_after(attempt, before[moved.id], moved)
            move_on(unit, before[moved.id], moved, place=place, **mark)
    for waiting, sold in zip(found.items, case.items, strict=True):
        close_item(unit, waiting, ItemStatus.BILLED, invoice_id=invoices.get(sold.identity, ""), **mark)
    accounts = {account.id: account for account in (case.account, *found.members)}
    for part in billed.minimums:
        write_minimum(unit, part)
    for account_id, windows in windows_of(case, found.usage, invoices).items():
        close_windows(unit, accounts[account_id], found.usage[account_id], windows)
    if not attempt.dry_run:
        approvals.consume(unit, case.account, billed.bodies)
    if billed.wallet != case.wallet:
        write_wallet(unit, case.account.id, case.entity.id, billed.wallet, found.wallet_read, **mark)
    return unit


def _check_size(found: AccountCase, billed: BilledAccount) -> None:
    usage = sum(MOST_WRITES_OF_WINDOWS for u in found.usage.values() if u.cutoffs or u.late)
    writes = len(billed.subscriptions) + len(found.items) + len(billed.minimums) + usage + 1
    if writes > MOST_WRITES:
        message = f"{len(billed.subscriptions)} subscriptions and {len(found.items)} items are more than one unit holds"
        raise Refusal("too_many_charges", f"{message}; let fewer accounts share an invoice")


def _body_item(body: InvoiceBody) -> Item:
    return body_item(body.account_id, body.id, body_to_bytes(body))


def _drafted_of(body: InvoiceBody) -> Drafted:
    return Drafted(body.account_id, body.id, body.currency, body.total_minor, body.payable_minor, body.kind)


def _overtaken(account: DueAccount) -> SetAside:
    reason = "something of this account kept changing while it was billed; it stays due"
    return SetAside(account.account_id, "changed_meanwhile", reason)


def _frozen_before(store: Store, invoices: Iterable[tuple[str, str]]) -> list[Drafted]:
    """Drafts that this attempt froze in an earlier try of the same batch."""
    keys = [body_key(*invoice) for invoice in invoices]
    found: Mapping[Key, Item] = store.get_many(keys, consistent=True) if keys else {}
    missing = [key for key in keys if key not in found]
    if missing:
        raise NotFound(f"a subscription or item names an invoice that does not exist: {missing[0]}")
    return [_drafted_of(body_from_bytes(found[key]["body"])) for key in keys]
