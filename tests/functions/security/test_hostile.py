"""What nobody's browser sends: every field and query of every route is asked with it, and none answers 500."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import quote

import pytest

from functions.http.edge import Edge
from functions.portal.endpoint import edge
from functions.staff.endpoint import edge as staff_edge
from saldo.access.rules import form_key
from tests.functions.portal.browser import ORIGIN, Browser, Page
from tests.functions.security.test_fields import fields, fields_of, view_of
from tests.functions.security.town import NORTH, Town

FORM = "application/x-www-form-urlencoded"
TOO_LONG = "a number too long"
# As they travel. Python takes a number of 5,000 digits for an error, digits of other scripts for digits.
VALUES = {
    TOO_LONG: "9" * 5000,
    "the last day": "9999-12-31",
    "a null and a line": "a%00b%0d%0aSet-Cookie:%20x=1",
    "a cursor": "eyJwayI6MX0",
    "markup": quote('"><script>alert(1)</script>{{7*7}}'),
}
MORE = {
    "digits of another script": quote("٣٤"),
    "a superscript": quote("²"),
    "no number": "NaN",
    "a huge exponent": "1e999999",
    "the first day": "0001-01-01",
    "a path": quote("../../../etc/passwd"),
    "half a surrogate": "%ed%a0%80",
}
if os.environ.get("SALDO_THOROUGH"):
    VALUES |= MORE
LEAVING = {"/sign-out", "/staff/sign-out"}


@pytest.mark.parametrize("application", ["portal", "staff"])
@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_no_field_or_query_makes_a_page_fail(town: Town, application: str, value: str) -> None:
    """Nor does any of it come back as markup, as a header or as a cookie."""
    of: Edge[Any, Any] = edge if application == "portal" else staff_edge
    browser = town.portal.with_codes("admin") if application == "portal" else town.portal.staff_in("analyst")
    asked = "&".join(f"{name}={value}" for name in sorted(fields(application)))
    wrong = []
    for method, path in sorted(of.declared):
        if path not in LEAVING and not path.endswith(("/pdf", "/{template}")):
            page = sent(browser, method, town.path(path, NORTH, token="x", name="y"), asked)
            is_markup = "<script>alert" in page.text and "html" in page.headers.get("content-type", "")
            if page.status == 500 or is_markup or "x=1" in str(page.headers):
                wrong.append((method, path, page.status))
    assert not wrong


def sent(browser: Browser, method: str, path: str, asked: str) -> Page:
    """As our own page would send it, those without a session included."""
    if method == "GET":
        return browser._send("GET", f"{path}?{asked}", b"", {})
    is_open = path.startswith(("/sign-in", "/staff/sign-in", "/pay/", "/invitation", "/forgot"))
    if is_open and "saldo-start" not in browser.cookies:
        browser.get("/sign-in")
    session = "saldo-staff" if path.startswith("/staff") else "saldo"
    token = browser.cookies.get("saldo-start" if is_open else session, "")
    body = f"{asked}&form_key={form_key(token)}".encode()
    return browser._send("POST", path, body, {"content-type": FORM, "origin": ORIGIN})


def test_no_field_or_query_alone_makes_a_page_fail(town: Town) -> None:
    """One at a time, so that no refusal of another hides it."""
    clerk, customer, wrong = town.portal.staff_in("analyst"), town.portal.with_codes("admin"), []
    for of, browser in ((edge, customer), (staff_edge, clerk)):
        for method, path in sorted(of.declared):
            if path not in LEAVING and not path.endswith(("/pdf", "/{template}", ".csv")):
                for name in sorted(fields_of(view_of(town.portal.app, method, path))):
                    page = sent(
                        browser, method, town.path(path, NORTH, token="x", name="y"), f"{name}={VALUES[TOO_LONG]}"
                    )
                    if page.status == 500:
                        wrong.append((method, path, name))
    assert not wrong
