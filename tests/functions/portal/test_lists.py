"""Lists at their best: what is ticked is added up, views are saved under a name, tables leave as files."""

from __future__ import annotations

import gzip
import io
import re
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.portal import services, table_files
from functions.portal.presenters.spreadsheets import Amount, Spreadsheet, as_csv, as_xlsx
from tests.functions.portal import scenes
from tests.functions.portal.browser import Browser, query_of
from tests.functions.portal.conftest import Portal

HOME = f"/accounts/{scenes.NORTH}"
LIST = f"{HOME}/invoices"
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def sheet_of(book: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(book)) as parts:
        return parts.read("xl/worksheets/sheet1.xml").decode()


def styles_of(book: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(book)) as parts:
        return parts.read("xl/styles.xml").decode()


# -- what is ticked --------------------------------------------------------------------------------------------------


def ticked_on(browser: Browser, address: str, count: int) -> list[str]:
    return re.findall(r'type="checkbox" name="pay" value="([^"]+)"', browser.get(address).text)[:count]


def told(text: str) -> str:
    found = re.search(r"data-total>([^<]*)<", text)
    assert found is not None
    return found.group(1)


def test_what_is_ticked_is_added_up_without_javascript(portal: Portal) -> None:
    browser = portal.signed_in()
    one, two = ticked_on(browser, f"{LIST}?status=open&sort=due_on", 2)
    text = browser.get(f"{LIST}?status=open&sort=due_on&pay={one}&pay={two}").text
    minors = [int(m) for m in re.findall(r' checked data-minor="(\d+)"', text)]
    assert told(text) == f"2 invoices · €{sum(minors) / 100:,.2f}"
    assert len(minors) == text.count(" checked ") == 2
    assert told(browser.get(LIST).text) == "Nothing selected" and 'formaction="' + LIST + '"' in text


def test_a_selection_goes_along_from_page_to_page(portal: Portal) -> None:
    browser = portal.signed_in()
    (one,) = ticked_on(browser, f"{LIST}?status=open", 1)
    before = portal.region.records.calls
    elsewhere = browser.get(f"{LIST}?status=paid&pay={one}").text
    assert portal.region.records.calls - before == 3  # the one that is not on the page is read besides
    assert told(elsewhere).startswith("1 invoice · €")
    assert re.search(rf'type="hidden" name="pay" value="{one}" data-minor="[1-9]', elsewhere)
    sorting = re.findall(r'aria-sort="none"><a href="([^"]+)"', elsewhere)
    assert sorting and all(f"pay={one}" in href for href in sorting)


def test_ticks_that_are_no_invoices_of_this_account_count_for_nothing(portal: Portal) -> None:
    browser = portal.signed_in()
    (foreign,) = ticked_on(browser, f"/accounts/{scenes.SOUTH}/invoices", 1)
    assert told(browser.get(f"{LIST}?pay={foreign}&pay=../etc&pay=inv_none").text) == "Nothing selected"
    many = "&".join(f"pay=inv_2026{i:04}x" for i in range(101))
    page = browser.get(f"{LIST}?{many}")
    assert page.status == 422 and "at most 100 invoices" in page.text


def test_the_list_says_how_many_fit_and_what_of_them_is_open(portal: Portal) -> None:
    browser = portal.signed_in()
    assert "6 invoices · €7,859.77 open" in browser.get(f"{LIST}?status=overdue").text
    assert "2 invoices" in browser.get(f"{LIST}?from=2026-07-01&to=2026-07-31").text


# -- files -----------------------------------------------------------------------------------------------------------


def test_the_list_leaves_as_a_workbook_with_real_numbers_and_dates(portal: Portal) -> None:
    page = portal.signed_in().get(f"{LIST}.xlsx?status=open")
    assert page.headers["content-type"].endswith("spreadsheetml.sheet")
    sheet = sheet_of(page.body)
    assert sheet.count("<row ") == 1 + 7 and "<v>12847.00</v>" in sheet
    assert 'state="frozen"' in sheet and '<autoFilter ref="A1:G8"/>' in sheet
    assert "#,##0.00 [$EUR]" in styles_of(page.body)


