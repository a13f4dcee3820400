"""Something real for every part of a path: one table of what is made, so that a refusal is never for want of a record.

A route with a part of its path that is not here fails the matrix (`test_every_part_of_a_path_has_a_sample`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from zlib import crc32

from saldo.access.model import Grant, Role, User
from saldo.access.model_passkeys import Passkey
from saldo.access.model_proposals import ProposalKind
from saldo.access.model_proposals import Wish as ProposalWish
from saldo.access.model_views import SavedView
from saldo.access.proposals import Proposals
from saldo.access.records_passkeys import passkey_item
from saldo.access.records_views import table_views_item
from saldo.accounts.model_payment_terms import PaymentTerms
from saldo.audit.model import Actor
from saldo.autopay.model import Debit
from saldo.autopay.model import Line as DebitLine
from saldo.autopay.records import debit_id, debit_item
from saldo.catalog.model import Plan, Product
from saldo.catalog.service import Catalog
from saldo.certificates.model import CertificateRequest, RequestState
from saldo.certificates.records import request_item as certificate_item
from saldo.disputes.model import DisputeReason
from saldo.disputes.service import Disputes, Wish
from saldo.documents.model_bundles import Bundle, BundleState
from saldo.documents.records_bundles import bundle_item
from saldo.invoicing.codec import body_to_bytes
from saldo.invoicing.records import InvoiceHeader, body_key, header_item
from saldo.invoicing.run.model import Attempt, RunState, run_id_of
from saldo.invoicing.run.records import attempt_item, listing_item
from saldo.kernel.clock import instant_text
from saldo.kernel.ids import fingerprint
from saldo.kernel.money import Money
from saldo.orders.model_orders import Reference, ReferenceKind
from saldo.orders.service import Orders
from saldo.payments import model as payments
from saldo.payments.model import Allocation, Payment, PaymentStatus
from saldo.payments.model_approvals import Approval, Step
from saldo.payments.model_methods import MethodStatus, StoredMethod
from saldo.payments.records import payment_item
from saldo.payments.records_approvals import approval_item
from saldo.payments.records_methods import method_item
from saldo.payments.scheduled import Scheduled, scheduled_item
from saldo.promises import model as promises
from saldo.promises.model import Covered, Instalment, Promise, PromiseState, StateChange
from saldo.promises.records import promise_item
from saldo.reconciliation.model import Difference
from saldo.reconciliation.records import difference_item
from saldo.storage.clients import client
from saldo.storage.sealing import Sealer
from saldo.storage.store import Store
from saldo.subscriptions.model import Alignment
from saldo.subscriptions.records import subscription_item
from saldo.subscriptions.rules import billed, subscribe
from saldo.support.model import Topic
from saldo.support.service import Question, Support
from saldo.tax.model import OwnRatesVersion
from saldo.tax.records import own_rates_items
from saldo.terms import model as terms
from saldo.terms.model import Asked, TermsRequest, TermsState
from saldo.terms.records import request_item as terms_item
from saldo.uploads.model import FileKind, Name, Upload, UploadKind, UploadState
from saldo.uploads.records import upload_item
from saldo.uploads.rules import clean_key
from tests.contexts.orders.scenes import BUYER, SEATS, line, request
from tests.contexts.sellers import CLERK
from tests.functions.portal import scenes

AT, TODAY = scenes.NOW, scenes.TODAY
# Attested credential data of an authenticator: no model, 2 bytes of id, an ES256 key (WebAuthn Level 3, 6.5.1).
CREDENTIAL = bytes(16) + b"\0\x02id\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20" + bytes(32) + b"\x22\x58\x20" + bytes(32)
BANK = {"bank_name": "Nordbank", "iban": "DE89370400440532013000", "bic": "COBADEFFXXX"}


@dataclass(frozen=True, slots=True)
class Owner:
    """An account whose records are made, with its seller, its organisation, and one of its people."""

    store: Store
    sealer: Sealer
    account_id: str
    entity_id: str
    organisation_id: str
    user_id: str

    @property
    def user(self) -> Actor:
        return Actor(self.user_id, "user")

    def clock(self) -> datetime:
        return AT

    def named(self, prefix: str) -> str:
        """An id of this account's own."""
        return f"{prefix}_{fingerprint(prefix, self.account_id)}"

    def header(self) -> InvoiceHeader:
        header = scenes.header_of(self.account_id, TODAY - timedelta(days=5), 456_700, 14)
        return replace(header, entity_id=self.entity_id, organisation_id=self.organisation_id)

    @property
    def allocations(self) -> tuple[Allocation, ...]:
        header = self.header()
        return (Allocation(header.invoice_id, 1000, header.number),)


def invoice(o: Owner) -> str:
    header = o.header()
    pk, sk = body_key(o.account_id, header.invoice_id)
    body = replace(scenes.body_of(header), entity_id=o.entity_id)
    o.store.put_many([header_item(header), {"pk": pk, "sk": sk, "kind": "body", "body": body_to_bytes(body)}])
    return header.invoice_id


