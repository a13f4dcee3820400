"""Autopay as its owners see it: a rule in sentences, what comes next, notice with one link to cancel."""

from __future__ import annotations

from datetime import date, timedelta
from urllib.parse import urlsplit

import pytest

from functions.portal import services
from saldo.autopay.collecting import Collecting
from saldo.autopay.model import DebitState
from saldo.autopay.reading import paying_of
from saldo.autopay.service import DayReport
from saldo.invoicing.reading import open_rows
from saldo.payments.scheduled import ScheduledPayments
from tests.contexts.sellers import ENTITY
from tests.functions.portal import scenes
from tests.functions.portal.browser import Browser
from tests.functions.portal.conftest import Portal
from tests.functions.portal.test_methods import HOME, hear, shop, stored

__all__ = ["shop"]
FORM = {"when": "due", "days": "3", "day": "1", "method": "", "cap": "", "notice_days": "5"}
ALSO = [("also", flag) for flag in ("skips_disputed", "skips_promised", "takes_discounts")]


@pytest.fixture
def payer(shop: Portal) -> Browser:
    browser = shop.with_codes()
    stored(shop, browser)
    return browser


def setting(browser: Browser, **changes: str) -> str:
    browser.get(f"{HOME}/autopay/rule")
    fields = [*{**FORM, **changes}.items(), *ALSO]
    check = browser.post(f"{HOME}/autopay/check", fields)
    if check.status == 200:
        assert browser.post(f"{HOME}/autopay", fields).location == f"{HOME}/autopay?done=set"
    return check.text


def day(on: date) -> DayReport:
    return services.autopay().run(ENTITY, on, "http://localhost:8080/accounts/{account_id}/payments/{payment_id}")


def debits() -> list[DebitState]:
    return [d.state for d in paying_of(services.store(), scenes.NORTH).debits]


def test_a_rule_reads_as_sentences_and_the_preview_says_what_comes(shop: Portal, payer: Browser) -> None:
    text = setting(payer, when="before", cap="2000")
    assert "3 days before its due date from Visa •••• 4242" in text and "at most €2,000.00" in text
    preview = payer.get(f"{HOME}/autopay/preview").text
    plan = services.autopay().plan(scenes.NORTH, scenes.TODAY)
    assert plan.planned and all(line.number in preview for p in plan.planned for line in p.lines)
    assert any(one.code == "over_cap" for one in plan.left_out) and "most that one debit may take" in preview


def test_the_run_announces_what_the_preview_said_and_collects_it_on_its_day(shop: Portal, payer: Browser) -> None:
    setting(payer)
    expected = [p for p in services.autopay().plan(scenes.NORTH, scenes.TODAY).planned if p.announce_on == scenes.TODAY]
    assert day(scenes.TODAY).announced == len(expected) == 1 and day(scenes.TODAY).announced == 0
    before = sum(r.open_minor for r in open_rows(services.store(), scenes.NORTH))
    shop.clock.now += timedelta(days=5)
    assert day(expected[0].debit_on).started == 1 and day(expected[0].debit_on).started == 0
    hear(shop)
    after = sum(r.open_minor for r in open_rows(services.store(), scenes.NORTH))
    assert before - after == expected[0].minor
    day(expected[0].debit_on + timedelta(days=1))
    assert debits().count(DebitState.PAID) == 1


def test_everyone_who_pays_is_told_before_with_one_link_to_cancel(shop: Portal, payer: Browser) -> None:
    setting(payer)
    day(scenes.TODAY)
    letters = shop.mail("debit_announced")
    assert {letter.to for letter in letters} == {scenes.PEOPLE[who].email for who in ("admin", "payer")}
    (text, link) = letters[0].facts, urlsplit(letters[0].url).path
    assert any("€" in value for _, value in text)
    assert payer.get(link).status == 200
    assert payer.post(f"{link}/cancel", {}).location == f"{HOME}/autopay?done=cancelled"
    shop.clock.now += timedelta(days=5)
    assert day(scenes.TODAY + timedelta(days=5)).started == 0 and debits() == [DebitState.CANCELLED]
    assert day(scenes.TODAY + timedelta(days=6)).announced == 0


def test_one_invoice_is_left_out_from_its_own_page_also_after_the_notice(shop: Portal, payer: Browser) -> None:
    setting(payer)
    day(scenes.TODAY)
    (announced,) = paying_of(services.store(), scenes.NORTH).debits
    first = announced.lines[0].invoice_id
    page = payer.get(f"{HOME}/invoices/{first}")
    assert "Leave out of autopay" in page.text
    payer.post(f"{HOME}/invoices/{first}/autopay", {"leave": "out"})
    shop.clock.now += timedelta(days=5)
    day(announced.debit_on)
    charged = paying_of(services.store(), scenes.NORTH).debits[0].charged
    assert charged and first not in {a.invoice_id for a in charged}


def test_off_means_that_nothing_is_collected_any_more(shop: Portal, payer: Browser) -> None:
    setting(payer)
    day(scenes.TODAY)
    payer.get(f"{HOME}/autopay")
    payer.post(f"{HOME}/autopay/off", {})
    shop.clock.now += timedelta(days=5)
    assert day(scenes.TODAY + timedelta(days=5)).skipped == 1 and debits() == [DebitState.SKIPPED]


def test_a_declined_debit_is_told_and_announced_again(shop: Portal) -> None:
    browser = shop.with_codes()
    stored(shop, browser, card=5)
    setting(browser)
    day(scenes.TODAY)
    shop.clock.now += timedelta(days=5)
    day(scenes.TODAY + timedelta(days=5))
    hear(shop)
    report = day(scenes.TODAY + timedelta(days=6))
    assert report.failed == 1 and report.announced == 1 and len(shop.mail("debit_failed")) == 2
    assert debits() == [DebitState.FAILED, DebitState.ANNOUNCED]


@pytest.mark.parametrize("changes", [{"notice_days": "0"}, {"cap": "much"}, {"method": "meth_of_others"}])
def test_a_rule_that_cannot_hold_is_told_on_the_form(shop: Portal, payer: Browser, changes: dict[str, str]) -> None:
    assert 'role="alert"' in setting(payer, **changes)
    assert paying_of(services.store(), scenes.NORTH).rule is None


def test_a_rule_asks_for_a_proof_and_for_a_method(shop: Portal) -> None:
    browser = shop.signed_in()
    assert "needs a stored payment method" in browser.get(f"{HOME}/autopay").text
    assert shop.signed_in("viewer").get(f"{HOME}/autopay").status == 404


def test_a_card_that_will_expire_is_told_once_by_mail(shop: Portal) -> None:
    browser = shop.with_codes()
    stored(shop, browser, expires_on=scenes.TODAY + timedelta(days=20))
    on_day = ScheduledPayments(services.store(), shop.clock, services.payments())
    collecting = Collecting(services.autopay(), on_day, "")
    assert collecting.collect(ENTITY)["warned"] == 1 and collecting.collect(ENTITY)["warned"] == 0
    letters = shop.mail("method_expiring")
    assert len(letters) == 2 and "/methods" in letters[0].url
