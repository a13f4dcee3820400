"""Ids of another account in fields and queries: whatever a page is asked with, it stays in its own account."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from functions.portal.endpoint import declared
from functions.staff.endpoint import declared as of_staff
from saldo.access.rules import form_key
from tests.functions.portal.browser import Browser
from tests.functions.security.samples import ABROAD
from tests.functions.security.test_staff import ROLES, decides, of_role
from tests.functions.security.town import NORTH, OTHERS, Town

ROOT = Path(__file__).parents[3] / "functions"
_ASKED = re.compile(r"""\b(?:sent|asked)\("([\w.]+)"\)|form\.get\("([\w.]+)"|name="([\w.]+)""")
_NAMED = re.compile(_ASKED.pattern + r"""|get\.get\("(\w+)"|\.get\("(\w+)", \[""")
_MADE_WITH = re.compile(r"^from (functions\.(?:portal|staff)\.[\w.]+) import", re.MULTILINE)
SENT = ("account_id", "invoice_id", "payment_id", "method_id", "user_id", "approval_id", "subscription_id", "ticket_id")


def fields(application: str) -> set[str]:
    """Every name that a view or a template of an application asks for."""
    places = [*(ROOT / application).rglob("*.py"), *(ROOT / "portal" / "templates").rglob("*.html")]
    found = {name for p in places for names in _ASKED.findall(p.read_text("utf-8")) for name in names if name}
    return found - {"form_key"}


def fields_of(view: Callable[..., object]) -> set[str]:
    """Those that one view's module asks for, and the modules of pages that it is made with."""
    source = Path(inspect.getfile(view)).read_text("utf-8")
    made_with = [ROOT.parent / (m.replace(".", "/") + ".py") for m in _MADE_WITH.findall(source)]
    sources = [source, *(p.read_text("utf-8") for p in made_with if p.exists())]
    return {name for text in sources for names in _NAMED.findall(text) for name in names if name} - {"form_key"}


def view_of(app: Any, method: str, path: str) -> Callable[..., object]:
    """What was registered, inside of what the endpoint wrapped around it."""
    found: Callable[..., object] = inspect.getclosurevars(app.routes[path][method].view_function).nonlocals["view"]
    return found


def test_the_names_of_fields_are_found() -> None:
    assert {"pay", "method", "invoice", "reason", "session", "to", "act"} & fields("portal")
    assert len(fields("portal")) > 40 and {"seen", "why"} <= fields("staff")


@pytest.mark.parametrize("kind", SENT)
def test_no_field_or_query_of_a_page_reaches_another_account(town: Town, kind: str) -> None:
    browser, names = town.portal.with_codes("admin"), sorted(fields("portal"))
    foreign = town.has[OTHERS][kind]
    wrong = []
    for (method, path), rule in sorted(declared.items()):
        if rule.roles and not path.endswith("/pdf"):
            with town.watch() as watch:
                status = _sent(browser, method, town.path(path, NORTH), dict.fromkeys(names, foreign))
            if town.taken(watch, OTHERS) or {pk for pk, _ in watch.written} & town.owners[OTHERS] or status == 500:
                wrong.append((method, path, status, town.taken(watch, OTHERS)))
    assert not wrong


@pytest.mark.parametrize("name", ROLES)
def test_no_field_or_query_of_staffs_pages_reaches_another_seller(town: Town, name: str) -> None:
    browser, names = town.portal.staff_in(name), sorted(fields("staff"))
    wrong = []
    for (method, path), rule in sorted(of_staff.items()):
        if of_role(name)(method, path, rule) and not path.endswith(("/pdf", "/{template}")):
            for kind in ("account_id", "invoice_id", "entity_id"):
                with town.watch() as watch:
                    status = _sent(
                        browser, method, town.path(path, NORTH), dict.fromkeys(names, town.has[ABROAD][kind])
                    )
                read = {key for key in watch.read if key[0] in town.taken(watch, ABROAD) and not decides(key)}
                if read or {pk for pk, _ in watch.written} & town.owners[ABROAD] or status == 500:
                    wrong.append((method, path, kind, status, read))
    assert not wrong


def _sent(browser: Browser, method: str, path: str, asked: dict[str, str]) -> int:
    if method == "GET":
        return browser.get(path + "?" + "&".join(f"{n}={v}" for n, v in asked.items())).status
    token = browser.cookies["saldo-staff" if path.startswith("/staff") else "saldo"]
    return browser.post(path, {**asked, "form_key": form_key(token)}, key=False).status
