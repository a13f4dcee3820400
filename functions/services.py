"""Builds the use cases from the deployment's settings, each when first asked for, once per process.

Builders import their rooms when called, so that a function's cold start pays only for what it uses.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from functions import tracing
from saldo.kernel.clock import system_clock
from saldo.storage.clients import client
from saldo.storage.held_secrets import HeldSecret
from saldo.storage.settings import Settings
from saldo.storage.store import Store

if TYPE_CHECKING:
    from functions.canary.walk import Canary
    from saldo.accounts.ports import TaxIdRegister
    from saldo.accounts.service import Accounts
    from saldo.accounts.tax_standing import TaxStanding
    from saldo.audit.anchors import AuditAnchors
    from saldo.audit.chain import AuditChain
    from saldo.autopay.collecting import Collecting
    from saldo.autopay.service import Autopay
    from saldo.collections.service import Reminders
    from saldo.delivery.service import Deliveries
    from saldo.documents.bundles import BundleMaker
    from saldo.documents.previews import TemplatePreviews
    from saldo.documents.service import Documents
    from saldo.insight.parts import BooksLook
    from saldo.integration.eventbridge import Bus
    from saldo.integration.imports import InvoiceImport
    from saldo.invoicing.clocks import Clocks, Doubles
    from saldo.invoicing.forecast import Forecasts
    from saldo.invoicing.open_sums import OpenSums
    from saldo.invoicing.run.bill import Billing
    from saldo.invoicing.run.starter import RunStarter
    from saldo.invoicing.thresholds import Thresholds
    from saldo.invoicing.true_ups import TrueUps
    from saldo.invoicing.viewings import Viewings
    from saldo.ledger.daily_sums import DailySums
    from saldo.notices.latest import LatestNews
    from saldo.orders.order_import import OrderImport
    from saldo.payments.approvals import Approvals
    from saldo.payments.lately import LatestPayments
    from saldo.payments.model import Outcome, Payment
    from saldo.payments.pay_links import PayLinks
    from saldo.payments.service import Payments
    from saldo.promises.keeping import Keeping
    from saldo.reconciliation.service import Differences
    from saldo.renewals.service import Renewals
    from saldo.storage.files import Files
    from saldo.storage.flags import Flags
    from saldo.storage.sealing import Sealer
    from saldo.support.service import Support
    from saldo.tax.ports import TaxPort, TaxService
    from saldo.uploads.service import UploadWork
    from saldo.usage.accept import AcceptUsage
    from saldo.usage.ingest import Ingest
    from saldo.usage.ingest_import import UsageImport
    from saldo.usage.partitions import Partitions
    from saldo.usage.totals import UsageTotals
    from saldo.work.waiting import Waiting

clock = system_clock
# What the function that counts usage in files has (infra/cdk/functions.py): memory for the engine, time for a total.
COUNTING_MB = 4_500
COUNTING_S = 280


@lru_cache(maxsize=1)
def accounts() -> Accounts:
    from saldo.accounts.service import Accounts

    return Accounts(store(), sealer(), clock, tax_id_register())


@lru_cache(maxsize=1)
def approvals() -> Approvals:
    from saldo.payments.approvals import Approvals

    return Approvals(store(), sealer(), clock)


@lru_cache(maxsize=1)
def audit_anchors() -> AuditAnchors:
    from saldo.audit.anchors import AuditAnchors
    from saldo.storage.files import Files

    return AuditAnchors(store(), clock, Files(client("s3"), settings().audit_bucket), settings().region_code)


@lru_cache(maxsize=1)
def books_look() -> BooksLook:
    from saldo.insight.parts import BooksLook

    return BooksLook(store(), work_files())


@lru_cache(maxsize=1)
def work_files() -> Files:
    from saldo.storage.files import Files

    return Files(client("s3"), settings().work_bucket)


@lru_cache(maxsize=1)
def audit_chain() -> AuditChain:
    from saldo.audit.chain import AuditChain

    return AuditChain(store(), clock)


@lru_cache(maxsize=1)
def daily_sums() -> DailySums:
    from saldo.ledger.daily_sums import DailySums

    return DailySums(store())


@lru_cache(maxsize=1)
def open_sums() -> OpenSums:
    from saldo.invoicing.open_sums import OpenSums

    return OpenSums(store(), clock)


@lru_cache(maxsize=1)
def latest_payments() -> LatestPayments:
    from saldo.payments.lately import LatestPayments

    return LatestPayments(store())


@lru_cache(maxsize=1)
def latest_news() -> LatestNews:
    from saldo.notices.latest import LatestNews

    return LatestNews(store(), clock)


@lru_cache(maxsize=1)
def waiting() -> Waiting:
    from saldo.work.waiting import Waiting

    return Waiting(store(), clock)


@lru_cache(maxsize=1)
def differences() -> Differences:
    from saldo.reconciliation.service import Differences

    return Differences(store(), clock)


@lru_cache(maxsize=1)
def viewings() -> Viewings:
    from saldo.invoicing.viewings import Viewings

    return Viewings(store())


def autopay() -> Autopay:
    from saldo.autopay.service import Autopay
    from saldo.autopay.telling import Telling

    return Autopay(store(), clock, payments(), Telling(store(), sealer(), clock))


@lru_cache(maxsize=1)
def collecting() -> Collecting:
    from saldo.autopay.collecting import Collecting
    from saldo.payments.scheduled import ScheduledPayments

    on_day = ScheduledPayments(store(), clock, payments(), autopay().telling.not_started)
    back = f"{settings().origin}/accounts/{{account_id}}/payments/{{payment_id}}"
    return Collecting(autopay(), on_day, back)


def renewals() -> Renewals:
    from saldo.renewals.service import Renewals
    from saldo.renewals.telling import Telling

    return Renewals(store(), clock, Telling(store(), sealer(), clock), billing().plan_versions)


def keeping() -> Keeping:
    from saldo.promises.keeping import Keeping
    from saldo.promises.service import Promises
    from saldo.promises.telling import Telling

    telling = Telling(store(), sealer(), clock)
    return Keeping(Promises(store(), clock, telling, collecting().scheduled))


@lru_cache(maxsize=1)
def billing() -> Billing:
    from saldo.catalog.service import PlanVersions
    from saldo.invoicing.run.bill import Billing

    return Billing(store(), PlanVersions(store()), usage_totals(), tax())


@lru_cache(maxsize=1)
def bus() -> Bus:
    from saldo.integration.eventbridge import Bus

    return Bus(client("events"), settings().bus, trace=tracing.header)


def canary() -> Canary:
    """A fresh visitor each time: signing in is what it is for."""
    from functions.canary.books import Books, Names
    from functions.canary.browser import over_http
    from functions.canary.walk import Canary
    from functions.portal.services import access
    from saldo.catalog.service import PlanVersions
    from saldo.invoicing.run.cases import Billing
    from saldo.tax.table import TableTax, shipped_table

    s = settings()
    own = Billing(store(), PlanVersions(store()), usage_totals(), TableTax(shipped_table()))
    books = Books(store(), accounts(), access(), own, clock)

    def password() -> str:
        return _secret(s.canary_secret_arn).strip()

    return Canary(books, Names(s.region_code), s.origin, password, clock, over_http)


@lru_cache(maxsize=1)
def clocks() -> Clocks:
    from saldo.collections.doubles import DoublesReminders
    from saldo.invoicing.clocks import Clocks
    from saldo.renewals.doubles import DoublesRenewals

    return Clocks(billing(), DoublesReminders(store()), DoublesRenewals(store(), billing().plan_versions))


@lru_cache(maxsize=1)
def deliveries() -> Deliveries:
    from functions.delivery.alert_letters import AlertLetters
    from functions.delivery.letters import WrittenLetters
    from functions.delivery.note_letters import NoteLetters
    from functions.delivery.reminder_letters import ReminderLetters
    from saldo.delivery.readers import ChoosingReaders
    from saldo.delivery.service import Deliveries
    from saldo.delivery.ses import SesMailer, ses_client

    mailer = SesMailer(ses_client(), settings().mail_from)
    notes = NoteLetters(store(), sealer(), accounts(), settings().origin, clock)
    reminding = ReminderLetters(reminders(), accounts(), clock, settings().origin, pay_links())
    alerts = AlertLetters(store(), accounts(), settings().origin)
    letters = WrittenLetters(documents(), reminding, notes, alerts, pay_links(), accounts(), clock)
    readers = ChoosingReaders(store(), sealer(), clock, settings().origin)
    return Deliveries(store(), accounts(), letters, mailer, clock, readers)


@lru_cache(maxsize=1)
def documents() -> Documents:
    from functions.documents.settled import SettledInStore
    from saldo.documents.service import Documents
    from saldo.documents.signing import DocumentSigning
    from saldo.storage.files import Files
    from saldo.storage.signing import KmsSigningKey

    s = settings()
    files = Files(client("s3"), s.documents_bucket)
    signing = DocumentSigning(store(), KmsSigningKey(client("kms"), s.documents_key_id))
    return Documents(store(), accounts(), SettledInStore(store()), files, s.origin, signing)


@lru_cache(maxsize=1)
def bundle_maker() -> BundleMaker:
    from saldo.documents.bundles import BundleMaker
    from saldo.storage.files import Files

    files = Files(client("s3"), settings().documents_bucket)
    return BundleMaker(store(), sealer(), clock, files, documents().invoice_pdf)


@lru_cache(maxsize=1)
def template_previews() -> TemplatePreviews:
    from saldo.documents.previews import TemplatePreviews
    from saldo.storage.files import Files

    return TemplatePreviews(store(), Files(client("s3"), settings().documents_bucket), clock)


@lru_cache(maxsize=1)
def doubles() -> Doubles:
    from saldo.invoicing.clocks import Doubles

    return Doubles(store(), sealer(), clock)


@lru_cache(maxsize=1)
def flags() -> Flags:
    from saldo.storage.flags import Flags, from_appconfig

    s = settings()
    return Flags(s.region_code, from_appconfig(s.flags, "all") if s.flags else None)


@lru_cache(maxsize=1)
def gateway_secret() -> HeldSecret:
    """Each line verifies webhooks; the first is what API calls are shown."""
    return HeldSecret(lambda: _secret(settings().gateway_secret_arn), clock)


@lru_cache(maxsize=1)
def usage_bucket() -> Files:
    from saldo.storage.files import Files

    return Files(client("s3"), settings().usage_bucket)


@lru_cache(maxsize=1)
def imports_bucket() -> Files:
    from saldo.storage.files import Files

    return Files(client("s3"), settings().imports_bucket)


@lru_cache(maxsize=1)
def invoice_import() -> InvoiceImport:
    from saldo.integration.imports import InvoiceImport

    return InvoiceImport(store(), imports_bucket(), accounts(), clock)


@lru_cache(maxsize=1)
def partitions() -> Partitions:
    from saldo.usage.partitions import Partitions
    from saldo.usage.partitions_engine import Engine

    return Partitions(store(), usage_bucket(), Engine(memory_mb=COUNTING_MB))


@lru_cache(maxsize=1)
def order_import() -> OrderImport:
    from saldo.orders.order_import import OrderImport

    return OrderImport(store(), imports_bucket(), clock)


@lru_cache(maxsize=1)
def pay_links() -> PayLinks:
    from saldo.payments.pay_links import PayLinks

    return PayLinks(store(), sealer(), clock)


@lru_cache(maxsize=1)
def payments() -> Payments:
    from saldo.payments.service import Payments
    from saldo.payments.simulator import SimulatedGateway

    return Payments(
        store(), SimulatedGateway(settings().gateway_url, lambda: gateway_secret().first()), clock, _news_told
    )


def _news_told(payment: Payment, outcome: Outcome) -> None:
    """One line ties the gateway's news to the click that began the payment."""
    from functions import tracing
    from functions.observed import logger

    about = payment.correlation_id or payment.id
    tracing.follow(about)
    told = {"correlation_id": about, "payment_id": payment.id, "outcome": outcome.value}
    logger().info("GatewayNews", extra=told)


