"""From sign-in to receipt: as usual, by keyboard, without JavaScript, on a phone, in the dark."""

from __future__ import annotations

import re
from typing import Any

import pytest

from functions.portal import services
from saldo.kernel.money import Money
from saldo.payments.model import GatewayEvent, GatewayPayment, PaymentStatus
from tests.functions.portal import scenes
from tests.web.conftest import Site
from tests.web.looking import focused, looked_at, sign_in, tab_to, violations

pytestmark = pytest.mark.web


def settle(site: Site) -> None:
    """The gateway's news that the one payment that was started has come in."""
    request = next(iter(site.portal.gateway.opened.values()))
    now = scenes.NOW
    news = GatewayPayment(
        request.payment_id, request.account_id, f"ref_{request.payment_id}", PaymentStatus.SETTLED,
        Money(request.amount.minor, request.amount.currency), now, method="Visa …4242",
    )  # fmt: skip
    services.payments().handle_event(GatewayEvent("evt_1", now, news))


def pages(site: Site) -> dict[str, str]:
    """Every page in every state, by the name of its pictures."""
    home = site.home
    return {
        "accounts": f"{site.url}/accounts?all=1",
        "overview": home,
        "invoices": f"{home}/invoices",
        "invoices-wrong": f"{home}/invoices?status=overdue&from=x",
        "invoices-none": f"{home}/invoices?text=none",
        "view-new": f"{home}/invoices/views/new?status=overdue",
        "across": f"{site.url}/invoices",
        "payments-found": f"{home}/payments?status=settled&from=2026-01-01",
        "payments-none": f"{home}/payments?text=none",
        "pay": f"{home}/pay?all=open",
        "payments": f"{home}/payments",
        "statement": f"{home}/statement",
        "statement-none": f"{home}/statement?from=2020-01-01&to=2020-02-01",
        "people": f"{home}/people",
        "invite": f"{home}/invite",
        "approvals": f"{home}/approvals",
        "session-ending": f"{site.url}/session/ending",
        "prove": f"{site.url}/session/prove",
        "sign-in-organisation": f"{site.url}/sign-in/organisation",
        "sign-in-link": f"{site.url}/sign-in/link",
        "sign-in-link-over": f"{site.url}/sign-in/link/none",
        "invitation-over": f"{site.url}/invitation/none",
        "paid": f"{site.url}/paid",
        "profile": f"{site.url}/profile",
        "codes": f"{site.url}/profile/codes",
        "notifications": f"{site.url}/notifications",
        "notification-choices": f"{site.url}/profile/notifications",
        "unsubscribe-over": f"{site.url}/unsubscribe/none",
        "help": f"{home}/help",
        "help-found": f"{home}/help?q=pay+automatically",
        "tour": f"{home}?tour=3",
        "not-found": f"{site.url}/accounts/acct_eu_none",
        "forgot": f"{site.url}/forgot-password",
        "sign-in": f"{site.url}/sign-in",
    }


def test_every_page_is_sound_in_every_mode(site: Site, chromium: Any, axe: str) -> None:
    context = chromium.new_context(bypass_csp=True)
    page = context.new_page()
    sign_in(page, site)
    page.goto(f"{site.home}/invoices?status=part_paid")
    invoice = page.locator("tbody th a").first.get_attribute("href")
    page.goto(f"{site.home}/payments")
    payment = page.locator("tbody th a").first.get_attribute("href")
    flaws = []
    for name, url in {**pages(site), "invoice": f"{site.url}{invoice}", "payment": f"{site.url}{payment}"}.items():
        page.goto(url)
        try:
            looked_at(page, name, axe)
        except AssertionError as found:
            flaws.append(str(found))
    context.close()
    assert not flaws, "\n".join(flaws)


def test_a_customer_signs_in_chooses_checks_pays_and_gets_a_receipt(site: Site, chromium: Any, axe: str) -> None:
    context = chromium.new_context(bypass_csp=True)
    page = context.new_page()
    sign_in(page, site)
    page.goto(f"{site.home}/invoices?status=overdue")
    boxes = page.locator("input[name=pay]")
    boxes.nth(0).check()
    boxes.nth(1).check()
    assert re.match(r"2 invoices · €[\d,.]+", page.inner_text("[data-total]"))
    page.click("text=Pay selected")
    assert page.locator("input[name=pay]:checked").count() == 2
    page.locator(".money").nth(0).fill("10.00")
    page.click("text=Continue")
    assert page.inner_text(".errors li") == "Say why you pay less than is open"
    assert page.evaluate("document.activeElement.className") == "errors"
    assert not violations(page, axe)
    page.fill("#reason", "Credit to follow")
    page.click("text=Continue")
    assert not violations(page, axe)
    page.route("**/pretend-gateway/**", lambda route: route.fulfill(body="the gateway's page"))
    page.click("text=Go on to pay")
    page.wait_for_url("**/pretend-gateway/pay/*")
    request = next(iter(site.portal.gateway.opened.values()))
    page.goto(request.return_url)
    assert "is not finished" in page.inner_text("h1") and not violations(page, axe)
    settle(site)
    page.wait_for_selector("text=We have received", timeout=10_000)
    assert "R-2026" in page.inner_text("dl") and "Credit to follow" in page.inner_text("dl")
    assert not violations(page, axe)
    context.close()


