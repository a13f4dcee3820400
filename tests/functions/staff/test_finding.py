"""Staff find a customer by whatever they have of them, and nothing of other sellers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from saldo.payments import records
from saldo.payments.records import PREFIX, note_references, payment_from
from saldo.storage.units import Unit
from tests.contexts.sellers import ENTITY
from tests.functions.portal import scenes
from tests.functions.portal.browser import Browser
from tests.functions.portal.conftest import Portal
from tests.functions.staff.test_work import HOME, trail


def found(browser: Browser, wanted: str) -> str:
    page = browser.get(f"{HOME}/customers?q={wanted}")
    assert page.status == 200
    return page.text


def noted(portal: Portal) -> list[str]:
    """References of a settled payment of the customer, put on record as its settling does."""
    item = next(i for i in portal.region.store.query_all(scenes.NORTH, prefix=PREFIX) if i["status"] == "settled")
    payment = replace(payment_from(item), gateway_ref="pi_3Abc")
    portal.region.store.write_one(note_references(Unit("references"), payment))
    return [payment.id, payment.receipt_number, payment.receipt_number.lower(), "pi_3Abc"]


def test_by_the_references_of_a_payment(portal: Portal) -> None:
    browser = portal.staff_in("support")
    for reference in noted(portal):
        text = found(browser, reference)
        assert "Kontor Nord GmbH" in text and f"/accounts/{scenes.NORTH}?show=payments" in text, reference
    assert "/accounts/acct_" not in found(browser, "R-20260101-NOTHING")


def test_by_the_address_of_a_user_and_that_is_on_record_without_it(portal: Portal) -> None:
    browser = portal.staff_in("support")
    text = found(browser, "%20Rieke@Kontor.example")
    assert "Kontor Nord GmbH" in text and "Kontor Süd GmbH" in text and text.count("/accounts/acct_") == 2
    assert "user.looked_for" in trail(portal)
    items = list(portal.region.store.query_all(ENTITY, prefix="audit#"))
    assert "rieke" not in str(items).casefold()
    assert "/accounts/acct_" not in found(browser, "nobody@kontor.example")


def test_a_user_of_another_sellers_customers_is_nobody_here(portal: Portal) -> None:
    from saldo.storage.items import Item

    browser, store = portal.staff_in("support"), portal.region.store
    customer: Item = {"pk": ENTITY, "sk": f"customer#{scenes.OTHERS}"}
    store.write_one(Unit("no customer of ours").delete((customer["pk"], customer["sk"])))
    assert "/accounts/acct_" not in found(browser, "sven@fremde.example")


def test_by_the_number_of_an_invoice_that_was_brought_in(portal: Portal) -> None:
    from saldo.invoicing.finding import imported_number_key
    from saldo.invoicing.reading import open_rows

    browser, store = portal.staff_in("support"), portal.region.store
    row = open_rows(store, scenes.NORTH)[0]
    pk, sk = imported_number_key(ENTITY, row.number)
    guard = {"pk": pk, "sk": sk, "kind": "guard", "account_id": scenes.NORTH, "invoice_id": row.invoice_id}
    store.write_one(Unit("guard").insert(guard))
    text = found(browser, row.number)
    assert f"/accounts/{scenes.NORTH}/invoices/{row.invoice_id}" in text and "Kontor Nord GmbH" in text


@pytest.mark.parametrize("wanted", ["x" * 80, "%00", "%23", "..%2F..", "@", "a@b", "%2A-1"])
def test_whatever_is_typed_is_answered(portal: Portal, wanted: str) -> None:
    assert "/accounts/acct_" not in found(portal.staff_in("auditor"), wanted)


def test_a_payment_is_found_from_its_start_and_by_its_receipt_once_it_settled(portal: Portal) -> None:
    item = next(iter(portal.region.store.query_all(scenes.NORTH, prefix=PREFIX)))
    old = replace(payment_from(item), receipt_number="", gateway_ref="")
    counted = records.payments_key(scenes.NORTH)
    begun = records.insert_payment(Unit("start"), old)
    assert [w.key for w in begun.writes][1:] == [records.reference_key(ENTITY, old.id), counted]
    new = replace(old, receipt_number="R-1", gateway_ref="pi_1", version=old.version + 1)
    keys = {w.key for w in records.rewrite(Unit("settle"), old, new).writes}
    assert keys == {
        records.payment_key(old.account_id, old.id),
        records.reference_key(ENTITY, "r-1 "),
        records.reference_key(ENTITY, "PI_1"),
        counted,
    }
