"""Promising a payment, asking for terms and using credit, as a person does it in a browser, without JavaScript too."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from functions.portal import services
from saldo.audit.model import Actor
from saldo.invoicing.corrections import Corrections, CreditRequest
from saldo.invoicing.rules_corrections import Reason
from saldo.tax.table import TableTax, shipped_table
from tests.functions.portal import scenes
from tests.web.conftest import Site
from tests.web.looking import looked_at, sign_in

pytestmark = pytest.mark.web


def test_a_plan_is_made_followed_and_cancelled(site: Site, chromium: Any, axe: str) -> None:
    context = chromium.new_context(bypass_csp=True)
    page = context.new_page()
    sign_in(page, site)
    page.goto(f"{site.home}/plans")
    looked_at(page, "plans-none", axe)
    page.click("main >> text=Promise a payment")
    page.fill("#count", "0")
    page.locator("[name=pay]").first.check()
    page.fill("#first_on", (scenes.TODAY + timedelta(days=10)).isoformat())
    page.click("text=Continue")
    looked_at(page, "plan-form-wrong", axe)
    page.fill("#count", "4")
    page.click("text=Continue")
    looked_at(page, "plan-check", axe)
    page.click("text=Ask the seller")
    page.wait_for_url("**/plans/prm_*")
    looked_at(page, "plan-asked", axe)
    page.click("text=Take back the request")
    page.goto(f"{site.home}/plans/new")
    page.locator("[name=pay]").last.check()
    page.fill("#first_on", (scenes.TODAY + timedelta(days=10)).isoformat())
    page.fill("#count", "3")
    page.select_option("#every", "week")
    page.click("text=Continue")
    page.click("text=Promise it")
    page.wait_for_url("**/plans/prm_*")
    looked_at(page, "plan", axe)
    page.locator("main tbody th a").last.click()
    looked_at(page, "invoice-promised", axe)
    page.click("text=Show the promise")
    page.click("text=Cancel it")
    page.goto(f"{site.home}/plans")
    looked_at(page, "plans", axe)
    context.close()


def test_other_terms_are_asked_for_without_javascript(site: Site, chromium: Any, axe: str) -> None:
    context = chromium.new_context(bypass_csp=True)
    page = context.new_page()
    sign_in(page, site)
    page.goto(f"{site.home}/terms")
    looked_at(page, "terms", axe)
    page.fill("#days", "60")
    page.fill("#limit", "25,000.00")
    page.click("text=Continue")
    looked_at(page, "terms-check", axe)
    page.click("text=Ask the seller")
    looked_at(page, "terms-asked", axe)
    context.close()


def test_credit_is_seen_before_it_is_used(site: Site, chromium: Any, axe: str) -> None:
    items = services.store().query_all(scenes.NORTH, prefix="invoice#")
    paid = next(i for i in items if i["status"] == "paid" and i["document"] == "invoice" and i["total_minor"] > 5_000)
    clerk = Actor("staff_eu_x", "staff")
    asked = CreditRequest(scenes.NORTH, paid["invoice_id"], "r1", Reason.GOODWILL, clerk, total_minor=1_000)
    Corrections(services.store(), site.portal.clock, TableTax(shipped_table())).credit(asked)
    context = chromium.new_context(bypass_csp=True)
    page = context.new_page()
    sign_in(page, site)
    page.goto(f"{site.home}/pay?all=overdue")
    looked_at(page, "pay-credit", axe)
    page.click("text=Continue")
    looked_at(page, "pay-check-credit", axe)
    assert page.is_visible("text=Use the credit and pay")
    context.close()
