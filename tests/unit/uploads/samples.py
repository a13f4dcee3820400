"""Files of every kind that is taken, made by other people's libraries."""

from __future__ import annotations

import io
import zipfile

from PIL import Image
from pypdf import PdfWriter
from pypdf.generic import DictionaryObject, NameObject, TextStringObject
from xlsxwriter import Workbook


def picture(kind: str) -> bytes:
    out = io.BytesIO()
    Image.effect_noise((64, 48), 90).convert("RGB").save(out, kind)
    return out.getvalue()


def pdf(script: str = "", password: str = "", attachment: bytes = b"") -> bytes:
    writer, out = PdfWriter(), io.BytesIO()
    writer.add_blank_page(200, 200)
    if script:
        action = {"/S": NameObject("/JavaScript"), "/JS": TextStringObject(script)}
        writer.root_object[NameObject("/OpenAction")] = DictionaryObject({NameObject(k): v for k, v in action.items()})
    if attachment:
        writer.add_attachment("a.txt", attachment)
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    writer.write(out)
    return out.getvalue()


def sheet() -> bytes:
    out = io.BytesIO()
    book = Workbook(out, {"in_memory": True})
    book.add_worksheet("Ledger").write_row(0, 0, ["RW-1", 119])
    book.close()
    return out.getvalue()


def sheet_with(name: str, content: bytes = b"x") -> bytes:
    """A workbook with one more part."""
    out = io.BytesIO(sheet())
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return out.getvalue()


def archive(name: str = "a.html", content: bytes = b"<html>") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr(name, content)
    return out.getvalue()
