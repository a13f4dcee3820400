"""Billing details in the portal: seen by all, changed by admins, told beforehand what a change does."""

from __future__ import annotations

import pytest

from functions.portal import services
from saldo.accounts.model import Account, BillingProfile
from saldo.accounts.service import Accounts
from saldo.audit.model import Actor
from saldo.invoicing.offered_corrections import OfferedCorrections
from saldo.invoicing.rules_corrections import CorrectionPolicy, Offered
from saldo.storage.units import Unit
from saldo.support.model import Ticket
from saldo.support.service import Support
from tests.functions.portal import scenes
from tests.functions.portal.browser import Browser, Page
from tests.functions.portal.conftest import Portal

HOME = f"/accounts/{scenes.NORTH}"
STAFF = Actor("staff_1", "staff")
WISH = {
    "legal_name": "Kontor Nord AG",
    "contact_name": "Rieke Harms",
    "lines": "Elbchaussee 1\nHinterhaus",
    "postcode": "22765",
    "city": "Hamburg",
    "region": "",
    "tax_id": "DE136695976",
    "emails": "ap@kontor.example\nbooks@kontor.example",
    "purchase_order": "PO-7",
    "language": "fr",
    "by_email": "no",
}


def now() -> tuple[Account, BillingProfile]:
    accounts = Accounts(services.store(), services.sealer(), services.clock)
    account = accounts.account(scenes.NORTH)
    return account, accounts.profile(scenes.NORTH, account.profile_version)


def tickets() -> list[Ticket]:
    return Support(services.store(), services.sealer(), services.clock).of_account(scenes.NORTH)


def checking(browser: Browser, **fields: str) -> Page:
    seen = browser.get(f"{HOME}/details/change").hidden()["seen"]
    return browser.post(f"{HOME}/details/check", {**WISH, "seen": seen, **fields})


def confirmed(browser: Browser, checked: Page, **fields: str) -> Page:
    assert checked.status == 200, checked.text
    sent = {k: v for k, v in checked.hidden().items() if k not in ("form_key", "passkey")}
    return browser.post(f"{HOME}/details", sent | fields)


def test_a_change_is_told_before_it_is_made_and_shown_afterwards(portal: Portal) -> None:
    admin = portal.with_codes()
    checked = checking(admin)
    assert "Invoices from now on carry the new details." in checked.text
    assert "Open and paid invoices stay as they are." in checked.text and "no longer mailed" in checked.text
    assert "Kontor Nord AG" in checked.text and "Kontor Nord GmbH" in checked.text and now()[1].version == 1
    done = confirmed(admin, checked)
    assert done.location == f"{HOME}/details?done=changed"
    account, profile = now()
    assert (account.language, account.deliver_by_email, profile.version) == ("fr", False, 2)
    assert profile.address.lines == ("Elbchaussee 1", "Hinterhaus") and profile.address.country == "DE"
    assert profile.emails == ("ap@kontor.example", "books@kontor.example")
    page = admin.get(done.location).text
    assert "Your billing details are changed." in page and "PO-7" in page and "Tax number not checked yet" in page


def test_invoices_that_are_out_are_offered_for_correction_and_asked_for_with_the_change(portal: Portal) -> None:
    admin = portal.with_codes()
    checked = checking(admin)
    shown = [line.split('"')[0] for line in checked.text.split('name="correct" value="')[1:]]
    assert len(shown) == 7, "those that are open, as the policy is at first"
    assert confirmed(admin, checked, correct=shown[0]).location == f"{HOME}/details?done=asked"
    (ticket,) = tickets()
    assert ticket.topic == "invoice" and ticket.messages[0].text.count("RW-") == 1 and now()[1].version == 2
    assert "the seller has your wish" in admin.get(f"{HOME}/details?done=asked").text


def test_what_the_policy_does_not_offer_cannot_be_asked_for(portal: Portal) -> None:
    admin = portal.with_codes()
    shown = checking(admin).text.split('name="correct" value="')[1].split('"')[0]
    OfferedCorrections(services.store(), services.clock).set_policy(
        scenes.ENTITY, CorrectionPolicy(Offered.NONE), STAFF
    )
    checked = checking(admin)
    assert 'name="correct"' not in checked.text
    assert confirmed(admin, checked, correct=shown).location == f"{HOME}/details?done=changed" and tickets() == []