def payment(o: Owner) -> str:
    made = Payment(
        o.account_id, o.named("pay"), o.entity_id, "Europe/Berlin", PaymentStatus.SETTLED, Money(1000, "EUR"),
        o.allocations, "", "simulator", AT, method="Visa …4242", settled_at=AT, settled_minor=1000,
        applied=o.allocations, parts=1, parts_applied=1, receipt_number="R-1",
        history=tuple(payments.StatusChange(AT, s) for s in (PaymentStatus.STARTED, PaymentStatus.SETTLED)),
    )  # fmt: skip
    o.store.put_many([payment_item(made)])
    return made.id


def dispute(o: Owner) -> str:
    wish = Wish(o.account_id, o.header().invoice_id, DisputeReason.PRICE, "agreed otherwise", "form-1", o.user)
    return Disputes(o.store, o.sealer, o.clock).open(wish).id


def ticket(o: Owner) -> str:
    asked = Question(o.named("tkt"), Topic.INVOICE, "A charge", "What is line 3?")
    return Support(o.store, o.sealer, o.clock).ask(o.account_id, asked, o.user).id


def method(o: Owner) -> str:
    facts = (o.account_id, o.named("pm"), o.entity_id, MethodStatus.ACTIVE, o.user_id, AT)
    made = StoredMethod(*facts, shown_as="Visa •••• 4242", token="tok_1", currency="EUR", ref="ref_1")
    o.store.put_many([method_item(made)])
    return made.id


def debit(o: Owner) -> str:
    owed = DebitLine(o.header().invoice_id, o.header().number, 1000)
    days = TODAY, TODAY + timedelta(days=5)
    made = Debit(o.account_id, debit_id(o.account_id, "EUR", *days), o.entity_id, "EUR", *days, (owed,), method="Visa")
    o.store.put_many([debit_item(made)])
    return made.id


def scheduled(o: Owner) -> str:
    facts = (o.account_id, o.named("sched"), o.entity_id, o.allocations, "EUR", 1000, "")
    made = Scheduled(*facts, o.named("pm"), TODAY + timedelta(days=9), o.user_id, AT)
    o.store.put_many([scheduled_item(made)])
    return made.id


def approval(o: Owner) -> str:
    facts = (o.account_id, o.named("appr"), o.user_id, o.allocations, "EUR", 1000, "", "form-2", "c" * 26)
    made = Approval(*facts, AT, AT + timedelta(days=30), (Step(()),))
    o.store.put_many([approval_item(made)])
    return made.id


def subscription(o: Owner) -> str:
    start, version = TODAY.replace(day=1), replace(SEATS, id=version_of(o))
    facts = {"account_id": o.account_id, "entity_id": o.entity_id, "plan_version": version, "started_on": start}
    made = subscribe(o.named("sub"), **facts, alignment=Alignment.CALENDAR, quantities={"unit": Decimal(3)})  # type: ignore[arg-type]
    o.store.put_many([subscription_item(billed(made, version, start))])
    return made.id


def order(o: Owner) -> str:
    version_of(o)
    asked = request(line(), references=(Reference(ReferenceKind.ACCOUNT, o.account_id),), order_on=TODAY)
    asked = replace(asked, purchase_order=o.account_id)
    return Orders(o.store, o.clock).receive(o.entity_id, asked, BUYER).order_id


def version_of(o: Owner) -> str:
    catalog, version = Catalog(o.store, o.clock), replace(SEATS, id=f"plan_seats_{o.entity_id}")
    catalog.offer_product(Product("prod_seats", o.entity_id, {"en": "Seats"}), CLERK)
    catalog.offer_plan(Plan(version.plan_id, "prod_seats", o.entity_id, {"en": "Seats"}), CLERK)
    catalog.publish(o.entity_id, version, CLERK)
    return version.id


def passkey(o: Owner) -> str:
    made = Passkey(
        o.user_id, fingerprint("passkey", o.user_id), o.organisation_id, "Notebook", CREDENTIAL, 0, False, AT
    )
    o.store.put_many([passkey_item(made, o.sealer)])
    return made.id


def proposal(o: Owner) -> str:
    wish = ProposalWish(
        o.entity_id, ProposalKind.BANK_DETAILS, o.entity_id, BANK, "moved",
        frozenset({"finance_approver"}), f"form {o.account_id}",
    )  # fmt: skip
    return Proposals(o.store, o.clock).ask(wish, Actor("staff_eu_somebody", "staff")).id


def run(o: Owner) -> str:
    run_id, at = run_id_of(o.entity_id, TODAY), instant_text(AT)
    made = Attempt(run_id, 1, o.entity_id, TODAY, RunState.CLOSED, "plan-1", 1, False, at, at)
    o.store.put_many([attempt_item(made), listing_item(made)])
    return run_id


