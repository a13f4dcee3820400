"""What goes with every answer there is: pages, files, redirects, refusals, and what the framework says itself."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from functions.portal import services
from functions.portal.cookies import SESSION, STAFF_SESSION, START, Cookies
from functions.portal.endpoint import declared, security_headers
from functions.portal.presenters.spreadsheets import harmless
from functions.staff.endpoint import declared as of_staff
from saldo.access.model import Grant, Role, User
from saldo.audit.model import job
from saldo.invoicing.records import header_item
from tests.functions.portal import scenes
from tests.functions.portal.browser import Browser, Page
from tests.functions.security.town import NORTH, OTHERS, Town, ask

TEMPLATES = Path(__file__).parents[3] / "functions" / "portal" / "templates"
INLINE = re.compile(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", re.IGNORECASE)
# What caches may keep: nothing in it is of any customer.
KEPT = ("/static/{name}", "/.well-known/jwks.json")
ALL = [*declared, *of_staff]


def answers(town: Town) -> Iterator[tuple[str, Page]]:
    """Of every route: for who may, for who may not, for nobody; and of every method it does not have."""
    customer, clerk = town.portal.signed_in("admin"), town.portal.staff_in("analyst")
    for method, path in sorted(ALL):
        where, own = town.path(path, NORTH, token="x", name="x"), clerk if path.startswith("/staff") else customer
        if "sign-out" not in path:
            yield path, ask(own, method, where)
        yield path, ask(town.portal.browser(), method, where)
        for other in ("PUT", "DELETE", "PATCH"):
            yield path, customer._send(other, where, b"", {"content-type": "application/json"})
        yield path, customer._send("POST", where, b"{}", {"content-type": "application/json"})


def test_every_answer_carries_every_header_of_the_policy(town: Town) -> None:
    """404, 405, 413 and 415 of the framework's own too; nothing personal is kept by any cache."""
    wanted, seen = security_headers(), set()
    for path, page in answers(town):
        seen.add(page.status)
        for name, value in wanted.items():
            assert page.headers.get(name.lower()) == value, (path, page.status, name)
        is_kept = path in KEPT and page.status == 200
        assert page.headers["cache-control"] == "no-store" or is_kept, (path, page.status)
        assert not INLINE.search(page.text), (path, page.status)
        assert "access-control-allow-origin" not in page.headers and "server" not in page.headers
    assert {200, 303, 403, 404, 405, 415} <= seen and 500 not in seen


@pytest.mark.parametrize("path", ["/no/such/page", "/accounts/acct_eu_1/nothing", "/wp-login.php", "/pay/a/b", "/api"])
def test_an_unknown_address_reads_as_what_is_not_ones_own_and_nothing_is_read_for_it(town: Town, path: str) -> None:
    """To people a page in their language, to programs what they take; signed in or not."""
    with town.watch() as watch:
        for browser in (town.portal.browser(), town.portal.signed_in("viewer")):
            watch.calls.clear()
            page = browser.get(path)
            assert (page.status, watch.calls.total()) == (404, 0) and "Page not found" in page.text
            assert browser.get(path, accept_language="fr").text.count("Page introuvable") == 2
            for accept in ("application/json", "*/*", "application/problem+json"):
                told = browser.get(path, accept=accept)
                assert told.headers["content-type"] == "application/problem+json" and '"not_found"' in told.text
    theirs = town.portal.signed_in("viewer").get(f"/accounts/{OTHERS}")
    assert (page.text, page.headers, page.status) == (theirs.text, theirs.headers, theirs.status)


def test_below_staff_an_unknown_address_leads_back_to_work(town: Town) -> None:
    page, theirs = (
        town.portal.staff_in("analyst").get(f"/staff/{where}") for where in ("ent_eu_lumen/nothing", "ent_eu_x")
    )
    assert page.status == 404 and 'href="/staff"' in page.text
    assert (page.text, page.headers, page.status) == (theirs.text, theirs.headers, theirs.status)
    assert '"not_found"' in town.portal.browser().get("/staff/nothing/at/all", accept="application/json").text


def test_an_address_that_takes_forms_says_so_to_who_types_it(town: Town) -> None:
    page = town.portal.signed_in("admin").get("/sign-out")
    assert (page.status, page.headers["allow"]) == (405, "POST") and "only takes forms" in page.text


def test_the_policy_lets_no_code_in_and_nobody_frame_us(town: Town) -> None:
    policy = dict(part.strip().partition(" ")[::2] for part in security_headers()["Content-Security-Policy"].split(";"))
    assert policy == {
        "default-src": "'self'",
        "form-action": "'self' http://localhost:9090",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
        "object-src": "'none'",
    }


