"""What people are told in the portal, what they choose, and how a mail is ended without signing in."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from functions.portal import services
from saldo.access.model_notices import NoticeKind, Way
from saldo.access.model_visibility import Visibility
from saldo.access.visibility import VisibilityRules
from saldo.audit.model import Actor, AuditRecord, job
from saldo.audit.records import audit_item
from saldo.invoicing.reading import open_rows
from saldo.invoicing.records import header_from, header_key
from saldo.invoicing.records_moves import dispute_update
from saldo.kernel.errors import Refusal
from saldo.notices.latest import LatestNews
from saldo.notices.records import news_key
from saldo.storage.units import Unit
from tests.contexts.sellers import CLERK
from tests.functions.portal import scenes
from tests.functions.portal.browser import Browser
from tests.functions.portal.conftest import Portal

NORTH, SOUTH = scenes.NORTH, scenes.SOUTH
NEW = '<span class="tag wait">New</span>'


def happens(portal: Portal, action: str, subject: str, account_id: str = NORTH, by: Actor | None = None) -> None:
    record = AuditRecord(account_id, portal.clock(), by or job("tests"), action, subject)
    services.store().put_many([audit_item(record)])
    LatestNews(services.store(), portal.clock).fold([audit_item(record)])


def counted(browser: Browser) -> str:
    """What the header says on a page that has nothing to do with notices."""
    found = re.search(r"Notifications<span aria-hidden=\"true\">&nbsp;\((\d+\+?)\)", browser.get("/profile").text)
    return found[1] if found else ""


def test_the_centre_tells_of_all_accounts_newest_first_and_leads_to_the_thing(portal: Portal) -> None:
    browser = portal.signed_in()
    portal.clock.now += timedelta(minutes=1)
    happens(portal, "payment.failed", "pay_1")
    portal.clock.now += timedelta(minutes=1)
    happens(portal, "dispute.refused", "disp_1", SOUTH)
    text = browser.get("/notifications").text
    assert text.index(">Dispute refused</a>") < text.index("/payments/pay_1")
    assert f'href="/accounts/{NORTH}/payments/pay_1"' in text and f'href="/accounts/{SOUTH}/disputes/disp_1"' in text
    assert "Kontor Süd GmbH" in text and re.search(r"Invoice RW-2026-\d+ was due on 1[0-9] \w+ 2026: €", text)
    assert "Fremde" not in text


def test_a_filter_shows_one_account_or_one_kind(portal: Portal) -> None:
    browser = portal.signed_in()
    happens(portal, "payment.failed", "pay_1")
    happens(portal, "payment.failed", "pay_2", SOUTH)
    south = browser.get(f"/notifications?account={SOUTH}").text
    assert "pay_2" in south and "pay_1" not in south
    failed = browser.get("/notifications?kind=payment_failed").text
    assert "pay_1" in failed and "pay_2" in failed and "is ready" not in failed
    assert "pay_1" in browser.get(f"/notifications?account={scenes.OTHERS}&kind=no&page=x").text


def test_long_lists_are_read_page_by_page(portal: Portal) -> None:
    browser = portal.signed_in("viewer")
    for n in range(30):
        portal.clock.now += timedelta(seconds=1)
        happens(portal, "payment.settled", f"pay_{n}")
    first = browser.get("/notifications?kind=payment_succeeded").text
    assert "pay_29" in first and 'pay_4"' not in first and "page=2" in first
    second = browser.get("/notifications?kind=payment_succeeded&page=2").text
    assert 'pay_4"' in second and "pay_29" not in second and "page=3" not in second


def test_the_header_counts_what_is_unread_and_no_page_pays_for_it(portal: Portal) -> None:
    browser = portal.signed_in("viewer")
    before = int(counted(browser) or 0)
    happens(portal, "payment.settled", "pay_1")
    happens(portal, "payment.started", "pay_2", by=Actor(portal.user_id("viewer"), "user"))
    bill = portal.region.records.bill
    asked = bill.calls.copy()
    assert int(counted(browser) or 0) == before and (bill.calls - asked).total() == 2
    portal.clock.now += timedelta(minutes=6)
    assert int(counted(browser)) == before + 1


def test_all_is_read_at_once_or_up_to_one_and_what_comes_later_stays_new(portal: Portal) -> None:
    browser = portal.signed_in("viewer")
    portal.clock.now += timedelta(minutes=1)
    happens(portal, "payment.settled", "pay_1")
    portal.clock.now += timedelta(minutes=1)
    happens(portal, "payment.settled", "pay_2")
    portal.clock.now += timedelta(minutes=1)
    text = browser.get("/notifications?kind=payment_succeeded").text
    assert text.count(NEW) == 2
    first_until = re.findall(r'name="until" value="([^"]+)"', text)[1]
    assert browser.post("/notifications/read", {"until": first_until}).status == 303
    assert browser.get("/notifications?kind=payment_succeeded").text.count(NEW) == 1 and counted(browser) == "1"
    whole = browser.get("/notifications").hidden()["until"]
    portal.clock.now += timedelta(minutes=1)
    happens(portal, "payment.settled", "pay_3")
    browser.post("/notifications/read", {"until": whole})
    assert counted(browser) == "1" and "Marked as read" in browser.get("/notifications?done=read").text
    browser.post("/notifications/read", {"until": first_until})
    assert counted(browser) == "1", "reading never goes back"
    assert browser.post("/notifications/read", {"until": "soon"}).status == 400


def test_what_is_asked_for_is_as_of_now_whatever_was_kept_as_news(portal: Portal) -> None:
    """Nothing of the stream has run: only the account's own counts tell that something moved."""
    browser = portal.signed_in()
    late = f"/notifications?account={NORTH}&kind=overdue"
    row = [r for r in open_rows(services.store(), NORTH) if r.is_overdue(scenes.TODAY)][-1]
    there = f"/invoices/{row.invoice_id}"
    assert there in browser.get(late).text and there in browser.get(late).text
    header, unit = header_from(services.store().get(*header_key(NORTH, row.invoice_id)) or {}), Unit("dispute")
    dispute_update(unit, header, header.open_minor - 100)
    services.store().write_one(unit)
    assert "€1.00" in browser.get(late).text
    held = header_from(services.store().get(*header_key(NORTH, row.invoice_id)) or {})
    scenes.pay(services.store(), held, None, scenes.TODAY, held.open_minor)
    assert there not in browser.get(late).text


