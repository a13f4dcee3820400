"""Use cases of staff: take back an issued invoice in whole or in part, and bill it again with right master data.

A correction is one unit: number, header, frozen body and entry of the credit note (and of the new invoice), the
corrected invoice's open balance, the audit records, and a guard under the request's own id, so that a repeated request
finds what it became. What has been issued is never changed.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from saldo.accounts.model import Account, LegalEntity
from saldo.accounts.records import account_from, entity_from, facts_item, facts_print
from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.invoicing import records
from saldo.invoicing import records_corrections as keys
from saldo.invoicing.codec import body_from_bytes, body_to_bytes
from saldo.invoicing.model import CreditSource, InvoiceBody, Wallet
from saldo.invoicing.records import InvoiceHeader, Numbered
from saldo.invoicing.records_moves import credit_update
from saldo.invoicing.records_numbers import claim, note_numbers, read_series, seller_from, seller_keys
from saldo.invoicing.records_true_up import await_true_up
from saldo.invoicing.rules_corrections import (
    Reason,
    amounts_of_net,
    amounts_of_total,
    rebilled,
    returned_to,
)
from saldo.invoicing.rules_credit_notes import (
    back_entries,
    credit_note,
    discount_back,
    settled_back,
    whole,
    with_discounts,
)
from saldo.invoicing.rules_early import minor_of
from saldo.invoicing.rules_entry import issue_entry
from saldo.invoicing.rules_numbers import Seller, Series, series_type
from saldo.invoicing.rules_taxable import facts_of_buyer, facts_of_seller, taxable_lines
from saldo.invoicing.run.open import earlier_open
from saldo.invoicing.status import SHOWN, DocumentKind
from saldo.invoicing.wallet_records import add_credit_note, version_of, wallet_from, wallet_key, write_wallet
from saldo.kernel.clock import Clock
from saldo.kernel.errors import NotFound, Problems, Refusal, Unavailable
from saldo.kernel.ids import fingerprint
from saldo.kernel.periods import local_date
from saldo.ledger.records import post
from saldo.storage.items import Item, Key
from saldo.storage.store import Store
from saldo.storage.units import Unit
from saldo.tax.model import OwnRates, TaxAnswer
from saldo.tax.ports import TaxPort
from saldo.tax.records import own_rates_from, own_rates_key

_MOST_ATTEMPTS = 60
_MOST_NOTE = 300


@dataclass(frozen=True, slots=True)
class CreditRequest:
    """What to take back of an invoice: `amounts` by line id (minor units, before tax and discounts, which go back with
    their lines where they are not named themselves), or one amount without (`net_minor`) or with its tax
    (`total_minor`), or with none of them all that is left.

    `again`: it is billed again, to the profile of now. `dispute_id`: the dispute that it decides; `disputed_after`:
    what is in dispute on the invoice by others.
    `request`: the caller's own id of this wish, which guards it for ever. `note`: what the customer reads on it.
    """

    account_id: str
    invoice_id: str
    request: str
    reason: Reason
    actor: Actor
    note: str = ""
    amounts: Mapping[str, int] = field(default_factory=dict)
    net_minor: int | None = None
    total_minor: int | None = None
    dispute_id: str = ""
    disputed_after: int | None = None
    again: bool = False

    @property
    def content(self) -> str:
        if self.again:
            return fingerprint("rebill", self.invoice_id)
        amounts = (f"{line}={minor}" for line, minor in sorted(self.amounts.items()))
        return fingerprint("credit", self.invoice_id, str(self.net_minor), str(self.total_minor), *amounts)


@dataclass(frozen=True, slots=True)
class _Corrected:
    """An invoice as it is now, with the credit notes it has and who is on both sides."""

    header: InvoiceHeader
    body: InvoiceBody
    notes: tuple[InvoiceBody, ...]
    account: Account
    entity: LegalEntity
    seller: Seller
    today: date
    wallet: Wallet
    wallet_read: int | None
    own_rates: OwnRates | None


Settles = Callable[[Unit, InvoiceHeader], None]  # what is decided by a credit note, in its unit
_Decide = Callable[[_Corrected], list[InvoiceBody]]


class Corrections:
    """Corrections of one region's invoices."""

    def __init__(self, store: Store, clock: Clock, tax: TaxPort) -> None:
        self._store, self._clock, self._tax = store, clock, tax

    def preview(self, asked: CreditRequest) -> tuple[InvoiceBody, int]:
        """The credit note as it would be issued now, and what earlier ones of this invoice gave (minor units, with
        tax); nothing is written. Refusals as for `credit`."""
        _check(asked)
        found = self._read(asked)
        return self._note(found, asked), -sum(note.total_minor for note in found.notes)

    def preview_rebill(self, asked: CreditRequest) -> tuple[InvoiceBody, InvoiceBody]:
        """Credit note and new invoice as `rebill` would issue them now; nothing is written. Refusals as there."""
        _check_whole(asked)
        note, new = self._both(self._read(asked), asked, None)
        return note, new

    def issued_for(self, asked: CreditRequest) -> InvoiceHeader | None:
        """What a request became (the new invoice, where it was billed again), None when it became nothing yet. Refusal
        `request_reused`."""
        guard = self._store.get(*keys.guard_key(asked.account_id, asked.request))
        return self._became(asked, guard, asked.content)[-1] if guard else None

    def credit(
        self, asked: CreditRequest, consent: Callable[[Unit], None] | None = None, settles: Settles | None = None
    ) -> InvoiceHeader:
        """Issue the credit note and return it; the same request again returns the same one.

        `consent` adds to the unit what must hold besides (a second person's agreement), or refuses; `settles` what the
        note decides (a dispute).

        Refusals: `invalid_correction`, `not_correctable`, `invalid_credit_note`, `more_than_left`, `prepaid_spent`,
        `total_out_of_reach`, `request_reused`, `earlier_run_open`, `numbers_would_go_back`. Raises Unavailable when
        others keep changing the same records; asking again is safe.
        """
        _check(asked)
        return self._until_it_holds(asked, asked.content, lambda found: [self._note(found, asked)], consent, settles)[0]

    def rebill(
        self, asked: CreditRequest, answer: TaxAnswer | None = None, consent: Callable[[Unit], None] | None = None
    ) -> tuple[InvoiceHeader, InvoiceHeader]:
        """Take an invoice back whole and issue it again to the account's billing profile of now: (note, new invoice).

        Amounts stay as they are unless tax differs for the buyer of now, or as `answer` says for the buyer of then.
        What was paid pays for the new one. `consent` as for `credit`. Refusals as there, and `partly_credited`: what is
        left is then credited and billed by hand.
        """
        _check_whole(asked)
        content = replace(asked, again=True).content
        note, new = self._until_it_holds(asked, content, lambda found: self._both(found, asked, answer), consent)
        return note, new

    # -- how ---------------------------------------------------------------------------------------------------

    def _until_it_holds(
        self,
        asked: CreditRequest,
        content: str,
        decide: _Decide,
        consent: Callable[[Unit], None] | None = None,
        settles: Settles | None = None,
    ) -> list[InvoiceHeader]:
        for tried in range(_MOST_ATTEMPTS):
            before = self._store.get(*keys.guard_key(asked.account_id, asked.request))
            if before is not None:
                return self._became(asked, before, content)
            found = self._read(asked)
            bodies = decide(found)
            unit, issued = self._unit(found, asked, content, bodies)
            if consent is not None:
                consent(unit)
            if settles is not None:
                settles(unit, issued[0])
            if self._store.write_one(unit) is None:
                return issued
            time.sleep(random.uniform(0, 0.002 * min(tried, 20)))  # noqa: S311 - jitter, not a secret
        raise Unavailable(f"{asked.invoice_id} or its number series is being changed by others")

    def _became(self, asked: CreditRequest, guard: Item, content: str) -> list[InvoiceHeader]:
        if guard["content"] != content:
            raise Refusal("request_reused", f"request {asked.request} asked for something else before")
        found = [self._store.get(*records.header_key(asked.account_id, d)) for d in guard["documents"]]
        return [records.header_from(item) for item in found if item is not None]

    def _account(self, account_id: str) -> Account:
        item = self._store.get(account_id, "account")
        if item is None:
            raise NotFound("no such account")
        return account_from(item)

    def _read(self, asked: CreditRequest) -> _Corrected:
        account = self._account(asked.account_id)
        links = list(self._store.query_all(account.id, prefix=keys.link_prefix(asked.invoice_id), consistent=True))
        wanted: list[Key] = [records.header_key(account.id, asked.invoice_id)]
        wanted += [records.body_key(account.id, i) for i in (asked.invoice_id, *(link["note_id"] for link in links))]
        purse, taxes = wallet_key(account.id), own_rates_key(account.entity_id)
        items = self._store.get_many([*wanted, purse, taxes, *seller_keys(account.entity_id)], consistent=True)
        header, body = items.get(wanted[0]), items.get(wanted[1])
        if header is None or header["status"] not in SHOWN:
            raise NotFound("no such invoice")
        if body is None or records.header_from(header).document is not DocumentKind.INVOICE:
            raise Refusal("not_correctable", "only an invoice with its lines can be taken back")
        entity = entity_from(items[account.entity_id, "entity"])
        return _Corrected(
            header=records.header_from(header),
            body=body_from_bytes(body["body"]),
            notes=tuple(body_from_bytes(items[key]["body"]) for key in wanted[2:]),
            account=account,
            entity=entity,
            seller=seller_from(items, account.entity_id),
            today=local_date(self._clock(), entity.time_zone),
            wallet=wallet_from(items.get(purse)),
            wallet_read=version_of(items.get(purse)),
            own_rates=own_rates_from(items.get(taxes)),
        )

    def _note(self, found: _Corrected, asked: CreditRequest) -> InvoiceBody:
        amounts: Mapping[str, int] = with_discounts(found.body, asked.amounts, found.notes)
        if asked.net_minor is not None:
            amounts = amounts_of_net(found.body, asked.net_minor, found.notes)
        elif asked.total_minor is not None:
            amounts = amounts_of_total(found.body, asked.total_minor, found.today, found.notes)
        elif not amounts:
            amounts = whole(found.body, found.notes)
        note = credit_note(found.body, found.today, amounts, found.notes, asked.note)
        if note.total_minor > 0 or note.payable_minor > 0:  # less tax that the buyer pays to the state
            raise Refusal("invalid_credit_note", "only discounts are named: a credit note takes something back")
        return settled_back(found.body, note, found.notes, found.header.open_minor)

    def _both(self, found: _Corrected, asked: CreditRequest, answer: TaxAnswer | None) -> list[InvoiceBody]:
        if found.notes:
            raise Refusal("partly_credited", f"{found.header.number} has credit notes already")
        body = found.body
        note = credit_note(body, found.today, whole(body), (), asked.note)
        note = settled_back(body, note, (), found.header.open_minor)
        if answer is None:
            lines = taxable_lines(body.lines, body.issued_on, body.currency)
            seller = facts_of_seller(found.entity)
            seller = replace(seller, rounding=body.tax_rounding, mode=body.tax_mode, own_rates=found.own_rates)
            answer = self._tax.quote(lines, facts_of_buyer(found.account), seller, body.currency)
        credit = max(-note.payable_minor - found.header.open_minor, 0)
        facts, credits = facts_print(found.entity), found.wallet.credits
        return [note, rebilled(body, found.account, found.today, answer, credit, 1, facts, credits)]

    def _wait_for_runs(self, found: _Corrected) -> None:
        """A run of an earlier day that has yet to number its drafts comes first, for dates never fall in a series."""
        earlier = earlier_open(self._store, found.entity.id, found.today)
        if earlier:
            raise Refusal("earlier_run_open", f"{earlier.run_id} is {earlier.state.value}; retry it first")

    def _unit(
        self, found: _Corrected, asked: CreditRequest, content: str, bodies: list[InvoiceBody]
    ) -> tuple[Unit, list[InvoiceHeader]]:
        note, account_id, at = bodies[0], found.account.id, self._clock()
        unit = Unit(f"correction {asked.request}")
        unit.insert(keys.guard_item(account_id, asked.request, content, [body.id for body in bodies]))
        unit.insert(keys.link_item(account_id, found.body.id, len(found.notes) + 1, note.id))
        lowered = min(-note.payable_minor, found.header.open_minor)
        back = discount_back(found.body, note, found.notes, found.header.open_minor, found.header.discounted)
        # An invoice that is billed again keeps its discount: what settled the old one settles the new one.
        returned = back if len(bodies) == 1 else ()
        credit_update(unit, found.header, -note.total_minor, lowered, at, asked.disputed_after, back)
        used = sum(c.minor for body in bodies[1:] for c in body.credits if c.source is CreditSource.CREDIT_NOTE)
        _keep(unit, found, bodies, -note.payable_minor - lowered - used - minor_of(returned))
        if len(bodies) > 1:
            unit.put(facts_item(found.entity))
        issued = []
        for body, numbered in zip(bodies, self._numbers(unit, found, bodies), strict=True):
            draft = records.draft_header(body, f"request_{asked.request}", asked.actor.correlation_id)
            header = records.issued_header(replace(draft, discounted=() if body is note else back), numbered, at)
            unit.insert(records.header_item(header))
            unit.insert(records.body_item(body.account_id, body.id, body_to_bytes(body)))
            unit.put(audit_item(_audit(header, asked, at)))
            await_true_up(unit, body)
            issued.append(header)
        entries = [issue_entry(body, found.header.open_minor, found.header.booked) for body in bodies]
        entries += back_entries(note, returned)
        numbers = {header.invoice_id: header.number for header in issued}
        posted = (entry for entry in entries if entry is not None)
        post(unit, *posted, correlation_id=asked.actor.correlation_id, numbers=numbers)
        return unit, issued

    def _numbers(self, unit: Unit, found: _Corrected, bodies: list[InvoiceBody]) -> list[Numbered]:
        """The next number of each document's series; two of one series follow each other."""
        series = [found.seller.series(series_type(body.kind), found.today, body.account_id) for body in bodies]
        self._wait_for_runs(found)
        counts: dict[Series, int] = {}
        ranks = []
        for one in series:
            ranks.append(counts.get(one, 0))
            counts[one] = ranks[-1] + 1
        states = read_series(self._store, found.entity.id, [one.name for one in counts])
        firsts = dict(zip(counts, claim(unit, found.entity.id, list(counts.items()), found.today, states), strict=True))
        numbers = [firsts[one] + rank for one, rank in zip(series, ranks, strict=True)]
        for body, one, n in zip(bodies, series, numbers, strict=True):
            taken_by = {"account_id": body.account_id, "invoice_id": body.id}
            note_numbers(unit, found.entity.id, one, n, 1, taken_by)
        return [Numbered(one.number(n), one.name, n) for one, n in zip(series, numbers, strict=True)]