def test_mail_addresses_alone_are_no_reason_to_correct_an_invoice(portal: Portal) -> None:
    admin = portal.with_codes()
    same = {k: v for k, v in admin.get(f"{HOME}/details/change").hidden().items() if k == "seen"}
    profile = now()[1]
    kept = {
        "legal_name": profile.legal_name,
        "lines": "\n".join(profile.address.lines),
        "postcode": profile.address.postcode,
        "city": profile.address.city,
        "region": profile.address.region,
        "tax_id": profile.tax_id,
        "purchase_order": "",
    }
    checked = checking(admin, **same, **kept)
    assert checked.status == 200 and 'name="correct"' not in checked.text and "books@kontor.example" in checked.text


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"legal_name": "", "city": "", "lines": " "}, {"legal_name", "city", "lines"}),
        ({"tax_id": "DE123456789", "emails": "nobody"}, {"tax_id", "emails"}),
        ({"by_email": "yes", "emails": ""}, {"emails"}),
        ({"lines": "1\n2\n3\n4\n5", "purchase_order": "x" * 51}, {"lines", "purchase_order"}),
        ({"language": "xx"}, {"language"}),
    ],
)
def test_everything_wrong_is_told_at_its_field_and_nothing_is_changed(
    portal: Portal, fields: dict[str, str], wrong: set[str]
) -> None:
    page = checking(portal.signed_in(), **fields)
    assert page.status == 422 and now()[1].version == 1
    assert {name for name in WISH if f'href="#{name}"' in page.text} == wrong


def test_a_form_that_changes_nothing_says_so(portal: Portal) -> None:
    admin = portal.with_codes()
    confirmed(admin, checking(admin))
    page = checking(admin)
    assert page.status == 422 and "Nothing differs from what is there now" in page.text


def test_a_change_asks_for_a_proof_and_whoever_has_none_sets_it_up_first(portal: Portal) -> None:
    admin = portal.signed_in()
    checked = checking(admin)
    assert "/profile/codes" in checked.text
    assert confirmed(admin, checked).status == 422 and now()[1].version == 1


def test_a_form_sent_twice_changes_once_and_one_of_before_anothers_change_is_refused(portal: Portal) -> None:
    admin = portal.with_codes()
    checked = checking(admin)
    assert confirmed(admin, checked).status == 303
    admin.get(f"{HOME}/details")
    assert confirmed(admin, checked).status == 303 and now()[1].version == 2
    admin.get(f"{HOME}/details")
    assert "changed meanwhile" in confirmed(admin, checked, legal_name="Somebody else").text and now()[1].version == 2


def test_the_country_is_the_sellers_to_change_and_the_form_says_so(portal: Portal) -> None:
    admin = portal.with_codes()
    assert "so the seller changes it" in admin.get(f"{HOME}/details/change").text
    confirmed(admin, checking(admin, country="FR"))
    assert now()[1].address.country == "DE" and now()[0].country == "DE"


def test_who_moves_to_another_state_is_told_where_tax_is_due_from_then_on(portal: Portal) -> None:
    unit = Unit("taxed in a state").update((scenes.NORTH, "account"), set={"country": "US", "tax_region": ""})
    services.store().write_one(unit)
    accounts, profile = Accounts(services.store(), services.sealer(), services.clock), now()[1]
    home = profile.address.__class__(("1 Pine St",), "10005", "New York", "US", "NY")
    accounts.change_profile(BillingProfile(scenes.NORTH, 0, "Kontor Inc", "", home, "", (), ""), STAFF)
    admin = portal.with_codes()
    fields = {"tax_id": "", "postcode": "94105", "city": "San Francisco", "region": "ca"}
    checked = checking(admin, **fields)
    assert "Tax on invoices from now on is that of CA." in checked.text
    confirmed(admin, checked)
    assert (now()[0].tax_region, now()[0].tax_postcode) == ("CA", "94105")
    assert 'href="#region"' in checking(admin, **{**fields, "region": ""}).text


def test_answers_can_be_changed_before_they_are_confirmed(portal: Portal) -> None:
    admin = portal.signed_in()
    sent = {k: v for k, v in checking(admin).hidden().items() if k != "form_key"}
    page = admin.post(f"{HOME}/details/change", sent)
    assert page.status == 200 and "Kontor Nord AG" in page.text and "Hinterhaus" in page.text


@pytest.mark.parametrize("who", ["viewer", "payer", "approver"])
def test_others_look_and_change_nothing(portal: Portal, who: str) -> None:
    browser = portal.signed_in(who)
    page = browser.get(f"{HOME}/details")
    assert page.status == 200 and "Kontor Nord GmbH" in page.text and "/details/change" not in page.text
    assert browser.get(f"{HOME}/details/change").status == 404
    assert browser.post(f"{HOME}/details", WISH | {"seen": "1"}).status == 404 and now()[1].version == 1
