"""Account admins look after their colleagues: inviting, changing, suspending, removing; the invited join."""

from __future__ import annotations

from typing import Any

import pytest

from functions.portal import services
from saldo.access.model import Role
from saldo.audit.model import Actor
from saldo.kernel.errors import Refusal
from tests.functions.portal import scenes
from tests.functions.portal.browser import ORIGIN, Browser, Page
from tests.functions.portal.conftest import Portal

HOME = f"/accounts/{scenes.NORTH}"
ASKED = {"email": "Nina@Kontor.example", "name": "Nina Falk", "role": "payer", "language": "de"}
STAFF = Actor("user_eu_clerk", "staff")


def invited(portal: Portal, admin: Browser, **changes: str) -> str:
    """The path of the link that is mailed."""
    admin.get(f"{HOME}/invite")
    assert admin.post(f"{HOME}/invite/check", ASKED | changes).status == 200
    answer = admin.post(f"{HOME}/invite", ASKED | changes)
    assert answer.location == f"{HOME}/people?done=invited", answer.text
    email = (ASKED | changes)["email"].lower()
    return next(letter for letter in portal.mail("invitation") if letter.to == email).url.removeprefix(ORIGIN)


def accepted(portal: Portal, path: str, password: str = "Brand-New-Horse-9") -> None:
    browser = portal.browser()
    assert browser.get(path).status == 200
    answer = browser.post(path, {"name": "Nina Falk", "password": password})
    assert answer.location == "/sign-in?done=joined", answer.text


def told(portal: Portal) -> list[dict[str, Any]]:
    return list(portal.access._store.query_all(scenes.NORTH, prefix="audit#"))


def change(admin: Browser, user_id: str, act: str, **proof: str) -> Page:
    admin.get(f"{HOME}/people/{user_id}")
    assert admin.post(f"{HOME}/people/{user_id}/check", {"act": act}).status == 200
    return admin.post(f"{HOME}/people/{user_id}", {"act": act, **proof})


def test_an_admin_invites_and_the_invited_chooses_a_password_and_comes_in(portal: Portal) -> None:
    admin = portal.with_codes()
    path = invited(portal, admin)
    letter = portal.mail("invitation")[0]
    assert letter.to == "nina@kontor.example" and letter.language == "de" and "Einladung" in letter.subject
    assert ("Von", "Rieke Harms") in letter.facts and ("Rolle", "Zahlend") in letter.facts
    assert "Nina Falk" in admin.get(f"{HOME}/people").text
    accepted(portal, path)
    page = portal.browser().sign_in("nina@kontor.example", "Brand-New-Horse-9", f"{HOME}/pay")
    assert page.location == f"{HOME}/pay"
    text = admin.get(f"{HOME}/people").text
    assert "Nina Falk" in text and "Invited, not here yet" not in text
    assert {"invitation.sent", "invitation.accepted"} <= {i["action"] for i in told(portal)}


def test_an_invitation_works_once_seven_days_until_it_is_withdrawn_and_cannot_be_made_up(portal: Portal) -> None:
    admin = portal.with_codes()
    used = invited(portal, admin)
    accepted(portal, used)
    withdrawn = invited(portal, admin, email="second@kontor.example")
    page = admin.get(f"{HOME}/people")
    admin.post(f"{HOME}/people/withdraw", {"invitation": page.hidden()["invitation"]})
    late = invited(portal, admin, email="third@kontor.example")
    said = set()
    for path in (used, withdrawn, late[:-3] + "AAA", "/invitation/x", f"/invitation/{scenes.NORTH}.abc.{'A' * 43}"):
        page = portal.browser().get(path)
        said.add((page.status, page.text.split("<main")[1]))
    assert portal.browser().get(late).status == 200
    portal.clock.advance(days=7)
    page = portal.browser().get(late)
    said.add((page.status, page.text.split("<main")[1]))
    assert len(said) == 1 and next(iter(said))[0] == 422


def test_the_table_holds_nothing_that_opens_an_invitation_and_no_name_in_clear(portal: Portal) -> None:
    path = invited(portal, portal.with_codes())
    stored = str(list(portal.access._store.scan()))
    assert path.rpartition(".")[2] not in stored and "nina@" not in stored.lower() and "Nina" not in stored


def test_every_problem_of_an_invitation_is_named_at_once(portal: Portal) -> None:
    admin = portal.with_codes()
    admin.get(f"{HOME}/invite")
    page = admin.post(f"{HOME}/invite/check", ASKED | {"email": "no address", "name": " "})
    assert page.status == 422 and "Enter an e-mail address" in page.text and "Enter a name" in page.text
    page = admin.post(f"{HOME}/invite/check", ASKED | {"email": scenes.PEOPLE["payer"].email.upper()})
    assert page.status == 422 and "among your colleagues already" in page.text


