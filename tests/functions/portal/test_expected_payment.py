"""When an invoice is expected to be paid stands on its page, with the reason: for the payer and for staff alike."""

from __future__ import annotations

from datetime import date, timedelta

from functions.portal import services
from saldo.invoicing import habits
from saldo.invoicing.records import PromiseMark, header_from, header_key
from saldo.invoicing.records_moves import promise_update
from saldo.ledger.records import BALANCE
from saldo.payments.model import Allocation
from saldo.payments.scheduled import Scheduled, ScheduledPayments
from saldo.storage.units import Unit
from tests.contexts.sellers import CLERK, ENTITY
from tests.functions.portal import scenes
from tests.functions.portal.conftest import Portal
from tests.functions.portal.test_subscriptions import words_of

HOME, STAFF = f"/accounts/{scenes.NORTH}", f"/staff/{ENTITY}/accounts/{scenes.NORTH}"
COMING = scenes.TODAY + timedelta(days=12)


def issued(days: int, cents: int) -> str:
    """An invoice that is due so many days from now."""
    on = scenes.TODAY - timedelta(days=30)
    return scenes.invoice(services.store(), scenes.NORTH, on, cents, 30 + days).invoice_id


def paid(days_late: int, cents: int, due: int = -60) -> str:
    """Money settled it so many days after it was due."""
    invoice_id = issued(due, cents)
    on = scenes.TODAY + timedelta(days=due + days_late)
    unit = services.payments().record_imported_settlement(scenes.NORTH, invoice_id, cents, on, f"row-{cents}", CLERK)
    assert services.store().write([unit]) == []
    return invoice_id


def said(portal: Portal, invoice_id: str) -> str:
    """What both sides read; "" for nothing."""
    pages = (
        portal.signed_in("viewer").get(f"{HOME}/invoices/{invoice_id}"),
        portal.staff_in("analyst").get(f"{STAFF}/invoices/{invoice_id}"),
    )
    told = [words_of(page).partition("Payment expected ")[2] for page in pages]
    assert bool(told[0]) == bool(told[1])
    return told[0] if told[0][:40] == told[1][:40] else " != ".join(told)


def test_it_is_told_from_what_was_paid_so_far_once_three_were(portal: Portal) -> None:
    coming = issued(12, 4_900)
    for cents in (5_100, 5_200):
        paid(11, cents)
    assert said(portal, coming).startswith("5 Dec 2026, when it is due: too few invoices were paid")
    paid(11, 5_300)
    assert said(portal, coming).startswith("16 Dec 2026: usually paid 11 days after it is due")
    late, forgotten = issued(-3, 6_100), issued(-40, 6_200)
    assert said(portal, late).startswith("1 Dec 2026: usually paid 11 days after it is due")
    assert said(portal, forgotten).startswith("Later than usual: usually paid 11 days after it is due")


def test_an_invoice_that_asks_for_nothing_more_says_nothing(portal: Portal) -> None:
    assert said(portal, paid(0, 5_100)) == ""


def test_what_is_promised_or_scheduled_comes_before_what_is_usual(portal: Portal) -> None:
    coming, store = issued(12, 4_900), services.store()
    for cents in (5_100, 5_200, 5_300):
        paid(11, cents)
    item = store.get(*header_key(scenes.NORTH, coming))
    assert item is not None
    mark = PromiseMark(portal.clock(), "prom_1", "current", COMING + timedelta(days=3))
    unit = Unit("promise")
    promise_update(unit, header_from(item), mark, holds=True)
    assert store.write_one(unit) is None
    assert said(portal, coming).startswith("8 Dec 2026, as promised")
    schedule(portal, coming, 4_900)
    assert said(portal, coming).startswith("1 Dec 2026, as a payment is scheduled for then")
    (one,) = [i["scheduled_id"] for i in store.query_all(scenes.NORTH, prefix="paying#scheduled#")]
    ScheduledPayments(store, portal.clock, services.payments()).cancel(scenes.NORTH, one, CLERK)
    assert said(portal, coming).startswith("8 Dec 2026, as promised")


def test_a_payment_of_a_part_says_nothing_of_the_rest(portal: Portal) -> None:
    coming = issued(12, 4_900)
    schedule(portal, coming, 900)
    assert said(portal, coming).startswith("5 Dec 2026, when it is due")


def schedule(portal: Portal, invoice_id: str, minor: int) -> None:
    """As the payer does, without the method that is asked for when it starts."""
    later = ScheduledPayments(services.store(), portal.clock, services.payments())
    one = Scheduled(
        scenes.NORTH,
        "sched_1",
        ENTITY,
        (Allocation(invoice_id, minor),),
        "EUR",
        minor,
        "part",
        "pm_1",
        date(2026, 12, 1),
        "user_eu_1",
        portal.clock(),
    )
    assert later.record(one, CLERK) is None


def test_what_was_paid_before_it_was_counted_is_counted_by_the_command_that_rebuilds(portal: Portal) -> None:
    store = services.store()
    habits.rebuild(store, scenes.NORTH)
    ids = [paid(11, cents) for cents in (5_100, 5_200, 5_300)]
    now = habits.habit_from(store.get(scenes.NORTH, BALANCE))
    assert now.paid > len(ids), "the scenes tell of some that were paid"
    uncounted = Unit("as it was before").update((scenes.NORTH, BALANCE), remove=tuple(habits.FIELDS.values()))
    for invoice_id in ids:
        uncounted.update(header_key(scenes.NORTH, invoice_id), remove=("paid_on",))
    assert store.write_one(uncounted) is None
    for _ in range(2):
        assert habits.rebuild(store, scenes.NORTH) == now == habits.habit_from(store.get(scenes.NORTH, BALANCE))
    doubted = Unit("doubted").update((scenes.NORTH, BALANCE), add={habits.FIELDS["days"]: 5})
    assert store.write_one(doubted) is None
    assert habits.rebuild(store, scenes.NORTH) == now == habits.habit_from(store.get(scenes.NORTH, BALANCE))
