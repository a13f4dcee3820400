"""Whatever a customer looks at or types, and however it fails: nothing of it stands in the portal's lines or errors."""

from __future__ import annotations

from typing import Any

import pytest

from functions.portal import services
from tests.contexts.sellers import address, entity, profile
from tests.functions.portal import scenes
from tests.functions.portal.conftest import SECRET, Portal

HOME = f"/accounts/{scenes.NORTH}"
PAGES = ("/accounts?all=1", HOME, f"{HOME}/invoices?text=Rieke", f"{HOME}/payments", f"{HOME}/statement", "/profile")


def planted() -> list[str]:
    own, admin = profile(), scenes.PEOPLE["admin"]
    names = [own.legal_name, own.contact_name, *own.emails, own.tax_id, *address().lines, admin.name, admin.email]
    return [*names, entity().iban, entity().email, SECRET.decode(), scenes.PASSWORD, scenes.NORTH]


def test_pages_forms_and_wrong_passwords_leave_nothing_in_the_lines(
    portal: Portal, capfd: pytest.CaptureFixture[str]
) -> None:
    portal.browser().sign_in(scenes.PEOPLE["admin"].email, scenes.PASSWORD + "x")
    browser = portal.signed_in()
    pages = [browser.get(path) for path in PAGES]
    assert all(page.status == 200 for page in pages)
    told = capfd.readouterr()
    assert told.out.count('"message": "request"') >= len(PAGES)
    assert [text for text in planted() if text in told.out + told.err] == []


@pytest.mark.parametrize("path", PAGES)
def test_a_page_that_breaks_quotes_nobody_to_the_log_or_to_the_reader(
    portal: Portal, path: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    browser = portal.signed_in()

    def quoting(*_: Any, **__: Any) -> Any:
        raise RuntimeError(" ".join(planted()))

    for name in ("query", "get_many"):
        monkeypatch.setattr(type(services.store()), name, quoting)
    monkeypatch.setattr(services, "sealer", quoting)
    capfd.readouterr()
    page = browser.get(path)
    told = capfd.readouterr()
    assert page.status == 500
    assert "RuntimeError" in told.out
    assert [text for text in planted() if text in told.out + told.err] == []
    secrets = (SECRET.decode(), scenes.PASSWORD, entity().iban, profile().tax_id)
    assert [text for text in secrets if text in page.text] == []
