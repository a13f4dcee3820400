"""What an imported invoice is made of: its customer, its header and frozen body, its entry and guards."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from saldo.accounts.model import Account, Address, BillingProfile, LegalEntity, Organisation, TaxStatus
from saldo.accounts.model_payment_terms import PaymentTerms
from saldo.accounts.reading_payment_terms import STANDARD_DAYS
from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.catalog.model import Timing
from saldo.integration.imports_rows import ImportedInvoice
from saldo.invoicing.codec import body_to_bytes
from saldo.invoicing.finding import imported_number_key
from saldo.invoicing.model import InvoiceBody, InvoiceStatus, Line
from saldo.invoicing.records import InvoiceHeader, StatusChange, body_key, draft_header, header_item
from saldo.invoicing.rules import invoice_id
from saldo.kernel.exact import ONE
from saldo.kernel.exchange import ExchangeRate
from saldo.kernel.ids import fingerprint
from saldo.kernel.periods import Period
from saldo.kernel.regions import region_of
from saldo.kernel.rounding import Rounding
from saldo.ledger.model import Entry, EntryKind, LedgerAccount, Posting, entry_for
from saldo.ledger.records import post
from saldo.rating.model import Share, Step
from saldo.storage.items import Item, Key
from saldo.storage.units import Unit
from saldo.tax.model import TaxRounding

IMPORTED = "imported"
_NAMES = {
    "en": "Invoice {} from the former system",
    "de": "Rechnung {} aus dem Vorsystem",
    "fr": "Facture {} du système précédent",
    "es": "Factura {} del sistema anterior",
}
_LANGUAGES = {"DE": "de", "AT": "de", "FR": "fr", "MC": "fr", "ES": "es", "MX": "es"}


def file_guard_key(entity_id: str, digest: str, preset: str, currency: str) -> Key:
    """One file read in one way; the same bytes read otherwise are another import."""
    return entity_id, f"guard#invoice_file#{fingerprint(digest, preset, currency)}"


def account_id_of(entity_id: str, customer: str) -> str:
    """The account of a customer: itself when it is an account id, else the one that this reference always has."""
    if customer.startswith("acct_"):
        return customer
    return f"acct_{region_of(entity_id)}_{fingerprint(entity_id, customer)}"


def organisation_of(entity_id: str, invoice: ImportedInvoice) -> Organisation:
    """The customer as an organisation, with the id that its reference always has."""
    identity = fingerprint(entity_id, invoice.customer)
    return Organisation(f"org_{region_of(entity_id)}_{identity}", invoice.customer_name, invoice.country)


def account_of(entity: LegalEntity, invoice: ImportedInvoice) -> Account:
    """A customer's account as the other system leaves it: no mail address, so nothing is sent unasked."""
    return Account(
        id=account_id_of(entity.id, invoice.customer),
        organisation_id=organisation_of(entity.id, invoice).id,
        entity_id=entity.id,
        name=invoice.customer_name,
        currency=invoice.amount.currency,
        time_zone=entity.time_zone,
        country=invoice.country,
        tax_region="",
        tax_status=TaxStatus.BUSINESS,
        has_tax_id=False,
        language=_LANGUAGES.get(invoice.country, "en"),
        payment_terms=PaymentTerms(STANDARD_DAYS),
        profile_version=1,
        deliver_by_email=False,
    )


def profile_of(account: Account) -> BillingProfile:
    return BillingProfile(account.id, 1, account.name, "", Address((), "", "", account.country), "", (), "")


def content_of(invoice: ImportedInvoice, account_id: str) -> str:
    """The same for two rows that say the same."""
    settled = (str(invoice.settled or ""), str(invoice.settled_on or ""), str(invoice.disputed))
    dates = (invoice.issued_on.isoformat(), invoice.due_on.isoformat())
    return fingerprint(account_id, invoice.number, *dates, str(invoice.amount), *settled)


