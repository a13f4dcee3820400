"""What the page of an invoice adds up, where more lies between its total and what is to be paid than credit."""

from __future__ import annotations

import pytest

from functions.portal.presenters.invoices import _sums
from functions.portal.words import Words
from saldo.invoicing.codec import body_from_bytes, body_to_bytes
from saldo.invoicing.model import InvoiceBody
from saldo.invoicing.records import draft_header
from saldo.quotes.reading import request_from
from saldo.quotes.rules import quote


def frozen(rates: list[dict[str, object]]) -> InvoiceBody:
    document = {
        "billing": {"on": "2026-01-31"},
        "items": [{"unit_price": "99.99"}],
        "taxes": {"rates": rates},
        "options": {"payable_rounding": {"to": "0.05"}},
    }
    (body,) = quote(request_from(document)).invoices
    return body_from_bytes(body_to_bytes(body))


KEPT = [{"percent": "21", "name": "IVA"}, {"percent": "15", "name": "IRPF", "collection": "withheld"}]


@pytest.mark.parametrize("language", ["en", "de", "fr", "es"])
def test_what_the_buyer_keeps_for_the_state_is_not_called_paid(language: str) -> None:
    body, words = frozen(KEPT), Words(language)
    rows = _sums(draft_header(body, "run"), body, words)
    assert [(row[0], row[3]) for row in rows] == [
        (words("invoice.net"), False),
        (rows[1][0], False),
        (words("invoice.total"), True),
        (rows[3][0], False),
        (words("invoice.rounding"), False),
        (words("invoice.open"), True),
    ]
    assert rows[1][0].startswith("IVA") and rows[3][0].startswith("IRPF") and rows[3][1]
    amounts = [row[2] for row in rows]
    assert amounts == [words.amount(minor, "EUR") for minor in (9999, 2100, 12099, -1500, 1, 10600)]


def test_an_invoice_of_which_nothing_is_kept_or_rounded_ends_with_its_total() -> None:
    body = frozen([{"percent": "25.0125", "name": "VAT"}])
    assert body.payable_minor == 12500
    rows = _sums(draft_header(body, "run"), body, Words("en"))
    assert [row[0] for row in rows][-1] == "Total"
