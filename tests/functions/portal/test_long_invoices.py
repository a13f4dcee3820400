"""An invoice of very many lines is read, disputed and credited page by page; each page is a small one."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from io import BytesIO

import pytest

from functions.portal import services
from saldo.invoicing.codec import body_from_bytes, body_to_bytes
from saldo.invoicing.records import body_item, body_key
from saldo.kernel.money import Money, split_by_weights
from tests.contexts.sellers import ENTITY
from tests.functions.portal import scenes
from tests.functions.portal.conftest import Portal
from tests.functions.portal.test_disputes import WORDS, largest, largest_by

HOME = f"/accounts/{scenes.NORTH}"
LINES = 1_002


@pytest.fixture
def long(portal: Portal) -> tuple[Portal, str]:
    """The portal, and an open invoice of 1,002 lines."""
    row, store = largest(portal), portal.region.store
    item = store.get(*body_key(scenes.NORTH, row.invoice_id))
    assert item
    body = body_from_bytes(item["body"])
    parts = [part.minor for part in split_by_weights(Money(body.net_minor, "EUR"), [1] * LINES)]
    lines = tuple(body.lines[n % 2]._replace(id=str(n + 1), net_minor=minor) for n, minor in enumerate(parts))
    store.put_many([body_item(scenes.NORTH, row.invoice_id, body_to_bytes(replace(body, lines=lines)))])
    return portal, row.invoice_id


def test_its_page_shows_a_hundred_lines_and_the_way_to_the_others(long: tuple[Portal, str]) -> None:
    portal, invoice_id = long
    browser, shown = portal.signed_in("admin"), []
    at = f"{HOME}/invoices/{invoice_id}"
    while at:
        page = browser.get(at)
        assert page.status == 200 and len(page.text.encode()) < 60_000
        shown.append(len(re.findall(r"<tr><t[hd][^>]*>.*?(?:Platform|Plattform|API)", page.text, re.DOTALL)))
        following = re.search(r'rel="next" href="([^"]+)"', page.text)
        at = following[1] if following else ""
    assert shown == [100] * 10 + [2]
    assert "Lines 1,001 to 1,002 of 1,002" in page.text


@pytest.mark.parametrize("asked", ["0", "99", "-1", "x", ""])
def test_a_page_that_is_not_there_is_the_nearest(long: tuple[Portal, str], asked: str) -> None:
    portal, invoice_id = long
    page = portal.signed_in("admin").get(f"{HOME}/invoices/{invoice_id}?lines={asked}")
    assert page.status == 200 and "Lines" in page.text


def test_lines_of_a_later_page_are_disputed(long: tuple[Portal, str]) -> None:
    portal, invoice_id = long
    browser, form = portal.signed_in("admin"), f"{HOME}/invoices/{invoice_id}/dispute"
    page = browser.get(f"{form}?lines=5")
    assert page.status == 200 and len(page.text.encode()) < 100_000
    assert 'value="401"' in page.text and 'value="400"' not in page.text
    wrong = browser.post(form + "/check", [("page", "5"), ("lines", "401"), ("line.401", "99999"), *WORDS.items()])
    assert wrong.status == 422 and 'value="401" checked' in wrong.text
    checked = browser.post(form + "/check", [("page", "5"), ("lines", "401"), ("lines", "402"), *WORDS.items()])
    assert checked.status == 200, checked.text
    hidden = {k: v for k, v in checked.hidden().items() if k != "form_key"}
    back = browser.post(form + "/change", hidden)
    assert 'value="401"' in back.text
    assert browser.post(form, {**hidden, "then": "show"}).status == 303
    assert largest_by(portal, invoice_id).disputed_minor > 0


def test_staff_see_it_page_by_page(long: tuple[Portal, str]) -> None:
    portal, invoice_id = long
    staff = portal.staff_in("analyst")
    page = staff.get(f"/staff/{ENTITY}/accounts/{scenes.NORTH}/invoices/{invoice_id}")
    assert page.status == 200 and len(page.text.encode()) < 60_000
    assert f"invoices/{invoice_id}?lines=2" in page.text


@dataclass
class _Made:
    """The documents function, and the bucket with what it made."""

    document: bytes

    def invoke(self, **_: object) -> dict[str, object]:
        return {"Payload": BytesIO(b'{"key": "k"}')}

    def get(self, _: str) -> bytes:
        return self.document


@pytest.mark.parametrize(("size", "status"), [(4_400_000, 200), (4_400_001, 422)])
def test_a_document_that_no_answer_holds_is_refused_in_words(
    portal: Portal, monkeypatch: pytest.MonkeyPatch, size: int, status: int
) -> None:
    made = _Made(b"%" * size)
    browser, row = portal.signed_in("admin"), largest(portal)
    services.narrowed()  # of the table's own client
    monkeypatch.setattr(services, "client", lambda _: made)
    monkeypatch.setattr(services, "documents", lambda: made)
    page = browser.get(f"{HOME}/invoices/{row.invoice_id}/pdf")
    assert page.status == status
    assert status == 200 or "too large to download here" in page.text
