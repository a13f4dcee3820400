"""Accounts whose invoices staff look at: proposed, approved or held, and billed only as they were seen."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from saldo.accounts.model import Terms
from saldo.accounts.records import account_from, account_item
from saldo.audit.model import Actor
from saldo.insight.invariants import check_all
from saldo.invoicing.approvals import Approvals
from saldo.invoicing.model import Coupon
from saldo.invoicing.run.now import Invoices, OneOff
from saldo.invoicing.run.number import set_aside_of
from saldo.invoicing.run.open import open_run
from saldo.invoicing.wallets import Wallets
from saldo.kernel.errors import Refusal
from saldo.orders.model import Item, WaitingItem
from saldo.orders.records import add_item
from saldo.storage.units import Unit
from tests.simulation.world import ENTITY, World

JAN, TOMORROW = date(2026, 1, 1), date(2026, 1, 2)
CLERK = Actor("user_eu_clerk", "staff")
CAREFUL = "acct_eu_000000"


def world() -> tuple[World, Approvals]:
    """Two customers; the invoices of the first are looked at."""
    found = World()
    found.found(2, started_on=JAN)
    account = account_from(found.store.get(CAREFUL, "account") or {})
    found.store.put_many([account_item(replace(account, terms=Terms(review=True)))])
    return found, Approvals(found.store, found.clock)


def codes(found: World, on: date) -> tuple[int, list[str]]:
    closed = found.run(on)
    return closed.invoices, [s.code for s in set_aside_of(found.store, closed)]


def test_a_run_proposes_and_bills_the_others() -> None:
    found, desk = world()
    assert codes(found, JAN) == (1, ["awaiting_approval"])
    assert desk.waiting(ENTITY.id) == [CAREFUL]
    proposal = desk.proposal(CAREFUL)
    assert (proposal.state, [b.net_minor for b in proposal.bodies]) == ("proposed", [5650])
    assert check_all(found.store).violations == []


def test_the_next_run_bills_what_was_approved_and_the_approval_is_used_up() -> None:
    found, desk = world()
    codes(found, JAN)
    desk.approve(CAREFUL, desk.proposal(CAREFUL).print, CLERK)
    assert desk.waiting(ENTITY.id) == []
    assert codes(found, TOMORROW) == (1, [])
    with pytest.raises(Refusal, match="not_found"):
        desk.proposal(CAREFUL)
    assert codes(found, date(2026, 2, 1)) == (1, ["awaiting_approval"]), "each invoice is looked at anew"
    assert check_all(found.store).violations == []


def test_what_changed_after_it_was_approved_is_proposed_again() -> None:
    found, desk = world()
    codes(found, JAN)
    seen = desk.proposal(CAREFUL).print
    desk.approve(CAREFUL, seen, CLERK)
    visit = WaitingItem(
        CAREFUL, ENTITY.id, Item("visit", {"en": "Visit"}, Decimal(80), tax_category="digital_service"), JAN, "staff"
    )
    assert found.store.write_one(add_item(Unit("visit"), visit)) is None
    assert codes(found, TOMORROW) == (0, ["awaiting_approval"])
    assert desk.proposal(CAREFUL).bodies[0].net_minor == 5650 + 8000
    with pytest.raises(Refusal, match="changed_meanwhile"):
        desk.approve(CAREFUL, seen, CLERK)
    desk.approve(CAREFUL, desk.proposal(CAREFUL).print, CLERK)
    issued = Invoices(found.billing(), found.clock).issue_now(OneOff(CAREFUL, "go", (), CLERK))
    assert len(issued.invoices) == 1 and issued.set_aside == ()
    assert check_all(found.store).violations == []


def test_a_coupon_edits_a_draft_and_a_held_one_stays_until_it_is_another() -> None:
    found, desk = world()
    codes(found, JAN)
    with pytest.raises(Refusal, match="reason_required"):
        desk.hold(CAREFUL, desk.proposal(CAREFUL).print, CLERK, " ")
    desk.hold(CAREFUL, desk.proposal(CAREFUL).print, CLERK, "the customer asked for a better price")
    assert codes(found, TOMORROW) == (0, ["on_hold"])
    Wallets(found.store, found.clock).add_coupon(CAREFUL, Coupon("ten", {"en": "10 %"}, percent=Decimal(10)), CLERK)
    assert codes(found, date(2026, 1, 3)) == (0, ["awaiting_approval"])
    assert desk.proposal(CAREFUL).bodies[0].net_minor == 5085


def test_a_dry_run_proposes_nothing() -> None:
    found, desk = world()
    found.now = datetime(2026, 1, 1, 9, tzinfo=UTC)
    attempt = open_run(found.store, found.clock, ENTITY.id, "2026-01-01", dry_run=True)
    from saldo.invoicing.run.bill import bill_accounts

    result = bill_accounts(found.billing(), attempt.run_id, attempt.number, "00000")
    assert [s.code for s in result.set_aside] == ["awaiting_approval"]
    assert desk.waiting(ENTITY.id) == []


def test_who_approved_what_is_on_the_audit_trail() -> None:
    found, desk = world()
    codes(found, JAN)
    seen = desk.proposal(CAREFUL).print
    desk.approve(CAREFUL, seen, CLERK)
    told = [i for i in found.store.query_all(CAREFUL, prefix="audit#") if i["action"] == "draft.approved"]
    assert [(i["actor"]["id"], i["after"]["print"]) for i in told] == [("user_eu_clerk", seen)]