def promise(o: Owner) -> str:
    header, at = o.header(), (StateChange(AT, PromiseState.CURRENT),)
    covered = Covered(header.invoice_id, header.number, header.due_on, 1000)
    facts = (o.account_id, o.named("prm"), o.organisation_id, o.entity_id, "EUR", (covered,))
    days = (Instalment(TODAY + timedelta(days=9), 1000),)
    made = Promise(*facts, days, 3, PromiseState.CURRENT, AT, o.user_id, promises.Why.CASH, at)
    o.store.put_many([promise_item(made)])
    return made.id


def terms_request(o: Owner) -> str:
    facts = (o.account_id, o.named("trq"), o.entity_id, "EUR", Asked(PaymentTerms(30), 0), Asked(PaymentTerms(60), 0))
    made = TermsRequest(*facts, terms.Why.GROWTH, TermsState.ASKED, AT, o.user_id)
    o.store.put_many([terms_item(made)])
    return made.id


def upload(o: Owner) -> str:
    """Evidence, a certificate and a paper of the seller's, all by the same id: three kinds of paths name it so."""
    made_id, header = o.named("upl"), o.header()
    for owner, about, kind in (
        (o.account_id, header.invoice_id, UploadKind.EVIDENCE),
        (o.account_id, "certificate", UploadKind.CERTIFICATE),
        (o.entity_id, "paper", UploadKind.PAPER),
    ):
        organisation_id = "" if kind is UploadKind.PAPER else o.organisation_id
        facts = (Name(owner, about, made_id), kind, organisation_id, "A file", UploadState.CLEAN, AT, o.user_id)
        made = Upload(*facts, kind is UploadKind.PAPER, None, FileKind.TEXT, 2, sha256(b"hi").hexdigest())
        o.store.put_many([upload_item(made, o.sealer)])
        client("s3").put_object(Bucket="uploads", Key=clean_key(made), Body=b"hi", ContentType="text/plain")
    lasting = TODAY, TODAY + timedelta(days=365), AT, o.user_id, "RS-1"
    asked = CertificateRequest(
        o.account_id, made_id, o.organisation_id, o.entity_id, frozenset({"US-NY"}), *lasting, RequestState.WAITING
    )
    o.store.put_many([certificate_item(asked, o.sealer)])
    return made_id


def difference(o: Owner) -> str:
    found = Difference(o.entity_id, o.named("dif"), 3, o.account_id, ("receivables of 1 EUR",), AT)
    o.store.put_many([difference_item(found)])
    return found.id


def bundle(o: Owner) -> str:
    facts = (o.account_id, o.named("bun"), o.entity_id, o.user_id, AT, AT + timedelta(days=3))
    made = Bundle(*facts, ((o.header().invoice_id, o.header().number),), BundleState.READY, 1, (), 100)
    o.store.put_many([bundle_item(made)])
    return made.id


def view(o: Owner) -> str:
    made = SavedView(o.named("view"), o.account_id, "Late ones", "status=overdue")
    o.store.put_many([table_views_item(o.user_id, (made,), 1)])
    return made.id


def own_taxes(o: Owner) -> str:
    """One that held before, of another number for each seller."""
    told = OwnRatesVersion(1 + crc32(o.entity_id.encode()) % 900, "EUR", 0, AT, o.user_id, "those of last year")
    o.store.put_many([own_rates_items(o.entity_id, told, "[]")[1]])
    return str(told.version)


def _of(name: str) -> Callable[[Owner], str]:
    return lambda o: str(getattr(o, name))


# Name in a path → what makes one of this owner's and tells its id. Made in this order.
SAMPLES: Mapping[str, Callable[[Owner], str]] = {
    "account_id": _of("account_id"),
    "entity_id": _of("entity_id"),
    "user_id": _of("user_id"),
    "invoice_id": invoice,
    "payment_id": payment,
    "dispute_id": dispute,
    "ticket_id": ticket,
    "method_id": method,
    "debit_id": debit,
    "scheduled_id": scheduled,
    "approval_id": approval,
    "version_id": version_of,
    "subscription_id": subscription,
    "order_id": order,
    "passkey_id": passkey,
    "proposal_id": proposal,
    "run_id": run,
    "promise_id": promise,
    "request_id": terms_request,
    "about": lambda o: o.header().invoice_id,
    "upload_id": upload,
    "bundle_id": bundle,
    "difference_id": difference,
    "view_id": view,
    "version": own_taxes,
    # Not a record: a name and a version of the entity in the path.
    "template": lambda _: "invoice@1",
}
# Parts of paths for anyone: secrets that were mailed, files. They have tests of their own (test_links.py).
SECRETS = frozenset({"token", "name"})

# People besides those of scenes.py: one of another seller's customer, one of the sister account alone.
ABROAD, ABROAD_ORGANISATION = "acct_eu_ausland", "org_eu_ausland"
FOREIGNER = User("", ABROAD_ORGANISATION, "fee@ausland.example", "Fee Land", "en", (Grant(ABROAD, Role.ACCOUNT_ADMIN),))
SISTER = User(
    "", scenes.ORGANISATION, "sina@kontor.example", "Sina Süd", "en", (Grant(scenes.SOUTH, Role.ACCOUNT_ADMIN),)
)
