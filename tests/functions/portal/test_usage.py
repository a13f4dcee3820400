"""Usage so far, the next invoice, and limits: seen by everybody of the account, set by its admins."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

import pytest

from functions.delivery.alert_letters import AlertLetters
from functions.portal import services
from saldo.catalog.model import Included, PerUnit
from saldo.catalog.records import plan_version_item
from saldo.kernel.errors import NotFound
from saldo.orders.model import Item as OrderItem
from saldo.orders.model import WaitingItem
from saldo.orders.records import add_item
from saldo.storage.units import Unit
from saldo.subscriptions.model import Alignment
from saldo.subscriptions.records import subscription_item
from saldo.subscriptions.rules import billed, subscribe
from saldo.subscriptions.service import Subscriptions
from saldo.usage.model_thresholds import Measure, Then, Threshold
from saldo.usage.records_thresholds import alert_key
from saldo.usage.service import Usage
from tests.contexts.sellers import CLERK, ENTITY
from tests.contexts.usage.billing import usage_plan
from tests.contexts.usage.scenes import CALLS, TOKENS, row
from tests.functions.portal import scenes
from tests.functions.portal.browser import ORIGIN, Browser, Page
from tests.functions.portal.conftest import Portal
from tests.functions.portal.test_subscriptions import sold as sold_plan

HOME = f"/accounts/{scenes.NORTH}"
NOVEMBER = date(2026, 11, 1)


@pytest.fixture
def used(portal: Portal) -> Portal:
    """Kontor Nord pays for tokens and calls; on the 23rd it has used 100 tokens since the 1st."""
    store = services.store()
    version = usage_plan((TOKENS.id, PerUnit(Decimal("0.50"))), (CALLS.id, Included(Decimal(10), PerUnit(Decimal(2)))))
    sold = subscribe(
        "sub_1",
        account_id=scenes.NORTH,
        entity_id=ENTITY,
        plan_version=version,
        started_on=NOVEMBER,
        alignment=Alignment.CALENDAR,
    )
    usage = Usage(store, portal.clock)
    for meter in (TOKENS, CALLS):
        usage.define_meter(meter, CLERK)
    store.put_many([plan_version_item(ENTITY, version), subscription_item(billed(sold, version, NOVEMBER))])
    report = usage.ingest(ENTITY, [row(1, account_id=scenes.NORTH, value="100")], origin="b1")
    assert report.accepted == 1
    return portal


def words_of(page: Page) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.text.split("<main")[1]).split())


def set_limit(browser: Browser, **asked: str) -> Page:
    browser.get(f"{HOME}/usage")
    checked = browser.post(f"{HOME}/usage/limit/check", {"of": "cost", "at": "60", "then": "alert"} | asked)
    return browser.post(f"{HOME}/usage/limit", checked.hidden()) if checked.status == 200 else checked


def test_everybody_of_an_account_sees_what_was_used_and_what_the_next_invoice_is_likely_to_be(used: Portal) -> None:
    page = used.signed_in("viewer").get(f"{HOME}/usage")
    text = words_of(page)
    assert page.status == 200 and "Your next invoice, on 1 Dec 2026, will come to about €66." in text
    assert "€50.00 of it so far" in text and "in a straight line" in text
    assert "Total before tax 50.00 66." in text and "Tax, estimated 9.50" in text
    assert "Total with tax, estimated 59.50" in text
    assert "So far 100 Expected 134 Expected in a straight line" in text
    assert 'action="' + HOME + "/usage/limit" not in page.text


def test_an_admin_sets_a_limit_sees_how_near_it_is_and_takes_it_away_again(used: Portal) -> None:
    admin = used.signed_in()
    assert set_limit(admin).location == f"{HOME}/usage?done=set"
    page = admin.get(f"{HOME}/usage?done=set")
    assert "The limit is set." in page.text and "Next invoice before tax: €60.00" in words_of(page)
    assert "83% used" in words_of(page)
    assert set_limit(admin, of="tokens", at="100", then="block").status == 303
    assert "Tokens: 100 Tell us, and ask for the service to stop Reached" in words_of(admin.get(f"{HOME}/usage"))
    page = admin.get(f"{HOME}/usage")
    removed = admin.post(f"{HOME}/usage/limit/remove", {"limit": page.hidden()["limit"]})
    assert removed.location == f"{HOME}/usage?done=removed"
    assert len(services.thresholds(services.store()).of_account(scenes.NORTH)) == 1
    told = [i["action"] for i in services.store().query_all(scenes.NORTH, prefix="audit#")]
    assert told.count("threshold.set") == 2 and told.count("threshold.removed") == 1


@pytest.mark.parametrize(
    ("typed", "says"),
    [("", "Enter an amount"), ("12 apples", "Enter an amount"), ("0", "above zero"), ("-3", "above zero")],
)
def test_a_limit_that_is_none_says_what_to_enter(used: Portal, typed: str, says: str) -> None:
    answer = set_limit(used.signed_in(), at=typed)
    assert answer.status == 422 and says in answer.text and 'href="#at"' in answer.text


def test_a_limit_of_the_seller_is_seen_and_stays(used: Portal) -> None:
    limits = services.thresholds(services.store())
    limits.put(scenes.NORTH, Threshold("cap", Measure.COST, Decimal(500), "", Then.BLOCK), CLERK)
    admin = used.signed_in()
    page = admin.get(f"{HOME}/usage")
    assert "Next invoice before tax: €500.00" in words_of(page) and "Remove" not in words_of(page)
    assert admin.post(f"{HOME}/usage/limit/remove", {"limit": "cap"}).status == 404
    assert [t.id for t in limits.of_account(scenes.NORTH)] == ["cap"]


def test_only_admins_set_limits_and_only_of_what_is_metered(used: Portal) -> None:
    payer = used.signed_in("payer")
    payer.get(f"{HOME}/usage")
    assert payer.post(f"{HOME}/usage/limit", {"of": "cost", "at": "60", "then": "alert"}).status == 404
    assert set_limit(used.signed_in(), of="elsewhere").status == 400


def test_a_limit_that_is_reached_is_mailed_once_in_the_accounts_language(used: Portal) -> None:
    limits, store = services.thresholds(services.store()), services.store()
    assert set_limit(used.signed_in(), at="50").status == 303
    (alert,) = limits.check([scenes.NORTH])
    assert limits.check([scenes.NORTH]) == []
    letters = AlertLetters(store, used.accounts, ORIGIN)
    letter = letters.letter(scenes.NORTH, alert_key(alert)[1])
    assert letter.subject == "Nächste Rechnung vor Steuern: Die Grenze von Kontor Nord GmbH ist erreicht"
    assert ("Grenze", "50,00\u00a0€") in letter.facts and ("Bisher", "50,00\u00a0€") in letter.facts
    assert letter.url == f"{ORIGIN}{HOME}/usage" and letter.to == ""
    limits.put(scenes.NORTH, Threshold("calls", Measure.PERCENT, Decimal(1), CALLS.id), CLERK)
    called = [row(n, account_id=scenes.NORTH, meter="calls", value="1") for n in range(2, 7)]
    assert Usage(store, used.clock).ingest(ENTITY, called, origin="b2").accepted == 5
    (alert,) = limits.check([scenes.NORTH])
    letter = letters.letter(scenes.NORTH, alert_key(alert)[1])
    assert letter.subject.startswith("Calls: ") and ("Bisher", "50\u00a0%") in letter.facts
    assert ("Zeitraum", "1.–30. Nov. 2026") in letter.facts
    for missing in ("alert#none#2026-12-01", "account"):
        with pytest.raises(NotFound):
            letters.letter(scenes.NORTH, missing)


def test_an_account_without_subscriptions_is_told_that_nothing_is_ahead(portal: Portal) -> None:
    page = portal.signed_in().get(f"{HOME}/usage")
    assert page.status == 200 and "There is nothing to bill at present." in page.text


@pytest.mark.parametrize(
    ("name", "unit", "beside"), [("Tokens", "tokens", ""), ("API calls", "calls", ""), ("Storage", "GB", "GB")]
)
def test_a_meter_says_its_unit_once(name: str, unit: str, beside: str) -> None:
    from functions.portal.presenters.usage import _unit_beside

    assert _unit_beside(name, unit) == beside


def test_the_page_reads_what_a_run_reads_once(used: Portal) -> None:
    browser, bill = used.signed_in(), used.region.records.bill
    browser.get(f"{HOME}/usage")
    before = bill.calls.copy()
    assert browser.get(f"{HOME}/usage").status == 200
    calls = bill.calls - before
    assert calls.total() == 2, calls  # session, and all that the last look read


def test_what_is_sold_added_or_used_after_a_look_is_on_the_page_at_once(used: Portal) -> None:
    """Which records a look reads is kept from the last one, what is in them never."""
    browser, store = used.signed_in(), services.store()

    def sentence() -> str:
        return words_of(browser.get(f"{HOME}/usage")).split("so far")[0]

    assert "€50.00 of it" in sentence() and sentence() == sentence()
    more = [row(2, account_id=scenes.NORTH, value="10")]
    Usage(store, used.clock).ingest(ENTITY, more, origin="b2")
    assert "€55.00 of it" in sentence()
    item = OrderItem("item_1", {"en": "Visit"}, Decimal(100), Decimal(1), "standard", "visit")
    waiting = WaitingItem(scenes.NORTH, ENTITY, item, date(2026, 12, 1), "tests")
    assert store.write_one(add_item(Unit("a visit"), waiting)) is None
    assert "€155.00 of it" in sentence()
    version = sold_plan("plan_more_v1", "plan_more", "60", "10")
    sold = subscribe("sub_2", account_id=scenes.NORTH, entity_id=ENTITY, plan_version=version, started_on=NOVEMBER)
    before = sentence()
    store.put_many([plan_version_item(ENTITY, version)])
    Subscriptions(store, used.clock).start(sold, CLERK)
    assert sentence() != before
