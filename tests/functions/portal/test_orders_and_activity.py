"""What was ordered, what of it was invoiced; and who did what to an account."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from functions.portal import services
from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.catalog.model import Plan, Product
from saldo.catalog.service import Catalog
from saldo.orders.model_orders import Reference, ReferenceKind
from saldo.orders.service import Orders
from tests.contexts.orders.scenes import BUYER, PARTY, SEATS, SETUP, line, request
from tests.contexts.sellers import CLERK, ENTITY
from tests.functions.portal import scenes
from tests.functions.portal.browser import Page
from tests.functions.portal.conftest import Portal

HOME = f"/accounts/{scenes.NORTH}"


def words_of(page: Page) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.text.split("<main")[1]).split())


@pytest.fixture
def ordered(portal: Portal) -> Portal:
    """Kontor Nord ordered ten seats and a set-up by a known party; a stranger ordered in its name, which waits."""
    catalog, orders = Catalog(services.store(), portal.clock), Orders(services.store(), portal.clock)
    for version in (SEATS, SETUP):
        product = "prod_" + version.plan_id
        catalog.offer_product(Product(product, ENTITY, {"en": product}), CLERK)
        catalog.offer_plan(Plan(version.plan_id, product, ENTITY, {"en": version.plan_id}), CLERK)
        catalog.publish(ENTITY, version, CLERK)
    orders.set_policy(scenes.NORTH, CLERK, trusted=frozenset({PARTY}))
    asked = request(
        line(),
        line("2", "plan_setup", 1),
        references=(Reference(ReferenceKind.ACCOUNT, scenes.NORTH),),
        order_on=scenes.TODAY,
    )
    orders.receive(ENTITY, asked, BUYER)
    orders.receive(ENTITY, replace(asked, party="api:stranger", purchase_order="PO-2"), BUYER)
    return portal


def test_an_order_tells_line_by_line_what_was_ordered_invoiced_and_is_still_to_come(ordered: Portal) -> None:
    viewer = ordered.signed_in("viewer")
    page = viewer.get(f"{HOME}/orders")
    text = words_of(page)
    assert "PO-1 23 Nov 2026 Fulfilled €975.00" in text and "PO-2 23 Nov 2026 Being checked" in text
    path = re.search(r'href="([^"]+)">PO-1<', page.text)
    assert path is not None
    text = words_of(viewer.get(path[1]))
    assert "1 · plan_seats again each period, next on 23 Nov 2026 10 Fulfilled 75.00 0.00 75.00" in text
    assert "2 · plan_setup 1 Fulfilled 900.00 0.00 900.00" in text and "Total 975.00 0.00 975.00" in text


def test_an_order_that_is_checked_says_so_and_not_why(ordered: Portal) -> None:
    viewer = ordered.signed_in("viewer")
    path = re.search(r'href="([^"]+)">PO-2<', viewer.get(f"{HOME}/orders").text)
    assert path is not None
    text = words_of(viewer.get(path[1]))
    assert "The seller checks this order" in text and "new_party" not in text and "stranger" not in text


def test_a_change_to_an_order_is_asked_for_on_its_page_and_reaches_the_desk_as_such(ordered: Portal) -> None:
    browser = ordered.signed_in("viewer")
    order = re.search(r'href="([^"]+)">PO-1<', browser.get(f"{HOME}/orders").text)
    assert order is not None
    link = re.search(r'href="([^"]+)">Ask for a change<', browser.get(order[1]).text)
    assert link is not None
    form = browser.get(link[1].replace("&amp;", "&").partition("#")[0])
    assert re.search(r'<option value="order" selected', form.text)
    assert 'value="Change to order PO-1"' in form.text and f'name="about" value="{order[1]}"' in form.text


def test_orders_of_others_are_not_there(ordered: Portal) -> None:
    path = re.search(r'href="([^"]+)">PO-1<', ordered.signed_in("viewer").get(f"{HOME}/orders").text)
    assert path is not None
    other = ordered.signed_in("stranger")
    assert other.get(path[1]).status == 404
    assert other.get(path[1].replace(scenes.NORTH, scenes.OTHERS)).status == 404
    assert "There are no orders." in other.get(f"/accounts/{scenes.OTHERS}/orders").text


def test_admins_see_who_did_what_in_words_and_others_see_nothing_of_it(portal: Portal) -> None:
    viewer = portal.signed_in("viewer")
    listed = viewer.get(f"{HOME}/invoices").text
    invoice = re.search(rf'href="{HOME}/invoices/(inv_\w+)"', listed)
    assert invoice is not None and viewer.get(f"{HOME}/invoices/{invoice[1]}").status == 200
    assert viewer.get(f"{HOME}/activity").status == 404
    assert portal.followed() == 1
    admin = portal.signed_in()
    page = admin.get(f"{HOME}/activity")
    assert "Invoice looked at Invoice Vera Lenz" in words_of(page)
    assert f'href="{HOME}/invoices/{invoice[1]}"' in page.text


def test_staff_and_programs_are_not_named_and_what_has_no_words_yet_is_another_change(portal: Portal) -> None:
    records = [
        AuditRecord(scenes.NORTH, scenes.NOW, Actor("staff_eu_secret", "staff"), "unheard.of", "thing", reason="asked"),
        AuditRecord(scenes.NORTH, scenes.NOW, Actor("sweep", "job"), "payment.settled", "pay_1"),
        AuditRecord(scenes.NORTH, scenes.NOW, Actor("user_eu_gone", "user"), "invoice.viewed", "inv_1"),
    ]
    services.store().put_many([audit_item(r) for r in records])
    text = words_of(portal.signed_in().get(f"{HOME}/activity"))
    assert "Another change asked The seller&#39;s staff" in text and "staff_eu_secret" not in text
    assert "Payment arrived Payment Automatic" in text and "Invoice A former colleague" in text


def test_whatever_is_recorded_of_an_account_has_words_of_its_own(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever happens in the world that pages are walked through in, except what only Saldo's own people do."""
    from functions.portal.words import catalogue
    from tests.web.states import tell
    from tests.web.world import STATES

    tell(portal, monkeypatch)
    found = {i["action"] for a in STATES.values() for i in services.store().query_all(a, prefix="audit#")}
    assert len(found) > 15
    assert sorted(action for action in found if f"activity.of.{action}" not in catalogue("en")) == []


