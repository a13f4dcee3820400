"""Stored methods, payments of a later day, autopay: added, heard of, charged, cancelled, collected by the day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from local.gateway.methods import CARDS
from saldo.access.model import Role
from saldo.access.model_people import Member
from saldo.access.records_people import member_item
from saldo.autopay.model import Rule
from saldo.autopay.reading import paying_of
from saldo.autopay.service import Autopay
from saldo.autopay.telling import Telling
from saldo.payments.methods import PaymentMethods
from saldo.payments.model import Allocation
from saldo.payments.model_methods import MethodStatus, StoredMethod
from saldo.payments.opening import Wish
from saldo.payments.records_methods import methods_of
from saldo.payments.scheduled import ScheduledPayments
from tests.simulation.region import ENTITY_ID, Region
from tests.simulation.workflows import daily, invoke, messages, workflow
from tests.simulation.workflows.scenes import CLERK, account_id, billed, news, open_invoices, payments, until

KEY, BACK = "form-key-1", "http://localhost:8080/back"
ANNOUNCED_ON, DEBIT_ON = date(2026, 1, 26), date(2026, 1, 31)  # invoices of 1 January are due on the 31st


def methods(region: Region) -> PaymentMethods:
    return payments(region).methods


def autopay(region: Region) -> Autopay:
    telling = Telling(region.store, region.sealer(), region.clock)
    return Autopay(region.store, region.clock, payments(region), telling)


def scheduled(region: Region) -> ScheduledPayments:
    return ScheduledPayments(region.store, region.clock, payments(region))


def with_payer(region: Region) -> None:
    """January is billed, and somebody pays for each customer."""
    billed(region)
    for n in range(3):
        organisation_id = f"org_eu_{n:06d}"
        facts = (f"user_eu_{n}", Role.PAYER, False, f"ap{n}@customer.example", "Paul Ode", "en")
        region.store.put_many([member_item(Member(account_id(n), organisation_id, *facts), region.sealer())])


def begin(region: Region, n: int, key: str = KEY) -> StoredMethod:
    return methods(region).begin(account_id(n), CLERK, key, BACK)


@workflow("methods: add", prepare=with_payer)
def add(region: Region) -> None:
    begin(region, 0)


def saved_at_the_gateway(region: Region, expires_on: date = date(2030, 4, 30)) -> None:
    """Two cards are typed in, one of them after strong authentication, and a third is declined."""
    with_payer(region)
    for n, card in ((0, CARDS[0]), (1, CARDS[2]), (2, CARDS[3])):
        ref = begin(region, n).ref
        region.book.save(ref, "card", card, region.now, expires_on=expires_on)
        region.book.answer_setup(ref, True, region.now)
    region.queues.waiting = [("gateway", body) for body in news(region)]


@workflow("methods: news, backwards and twice", prepare=saved_at_the_gateway)
def hear(region: Region) -> None:
    bodies = [body for _, body in region.queues.waiting]
    invoke("payments.gateway_events", messages(*reversed(bodies), *bodies))


def told(region: Region) -> None:
    """What the gateway says by now, on the queue until it is handled."""
    region.queues.waiting += [("gateway", body) for body in news(region)]
    invoke("payments.gateway_events", messages(*(body for _, body in region.queues.waiting)))


def untold(region: Region) -> None:
    """The news never came; one page was begun and never opened by the gateway."""
    saved_at_the_gateway(region)
    region.queues.waiting.clear()
    region.now += timedelta(hours=1)


@workflow("methods: sweep", prepare=untold)
def sweep(region: Region) -> None:
    invoke("payments.sweep", {})


def stored(region: Region) -> None:
    saved_at_the_gateway(region)
    hear(region)


def method_of(region: Region, n: int) -> str:
    return methods_of(region.store, account_id(n)).active[0].id


@workflow("methods: choose the default and remove", prepare=stored)
def change(region: Region) -> None:
    for method in methods_of(region.store, account_id(1)).all:
        if method.status is MethodStatus.ACTIVE:
            methods(region).choose_default(account_id(1), method.id, CLERK)
        methods(region).remove(account_id(1), method.id, CLERK)
    region.now += timedelta(hours=1)
    invoke("payments.sweep", {})


@workflow("pay: by a stored method", prepare=stored)
def one_click(region: Region) -> None:
    for n in (0, 1):
        wanted = [Allocation(invoice_id, minor) for invoice_id, minor in open_invoices(region, n)]
        if wanted:
            method_id = method_of(region, n)
            payments(region).start(account_id(n), wanted, CLERK, KEY, BACK, method_id=method_id)
    told(region)


def wish(region: Region, n: int, key: str = KEY) -> Wish:
    wanted = tuple(Allocation(invoice_id, minor) for invoice_id, minor in open_invoices(region, n))
    return Wish(account_id(n), wanted, CLERK, key, "", "", "", method_of(region, n))


@workflow("pay: on a later day", prepare=stored)
def schedule(region: Region) -> None:
    on = date(2026, 1, 20)
    scheduled(region).schedule(wish(region, 0), on)
    other = scheduled(region).schedule(wish(region, 0, "form-key-2"), on)
    scheduled(region).cancel(account_id(0), other.id, CLERK)


def rule(region: Region, n: int = 0) -> Rule:
    known = paying_of(region.store, account_id(n)).rule
    return known or Rule(account_id(n), ENTITY_ID, "EUR", version=0)


@workflow("autopay: set and change the rule", prepare=stored)
def set_rule(region: Region) -> None:
    use, mine = autopay(region), rule(region)
    if not mine.cap_minor:  # a person looks before doing it again
        use.set_rule(replace(mine, cap_minor=1_000_000), CLERK)
    invoice_id, _ = open_invoices(region, 0)[0]
    use.leave_out(account_id(0), invoice_id, True, CLERK)
    use.turn_off(account_id(0), CLERK)


def ruled(region: Region) -> None:
    """One customer pays by itself, and cards expire soon."""
    saved_at_the_gateway(region, expires_on=date(2026, 2, 28))
    hear(region)
    autopay(region).set_rule(rule(region), CLERK)


def collect(region: Region, on: date) -> None:
    until(region, on, hour=7)
    daily(region, "payments.collect", on.isoformat())


@workflow("pay: a day announces", prepare=ruled)
def announce(region: Region) -> None:
    collect(region, ANNOUNCED_ON)


def announced(region: Region) -> None:
    ruled(region)
    collect(region, ANNOUNCED_ON)


@workflow("autopay: cancel a debit", prepare=announced)
def cancel(region: Region) -> None:
    for debit in paying_of(region.store, account_id(0)).debits:
        autopay(region).cancel(account_id(0), debit.id, CLERK)


@workflow("pay: a day collects", prepare=announced)
def collect_day(region: Region) -> None:
    collect(region, DEBIT_ON)
    told(region)
    collect(region, DEBIT_ON)


def can_only_store_a_card(region: Region, n: int) -> None:
    """Whatever is charged on it later is declined."""
    region.book.save(begin(region, n).ref, "card", CARDS[5], region.now, expires_on=date(2030, 4, 30))
    region.queues.waiting += [("gateway", body) for body in news(region)]


def failing(region: Region) -> None:
    """What was announced is declined: the card was good for storing only."""
    with_payer(region)
    can_only_store_a_card(region, 0)
    hear(region)
    autopay(region).set_rule(rule(region), CLERK)
    collect(region, ANNOUNCED_ON)
    collect(region, DEBIT_ON)
    told(region)


@workflow("pay: a declined debit is tried again", prepare=failing)
def try_again(region: Region) -> None:
    collect(region, date(2026, 2, 1))
    collect(region, date(2026, 2, 6))
    told(region)
    collect(region, date(2026, 2, 7))


def scheduled_for_a_day(region: Region) -> None:
    stored(region)
    scheduled(region).schedule(wish(region, 1), DEBIT_ON)


@workflow("pay: its day has come", prepare=scheduled_for_a_day)
def start_scheduled(region: Region) -> None:
    collect(region, DEBIT_ON)
    told(region)
