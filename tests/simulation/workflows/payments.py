"""Money: start to pay, news in any order, sweeps, payouts."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from local.gateway.methods import CARDS, IBANS
from saldo.integration.imports_records import account_id_of
from saldo.invoicing.corrections import Corrections, CreditRequest
from saldo.invoicing.paying_back import PayBack, pay_back
from saldo.invoicing.rules_corrections import Reason
from saldo.kernel.errors import Refusal
from saldo.payments import bringing_back
from saldo.payments.bringing_back import BroughtBack
from saldo.payments.model import Allocation
from saldo.payments.parked import ParkedEvents
from saldo.storage.items import Item
from saldo.storage.store import Store
from saldo.storage.units import Unit
from saldo.tax.table import TableTax, shipped_table
from tests.crashes import Injector, Kind
from tests.simulation.region import ENTITY_ID, Region
from tests.simulation.workflows import invoke, messages, workflow
from tests.simulation.workflows.scenes import (
    CLERK,
    FEB,
    account_id,
    bill,
    billed,
    news,
    offer,
    open_invoices,
    pay,
    payments,
)

KEY = "form-key-1"
SPOILED = "spoiled"  # the table that a restore was made of


@workflow("pay: start", prepare=billed)
def start(region: Region) -> None:
    pay(region, 0, KEY)


def paid_at_the_gateway(region: Region) -> None:
    """Two cards and a debit; what the gateway tells of them lies on the queue."""
    billed(region)
    cards = [pay(region, n, KEY) for n in (0, 1)]
    debit = pay(region, 2, KEY)
    for payment in cards:
        region.book.pay_by_card(payment.gateway_ref, CARDS[0], region.now)
    region.book.pay_by_debit(debit.gateway_ref, IBANS[0], region.now)
    bodies = news(region, after=timedelta(days=4)) + news(region, after=timedelta(days=4))
    region.queues.waiting = [("gateway", body) for body in bodies]


@workflow("pay: webhooks", prepare=paid_at_the_gateway)
def webhooks(region: Region) -> None:
    invoke("payments.gateway_events", messages(*(body for _, body in region.queues.waiting)))


@workflow("pay: webhooks backwards and twice", prepare=paid_at_the_gateway)
def backwards(region: Region) -> None:
    bodies = [body for _, body in region.queues.waiting]
    invoke("payments.gateway_events", messages(*reversed(bodies), *bodies))


def untold(region: Region) -> None:
    """The gateway's news never came: one paid and paid out, one started and never opened, one declined."""
    paid_at_the_gateway(region)
    region.queues.waiting.clear()


@workflow("pay: sweep", prepare=untold)
def sweep(region: Region) -> None:
    invoke("payments.sweep", {})


def answer_lost(region: Region) -> None:
    """The checkout was opened, and its answer lost; then the news of it came for an unknown payment, too."""
    billed(region)
    injector = Injector()
    injector.attach([region.wire])
    pay(region, 1, KEY)
    injector.arm(injector.calls.index("CreateCheckout") + 1, Kind.CRASH_AFTER)
    try:
        pay(region, 0, KEY)
    except BaseException as crash:
        assert injector.struck, crash
    region.wire.fault = None
    region.now += timedelta(hours=1)


@workflow("pay: sweep lost checkouts", prepare=answer_lost)
def sweep_lost(region: Region) -> None:
    invoke("payments.sweep", {})


def refusing(region: Region) -> None:
    billed(region)
    region.gateway.refusing = True


def credited(region: Region) -> None:
    """Two customers paid, and one of them was then credited: that is theirs."""
    paid_at_the_gateway(region)
    webhooks(region)
    paid = next(i for i in region.store.query_all(account_id(0), prefix="invoice#") if not i["open_minor"])
    ask = CreditRequest(account_id(0), paid["invoice_id"], "r1", Reason.GOODWILL, CLERK)
    Corrections(region.store, region.clock, TableTax(shipped_table())).credit(ask)


@workflow("wallet: pay back", prepare=credited)
def give_back(region: Region) -> None:
    pay_back(region.store, region.clock, PayBack(account_id(0), 1000, "r1", CLERK, "the customer asked"))


@workflow("pay: the gateway refuses", prepare=refusing)
def refuse(region: Region) -> None:
    with suppress(Refusal):
        pay(region, 0, KEY)


@workflow("pay: failed card, then another", prepare=billed)
def again(region: Region) -> None:
    """The card is declined; the payer tries again with another one."""
    first = pay(region, 0, KEY) if open_invoices(region, 0) else None
    if first and first.gateway_ref:
        region.book.pay_by_card(first.gateway_ref, CARDS[3], region.now)
    for body in news(region):
        region.queues.waiting.append(("gateway", body))
    invoke("payments.gateway_events", messages(*(body for _, body in region.queues.waiting)))
    if open_invoices(region, 0):
        second = pay(region, 0, "form-key-2")
        region.book.pay_by_card(second.gateway_ref, CARDS[0], region.now)
    region.queues.waiting += [("gateway", body) for body in news(region)]
    invoke("payments.gateway_events", messages(*(body for _, body in region.queues.waiting)))


def parked(region: Region) -> None:
    """News of a payment that is not on record yet: it comes before what it speaks of is written."""
    paid_at_the_gateway(region)
    bodies = [body for _, body in region.queues.waiting]
    gone = payments(region).of_account(account_id(0))[0]
    key = (account_id(0), f"payment#{gone.id}")
    kept = region.store.get(*key)
    region.store.write_one(Unit("not yet").delete(key))
    invoke("payments.gateway_events", messages(*bodies))
    assert kept is not None
    region.store.write_one(Unit("now").put(kept))