def test_both_formats_hold_what_is_ticked(portal: Portal) -> None:
    browser = portal.signed_in()
    one, two = ticked_on(browser, f"{LIST}?status=open", 2)
    book = browser.get(f"{LIST}.xlsx?pay={one}&pay={two}&status=paid").body
    portal.clock.advance(minutes=1)
    text = browser.get(f"{LIST}.csv?pay={one}&pay={two}&status=paid").text
    assert sheet_of(book).count("<row ") == 3 and text.count("\r\n") == 3
    noted = [i for i in services.store().query_all(scenes.NORTH, prefix="audit#") if i["action"] == "register.exported"]
    assert [i["subject_id"] for i in noted] == ["2 invoices", "2 invoices"]


@pytest.mark.parametrize("path", ["statement", "activity", "payments"])
def test_every_table_that_leaves_leaves_in_both_formats(portal: Portal, path: str) -> None:
    browser = portal.signed_in()
    page = browser.get(f"{HOME}/{path}")
    assert f"{HOME}/{path}.xlsx" in page.text and f"{HOME}/{path}.csv" in page.text
    lines = browser.get(f"{HOME}/{path}.csv").text.rstrip().split("\r\n")
    assert sheet_of(browser.get(f"{HOME}/{path}.xlsx").body).count("<row ") == len(lines) > 2


def test_a_file_larger_than_an_answer_is_refused_with_what_to_do(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_files, "MOST_BYTES", 1000)
    page = portal.signed_in().get(f"{LIST}.xlsx")
    assert page.status == 422 and "Choose fewer days" in page.text


def test_long_text_travels_packed_where_the_client_takes_it(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_files, "_PACKED_FROM", 10)
    browser = portal.signed_in()
    packed = browser.get(f"{LIST}.csv", accept_encoding="gzip, br")
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body).decode().count("\r\n") == browser.get(f"{LIST}.csv").text.count("\r\n") > 10


@pytest.mark.parametrize("accepts", ["text/html", "application/json", ""])
def test_a_file_goes_out_whatever_the_client_says_it_accepts(portal: Portal, accepts: str) -> None:
    browser = portal.signed_in()
    for ending in ("csv", "xlsx"):
        assert browser.get(f"{LIST}.{ending}", accept=accepts).status == 200


def table(*cells: Any) -> Spreadsheet:
    return Spreadsheet("A [table]/*?: of 'very' much more than thirty-one letters", ["head"] * len(cells), [cells])


@given(TEXTS, st.integers(-(10**12), 10**12), st.sampled_from(["EUR", "JPY", "KWD"]))
def test_a_workbook_holds_texts_as_texts_and_amounts_to_the_last_digit(text: str, minor: int, currency: str) -> None:
    sheet = sheet_of(as_xlsx(table(text, Amount(minor, currency))))
    digits = {"EUR": 2, "JPY": 0, "KWD": 3}[currency]
    (value,) = re.findall(r'<c r="B2" s="\d+"><v>([^<]+)</v>', sheet)
    assert Decimal(value).scaleb(digits) == minor and "<f>" not in sheet
    assert ('<c r="A2" t="inlineStr">' in sheet) == bool(text)


def test_days_and_instants_are_what_they_are_in_both_formats() -> None:
    cells = date(2026, 2, 28), datetime(2026, 2, 28, 23, 30, tzinfo=UTC), Amount(-5, "EUR"), 7, ""
    assert as_csv(table(*cells)).decode().split("\r\n")[1] == "2026-02-28,2026-02-28T23:30:00.000Z,-0.05,7,"
    sheet = sheet_of(as_xlsx(table(*cells)))
    assert "<v>46081</v>" in sheet and "<v>46081.97916666666</v>" in sheet.replace("666667<", "66666<")
    assert "<v>-0.05</v>" in sheet and "<v>7</v>" in sheet


def test_memory_does_not_grow_with_the_rows_of_a_workbook() -> None:
    import tracemalloc

    def most(rows: int) -> int:
        coming = ((f"RW-{i}", date(2026, 1, 1), Amount(i, "EUR")) for i in range(rows))
        tracemalloc.start()
        as_xlsx(Spreadsheet("t", ["a", "b", "c"], coming))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    most(10)
    assert most(8000) < most(1000) + 600_000


# -- saved views -----------------------------------------------------------------------------------------------------

LATE = "status=overdue&sort=due_on&order=asc"


def saved(browser: Browser, name: str, query: str = LATE, **more: str) -> Any:
    browser.get(f"{LIST}/views/new?{query}")
    return browser.post(f"{LIST}/views", {"name": name, "query": query, **more})


