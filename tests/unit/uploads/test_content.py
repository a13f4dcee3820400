"""What a file is, by its content alone; what pretends, hides or does something is refused."""

from __future__ import annotations

import io
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saldo.kernel.errors import Refusal
from saldo.uploads.model import FileKind
from saldo.uploads.rules import MOST_BYTES
from saldo.uploads.rules_content import file_kind_of
from tests.unit.uploads import samples

PNG, JPEG, PDF, SHEET = samples.picture("PNG"), samples.picture("JPEG"), samples.pdf(), samples.sheet()
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'


def refused(content: bytes) -> str:
    with pytest.raises(Refusal) as caught:
        file_kind_of(content)
    return caught.value.code


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PDF, FileKind.PDF),
        (PNG, FileKind.PNG),
        (JPEG, FileKind.JPEG),
        (SHEET, FileKind.XLSX),
        ("Nummer;Betrag\r\nRW-1;1.190,00 €\r\n".encode(), FileKind.TEXT),
        ("\ufeffé".encode(), FileKind.TEXT),
    ],
)
def test_ordinary_files_are_known_by_their_content(content: bytes, kind: FileKind) -> None:
    assert file_kind_of(content) is kind


def test_a_progressive_jpeg_with_several_scans_is_one_picture() -> None:
    from PIL import Image

    out = io.BytesIO()
    Image.effect_noise((64, 48), 90).convert("RGB").save(out, "JPEG", progressive=True)
    assert out.getvalue().count(b"\xff\xda") > 1 and file_kind_of(out.getvalue()) is FileKind.JPEG


@pytest.mark.parametrize("content", [SVG, b"\xef\xbb\xbf  " + SVG, b"<?xml version='1.0'?>" + SVG, b"a,b\n<script>"])
def test_pages_and_drawings_that_can_run_something_are_refused(content: bytes) -> None:
    assert refused(content) == "file_markup"


@pytest.mark.parametrize("picture", [PNG, JPEG, PDF, SHEET])
@pytest.mark.parametrize("tail", [b"<html>", samples.archive(), b"\x00" * 9 + b"x", PDF])
def test_what_goes_on_behind_its_end_is_refused(picture: bytes, tail: bytes) -> None:
    if picture is PDF and tail is PDF:
        return  # a PDF that is saved again grows at its end
    assert refused(picture + tail) in ("file_two_things", "file_unpacks_too_far")


def test_a_pdf_that_is_an_archive_with_a_fitting_comment_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("a.html", "<html>")
        made.comment = b"%%EOF"
    assert refused(PDF + out.getvalue()) == "file_two_things"


def test_a_jpeg_that_is_a_script_at_the_same_time_is_refused() -> None:
    script = b"\xff\xd8\xff\xe0\x2f\x2a" + b"*/=alert(1)/*".ljust(0x2F2A - 2, b"x") + JPEG[2:]
    assert refused(script) == "file_two_things"


def test_a_picture_whose_texts_are_a_page_is_refused() -> None:
    body = b"Comment\0<script>alert(1)</script>"
    chunk = len(body).to_bytes(4, "big") + b"tEXt" + body + zlib.crc32(b"tEXt" + body).to_bytes(4, "big")
    assert refused(PNG[:33] + chunk + PNG[33:]) == "file_two_things"


def test_a_locked_pdf_cannot_be_looked_at_and_is_refused() -> None:
    assert refused(samples.pdf(password="p")) == "file_encrypted"


@pytest.mark.parametrize("content", [samples.pdf(script="app.alert(1)"), samples.pdf(attachment=b"x")])
def test_a_pdf_that_runs_something_or_carries_files_is_refused(content: bytes) -> None:
    assert refused(content) == "file_active"


@pytest.mark.parametrize("name", [b"/S /JavaScript", b"/S /J#61vaScript", b"/S/Launch", b"/XFA []"])
@pytest.mark.parametrize("packed", [False, True])
def test_names_are_found_however_they_are_written_and_packed(name: bytes, packed: bool) -> None:
    assert refused(hidden(b"<< " + name + b" >>") if packed else PDF[:-6] + b"<< " + name + b" >>\n%%EOF\n") == (
        "file_active"
    )