def test_over_https_browsers_are_told_to_stay_there(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = replace(services.settings(), portal_origins={"eu": "https://pay.example"})
    monkeypatch.setattr(services, "settings", lambda: settings)
    assert security_headers()["Strict-Transport-Security"].startswith("max-age=63072000")


@pytest.mark.parametrize("base", [SESSION, STAFF_SESSION, START])
def test_cookies_are_for_this_host_alone_and_out_of_reach_of_scripts(base: str) -> None:
    made = Cookies("https://pay.example").kept(base, "value")
    assert made == f"__Host-{base}=value; Path=/; HttpOnly; SameSite=Lax; Secure"
    assert "Secure" not in Cookies("http://localhost:8080").kept(base, "value")
    assert Cookies("https://localhost.evil.example").kept(base, "v").endswith("Secure")


def test_no_template_has_code_or_style_of_its_own() -> None:
    found = [p.name for p in TEMPLATES.rglob("*.html") if INLINE.search(p.read_text("utf-8"))]
    unescaped = [
        p.name for p in TEMPLATES.rglob("*.html") if re.search(r"\|\s*safe\b|autoescape", p.read_text("utf-8"))
    ]
    assert not found and not unescaped


def test_only_files_that_are_there_are_served(town: Town) -> None:
    browser = town.portal.browser()
    name = re.search(r'href="/static/(saldo\.[0-9a-f]{12}\.css)"', browser.get("/sign-in").text)
    assert name is not None
    kept = browser.get(f"/static/{name[1]}")
    assert kept.status == 200 and "immutable" in kept.headers["cache-control"]
    for tried in ("saldo.css", "..%2Fendpoint.py", "..%5Cendpoint.py", "%2Fetc%2Fpasswd", f"{name[1]}%00.html", ".",
                  "..", "%252e%252e%252fendpoint.py", name[1].upper()):  # fmt: skip
        assert browser.get(f"/static/{tried}").status == 404, tried


@pytest.mark.parametrize(
    "to",
    [
        "https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", "/accounts//evil.example",
        "/accounts/../../evil", "/%2f%2fevil.example", "/accounts\r\nSet-Cookie: x=1", "/accounts%0d%0aLocation:x",
        "javascript:alert(1)", "/accounts/@evil.example", " /accounts", "/sign-out", "/accounts?x=//evil.example",
        "/staff\\evil", "http:evil.example", "/accounts/\u2028x", "/profile#//evil",
    ],
)  # fmt: skip
def test_nothing_leads_to_another_site(town: Town, to: str) -> None:
    """Wherever a page can be told where to go next."""
    browser, stays = town.portal.browser(), []
    stays.append(browser.sign_in(scenes.PEOPLE["admin"].email, scenes.PASSWORD, to))
    inside = town.portal.signed_in("admin")
    inside.get("/profile")
    stays.append(inside.post("/session/extend", {"next": to}))
    pages = [inside.get("/session/ending?next=" + _quoted(to)), browser.get("/sign-in?next=" + _quoted(to))]
    pages += [
        browser.get("/staff/sign-in?next=" + _quoted(to)),
        browser.get("/sign-in/organisation?next=" + _quoted(to)),
    ]
    for page in stays:
        assert re.fullmatch(r"/(accounts|profile)(/[\w./-]*)?(\?[\w=&%+.-]*)?", page.location), page.location
        assert "//" not in page.location and ".." not in page.location and len(page.cookies_set) <= 2
    for page in pages:
        assert not re.search(r'(href|action|value)="[^"]*evil', page.text) and "Set-Cookie: x" not in page.text


def _quoted(text: str) -> str:
    from urllib.parse import quote

    return quote(text, safe="")


def test_whatever_host_is_claimed_no_page_no_redirect_and_no_mail_believes_it(town: Town) -> None:
    evil = {"host": "evil.example", "x-forwarded-host": "evil.example", "forwarded": "host=evil.example"}
    evil |= {"x-original-url": "/staff", "x-rewrite-url": "/staff", "x-forwarded-proto": "javascript"}
    browser = town.portal.signed_in("admin")
    for method, path in sorted(ALL):
        if method == "GET" and not path.startswith("/staff"):
            page = browser.get(town.path(path, NORTH, token="x", name="x"), **evil)
            assert "evil.example" not in page.text + page.location, path
    fresh = town.portal.browser()
    fresh.get("/sign-in/link")
    fresh.post("/sign-in/link", {"email": scenes.PEOPLE["viewer"].email}, **evil)
    (letter,) = town.portal.mail("sign_in_link")
    assert letter.url.startswith("http://localhost:8080/")


EXPORTS = sorted(path for method, path in ALL if method == "GET" and path.endswith(".csv"))


@pytest.mark.parametrize("path", EXPORTS)
def test_no_cell_of_any_export_is_a_formula(town: Town, path: str) -> None:
    """Names and numbers that begin as formulas do are planted where customers and partners can put them."""
    header = scenes.header_of(NORTH, scenes.TODAY - timedelta(days=1), 9900, 14)
    services.store().put_many([header_item(replace(header, number='=HYPERLINK("http://evil.example")'))])
    sly = User("", scenes.ORGANISATION, "sly@kontor.example", "=cmd|' /C calc'!A0", "en", (Grant(NORTH, Role.PAYER),))
    town.portal.access.enrol(sly, scenes.PASSWORD, job("tests"))
    known = town.portal.browser()
    known.sign_in(sly.email, scenes.PASSWORD)
    known.get("/profile")
    known.post(f"/accounts/{NORTH}/help", {"ticket": "tkt_1", "topic": "invoice", "subject": "+1", "text": "@SUM(A1)"})
    browser = town.portal.staff_in("auditor") if path.startswith("/staff") else town.portal.signed_in("admin")
    page = browser.get(town.path(path, NORTH))
    assert page.status == 200 and page.headers["content-disposition"].startswith("attachment;")
    cells = [cell for row in csv.reader(io.StringIO(page.text.lstrip("\ufeff"))) for cell in row]
    assert len(cells) > 7 and not [cell for cell in cells if harmless(cell) != cell]


def test_what_nobody_expected_says_nothing_of_itself(
    town: Town, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    browser = town.portal.signed_in()
    monkeypatch.setattr("functions.portal.overview.standing", lambda *_: 1 / 0)
    page = browser.get(f"/accounts/{NORTH}")
    assert page.status == 500 and "division" not in page.text and "ZeroDivisionError" not in page.text
    logged = capsys.readouterr().out
    assert "ZeroDivisionError" in logged and '"PortalErrors": 1' in logged and NORTH not in logged
    assert isinstance(browser, Browser)
