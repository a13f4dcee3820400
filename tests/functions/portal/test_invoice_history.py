"""The history of an invoice on its page: sent, seen, due, in dispute, each with its day; for both sides alike."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from functions.portal import services
from saldo.delivery.model import Channel, Delivery, DeliveryStatus, StatusChange
from saldo.delivery.records import delivery_item
from saldo.invoicing.reading import open_rows
from saldo.kernel.periods import local_date
from tests.contexts.sellers import ENTITY
from tests.functions.portal import scenes
from tests.functions.portal.browser import Browser
from tests.functions.portal.conftest import Portal
from tests.functions.portal.test_disputes import HOME, dispute, largest

MAILED = datetime(2026, 11, 2, 8, tzinfo=UTC)


def history(browser: Browser, page: str) -> list[str]:
    found = re.search(r'<ol class="history">(.*?)</ol>', browser.get(page).text, re.S)
    assert found is not None
    return [re.sub(r"<[^>]+>", "", what).strip() for what in re.findall(r"<li><span>(.*?)</span>", found[1], re.S)]


def of(portal: Portal, invoice_id: str) -> str:
    return f"{HOME}/invoices/{invoice_id}"


def mail(invoice_id: str, *steps: DeliveryStatus) -> Delivery:
    changes = tuple(StatusChange(MAILED + timedelta(minutes=n), step) for n, step in enumerate(steps))
    facts = (scenes.NORTH, invoice_id, "invoice", Channel.EMAIL, steps[-1], 1, 0, MAILED, 1, 1)
    return Delivery(*facts, history=changes)


def test_an_invoice_says_when_it_was_sent_and_that_the_letter_came_back(portal: Portal) -> None:
    row, browser = largest(portal), portal.signed_in()
    before = history(browser, of(portal, row.invoice_id))
    step = DeliveryStatus
    services.store().put_many([delivery_item(mail(row.invoice_id, step.QUEUED, step.SENT, step.BOUNCED))])
    added = [what for what in history(browser, of(portal, row.invoice_id)) if what not in before]
    assert added == ["The e-mail came back", "Sent by e-mail"]


def test_the_first_look_is_told_and_later_ones_change_nothing(portal: Portal) -> None:
    row, browser = largest(portal), portal.signed_in("viewer")
    assert "First looked at by you or a colleague" not in browser.get(of(portal, row.invoice_id)).text
    portal.followed()
    first = browser.get(of(portal, row.invoice_id)).text
    assert "First looked at by you or a colleague" in first
    told = services.store().get(scenes.NORTH, f"seen#{row.invoice_id}")
    portal.clock.now += timedelta(hours=2)
    portal.signed_in("admin").get(of(portal, row.invoice_id))
    portal.followed()
    assert services.store().get(scenes.NORTH, f"seen#{row.invoice_id}") == told


def test_what_was_open_when_its_day_had_passed_is_told_to_have_been_due(portal: Portal) -> None:
    rows, browser = open_rows(portal.region.store, scenes.NORTH), portal.signed_in()
    today = local_date(portal.clock(), "Europe/Berlin")
    late = next(row for row in rows if row.due_on < today)
    coming = next(row for row in rows if row.due_on >= today)
    assert "Due" in history(browser, of(portal, late.invoice_id))
    assert "Due" not in history(browser, of(portal, coming.invoice_id))


def test_what_was_paid_in_time_was_never_due(portal: Portal) -> None:
    from saldo.invoicing.records import header_from, header_item, header_key
    from saldo.invoicing.status import InvoiceStatus

    row = next(r for r in open_rows(portal.region.store, scenes.NORTH) if r.due_on < local_date(portal.clock(), "UTC"))
    item = services.store().get(*header_key(scenes.NORTH, row.invoice_id))
    assert item is not None
    header = header_from(item)
    paid = replace(header.history[-1], at=header.history[-1].at + timedelta(hours=1), status=InvoiceStatus.PAID)
    done = replace(header, status=InvoiceStatus.PAID, open_minor=0, history=(*header.history, paid))
    services.store().put_many([header_item(done)])
    assert "Due" not in history(portal.signed_in(), of(portal, row.invoice_id))


def test_a_dispute_stands_in_the_history_with_its_end(portal: Portal) -> None:
    browser, row = portal.signed_in("admin"), largest(portal)
    sent = dispute(portal, browser)
    assert "Disputed" in history(browser, of(portal, row.invoice_id))
    portal.clock.now += timedelta(minutes=5)
    page = sent.location
    browser.post(f"{page}/withdraw", {"seen": browser.get(page).hidden()["seen"]})
    told = history(browser, of(portal, row.invoice_id))
    assert told.index("Dispute closed: Withdrawn") < told.index("Disputed")


def test_staff_see_the_same_history_told_of_the_customer(portal: Portal) -> None:
    browser, row = portal.signed_in("viewer"), largest(portal)
    browser.get(of(portal, row.invoice_id))
    portal.followed()
    ours = history(browser, of(portal, row.invoice_id))
    staff = portal.staff_in("collector")
    page = f"/staff/{ENTITY}/accounts/{scenes.NORTH}/invoices/{row.invoice_id}"
    theirs = history(staff, page)
    assert len(theirs) == len(ours)
    assert "First looked at by the customer" in theirs and not [said for said in theirs if "you" in said.split()]