@lru_cache(maxsize=1)
def reminders() -> Reminders:
    from saldo.collections.service import Reminders

    return Reminders(store(), clock)


@lru_cache(maxsize=1)
def run_starter() -> RunStarter:
    from saldo.invoicing.run.starter import RunStarter

    return RunStarter(client("stepfunctions"), settings().state_machine_arn, clock)


@lru_cache(maxsize=1)
def sealer() -> Sealer:
    from saldo.storage.sealing import KeyRing, Sealer

    s = settings()
    keys = KeyRing(
        client("kms"),
        client("dynamodb"),
        table=s.keys_table,
        kms_key_id=s.kms_key_id,
        region_code=s.region_code,
        clock=clock,
    )
    return Sealer(keys, s.table)


@lru_cache(maxsize=1)
def settings() -> Settings:
    return Settings.from_environment()


@lru_cache(maxsize=1)
def store() -> Store:
    return Store(client("dynamodb"), settings().table)


@lru_cache(maxsize=1)
def forecasts() -> Forecasts:
    from saldo.invoicing.forecast import Forecasts
    from saldo.invoicing.run.cases import Billing

    return Forecasts(Billing.by_table(store()), clock)


@lru_cache(maxsize=1)
def support() -> Support:
    from saldo.support.service import Support

    return Support(store(), sealer(), clock)


