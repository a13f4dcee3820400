"""Handing in files: about an invoice in dispute, by either side; opened once clean, and by nobody else."""

from __future__ import annotations

import base64
import json
import re
from urllib.parse import urlsplit

import pytest

from saldo.storage.files import Files
from saldo.uploads import rules
from saldo.uploads.known_harm import EICAR, KnownHarm
from saldo.uploads.model import Name
from saldo.uploads.service import UploadWork
from tests.functions.portal import scenes
from tests.functions.portal.browser import Browser, Page
from tests.functions.portal.conftest import Portal
from tests.functions.portal.test_disputes import HOME, STAFF, dispute, largest
from tests.unit.uploads import samples


def asked(browser: Browser, portal: Portal, title: str = "Photo of the meter", home: str = HOME) -> str:
    """Say that a file is to come; the page where it is chosen."""
    form = f"{home}/invoices/{largest(portal).invoice_id}/files"
    assert browser.get(form).status == 200
    answer = browser.post(form, {**hidden(browser), "title": title})
    assert answer.status == 303, answer.text
    return answer.location


def hidden(browser: Browser) -> dict[str, str]:
    assert browser.page is not None
    return {k: v for k, v in browser.page.hidden().items() if k != "form_key"}


def sent(portal: Portal, page: Page, content: bytes) -> None:
    """What the browser and S3 do with the form, and then the examiner."""
    key = page.hidden()["key"]
    portal.region.buckets.put_object(Bucket="uploads", Key=key, Body=content, ContentType="x")
    work(portal).examine(key)


def work(portal: Portal) -> UploadWork:
    return UploadWork(portal.region.store, portal.clock, Files(portal.region.client("s3"), "uploads"), KnownHarm())


def test_a_file_goes_straight_to_the_bucket_by_a_form_for_it_alone(portal: Portal) -> None:
    browser = portal.signed_in("payer")
    page = browser.get(asked(browser, portal))
    action = re.search(r'action="([^"]+)" enctype="multipart/form-data"', page.text)
    assert action is not None and action[1].endswith("/uploads")
    policy = page.headers["content-security-policy"]
    assert f"form-action 'self' http://localhost:9090 {action[1]};" in policy
    fields = page.hidden()
    signed = json.loads(base64.b64decode(fields["policy"]))["conditions"]
    assert ["content-length-range", 1, rules.MOST_BYTES] in signed
    assert scenes.NORTH in fields["key"] and fields["Content-Type"] == "application/octet-stream"
    assert page.text.index('type="file"') > page.text.index('name="policy"')  # S3 reads nothing behind the file
    assert "form_key" not in page.text.split("multipart/form-data")[1].split("</form>")[0]
    assert urlsplit(fields["success_action_redirect"]).path.startswith(f"{HOME}/files/inv_")


def test_no_other_page_may_send_forms_to_the_bucket(portal: Portal) -> None:
    page = portal.signed_in().get(HOME)
    assert "amazonaws" not in page.headers["content-security-policy"]


def test_evidence_is_seen_by_both_sides_once_it_was_looked_at(portal: Portal) -> None:
    browser, staff = portal.signed_in("admin"), portal.staff_in("collector")
    where = dispute(portal, browser).location
    there = STAFF + where
    place = asked(browser, portal)
    chosen = browser.get(place)
    assert browser.get(f"{place}/content").status == 404
    assert "Not sent yet" in browser.get(where).text
    picture = samples.picture("PNG")
    sent(portal, chosen, picture)
    page = browser.get(where).text
    assert "Photo of the meter" in page and f'href="{place}/content"' in page and "Your side" in page
    taken = browser.get(f"{place}/content", accept="*/*")
    assert taken.body == picture and taken.headers["content-type"] == "application/octet-stream"
    assert taken.headers["content-disposition"] == 'attachment; filename="Photo-of-the-meter.png"'
    assert taken.headers["x-content-type-options"] == "nosniff"
    shown = staff.get(there)
    assert "Photo of the meter" in shown.text and "The customer" in shown.text
    assert staff.get(f"{STAFF}{place}/content", accept="*/*").body == picture
    who = [
        (i["actor"]["kind"], i["action"])
        for i in portal.region.store.query_all(scenes.NORTH, prefix="audit#")
        if i["action"] == "upload.downloaded"
    ]
    assert sorted(who) == [("staff", "upload.downloaded"), ("user", "upload.downloaded")]


