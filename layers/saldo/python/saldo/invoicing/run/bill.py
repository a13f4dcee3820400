"""Bill one batch of accounts: read all of them in a few calls, decide, freeze a draft each, set aside what fails."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from saldo.accounts.records import entity_from, facts_print
from saldo.exchange.service import ExchangeRates
from saldo.invoicing import approvals
from saldo.invoicing.codec import body_from_bytes, body_to_bytes
from saldo.invoicing.frozen import named_by_content
from saldo.invoicing.model import InvoiceBody
from saldo.invoicing.records import body_item, body_key
from saldo.invoicing.records_templates import choice_from, templates_key
from saldo.invoicing.rules_accounts import bill_account
from saldo.invoicing.run import records
from saldo.invoicing.run.cases import AccountCase, Batch, Billing, read_cases
from saldo.invoicing.run.due import keep_due
from saldo.invoicing.run.expected import regular_of
from saldo.invoicing.run.in_parts import InParts, bill_in_parts, settle, take_back
from saldo.invoicing.run.model import BEING_BILLED, Attempt, BatchResult, Drafted, DueAccount, SetAside
from saldo.invoicing.run.number import load_attempt
from saldo.invoicing.run.writes import writes_of
from saldo.invoicing.seller_records import options_from, seller_billing_key
from saldo.kernel.clock import instant_from
from saldo.kernel.errors import NotFound, Refusal, Unavailable
from saldo.storage.claims import Claim
from saldo.storage.items import Item, Key
from saldo.storage.store import Store
from saldo.storage.units import Unit
from saldo.tax.records import own_rates_from, own_rates_key

__all__ = ["Billing", "bill_accounts"]

log = logging.getLogger(__name__)

# A customer who changes something while an account is billed costs one more look at it.
_MOST_ROUNDS = 4


@dataclass(frozen=True, slots=True)
class _Decided:
    """What is to be written for one account, as one unit or in parts, and what it makes; or why it is set aside.

    under_way: by what the account was being billed, undecided, when it was read.
    """

    account: DueAccount
    unit: Unit | InParts | None = None
    bodies: tuple[InvoiceBody, ...] = ()
    before: tuple[str, ...] = ()
    set_aside: SetAside | None = None
    under_way: str = ""


def bill_accounts(billing: Billing, run_id: str, attempt_number: int, batch: str) -> BatchResult:
    """Freeze the drafts of each account of the batch that has something to pay.

    Safe to repeat, after a crash at any point: what an account was billed before by this attempt is found on its
    subscriptions and items and counted again.
    """
    store = billing.store
    attempt = load_attempt(store, run_id, attempt_number)
    plan_key, entity_key = records.plan_key(run_id, attempt.plan_id, batch), (attempt.entity_id, "entity")
    template_key, taxes_key = templates_key(attempt.entity_id), own_rates_key(attempt.entity_id)
    aside_key = records.aside_key(run_id, attempt_number, batch)
    known = (entity_key, seller_billing_key(attempt.entity_id), template_key, taxes_key)
    found = store.get_many([plan_key, *known, aside_key])
    options = options_from(found.get(seller_billing_key(attempt.entity_id)))
    entity = entity_from(found[entity_key])
    rates = ExchangeRates(store)
    shared = Batch(
        entity,
        options,
        attempt.as_of,
        records.billed_by(attempt),
        instant_from(attempt.opened_at),
        rates,
        rates,
        facts_print(entity),
        choice_from(found.get(template_key)),
        own_rates=own_rates_from(found.get(taxes_key)),
    )
    due = _planned(store, found[plan_key])
    result = _bill(billing, attempt, shared, due)
    set_aside = {aside.account_id for aside in result.set_aside}
    if not attempt.dry_run:
        keep_due(store, attempt.as_of, [account for account in due if account.account_id in set_aside])
    of_batch = [records.result_item(run_id, attempt_number, batch, result.drafts)]
    if result.set_aside or aside_key in found:  # an earlier try may have set aside whom this one billed
        of_batch.append(records.aside_item(run_id, attempt_number, batch, result.set_aside))
    store.put_many(of_batch)
    return result


def _planned(store: Store, plan: Item) -> list[DueAccount]:
    keys = records.more_of_plan(plan)
    more = store.get_many(keys)
    return records.plan_from([plan, *(more[key] for key in keys)])


def _bill(billing: Billing, attempt: Attempt, shared: Batch, due: Sequence[DueAccount]) -> BatchResult:
    """Decide and write; an account that changed meanwhile is read and decided again."""
    drafts: list[Drafted] = []
    set_aside: list[SetAside] = []
    earlier: list[tuple[str, str]] = []
    waiting = list(due)
    for _ in range(_MOST_ROUNDS):
        decided = _decide_all(billing, attempt, shared, waiting)
        again = set() if attempt.dry_run else _write(billing.store, decided)
        for d in decided:
            if d.account not in again:
                drafts += [_drafted_of(body) for body in d.bodies]
                earlier += [(d.account.account_id, invoice_id) for invoice_id in d.before]
                set_aside += [d.set_aside] if d.set_aside else []
        waiting = [d.account for d in decided if d.account in again]
        if not waiting:
            break
    set_aside += [_overtaken(account) for account in waiting]
    return BatchResult(tuple(drafts + _frozen_before(billing.store, earlier)), tuple(set_aside))


def _write(store: Store, decided: Sequence[_Decided]) -> set[DueAccount]:
    """Write what was decided; the accounts of which something changed meanwhile."""
    for d in decided:
        if d.under_way and not (isinstance(d.unit, InParts) and d.unit.claim.text == d.under_way):
            take_back(store, Claim.from_text(d.under_way))
    if any(d.unit for d in decided):
        # before what names them, by plain writes at half the price: one that nothing names means nothing
        store.put_many(_body_item(body) for d in decided if d.unit for body in d.bodies)
    whole = [d.unit for d in decided if isinstance(d.unit, Unit)]
    conflicts = {conflict.unit for conflict in store.write(whole)}
    return {d.account for d in decided if d.unit and not _holds(store, d.unit, conflicts)}


def _holds(store: Store, unit: Unit | InParts, conflicts: Collection[str]) -> bool:
    return unit.name not in conflicts if isinstance(unit, Unit) else bill_in_parts(store, unit)


def _decide_all(billing: Billing, attempt: Attempt, shared: Batch, due: Sequence[DueAccount]) -> list[_Decided]:
    """One after the other out of memory; where a tax service is asked, several at once, for each only waits."""
    cases, under_way = _read(billing, attempt, shared, due)

    def decide(account: DueAccount) -> _Decided:
        known = under_way.get(account.account_id, "")
        return replace(_decide(billing, attempt, account, cases[account.account_id], known), under_way=known)

    if billing.tax.parallel == 1:
        return list(map(decide, due))
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(billing.tax.parallel) as threads:
        return list(threads.map(decide, due))


def _read(
    billing: Billing, attempt: Attempt, shared: Batch, due: Sequence[DueAccount]
) -> tuple[dict[str, AccountCase | SetAside], dict[str, str]]:
    """The cases, once what others began with these accounts in parts is finished; and by account what is undecided."""
    cases = read_cases(billing, shared, due)
    if attempt.dry_run:
        return cases, {}
    held = [one for one in due if isinstance(c := cases[one.account_id], SetAside) and c.code == BEING_BILLED]
    if not held:
        return cases, {}
    under_way = {one.account_id: settle(billing.store, one) for one in held}
    return cases | read_cases(billing, shared, held, under_way=under_way), under_way


def _decide(
    billing: Billing, attempt: Attempt, account: DueAccount, found: AccountCase | SetAside, under_way: str
) -> _Decided:
    if isinstance(found, SetAside):
        return _Decided(account, set_aside=found)
    try:
        billed = bill_account(found.case, billing.tax)
        billed = replace(billed, bodies=tuple(map(named_by_content, billed.bodies)))
        unit = writes_of(attempt, found, billed, under_way)
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
            return _Decided(account, unit, billed.bodies, found.before)
        aside = waits
    return _Decided(account, before=found.before, set_aside=aside)


def _body_item(body: InvoiceBody) -> Item:
    return body_item(body.account_id, body.id, body_to_bytes(body))


def _drafted_of(body: InvoiceBody) -> Drafted:
    amounts = body.total_minor, body.payable_minor
    return Drafted(body.account_id, body.id, body.currency, *amounts, body.kind, regular_of(body))


def _overtaken(account: DueAccount) -> SetAside:
    reason = "something of this account kept changing while it was billed; it stays due"
    return SetAside(account.account_id, "changed_meanwhile", reason)


def _frozen_before(store: Store, invoices: Iterable[tuple[str, str]]) -> list[Drafted]:
    """Drafts that this attempt froze in an earlier try of the same batch."""
    keys = [body_key(*invoice) for invoice in invoices]
    found: Mapping[Key, Item] = store.get_many(keys, consistent=True)
    missing = [key for key in keys if key not in found]
    if missing:
        raise NotFound(f"a subscription or item names an invoice that does not exist: {missing[0]}")
    return [_drafted_of(body_from_bytes(found[key]["body"])) for key in keys]