def test_somebody_of_the_organisation_keeps_the_password_and_gets_one_account_more(portal: Portal) -> None:
    admin, south = portal.with_codes(), f"/accounts/{scenes.SOUTH}"
    payer = portal.signed_in("payer")
    admin.get(f"{south}/invite")
    admin.post(f"{south}/invite", ASKED | {"email": scenes.PEOPLE["payer"].email})
    path = portal.mail("invitation")[0].url.removeprefix(ORIGIN)
    browser = portal.browser()
    assert 'type="password"' not in browser.get(path).text
    assert browser.post(path, {}).location == "/sign-in?done=joined"
    assert payer.get(HOME).location.startswith("/sign-in")  # what the session knew has changed
    assert portal.signed_in("payer").get(south).status == 200


def test_who_signs_in_for_another_organisation_cannot_join_with_that_address(portal: Portal) -> None:
    path = invited(portal, portal.with_codes(), email=scenes.PEOPLE["stranger"].email)
    browser = portal.browser()
    browser.get(path)
    page = browser.post(path, {"name": "x", "password": "Taken-Over-Horse-1"})
    assert page.status == 422 and "another organisation" in page.text
    assert portal.signed_in("stranger").get(f"/accounts/{scenes.OTHERS}").status == 200


def test_a_changed_role_ends_the_sessions_and_counts_at_the_next_sign_in(portal: Portal) -> None:
    admin, payer = portal.with_codes(), portal.signed_in("payer")
    assert payer.get(f"{HOME}/pay").status == 200
    assert change(admin, portal.user_id("payer"), "viewer").status == 303
    assert payer.get(f"{HOME}/invoices").location.startswith("/sign-in")
    again = portal.signed_in("payer")
    assert again.get(f"{HOME}/pay").status == 404 and again.get(f"{HOME}/invoices").status == 200
    assert "member.role_changed" in {i["action"] for i in told(portal)}


def test_the_suspended_and_the_removed_stay_out_until_the_suspension_is_lifted(portal: Portal) -> None:
    admin, viewer = portal.with_codes(), portal.user_id("viewer")
    email = scenes.PEOPLE["viewer"].email
    change(admin, viewer, "suspend")
    assert portal.browser().sign_in(email, scenes.PASSWORD).status == 422
    change(admin, viewer, "restore")
    assert portal.browser().sign_in(email, scenes.PASSWORD).status == 303
    change(admin, viewer, "remove")
    assert portal.browser().sign_in(email, scenes.PASSWORD).status == 422
    assert admin.get(f"{HOME}/people/{viewer}").status == 404


def test_an_account_keeps_an_admin(portal: Portal) -> None:
    admin, own = portal.with_codes(), portal.user_id("admin")
    for act in ("remove", "suspend", "viewer"):
        page = change(admin, own, act)
        assert page.status == 422 and "at least one admin" in page.text
    change(admin, portal.user_id("approver"), "account_admin")
    assert change(admin, own, "viewer").status == 303


def test_two_admins_who_remove_one_another_at_the_same_moment_leave_one(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(portal.with_codes(), portal.user_id("approver"), "account_admin")
    one, two, colleagues = portal.user_id("admin"), portal.user_id("approver"), services.colleagues()
    plain = type(colleagues._store).write_one

    def between(store: Any, unit: Any) -> Any:
        monkeypatch.setattr(type(colleagues._store), "write_one", plain)
        colleagues.remove(scenes.NORTH, two, Actor(one, "user"))
        return plain(store, unit)

    monkeypatch.setattr(type(colleagues._store), "write_one", between)
    with pytest.raises(Refusal, match="at least one admin"):
        colleagues.remove(scenes.NORTH, one, Actor(two, "user"))
    assert [m.user_id for m in colleagues.people(scenes.NORTH).members if m.is_admin] == [one]


def test_changing_access_asks_for_a_code_again_and_whoever_has_none_sets_them_up_first(portal: Portal) -> None:
    plain, payer = portal.signed_in(), portal.user_id("payer")
    plain.get(f"{HOME}/people/{payer}")
    page = plain.post(f"{HOME}/people/{payer}/check", {"act": "viewer"})
    assert "Set one up first" in page.text and "<button>Change" not in page.text
    assert plain.post(f"{HOME}/people/{payer}", {"act": "viewer"}).status == 422
    admin = portal.with_codes()
    portal.clock.advance(minutes=6)
    page = change(admin, payer, "viewer", password=scenes.PASSWORD, code="000000")
    assert page.status == 422 and "code is not right" in page.text
    assert change(admin, payer, "viewer", password=scenes.PASSWORD, code=portal.code()).status == 303


def test_staff_says_why_and_the_audit_has_it(portal: Portal) -> None:
    colleagues, payer = services.colleagues(), portal.user_id("payer")
    with pytest.raises(Refusal, match="reason_required"):
        colleagues.change_role(scenes.NORTH, payer, Role.VIEWER, STAFF)
    colleagues.change_role(scenes.NORTH, payer, Role.VIEWER, STAFF, "ticket 7: left the team")
    changed = next(i for i in told(portal) if i["action"] == "member.role_changed")
    assert changed["reason"] == "ticket 7: left the team" and changed["before"]["role"] == "payer"


def test_only_admins_find_the_page(portal: Portal) -> None:
    for who in ("payer", "viewer", "approver"):
        assert portal.signed_in(who).get(f"{HOME}/people").status == 404
