"""Two customers of one seller, with a year of invoices and payments, as the portal's pages need them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from functions.portal import services
from saldo.access.model import Grant, Role, User
from saldo.access.model_staff import Post, StaffPerson, StaffRole
from saldo.accounts.model import Organisation
from saldo.accounts.service import Accounts
from saldo.catalog.model import Timing
from saldo.invoicing.codec import body_to_bytes
from saldo.invoicing.model import InvoiceBody, InvoiceStatus, Line
from saldo.invoicing.records import InvoiceHeader, StatusChange, body_key, header_item
from saldo.kernel.ids import derived_id
from saldo.kernel.money import Money, Rounding
from saldo.kernel.periods import Period, add_months
from saldo.ledger.model import EntryKind, LedgerAccount, Posting, entry_for
from saldo.ledger.records import post
from saldo.payments import records as payment_records
from saldo.payments import rules as payment_rules
from saldo.payments import rules_entries
from saldo.payments.model import Allocation, Payment, PaymentStatus
from saldo.payments.model import StatusChange as PaymentChange
from saldo.rating.model import Share, Step
from saldo.storage.sealing import Sealer
from saldo.storage.store import Store
from saldo.storage.units import Unit
from saldo.tax.model import TaxRounding, TaxShare, TaxTotal, TaxTreatment
from tests.contexts.sellers import CLERK, ENTITY, account, entity, profile

NORTH, SOUTH, OTHERS = "acct_eu_kontornord", "acct_eu_kontorsued", "acct_eu_fremde"
ORGANISATION, OTHER_ORGANISATION = "org_eu_kontor", "org_eu_fremde"
TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
PASSWORD = "Correct-Horse-7"

PEOPLE = {
    "admin": User(
        "",
        ORGANISATION,
        "rieke@kontor.example",
        "Rieke Harms",
        "en",
        tuple(Grant(a, Role.ACCOUNT_ADMIN) for a in (NORTH, SOUTH)),
    ),
    "payer": User("", ORGANISATION, "paul@kontor.example", "Paul Ode", "de", (Grant(NORTH, Role.PAYER),)),
    "viewer": User("", ORGANISATION, "vera@kontor.example", "Vera Lenz", "en", (Grant(NORTH, Role.VIEWER),)),
    "approver": User("", ORGANISATION, "arne@kontor.example", "Arne Blum", "en", (Grant(NORTH, Role.APPROVER),)),
    "stranger": User(
        "", OTHER_ORGANISATION, "sven@fremde.example", "Sven Holt", "en", (Grant(OTHERS, Role.ACCOUNT_ADMIN),)
    ),
}

R = StaffRole
STAFF = {
    "support": (StaffPerson("susi@rechenwerk.example", "Susi Sand"), (R.SUPPORT,)),
    "collector": (StaffPerson("clara@rechenwerk.example", "Clara Kern"), (R.COLLECTOR,)),
    "analyst": (StaffPerson("ana@rechenwerk.example", "Ana Lotz"), (R.AR_ANALYST,)),
    "approver": (StaffPerson("finn@rechenwerk.example", "Finn Appel"), (R.FINANCE_APPROVER,)),
    "admin": (StaffPerson("ada@rechenwerk.example", "Ada Minz"), (R.ADMINISTRATOR,)),
    "admin2": (StaffPerson("abel@rechenwerk.example", "Abel Minz"), (R.ADMINISTRATOR,)),
    "auditor": (StaffPerson("udo@rechenwerk.example", "Udo Torf"), (R.AUDITOR,)),
}
OTHER_ENTITY = "ent_eu_otherseller"


def posts(*roles: StaffRole, entity_id: str = ENTITY) -> tuple[Post, ...]:
    return tuple(Post(entity_id, role, NOW) for role in roles)


def tell(store: Store, sealer: Sealer) -> None:
    """Put sellers, customers, invoices and payments on record."""
    accounts = Accounts(store, sealer, lambda: NOW)
    accounts.register_entity(services.bank_statements().signed(entity(), None), CLERK)
    accounts.register_entity(entity(OTHER_ENTITY, name="Other seller"), CLERK)
    for organisation, name in ((ORGANISATION, "Kontor"), (OTHER_ORGANISATION, "Fremde")):
        accounts.register_organisation(Organisation(organisation, name, "DE"), CLERK)
    owners = (
        (NORTH, ORGANISATION, "Kontor Nord GmbH"),
        (SOUTH, ORGANISATION, "Kontor Süd GmbH"),
        (OTHERS, OTHER_ORGANISATION, "Fremde AG"),
    )
    for account_id, organisation, name in owners:
        accounts.open_account(account(account_id, organisation_id=organisation, name=name), profile(account_id), CLERK)
    for months_ago in range(13, 0, -1):
        _month(store, NORTH, months_ago)
    invoice(store, NORTH, TODAY - timedelta(days=3), 1284700, 30)
    invoice(store, SOUTH, TODAY - timedelta(days=20), 249900, 14)
    invoice(store, OTHERS, TODAY - timedelta(days=20), 77700, 14)


def _month(store: Store, account_id: str, months_ago: int) -> None:
    """A monthly invoice, paid unless it is one of the last; two of those late, one of them in part."""
    on = add_months(TODAY.replace(day=1), -months_ago)
    header = invoice(store, account_id, on, 119000 + 13370 * (13 - months_ago), 14)
    extra = invoice(store, account_id, on + timedelta(days=9), 23800 + months_ago * 100, 30)
    if months_ago > 3:
        pay(store, header, extra, on + timedelta(days=12))
    elif months_ago == 3:
        pay(store, header, None, on + timedelta(days=12), header.total_minor // 3)


def header_of(account_id: str, on: date, total_minor: int, days: int) -> InvoiceHeader:
    tax_minor = total_minor - total_minor * 100 // 119
    at = datetime.combine(on, time(6), tzinfo=UTC)
    organisation = OTHER_ORGANISATION if account_id == OTHERS else ORGANISATION
    invoice_id = derived_id("inv", on, account_id, str(total_minor))
    return InvoiceHeader(
        account_id, invoice_id, organisation, ENTITY, f"RW-{on:%Y}-{on.timetuple().tm_yday:03}{len(account_id)}",
        InvoiceStatus.ISSUED, "EUR", on, on + timedelta(days=days), total_minor - tax_minor, tax_minor, total_minor,
        total_minor, "run_1", 1, "de", (StatusChange(at, InvoiceStatus.ISSUED),),
    )  # fmt: skip


def invoice(store: Store, account_id: str, on: date, total_minor: int, days: int) -> InvoiceHeader:
    header = header_of(account_id, on, total_minor, days)
    pk, sk = body_key(account_id, header.invoice_id)
    body = body_to_bytes(body_of(header))
    unit = (
        Unit(header.invoice_id).insert(header_item(header)).insert({"pk": pk, "sk": sk, "kind": "body", "body": body})
    )
    legs = (
        Posting(LedgerAccount.RECEIVABLES, total_minor, header.invoice_id, header.due_on),
        Posting(LedgerAccount.REVENUE, -header.net_minor),
        Posting(LedgerAccount.TAX_PAYABLE, -header.tax_minor),
    )
    post(unit, entry_for(EntryKind.INVOICE_ISSUED, booked_on=on, entity_id=ENTITY, account_id=account_id,
                         currency="EUR", source_id=header.invoice_id, postings=legs),
         correlation_id="", numbers={header.invoice_id: header.number})  # fmt: skip
    assert store.write_one(unit) is None
    return header


def body_of(header: InvoiceHeader) -> InvoiceBody:
    """Two lines: a fixed price for part of a month, and usage priced in tiers."""
    vat = TaxShare("DE", "VAT", TaxTreatment.STANDARD, Decimal(19))
    period = Period(header.issued_on.replace(day=1), add_months(header.issued_on.replace(day=1), 1))
    first_minor = header.net_minor // 3
    second_minor = header.net_minor - first_minor
    tier = Decimal(1000)
    rest = (Decimal(second_minor) / 100 - tier * Decimal("0.02")) / Decimal("0.01")
    steps = (
        Step("tier", tier, Decimal("0.02"), tier * Decimal("0.02"), above=Decimal(0), up_to=tier),
        Step("tier", rest, Decimal("0.01"), rest * Decimal("0.01"), above=tier),
    )
    price = Decimal(first_minor) / 100
    shared = {"subscription_id": "sub_1", "plan_version_id": "plan_1", "timing": Timing.ADVANCE, "period": period}
    shared |= {"rounding": Rounding.HALF_UP, "tax_category": "standard", "revenue_tag": "x", "taxes": (vat,)}
    lines = (
        Line(id="1", component_id="base", names={"en": "Platform, team plan", "de": "Plattform, Team"}, unit_names={},
             quantity=Decimal(1), exact=price * 2, share=Share(15, 30), net_minor=first_minor,
             steps=(Step("flat", Decimal(1), price * 2, price * 2),), **shared),
        Line(id="2", component_id="calls", names={"en": "API calls", "de": "API-Aufrufe"},
             unit_names={"en": "calls", "de": "Aufrufe"}, quantity=tier + rest, exact=Decimal(second_minor) / 100,
             share=Share(), net_minor=second_minor, steps=steps, **shared),
    )  # fmt: skip
    total = TaxTotal("DE", "VAT", TaxTreatment.STANDARD, Decimal(19), header.net_minor, header.tax_minor)
    return InvoiceBody(
        header.invoice_id, header.account_id, header.organisation_id, ENTITY, "EUR", header.issued_on, header.due_on,
        "de", 1, ("sub_1@1",), lines, (total,), "table", False, TaxRounding.DOCUMENT, header.net_minor,
        header.tax_minor, header.total_minor,
    )  # fmt: skip


def pay(store: Store, first: InvoiceHeader, second: InvoiceHeader | None, on: date, minor: int = 0) -> None:
    chosen = [(first, minor or first.total_minor)] + ([(second, second.total_minor)] if second else [])
    allocations = tuple(Allocation(h.invoice_id, m, h.number) for h, m in chosen)
    at = datetime.combine(on, time(10), tzinfo=UTC)
    amount = Money(sum(a.minor for a in allocations), "EUR")
    payment = Payment(
        first.account_id, derived_id("pay", on, first.invoice_id), ENTITY, "Europe/Berlin", PaymentStatus.SETTLED,
        amount, allocations, "first part" if minor else "", "simulator", at, method="Visa …4242",
        settled_at=at + timedelta(minutes=2), settled_minor=amount.minor, applied=allocations,
        parts=1, parts_applied=1,
        receipt_number=payment_rules.receipt_number(derived_id("pay", on, first.invoice_id), on),
        history=(
            PaymentChange(at, PaymentStatus.STARTED),
            PaymentChange(at + timedelta(minutes=2), PaymentStatus.SETTLED),
        ),
    )  # fmt: skip
    unit = Unit(payment.id).insert(payment_records.payment_item(payment))
    payables = {
        h.invoice_id: payment_rules.Payable(h.invoice_id, h.number, ENTITY, "EUR", h.due_on, h.open_minor)
        for h, _ in chosen
    }
    post(
        unit,
        rules_entries.settlement_entry(payment),
        rules_entries.application_entry(payment, 0, allocations, payables),
        correlation_id="",
    )
    for header, part in chosen:
        left = header.total_minor - part
        status = InvoiceStatus.PART_PAID if left else InvoiceStatus.PAID
        history = (*header.history, StatusChange(at, status))
        unit.put(header_item(replace(header, open_minor=left, status=status, history=history)))
    assert store.write_one(unit) is None