@lru_cache(maxsize=1)
def thresholds() -> Thresholds:
    from saldo.invoicing.thresholds import Thresholds

    return Thresholds(store(), forecasts(), clock)


@lru_cache(maxsize=1)
def upload_work() -> UploadWork:
    from saldo.storage.files import Files
    from saldo.uploads.clamd import Clamd
    from saldo.uploads.known_harm import KnownHarm
    from saldo.uploads.service import UploadWork

    address = settings().scanner_address
    scanner = Clamd(address) if address else KnownHarm()
    return UploadWork(store(), clock, Files(client("s3"), settings().uploads_bucket), scanner)


@lru_cache(maxsize=1)
def usage_acceptance() -> AcceptUsage:
    from saldo.usage.accept import AcceptUsage
    from saldo.usage.batch_queue import SqsBatches

    queue = SqsBatches(client("sqs"), settings().usage_queue_url, tracing.sqs_attributes)
    return AcceptUsage(store(), queue, clock)


@lru_cache(maxsize=1)
def usage_ingest() -> Ingest:
    from saldo.usage.ingest import Ingest

    return Ingest(store(), clock)


@lru_cache(maxsize=1)
def tax() -> TaxPort:
    """The tax port: the table, or the seller's tax service with the table for when it does not answer."""
    from functions.observed import count
    from saldo.tax.services import tax_port

    s = settings()
    return tax_port(s.tax_service, s.tax_url, _tax_secret().text, told=lambda: count("TaxEstimated"))


