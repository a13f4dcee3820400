"""Whoever sees where to pay to can check it, and is told when it changed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from functions.portal import services
from functions.staff import services as of_staff
from saldo.access.model import Grant, Role, User
from saldo.access.model_visibility import SelfService, Visibility
from saldo.access.visibility import VisibilityRules
from saldo.accounts.seller_details import BankDetails
from saldo.audit.model import job
from saldo.audit.records import PREFIX
from saldo.invoicing.reading import open_rows
from saldo.storage.items import Item
from saldo.storage.units import Unit
from tests.contexts.sellers import CLERK, ENTITY
from tests.functions.portal import scenes
from tests.functions.portal.browser import Browser
from tests.functions.portal.conftest import Portal

HOME = f"/accounts/{scenes.NORTH}"
TRANSFER, SIGNED = f"{HOME}/methods/transfer", f"{HOME}/methods/transfer/signed"
NEW = BankDetails("Nordbank", "DE89370400440532013000", "COBADEFFXXX")
TOLD = "changed on 23 Nov 2026; two people at Rechenwerk GmbH agreed"


@pytest.fixture
def moved(portal: Portal) -> Iterator[Portal]:
    """The seller banks elsewhere since today; whoever was signed in before has to look for news."""
    of_staff.seller_details().change_bank(ENTITY, NEW, CLERK, "moved", lambda _unit: None)
    portal.clock.now += timedelta(minutes=1)
    yield portal


def open_invoice(number: int = -1) -> str:
    return sorted(open_rows(services.store(), scenes.NORTH), key=lambda row: row.issued_on)[number].invoice_id


def entity() -> Item:
    return services.store().get(ENTITY, "entity") or {}


def test_payers_download_what_their_own_system_checks_against_the_published_key(portal: Portal) -> None:
    payer = portal.signed_in("payer")
    page = payer.get(TRANSFER)
    file, keys = payer.get(SIGNED), portal.browser().get("/.well-known/jwks.json")
    assert file.status == keys.status == 200 and file.headers["content-type"] == "application/jwt"
    assert keys.headers["cache-control"] == "public, max-age=3600"
    assert file.headers["content-disposition"] == f'attachment; filename="bank-details-{ENTITY}-1.jwt"'
    key_set = KeySet.import_key_set(json.loads(keys.text))
    told = jwt.decode(file.text, key_set, algorithms=["ES256"])
    assert told.claims["bank"]["iban"] == entity()["iban"] and told.claims["iss"] == services.settings().origin
    fingerprint = key_set.keys[0].thumbprint()
    assert fingerprint in page.text and "/.well-known/jwks.json" in page.text and SIGNED in page.text
    trail = [i["action"] for i in services.store().query_all(scenes.NORTH, prefix=PREFIX)]
    assert trail.count("bank_details.downloaded") == 1


def test_the_key_costs_the_table_nothing_and_kms_once_a_process(portal: Portal) -> None:
    browser, asked = portal.browser(), list[str]()
    before = portal.region.records.bill.calls.copy()
    portal.region.wire.watch = asked.append
    for _ in range(3):
        browser.get("/.well-known/jwks.json")
    assert asked == [] or asked == ["GetPublicKey"]
    assert portal.region.records.bill.calls == before


def test_the_file_is_for_those_who_may_pay(portal: Portal) -> None:
    for name in ("viewer", "stranger"):
        assert portal.signed_in(name).get(SIGNED).status == 404
    assert portal.browser().get(SIGNED).status == 303
    VisibilityRules(services.store(), portal.clock).set(scenes.NORTH, Visibility(actions=frozenset()), CLERK, "no pay")
    assert portal.signed_in("payer").get(SIGNED).status == 404


def test_a_seller_of_whom_nothing_was_signed_has_no_file_and_says_nothing_of_one(portal: Portal) -> None:
    services.store().write_one(Unit("unsigned").update((ENTITY, "entity"), remove=["bank_statement"]))
    browser = portal.signed_in()
    assert browser.get(SIGNED).status == 404
    assert browser.get(TRANSFER).status == 200 and SIGNED not in browser.get(TRANSFER).text


def told_on(browser: Browser) -> list[bool]:
    link = services.pay_links().token(scenes.NORTH, open_invoice())
    pages = (TRANSFER, f"{HOME}/invoices/{open_invoice()}", f"/pay/{link}?lang=en")
    return [TOLD in browser.get(page).text and "ended in 2051" in browser.get(page).text for page in pages]


def test_every_page_with_the_account_says_that_it_changed_for_ninety_days(portal: Portal) -> None:
    VisibilityRules(services.store(), portal.clock).set(
        scenes.NORTH, Visibility(actions=frozenset(SelfService)), CLERK, "links"
    )
    assert told_on(portal.signed_in()) == [False, False, False]
    of_staff.seller_details().change_bank(ENTITY, NEW, CLERK, "moved", lambda _unit: None)
    assert told_on(portal.signed_in()) == [True, True, True]
    portal.clock.now += timedelta(days=89)
    assert told_on(portal.signed_in()) == [True, True, True]
    portal.clock.now += timedelta(days=2)
    assert told_on(portal.signed_in()) == [False, True, True], "an invoice of before is never without a word"


def test_the_account_is_written_alike_wherever_it_stands(moved: Portal) -> None:
    for page in (TRANSFER, f"{HOME}/invoices/{open_invoice()}"):
        assert "DE89 3704 0044 0532 0130 00" in moved.signed_in().get(page).text, page


def test_the_pdf_of_an_invoice_of_before_is_reached_by_way_of_the_word(moved: Portal) -> None:
    browser, asked = moved.signed_in(), list[str]()
    moved.region.wire.watch = asked.append
    where = f"{HOME}/invoices/{open_invoice(0)}"
    answer = browser.get(f"{where}/pdf")
    assert answer.status == 303 and answer.location == f"{where}#transfer" and "Invoke" not in asked
    page = browser.get(where)
    (leads,) = set(re.findall(rf'href="({where}/pdf[^"]*)"', page.text))
    assert leads == f"{where}/pdf?told=1" and TOLD in page.text
    assert browser.get(leads).status != 303


def test_payers_and_admins_find_the_change_among_their_notifications(moved: Portal) -> None:
    text = "The bank account to pay to changed on 23 Nov 2026; the one before ended in 2051"
    for name, is_told in (("admin", True), ("payer", True), ("viewer", False), ("approver", False)):
        browser = moved.signed_in(name)
        page = browser.get("/notifications?lang=en").text
        german = "Das Konto für Ihre Zahlungen hat sich am 23.11.2026 geändert; das frühere endete auf 2051"
        assert (text in page or german in page) is is_told, name
        assert (TRANSFER in page) is is_told
    admin = moved.signed_in()
    assert text in admin.get("/notifications?kind=account_changed").text
    assert '<span class="tag wait">New</span>' in admin.get("/notifications?kind=account_changed").text
    moved.clock.now += timedelta(days=91)
    assert text not in moved.signed_in().get("/notifications").text


def test_customers_of_another_seller_hear_nothing_of_it(moved: Portal) -> None:
    account = "acct_eu_elsewhere"
    own = {"pk": account, "sk": "account"}
    theirs = services.store().get(scenes.OTHERS, "account") or {}
    services.store().put_many([{**theirs, **own, "entity_id": scenes.OTHER_ENTITY}])
    user = User("", scenes.OTHER_ORGANISATION, "eva@else.example", "Eva", "en", (Grant(account, Role.ACCOUNT_ADMIN),))
    moved.access.enrol(user, scenes.PASSWORD, job("tests"))
    browser = moved.browser()
    assert browser.sign_in("eva@else.example", scenes.PASSWORD).status == 303
    assert "ended in" not in browser.get("/notifications").text
