"""Invariants that the records of one owner tell, rule by rule: values in, violations out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import date
from itertools import pairwise

from saldo.accounts.agenda import monthly_place
from saldo.insight.checks_asking import debits_are_made_once, steps_are_noticed_once_and_never_after_payment
from saldo.insight.checks_audit import chains_hold, entries_are_audited, moves_of_payments_are_audited
from saldo.insight.checks_beginnings import what_was_made_is_audited, what_was_set_is_audited
from saldo.insight.checks_disputes import (
    credited_disputes_have_their_credit_notes,
    disputed_cents_are_in_one_dispute,
    disputes_freeze_what_is_open,
)
from saldo.insight.checks_early import discounts_are_what_the_ledger_says
from saldo.insight.checks_exchange import (
    differences_are_what_the_rates_make_of_them,
    what_came_meets_what_it_is_taken_for,
    what_is_open_stands_at_the_rate_of_its_document,
)
from saldo.insight.checks_kept import (
    habits_are_the_fold_of_what_was_paid,
    latest_payments_are_the_latest,
    open_lists_are_the_open_invoices,
    open_sums_are_of_the_open_invoices,
    sums_of_days_are_the_fold,
)
from saldo.insight.checks_payments import (
    clearing_is_what_payments_explain,
    each_settlement_is_booked_once,
    gateway_news_are_not_left_parked,
    payments_cover_their_applications,
)
from saldo.insight.checks_promises import (
    instalments_add_up,
    invoices_name_their_promise,
    nobody_is_asked_for_what_is_promised,
)
from saldo.insight.checks_states import (
    histories_follow_listed_edges,
    invoices_are_open_again_by_money_taken_back,
    records_stay_with_their_owner,
    states_are_listed,
)
from saldo.insight.checks_usage import usage_is_billed_as_it_was_known
from saldo.insight.model import Owner, Violation, entry_or_fault
from saldo.invoicing.frozen import is_named_rightly
from saldo.invoicing.rules_entry import issue_entry
from saldo.invoicing.rules_soundness import problems_of
from saldo.invoicing.rules_tallies import owed_minor
from saldo.invoicing.status import DocumentKind
from saldo.invoicing.tally_records import tally_key
from saldo.invoicing.wallet_records import wallet_from
from saldo.kernel.errors import Refusal
from saldo.kernel.ids import derived_id
from saldo.ledger import records as ledger_records
from saldo.ledger import rules as ledger_rules
from saldo.ledger.model import Entry, EntryKind, LedgerAccount

OwnerRule = Callable[[Owner], Iterator[Violation]]


def _entries_balance(owner: Owner) -> Iterator[Violation]:
    for item in owner.of("entry"):
        entry = entry_or_fault(item)
        if isinstance(entry, Refusal):
            yield Violation(1, owner.id, f"{item['sk']}: {entry}")


def _stored_balance_is_the_fold(owner: Owner) -> Iterator[Violation]:
    if not owner.of("entry") and not owner.of("balance"):
        return
    stored = ledger_records.balances_from(next(iter(owner.of("balance")), None))
    folded = {key: minor for key, minor in ledger_rules.balances(owner.entries).items() if minor}
    for currency, account in sorted(stored.keys() | folded.keys()):
        is_, is_to_be = stored.get((currency, account), 0), folded.get((currency, account), 0)
        if is_ != is_to_be:
            yield Violation(3, owner.id, f"{account} of {is_} {currency} is stored, its entries come to {is_to_be}")
    for balance in owner.of("balance"):
        if ledger_records.entries_counted(balance) != len(owner.of("entry")):
            counted = f"{ledger_records.entries_counted(balance)} entries are counted"
            yield Violation(3, owner.id, f"{counted}, there are {len(owner.of('entry'))}: saldo journal rebuild")


def _bodies_add_up(owner: Owner) -> Iterator[Violation]:
    headers = {item["invoice_id"]: item for item in owner.of("invoice")}
    for body in owner.bodies:
        header = headers.get(body.id)
        for problem in problems_of(body):
            yield Violation(9, owner.id, f"{body.id}: {problem}")
        if not is_named_rightly(body):
            yield Violation(9, owner.id, f"{body.id}: its id is not that of what it says")
        stored = header and (header["net_minor"], header["tax_minor"], header["total_minor"])
        if header and stored != (body.net_minor, body.tax_minor, body.total_minor):
            yield Violation(9, owner.id, f"{body.id}: header and body differ")


def _charges_are_billed_once(owner: Owner) -> Iterator[Violation]:
    """A subscription and boundary, or an item, is on one invoice alone, and what says it was billed names one."""
    billed = Counter(charge for body in owner.bodies for charge in body.charges)
    for charge, times in billed.items():
        if times > 1:
            yield Violation(6, owner.id, f"{charge} is on {times} invoices")
    for item in owner.of("item"):
        if (item["status"] == "waiting") != ("agenda_pk" in item):
            yield Violation(6, owner.id, f"{item['sk']} is {item['status']} and on the agenda otherwise")


def _subscriptions_are_where_runs_look(owner: Owner) -> Iterator[Violation]:
    """One with something left to bill is on the agenda under that day, or in the monthly place of that day."""
    for item in owner.of("subscription"):
        on = item.get("next_bill_on")
        places = {on, monthly_place(date.fromisoformat(on))} if on else {None}
        if item.get("agenda_on") not in places:
            yield Violation(6, owner.id, f"{item['sk']} is due on {on}, and on the agenda at {item.get('agenda_on')}")


def _tallies_are_made_up(owner: Owner) -> Iterator[Violation]:
    """What was asked for besides for a minimum, a maximum or a percent is what it owes once its days are over, and
    nothing before."""
    for tally in owner.tallies:
        if tally.trued_up_minor != owed_minor(tally):
            said = f"{tally_key(tally.key)[1]} owes {owed_minor(tally)}, {tally.trued_up_minor} were asked for"
            yield Violation(6, owner.id, said)


def _wallets_are_what_the_ledger_says(owner: Owner) -> Iterator[Violation]:
    """Credits of a wallet are the journal's, less what drafts have drawn, plus what drafts will give."""
    expected: Counter[str] = Counter()
    for entry in owner.entries:
        for p in entry.postings:
            if p.account in (LedgerAccount.CUSTOMER_CREDIT, LedgerAccount.PREPAID_CREDIT):
                expected[p.tag or ""] -= p.minor
    for body in owner.bodies:
        if body.id in owner.drafts:
            for credit in body.credits:
                expected[credit.credit_id] -= credit.minor
            if body.kind is DocumentKind.CREDIT_NOTE:
                expected[""] -= body.payable_minor
    for item in owner.of("wallet"):
        wallet = wallet_from(item)
        expected[""] -= wallet.credit_note_minor
        for prepaid in wallet.credits:
            expected[prepaid.id] -= prepaid.balance_minor
    for credit_id, minor in expected.items():
        if minor:
            yield Violation(
                3, owner.id, f"credit {credit_id or 'from credit notes'} differs from the journal by {minor}"
            )


