"""Payments over a limit wait for people who are not the payer."""

from __future__ import annotations

import pytest

from functions.portal import services
from saldo.audit.model import Actor
from saldo.invoicing.reading import open_rows
from saldo.kernel.errors import Refusal
from saldo.payments.model import Allocation
from saldo.payments.model_approvals import ApprovalPolicy, Level
from tests.functions.portal import scenes
from tests.functions.portal.browser import ORIGIN, Browser, Page
from tests.functions.portal.conftest import GATEWAY, Portal

HOME = f"/accounts/{scenes.NORTH}"
STAFF = Actor("user_eu_clerk", "staff")


@pytest.fixture
def limited(portal: Portal) -> Portal:
    """Above 1,000 one approver, above 10,000 a second one."""
    policy = ApprovalPolicy({"EUR": (Level(100_000), Level(1_000_000))})
    services.approvals().set_policy(scenes.NORTH, policy, STAFF, "the customer's procurement rules")
    return portal


def largest(portal: Portal) -> tuple[str, int]:
    row = max(open_rows(services.store(), scenes.NORTH), key=lambda r: r.open_minor)
    return row.invoice_id, row.open_minor


def smallest(portal: Portal) -> tuple[str, int]:
    row = min(open_rows(services.store(), scenes.NORTH), key=lambda r: r.open_minor)
    return row.invoice_id, row.open_minor


def paying(browser: Browser, invoice_id: str, minor: int, reason: str = "") -> Page:
    browser.get(f"{HOME}/pay?pay={invoice_id}")
    key = f"form-key-{invoice_id}-{minor}"
    fields = {"pay": invoice_id, f"minor.{invoice_id}": str(minor), "request_key": key, "reason": reason}
    return browser.post(f"{HOME}/pay/confirm", fields)


def agree(portal: Portal, who: str, place: str) -> Page:
    browser = portal.signed_in(who)
    browser.get(place)
    content = services.approvals().get(scenes.NORTH, place.rpartition("/")[2]).content
    return browser.post(f"{place}/agree", {"content": content})


def test_a_payment_over_two_limits_starts_when_two_others_have_agreed(limited: Portal) -> None:
    payer = limited.signed_in("payer")
    place = paying(payer, *largest(limited)).location
    assert place.startswith(f"{HOME}/approvals/appr_") and not limited.gateway.opened
    assert {letter.to for letter in limited.mail("approval_asked")} == {
        scenes.PEOPLE[who].email for who in ("approver", "admin")
    }
    payer.get(place)
    assert payer.post(f"{place}/start", {}).status == 422
    assert agree(limited, "approver", place).status == 303
    payer.get(place)
    assert payer.post(f"{place}/start", {}).status == 422 and not limited.gateway.opened
    assert agree(limited, "admin", place).status == 303
    before = limited.region.records.calls
    text = payer.get(place).text
    assert limited.region.records.calls == before + 2  # the session, and one range of the account
    assert "Arne Blum" in text and "Rieke Harms" in text
    answer = payer.post(f"{place}/start", {})
    assert answer.location.startswith(f"{GATEWAY}/pay/pay_")
    payer.get(place)
    assert payer.post(f"{place}/start", {}).location == answer.location and len(limited.gateway.opened) == 1


def test_a_small_payment_needs_nobody(portal: Portal) -> None:
    invoice_id, minor = smallest(portal)
    policy = ApprovalPolicy({"EUR": (Level(minor),)})
    services.approvals().set_policy(scenes.NORTH, policy, STAFF, "rules")
    assert paying(portal.signed_in("payer"), invoice_id, minor).location.startswith(GATEWAY)


def test_a_large_invoice_in_small_parts_goes_round_nobody(limited: Portal) -> None:
    invoice_id, _ = largest(limited)
    answer = paying(limited.signed_in("payer"), invoice_id, 5_000, "first part")
    assert answer.location.startswith(f"{HOME}/approvals/")


def test_nobody_agrees_to_their_own_payment_nor_twice_nor_without_the_role(limited: Portal) -> None:
    admin = limited.signed_in()
    place = paying(admin, *largest(limited)).location
    for who in ("admin", "payer", "viewer"):
        assert agree(limited, who, place).status == 422
    assert agree(limited, "approver", place).status == 303
    assert agree(limited, "approver", place).status == 422
    page = admin.get(place)
    assert "Agree to" not in page.text and "Waiting" in page.text


def test_what_was_agreed_to_is_what_was_shown(limited: Portal) -> None:
    place = paying(limited.signed_in("payer"), *largest(limited)).location
    approver = limited.signed_in("approver")
    approver.get(place)
    assert approver.post(f"{place}/agree", {"content": "something else"}).status == 409


