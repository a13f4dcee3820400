"""What is promised is left alone until its day, by whoever asks for money; what comes counts, what does not ends it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from saldo.collections.service import Reminders
from saldo.insight.invariants import check_all
from saldo.invoicing.corrections import Corrections, CreditRequest
from saldo.invoicing.late_charges import LateCharges
from saldo.invoicing.records import InvoiceHeader, header_from, header_key
from saldo.invoicing.rules_corrections import Reason
from saldo.kernel.errors import Refusal
from saldo.payments.model import Allocation, PaymentStatus
from saldo.promises.model import Limits, LimitsPolicy, PromiseState, WhyNot
from saldo.promises.reading import dues_of, headers_of, promises_of
from saldo.promises.rules import stands
from saldo.storage.items import Item
from saldo.storage.units import Unit
from tests.simulation.region import ENTITY_ID, Region, quiet
from tests.simulation.workflows import reminders
from tests.simulation.workflows.corrections import TAX, late
from tests.simulation.workflows.disputes import disputes
from tests.simulation.workflows.disputes import wish as dispute_wish
from tests.simulation.workflows.letting_in import HERE, peopled
from tests.simulation.workflows.paying import autopay, collect, rule, told
from tests.simulation.workflows.promises import FIRST, KEY, PAYER, limits_of, make, now, promises, wish, with_card
from tests.simulation.workflows.scenes import CLERK, payments

DUE = date(2026, 1, 31)


@pytest.fixture
def region() -> Iterator[Region]:
    region = Region()
    with quiet(), region.serving():
        peopled(region)
        yield region
        assert check_all(region.store).violations == []


def invoice(region: Region) -> InvoiceHeader:
    """The first invoice of the customer, open or not."""
    (first, *_) = sorted(i["invoice_id"] for i in region.store.query_all(HERE, prefix="invoice#"))
    item = region.store.get(*header_key(HERE, first))
    assert item is not None
    return header_from(item)


def amounts(region: Region) -> list[tuple[int, int]]:
    """Of each instalment what it comes to, and what of it was paid."""
    rows = stands(now(region), dues_of(now(region), headers_of(region.store, now(region))))
    return [(row.minor, row.paid_minor) for row in rows]


def letters(region: Region) -> list[str]:
    notes = sorted(region.store.query_all(HERE, prefix="note#"), key=lambda n: (n["written_at"], n["note_id"]))
    return sorted({n["note_kind"] for n in notes})


def pay(region: Region, minor: int, key: str = "form-key-9") -> None:
    from local.gateway.methods import CARDS

    started = payments(region).start(HERE, [Allocation(invoice(region).invoice_id, minor)], PAYER, key, "http://x/")
    region.book.pay_by_card(started.gateway_ref, CARDS[0], region.now)
    told(region)


def credit(region: Region, minor: int) -> None:
    asked = CreditRequest(HERE, invoice(region).invoice_id, "r1", Reason.GOODWILL, CLERK, total_minor=minor)
    Corrections(region.store, region.clock, TAX).credit(asked)


def reminded(region: Region) -> bool:
    return any(letter.standing for letter in Reminders(region.store, region.clock).of_account(HERE))


def test_a_promise_within_the_limits_counts_at_once_and_its_invoices_say_so(region: Region) -> None:
    made = make(region)
    assert made.state is PromiseState.CURRENT and made.beyond == ()
    assert invoice(region).promise_id == made.id and invoice(region).promised_minor == invoice(region).open_minor
    assert make(region).id == made.id, "the same form again is the same promise"
    assert len(promises_of(region.store, HERE)) == 1


def test_what_is_promised_is_in_no_letter_and_once_it_is_broken_it_is_again(region: Region) -> None:
    make(region)
    reminders.issue(region, date(2026, 2, 9))
    assert not reminded(region)
    collect(region, date(2026, 2, 13))
    assert now(region).state is PromiseState.BROKEN and invoice(region).promise_id == ""
    reminders.issue(region, date(2026, 2, 16))
    assert reminded(region)


def test_a_letter_that_was_decided_before_the_promise_is_not_sent(region: Region) -> None:
    reminders.issue(region, date(2026, 2, 9))
    assert reminded(region)
    make(region, first_on=date(2026, 2, 20))
    reminders.mail(region, 0)
    assert not reminded(region)


def test_a_day_tells_of_an_instalment_misses_it_and_then_breaks_the_promise_each_once(region: Region) -> None:
    make(region, count=2)
    for day, state, kinds in (
        (5, "current", []),
        (6, "current", ["instalment_due"]),
        (9, "current", ["instalment_due"]),
        (10, "current", ["instalment_due", "instalment_missed"]),
        (12, "current", ["instalment_due", "instalment_missed"]),
        (13, "broken", ["instalment_due", "instalment_missed", "promise_broken"]),
        (20, "broken", ["instalment_due", "instalment_missed", "promise_broken"]),
    ):
        collect(region, date(2026, 2, day))
        collect(region, date(2026, 2, day))
        assert (now(region).state, letters(region)) == (state, kinds), day
    # Two people pay for the account: each has each letter once.
    assert len(list(region.store.query_all(HERE, prefix="note#"))) == 2 * 3


def test_money_pays_the_next_instalment_and_all_of_it_keeps_the_plan(region: Region) -> None:
    make(region, count=2)
    (first, _), (second, _) = amounts(region)
    pay(region, first)
    assert amounts(region) == [(first, first), (second, 0)]
    collect(region, date(2026, 2, 20))
    assert now(region).state is PromiseState.CURRENT
    pay(region, second, "form-key-10")
    assert invoice(region).open_minor == 0
    collect(region, date(2026, 2, 21))
    assert now(region).state is PromiseState.KEPT


def test_paying_an_instalment_needs_no_reason_and_paying_a_part_of_what_is_not_promised_does(region: Region) -> None:
    with pytest.raises(Refusal, match="invalid_allocations"):
        pay(region, 100)
    make(region, count=2)
    pay(region, 100)
    assert amounts(region)[0][1] == 100


def test_a_credit_note_shortens_the_last_instalment(region: Region) -> None:
    make(region, count=2)
    (first, _), (second, _) = amounts(region)
    credit(region, 1000)
    assert amounts(region) == [(first, 0), (second - 1000, 0)]


def test_what_is_disputed_leaves_the_plan_and_comes_back_to_its_end(region: Region) -> None:
    make(region, count=2)
    before = amounts(region)
    opened = disputes(region).open(dispute_wish(region, amount_minor=500))
    assert amounts(region) == [before[0], (before[1][0] - 500, 0)]
    disputes(region).refuse(HERE, opened.id, opened.revision, "as agreed", CLERK)
    assert amounts(region) == before


def test_beyond_the_limits_somebody_decides_and_until_then_it_holds_nothing_back(region: Region) -> None:
    asked = make(region, count=6)
    assert asked.state is PromiseState.ASKED and {"late", "instalments"} <= set(asked.beyond)
    assert invoice(region).promise_id == ""
    with pytest.raises(Refusal, match="invalid_promise"):
        make(region, "form-key-2")
    agreed = promises(region).agree(HERE, asked.id, 1, CLERK)
    assert agreed.state is PromiseState.CURRENT and invoice(region).promise_id == asked.id
    assert letters(region) == ["promise_decided"]


def test_what_was_paid_while_it_waited_is_not_promised_again(region: Region) -> None:
    asked, whole = make(region, count=6), invoice(region).open_minor
    started = payments(region).start(
        HERE, [Allocation(invoice(region).invoice_id, 1000)], PAYER, "form-key-9", "http://x/", "a first part"
    )
    from local.gateway.methods import CARDS

    region.book.pay_by_card(started.gateway_ref, CARDS[0], region.now)
    told(region)
    agreed = promises(region).agree(HERE, asked.id, 1, CLERK)
    assert agreed.minor == whole - 1000 == sum(one.minor for one in agreed.instalments)
    assert agreed.instalments[0] == asked.instalments[0], "the last ones are shortened"


def test_a_request_is_refused_with_a_reason_and_nobody_agrees_to_it_afterwards(region: Region) -> None:
    asked = make(region, count=6)
    refused = promises(region).refuse(HERE, asked.id, 1, WhyNot.TOO_LATE, CLERK)
    assert (refused.state, refused.why_not) == (PromiseState.REFUSED, "too_late")
    with pytest.raises(Refusal, match="promise_over"):
        promises(region).agree(HERE, asked.id, refused.revision, CLERK)


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (Limits(most_days=8), "late"),
        (Limits(most_minor=100), "much"),
        (Limits(most_at_once=0), "many"),
        (Limits(most_instalments=1), "instalments"),
    ],
)
def test_each_limit_of_the_seller_is_kept_and_an_accounts_own_go_first(
    region: Region, limits: Limits, code: str
) -> None:
    limits_of(region).set(ENTITY_ID, LimitsPolicy(limits), CLERK, "stricter")
    asked = make(region, count=2 if code == "instalments" else 1)
    assert asked.beyond == (code,)
    promises(region).cancel(HERE, asked.id, 1, PAYER)
    limits_of(region).set_own(HERE, Limits(), CLERK, "a good customer")
    assert make(region, "form-key-2", count=2 if code == "instalments" else 1).beyond == ()


def test_after_a_broken_one_the_next_is_asked_for(region: Region) -> None:
    make(region)
    collect(region, date(2026, 2, 13))
    assert make(region, "form-key-2", first_on=date(2026, 2, 20)).beyond == ("broken",)


def test_who_cancels_is_reminded_again_and_it_counts_as_no_broken_one(region: Region) -> None:
    made = make(region)
    promises(region).cancel(HERE, made.id, made.revision, PAYER)
    assert invoice(region).promise_id == ""
    assert make(region, "form-key-2").beyond == ()


def test_another_plan_replaces_the_first_in_the_moment_it_is_agreed_to(region: Region) -> None:
    first = make(region, count=2)
    other = promises(region).make(replace(wish(region, "form-key-2", count=4), replaces=first.id))
    assert other.beyond == ("instalments", "again") or "again" in other.beyond
    assert invoice(region).promise_id == first.id
    promises(region).agree(HERE, other.id, other.revision, CLERK)
    assert invoice(region).promise_id == other.id and now(region).state is PromiseState.REPLACED


def test_somebody_who_saw_an_older_state_changes_nothing(region: Region) -> None:
    asked = make(region, count=6)
    promises(region).agree(HERE, asked.id, 1, CLERK)
    for act in (
        lambda: promises(region).agree(HERE, asked.id, 1, CLERK),
        lambda: promises(region).refuse(HERE, asked.id, 1, WhyNot.HISTORY, CLERK),
        lambda: promises(region).cancel(HERE, asked.id, 1, PAYER),
    ):
        with pytest.raises(Refusal, match="changed_meanwhile"):
            act()


def test_what_was_shown_otherwise_is_not_promised(region: Region) -> None:
    with pytest.raises(Refusal, match="changed_meanwhile"):
        promises(region).make(replace(wish(region), seen_minor=1))


def test_autopay_leaves_out_what_is_promised_also_when_its_debit_was_announced() -> None:
    region = Region()
    with quiet(), region.serving():
        with_card(region)
        promises(region).cancel(HERE, now(region).id, 1, PAYER)
        autopay(region).set_rule(rule(region), PAYER)
        collect(region, date(2026, 1, 26))
        make(region, "form-key-2", first_on=date(2026, 2, 20))
        collect(region, DUE)
        assert [p.reason for p in payments(region).of_account(HERE)] == []
        assert {row.code for row in autopay(region).plan(HERE, DUE).left_out} == {"promised"}
        assert check_all(region.store).violations == []


def test_instalments_are_charged_once_from_the_stored_method_and_the_plan_is_kept() -> None:
    region = Region()
    with quiet(), region.serving():
        with_card(region)
        for day in (date(2026, 2, 6), FIRST, date(2026, 2, 10), date(2026, 3, 6), date(2026, 3, 9), date(2026, 3, 10)):
            collect(region, day)
            told(region)
            collect(region, day)
        paid = payments(region).of_account(HERE)
        assert [p.status for p in paid] == [PaymentStatus.SETTLED] * 2
        assert sum(p.amount.minor for p in paid) == now(region).minor
        assert now(region).state is PromiseState.KEPT and letters(region) == ["instalment_charged"]
        assert check_all(region.store).violations == []


def test_who_pays_early_is_not_charged_again() -> None:
    region = Region()
    with quiet(), region.serving():
        with_card(region)
        collect(region, date(2026, 2, 6))
        pay(region, invoice(region).open_minor)
        for day in (date(2026, 2, 7), FIRST, date(2026, 2, 10)):
            collect(region, day)
        assert len(payments(region).of_account(HERE)) == 1
        assert now(region).state is PromiseState.KEPT and "debit_failed" not in letters(region)


def test_a_charge_that_no_day_announced_is_made_up_for_and_breaks_nothing() -> None:
    region = Region()
    with quiet(), region.serving():
        with_card(region)
        for day in (date(2026, 2, 20), date(2026, 2, 21), date(2026, 2, 22)):
            collect(region, day)
            told(region)
        assert now(region).state is PromiseState.CURRENT
        assert amounts(region)[0][0] == amounts(region)[0][1]


@pytest.mark.parametrize("kept", [True, False])
def test_a_promise_that_is_kept_costs_no_interest_and_a_broken_one_all_of_it(kept: bool) -> None:
    def charges() -> list[str]:
        region = Region()
        with quiet(), region.serving():
            late(region)
            return LateCharges(region.store, region.clock).assess(ENTITY_ID).added

    assert charges(), "without a promise there is interest"
    region = Region()
    with quiet(), region.serving():
        late(region)
        day = region.now.date()
        make(region, first_on=day.replace(day=day.day + 2))
        asked = now(region)
        if asked.state is PromiseState.ASKED:
            promises(region).agree(HERE, asked.id, asked.revision, CLERK)
        assert LateCharges(region.store, region.clock).assess(ENTITY_ID).added == []
        if kept:
            pay(region, invoice(region).open_minor)
        collect(region, day.replace(day=day.day + 9))
        assert now(region).state is (PromiseState.KEPT if kept else PromiseState.BROKEN)
        added = LateCharges(region.store, region.clock).assess(ENTITY_ID).added
        assert (added == []) is kept


_DAMAGE: dict[str, Any] = {
    "an invoice forgets its promise": lambda i: _without(i, "promise_id") if i["kind"] == "invoice" else i,
    "an invoice names another": lambda i: {**i, "promise_id": "prm_x"} if i["kind"] == "invoice" else i,
    "an instalment is a cent less": lambda i: (
        {**i, "instalments": [{**i["instalments"][0], "minor": 1}]} if i["kind"] == "promise" else i
    ),
    "its promise was broken": lambda i: {**i, "status": "broken"} if i["kind"] == "promise" else i,
}


def _without(item: Item, name: str) -> Item:
    return {key: value for key, value in item.items() if key != name}


@pytest.mark.parametrize("name", _DAMAGE)
def test_damage_to_promises_is_told(name: str) -> None:
    region = Region()
    with quiet(), region.serving():
        peopled(region)
        make(region, KEY)
        assert check_all(region.store).violations == []
        for item in list(region.store.query_all(HERE)):
            new = _DAMAGE[name](item)
            if new != item:
                region.store.write_one(Unit("spoil").put(new))
        assert check_all(region.store).violations