def body_of(invoice: ImportedInvoice, account: Account, exchange: ExchangeRate | None = None) -> InvoiceBody:
    """One line over the whole amount; what tax was in it only the other system knows. exchange: of its day, if any."""
    charges = (f"{IMPORTED}:{invoice.number}",)
    issued_on, currency, minor = invoice.issued_on, invoice.amount.currency, invoice.amount.minor
    return InvoiceBody(
        id=invoice_id(issued_on, account.entity_id, account.id, currency, charges),
        account_id=account.id,
        organisation_id=account.organisation_id,
        entity_id=account.entity_id,
        currency=currency,
        issued_on=issued_on,
        due_on=invoice.due_on,
        language=account.language,
        buyer_profile=account.profile_version,
        charges=charges,
        lines=(_line(invoice),),
        tax_totals=(),
        tax_source=IMPORTED,
        tax_estimated=False,
        tax_rounding=TaxRounding.DOCUMENT,
        net_minor=minor,
        tax_minor=0,
        total_minor=minor,
        exchange=exchange,
    )


def _line(invoice: ImportedInvoice) -> Line:
    amount = invoice.amount.as_decimal()
    return Line(
        id="1",
        subscription_id="",
        plan_version_id="",
        component_id=IMPORTED,
        timing=Timing.ARREARS,
        period=Period(invoice.issued_on, invoice.issued_on + timedelta(days=1)),
        names={language: text.format(invoice.number) for language, text in _NAMES.items()},
        unit_names={},
        quantity=ONE,
        exact=amount,
        share=Share(),
        rounding=Rounding.HALF_UP,
        net_minor=invoice.amount.minor,
        steps=(Step("flat", ONE, amount, amount),),
        tax_category=IMPORTED,
        revenue_tag=IMPORTED,
        taxes=(),
    )


def header_of(invoice: ImportedInvoice, body: InvoiceBody) -> InvoiceHeader:
    """Issued, open in full, under the number it has there."""
    issued_at = datetime.combine(invoice.issued_on, time(), tzinfo=UTC)
    history = (StatusChange(issued_at, InvoiceStatus.ISSUED),)
    draft = draft_header(body, run_id="")
    return replace(draft, number=invoice.number, status=InvoiceStatus.ISSUED, history=history)


def entry_of(header: InvoiceHeader) -> Entry:
    """Owed from the day of issue, against the opening balance."""
    return entry_for(
        EntryKind.INVOICE_IMPORTED,
        booked_on=header.issued_on,
        entity_id=header.entity_id,
        account_id=header.account_id,
        currency=header.currency,
        source_id=header.invoice_id,
        postings=(
            Posting(LedgerAccount.RECEIVABLES, header.total_minor, header.invoice_id, header.due_on),
            Posting(LedgerAccount.OPENING_BALANCE, -header.total_minor),
        ),
        exchange=header.booked.rate if header.booked else None,
    )


def import_unit(
    invoice: ImportedInvoice, account: Account, actor: Actor, at: datetime, exchange: ExchangeRate | None
) -> tuple[Unit, InvoiceHeader]:
    """Everything that importing one invoice writes, settlement aside."""
    body = body_of(invoice, account, exchange)
    header = header_of(invoice, body)
    unit = Unit(f"import {invoice.number}")
    pk, sk = imported_number_key(account.entity_id, invoice.number)
    unit.insert(_guard(pk, sk, invoice, header))
    unit.insert(header_item(header))
    pk, sk = body_key(header.account_id, header.invoice_id)
    unit.insert({"pk": pk, "sk": sk, "kind": "body", "body": body_to_bytes(body)})
    numbers = {header.invoice_id: header.number}
    post(unit, entry_of(header), correlation_id=actor.correlation_id, numbers=numbers)
    after = {"number": invoice.number, "total_minor": header.total_minor, "disputed": invoice.disputed}
    record = AuditRecord(account.id, at, actor, "invoice.imported", header.invoice_id, after=after)
    return unit.put(audit_item(record)), header


def _guard(pk: str, sk: str, invoice: ImportedInvoice, header: InvoiceHeader) -> Item:
    return {
        "pk": pk,
        "sk": sk,
        "kind": "guard",
        "account_id": header.account_id,
        "invoice_id": header.invoice_id,
        "content": content_of(invoice, header.account_id),
        "disputed": invoice.disputed,
    }


def settlement_source(invoice: ImportedInvoice, on: date) -> str:
    """What names a settlement of another system for ever: it was one of this invoice on this day."""
    return f"{IMPORTED}:{invoice.number}:{on.isoformat()}"