def test_what_was_issued_a_moment_ago_is_told(portal: Portal) -> None:
    browser, ready = portal.signed_in("viewer"), f"/notifications?account={NORTH}&kind=invoice_ready"
    browser.get(ready)
    issued = scenes.invoice(services.store(), NORTH, scenes.TODAY, 12_300, 14)
    portal.clock.now += timedelta(minutes=2)
    assert f"/invoices/{issued.invoice_id}" in browser.get(ready).text


def test_an_act_that_comes_while_all_is_read_is_not_lost(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    browser, read = portal.signed_in("viewer"), LatestNews._newest

    def and_then(*args: Any) -> Any:
        found = read(*args)
        monkeypatch.setattr(LatestNews, "_newest", read)
        happens(portal, "payment.settled", "pay_meanwhile")
        return found

    services.store().write_one(Unit("as if nobody had looked").delete(news_key(NORTH)))
    happens(portal, "payment.settled", "pay_before")
    monkeypatch.setattr(LatestNews, "_newest", and_then)
    first, second = (browser.get(f"/notifications?account={NORTH}").text for _ in range(2))
    assert "pay_before" in first and "pay_before" in second and "pay_meanwhile" in second


def test_word_that_was_lost_is_told_within_an_hour(portal: Portal) -> None:
    browser = portal.signed_in("viewer")
    browser.get("/notifications")
    record = AuditRecord(NORTH, portal.clock(), job("tests"), "payment.failed", "pay_unheard")
    services.store().put_many([audit_item(record)])
    assert "pay_unheard" not in browser.get("/notifications").text
    for _ in range(5):
        portal.clock.now += timedelta(minutes=12)
        text = browser.get("/notifications").text
    assert "pay_unheard" in text


def test_acts_are_added_once_however_often_word_of_them_comes(portal: Portal) -> None:
    browser, news = portal.signed_in("viewer"), LatestNews(services.store(), portal.clock)
    browser.get("/notifications")
    record = audit_item(AuditRecord(NORTH, portal.clock(), job("tests"), "payment.failed", "pay_1"))
    nobodys = audit_item(AuditRecord(scenes.OTHERS, portal.clock(), job("tests"), "payment.failed", "pay_2"))
    assert [news.fold([record, nobodys]) for _ in range(2)] == [1, 1]
    assert browser.get("/notifications").text.count("/payments/pay_1") == 1
    assert services.store().get(scenes.OTHERS, "news") is None, "nobody looked there"


def test_roles_and_sight_are_those_of_now(portal: Portal) -> None:
    portal.clock.now -= timedelta(days=40)
    happens(portal, "payment.settled", "pay_old")
    portal.clock.now += timedelta(days=40)
    happens(portal, "profile.changed", NORTH)
    happens(portal, "method.expiry_told", "pm_1")
    assert "Billing details changed" in portal.signed_in().get("/notifications").text
    viewer = portal.signed_in("viewer").get("/notifications").text
    assert "Billing details changed" not in viewer and "/methods" not in viewer
    assert "was due on" in viewer and "is ready" in viewer and "pay_old" in viewer
    hidden = replace(Visibility(), open_only=True)
    VisibilityRules(services.store(), portal.clock).set(NORTH, hidden, CLERK, "a test")
    only_open = portal.signed_in("viewer").get("/notifications").text
    assert "pay_old" not in only_open and "was due on" in only_open


def test_a_sign_in_from_a_new_browser_is_told_here_too(portal: Portal) -> None:
    portal.signed_in("viewer").get("/profile")
    portal.clock.now += timedelta(hours=1)
    again = portal.signed_in("viewer")
    assert "Sign-in with a browser not seen before" in again.get("/notifications?kind=security").text


def test_choices_hold_for_portal_and_mail_and_are_on_record(portal: Portal) -> None:
    browser = portal.signed_in()
    happens(portal, "payment.failed", "pay_1")
    asked = browser.get("/profile/notifications").text
    assert "What you are told in any case" in asked and "Security of your access" in asked
    assert 'name="security"' not in asked and 'name="debit_announced"' not in asked
    kept = [("invoice_ready", "email"), ("invoice_ready", "portal"), ("dispute_moved", "portal")]
    answer = browser.post("/profile/notifications", kept)
    assert answer.location == "/profile/notifications?done=chosen"
    chosen = services.chosen_notices().of(portal.user_id("admin")).chosen
    assert chosen[NoticeKind.INVOICE_READY, Way.EMAIL] and not chosen[NoticeKind.DISPUTE_MOVED, Way.EMAIL]
    text = browser.get("/notifications").text
    assert "/payments/pay_1" not in text and "is ready" in text
    trail = services.store().query_all(portal.user_id("admin"), prefix="audit#")
    assert any(item["action"] == "notices.chosen" and item["after"]["email_dispute_moved"] is False for item in trail)


def test_what_must_be_told_cannot_be_switched_off_by_a_form_of_ones_own(portal: Portal) -> None:
    browser = portal.signed_in()
    browser.get("/profile/notifications")
    browser.post("/profile/notifications", {"security": ""})
    with pytest.raises(Refusal, match="cannot be switched off"):
        services.chosen_notices().choose("user_1", {(NoticeKind.SECURITY, Way.EMAIL): False}, CLERK)
    assert (NoticeKind.SECURITY, Way.EMAIL) not in services.chosen_notices().of(portal.user_id("admin")).chosen


def stop_path(portal: Portal, who: str = "viewer", kind: NoticeKind = NoticeKind.TICKET_ANSWERED) -> str:
    return "/unsubscribe/" + services.chosen_notices().stop_token(scenes.ORGANISATION, portal.user_id(who), kind)


def wants_answers(portal: Portal) -> bool:
    chosen = services.chosen_notices().of(portal.user_id("viewer")).chosen
    return chosen.get((NoticeKind.TICKET_ANSWERED, Way.EMAIL), True)


def test_looking_at_the_link_of_a_mail_changes_nothing(portal: Portal) -> None:
    page = portal.browser().get(stop_path(portal))
    assert page.status == 200 and "no longer want mail" in page.text and wants_answers(portal)


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_one_click_of_a_mail_program_ends_that_kind_of_mail_and_nothing_else(portal: Portal, kind: str) -> None:
    sent = {"List-Unsubscribe": "One-Click"}
    page = portal.browser().post(stop_path(portal), sent, key=False, content_type=kind, origin="")
    assert page.status == 200 and "no more mail" in page.text and not wants_answers(portal)
    assert services.chosen_notices().of(portal.user_id("viewer")).chosen == {
        (NoticeKind.TICKET_ANSWERED, Way.EMAIL): False
    }
    assert portal.browser().post(stop_path(portal), sent, key=False).status == 200, "twice comes to the same"


def test_a_link_that_is_not_ours_ends_nothing(portal: Portal) -> None:
    path = stop_path(portal)
    user, kind, signature = path.removeprefix("/unsubscribe/").split(".")
    others = portal.user_id("payer")
    forged = [f"{others}.{kind}.{signature}", f"{user}.dispute_moved.{signature}", f"{user}.{kind}.{'A' * 43}", "x"]
    required = stop_path(portal, kind=NoticeKind.SECURITY).removeprefix("/unsubscribe/")
    for token in (*forged, required):
        for page in (portal.browser().get(f"/unsubscribe/{token}"), portal.browser().post(f"/unsubscribe/{token}", {})):
            assert page.status == 422 and wants_answers(portal)


def test_a_letter_to_one_person_knows_whose_choice_it_obeys(portal: Portal) -> None:
    portal.signed_in().get("/profile")
    portal.clock.now += timedelta(hours=1)
    portal.signed_in()
    (letter,) = portal.mail("new_device")
    assert letter.notice is NoticeKind.SECURITY and letter.reader_id == portal.user_id("admin")
    assert urlsplit(letter.url).path == "/profile"