def hidden(objects: bytes, facts: bytes = b"/Type /ObjStm /Filter /FlateDecode") -> bytes:
    """A PDF with objects inside a compressed stream."""
    body = zlib.compress(objects) if b"Flate" in facts else objects
    return PDF[:-6] + b"9 0 obj << " + facts + b" >>\nstream\n" + body + b"\nendstream endobj\n%%EOF\n"


def test_a_pdf_whose_objects_unpack_without_end_is_refused() -> None:
    assert refused(hidden(b" " * 60_000_000)) == "file_unpacks_too_far"


def test_a_pdf_that_hides_its_objects_in_a_way_that_is_not_looked_into_is_refused() -> None:
    assert refused(hidden(b"x", b"/Type /ObjStm /Filter [/ASCIIHexDecode /LZWDecode]")) == "file_broken"
    assert refused(hidden(b"x", b"/T#79pe /ObjStm /Filter /LZWDecode")) == "file_broken"


def test_bombs_are_stopped_before_they_unpack() -> None:
    assert refused(samples.sheet_with("xl/big.xml", b" " * 41_000_000)) == "file_unpacks_too_far"
    lying = bytearray(samples.sheet_with("xl/big.xml", b" " * 41_000_000))
    for mark, offset in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        at = lying.rfind(mark)
        lying[at + offset : at + offset + 4] = (10).to_bytes(4, "little")
    assert refused(bytes(lying)) == "file_broken"
    wide = PNG[:16] + (60_000).to_bytes(4, "big") * 2 + PNG[24:29]
    assert refused(wide + zlib.crc32(wide[12:29]).to_bytes(4, "big") + PNG[33:]) == "file_unpacks_too_far"


@pytest.mark.parametrize("name", ["xl/vbaProject.bin", "xl/embeddings/x.bin", "xl/activeX/a.xml", "xl/run.exe"])
def test_a_workbook_with_macros_or_other_files_is_refused(name: str) -> None:
    assert refused(samples.sheet_with(name)) == "file_active"


@pytest.mark.parametrize("name", ["../xl/a.xml", "xl/../../etc/passwd", "/etc/passwd", "C:\\a"])
def test_a_workbook_with_parts_that_lead_out_of_it_is_refused(name: str) -> None:
    assert refused(samples.sheet_with(name)) == "file_broken"


def test_other_archives_are_refused() -> None:
    assert refused(samples.archive()) == "file_unknown"


@pytest.mark.parametrize(
    "content", [b"MZ\x90\x00", b"\x7fELF\x02", b"\xcf\xfa\xed\xfe", b"GIF89a\x01\x00", b"\xff\xfe"]
)
def test_programs_and_kinds_that_nobody_asked_for_are_refused(content: bytes) -> None:
    assert refused(content) == "file_unknown"


def test_nothing_and_too_much_are_refused() -> None:
    assert refused(b"") == "file_empty"
    assert refused(b"a" * (MOST_BYTES + 1)) == "file_too_large"


@given(st.sampled_from([PNG, JPEG, PDF, SHEET]), st.data())
def test_a_file_that_is_cut_off_is_refused(content: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(9, len(content) - 3))
    assert refused(content[:at]).startswith("file_")


@given(st.sampled_from([b"", PNG[:8], JPEG[:4], b"%PDF-1.7\n", SHEET[:60]]), st.binary(max_size=3000))
def test_whatever_comes_is_taken_or_refused_and_breaks_nothing(start: bytes, rest: bytes) -> None:
    try:
        file_kind_of(start + rest)
    except Refusal as refusal:
        assert refusal.code.startswith("file_")


@given(st.binary(min_size=1, max_size=400), st.integers(0, 2000))
def test_a_sheet_with_other_bytes_in_it_is_read_or_refused(noise: bytes, at: int) -> None:
    try:
        file_kind_of(SHEET[:at] + noise + SHEET[at + len(noise) :])
    except Refusal as refusal:
        assert refusal.code.startswith("file_")
