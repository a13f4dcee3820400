"""A seller and a customer with one issued invoice, a draft and a settled payment, on an in-process AWS."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import boto3

from functions.delivery.alert_letters import AlertLetters
from functions.delivery.letters import WrittenLetters
from functions.delivery.note_letters import NoteLetters
from functions.delivery.reminder_letters import ReminderLetters
from functions.documents.settled import SettledInStore
from saldo.accounts.service import Accounts
from saldo.catalog.model import Timing
from saldo.collections.service import Reminders
from saldo.delivery.readers import ChoosingReaders
from saldo.documents.service import Documents
from saldo.invoicing.codec import body_to_bytes
from saldo.invoicing.model import InvoiceBody, InvoiceStatus, Line
from saldo.invoicing.records import InvoiceHeader, StatusChange, body_key, header_item
from saldo.kernel.money import Money
from saldo.kernel.periods import Period
from saldo.kernel.rounding import Rounding
from saldo.payments.model import Allocation, Payment, PaymentStatus
from saldo.payments.pay_links import PayLinks
from saldo.payments.records import payment_item
from saldo.rating.model import Share, Step
from saldo.storage.files import Files
from saldo.storage.units import Unit
from saldo.tax.model import TaxRounding, TaxShare, TaxTotal, TaxTreatment
from tests.contexts import sellers
from tests.contexts.conftest import Region

BUCKET = "documents"
INVOICE = "inv_20261101aaaaaaaaaaaaaaaa"
DRAFT = "inv_20261101bbbbbbbbbbbbbbbb"
PAYMENT = "pay_01"
TAX = TaxShare("DE", "VAT", TaxTreatment.STANDARD, Decimal(19))


@dataclass
class Scene:
    region: Region
    accounts: Accounts
    files: Files
    documents: Documents

    @property
    def readers(self) -> ChoosingReaders:
        return ChoosingReaders(self.region.store, self.region.sealer, self.region.clock, "http://localhost:8080")

    @property
    def letters(self) -> WrittenLetters:
        """As delivery has them written."""
        reminders = Reminders(self.region.store, self.region.clock)
        origin, region = "http://localhost:8080", self.region
        notes = NoteLetters(region.store, region.sealer, self.accounts, origin, region.clock)
        pay_links = PayLinks(region.store, region.sealer, region.clock)
        reminding = ReminderLetters(reminders, self.accounts, region.clock, origin, pay_links)
        alerts = AlertLetters(region.store, self.accounts, origin)
        return WrittenLetters(self.documents, reminding, notes, alerts, pay_links, self.accounts, region.clock)


def line() -> Line:
    steps = (Step("flat", Decimal(1), Decimal(0), Decimal(100), flat=Decimal(100)),)
    return Line(
        id="1",
        subscription_id="sub_1",
        plan_version_id="pv_1",
        component_id="base",
        timing=Timing.ARREARS,
        period=Period(date(2026, 10, 1), date(2026, 11, 1)),
        names={"en": "Platform", "de": "Plattform"},
        unit_names={},
        quantity=Decimal(1),
        exact=Decimal(100),
        share=Share(),
        rounding=Rounding.HALF_UP,
        net_minor=10000,
        steps=steps,
        tax_category="standard",
        revenue_tag="platform",
        taxes=(TAX,),
    )


def body(invoice_id: str = INVOICE, language: str = "de") -> InvoiceBody:
    return InvoiceBody(
        id=invoice_id,
        account_id=sellers.ACCOUNT,
        organisation_id=sellers.ORGANISATION,
        entity_id=sellers.ENTITY,
        currency="EUR",
        issued_on=date(2026, 11, 1),
        due_on=date(2026, 11, 15),
        language=language,
        buyer_profile=1,
        charges=("sub_1@2026-11-01",),
        lines=(line(),),
        tax_totals=(TaxTotal("DE", "VAT", TaxTreatment.STANDARD, Decimal(19), 10000, 1900),),
        tax_source="table",
        tax_estimated=False,
        tax_rounding=TaxRounding.DOCUMENT,
        net_minor=10000,
        tax_minor=1900,
        total_minor=11900,
    )


def header(region: Region, invoice_id: str = INVOICE, status: InvoiceStatus = InvoiceStatus.ISSUED) -> InvoiceHeader:
    frozen = body(invoice_id)
    return InvoiceHeader(
        account_id=frozen.account_id,
        invoice_id=invoice_id,
        organisation_id=frozen.organisation_id,
        entity_id=frozen.entity_id,
        number="" if status is InvoiceStatus.DRAFT else "RW-2026-000001",
        status=status,
        currency="EUR",
        issued_on=frozen.issued_on,
        due_on=frozen.due_on,
        net_minor=10000,
        tax_minor=1900,
        total_minor=11900,
        open_minor=11900,
        run_id="run_eu_seller_20261101",
        buyer_profile=1,
        language=frozen.language,
        history=(StatusChange(region.clock(), status),),
    )


def settled_payment(region: Region) -> dict[str, object]:
    """The stored record of a settled payment of the issued invoice."""
    allocation = (Allocation(INVOICE, 11900),)
    payment = Payment(
        account_id=sellers.ACCOUNT,
        id=PAYMENT,
        entity_id=sellers.ENTITY,
        booking_zone="Europe/Berlin",
        status=PaymentStatus.SETTLED,
        amount=Money(11900, "EUR"),
        allocations=allocation,
        reason="",
        gateway="simulator",
        started_at=region.clock(),
        gateway_ref="sim_1",
        method="card",
        settled_at=region.clock(),
        settled_minor=11900,
        applied=allocation,
        parts=1,
        parts_applied=1,
        receipt_number="R-20261101-ABC",
    )
    return payment_item(payment)


def scene(region: Region) -> Scene:
    accounts = sellers.register(region.store, region.sealer, region.clock)
    pk, sk = body_key(sellers.ACCOUNT, INVOICE)
    unit = Unit("invoices").insert(header_item(header(region)))
    unit.insert(header_item(header(region, DRAFT, InvoiceStatus.DRAFT)))
    unit.insert({"pk": pk, "sk": sk, "kind": "body", "body": body_to_bytes(body())})
    unit.insert(settled_payment(region))
    region.store.write_one(unit)
    s3 = boto3.client("s3", region_name="eu-central-1")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    files = Files(s3, BUCKET)
    documents = Documents(region.store, accounts, SettledInStore(region.store), files, "https://portal.example")
    return Scene(region, accounts, files, documents)
