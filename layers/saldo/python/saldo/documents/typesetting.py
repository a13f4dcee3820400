"""Sets a page's texts as PDF by Typst: tagged (PDF/UA-1), archivable (PDF/A-3a), the same bytes every time.

No network and no fonts of the machine: Typst's own and Source Sans Pro (SIL OFL 1.1) from its Python package.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, time
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unicodedata import category

from saldo.documents.layout import Page

if TYPE_CHECKING:
    from typst import Compiler, PDFStandard

_TEMPLATES = Path(__file__).parent / "templates"
_FONT_PACKAGES = ("font_source_sans_pro",)
_LAYER_FONTS = Path("/opt/fonts")
_NO_GLYPH = re.compile(r'the text `"(.+?)"` could not be displayed')
_ESCAPED = re.compile(r"\\u\{([0-9a-f]+)\}")
_NOT_TEXT = {"Cc", "Cs", "Cn", "Co"}
_UNKNOWN = "\N{REPLACEMENT CHARACTER}"
_LATIN = 0x24F  # up to here (Latin Extended-B) every font used draws every character
_undrawable: set[str] = set()  # learnt from Typst's refusals, kept for the life of the process
STANDARDS: list[PDFStandard] = ["a-3a", "ua-1"]


def typeset(template: str, page: Page, dated_on: date) -> bytes:
    """The PDF of a page. `template`: invoice or receipt. `dated_on` is the document's own date, written into it.

    A character that no font here can draw is shown as U+FFFD: an invoice must not fail on a name. Put fonts that
    can draw it into the documents layer (`/opt/fonts`).
    """
    import typst

    while True:
        try:
            return _compiled(template, page, dated_on)
        except typst.TypstError as error:
            missing = {c for text in _NO_GLYPH.findall(error.diagnostic) for c in _unescaped(text) if ord(c) > _LATIN}
            if not missing - _undrawable:
                raise
            _undrawable.update(missing)


def _unescaped(text: str) -> str:
    """A text as it was before Typst wrote it into an error: marks that join with others stand there as `\\u{a3c}`."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)


def _compiled(template: str, page: Page, dated_on: date) -> bytes:
    stamp = datetime.combine(dated_on, time(), tzinfo=UTC)
    texts = json.dumps(_printable(page), ensure_ascii=False)
    made = _compiler(template).compile(
        format="pdf", sys_inputs={"page": texts}, pdf_standards=STANDARDS, timestamp=stamp
    )
    assert isinstance(made, bytes), "one template makes one PDF"
    return made


@lru_cache(maxsize=4)
def _compiler(template: str) -> Compiler:
    """Kept for the life of the process: reading fonts costs more than setting an invoice."""
    import typst

    fonts = typst.Fonts(include_system_fonts=False, font_paths=[str(path) for path in font_folders()])
    return typst.Compiler(str(_TEMPLATES / f"{template}.typ"), root=str(_TEMPLATES), font_paths=fonts)


def font_folders() -> list[Path]:
    """Where the font packages lie, without running them."""
    specs = [find_spec(name) for name in _FONT_PACKAGES]
    own = [Path(folder) / "files" for spec in specs if spec for folder in spec.submodule_search_locations or ()]
    return [*own, _LAYER_FONTS] if _LAYER_FONTS.is_dir() else own


def _printable(value: Any) -> Any:
    """The same JSON value without what no font draws and PDF/A refuses: control characters, lone surrogates."""
    if isinstance(value, str):
        return "".join(_UNKNOWN if c in _undrawable else c for c in value if category(c) not in _NOT_TEXT)
    if isinstance(value, dict):
        return {name: _printable(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_printable(part) for part in value]
    return value