def _usage_is_kept_once(owner: Owner) -> Iterator[Violation]:
    """Source and id name one event within a month and its neighbours; months apart an id may come again.

    Where events may be corrected, a month may hold several versions of one, but none of them twice.
    """
    from saldo.usage.records import events_of_chunk, meter_of_chunk

    months: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    versions = set()
    for item in owner.of("usage"):
        meter = meter_of_chunk(item)
        for event in events_of_chunk(item):
            said = (meter, event.source, event.id, event.at, event.value, tuple(sorted(event.properties.items())))
            month = event.at.year * 12 + event.at.month
            found = months[meter, event.source, event.id]
            if not (item.get("corrected") and month in found and said not in versions):
                found.append(month)
            versions.add(said)
    for (meter, source, event_id), found in months.items():
        if len(found) > 1 and any(later - one <= 1 for one, later in pairwise(sorted(found))):
            yield Violation(10, owner.id, f"{meter} holds {source}/{event_id} {len(found)} times")


def _open_balances_are_what_the_ledger_says(owner: Owner) -> Iterator[Violation]:
    owed: Counter[str] = Counter()
    for entry in owner.entries:
        for p in entry.postings:
            if p.account is LedgerAccount.RECEIVABLES and p.invoice_id:
                owed[p.invoice_id] += p.minor
    for item in owner.of("invoice"):
        expected = item["open_minor"] if item["status"] != "draft" else 0
        if owed.pop(item["invoice_id"], 0) != expected:
            yield Violation(14, owner.id, f"{item['invoice_id']}: open balance and ledger differ")
        if item["open_minor"] < 0:
            yield Violation(14, owner.id, f"{item['invoice_id']} is open below zero")
        if (item["open_minor"] > 0 and item["status"] != "draft") != ("agenda_pk" in item):
            yield Violation(14, owner.id, f"{item['invoice_id']} is on the open list and should not be, or not on it")
    for invoice_id in owed:
        yield Violation(14, owner.id, f"the ledger names {invoice_id}, which does not exist")


def _aging_adds_up(owner: Owner) -> Iterator[Violation]:
    entries = owner.entries
    control = {
        currency: minor
        for (currency, account), minor in ledger_rules.balances(entries).items()
        if account is LedgerAccount.RECEIVABLES and minor
    }
    aged: Counter[str] = Counter()
    for item in ledger_rules.open_items(entries):
        aged[item.currency] += item.open_minor
    if control != {currency: minor for currency, minor in aged.items() if minor}:
        yield Violation(18, owner.id, f"aging {dict(aged)}, control account {control}")


