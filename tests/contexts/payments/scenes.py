"""A seller, a customer, some invoices and a gateway in memory, as the payments tests need them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import boto3

from saldo.accounts.model import Account, Address, LegalEntity, TaxStatus
from saldo.accounts.model_payment_terms import PaymentTerms
from saldo.accounts.records import account_item, entity_item
from saldo.audit.model import Actor, AuditRecord, job
from saldo.audit.records import audit_item
from saldo.insight.invariants import check_all
from saldo.invoicing.records import InvoiceHeader, InvoiceStatus, StatusChange, header_from, header_item, header_key
from saldo.kernel.errors import Refusal, Unavailable
from saldo.kernel.money import Money
from saldo.ledger import rules as ledger_rules
from saldo.ledger.model import EntryKind, LedgerAccount, Posting, entry_for
from saldo.ledger.records import post
from saldo.ledger.service import entries, stored_balances
from saldo.payments.model import Allocation, GatewayEvent, GatewayPayment, PaidOut, Payment, PaymentStatus, Payout
from saldo.payments.model_methods import MethodReport
from saldo.payments.ports import Checkout, CheckoutRequest, SetupRequest
from saldo.payments.service import Payments
from saldo.storage import schema
from saldo.storage.items import from_attributes
from saldo.storage.store import Store
from saldo.storage.units import Unit
from tests.contexts.conftest import FrozenClock
from tests.founding import lay
from tests.in_process_aws import in_process_aws
from tests.simulation.dynamodb import MemoryDynamoDB

ENTITY = "ent_eu_seller"
ORGANISATION = "org_eu_customer"
ACCOUNT = "acct_eu_customer"
ISSUED_AT = datetime(2026, 10, 1, 6, 0, tzinfo=UTC)
ADA = Actor("user_eu_ada", "user")
RETURN_URL = "http://localhost:8080/payments/{payment_id}"
KEY = "form-key-1"


def header(invoice_id: str, total_minor: int, *, account_id: str = ACCOUNT, currency: str = "EUR") -> InvoiceHeader:
    """An issued invoice of October with 19 % tax inside, due at the end of the month."""
    tax_minor = total_minor - total_minor * 100 // 119
    return InvoiceHeader(
        account_id=account_id,
        invoice_id=invoice_id,
        organisation_id=ORGANISATION,
        entity_id=ENTITY,
        number=f"EU-{invoice_id}",
        status=InvoiceStatus.ISSUED,
        currency=currency,
        issued_on=date(2026, 10, 1),
        due_on=date(2026, 10, 31),
        net_minor=total_minor - tax_minor,
        tax_minor=tax_minor,
        total_minor=total_minor,
        open_minor=total_minor,
        run_id="",
        buyer_profile=1,
        language="en",
        history=(StatusChange(ISSUED_AT, InvoiceStatus.ISSUED),),
    )


class StoresNothing:
    """Of a gateway that takes payments and stores no methods."""

    def create_setup(self, _request: SetupRequest) -> Checkout:
        raise Refusal("gateway_refused", "this gateway stores no methods")

    def find_setup(self, _method_id: str) -> Checkout | None:
        return None

    def look_up_setup(self, _method_id: str) -> MethodReport | None:
        return None

    def forget(self, _method_id: str) -> None:
        """There is nothing to let go of."""


@dataclass
class MemoryGateway(StoresNothing):
    """A gateway without a network. `fault` is called before and after each call, as in tests.crashes."""

    name = "simulator"
    clock: FrozenClock
    checkouts: dict[str, GatewayPayment] = field(default_factory=dict)
    created: list[CheckoutRequest] = field(default_factory=list)
    fault: Any = None
    refuse: bool = False
    lose_answers: int = 0
    silent: bool = False

    def create_checkout(self, request: CheckoutRequest) -> Checkout:
        self._step("create_checkout", "before")
        if self.refuse:
            raise Refusal("gateway_refused", "this currency is not taken")
        self.created.append(request)
        started = PaymentStatus.STARTED
        ref = f"chk_{request.payment_id}"
        self.checkouts.setdefault(
            ref, GatewayPayment(request.payment_id, request.account_id, ref, started, request.amount, self.clock())
        )
        self._step("create_checkout", "after")
        if self.lose_answers:
            self.lose_answers -= 1
            raise Unavailable("the answer got lost")
        return self._checkout(ref)

    def find_checkout(self, payment_id: str) -> Checkout | None:
        self._step("find_checkout", "before")
        ref = f"chk_{payment_id}"
        self._step("find_checkout", "after")
        return self._checkout(ref) if ref in self.checkouts else None

    def look_up(self, ref: str) -> GatewayPayment | None:
        self._step("look_up", "before")
        found = self.checkouts.get(ref)
        self._step("look_up", "after")
        return found

    def _step(self, operation: str, when: str) -> None:
        if self.silent:
            raise Unavailable("the gateway is silent")
        if self.fault:
            self.fault(0, operation, when)

    def _checkout(self, ref: str) -> Checkout:
        return Checkout(ref, f"http://localhost:8090/pay/{ref}")


@dataclass
class Shop:
    """A seller with one customer who owes invoices of 100.00, 50.00 and 20.00 EUR."""

    client: Any
    store: Store
    clock: FrozenClock
    gateway: MemoryGateway
    payments: Payments

    def start(self, *chosen: tuple[str, int], key: str = KEY, reason: str = "") -> Payment:
        return self.payments.start(ACCOUNT, [Allocation(i, m) for i, m in chosen], ADA, key, RETURN_URL, reason)

    def header(self, invoice_id: str) -> InvoiceHeader:
        item = self.store.get(*header_key(ACCOUNT, invoice_id))
        assert item is not None
        return header_from(item)

    def balances(self) -> dict[str, int]:
        return {account.value: minor for (_, account), minor in stored_balances(self.store, ACCOUNT).items()}

    def everything(self) -> list[dict[str, Any]]:
        """All records, in order: two ends of a story are the same when these are."""
        assert_the_books_are_right(self.store)
        items = self.client.scan(TableName=self.store.table)["Items"]
        return sorted((from_attributes(i) for i in items), key=lambda i: (i["pk"], i["sk"]))


OWED = {"inv_1": 10_000, "inv_2": 5_000, "inv_3": 2_000}


@contextmanager
def shop(owed: dict[str, int] | None = None) -> Iterator[Shop]:
    with in_process_aws():
        client = boto3.client("dynamodb", region_name="eu-central-1")
        client.create_table(**schema.records_table("records"))
        yield shop_on(client, OWED if owed is None else owed)


@contextmanager
def shop_in_memory(owed: dict[str, int] | None = None) -> Iterator[Shop]:
    """The same on the in-memory table, for stories with many steps."""
    yield shop_on(MemoryDynamoDB(schema.AGENDA_FIELDS), OWED if owed is None else owed)


def shop_on(client: Any, owed: dict[str, int]) -> Shop:
    store, clock = Store(client, "records"), FrozenClock()
    lay(store, [entity_item(seller()), account_item(customer())], clock())
    for invoice_id, total_minor in owed.items():
        issue(store, header(invoice_id, total_minor))
    gateway = MemoryGateway(clock)
    return Shop(client, store, clock, gateway, Payments(store, gateway, clock))


def issue(store: Store, issued: InvoiceHeader) -> None:
    """Write the header and the entry, as a run does."""
    entry = entry_for(
        EntryKind.INVOICE_ISSUED,
        booked_on=issued.issued_on,
        entity_id=issued.entity_id,
        account_id=issued.account_id,
        currency=issued.currency,
        source_id=issued.invoice_id,
        postings=(
            Posting(LedgerAccount.RECEIVABLES, issued.total_minor, issued.invoice_id, issued.due_on),
            Posting(LedgerAccount.REVENUE, -issued.total_minor),
        ),
    )
    unit = Unit(f"issue {issued.invoice_id}").insert(header_item(issued))
    issued_by = AuditRecord(issued.account_id, ISSUED_AT, job("invoice_run"), "invoice.issued", issued.invoice_id)
    assert store.write_one(post(unit, entry, correlation_id="").put(audit_item(issued_by))) is None


def seller() -> LegalEntity:
    address = Address(("Hauptstraße 1",), "10115", "Berlin", "DE")
    return LegalEntity(
        id=ENTITY,
        name="Saldo Seller GmbH",
        country="DE",
        region="",
        time_zone="Europe/Berlin",
        currency="EUR",
        number_prefix="EU",
        tax_registrations={"DE": "DE123456789"},
        address=address,
        bank_name="Bank",
        iban="DE89370400440532013000",
        bic="COBADEFFXXX",
        email="billing@seller.example",
    )


def customer() -> Account:
    return Account(
        id=ACCOUNT,
        organisation_id=ORGANISATION,
        entity_id=ENTITY,
        name="Main",
        currency="EUR",
        time_zone="Europe/Berlin",
        country="DE",
        tax_region="",
        tax_status=TaxStatus.BUSINESS,
        has_tax_id=True,
        language="en",
        payment_terms=PaymentTerms(30),
        profile_version=1,
        deliver_by_email=True,
    )


def news(
    payment: Payment, status: str, event_id: str, *, minor: int | None = None, at: datetime | None = None
) -> GatewayEvent:
    """An event of the gateway about this payment."""
    happened_at = at or datetime(2026, 11, 1, 9, 5, tzinfo=UTC)
    amount = Money(payment.amount.minor if minor is None else minor, payment.amount.currency)
    code = "card_declined" if status == "failed" else ""
    report = GatewayPayment(
        payment.id,
        payment.account_id,
        payment.gateway_ref,
        PaymentStatus(status),
        amount,
        happened_at,
        code,
        "Visa •••• 4242",
    )
    return GatewayEvent(event_id, happened_at, report)


def payout_of(*payments: Payment, event_id: str = "evt_payout", payout_id: str = "po_1") -> GatewayEvent:
    paid_at = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)
    listed = tuple(PaidOut(p.id, p.account_id, p.amount) for p in payments)
    return GatewayEvent(event_id, paid_at, Payout(payout_id, paid_at, listed))


def assert_the_books_are_right(store: Store) -> None:
    """Entries balance, stored balances are their fold, open balances and unapplied cash agree with the ledger."""
    journal = list(entries(store, ACCOUNT))
    folded = {key: minor for key, minor in ledger_rules.balances(journal).items() if minor}
    assert stored_balances(store, ACCOUNT) == folded
    owed = {item.invoice_id: item.open_minor for item in ledger_rules.open_items(journal)}
    headers = [header_from(item) for item in store.query_all(ACCOUNT, prefix="invoice#", consistent=True)]
    assert {h.invoice_id: h.open_minor for h in headers if h.open_minor} == owed
    assert all(h.open_minor >= 0 for h in headers)
    assert all((h.open_minor == 0) == (h.status is InvoiceStatus.PAID) for h in headers)
    found = Payments(store, MemoryGateway(FrozenClock()), FrozenClock()).of_account(ACCOUNT, 1000)
    assert all(p.unapplied_minor >= 0 for p in found)
    unapplied = -sum(m for (_, account), m in folded.items() if account is LedgerAccount.UNAPPLIED_CASH)
    assert unapplied == sum(p.unapplied_minor for p in found)
    clearing = sum(m for (_, account), m in folded.items() if account is LedgerAccount.GATEWAY_CLEARING)
    waiting = sum(p.settled_minor for p in found if p.paid_out_at is None)
    early = sum(p.amount.minor for p in found if p.paid_out_at is not None and p.settled_at is None)
    assert clearing == waiting - early
    assert check_all(store).violations == []
