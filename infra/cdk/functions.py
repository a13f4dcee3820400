"""Every function Saldo deploys: its handler, size, layers and what it may touch. The one list of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

# So many MB bring a whole core: Lambda gives CPU with memory. And the longest that a function may take, in seconds:
# any, and one that works a batch of a run, whose child AWS ends after five minutes (invoice_run.py).
A_CORE, LONGEST_S, LONGEST_BATCH_S = 1769, 900, 285


class Grant(Enum):
    """What a function may do. Each becomes one named policy statement (grants.py)."""

    RECORDS = auto()  # read and write the records, never a Scan, delete none
    RECORDS_DELETE = auto()
    RECORDS_OF_SELLERS = auto()  # of sellers, their customers and the keys of their systems: no person's
    RECORDS_OF_CUSTOMERS = auto()  # under a role that is narrowed to one customer each time
    RECORDS_READ = auto()
    RECORDS_SCAN = auto()
    RECORDS_WRITE = auto()
    KEYS = auto()  # make and read wrapped data keys, and unwrap them
    KEYS_READ = auto()
    DOCUMENTS = auto()
    DOCUMENTS_READ = auto()
    IMPORTS = auto()
    USAGE_FILES = auto()  # add parts of usage; read none
    USAGE_FILES_READ = auto()
    COUNT_USAGE = auto()
    UPLOADS_PAGES = auto()  # lay files where they wait, hand out those that were looked at
    UPLOADS = auto()  # look at what waits and take it away, write what is clean
    UPLOADS_END = auto()  # delete what was clean
    AUDIT = auto()  # write a day's root once, and read those before
    LOOKS = auto()  # what the parts of a look found
    BATCHES = auto()  # name a run's batches for its workflow
    ACKNOWLEDGE = auto()  # lay an EDI acknowledgement beside an import
    SIGN_IN = auto()
    SIGN_DOCUMENTS = auto()
    SIGN_DETAILS = auto()  # sign what a seller says of its bank account
    QUEUE_GATEWAY_EVENTS = auto()
    QUEUE_USAGE = auto()
    GATEWAY_SECRET = auto()
    RENDER = auto()
    PUBLISH = auto()
    MAIL = auto()
    START_RUNS = auto()
    CANARY_SECRET = auto()
    TAX_SECRET = auto()  # nothing where no tax service is named


@dataclass(frozen=True, slots=True)
class FunctionSpec:
    """`memory` and `disk` in MB, `timeout_s` in seconds. `layers`: those it carries besides what all carry.

    `failures`: the metric under which the function counts its own failures, when it is not `<Name>Failed`;
    `service`: the dimension of its metrics.
    """

    name: str
    handler: str
    memory: int
    timeout_s: int
    grants: tuple[Grant, ...]
    layers: tuple[str, ...] = ()
    disk: int = 512
    failures: str = ""
    service: str = "saldo"

    @property
    def camel(self) -> str:
        return self.name.title().replace("_", "")

    @property
    def failed_metric(self) -> str:
        return self.failures or f"{self.camel}Failed"

    @property
    def done_metric(self) -> str:
        """Which the function counts beside its failures (functions/observed.py)."""
        return f"{self.failed_metric.removesuffix('Failed')}Done"


def _step(
    name: str, memory: int = 512, timeout_s: int = 60, grants: tuple[Grant, ...] = (Grant.RECORDS,)
) -> FunctionSpec:
    return FunctionSpec(name, f"functions.invoice_run.{name}.handler", memory, timeout_s, grants)


def _whole_run(name: str, *grants: Grant) -> FunctionSpec:
    """A step that goes through all of a run, one call after the other: a whole core, and all the time there is. That
    comes to a tenth of a cent for 100,000 invoices (docs/scaling.md)."""
    return _step(name, A_CORE, LONGEST_S, grants)


PORTAL = FunctionSpec(
    "portal",
    "app.app",
    1024,
    29,
    (
        Grant.RECORDS,
        Grant.RECORDS_DELETE,
        Grant.RECORDS_OF_CUSTOMERS,
        Grant.KEYS,
        Grant.DOCUMENTS_READ,
        Grant.UPLOADS_PAGES,
        Grant.SIGN_IN,
        Grant.SIGN_DETAILS,
        Grant.QUEUE_GATEWAY_EVENTS,
        Grant.GATEWAY_SECRET,
        Grant.RENDER,
        Grant.START_RUNS,
    ),
    failures="PortalErrors",
    service="portal",
)

# CPU grows with memory, and a quote is nothing but arithmetic.
API = FunctionSpec(
    "api_v1",
    "functions.api.v1.app.app",
    A_CORE,
    29,
    (Grant.RECORDS_OF_SELLERS, Grant.RECORDS_OF_CUSTOMERS, Grant.QUEUE_USAGE),
    failures="ApiErrors",
    service="api",
)

OPEN_RUN = _whole_run("open_run", Grant.RECORDS, Grant.BATCHES)
BILL_ACCOUNTS = _step(
    "bill_accounts",
    memory=A_CORE,
    timeout_s=LONGEST_BATCH_S,
    grants=(Grant.RECORDS, Grant.RECORDS_DELETE, Grant.COUNT_USAGE, Grant.TAX_SECRET),
)
NUMBER_INVOICES = _whole_run("number_invoices", Grant.RECORDS, Grant.BATCHES)
ISSUE_INVOICES = _step("issue_invoices", memory=1024, timeout_s=120)
RECONCILE_RUN = _whole_run("reconcile_run", Grant.RECORDS_READ)
CLOSE_RUN = _whole_run("close_run", Grant.RECORDS)
FAIL_RUN = _step("fail_run")
RUN_STEPS = (OPEN_RUN, BILL_ACCOUNTS, NUMBER_INVOICES, ISSUE_INVOICES, RECONCILE_RUN, CLOSE_RUN, FAIL_RUN)

WATCH_RUNS = FunctionSpec(
    "watch_runs",
    "functions.operations.watch_runs.handler",
    512,
    120,
    (Grant.RECORDS, Grant.START_RUNS),
)
CHECK_INVARIANTS = FunctionSpec(
    "check_invariants",
    "functions.operations.check_invariants.handler",
    A_CORE,
    LONGEST_S,
    (Grant.RECORDS_SCAN, Grant.RECORDS_WRITE, Grant.LOOKS),
)

CANARY = FunctionSpec(
    "canary",
    "functions.operations.canary.handler",
    1024,
    120,
    (Grant.RECORDS, Grant.KEYS, Grant.SIGN_IN, Grant.CANARY_SECRET),
)

CREATE_DOUBLE = FunctionSpec(
    "create_double",
    "functions.operations.create_double.handler",
    512,
    60,
    (Grant.RECORDS, Grant.KEYS),
)
ADVANCE_CLOCK = FunctionSpec(
    "advance_clock",
    "functions.operations.advance_clock.handler",
    A_CORE,
    300,
    (Grant.RECORDS, Grant.RECORDS_DELETE),
)

DOCUMENTS = FunctionSpec(
    "documents",
    "functions.documents.render.handler",
    A_CORE,
    60,
    (Grant.RECORDS_READ, Grant.KEYS_READ, Grant.DOCUMENTS, Grant.SIGN_DOCUMENTS),
    layers=("documents",),
    failures="RenderDocumentFailed",
)
MAKE_BUNDLES = FunctionSpec(
    "make_bundles",
    "functions.documents.make_bundles.handler",
    A_CORE,
    LONGEST_S,
    (Grant.RECORDS, Grant.KEYS_READ, Grant.DOCUMENTS, Grant.SIGN_DOCUMENTS),
    layers=("documents",),
    disk=2048,
)
DELIVERY = FunctionSpec(
    "delivery",
    "functions.delivery.deliver.handler",
    A_CORE,
    120,
    (Grant.RECORDS, Grant.KEYS_READ, Grant.DOCUMENTS, Grant.SIGN_DOCUMENTS, Grant.MAIL),
    layers=("documents",),
    failures="DeliverDocumentFailed",
)
GATEWAY_EVENTS = FunctionSpec(
    "gateway_events",
    "functions.payments.gateway_events.handler",
    512,
    60,
    (Grant.RECORDS, Grant.GATEWAY_SECRET),
)
SWEEP_EVERY_MINUTES = 5
SWEEP_PAYMENTS = FunctionSpec(
    "sweep_payments",
    "functions.payments.sweep.handler",
    512,
    300,
    (Grant.RECORDS, Grant.RECORDS_DELETE, Grant.GATEWAY_SECRET),
)
COLLECT_PAYMENTS = FunctionSpec(
    "collect_payments",
    "functions.payments.collect.handler",
    512,
    LONGEST_S,
    (Grant.RECORDS, Grant.KEYS_READ, Grant.GATEWAY_SECRET),
)
PUBLISH_EVENTS = FunctionSpec(
    "publish_events",
    "functions.events.publish.handler",
    512,
    60,
    (Grant.PUBLISH,),
)
LINK_AUDIT = FunctionSpec(
    "link_audit",
    "functions.audit.link.handler",
    512,
    60,
    (Grant.RECORDS,),
)
ANCHOR_AUDIT = FunctionSpec(
    "anchor_audit",
    "functions.audit.anchor.handler",
    A_CORE,
    LONGEST_S,
    (Grant.RECORDS_SCAN, Grant.RECORDS_WRITE, Grant.AUDIT),
)
IMPORT_USAGE = FunctionSpec(
    "import_usage",
    "functions.usage.import_usage.handler",
    A_CORE,
    LONGEST_S,
    (Grant.IMPORTS, Grant.RECORDS, Grant.RECORDS_DELETE, Grant.USAGE_FILES),
    layers=("usage",),
    disk=2048,
)
COUNT_USAGE = FunctionSpec(
    "count_usage",
    "functions.usage.count_usage.handler",
    7076,
    600,
    (Grant.RECORDS_READ, Grant.USAGE_FILES_READ),
    layers=("usage",),
    disk=10_240,
)
ACCEPT_USAGE = FunctionSpec(
    "accept_usage",
    "functions.usage.accept.handler",
    512,
    29,
    (Grant.RECORDS, Grant.QUEUE_USAGE),
)
INGEST_USAGE = FunctionSpec(
    "ingest_usage",
    "functions.usage.ingest.handler",
    A_CORE,
    300,
    (Grant.RECORDS,),
)
IMPORT_INVOICES = FunctionSpec(
    "import_invoices",
    "functions.integration.import_invoices.handler",
    A_CORE,
    LONGEST_S,
    (Grant.IMPORTS, Grant.RECORDS, Grant.KEYS),
)
IMPORT_ORDERS = FunctionSpec(
    "import_orders",
    "functions.orders.import_orders.handler",
    A_CORE,
    LONGEST_S,
    (Grant.IMPORTS, Grant.ACKNOWLEDGE, Grant.RECORDS, Grant.RECORDS_DELETE),
)
EXAMINE_UPLOADS = FunctionSpec(
    "examine_uploads",
    "functions.uploads.examine.handler",
    A_CORE,
    120,
    (Grant.RECORDS, Grant.UPLOADS),
)
KEEP_UPLOADS = FunctionSpec(
    "keep_uploads",
    "functions.uploads.keep.handler",
    A_CORE,
    LONGEST_S,
    (Grant.RECORDS, Grant.UPLOADS, Grant.UPLOADS_END),
)
TRUE_UP_TAX = FunctionSpec(
    "true_up_tax",
    "functions.tax.true_up_tax.handler",
    512,
    LONGEST_S,
    (Grant.RECORDS, Grant.TAX_SECRET),
)
ASSESS_LATE_CHARGES = FunctionSpec(
    "assess_late_charges",
    "functions.collections.assess_late_charges.handler",
    512,
    LONGEST_S,
    (Grant.RECORDS,),
)
ISSUE_REMINDERS = FunctionSpec(
    "issue_reminders",
    "functions.collections.issue_reminders.handler",
    512,
    LONGEST_S,
    (Grant.RECORDS,),
)
RENEW_TERMS = FunctionSpec(
    "renew_terms",
    "functions.subscriptions.renew_terms.handler",
    512,
    LONGEST_S,
    (Grant.RECORDS, Grant.KEYS_READ),
)
ESCALATE_TICKETS = FunctionSpec(
    "escalate_tickets",
    "functions.support.escalate_tickets.handler",
    512,
    300,
    (Grant.RECORDS,),
)
CHECK_TAX_IDS = FunctionSpec(
    "check_tax_ids",
    "functions.tax.check_tax_ids.handler",
    512,
    LONGEST_S,
    (Grant.RECORDS, Grant.RECORDS_DELETE, Grant.KEYS_READ),
)
RECORD_TAX = FunctionSpec(
    "record_tax",
    "functions.tax.record_tax.handler",
    512,
    60,
    (Grant.RECORDS_READ, Grant.TAX_SECRET),
)

ALL = (
    PORTAL,
    API,
    *RUN_STEPS,
    WATCH_RUNS,
    CHECK_INVARIANTS,
    CANARY,
    CREATE_DOUBLE,
    ADVANCE_CLOCK,
    DOCUMENTS,
    MAKE_BUNDLES,
    DELIVERY,
    GATEWAY_EVENTS,
    SWEEP_PAYMENTS,
    COLLECT_PAYMENTS,
    PUBLISH_EVENTS,
    LINK_AUDIT,
    ANCHOR_AUDIT,
    IMPORT_USAGE,
    COUNT_USAGE,
    ACCEPT_USAGE,
    INGEST_USAGE,
    IMPORT_INVOICES,
    IMPORT_ORDERS,
    EXAMINE_UPLOADS,
    KEEP_UPLOADS,
    TRUE_UP_TAX,
    ASSESS_LATE_CHARGES,
    ISSUE_REMINDERS,
    RENEW_TERMS,
    ESCALATE_TICKETS,
    CHECK_TAX_IDS,
    RECORD_TAX,
)