def test_a_declined_payment_says_why_and_never_starts(limited: Portal) -> None:
    payer = limited.signed_in("payer")
    place = paying(payer, *largest(limited)).location
    approver = limited.signed_in("approver")
    approver.get(place)
    assert approver.post(f"{place}/decline", {"reason": " "}).status == 422
    assert approver.post(f"{place}/decline", {"reason": "wrong cost centre"}).status == 303
    assert "Abgelehnt" in payer.get(place).text and payer.post(f"{place}/start", {}).status == 422
    told = limited.access._store.query_all(scenes.NORTH, prefix="audit#")
    assert any(i["action"] == "approval.declined" and i["reason"] == "wrong cost centre" for i in told)


def test_an_approval_is_for_its_amounts_its_payer_and_two_weeks(limited: Portal) -> None:
    payer, (invoice_id, minor) = limited.signed_in("payer"), largest(limited)
    place = paying(payer, invoice_id, minor).location
    for who in ("approver", "admin"):
        agree(limited, who, place)
    approval_id, payments = place.rpartition("/")[2], services.payments()
    for allocations, actor in (
        ([Allocation(invoice_id, minor - 1)], limited.user_id("payer")),
        ([Allocation(invoice_id, minor)], limited.user_id("admin")),
    ):
        with pytest.raises(Refusal, match="approval_void"):
            reason = "less" if allocations[0].minor < minor else ""
            payments.start(
                scenes.NORTH, allocations, Actor(actor, "user"), f"k{minor}{actor}", ORIGIN, reason, approval_id
            )
    limited.clock.advance(days=14)
    late = limited.signed_in("payer")
    assert "Abgelaufen" in late.get(place).text and late.post(f"{place}/start", {}).status == 422
    assert not limited.gateway.opened


def test_when_the_invoice_has_changed_the_approval_is_void(limited: Portal) -> None:
    payer, (invoice_id, minor) = limited.signed_in("payer"), largest(limited)
    place = paying(payer, invoice_id, minor).location
    for who in ("approver", "admin"):
        agree(limited, who, place)
    store = services.store()
    from saldo.storage.units import Unit

    store.write_one(Unit("credited").update((scenes.NORTH, f"invoice#{invoice_id}"), set={"open_minor": minor - 100}))
    payer.get(place)
    assert payer.post(f"{place}/start", {}).status == 422
    assert "Hinfällig" in payer.get(place).text and not limited.gateway.opened


def test_a_delegate_agrees_for_the_absent_on_their_days_only(limited: Portal) -> None:
    payer = limited.signed_in("payer")
    place = paying(payer, *largest(limited)).location
    approver = limited.signed_in("approver")
    approver.get(f"{HOME}/approvals")
    days = {"from": "2026-11-24", "until": "2026-11-25"}
    viewer = limited.user_id("viewer")
    answer = approver.post(f"{HOME}/approvals/stand-in", {"to": viewer, **days})
    assert answer.location == f"{HOME}/approvals?done=stand_in"
    assert "Vera Lenz approves in your place" in approver.get(f"{HOME}/approvals").text
    assert agree(limited, "viewer", place).status == 422
    limited.clock.advance(days=1)
    assert agree(limited, "viewer", place).status == 303
    text = limited.signed_in("viewer").get(place).text
    assert "Vera Lenz in place of Arne Blum" in text
    assert agree(limited, "approver", place).status == 422  # has spoken, through the delegate
    limited.clock.advance(days=2)
    other = paying(limited.signed_in("payer"), largest(limited)[0], 200_000, "part").location
    assert agree(limited, "viewer", other).status == 422


def test_the_payers_delegate_and_the_payer_as_delegate_do_not_count(limited: Portal) -> None:
    days = {"from": "2026-11-23", "until": "2026-11-30"}
    admin, approver = limited.signed_in(), limited.signed_in("approver")
    admin.get(f"{HOME}/approvals")
    admin.post(f"{HOME}/approvals/stand-in", {"to": limited.user_id("viewer"), **days})
    approver.get(f"{HOME}/approvals")
    approver.post(f"{HOME}/approvals/stand-in", {"to": limited.user_id("admin"), **days})
    place = paying(admin, *largest(limited)).location
    assert agree(limited, "viewer", place).status == 422  # stands in for the payer
    assert agree(limited, "admin", place).status == 422  # is the payer


def test_every_problem_of_a_stand_in_is_named(limited: Portal) -> None:
    approver = limited.signed_in("approver")
    approver.get(f"{HOME}/approvals")
    page = approver.post(f"{HOME}/approvals/stand-in", {"to": limited.user_id("approver"), "from": "x", "until": ""})
    assert page.status == 422 and page.text.count("Enter a date") >= 2
    days = {"from": "2026-11-25", "until": "2026-11-24"}
    page = approver.post(f"{HOME}/approvals/stand-in", {"to": limited.user_id("approver"), **days})
    assert "somebody else" in page.text and "before the first" in page.text
