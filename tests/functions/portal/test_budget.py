"""What a page may weigh on its way, and what the style guide shows to whom."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

from functions.portal.pages import environment
from functions.portal.presenters.charts import bar_chart, line_chart
from functions.portal.words import LANGUAGES, Words
from tests.contexts.sellers import ENTITY
from tests.functions.portal import scenes
from tests.functions.portal.conftest import Portal

STATIC = Path(__file__).parents[3] / "functions" / "portal" / "static"
MOST_STYLE_AND_SCRIPT, MOST_PAGE = 10_000, 60_000
HOME = f"/accounts/{scenes.NORTH}"
PAGES = ("/accounts?all=1", HOME, f"{HOME}/invoices", f"{HOME}/pay?all=open", f"{HOME}/statement")
OF_STAFF = ("/styleguide", f"/staff/{ENTITY}", f"/staff/{ENTITY}/accounts/{scenes.NORTH}?show=timeline")


def packed(data: bytes) -> int:
    return len(gzip.compress(data, 6))


def test_style_and_script_stay_within_ten_kilobytes() -> None:
    files = [p for p in STATIC.iterdir() if p.suffix in (".css", ".js")]
    assert sum(packed(p.read_bytes()) for p in files) <= MOST_STYLE_AND_SCRIPT


def test_a_page_with_everything_it_asks_for_stays_within_sixty_kilobytes(portal: Portal) -> None:
    customer, clerk = portal.signed_in(), portal.staff_in()
    for path in (*PAGES, *OF_STAFF):
        browser = clerk if path in OF_STAFF else customer
        text = browser.get(path).text
        asked = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', text))
        assert len(asked) == 3 and "http" not in "".join(asked)
        whole = packed(text.encode()) + sum(packed(browser.get(a).text.encode()) for a in asked)
        assert whole <= MOST_PAGE, path


def test_a_page_reads_without_its_script_and_says_nothing_inline(portal: Portal) -> None:
    customer, clerk = portal.signed_in(), portal.staff_in()
    for path in (*PAGES, *OF_STAFF):
        text = (clerk if path in OF_STAFF else customer).get(path).text
        scripts = re.findall(r"<script[^>]*>", text)
        assert all("defer" in s and 'src="/static/' in s for s in scripts)
        assert not re.search(r"\sstyle=|\son[a-z]+=|<style", text), path


def test_the_style_guide_shows_every_part_in_every_language(portal: Portal) -> None:
    browser = portal.staff_in()
    for language in LANGUAGES:
        browser.get("/styleguide")
        browser.post("/staff/language", {"language": language})
        text = browser.get("/styleguide").text
        assert f'<html lang="{language}">' in text and Words(language)("styleguide.title") in text
        ids = re.findall(r'\sid="([^"]+)"', text)
        assert len(ids) == len(set(ids)), sorted(i for i in ids if ids.count(i) > 1)


def test_every_part_is_in_the_style_guide_or_on_a_page() -> None:
    folder = STATIC.parent / "templates"
    parts = {n: p for p in (folder / "parts").glob("*.html") for n in re.findall(r"{% macro (\w+)\(", p.read_text())}
    shown = (folder / "styleguide.html").read_text()
    pages = "".join(p.read_text() for p in folder.glob("*.html"))
    inner = {"described", "above"}  # what fields are made of
    elsewhere = {
        "form_key",
        "error_of",
        "error_summary",
        "qr",
        "outcome",
        "passkey_button",
        "proof",
        *("list_filter", "list_notes", "list_count", "stretch_of"),
        *("details_fields", "details_told", "details_kept"),
    }  # on pages: they need a form, a key, a page's title, a list
    for name in set(parts) - inner:
        assert re.search(rf"\b{name}\(", pages), name
    missing = {n for n in set(parts) - inner if not re.search(rf"\b{n}\(", shown)}
    assert missing == elsewhere, missing


def test_customers_do_not_find_the_style_guide(portal: Portal) -> None:
    assert portal.signed_in().get("/styleguide").status == 404
    assert portal.browser().get("/styleguide").location.startswith("/staff/sign-in")


def test_bars_share_one_scale_and_what_is_below_zero_says_so_twice() -> None:
    chart = bar_chart("x", "EUR", [("a", 300), ("b", -100), ("c", 0)], Words("en"))
    above, below, nothing = chart.bars
    assert (above.x, above.width, below.width, nothing.width) == (250, 750, 250, 0)
    assert below.below and below.amount == "\N{MINUS SIGN}1.00" and below.x + below.width == chart.zero


def test_a_line_steps_from_day_to_day_and_names_its_ends() -> None:
    from datetime import date

    chart = line_chart("x", "EUR", [(date(2026, 1, 1), 0), (date(2026, 1, 11), 1000)], Words("en"))
    assert chart.path == "M0 192H1000V8" and chart.zero == 192
    assert chart.last == "11 Jan 2026: €10.00" and len(chart.points) == 2
    assert line_chart("x", "EUR", [(date(2026, 1, 1), 5)], Words("en")).path.endswith("H1000")


def test_templates_are_small() -> None:
    for name in environment().list_templates():
        path = STATIC.parent / "templates" / name
        assert len(path.read_text().splitlines()) <= 200, name
