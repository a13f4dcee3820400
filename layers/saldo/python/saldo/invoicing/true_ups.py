"""Estimated tax trued up: ask the tax service again, and bear, confirm or correct what it says; once for each invoice.

A correction is a credit note of the whole invoice and a new one (`corrections`), under a request that is named after
the invoice: asked for twice, it is the same. The record of the estimate closes in the same unit, or, after a
correction, as soon as its documents are found again.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from saldo.accounts.records import entity_from
from saldo.audit.model import AuditRecord, job
from saldo.audit.records import audit_item
from saldo.invoicing import records
from saldo.invoicing import records_corrections as corrected
from saldo.invoicing.codec import body_from_bytes
from saldo.invoicing.corrections import Corrections, CreditRequest
from saldo.invoicing.model import InvoiceBody
from saldo.invoicing.records_true_up import PREFIX, WAITING, estimated_agenda, settle_true_up, true_up_key
from saldo.invoicing.rules_corrections import Reason
from saldo.invoicing.rules_credit_notes import whole
from saldo.invoicing.rules_true_up import Outcome, TrueUp, absorbing_entry, question, true_up
from saldo.kernel.clock import Clock
from saldo.kernel.errors import NotFound, Refusal, Unavailable
from saldo.kernel.ids import fingerprint
from saldo.kernel.periods import local_date
from saldo.ledger.records import post
from saldo.storage.items import Key
from saldo.storage.store import Store
from saldo.storage.units import Unit
from saldo.tax.fallback import ServiceTax
from saldo.tax.rules_service import WRONG

log = logging.getLogger(__name__)
JOB = job("tax_true_up")
UNAVAILABLE = "unavailable"
REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class TrueUps:
    """The estimated invoices of one region's sellers."""

    store: Store
    clock: Clock
    tax: ServiceTax

    def due(self, entity_id: str) -> list[Key]:
        """The estimates that wait, oldest first."""
        items = self.store.query_all(estimated_agenda(entity_id), agenda=True)
        return [true_up_key(item["account_id"], item["invoice_id"]) for item in items]

    def run(self, entity_id: str, keys: Iterable[Key] | None = None) -> Counter[str]:
        """True up what waits; how many came out how (`Outcome`, `refused`, `unavailable`).

        When the service is unavailable the rest waits for the next day. Safe to repeat, also at the same time. keys: a
        part of what is `due`; None for all.
        """
        counted: Counter[str] = Counter()
        for account_id, sk in self.due(entity_id) if keys is None else keys:
            if counted[UNAVAILABLE]:
                counted[UNAVAILABLE] += 1
                continue
            counted[self._settle(account_id, sk.removeprefix(PREFIX))] += 1
        return counted

    def _settle(self, account_id: str, invoice_id: str) -> str:
        try:
            return self._settled(account_id, invoice_id)
        except Unavailable as outage:
            log.warning("an estimate waits on", extra={"invoice_id": invoice_id, "why": str(outage)})
            return UNAVAILABLE
        except Refusal as refusal:
            if refusal.code == WRONG:
                log.warning("an estimate waits on", extra={"invoice_id": invoice_id, "why": refusal.code})
                return UNAVAILABLE
            log.error("an estimate needs a person", extra={"invoice_id": invoice_id, "code": refusal.code})
            return REFUSED

    def _settled(self, account_id: str, invoice_id: str) -> str:
        body, notes = self._read(account_id, invoice_id)
        documents: list[str] = []
        request = fingerprint("tax_true_up", invoice_id)
        if notes and not self._is_ours(account_id, request):
            if whole(body, notes):
                raise Refusal("partly_credited", f"{invoice_id} has credit notes of staff; correct the rest by hand")
            return self._close(body, TrueUp(Outcome.CREDITED), [note.id for note in notes])
        answer = self.tax.ask(question(body))
        found = true_up(body, answer)
        if notes or found.outcome is Outcome.CORRECTED:
            asked = CreditRequest(account_id, invoice_id, request, Reason.TAX, JOB)
            pair = Corrections(self.store, self.clock, self.tax).rebill(asked, answer)
            documents = [header.invoice_id for header in pair]
            found = TrueUp(Outcome.CORRECTED, answer.source, pair[1].tax_minor - body.tax_minor)
        return self._close(body, found, documents)

    def _is_ours(self, account_id: str, request: str) -> bool:
        """Whether the correction was made by this job, which did not come to close the record."""
        return self.store.get(*corrected.guard_key(account_id, request)) is not None

    def _read(self, account_id: str, invoice_id: str) -> tuple[InvoiceBody, list[InvoiceBody]]:
        links = self.store.query_all(account_id, prefix=corrected.link_prefix(invoice_id), consistent=True)
        ids = [invoice_id, *(link["note_id"] for link in links)]
        keys: list[Key] = [records.body_key(account_id, i) for i in ids]
        items = self.store.get_many(keys, consistent=True)
        missing = [key for key in keys if key not in items]
        if missing:
            raise NotFound(f"a document is gone: {missing[0]}")
        body, *notes = [body_from_bytes(items[key]["body"]) for key in keys]
        return body, notes

    def _close(self, body: InvoiceBody, found: TrueUp, documents: list[str]) -> str:
        at = self.clock()
        unit = Unit(f"true up {body.id}")
        settle_true_up(unit, body, found, documents)
        entry = absorbing_entry(body, found, self._today(body.entity_id))
        if entry is not None:
            post(unit, entry, correlation_id=JOB.correlation_id)
        after = {"outcome": found.outcome.value, "difference_minor": found.difference_minor}
        unit.put(audit_item(AuditRecord(body.account_id, at, JOB, "tax.trued_up", body.id, after=after)))
        if self.store.write_one(unit) is not None:
            state = self.store.get(*true_up_key(body.account_id, body.id))
            if state is None or state["status"] == WAITING:
                raise Unavailable(f"{body.id} is being changed by others")
            return str(state["status"])  # another run of this job was first
        return found.outcome.value

    def _today(self, entity_id: str) -> date:
        item = self.store.get(entity_id, "entity", consistent=False)
        if item is None:
            raise NotFound(f"no such legal entity: {entity_id}")
        return local_date(self.clock(), entity_from(item).time_zone)