@lru_cache(maxsize=1)
def tax_id_register() -> TaxIdRegister | None:
    from saldo.accounts.vies import Vies
    from saldo.storage.web import WebService

    url = settings().vat_register_url
    return Vies(WebService(url, "VIES")) if url else None


@lru_cache(maxsize=1)
def tax_service() -> TaxService:
    from saldo.tax.services import service_named

    s = settings()
    return service_named(s.tax_service, s.tax_url, _tax_secret().text)


@lru_cache(maxsize=1)
def _tax_secret() -> HeldSecret:
    return HeldSecret(lambda: _secret(settings().tax_secret_arn), clock)


def _secret(arn: str) -> str:
    return str(client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"])


@lru_cache(maxsize=1)
def tax_standing() -> TaxStanding:
    from saldo.accounts.tax_standing import TaxStanding

    return TaxStanding(store(), sealer(), clock, tax_id_register())


@lru_cache(maxsize=1)
def true_ups() -> TrueUps | None:
    """None where no tax service is: then nothing is estimated."""
    from saldo.invoicing.true_ups import TrueUps
    from saldo.tax.fallback import ServiceTax

    asked = tax()
    return TrueUps(store(), clock, asked) if isinstance(asked, ServiceTax) else None


@lru_cache(maxsize=1)
def usage_import() -> UsageImport:
    from saldo.usage.ingest_import import UsageImport
    from saldo.usage.partitions_ingest import UsageIntoFiles

    in_files = UsageIntoFiles(store(), usage_bucket(), clock)
    return UsageImport(store(), imports_bucket(), clock, in_files)


@lru_cache(maxsize=1)
def usage_totals() -> UsageTotals:
    from saldo.usage.partitions_remote import CountedElsewhere
    from saldo.usage.totals import UsageTotals

    function = settings().count_usage_function
    counted = CountedElsewhere(client("lambda", patience_s=COUNTING_S), function, tracing.carried) if function else None
    return UsageTotals(store(), counted)