def of_nobody(region: Region) -> None:
    """News of payments that nobody here started: another system shares the gateway's account."""
    paid_at_the_gateway(region)
    own, other = "acct_eu_000000", "acct_eu_999999"
    region.queues.waiting = [(queue, body.replace(own, other)) for queue, body in region.queues.waiting]


@workflow("pay: news of nobody", prepare=of_nobody)
def park(region: Region) -> None:
    webhooks(region)


def kept_of_nobody(region: Region) -> None:
    of_nobody(region)
    webhooks(region)
    region.queues.waiting.clear()


@workflow("pay: drop news of nobody", prepare=kept_of_nobody)
def drop(region: Region) -> None:
    waiting = ParkedEvents(region.store, region.clock, region.gateway.name)
    for event_id in sorted({item["event_id"] for item in waiting.all()}):
        waiting.drop(event_id, CLERK, "of another system")


def many_invoices(region: Region) -> None:
    """One payment for more invoices than one unit holds."""
    offer(region)
    rows = [f"A-{n},C1,DE,2025-11-01,2025-12-01,EUR,{10 + n}.00" for n in range(45)]
    text = "\n".join(["number,customer,country,issued_on,due_on,currency,amount", *rows])
    region.buckets.files["imports", "open.csv"] = text.encode()
    invoke("integration.import_invoices", {"entity_id": ENTITY_ID, "key": "open.csv"})
    one = account_id_of(ENTITY_ID, "C1")
    items = region.store.query_all(one, prefix="invoice#", consistent=True)
    wanted = [Allocation(i["invoice_id"], i["open_minor"]) for i in items]
    started = payments(region).start(one, wanted, CLERK, KEY, "http://localhost/{payment_id}")
    region.book.pay_by_card(started.gateway_ref, CARDS[0], region.now)
    region.queues.waiting = [("gateway", body) for body in news(region)]


@workflow("pay: many invoices at once", prepare=many_invoices)
def pay_many(region: Region) -> None:
    webhooks(region)


@workflow("pay: parked news", prepare=parked)
def unpark(region: Region) -> None:
    invoke("payments.sweep", {})


def in_credit(region: Region) -> None:
    """January was paid, and a part of it once more; then a part of it was credited. February is open."""
    billed(region)
    ((invoice_id, _),) = open_invoices(region, 0)
    first = pay(region, 0, KEY)
    again = payments(region).start(
        account_id(0), [Allocation(invoice_id, 700)], CLERK, "form-key-2", "http://localhost/{payment_id}", "by mistake"
    )
    for one in (first, again):
        region.book.pay_by_card(one.gateway_ref, CARDS[0], region.now)
    invoke("payments.gateway_events", messages(*news(region)))
    bill(region, FEB)
    ask = CreditRequest(account_id(0), invoice_id, "r1", Reason.GOODWILL, CLERK, total_minor=1000)
    Corrections(region.store, region.clock, TableTax(shipped_table())).credit(ask)


def all_open(region: Region, n: int) -> list[Allocation]:
    return [Allocation(invoice_id, minor) for invoice_id, minor in open_invoices(region, n)]


@workflow("credit: set off, and the rest is paid", prepare=in_credit)
def net_and_pay(region: Region) -> None:
    desk = payments(region)
    rest, setting = desk.netting.known(account_id(0), "form-key-9"), None
    if rest is None:
        setting = desk.netting.prepare(account_id(0), all_open(region, 0), "", "form-key-9")
        rest = setting.found.rest
    desk.start(account_id(0), rest, CLERK, "form-key-9", "http://localhost/{payment_id}", netting=setting)


@workflow("credit: pays for all", prepare=in_credit)
def net_alone(region: Region) -> None:
    desk = payments(region)
    if desk.netting.known(account_id(0), "form-key-9") is None:
        chosen = [replace(one, minor=500) for one in all_open(region, 0)[:1]]
        setting = desk.netting.prepare(account_id(0), chosen, "a part", "form-key-9")
        desk.netting.settle(setting, CLERK)


def spoil(region: Region) -> None:
    """What is lost from the records lies in a table of its own, as after a change-over."""
    Store(region.client("dynamodb"), SPOILED).put_many(list(region.store.scan()))


def put_back(region: Region, records: list[Item]) -> None:
    """The records as they were at an instant."""
    for item in list(region.store.scan()):
        region.store.write_one(Unit("lose").delete((item["pk"], item["sk"])))
    region.store.put_many(records)
    region.restart()


def paid_before_a_restore(region: Region) -> None:
    """A customer paid, and then the records are as they were before."""
    billed(region)
    before = list(region.store.scan())
    paid = pay(region, 0, KEY)
    region.book.pay_by_card(paid.gateway_ref, CARDS[0], region.now)
    region.queues.waiting = [("gateway", body) for body in news(region)]
    webhooks(region)
    spoil(region)
    put_back(region, before)
    region.now += timedelta(hours=1)


def brought_back(region: Region) -> BroughtBack:
    spoiled = Store(region.client("dynamodb"), SPOILED)
    return bringing_back.bring_back(spoiled, region.store, region.clock, region.gateway.name, CLERK)


@workflow("pay: bring back what was begun after a restored instant", prepare=paid_before_a_restore)
def bring_back(region: Region) -> None:
    brought_back(region)
