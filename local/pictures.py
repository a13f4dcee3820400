"""`make pictures`: the README's pictures, taken from a running demo: pages in a browser, an invoice from its PDF."""

from __future__ import annotations

import sys
from typing import Any

from local.bootstrap import browser
from local.demo.seeding import PASSWORD
from local.place import ROOT, Place
from local.supervisor import Instance

FOLDER = ROOT / "docs" / "pictures"
WHO = "ana.delgado@cobaltridge.example"
_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync", "--no-first-run"]


def main() -> int:
    """Start the demo if it is not up, sign in, take the pictures."""
    place = Place.from_environment()
    Instance(place, lambda line: print(f"  {line}", flush=True)).up()
    FOLDER.mkdir(parents=True, exist_ok=True)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser(), args=_ARGUMENTS)
        page = chromium.new_page(viewport={"width": 1200, "height": 860}, device_scale_factor=1, locale="en-GB")
        _tour(page, place.portal_origins["us"])
        chromium.close()
    return 0


def _tour(page: Any, origin: str) -> None:  # Playwright's types are for whoever has it installed
    page.goto(f"{origin}/sign-in?lang=en")
    page.fill("#email", WHO)
    page.fill("#password", PASSWORD)
    page.click("main form button")
    page.wait_for_url("**/accounts/acct_us_*")
    page.screenshot(path=str(FOLDER / "overview.png"))
    page.click("a[href$='/invoices']")
    page.screenshot(path=str(FOLDER / "invoices.png"))
    page.click("table a[href*='/invoices/inv_']")
    pdf = page.context.request.get(origin + page.get_attribute("a[href$='/pdf']", "href")).body()
    _first_page(pdf)


def _first_page(pdf: bytes) -> None:
    import pypdfium2

    pypdfium2.PdfDocument(pdf)[0].render(scale=1.6).to_pil().save(FOLDER / "invoice.png", optimize=True)


if __name__ == "__main__":
    sys.exit(main())