def test_what_is_ticked_goes_along_and_is_summed_with_and_without_javascript(
    site: Site, chromium: Any, axe: str
) -> None:
    context = chromium.new_context(bypass_csp=True)
    page = context.new_page()
    sign_in(page, site)
    page.goto(f"{site.home}/invoices?status=overdue")
    page.locator("input[type=checkbox][name=pay]").nth(0).check()
    first = page.inner_text("[data-total]")
    page.click("thead a:has-text('Open')")
    assert "sort=open_minor" in page.url and page.inner_text("[data-total]") == first.replace("1 invoices", "1 invoice")
    page.select_option("#status", "paid")
    page.click("button:has-text('Filter')")
    assert page.inner_text("[data-total]") == first  # of the one that is not on this page
    looked_at(page, "invoices-ticked", axe)
    page.click("text=Save this view")
    page.fill("#name", "Paid ones")
    page.click("button:has-text('Save')")
    assert page.inner_text(".views [aria-current]") == "Paid ones"
    looked_at(page, "invoices-view", axe)
    context.close()
    plain = chromium.new_context(java_script_enabled=False).new_page()
    sign_in(plain, site)
    plain.goto(f"{site.home}/invoices?status=overdue")
    plain.locator("input[type=checkbox][name=pay]").nth(0).check()
    plain.click("button[formaction$='/invoices']")
    assert plain.inner_text("[data-total]") == first and "status=overdue" in plain.url


def test_without_javascript_everything_can_be_done(site: Site, chromium: Any) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, site)
    page.click("text=Kontor Nord GmbH")
    page.click("text=Pay what is overdue")
    page.click("text=Continue")
    page.click("button:has-text('Change')")
    page.click("text=Continue")
    page.route("**/pretend-gateway/**", lambda route: route.fulfill(body="the gateway's page"))
    page.click("text=Go on to pay")
    page.wait_for_url("**/pretend-gateway/pay/*")
    page.goto(next(iter(site.portal.gateway.opened.values())).return_url)
    settle(site)
    page.click("text=Check again")
    assert "We have received €7,859.77" in page.inner_text("h1")
    page.click("text=Sign out")
    page.wait_for_url("**/sign-in")
    context.close()


def test_the_keyboard_alone_leads_from_sign_in_to_the_gateway(site: Site, chromium: Any) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{site.url}/sign-in")
    page.keyboard.press("Tab")
    assert focused(page) == "Skip to content"
    tab_to(page, "email")
    page.keyboard.type(site.email)
    page.keyboard.press("Tab")
    page.keyboard.type(site.password)
    page.keyboard.press("Enter")
    page.wait_for_url("**/accounts")
    tab_to(page, "Kontor Nord GmbH")
    page.keyboard.press("Enter")
    page.wait_for_url(site.home)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    tab_to(page, "Pay what is overdue", 3)
    page.keyboard.press("Enter")
    page.wait_for_url("**/pay?all=overdue")
    tab_to(page, "Continue")
    page.keyboard.press("Enter")
    page.wait_for_url("**/pay/check")
    page.route("**/pretend-gateway/**", lambda route: route.fulfill(body="the gateway's page"))
    tab_to(page, "Go on to pay")
    page.keyboard.press("Enter")
    page.wait_for_url("**/pretend-gateway/pay/*")
    context.close()


def test_the_account_switch_opens_closes_and_leads_elsewhere(site: Site, chromium: Any) -> None:
    context = chromium.new_context(viewport={"width": 360, "height": 640})
    page = context.new_page()
    sign_in(page, site)
    page.goto(site.home)
    page.click("summary")
    assert page.is_visible("text=All accounts together")
    page.keyboard.press("Escape")
    assert not page.is_visible("text=All accounts together")
    page.click("summary")
    page.click("text=Kontor Süd GmbH")
    page.wait_for_url(f"**/accounts/{scenes.SOUTH}")
    context.close()