def _keep(unit: Unit, found: _Corrected, bodies: list[InvoiceBody], minor: int) -> None:
    """What the account has after these documents: `minor` to its credit, and prepaid credit that returned to it."""
    returned = returned_to(found.wallet.credits, bodies)
    if returned == found.wallet.credits:
        if minor:
            add_credit_note(unit, found.account.id, found.entity.id, minor)
        return
    after = replace(found.wallet, credits=returned, credit_note_minor=found.wallet.credit_note_minor + minor)
    write_wallet(unit, found.account.id, found.entity.id, after, found.wallet_read)


def _audit(header: InvoiceHeader, asked: CreditRequest, at: datetime) -> AuditRecord:
    return AuditRecord(
        header.account_id,
        at,
        asked.actor,
        f"{header.document.value}.issued",
        header.invoice_id,
        after={
            "number": header.number,
            "total_minor": header.total_minor,
            "currency": header.currency,
            "corrects": asked.invoice_id,
        },
        reason=asked.reason.value,
    )


def _check_whole(asked: CreditRequest) -> None:
    if asked.amounts or asked.net_minor is not None or asked.total_minor is not None:
        raise Refusal("invalid_correction", "an invoice is billed again as a whole")
    _check(asked)


def _check(asked: CreditRequest) -> None:
    problems = Problems()
    if not asked.request.isalnum() or len(asked.request) > 64:
        problems.add("request", "invalid_request", "a request's id is 1 to 64 letters and digits")
    ways = [bool(asked.amounts), asked.net_minor is not None, asked.total_minor is not None]
    if sum(ways) > 1:
        problems.add("amounts", "ambiguous", "name lines, or one net amount, or one total")
    if len(asked.note) > _MOST_NOTE:
        problems.add("note", "too_long", f"a note has at most {_MOST_NOTE} characters")
    problems.refuse_if_any("the correction cannot be made", "invalid_correction")