def test_the_whole_activity_is_exported_safely_and_that_is_on_record(portal: Portal) -> None:
    evil = AuditRecord(scenes.NORTH, scenes.NOW, CLERK, "visibility.set", "acct", reason="=HYPERLINK(1)")
    services.store().put_many([audit_item(evil)])
    admin = portal.signed_in()
    answer = admin.get(f"{HOME}/activity.csv")
    assert answer.headers["content-type"].startswith("text/csv") and "'=HYPERLINK(1)" in answer.text
    assert "Activity exported" in words_of(admin.get(f"{HOME}/activity"))


def test_pages_of_the_activity_follow_one_another(portal: Portal) -> None:
    many = [AuditRecord(scenes.NORTH, scenes.NOW, CLERK, "terms.changed", "", reason=f"t{n}") for n in range(60)]
    services.store().put_many([audit_item(r) for r in many])
    admin = portal.signed_in()
    page = admin.get(f"{HOME}/activity")
    older = re.search(r'rel="next" href="([^"]+)"', page.text)
    assert older is not None
    shown = [set(re.findall(r"\bt\d+\b", p.text)) for p in (page, admin.get(older[1].replace("&amp;", "&")))]
    assert not shown[0] & shown[1] and len(shown[0] | shown[1]) == 60


def test_too_large_an_export_is_refused(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("functions.portal.activity.MOST", 1)
    answer = portal.signed_in().get(f"{HOME}/activity.csv")
    assert answer.status == 422
