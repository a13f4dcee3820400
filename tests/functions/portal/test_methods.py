"""Stored payment methods as their owners see them: added at the gateway, charged by one click, later, removed."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from functions.portal import services
from local.gateway.methods import CARDS, IBANS
from saldo.audit.model import Actor
from saldo.invoicing.reading import open_rows
from saldo.payments.model import Payment, PaymentStatus
from saldo.payments.model_approvals import ApprovalPolicy, Level
from saldo.payments.model_methods import StoredMethod
from saldo.payments.records_methods import methods_of
from saldo.payments.rules_methods import creditor_reference
from saldo.payments.scheduled import ScheduledPayments, ScheduledState
from saldo.payments.service import Payments
from saldo.payments.webhooks import event_from
from tests.contexts.sellers import ENTITY
from tests.functions.portal import scenes
from tests.functions.portal.browser import Browser, Page
from tests.functions.portal.conftest import Portal

HOME = f"/accounts/{scenes.NORTH}"
SAVED, CHALLENGED, DECLINED, BROKE = CARDS[0], CARDS[2], CARDS[3], CARDS[5]


@pytest.fixture
def shop(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> Portal:
    """With the gateway's own book behind the port."""
    monkeypatch.setattr(services, "payments", lambda: Payments(services.store(), portal.region.gateway, portal.clock))
    return portal


def hear(portal: Portal) -> None:
    """What the gateway has to tell, told twice and the latest first."""
    book = portal.region.book
    due = book.due_deliveries(portal.clock(), 100)
    for delivery in due:
        book.delivered(delivery, portal.clock(), None)
    for delivery in [*reversed(due), *due]:
        services.payments().handle_event(event_from(delivery.body))


def adding(portal: Portal, browser: Browser) -> Page:
    browser.get(f"{HOME}/methods/add")
    hidden = browser.page.hidden() if browser.page else {}
    fields = {"request_key": hidden["request_key"], "password": scenes.PASSWORD, "code": portal.code()}
    return browser.post(f"{HOME}/methods/add", fields)


def stored(portal: Portal, browser: Browser, card: int = 0, expires_on: date = date(2030, 4, 30)) -> StoredMethod:
    ref = adding(portal, browser).location.rpartition("/")[2]
    portal.region.book.save(ref, "card", CARDS[card], portal.clock(), expires_on=expires_on)
    if CARDS[card] is CHALLENGED:
        portal.region.book.answer_setup(ref, True, portal.clock())
    hear(portal)
    portal.clock.now += timedelta(seconds=30)
    return methods_of(services.store(), scenes.NORTH).active[0]


def pay(browser: Browser, method: str, *, on: str = "", at: int = 0) -> Page:
    row = sorted(open_rows(services.store(), scenes.NORTH), key=lambda r: r.open_minor)[at]
    browser.get(f"{HOME}/pay?pay={row.invoice_id}")
    shown = browser.post(f"{HOME}/pay/check", {"pay": row.invoice_id})
    fields = {k: v for k, v in shown.hidden().items() if k != "form_key"}
    return browser.post(f"{HOME}/pay/confirm", {**fields, "method": method, "on": on})


def latest() -> Payment:
    return services.payments().of_account(scenes.NORTH)[0]


def test_a_card_is_stored_at_the_gateway_and_charged_by_one_click(shop: Portal) -> None:
    browser = shop.with_codes()
    method = stored(shop, browser)
    page = browser.get(f"{HOME}/methods").text
    assert "Visa •••• 4242" in page and method.token not in page and "Apr 2030" in page
    before = sum(r.open_minor for r in open_rows(services.store(), scenes.NORTH))
    answer = pay(browser, method.id)
    payment = latest()
    assert answer.location == f"{HOME}/payments/{payment.id}" and payment.status is PaymentStatus.SETTLED
    hear(shop)
    after = sum(r.open_minor for r in open_rows(services.store(), scenes.NORTH))
    assert before - after == payment.settled_minor == payment.amount.minor


def test_adding_asks_for_a_proof_first_and_tells_nobody_else_of_it(shop: Portal) -> None:
    browser = shop.signed_in()
    page = browser.get(f"{HOME}/methods/add")
    assert "/profile/codes" in page.text
    assert browser.post(f"{HOME}/methods/add", {"request_key": "a-form-of-mine"}).status == 422
    assert methods_of(services.store(), scenes.NORTH).all == ()
    assert shop.signed_in("viewer").get(f"{HOME}/methods").status == 404


def test_a_card_that_asks_its_owner_leads_to_the_page_where_they_answer(shop: Portal) -> None:
    browser = shop.with_codes()
    method = stored(shop, browser, card=2)
    answer = pay(browser, method.id)
    assert "/pay/chk_" in answer.location and latest().status is PaymentStatus.REQUIRES_ACTION
    shop.region.book.answer_challenge(latest().gateway_ref, True, shop.clock())
    hear(shop)
    assert latest().status is PaymentStatus.SETTLED


def test_a_stored_card_that_is_declined_leaves_the_invoice_open(shop: Portal) -> None:
    browser = shop.with_codes()
    method = stored(shop, browser, card=5)
    before = open_rows(services.store(), scenes.NORTH)
    answer = pay(browser, method.id)
    assert latest().status is PaymentStatus.FAILED and latest().failure_code == "card_declined"
    assert open_rows(services.store(), scenes.NORTH) == before
    assert browser.follow(answer).status == 200


def test_a_card_that_is_not_stored_says_why(shop: Portal) -> None:
    browser = shop.with_codes()
    ref = adding(shop, browser).location.rpartition("/")[2]
    shop.region.book.save(ref, "card", DECLINED, shop.clock(), expires_on=date(2030, 4, 30))
    hear(shop)
    assert "declined" in browser.get(f"{HOME}/methods").text
    assert methods_of(services.store(), scenes.NORTH).active == ()