def test_a_view_is_saved_under_a_name_and_is_its_address(portal: Portal) -> None:
    browser = portal.signed_in()
    listed = browser.get(f"{LIST}?{LATE}").text
    assert f"{LIST}/views/new?{LATE.replace('&', '&amp;')}" in listed and "Saved views" not in listed
    done = saved(browser, "  What is   late ")
    assert (done.status, done.location) == (303, f"{LIST}?{LATE}")
    before = portal.region.records.calls
    text = browser.follow(done).text
    assert portal.region.records.calls - before == 2
    assert re.search(r'aria-current="page">What is late<', text) and "Change this view" in text


def test_views_are_the_users_own_on_this_account_and_in_every_session(portal: Portal) -> None:
    browser, elsewhere = portal.signed_in(), portal.signed_in()
    saved(browser, "What is late")
    for known in (elsewhere, portal.signed_in()):
        assert "What is late" in known.get(f"{LIST}?all=1").text
    for other in (portal.signed_in("payer"), portal.signed_in("viewer")):
        assert "What is late" not in other.get(f"{LIST}?all=1").text
    assert "What is late" not in browser.get(f"/accounts/{scenes.SOUTH}/invoices").text


def test_the_list_opens_with_the_default_view_and_everything_is_one_step_away(portal: Portal) -> None:
    browser = portal.signed_in()
    saved(browser, "What is late", default="1")
    opened = browser.get(LIST)
    assert (opened.status, opened.location) == (303, f"{LIST}?{LATE}")
    text = browser.follow(opened).text
    assert f'href="{LIST}?all=1"' in text and browser.get(f"{LIST}?all=1").status == 200
    saved(browser, "Paid", "status=paid", default="1")
    assert query_of(browser.get(LIST).location) == {"status": "paid"}


def test_a_view_is_renamed_and_removed(portal: Portal) -> None:
    browser = portal.signed_in()
    saved(browser, "Late")
    (one,) = set(re.findall(rf"{LIST}/views/(view_[0-9a-z]+)", browser.get(f"{LIST}?{LATE}").text))
    assert 'value="Late"' in browser.get(f"{LIST}/views/{one}").text
    portal.clock.advance(minutes=1)
    browser.post(f"{LIST}/views/{one}", {"name": "Overdue", "query": "status=paid"})
    text = browser.get(f"{LIST}?{LATE}").text
    assert ">Overdue</a>" in text and ">Late</a>" not in text
    portal.clock.advance(minutes=1)
    browser.get(f"{LIST}/views/{one}")
    assert browser.post(f"{LIST}/views/{one}/remove", {}).location == f"{LIST}?all=1"
    assert "Saved views" not in browser.get(f"{LIST}?all=1").text
    assert browser.get(f"{LIST}/views/{one}").status == 404
    user = portal.user_id("admin")
    trail = [i["action"] for i in services.store().query_all(user, prefix="audit#") if "view" in i["action"]]
    assert trail == ["view.saved", "view.saved", "view.removed"]


def test_what_is_wrong_with_a_view_is_said_at_its_field(portal: Portal) -> None:
    browser = portal.signed_in()
    saved(browser, "Late")
    for name, query, text in (
        ("", LATE, "1 to 40 characters"),
        ("x" * 41, LATE, "1 to 40 characters"),
        ("late", "status=paid", "Another view has this name"),
        ("All", "foo=bar", "Filter or sort the list first"),
    ):
        page = saved(browser, name, query)
        assert page.status == 422 and text in page.text
    assert browser.get(f"{LIST}/views/new?from=nonsense").status == 422


def test_only_the_state_of_the_list_is_kept(portal: Portal) -> None:
    browser = portal.signed_in()
    saved(browser, "Paid", "status=paid&page=3&cursor=abc&pay=inv_1&next=//evil.example")
    assert f'href="{LIST}?status=paid"' in browser.get(f"{LIST}?all=1").text


def test_fifty_views_are_enough(portal: Portal) -> None:
    from dataclasses import replace

    from saldo.access.model_views import SavedView
    from saldo.access.rules_views import MOST_VIEWS, with_view
    from saldo.kernel.errors import NotFound, Refusal

    one = SavedView("view_0", scenes.NORTH, "0", "status=paid", is_default=True)
    views = with_view((), one)
    for i in range(1, MOST_VIEWS):
        views = with_view(views, replace(one, id=f"view_{i}", name=str(i)))
    assert len(views) == MOST_VIEWS and sum(v.is_default for v in views) == 1
    with pytest.raises(Refusal, match="too_many_views"):
        with_view(views, replace(one, id="view_more", name="more"))
    assert with_view(views, replace(views[3], name="changed"))[3].name == "changed"
    with pytest.raises(NotFound):
        from saldo.access.rules_views import without_view

        without_view(views, "view_0", scenes.SOUTH)


