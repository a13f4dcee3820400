"""What is disputed is left alone until it is decided, by whichever way; and no cent is disputed, or credited, twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from unittest import mock

import pytest

from saldo.access.model_proposals import Decider, Proposal
from saldo.access.proposals import Proposals
from saldo.collections.service import Reminders
from saldo.disputes import records, rules
from saldo.disputes.model import Claim, DisputeState, Side
from saldo.insight.invariants import check_all
from saldo.invoicing.records import header_from, header_item, header_key
from saldo.invoicing.records_moves import settle_update
from saldo.kernel.errors import Refusal
from saldo.storage.items import Item
from saldo.storage.units import Unit
from tests.simulation.region import ENTITY_ID, Region, quiet
from tests.simulation.workflows import reminders
from tests.simulation.workflows.disputes import (
    APPROVER,
    PAYER,
    SECOND,
    asked,
    credits,
    disputes,
    now,
    opened,
    peopled,
    wish,
)
from tests.simulation.workflows.letting_in import HERE
from tests.simulation.workflows.scenes import CLERK, open_invoices


@pytest.fixture
def region() -> Iterator[Region]:
    region = Region()
    with quiet(), region.serving():
        peopled(region)
        yield region
        assert [v for v in check_all(region.store).violations if v.invariant == 14] == []


def header(region: Region):
    item = region.store.get(*header_key(HERE, region.notes["invoice"]))
    assert item is not None
    return header_from(item)


def disputed(region: Region, **more: object) -> None:
    """The first invoice, whole or as told."""
    made = disputes(region).open(wish(region, **more))
    region.notes |= {"dispute": made.id, "invoice": made.invoice_id}


def line(region: Region) -> tuple[str, int]:
    invoice_id, _ = open_invoices(region, 0)[0]
    return next(iter(disputes(region).disputable(HERE, invoice_id).left.items()))


def given(region: Region) -> dict[str, int]:
    """What the letter to the customer asks for, by invoice."""
    letters = Reminders(region.store, region.clock).of_account(HERE)
    return {n.invoice_id: n.asked_minor for letter in letters for n in letter.standing}


def test_a_disputed_invoice_is_in_no_letter_and_one_that_is_refused_is_again(region: Region) -> None:
    disputed(region)
    whole = header(region).open_minor
    assert header(region).disputed_minor == whole
    reminders.issue(region)
    assert given(region) == {}
    disputes(region).refuse(HERE, now(region).id, 1, "As agreed", CLERK)
    assert header(region).disputed_minor == 0
    reminders.issue(region, date(2026, 2, 11))
    assert given(region) == {region.notes["invoice"]: whole}


def test_of_an_invoice_in_dispute_in_part_the_rest_is_asked_for(region: Region) -> None:
    disputed(region, amount_minor=100)
    rest = header(region).open_minor - 100
    reminders.issue(region)
    assert given(region) == {region.notes["invoice"]: rest}


def test_a_letter_that_was_decided_before_the_dispute_is_not_sent(region: Region) -> None:
    reminders.issue(region)
    disputed(region)
    reminder = Reminders(region.store, region.clock).of_account(HERE)[0]
    assert Reminders(region.store, region.clock).still_owed(HERE, reminder.id).reminder.standing == ()


def test_the_cents_of_a_line_are_in_one_dispute(region: Region) -> None:
    line_id, minor = line(region)
    disputed(region, lines={line_id: minor})
    for lines in ({line_id: 1}, {line_id: minor + 1}, {"none": 5}, {line_id: 0}):
        with pytest.raises(Refusal, match="invalid_dispute"):
            disputes(region).open(wish(region, lines=lines, request="form-key-2"))
    disputes(region).withdraw(HERE, now(region).id, 1, PAYER)
    assert disputes(region).open(wish(region, lines={line_id: minor}, request="form-key-3")).state is DisputeState.OPEN


def test_two_disputes_at_the_same_moment_do_not_claim_the_same_cents(region: Region) -> None:
    disputed(region, amount_minor=100)
    whole, desk = header(region).total_minor, disputes(region)
    before = desk.disputable(HERE, region.notes["invoice"])
    other = desk.open(wish(region, amount_minor=whole - 100, request="form-key-2"))
    # Somebody who read before that, and writes after it: the guard has moved on.
    late = rules.with_message(other, Side.CUSTOMER, PAYER.id, "again", region.now)
    late = replace(late, id="dsp_20260101late", claim=Claim(50))
    unit = Unit("late").insert(records.dispute_item(late))
    records.write_in_dispute(unit, HERE, before.known, rules.with_standing(before.known, late))
    assert region.store.write_one(unit) is not None


def test_what_is_paid_all_the_same_is_no_longer_frozen(region: Region) -> None:
    disputed(region)
    before = header(region)
    unit = Unit("pay")
    settle_update(unit, before, before.open_minor - 30, region.now)
    assert region.store.write_one(unit) is None
    assert (header(region).open_minor, header(region).disputed_minor) == (30, 30)
    # What the ledger says of it is not this test's: put it back.
    region.store.write_one(Unit("back").put(header_item(before)))


def test_an_amount_is_no_more_than_the_invoice_less_other_disputes(region: Region) -> None:
    disputed(region, amount_minor=100)
    left = header(region).total_minor - 100
    for minor in (left + 1, 0, -5):
        with pytest.raises(Refusal, match="invalid_dispute"):
            disputes(region).open(wish(region, amount_minor=minor, request="form-key-2"))
    assert disputes(region).open(wish(region, amount_minor=left, request="form-key-2"))
    assert header(region).disputed_minor == header(region).open_minor


def test_a_lines_dispute_freezes_it_with_its_tax(region: Region) -> None:
    line_id, minor = line(region)
    disputed(region, lines={line_id: minor})
    assert header(region).disputed_minor == now(region).claim.gross_minor > minor


def test_a_credit_note_for_it_decides_it_and_lowers_what_is_open(region: Region) -> None:
    disputed(region)
    before = header(region)
    decided = disputes(region).credit(credits(region), 1, asked(region, total_minor=before.total_minor), "our mistake")
    assert (decided.state, decided.credited_minor) == (DisputeState.CREDITED, before.total_minor)
    assert (header(region).open_minor, header(region).disputed_minor) == (0, 0)
    with pytest.raises(Refusal, match="dispute_decided"):
        disputes(region).reopen(HERE, decided.id, decided.revision, "again", PAYER)


def test_less_than_was_disputed_refuses_the_rest_which_is_reopened_once(region: Region) -> None:
    disputed(region)
    with pytest.raises(Refusal, match=r"more_left|more_than"):
        disputes(region).credit(credits(region), 1, asked(region, total_minor=10**7), "too much")
    part = disputes(region).credit(credits(region), 1, asked(region, net_minor=100), "our mistake")
    assert part.state is DisputeState.CREDITED and header(region).disputed_minor == 0
    again = disputes(region).reopen(HERE, part.id, part.revision, "and the rest?", PAYER)
    assert header(region).disputed_minor == again.disputed_minor == again.claim.gross_minor - part.credited_minor
    refused = disputes(region).refuse(HERE, again.id, again.revision, "no", CLERK)
    with pytest.raises(Refusal, match="reopened_before"):
        disputes(region).reopen(HERE, refused.id, refused.revision, "please", PAYER)


def _waiting_proposal(region: Region) -> Proposal:
    desk = Proposals(region.store, region.clock)
    (waiting,) = desk.waiting(ENTITY_ID)
    return desk.get(ENTITY_ID, waiting.id)


def test_a_large_credit_waits_for_a_second_person_and_stays_frozen(region: Region) -> None:
    disputed(region)
    with mock.patch.dict("saldo.access.rules_proposals.CREDIT_ALONE_MINOR", {"EUR": 1}):
        waiting = disputes(region).credit(credits(region), 1, asked(region), "our mistake")
    assert waiting.state is DisputeState.IN_CREDIT and header(region).disputed_minor > 0
    proposal = _waiting_proposal(region)
    with pytest.raises(Refusal, match="own_proposal"):
        own = Decider(CLERK, APPROVER.roles)
        credits(region).agree(ENTITY_ID, proposal.id, proposal.digest, own)
    credits(region).agree(ENTITY_ID, proposal.id, proposal.digest, APPROVER)
    assert now(region).state is DisputeState.CREDITED and header(region).open_minor == 0


def test_what_was_refused_meanwhile_is_not_credited_by_the_second_person(region: Region) -> None:
    disputed(region)
    with mock.patch.dict("saldo.access.rules_proposals.CREDIT_ALONE_MINOR", {"EUR": 1}):
        waiting = disputes(region).credit(credits(region), 1, asked(region), "our mistake")
    disputes(region).refuse(HERE, waiting.id, waiting.revision, "not after all", SECOND)
    proposal = _waiting_proposal(region)
    with pytest.raises(Refusal, match=r"more_than_disputed|dispute_decided"):
        credits(region).agree(ENTITY_ID, proposal.id, proposal.digest, APPROVER)
    assert header(region).credited_minor == 0


def test_one_side_writes_the_other_answers_and_the_opener_is_told_without_what_was_said(region: Region) -> None:
    disputed(region)
    answered = disputes(region).answer(HERE, now(region).id, 1, "Which price is it?", CLERK)
    assert answered.state is DisputeState.ANSWERED
    (note,) = region.store.query_all(HERE, prefix="note#")
    assert note["note_kind"] == "dispute_news"
    assert all(b"Which price" not in repr(i).encode() for i in region.store.query_all(HERE))
    said = disputes(region).say(HERE, answered.id, answered.revision, "The monthly one", PAYER)
    assert said.state is DisputeState.OPEN
    assert [m.words for m in now(region).messages] == ["Too dear", "Which price is it?", "The monthly one"]
    with pytest.raises(Refusal, match="changed_meanwhile"):
        disputes(region).answer(HERE, said.id, answered.revision, "late", CLERK)


def test_interest_does_not_run_on_what_is_in_dispute() -> None:
    from saldo.invoicing.late_charges import LateCharges
    from tests.simulation.workflows.corrections import late

    region = Region()
    with quiet(), region.serving():
        late(region)
        for invoice_id, _ in open_invoices(region, 0):
            disputes(region).open(wish(region, invoice_id=invoice_id, request=f"form-{invoice_id}"))
        assert LateCharges(region.store, region.clock).assess(ENTITY_ID).added == []


_DAMAGE = {
    "frozen without dispute": lambda i: {**i, "disputed_minor": 1} if i["kind"] == "invoice" else i,
    "guard forgets": lambda i: {**i, "disputes": []} if i["kind"] == "disputed" else i,
    "credited without note": lambda i: {**i, "status": "credited"} if i["kind"] == "dispute" else i,
}


@pytest.mark.parametrize("name", _DAMAGE)
def test_damage_to_disputes_is_told(name: str) -> None:
    region = Region()
    with quiet(), region.serving():
        opened(region)

        def spoil(item: Item) -> None:
            new = _DAMAGE[name](item)
            if new != item:
                region.store.write_one(Unit("spoil").put(new))

        assert check_all(region.store).violations == []
        for item in list(region.store.query_all(HERE)):
            spoil(item)
        assert [v for v in check_all(region.store).violations if v.invariant == 14]


@pytest.mark.parametrize("more", [0, 1])
def test_a_credit_note_gives_no_more_than_is_disputed(region: Region, more: int) -> None:
    disputed(region)
    known = now(region)
    if more:
        with pytest.raises(Refusal, match="no more than is disputed"):
            rules.credited(known, "inv_note", known.disputed_minor + more, region.now)
    else:
        assert rules.credited(known, "inv_note", known.disputed_minor, region.now).disputed_minor == 0
