"""Documents made when asked for, kept, and never of what a customer may not see."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from io import BytesIO

import pytest
from pypdf import PdfReader

from saldo.accounts.model import BankStatement
from saldo.accounts.records import facts_print
from saldo.delivery.mail import html_part, text_part
from saldo.delivery.model import Letter
from saldo.documents.render import pdf_of
from saldo.documents.service import document_key
from saldo.invoicing.codec import body_to_bytes
from saldo.invoicing.model import InvoiceStatus
from saldo.invoicing.records import body_item, body_key, draft_header, header_item
from saldo.invoicing.rules_credit_notes import credit_note
from saldo.kernel.errors import NotFound, Refusal
from saldo.storage.units import Unit
from tests.contexts import sellers
from tests.contexts.conftest import Region
from tests.contexts.documents.scenes import DRAFT, INVOICE, PAYMENT, Scene, body, scene
from tests.contexts.sellers import ACCOUNT


def _text(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages).replace("\xa0", " ")


def test_an_invoice_is_rendered_once_and_from_then_on_read_from_the_bucket(region: Region) -> None:
    s = scene(region)
    pdf = s.documents.invoice_pdf(ACCOUNT, INVOICE)
    assert "RW-2026-000001" in _text(pdf) and "119,00 €" in _text(pdf) and "Kontor Nord GmbH" in _text(pdf)
    key = document_key(ACCOUNT, INVOICE, "de")
    assert s.files.get(key) == pdf
    s.files.put(key, b"the file that was kept", "application/pdf")
    assert s.documents.invoice_pdf(ACCOUNT, INVOICE) == b"the file that was kept"


def test_asking_for_the_key_makes_the_file(region: Region) -> None:
    s = scene(region)
    key = s.documents.ensure_invoice(ACCOUNT, INVOICE)
    assert s.files.get(key).startswith(b"%PDF-") and s.documents.ensure_invoice(ACCOUNT, INVOICE) == key


def test_an_invoice_stays_addressed_as_it_was_issued_when_the_profile_changes(region: Region) -> None:
    s = scene(region)
    s.accounts.change_profile(replace(sellers.profile(), legal_name="Kontor Süd AG"), sellers.CLERK)
    text = _text(s.documents.invoice_pdf(ACCOUNT, INVOICE))
    assert "Kontor Nord GmbH" in text and "Kontor Süd" not in text


def test_an_invoice_names_the_seller_as_it_was_when_it_was_issued(region: Region) -> None:
    s = scene(region)
    frozen = replace(body(), seller_facts=facts_print(sellers.entity()))
    pk, sk = body_key(ACCOUNT, INVOICE)
    region.store.put_many([{"pk": pk, "sk": sk, "kind": "body", "body": body_to_bytes(frozen)}])
    s.accounts.register_entity(sellers.entity(name="Rechenwerk SE", bank_name="Havelbank"), sellers.CLERK)
    text = _text(s.documents.invoice_pdf(ACCOUNT, INVOICE))
    assert "Rechenwerk GmbH" in text and "Spreebank" in text and "Havelbank" not in text
    lost = replace(frozen, seller_facts="gone")
    region.store.put_many([{"pk": pk, "sk": sk, "kind": "body", "body": body_to_bytes(lost)}])
    with pytest.raises(NotFound):
        s.documents.invoice_view(ACCOUNT, INVOICE)


def test_a_credit_note_has_a_document_that_names_its_invoice(region: Region) -> None:
    s = scene(region)
    note = credit_note(body(), date(2026, 11, 3), {"1": 1000})
    issued = replace(draft_header(note, "request_1"), number="RW-RK-2026-000001", status=InvoiceStatus.SETTLED)
    region.store.put_many([header_item(issued), body_item(ACCOUNT, note.id, body_to_bytes(note))])
    text = _text(s.documents.invoice_pdf(ACCOUNT, note.id))
    assert "Rechnungskorrektur RW-RK-2026-000001" in text and "RW-2026-000001 vom 01.11.2026" in text
    assert "−11,90 €" in text


def test_a_draft_has_no_document_and_reads_as_if_it_were_not_there(region: Region) -> None:
    s = scene(region)
    for missing in (DRAFT, "inv_20261101cccccccccccccccc"):
        with pytest.raises(NotFound, match="no such invoice"):
            s.documents.invoice_pdf(ACCOUNT, missing)


def test_another_accounts_invoice_is_not_found(region: Region) -> None:
    with pytest.raises(NotFound):
        scene(region).documents.invoice_pdf("acct_eu_stranger", INVOICE)


def test_an_invoice_brought_in_without_lines_has_no_document(region: Region) -> None:
    s = scene(region)
    region.store.write_one(Unit("lose").delete(body_key(ACCOUNT, INVOICE)))
    with pytest.raises(Refusal, match="no_invoice_body"):
        s.documents.invoice_pdf(ACCOUNT, INVOICE)


def test_a_receipt_names_the_invoice_that_was_paid(region: Region) -> None:
    s = scene(region)
    text = _text(s.documents.receipt_pdf(ACCOUNT, PAYMENT))
    assert "R-20261101-ABC" in text and "RW-2026-000001" in text and "119,00 €" in text
    assert s.files.get(document_key(ACCOUNT, PAYMENT, "de")).startswith(b"%PDF-")


def test_a_payment_under_way_has_no_receipt(region: Region) -> None:
    s = scene(region)
    region.store.write_one(Unit("undo").update((ACCOUNT, f"payment#{PAYMENT}"), remove=("settled_at",)))
    with pytest.raises(Refusal, match="not_settled"):
        s.documents.receipt_pdf(ACCOUNT, PAYMENT)
    with pytest.raises(NotFound):
        s.documents.receipt_pdf(ACCOUNT, "pay_unknown")


def test_an_invoice_of_the_months_after_a_change_says_that_the_account_was_another(region: Region) -> None:
    s, at = scene(region), region.clock()
    pk, sk = body_key(ACCOUNT, INVOICE)
    for since, is_told in ((date(2026, 11, 1), True), (date(2026, 8, 4), True), (date(2026, 8, 3), False)):
        seller = sellers.entity(bank_statement=BankStatement(2, at, since, "3000", "a.b.c"))
        s.accounts.register_entity(seller, sellers.CLERK)
        frozen = replace(body(), seller_facts=facts_print(seller))
        region.store.put_many([{"pk": pk, "sk": sk, "kind": "body", "body": body_to_bytes(frozen)}])
        view = s.documents.invoice_view(ACCOUNT, INVOICE)
        text = " ".join(_text(pdf_of(view)).split())
        said = "Das frühere Konto endete auf 3000" in text and "zwei Personen aus unserem Haus" in text
        assert said is is_told, since


def test_the_mail_of_an_invoice_warns_where_its_own_pdf_names_an_account_of_before(region: Region) -> None:
    s = scene(region)
    frozen = replace(body(), seller_facts=facts_print(sellers.entity()))
    pk, sk = body_key(ACCOUNT, INVOICE)
    region.store.put_many([{"pk": pk, "sk": sk, "kind": "body", "body": body_to_bytes(frozen)}])
    assert not letter_of(s).warning
    since = frozen.issued_on + timedelta(days=3)
    told = BankStatement(2, region.clock(), since, "2051", "a.b.c")
    moved = sellers.entity(iban="DE89370400440532013000", bank_statement=told)
    s.accounts.register_entity(moved, sellers.CLERK)
    region.clock.advance(days=500)
    letter = letter_of(s)
    assert "endete auf 2051" in letter.warning and letter.warning in text_part(letter)
    assert "endete auf 2051" in html_part(letter)
    pdf = _text(s.documents.invoice_pdf(ACCOUNT, INVOICE))
    assert "2051" in "".join(pdf.split()) and "DE89" not in pdf, "what was issued keeps what it was issued with"


def letter_of(s: Scene) -> Letter:
    letter = s.letters.letter(ACCOUNT, "invoice", INVOICE)
    assert letter is not None
    return letter
