"""The PDF itself: tagged, dated, readable, the same every time."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader

from saldo.documents.render import pdf_of
from tests.unit.documents.samples import BUYER, invoice, line, receipt


def _read(pdf: bytes) -> Any:
    return PdfReader(BytesIO(pdf))


def _text(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in _read(pdf).pages).replace("\xa0", " ")


def _roles(node: Any, found: list[str]) -> list[str]:
    """Every structure role of a tagged PDF, in reading order."""
    if isinstance(node, list):
        for child in node:
            _roles(child.get_object(), found)
    elif isinstance(node, dict):
        if "/S" in node:
            found.append(str(node["/S"]))
        if "/K" in node:
            _roles(node["/K"].get_object() if hasattr(node["/K"], "get_object") else node["/K"], found)
    return found


@pytest.mark.parametrize("language", ["de", "en", "fr", "es"])
@pytest.mark.parametrize("make", [invoice, receipt])
def test_a_document_is_tagged_and_names_its_language_and_title(make: Any, language: str) -> None:
    reader = _read(pdf_of(make(language=language)))
    catalog = reader.trailer["/Root"]
    assert catalog["/MarkInfo"]["/Marked"]
    assert catalog["/Lang"].startswith(language)
    assert catalog["/ViewerPreferences"]["/DisplayDocTitle"]
    assert "Nordlicht Cloud GmbH" in reader.metadata.title
    metadata = catalog["/Metadata"].get_data().decode()
    assert "<pdfuaid:part>1</pdfuaid:part>" in metadata
    assert "<pdfaid:part>3</pdfaid:part>" in metadata and "<pdfaid:conformance>A</pdfaid:conformance>" in metadata


def test_a_reader_without_eyes_finds_a_heading_a_table_with_heads_and_the_codes_description() -> None:
    tree = _read(pdf_of(invoice())).trailer["/Root"]["/StructTreeRoot"]
    roles = _roles(tree, [])
    assert roles.count("/H1") == 1 and "/H2" in roles
    assert roles.count("/TH") >= 6 and roles.count("/TD") >= 24
    assert "/Figure" in roles


def test_everything_an_invoice_must_say_can_be_read_as_text() -> None:
    text = _text(pdf_of(invoice()))
    for part in ("DE-2026-000123", "1. Dezember 2026", "Müller & Söhne", "DE811907980", "DE136695976", "1.085,82 €"):
        assert part in text
    assert "DE02 2005 0550 1015 8713 93" in text and "Seite 1 von 1" in text


def test_the_same_view_gives_the_same_bytes_dated_with_the_documents_own_date() -> None:
    first = pdf_of(invoice())
    pdf_of(invoice(number="another"))
    assert pdf_of(invoice()) == first
    assert str(_read(first).metadata.creation_date).startswith("2026-12-01")


def test_a_long_invoice_repeats_its_table_head_and_counts_its_pages() -> None:
    lines = tuple(line(f"Workspace {i}", "12", "seats", "18.50", 22200) for i in range(200))
    reader = _read(pdf_of(invoice(lines=lines, language="en")))
    texts = [page.extract_text() for page in reader.pages]
    total = len(texts)
    assert total > 5
    for number, text in enumerate(texts, 1):
        assert f"Page {number} of {total}" in text
        assert "Workspace" not in text or "Unit price" in text
    assert all(any(f"Workspace {i}\n" in text for text in texts) for i in range(200))


@pytest.mark.parametrize(
    "name", ["\u0a3c", "株式会社サルド", "😀 GmbH", "ไทย", "مرحبا", "bell\x07\x00", "Ὀδυσσεύς", "‮abc"]
)
def test_no_name_makes_an_invoice_fail(name: str) -> None:
    pdf = pdf_of(invoice(buyer=replace(BUYER, legal_name=name)))
    assert "70565 Stuttgart" in _text(pdf)
