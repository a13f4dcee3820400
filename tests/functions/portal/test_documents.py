"""All documents of an account in one place, many of them in one file, the seller's papers, and certificates."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import date, timedelta

import pytest

from saldo.access.model_visibility import Document, Visibility
from saldo.access.visibility import VisibilityRules
from saldo.accounts.records import account_from
from saldo.documents.bundles import BundleMaker
from saldo.documents.rules_bundles import MOST_A_DAY
from saldo.kernel.errors import Refusal
from saldo.recovery.sealed import OPENED_BY
from saldo.storage.files import Files
from tests.contexts.sellers import CLERK, ENTITY
from tests.functions.portal import scenes
from tests.functions.portal.browser import Browser, Page
from tests.functions.portal.conftest import Portal
from tests.functions.portal.test_disputes import HOME, STAFF
from tests.functions.portal.test_uploads import hidden, sent
from tests.unit.uploads import samples


def ids_on(page: Page) -> list[str]:
    return re.findall(r'name="document" value="(inv_\w+)"', page.text)


def bundle(browser: Browser, query: str) -> str:
    """Ask for one; where its page is."""
    page = browser.get(f"{HOME}/bundles/new?{query}")
    assert page.status == 200
    pairs = re.findall(r'type="hidden" name="(request_key|document|from|to)" value="([^"]*)"', page.text)
    answer = browser.post(f"{HOME}/bundles", pairs)
    assert answer.status == 303, answer.text
    return answer.location


def made(portal: Portal, place: str) -> None:
    """What the function behind the queue does."""

    def pdf_of(_account: str, invoice_id: str) -> bytes:
        if invoice_id in broken:
            raise Refusal("no_invoice_body", "brought in without its lines")
        return b"%PDF " + invoice_id.encode()

    broken: set[str] = set()
    files = Files(portal.region.client("s3"), "documents")
    maker = BundleMaker(portal.region.store, portal.region.sealer(), portal.clock, files, pdf_of)
    maker.make(scenes.NORTH, place.rpartition("/")[2])


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("invoices", "Invoice RW-"),
        ("receipts", "Receipt R-"),
        ("statements", "Statement, 1 Nov 2026 to 23 Nov 2026"),
        ("files", "There is nothing of this kind here."),
        ("papers", "There is nothing of this kind here."),
    ],
)
def test_each_kind_of_document_has_its_list_and_takes_two_calls(portal: Portal, kind: str, says: str) -> None:
    browser = portal.signed_in()
    browser.get(f"{HOME}/documents?kind={kind}")
    before = portal.region.records.bill.calls.copy()
    page = browser.get(f"{HOME}/documents?kind={kind}")
    assert says in page.text
    assert (portal.region.records.bill.calls - before).total() <= 2


def test_a_period_narrows_invoices_and_receipts_and_a_wrong_date_is_named(portal: Portal) -> None:
    browser = portal.signed_in()
    july = browser.get(f"{HOME}/documents?kind=invoices&from=2026-07-01&to=2026-07-31")
    assert len(ids_on(july)) == 2 and "bundles/new?from=2026-07-01&amp;to=2026-07-31" in july.text
    assert browser.get(f"{HOME}/documents?kind=receipts&from=2026-07-01&to=2026-07-31").text.count("Receipt R-") == 2
    wrong = browser.get(f"{HOME}/documents?kind=invoices&from=tomorrow")
    assert wrong.status == 422 and "Enter a date" in wrong.text


def test_what_an_account_does_not_see_has_no_list(portal: Portal) -> None:
    seen = Visibility(documents=frozenset({Document.RECEIPT}))
    VisibilityRules(portal.region.store, portal.clock).set(scenes.NORTH, seen, CLERK, "as agreed")
    browser = portal.signed_in("viewer")
    page = browser.get(f"{HOME}/documents?kind=invoices")
    assert "Invoice RW-" not in page.text and "Receipt R-" in page.text
    assert browser.get(f"{HOME}/bundles/new").status == 404


def test_chosen_documents_come_in_one_file_with_progress_mail_and_trail(
    portal: Portal, capsys: pytest.CaptureFixture[str]
) -> None:
    browser = portal.signed_in("viewer")
    ids = ids_on(browser.get(f"{HOME}/documents"))[:3]
    place = bundle(browser, "&".join(f"document={one}" for one in ids))
    waiting = browser.get(place)
    assert "Waiting" in waiting.text and 'data-refresh="3"' in waiting.text
    assert browser.get(f"{place}/zip").status == 404
    made(portal, place)
    made(portal, place)
    ready = browser.get(place)
    assert "The file is ready." in ready.text and f'href="{place}/zip"' in ready.text
    (letter,) = portal.mail("bundle_ready")
    assert letter.url.endswith(place) and letter.to == scenes.PEOPLE["viewer"].email
    taken = browser.get(f"{place}/zip")
    assert taken.status == 303 and "X-Amz-Expires=60" in taken.location and "attachment" in taken.location
    key = f"bundles/{scenes.NORTH}/{place.rpartition('/')[2]}.zip"
    with zipfile.ZipFile(io.BytesIO(portal.region.buckets.files["documents", key])) as archive:
        assert archive.testzip() is None and len(archive.namelist()) == 3
        assert all(re.fullmatch(r"RW-[\w~-]+\.pdf", name) for name in archive.namelist())
        assert {archive.read(name).decode()[5:] for name in archive.namelist()} == set(ids)
    actions = {i["action"] for i in portal.region.store.query_all(scenes.NORTH, prefix="audit#")}
    assert {"bundle.asked", "bundle.ready", "bundle.downloaded"} <= actions
    assert '"DocumentsTaken": 3' in capsys.readouterr().out


def test_a_period_is_one_file_and_an_empty_one_is_refused(portal: Portal) -> None:
    browser = portal.signed_in()
    page = browser.get(f"{HOME}/bundles/new?from=2026-07-01&to=2026-07-31")
    assert "2 documents fit." in page.text
    assert bundle(browser, "from=2026-07-01&to=2026-07-31").startswith(f"{HOME}/bundles/bun_")
    empty = browser.get(f"{HOME}/bundles/new?from=2016-01-01&to=2016-01-02")
    assert "0 documents fit." in empty.text and "Make the file" not in empty.text
    browser.get(f"{HOME}/bundles/new")
    assert browser.post(f"{HOME}/bundles", {"from": "2016-01-01", "to": "2016-01-02", "request_key": "k"}).status == 422


def test_the_same_form_makes_one_file_and_a_day_has_ten(portal: Portal) -> None:
    browser = portal.signed_in()
    page = browser.get(f"{HOME}/bundles/new?from=2026-07-01&to=2026-07-31")
    fields = {**page.hidden()}
    first = browser.post(f"{HOME}/bundles", fields, key=False)
    assert browser.post(f"{HOME}/bundles", fields, key=False).location == first.location
    for _ in range(MOST_A_DAY - 1):
        bundle(browser, "from=2026-07-01&to=2026-07-31")
    browser.get(f"{HOME}/bundles/new?from=2026-07-01&to=2026-07-31")
    answer = browser.post(f"{HOME}/bundles", {"from": "2026-07-01", "to": "2026-07-31", "request_key": "more"})
    assert answer.status == 422 and "today" in answer.text
    portal.clock.advance(hours=25)


def test_another_accounts_documents_are_in_no_file(portal: Portal) -> None:
    browser, stranger = portal.signed_in("viewer"), portal.signed_in("stranger")
    foreign = ids_on(stranger.get(f"/accounts/{scenes.OTHERS}/documents"))
    assert foreign
    assert "0 documents fit." in browser.get(f"{HOME}/bundles/new?document={foreign[0]}").text
    place = bundle(browser, "from=2026-07-01&to=2026-07-31")
    made(portal, place)
    assert stranger.get(place).status == 404
    assert stranger.get(place.replace(scenes.NORTH, scenes.OTHERS) + "/zip").status == 404


def test_a_file_is_gone_after_three_days(portal: Portal) -> None:
    browser = portal.signed_in()
    place = bundle(browser, "from=2026-07-01&to=2026-07-31")
    made(portal, place)
    portal.clock.advance(hours=73)
    browser = portal.signed_in()
    assert "The file is gone." in browser.get(place).text and browser.get(f"{place}/zip").status == 404


def test_very_many_documents_at_once_ask_for_a_proof(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("functions.portal.documents.MOST_DOWNLOADS", 1)
    browser = portal.signed_in()
    place = bundle(browser, "from=2026-07-01&to=2026-07-31")
    made(portal, place)
    assert browser.get(f"{place}/zip").location == f"/session/prove?next={place}/zip"
    assert portal.with_codes("admin").get(f"{place}/zip").location.startswith("https://")


def test_a_sellers_paper_is_published_taken_by_its_customers_and_taken_back(portal: Portal) -> None:
    staff, browser = portal.staff_in("analyst"), portal.signed_in("viewer")
    staff.get(f"{STAFF}/papers")
    answer = staff.post(f"{STAFF}/papers", {**hidden(staff), "title": "Form W-9"})
    assert answer.status == 303
    chosen = staff.get(answer.location)
    assert "Form W-9" not in browser.get(f"{HOME}/documents?kind=papers").text
    sent(portal, chosen, samples.pdf())
    page = browser.get(f"{HOME}/documents?kind=papers").text
    (place,) = re.findall(rf'href="({HOME}/papers/upl_\w+)"', page)
    taken = browser.get(place, accept="*/*")
    assert taken.body.startswith(b"%PDF") and 'filename="Form-W-9.pdf"' in taken.headers["content-disposition"]
    assert "paper.downloaded" in {i["action"] for i in portal.region.store.query_all(scenes.NORTH, prefix="audit#")}
    assert staff.get(f"{answer.location}/content", accept="*/*").status == 200
    staff.get(f"{STAFF}/papers")
    assert staff.post(f"{answer.location}/take-back", {}).status == 303
    assert browser.get(place).status == 404
    assert portal.staff_in("support").post(f"{STAFF}/papers", {"title": "x"}).status == 404


def handed_in(browser: Browser, **changes: str) -> Page:
    browser.get(f"{HOME}/certificate")
    said = {"number": "ST-119-77", "jurisdictions": "us-ny, US-NJ", "from": "2026-12-01", "until": "2028-12-01"}
    return browser.post(f"{HOME}/certificate", {**hidden(browser), **said, **changes})


def test_an_accepted_certificate_exempts_from_its_first_day_on(portal: Portal) -> None:
    browser, staff = portal.signed_in("admin"), portal.staff_in("analyst")
    place = handed_in(browser, percent="37,5").location
    upload_id = place.rpartition("/")[2]
    there = f"{STAFF}{HOME}/certificates/{upload_id}"
    assert scenes.NORTH in staff.get(f"{STAFF}/certificates").text
    assert "Accept the certificate" not in staff.get(there).text
    early = staff.post(f"{there}/accept", {})
    assert early.status == 422 and "not been checked yet" in early.text
    sent(portal, browser.get(place), samples.pdf())
    shown = staff.get(there)
    assert "ST-119-77" in shown.text and "37.5" in shown.text and "Accept the certificate" in shown.text
    assert staff.post(f"{there}/accept", {}).status == 303
    item = portal.region.store.get(scenes.NORTH, "account")
    assert item is not None
    (exemption,) = account_from(item).exemptions
    assert exemption.covers("US-NY-CIT", "standard", date(2026, 12, 1))
    assert not exemption.covers("US-NY", "standard", date(2026, 11, 30)) and str(exemption.percent) == "37.5"
    assert "Accepted" in browser.get(f"{HOME}/certificate/{upload_id}").text
    assert len(portal.mail("certificate_decided")) == 1
    staff.get(there)
    assert staff.post(f"{there}/refuse", {"words": "too late"}).status == 422
    assert upload_id not in staff.get(f"{STAFF}/certificates").text


def test_the_restore_drill_opens_what_was_handed_in(portal: Portal) -> None:
    upload_id = handed_in(portal.signed_in("admin")).location.rpartition("/")[2]
    sealer, store = portal.region.sealer(), portal.region.store
    request = store.get(scenes.NORTH, f"certificate_request#{upload_id}")
    upload = store.get(scenes.NORTH, f"upload#certificate#{upload_id}")
    assert OPENED_BY["certificate_request"](request, sealer) == {"number": "ST-119-77", "words": ""}
    assert OPENED_BY["upload"](upload, sealer) == "Exemption certificate"
    for item in (request, upload):
        assert item is not None and "ST-119-77" not in str(item) and "Exemption" not in str(item)


def test_a_refused_certificate_says_why_and_exempts_from_nothing(portal: Portal) -> None:
    browser, staff = portal.signed_in("admin"), portal.staff_in("approver")
    place = handed_in(browser).location
    upload_id = place.rpartition("/")[2]
    there = f"{STAFF}{HOME}/certificates/{upload_id}"
    sent(portal, browser.get(place), samples.pdf())
    staff.get(there)
    assert "Say what is wrong." in staff.post(f"{there}/refuse", {"words": " "}).text
    assert staff.post(f"{there}/refuse", {"words": "It names <b>another</b> buyer"}).status == 303
    page = browser.get(f"{HOME}/certificate/{upload_id}").text
    assert "Refused" in page and "It names &lt;b&gt;another" in page
    item = portal.region.store.get(scenes.NORTH, "account")
    assert item is not None and not account_from(item).exemptions
    assert portal.staff_in("support").post(f"{there}/accept", {}).status == 404


def test_a_certificate_names_every_field_at_fault_at_once(portal: Portal) -> None:
    browser = portal.signed_in("admin")
    page = handed_in(browser, number=" ", jurisdictions="New York", until="2026-11-01", percent="0")
    assert page.status == 422
    for says in ("above 0, at most 100", "Give the number", "Name whose tax", "last date lies before"):
        assert page.text.count(says) >= 2, says
    assert portal.signed_in("viewer").get(f"{HOME}/certificate").status == 404


def test_the_list_of_files_says_until_when_they_are_kept(portal: Portal) -> None:
    browser = portal.signed_in("admin")
    sent(portal, browser.get(handed_in(browser).location), samples.pdf())
    until = scenes.NOW + timedelta(days=3653)
    page = browser.get(f"{HOME}/documents?kind=files").text
    assert f"kept until {until.day} {until:%b %Y}" in page and "Exemption certificate" in page
    assert ENTITY not in page