def _entries_are_what_they_were(owner: Owner) -> Iterator[Violation]:
    """An entry's id follows from kind and source, its key from its day; that of a document from the frozen body."""
    stored = {(entry.kind, entry.source_id): entry for entry in owner.entries}
    for entry in owner.entries:
        if entry.id != derived_id("je", entry.booked_on, entry.kind, entry.source_id):
            what = f"{entry.booked_on} {entry.kind} {entry.source_id}"
            yield Violation(4, owner.id, f"{entry.id} is not the entry of {what}")
    for body in owner.bodies:
        made = issue_entry(body)
        if made is None or body.id in owner.drafts or (EntryKind.INVOICE_IMPORTED, body.id) in stored:
            continue
        there = stored.get((made.kind, made.source_id))
        if there is None or _earned(there) != _earned(made):
            yield Violation(4, owner.id, f"{body.id} and its entry differ: one of the two was changed")


def _earned(entry: Entry) -> Counter[tuple[str, str | None]]:
    """What a document's entry earns and owes, without who pays for it."""
    legs: Counter[tuple[str, str | None]] = Counter()
    for p in entry.postings:
        if p.account not in (LedgerAccount.RECEIVABLES, LedgerAccount.CUSTOMER_CREDIT):
            legs[p.account, p.tag] += p.minor
    return legs


def _credit_notes_stay_within_their_invoice(owner: Owner) -> Iterator[Violation]:
    totals = {item["invoice_id"]: item["total_minor"] for item in owner.of("invoice")}
    credited: Counter[str] = Counter()
    for item in owner.of("invoice"):
        if item["document"] == "credit_note" and item["status"] != "void" and item.get("of_invoice"):
            credited[item["of_invoice"]] -= item["total_minor"]
    for invoice_id, minor in credited.items():
        if invoice_id in totals and minor > totals[invoice_id]:
            yield Violation(14, owner.id, f"{minor} of {invoice_id} is credited, it came to {totals[invoice_id]}")


def _contracts_name_what_is_there(owner: Owner) -> Iterator[Violation]:
    sold = {item["sk"] for item in owner.of("item")}
    for item in owner.of("contract"):
        for milestone in item["milestones"]:
            if milestone["item_id"] and f"item#{milestone['item_id']}" not in sold:
                yield Violation(6, owner.id, f"{item['sk']} bills {milestone['item_id']}, which does not exist")


def _estimates_are_trued_up_once(owner: Owner) -> Iterator[Violation]:
    """Each issued invoice whose tax is an estimate waits for the service's word, or has it."""
    noted = {item["invoice_id"]: item for item in owner.of("estimated")}
    issued = {item["invoice_id"] for item in owner.of("invoice") if item["status"] not in ("draft", "void")}
    for body in owner.bodies:
        if body.tax_estimated and body.kind is DocumentKind.INVOICE and body.id in issued and body.id not in noted:
            yield Violation(9, owner.id, f"{body.id} has estimated tax and waits for no word on it")
    for item in noted.values():
        if (item["status"] == "waiting") != ("agenda_pk" in item):
            yield Violation(21, owner.id, f"{item['sk']} is {item['status']} and on the agenda otherwise")


OWNER_RULES: tuple[OwnerRule, ...] = (
    _entries_balance,
    _stored_balance_is_the_fold,
    sums_of_days_are_the_fold,
    _bodies_add_up,
    _charges_are_billed_once,
    _subscriptions_are_where_runs_look,
    _tallies_are_made_up,
    _wallets_are_what_the_ledger_says,
    _usage_is_kept_once,
    each_settlement_is_booked_once,
    gateway_news_are_not_left_parked,
    clearing_is_what_payments_explain,
    payments_cover_their_applications,
    _open_balances_are_what_the_ledger_says,
    discounts_are_what_the_ledger_says,
    _aging_adds_up,
    open_sums_are_of_the_open_invoices,
    habits_are_the_fold_of_what_was_paid,
    open_lists_are_the_open_invoices,
    latest_payments_are_the_latest,
    states_are_listed,
    histories_follow_listed_edges,
    invoices_are_open_again_by_money_taken_back,
    records_stay_with_their_owner,
    entries_are_audited,
    moves_of_payments_are_audited,
    what_was_made_is_audited,
    what_was_set_is_audited,
    chains_hold,
    _entries_are_what_they_were,
    _credit_notes_stay_within_their_invoice,
    usage_is_billed_as_it_was_known,
    _contracts_name_what_is_there,
    _estimates_are_trued_up_once,
    steps_are_noticed_once_and_never_after_payment,
    debits_are_made_once,
    disputes_freeze_what_is_open,
    disputed_cents_are_in_one_dispute,
    credited_disputes_have_their_credit_notes,
    what_is_open_stands_at_the_rate_of_its_document,
    differences_are_what_the_rates_make_of_them,
    what_came_meets_what_it_is_taken_for,
    invoices_name_their_promise,
    instalments_add_up,
    nobody_is_asked_for_what_is_promised,
)
