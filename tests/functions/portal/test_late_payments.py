"""What the portal shows of 2,466 imported invoices on past days is what the file itself says."""

from __future__ import annotations

import csv
import re
from collections import Counter
from datetime import date

from functions.portal import services
from functions.portal.words import Words
from saldo.access.model import Grant, Role, User
from saldo.audit.model import job
from saldo.integration.imports_records import account_id_of
from tests.contexts.integration.scenes import World
from tests.contexts.integration.test_late_payments import FILE, OPTIONS, expected
from tests.contexts.sellers import ENTITY, entity
from tests.functions.portal import scenes
from tests.functions.portal.browser import Browser
from tests.functions.portal.conftest import Portal
from tests.in_process_aws import in_process_aws
from tests.shared import shared

EMAIL = "clerk@imported.example"
CUSTOMERS_SHOWN = 12
_AGING_ROW = re.compile(r'</svg>([^<]+)</th><td class="n soft">\d+</td><td class="n">([\d.,]+)</td>')


def _buckets_on(page: str) -> dict[str, str]:
    """Name of each aging bucket → amount, as the page writes them."""
    return dict(_AGING_ROW.findall(page))


def test_a_statement_shows_open_balance_and_aging_of_past_days(portal: Portal) -> None:
    path = shared(FILE)
    with in_process_aws():
        here = World({"old.csv": path.read_bytes()}, entity(currency="USD", country="US"))
        here.run("old.csv", **OPTIONS)
    with path.open() as file:
        rows = list(csv.DictReader(file))
    owed = {on: expected(rows, on) for on in (date(2013, 6, 30), date(2013, 12, 31))}
    shown = {on: sorted(of, key=lambda c: -sum(of[c].values()))[:CUSTOMERS_SHOWN] for on, of in owed.items()}
    store = services.store()
    people = list(store.scan())
    store._client = services.narrowed()._client = here.table  # type: ignore[assignment]
    store.put_many(people)
    customers = dict.fromkeys(customer for one in shown.values() for customer in one)
    grants = tuple(Grant(account_id_of(ENTITY, c), Role.VIEWER) for c in customers)
    portal.access.enrol(User("", scenes.ORGANISATION, EMAIL, "Clerk", "en", grants), scenes.PASSWORD, job("tests"))
    browser = portal.browser()
    assert browser.sign_in(EMAIL, scenes.PASSWORD).status == 303
    for on, customer in ((on, customer) for on, listed in shown.items() for customer in listed):
        _shows(browser, customer, on, owed[on][customer])


def _shows(browser: Browser, customer: str, on: date, wanted: Counter[str]) -> None:
    words = Words("en", "eu")
    page = browser.get(f"/accounts/{account_id_of(ENTITY, customer)}/statement?from=2012-01-01&to={on}")
    names = ("not_due", "1_30", "31_60", "61_90", "over_90")
    assert page.status == 200, customer
    assert _buckets_on(page.text) == {words(f"aging.{name}"): words.amount(wanted[name], "USD") for name in names}, (
        customer
    )
    closing = re.findall(r'data-label="Balance">([^<]+)</td></tr></tfoot>', page.text)
    assert closing == [words.amount(sum(wanted.values()), "USD")], customer
