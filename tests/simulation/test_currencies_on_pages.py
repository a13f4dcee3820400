"""What a customer sees of currencies: rates on the invoice, what came for a payment, both on the statement."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from functions.canary.browser import Browser
from saldo.access.model import Grant, Role, User
from saldo.kernel.money import Money
from tests.simulation.portal import PORTAL, Web, web
from tests.simulation.region import Region, quiet
from tests.simulation.workflows import exchange
from tests.simulation.workflows.exchange import BUYER
from tests.simulation.workflows.scenes import CLERK, JAN, bill, customer, subscription_id, use

HOME = f"/accounts/{BUYER}"
_SAID = {
    "en": "$49.00 at 1 EUR = 1.175 USD (ECB, 31 Dec 2025)",
    "de": "49,00 $ zu 1 EUR = 1,175 USD (ECB, 31.12.2025)",
    "fr": "49,00 $US au cours de 1 EUR = 1,175 USD (ECB, 31 déc. 2025)",
    "es": "49,00 US$ al cambio de 1 EUR = 1,175 USD (ECB, 31 dic 2025)",
}


def reader(net: Web, language: str = "en") -> Browser:
    grants, email = (Grant(BUYER, Role.PAYER),), f"{language}@customer.example"
    organisation = customer(exchange.DOLLARS).organisation_id
    net.access.enrol(User("", organisation, email, "Pat", language, grants), "Payer-Pass-1", CLERK)
    browser, known = Browser(PORTAL, net.send), {"email": email, "password": "Payer-Pass-1"}
    form = [pair for pair in browser.get("/sign-in").fields() if pair[0] not in known]
    assert browser.post("/sign-in", [*form, *known.items()]).status == 303
    return browser


def plainly(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u202f", " ").replace("&nbsp;", " ")


@pytest.mark.parametrize("language", sorted(_SAID))
def test_the_invoice_says_of_each_line_what_it_is_in_the_currency_of_its_price_and_at_which_rate(language: str) -> None:
    region = Region()
    with quiet(), region.serving():
        exchange.priced_in_dollars(region)
        bill(region, JAN)
        (header,) = region.store.query_all(BUYER, prefix="invoice#")
        with web(region) as net:
            page = reader(net, language).get(f"{HOME}/invoices/{header['invoice_id']}")
    assert page.status == 200
    assert _SAID[language] in plainly(page.text)


def test_a_payment_in_dollars_is_told_with_what_came_on_its_page_and_on_the_statement() -> None:
    region = Region()
    with quiet(), region.serving():
        exchange.owed_in_euros(region)
        payment = exchange.receive(region, Money(5000, "USD"))
        with web(region) as net:
            browser = reader(net)
            page = plainly(browser.get(f"{HOME}/payments/{payment.id}").text)
            statement = plainly(browser.get(f"{HOME}/statement?from=2026-01-01&to=2026-01-31").text)
            exchange.take_back(region)
            taken_back = plainly(browser.get(f"{HOME}/payments/{payment.id}").text)
            after = plainly(browser.get(f"{HOME}/statement?from=2026-01-01&to=2026-01-31").text)
    assert (
        "We have received $50.00" in page
        and "47.62" in page
        and "$50.00 at 1 EUR = 1.05 USD (ECB, 15 Jan 2026)" in page
    )
    assert f"{payment.receipt_number} ($50.00)" in statement
    assert "$50.00 was taken back" in taken_back
    assert "Payment taken back by the bank" in after
    assert payment.settled_at is not None and payment.settled_at.date() == date(2026, 1, 15)


def test_usage_and_subscriptions_look_ahead_in_the_currency_of_the_invoice() -> None:
    region = Region()
    with quiet(), region.serving():
        exchange.priced_in_dollars(region)
        bill(region, JAN)
        use(region, exchange.DOLLARS, "e1", datetime(2026, 1, 10, 12, tzinfo=UTC), 40_000)
        with web(region) as net:
            browser = reader(net)
            usage = browser.get(f"{HOME}/usage")
            sold = browser.get(f"{HOME}/subscriptions")
            one = browser.get(f"{HOME}/subscriptions/{subscription_id(exchange.DOLLARS)}")
    assert [usage.status, sold.status, one.status] == [200, 200, 200]
    assert "€41.70" in plainly(usage.text) or "41.70" in plainly(usage.text)
    assert "$49.00" in plainly(one.text) or "49.00" in plainly(one.text)
