"""Whatever a customer looks at or types, and however it fails: nothing of it stands in the portal's lines or errors."""

from __future__ import annotations

from io import BytesIO
from typing import Any
from zipfile import ZipFile

import pytest

from functions.portal import services
from saldo.audit.model import Actor
from saldo.disputes.model import DisputeReason
from saldo.disputes.service import Disputes, Wish
from saldo.invoicing.reading import open_rows
from saldo.support.model import Topic
from saldo.support.service import Question, Support
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


TICKET = Question("tkt_1", Topic.INVOICE, "Rieke asks about a meter", "The meter is in Lindenallee, ask for Ada.")
DISPUTE = "Ada Kern says that nobody came"
FILES = ("invoices", "payments", "statement", "activity")


def test_files_hold_of_people_what_they_declare_and_no_words_of_tickets_or_disputes(portal: Portal) -> None:
    payer, store = Actor(portal.user_id("admin"), "user"), services.store()
    Support(store, services.sealer(), portal.clock).ask(scenes.NORTH, TICKET, payer)
    invoice_id = open_rows(store, scenes.NORTH)[0].invoice_id
    Disputes(store, services.sealer(), portal.clock).open(
        Wish(scenes.NORTH, invoice_id, DisputeReason.PRICE, DISPUTE, "form-1", payer)
    )
    browser, words = portal.signed_in(), (TICKET.subject, TICKET.text, DISPUTE)
    held = {}
    for file in FILES:
        csv, book = browser.get(f"{HOME}/{file}.csv"), browser.get(f"{HOME}/{file}.xlsx")
        assert (csv.status, book.status) == (200, 200)
        text = csv.text + _unpacked(book.body)
        held[file] = {one for one in (*planted(), *words) if one in text} - {scenes.NORTH}
    name = scenes.PEOPLE["admin"].name
    assert {file: found for file, found in held.items() if found} == {"activity": {name}}, "declared: who did it"


def _unpacked(body: bytes) -> str:
    with ZipFile(BytesIO(body)) as book:
        return " ".join(book.read(name).decode() for name in book.namelist())