def test_the_seller_adds_a_file_to_the_thread_too(portal: Portal) -> None:
    browser, staff = portal.signed_in("admin"), portal.staff_in("collector")
    where = dispute(portal, browser).location
    place = asked(staff, portal, "Our delivery note", STAFF + HOME)
    sent(portal, staff.get(place), samples.pdf())
    assert "Our delivery note" in browser.get(where).text and "The seller" in browser.get(where).text
    assert browser.get(f"{place.removeprefix(STAFF)}/content", accept="*/*").body.startswith(b"%PDF")
    assert (
        portal.staff_in("auditor").post(f"{STAFF}{HOME}/invoices/{largest(portal).invoice_id}/files", {}).status == 404
    )


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (EICAR, "knows this file as harmful"),
        (b"<svg onload='alert(1)'/>", "SVG drawings and scripts are not taken"),
        (samples.pdf(script="app.alert(1)"), "scripts, macros or other files"),
        (samples.pdf(password="x"), "locked with a password"),
        (samples.picture("PNG") + samples.archive(), "Something else is hidden"),
        (samples.sheet_with("xl/a.xml", b" " * 41_000_000), "unpacks to far more"),
        (b"MZ\x90\x00", "no PDF, PNG, JPEG"),
    ],
)
def test_what_is_not_taken_says_why_and_is_opened_by_nobody(portal: Portal, content: bytes, says: str) -> None:
    browser = portal.signed_in("payer")
    browser.post("/profile/language", {"language": "en"})
    place = asked(browser, portal)
    sent(portal, browser.get(place), content)
    page = portal.signed_in("admin").get(place)
    assert says in page.text and "multipart" not in page.text
    assert browser.get(f"{place}/content").status == 404
    assert not [key for bucket, key in portal.region.buckets.files if bucket == "uploads"]


def test_between_the_bucket_and_the_examiner_the_page_waits_and_looks_again(portal: Portal) -> None:
    browser = portal.signed_in("admin")
    place = asked(browser, portal)
    page = browser.get(f"{place}?bucket=uploads&key=incoming%2Fx&etag=%22abc%22")
    assert "Being checked" in page.text and 'data-refresh="3"' in page.text and "multipart" not in page.text


@pytest.mark.parametrize("title", ["../../etc/passwd", "a\r\nSet-Cookie: x=1", 'x"; filename="a.exe', "\u202egpj.exe"])
def test_a_title_makes_no_path_no_header_and_no_other_ending(portal: Portal, title: str) -> None:
    browser = portal.signed_in("admin")
    place = asked(browser, portal, title)
    sent(portal, browser.get(place), samples.pdf())
    said = browser.get(f"{place}/content", accept="*/*").headers["content-disposition"]
    assert re.fullmatch(r'attachment; filename="[A-Za-z0-9._-]+\.pdf"', said)


def test_no_title_and_one_that_is_too_long_are_asked_for_again(portal: Portal) -> None:
    browser = portal.signed_in("admin")
    form = f"{HOME}/invoices/{largest(portal).invoice_id}/files"
    browser.get(form)
    again = browser.post(form, {**hidden(browser), "title": " "})
    assert again.status == 422 and "Say what the file shows" in again.text
    again = browser.post(form, {**hidden(browser), "title": "x" * 99})
    assert again.status == 422 and "x" * 99 in again.text


def test_another_accounts_file_is_as_good_as_none(portal: Portal) -> None:
    browser, stranger = portal.signed_in("admin"), portal.signed_in("stranger")
    place = asked(browser, portal)
    sent(portal, browser.get(place), samples.pdf())
    for path in (place, f"{place}/content", place.replace(scenes.NORTH, scenes.OTHERS)):
        assert stranger.get(path).status == 404
    assert browser.get(place.replace(scenes.NORTH, scenes.SOUTH)).status == 404
    name = Name(scenes.OTHERS, *place.split("/files/")[1].split("/"))
    assert rules.name_from(f"incoming/evidence/{name.owner_id}/{name.about}/{name.upload_id}") == name
    assert work(portal).examine(f"incoming/evidence/{name.owner_id}/{name.about}/{name.upload_id}") is None


def test_who_only_looks_hands_nothing_in(portal: Portal) -> None:
    admin, viewer = portal.signed_in("admin"), portal.signed_in("viewer")
    form = f"{HOME}/invoices/{largest(portal).invoice_id}/files"
    assert viewer.get(form).status == 404
    place = asked(admin, portal)
    page = viewer.get(place)
    assert page.status == 200 and "multipart" not in page.text and "policy" not in page.hidden()


def test_the_same_form_twice_is_one_file(portal: Portal) -> None:
    browser = portal.signed_in("admin")
    form = f"{HOME}/invoices/{largest(portal).invoice_id}/files"
    browser.get(form)
    fields = {**hidden(browser), "title": "Once"}
    key = browser.page.hidden()["form_key"] if browser.page else ""
    first = browser.post(form, {**fields, "form_key": key}, key=False)
    assert first.location == browser.post(form, {**fields, "form_key": key}, key=False).location


def test_sending_a_dispute_leads_on_to_its_files_and_back(portal: Portal) -> None:
    browser = portal.signed_in("admin")
    there = dispute(portal, browser, then="files")
    assert re.search(r"/invoices/inv_\w+/files\?dispute=dsp_\w+$", there.location)
    page = browser.follow(there)
    answer = browser.post(there.location.partition("?")[0], {**hidden(browser), "title": "Contract"})
    assert page.status == 200 and "?dispute=dsp_" in answer.location
    assert "/disputes/dsp_" in browser.follow(answer).text