def test_a_mandate_pays_in_euro_and_is_under_way_until_the_bank_says_so(shop: Portal) -> None:
    browser = shop.with_codes()
    ref = adding(shop, browser).location.rpartition("/")[2]
    shop.region.book.save(ref, "debit", IBANS[1], shop.clock(), pays_in="EUR")
    hear(shop)
    pay(browser, methods_of(services.store(), scenes.NORTH).active[0].id)
    assert latest().status is PaymentStatus.PROCESSING
    shop.clock.now += timedelta(days=4)
    shop.region.book.let_time_pass(shop.clock())
    hear(shop)
    assert latest().failure_code == "insufficient_funds" and latest().applied == ()


def test_a_removed_method_is_charged_no_more_and_the_gateway_lets_go_of_it(shop: Portal) -> None:
    browser = shop.with_codes()
    first, second = stored(shop, browser), stored(shop, browser, card=1)
    browser.get(f"{HOME}/methods/{second.id}")
    assert browser.post(f"{HOME}/methods/{second.id}/default", {}).status == 303
    default = methods_of(services.store(), scenes.NORTH).default
    assert default is not None and default.id == second.id
    browser.get(f"{HOME}/methods/{second.id}")
    assert browser.post(f"{HOME}/methods/{second.id}/remove", {}).status == 303
    left = methods_of(services.store(), scenes.NORTH)
    assert left.default is not None and left.default.id == first.id
    kept = shop.region.book.setup_of(second.id)
    assert kept is not None and kept["forgotten"] == 1
    assert pay(browser, second.id).status == 422 and len(services.payments().of_account(scenes.NORTH)) > 0
    assert latest().method_id == ""


def test_the_check_says_who_else_must_agree(shop: Portal) -> None:
    policy = ApprovalPolicy({"EUR": (Level(0),)})
    services.approvals().set_policy(scenes.NORTH, policy, Actor("user_eu_clerk", "staff"), "rules")
    browser = shop.with_codes()
    method = stored(shop, browser)
    row = min(open_rows(services.store(), scenes.NORTH), key=lambda r: r.open_minor)
    browser.get(f"{HOME}/pay?pay={row.invoice_id}")
    assert "1 person must approve" in browser.post(f"{HOME}/pay/check", {"pay": row.invoice_id}).text
    assert "/approvals/appr_" in pay(browser, method.id).location


def collect(portal: Portal, on: date) -> list[ScheduledState]:
    back = "http://localhost:8080/accounts/{account_id}/payments/{payment_id}"
    due = ScheduledPayments(services.store(), portal.clock, services.payments()).start_due(ENTITY, on, back)
    return [one.state for one in due]


def test_a_payment_of_a_later_day_starts_on_it_once_and_can_be_cancelled_until_then(shop: Portal) -> None:
    browser = shop.with_codes()
    method, on = stored(shop, browser), scenes.TODAY + timedelta(days=5)
    assert pay(browser, method.id, on=on.isoformat()).location == f"{HOME}/scheduled?done=scheduled"
    pay(browser, method.id, on=on.isoformat(), at=1)
    page = browser.get(f"{HOME}/scheduled")
    first = page.text.split("/scheduled/")[1].split("/cancel")[0]
    assert browser.post(f"{HOME}/scheduled/{first}/cancel", {}).status == 303
    assert collect(shop, on - timedelta(days=1)) == [] and latest().method_id == ""
    shop.clock.now += timedelta(days=5)
    assert collect(shop, on) == [ScheduledState.STARTED] and collect(shop, on) == []
    assert latest().method_id == method.id and latest().status is PaymentStatus.SETTLED
    browser = shop.with_codes()
    browser.get(f"{HOME}/scheduled")
    assert browser.post(f"{HOME}/scheduled/{first}/cancel", {}).status == 303


@pytest.mark.parametrize(
    ("on", "method"), [("2026-11-01", ""), ("2028-01-01", ""), ("never", ""), ("2026-11-30", "another")]
)
def test_a_day_that_does_not_do_is_told_on_the_page(shop: Portal, on: str, method: str) -> None:
    browser = shop.with_codes()
    mine = stored(shop, browser)
    assert pay(browser, method or mine.id, on=on).status == 422
    assert latest().method_id == ""


def test_a_later_payment_waits_for_those_who_must_agree(shop: Portal) -> None:
    policy = ApprovalPolicy({"EUR": (Level(0),)})
    services.approvals().set_policy(scenes.NORTH, policy, Actor("user_eu_clerk", "staff"), "rules")
    browser = shop.with_codes()
    method, on = stored(shop, browser), scenes.TODAY + timedelta(days=2)
    pay(browser, method.id, on=on.isoformat())
    shop.clock.now += timedelta(days=2)
    assert collect(shop, on) == [ScheduledState.FAILED] and latest().method_id == ""


def test_bank_transfers_have_a_reference_with_check_digits(shop: Portal) -> None:
    text = shop.signed_in().get(f"{HOME}/methods/transfer").text
    reference = creditor_reference(scenes.NORTH)
    assert reference[:8] in text.replace(" ", "")
    assert int("".join(str(int(c, 36)) for c in reference[4:] + reference[:4])) % 97 == 1


def test_methods_warn_before_they_expire(shop: Portal) -> None:
    browser = shop.with_codes()
    stored(shop, browser, expires_on=date(2026, 12, 10))
    assert "expires soon" in browser.get(f"{HOME}/methods").text
