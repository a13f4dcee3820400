"""Import invoices that another system issued, with their settlements.

First everything is checked and nothing written: each row by itself, against the others, against what is here. Then
every good row is written, each in units with permanent guards, so a crashed import is repeated from the start and
the same file again changes nothing. With a bad row in the file nothing is written at all, unless told to skip it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, zip_longest

from saldo.accounts.model import Account, LegalEntity
from saldo.accounts.records import account_from
from saldo.accounts.service import Accounts
from saldo.audit.model import Actor
from saldo.exchange.service import ExchangeRates
from saldo.integration import imports_records as records
from saldo.integration.imports_rows import (
    ImportedInvoice,
    Preset,
    invoice_from,
    preset_named,
    read_rows,
)
from saldo.invoicing.finding import imported_number_key
from saldo.invoicing.records import InvoiceHeader, header_from, header_key
from saldo.kernel.clock import Clock, instant_text
from saldo.kernel.errors import Problem, Unavailable
from saldo.kernel.periods import local_date
from saldo.kernel.regions import region_of
from saldo.kernel.rows import RejectedRow, count_codes
from saldo.payments.imports import already_imported, imported_settlement
from saldo.storage.files import Files
from saldo.storage.items import Item, Key
from saldo.storage.store import Store
from saldo.storage.units import Unit


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """A file of a seller's former invoices. `currency` and `country` stand in where its rows name none.

    `skip_bad_rows` writes the good rows of a file that has bad ones; `preview` writes nothing.
    """

    entity_id: str
    key: str
    preset: str = "saldo"
    currency: str = ""
    country: str = ""
    skip_bad_rows: bool = False
    preview: bool = False


@dataclass(slots=True)
class ImportSummary:
    """What became of a file: rows = imported + unchanged + rejected (+ those held back by bad ones).

    committed: False when nothing was written, for a bad row or for a preview; then `imported` counts what would be.
    totals: minor units imported per currency. report_key: one JSON line per rejected row, "" when there is none.
    repeated: these bytes were imported before; the figures are those of that time.
    """

    key: str
    rows: int = 0
    imported: int = 0
    unchanged: int = 0
    settled: int = 0
    rejected: int = 0
    customers: int = 0
    committed: bool = False
    repeated: bool = False
    totals: dict[str, int] = field(default_factory=dict)
    codes: dict[str, int] = field(default_factory=dict)
    report_key: str = ""


@dataclass(slots=True)
class _Plan:
    """What is to be done, decided before anything is written."""

    entity: LegalEntity
    new: list[ImportedInvoice] = field(default_factory=list)
    known: list[ImportedInvoice] = field(default_factory=list)
    rejected: list[RejectedRow] = field(default_factory=list)
    accounts: dict[str, Account] = field(default_factory=dict)
    founders: dict[str, ImportedInvoice] = field(default_factory=dict)

    def reject(self, invoice: ImportedInvoice, problem: Problem) -> None:
        self.rejected.append(RejectedRow(invoice.row, invoice.text, (problem,)))


class InvoiceImport:
    """Imports invoices of other systems into one region."""

    def __init__(self, store: Store, files: Files, accounts: Accounts, clock: Clock) -> None:
        self._store, self._files, self._accounts, self._clock = store, files, accounts, clock

    def run(self, request: ImportRequest, actor: Actor) -> ImportSummary:
        """Import a file, or say everything that is wrong with it.

        Raises NotFound without such a file or seller, Refusal for a file that cannot be read at all, Unavailable
        when the table is too busy; repeating is safe.
        """
        entity = self._accounts.entity(request.entity_id)
        preset = preset_named(request.preset)
        guard = records.file_guard_key(entity.id, self._files.digest(request.key), request.preset, request.currency)
        before = self._store.get(*guard)
        if before is not None:
            return _summary_from(before)
        plan = self._plan(entity, preset, request)
        summary = self._summary(request, plan)
        if plan.rejected:
            summary.report_key = self._files.put_report(request.key, [r.as_dict() for r in plan.rejected])
        if request.preview or (plan.rejected and not request.skip_bad_rows):
            return summary
        self._commit(plan, actor)
        summary.committed = True
        if not plan.rejected:
            self._store.write_one(Unit(f"imported {request.key}").put(self._guard_item(guard, summary)))
        return summary

    # -- deciding ----------------------------------------------------------------------------------------------

    def _plan(self, entity: LegalEntity, preset: Preset, request: ImportRequest) -> _Plan:
        plan = _Plan(entity)
        invoices = self._readable(entity, preset, request, plan)
        plan.accounts = self._known_accounts(entity, invoices)
        guards = self._guards(entity, invoices)
        seen: dict[str, int] = {}
        for invoice in invoices:
            problem = self._problem(invoice, plan, seen)
            guard = guards.get(imported_number_key(entity.id, invoice.number))
            account_id = records.account_id_of(entity.id, invoice.customer)
            if problem is None and guard is not None and guard["content"] != records.content_of(invoice, account_id):
                problem = Problem("number", "number_taken", f"{invoice.number} is here already and says something else")
            seen.setdefault(invoice.number, invoice.row)
            if problem is not None:
                plan.reject(invoice, problem)
                continue
            plan.founders.setdefault(account_id, invoice)
            (plan.known if guard is not None else plan.new).append(invoice)
        plan.rejected.sort(key=lambda r: r.number)
        return plan

    def _readable(
        self, entity: LegalEntity, preset: Preset, request: ImportRequest, plan: _Plan
    ) -> list[ImportedInvoice]:
        today = local_date(self._clock(), entity.time_zone)
        currency, country = request.currency or entity.currency, request.country or entity.country
        found = []
        for row in read_rows(self._files.chunks(request.key), preset):
            invoice = invoice_from(row, preset, currency, country, today)
            if isinstance(invoice, ImportedInvoice):
                found.append(invoice)
            else:
                plan.rejected.append(RejectedRow(row.number, row.text, invoice))
        return found

    def _known_accounts(self, entity: LegalEntity, invoices: Sequence[ImportedInvoice]) -> dict[str, Account]:
        ids = sorted({records.account_id_of(entity.id, i.customer) for i in invoices})
        found = self._store.get_many([(account_id, "account") for account_id in ids], consistent=True)
        return {item["pk"]: account_from(item) for item in found.values()}

    def _guards(self, entity: LegalEntity, invoices: Sequence[ImportedInvoice]) -> dict[Key, Item]:
        keys = [imported_number_key(entity.id, i.number) for i in invoices]
        return self._store.get_many(keys, consistent=True)

    def _problem(self, invoice: ImportedInvoice, plan: _Plan, seen: Mapping[str, int]) -> Problem | None:
        """What is wrong with a row beside its own values."""
        if invoice.number in seen:
            return Problem("number", "repeated_number", f"{invoice.number} is on line {seen[invoice.number]} already")
        account_id = records.account_id_of(plan.entity.id, invoice.customer)
        account, founder = plan.accounts.get(account_id), plan.founders.get(account_id)
        if account is None and account_id == invoice.customer:
            here = account_id.startswith(f"acct_{region_of(plan.entity.id)}_")
            code = "unknown_account" if here else "other_region"
            return Problem("customer", code, f"no account {account_id} of this seller in this region")
        if account is not None and account.entity_id != plan.entity.id:
            return Problem("customer", "unknown_account", f"no account {account_id} of this seller in this region")
        currency = account.currency if account else founder.amount.currency if founder else invoice.amount.currency
        if currency != invoice.amount.currency:
            return Problem("currency", "other_currency", f"{invoice.customer} is billed in {currency}")
        return None

    def _summary(self, request: ImportRequest, plan: _Plan) -> ImportSummary:
        summary = ImportSummary(request.key, rows=len(plan.new) + len(plan.known) + len(plan.rejected))
        summary.imported, summary.unchanged, summary.rejected = len(plan.new), len(plan.known), len(plan.rejected)
        summary.settled = sum(1 for i in plan.new if i.settled)
        summary.customers = len(plan.founders.keys() - plan.accounts.keys())
        for invoice in plan.new:
            code = invoice.amount.currency
            summary.totals[code] = summary.totals.get(code, 0) + invoice.amount.minor
        summary.codes = count_codes(plan.rejected)
        return summary

    # -- writing -----------------------------------------------------------------------------------------------

    def _commit(self, plan: _Plan, actor: Actor) -> None:
        """Write customers, then invoices, then settlements; also those that a crashed import left out."""
        accounts = self._open_accounts(plan, actor)
        invoices = _alternating(plan.entity.id, [*plan.known, *plan.new])
        headers = self._write_invoices(plan, invoices, accounts, actor)
        self._write_settlements(invoices, headers, actor)

    def _open_accounts(self, plan: _Plan, actor: Actor) -> dict[str, Account]:
        accounts = dict(plan.accounts)
        for account_id, founder in plan.founders.items():
            if account_id not in accounts:
                account = records.account_of(plan.entity, founder)
                self._accounts.register_organisation(records.organisation_of(plan.entity.id, founder), actor)
                self._accounts.open_account(account, records.profile_of(account), actor)
                accounts[account_id] = account
        return accounts

    def _write_invoices(
        self, plan: _Plan, invoices: Sequence[ImportedInvoice], accounts: Mapping[str, Account], actor: Actor
    ) -> dict[str, InvoiceHeader]:
        """Every invoice's header as it now is, by number."""
        new, rates = {i.number for i in plan.new}, ExchangeRates(self._store)
        made = {}
        for i in invoices:
            account = accounts[records.account_id_of(plan.entity.id, i.customer)]
            rate = rates.known_rate_for(plan.entity.id, plan.entity.currency, account.currency, i.issued_on)
            made[i.number] = records.import_unit(i, account, actor, self._clock(), rate)
        conflicts = {c.unit for c in self._store.write([unit for number, (unit, _) in made.items() if number in new])}
        headers = {number: header for number, (unit, header) in made.items()}
        there = [n for n, (unit, _) in made.items() if n not in new or unit.name in conflicts]
        items = self._store.get_many(
            [header_key(headers[n].account_id, headers[n].invoice_id) for n in there], consistent=True
        )
        for number in there:
            item = items.get(header_key(headers[number].account_id, headers[number].invoice_id))
            if item is None:
                raise Unavailable(f"{number} was imported by someone else at the same moment; repeat the import")
            headers[number] = header_from(item)
        return headers

    def _write_settlements(
        self, invoices: Iterable[ImportedInvoice], headers: Mapping[str, InvoiceHeader], actor: Actor
    ) -> None:
        rates = ExchangeRates(self._store)
        units = [
            imported_settlement(
                headers[i.number],
                i.settled.minor,
                i.settled_on,
                records.settlement_source(i, i.settled_on),
                actor,
                self._clock(),
                rates,
            )
            for i in invoices
            if i.settled and i.settled_on
        ]
        lost = [c.unit for c in self._store.write(units) if not already_imported(c)]
        if lost:
            raise Unavailable(f"{len(lost)} invoices changed while their settlements were imported; repeat the import")

    def _guard_item(self, key: Key, summary: ImportSummary) -> Item:
        fields = {name: getattr(summary, name) for name in _KEPT}
        return {"pk": key[0], "sk": key[1], "kind": "guard", "imported_at": instant_text(self._clock()), **fields}


_KEPT = [name for name in ImportSummary.__dataclass_fields__ if name != "repeated"]


def _summary_from(guard: Item) -> ImportSummary:
    return ImportSummary(**{name: guard[name] for name in _KEPT}, repeated=True)


def _alternating(entity_id: str, invoices: Sequence[ImportedInvoice]) -> list[ImportedInvoice]:
    """The first invoice of each account, then the second of each: units of one account move one balance, so those
    of different accounts travel best together."""
    queues: dict[str, list[ImportedInvoice]] = defaultdict(list)
    for invoice in sorted(invoices, key=lambda i: (i.issued_on, i.number)):
        queues[records.account_id_of(entity_id, invoice.customer)].append(invoice)
    rounds: Iterator[tuple[ImportedInvoice | None, ...]] = zip_longest(*queues.values())
    return [invoice for invoice in chain.from_iterable(rounds) if invoice is not None]