# -- payments, orders, disputes --------------------------------------------------------------------------------------


def paid(count: int) -> None:
    from dataclasses import replace

    from saldo.kernel.ids import derived_id
    from saldo.payments.model import PaymentStatus
    from saldo.payments.records import PREFIX, payment_from, payment_item

    store = services.store()
    one = payment_from(next(iter(store.query_all(scenes.NORTH, prefix=PREFIX))))
    states = (PaymentStatus.SETTLED, PaymentStatus.FAILED)
    made = (
        replace(
            one, id=derived_id("pay", date(2025, 1, 1 + i % 28), str(i)), reason=f"reason {i}.", status=states[i % 2]
        )
        for i in range(count)
    )
    store.put_many(payment_item(payment) for payment in made)


def test_payments_are_found_by_state_day_and_words_in_one_read(portal: Portal) -> None:
    browser = portal.signed_in()
    paid(200)
    before = portal.region.records.calls
    text = browser.get(f"{HOME}/payments?status=failed").text
    assert portal.region.records.calls - before == 2
    assert "100 entries" in text and text.count("<tr>") == 1 + 50 and "page=2" in text
    second = browser.get(f"{HOME}/payments?status=failed&page=2").text
    assert second.count("<tr>") == 1 + 50 and 'rel="prev"' in second and 'rel="next"' not in second
    assert "1 entry" in browser.get(f"{HOME}/payments?text=REASON+77.").text
    assert "Nothing fits these filters" in browser.get(f"{HOME}/payments?text=nowhere").text
    wrong = browser.get(f"{HOME}/payments?from=2026-02-01&to=2026-01-01")
    assert wrong.status == 422 and "lies before" in wrong.text


def test_a_list_of_more_than_a_thousand_says_so_and_leads_on(portal: Portal) -> None:
    browser = portal.signed_in()
    paid(1100)
    first = browser.get(f"{HOME}/payments?status=settled&page=10000").text
    assert "more than one page can look through" in first
    onward = re.findall(r'rel="next" href="([^"]+)"', first)[0].replace("&amp;", "&")
    assert "cursor=" in onward and browser.get(onward).text.count("<tr>") > 40
    assert len(browser.get(f"{HOME}/payments.csv?status=failed").text.split("\r\n")) == 1 + 550 + 1


@pytest.mark.parametrize("name", ["payments", "orders", "disputes"])
def test_an_empty_list_has_no_filter_to_fill_in(portal: Portal, name: str) -> None:
    browser = portal.signed_in("stranger")
    text = browser.get(f"/accounts/{scenes.OTHERS}/{name}").text
    assert 'class="card blank"' in text and 'class="filters"' not in text and 'class="pager"' not in text


# -- all accounts together -------------------------------------------------------------------------------------------


def test_what_is_open_in_all_accounts_stands_together_by_due_day(portal: Portal) -> None:
    browser = portal.signed_in()
    assert 'href="/invoices"' in browser.get("/accounts?all=1").text
    text = browser.get("/invoices").text
    assert "23,205.77" in text and "Kontor Süd GmbH" in text and "Kontor Nord GmbH" in text and "Fremde" not in text
    late = browser.get("/invoices?status=overdue").text
    assert 'aria-current="page">Overdue<' in late and late.count("<tr>") < text.count("<tr>")
    assert "not on this page" not in text and "only the" not in text


def test_all_accounts_together_say_what_they_leave_out(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    from functions.portal import overview
    from functions.portal.presenters import overview_across

    monkeypatch.setattr(overview_across, "MOST_OF_ONE", 1)
    text = portal.signed_in().get("/invoices").text
    assert "only the 1 invoices that fall due first" in text and "Kontor Nord GmbH" in text and text.count("<tr>") == 4
    monkeypatch.setattr(overview, "MOST_ACCOUNTS", 1)
    assert "1 more account is not on this page" in portal.signed_in().get("/invoices").text


def test_all_accounts_together_are_for_whoever_is_signed_in(portal: Portal) -> None:
    assert portal.browser().get("/invoices").location == "/sign-in?next=/invoices"
    one = portal.signed_in("viewer").get("/invoices").text
    assert "Kontor Nord GmbH" in one and "Kontor Süd GmbH" not in one
