"""Terms of more than days on record: what runs issue, what shares an invoice, and what is corrected later."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest

from functions.portal.presenters.invoices import invoice_view as page_view
from functions.portal.words import Words
from saldo.accounts.arrangements import Arrangements
from saldo.accounts.model import Account, Terms
from saldo.accounts.model_payment_terms import MONTH_END, PaymentTerms
from saldo.accounts.records import account_from, account_item
from saldo.documents.layout import page_of
from saldo.documents.rules import invoice_view
from saldo.insight.invariants import check_all
from saldo.invoicing.codec import body_from_bytes
from saldo.invoicing.corrections import Corrections, CreditRequest
from saldo.invoicing.model import InvoiceBody
from saldo.invoicing.reading import Invoice
from saldo.invoicing.records import body_key, header_from
from saldo.invoicing.rules_corrections import Reason
from tests.simulation.region import Region, quiet
from tests.simulation.workflows.corrections import TAX
from tests.simulation.workflows.moving_in import one_organisation
from tests.simulation.workflows.scenes import CLERK, FEB, JAN, account_id, bill, profile
from tests.simulation.world import ENTITY

DAYS_THEN_END = PaymentTerms(30, day=MONTH_END)
PROX = PaymentTerms(day=20, months=1, cut_off=12)
PAYER = account_id(0)


@pytest.fixture
def region() -> Iterator[Region]:
    region = Region()
    with quiet(), region.serving():
        one_organisation(region)
        yield region
        assert check_all(region.store).violations == []


def agree(region: Region, account: str, due: PaymentTerms) -> None:
    Arrangements(region.store, region.clock).change_terms(account, Terms(), CLERK, "as agreed", due)


def issued(region: Region) -> list[Invoice]:
    items = region.store.query_all(PAYER, prefix="invoice#", consistent=True)
    headers = sorted(map(header_from, items), key=lambda header: (header.issued_on, header.number))
    return [Invoice(header, body(region, header.invoice_id), {}) for header in headers]


def body(region: Region, invoice_id: str) -> InvoiceBody:
    item = region.store.get(*body_key(PAYER, invoice_id))
    assert item is not None
    return body_from_bytes(item["body"])


def test_a_due_date_is_frozen_with_what_it_followed_from_and_new_terms_are_for_invoices_to_come(region: Region) -> None:
    Arrangements(region.store, region.clock).consolidate(account_id(1), PAYER, CLERK)
    agree(region, PAYER, DAYS_THEN_END)
    agree(region, account_id(1), PROX)
    bill(region, JAN)
    agree(region, PAYER, PROX)
    bill(region, FEB)
    agree(region, PAYER, PaymentTerms(14))
    first, second = issued(region)
    assert {line.account_id for line in first.body.lines} == {"", account_id(1)}, "the payer's terms are for all on it"
    assert [(i.header.due_on, i.body.due_on, i.body.payment_terms) for i in (first, second)] == [
        (date(2026, 1, 31), date(2026, 1, 31), DAYS_THEN_END),
        (date(2026, 3, 20), date(2026, 3, 20), PROX),
    ]
    changes = [i for i in region.store.query_all(PAYER, prefix="audit#") if i["action"] == "terms.changed"]
    assert "payment_terms" in changes[0]["after"] and "30" in repr(changes[0]["before"]), changes[0]


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "day 20 of the following month; after day 12 a month later"),
        ("de", "am 20. des Folgemonats; nach dem 12. einen Monat später"),
        ("fr", "le 20 du mois suivant\u202f; après le 12, un mois plus tard"),
        ("es", "el día 20 del mes siguiente; después del día 12, un mes más tarde"),
    ],
)
def test_document_and_page_say_the_terms_beside_the_date(region: Region, language: str, words: str) -> None:
    agree(region, PAYER, PROX)
    region.store.put_many([account_item(told_in(region, language))])
    bill(region, JAN)
    (one,) = issued(region)
    assert words in [text for _, text in page_of(invoice_view("N-1", one.body, ENTITY, profile(0), ""))["facts"]]
    assert page_view(one, FEB, "Europe/Berlin", Words(language)).terms == words


def told_in(region: Region, language: str) -> Account:
    item = region.store.get(PAYER, "account")
    assert item is not None
    return replace(account_from(item), language=language)


def test_what_stands_for_an_invoice_has_its_due_date_and_does_not_say_what_that_follows_from(region: Region) -> None:
    agree(region, PAYER, DAYS_THEN_END)
    bill(region, JAN)
    (one,) = issued(region)
    asked = CreditRequest(PAYER, one.header.invoice_id, "r1", Reason.PRICE, CLERK)
    note, new = Corrections(region.store, region.clock, TAX).rebill(asked)
    assert body(region, new.invoice_id).due_on == one.body.due_on
    assert body(region, new.invoice_id).payment_terms is body(region, note.invoice_id).payment_terms is None


def test_an_account_as_it_was_written_before_has_its_days(region: Region) -> None:
    item = region.store.get(PAYER, "account")
    assert item is not None and "payment_terms" not in item
    assert account_from(item).payment_terms == PaymentTerms(30)
    agree(region, PAYER, PROX)
    agree(region, PAYER, PaymentTerms(30))
    assert region.store.get(PAYER, "account") == item, "and is written so again"
