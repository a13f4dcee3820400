"""Reminders on records: one letter an account and day, nothing after payment, and a mail that says what is owed now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest

from functions.collections.issue_reminders import handler
from functions.delivery.reminder_letters import ReminderLetters, letter_of
from local.gateway.methods import CARDS
from saldo.accounts.model import BankStatement, Terms
from saldo.accounts.records import account_from, account_item
from saldo.collections.model import DEFAULT_STEPS, DunningStep, Notice, Reminder, ReminderPolicy
from saldo.collections.service import Reminders, StillOwed
from saldo.insight.invariants import check_all
from saldo.invoicing.records import header_from
from saldo.kernel.errors import NotFound, Refusal, Unavailable
from saldo.payments.reading import invoices_being_paid
from saldo.storage.units import Unit
from tests.simulation.region import ENTITY_ID, Region, quiet
from tests.simulation.workflows import Again, reminders
from tests.simulation.workflows.payments import webhooks
from tests.simulation.workflows.scenes import (
    CLERK,
    FEB,
    account_id,
    bill,
    billed,
    customer,
    news,
    open_invoices,
    pay,
    until,
)
from tests.simulation.world import ENTITY

MONDAY = reminders.FIRST
A, B, C = (account_id(n) for n in range(3))


@pytest.fixture
def region() -> Iterator[Region]:
    made = Region()
    with quiet(), made.serving():
        billed(made)
        made.now = datetime(2026, 2, 9, 8, tzinfo=UTC)
        yield made
        assert check_all(made.store).violations == []


def desk(region: Region) -> Reminders:
    return Reminders(region.store, region.clock)


def codes(region: Region, on: str = "") -> dict[str, str]:
    """Why accounts are not reminded, by account."""
    return {d.account_id: left.code for d in desk(region).preview(ENTITY_ID, on) for left in d.left_out}


def letter_to(region: Region, n: int = 0) -> Reminder:
    return desk(region).of_account(account_id(n))[0]


def test_a_day_makes_one_letter_an_account_and_the_same_day_again_makes_none(region: Region) -> None:
    event = {"entity_id": ENTITY_ID, "as_of": "2026-02-09T08:00:00Z"}
    assert handler(event, None) == {"parts": 0, "letters": 3, "notices": 3, "changed": 0}
    assert handler(event, None) == {"parts": 0, "letters": 0, "notices": 0, "changed": 0}
    assert [(n.step, n.open_minor) for n in letter_to(region).notices] == [("first", 6724)]


def test_a_preview_writes_nothing_and_says_what_the_day_then_does(region: Region) -> None:
    before = len(list(region.store.scan()))
    planned = {d.account_id: d.notices for d in desk(region).preview(ENTITY_ID)}
    assert len(list(region.store.scan())) == before
    done = desk(region).remind(ENTITY_ID)
    assert {letter.account_id: letter.notices for letter in done.reminders} == planned
    assert codes(region) == dict.fromkeys((A, B, C), "given")
    assert codes(region, "2026-02-14") == dict.fromkeys((A, B, C), "weekend")


def test_accounts_are_left_alone_for_reasons_that_the_preview_names(region: Region) -> None:
    account = account_from(region.store.get(B, "account") or {})
    region.store.put_many([account_item(replace(account, deliver_by_email=False))])
    public = account_from(region.store.get(C, "account") or {})
    region.store.put_many([account_item(replace(public, terms=Terms(segment="public")))])
    desk(region).set_policy(ENTITY_ID, ReminderPolicy(DEFAULT_STEPS, {"public": ()}), CLERK)
    pay(region, 0, "form-key-1")
    assert codes(region) == {A: "payment_under_way", B: "no_mail", C: "no_steps"}
    assert desk(region).remind(ENTITY_ID).reminders == []


def test_what_other_rooms_hold_back_is_not_asked_for(region: Region) -> None:
    held = {open_invoices(region, 0)[0][0]: "disputed"}
    desk_ = Reminders(region.store, region.clock, lambda account: held if account == A else {})
    assert {letter.account_id for letter in desk_.remind(ENTITY_ID).reminders} == {B, C}


def test_money_that_lies_unapplied_keeps_a_letter_back(region: Region) -> None:
    balance = region.store.get(A, "balance") or {}
    region.store.put_many([balance | {"EUR unapplied_cash": -6724}])
    assert codes(region) == {A: "unapplied_cash"}
    region.store.put_many([balance])


def test_an_invoice_that_changes_while_the_day_is_decided_comes_the_next_day(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Reminders._letters

    def paid_in_between(self: Reminders, entity_id: str, decision: Any, on: date) -> Any:
        if decision.account_id == A:
            key = (A, f"invoice#{decision.notices[0].invoice_id}")
            region.store.write_one(Unit("pay").update(key, set={"open_minor": 1}))
        return whole(self, entity_id, decision, on)

    with monkeypatch.context() as patch:
        patch.setattr(Reminders, "_letters", paid_in_between)
        report = desk(region).remind(ENTITY_ID)
    assert report.changed == [A] and {letter.account_id for letter in report.reminders} == {B, C}
    assert desk(region).of_account(A) == []
    invoice_id, _ = open_invoices(region, 0)[0]
    region.store.write_one(Unit("back").update((A, f"invoice#{invoice_id}"), set={"open_minor": 6724}))


def mailed(region: Region) -> list[tuple[str, str]]:
    """Subject and text of every letter that went out."""
    found = []
    for _, raw in region.mail.taken:
        mail: Any = message_from_bytes(raw, policy=default)
        found.append((mail["Subject"], mail.get_body(("plain",)).get_content().replace("\xa0", " ")))
    return found


def test_the_mail_says_what_is_owed_when_it_goes_out(region: Region) -> None:
    reminders.issue(region)
    reminders.mail(region, 0)
    ((subject, text),) = mailed(region)
    assert subject.replace("\xa0", " ") == "Reminder: €67.24, due on 31 January 2026"
    invoice_id, _ = open_invoices(region, 0)[0]
    assert "RW-2026-000001: €67.24, was due on 31 January 2026" in text
    assert f"http://localhost:8080/accounts/{A}/invoices/{invoice_id}" in text
    reminders.mail(region, 0)
    assert len(region.mail.taken) == 1


def test_a_letter_is_not_mailed_once_its_invoice_is_paid(region: Region) -> None:
    reminders.issue(region)
    payment = pay(region, 0, "form-key-1")
    region.book.pay_by_card(payment.gateway_ref, CARDS[0], region.now)
    region.queues.waiting = [("gateway", body) for body in news(region)]
    webhooks(region)
    assert open_invoices(region, 0) == [] and invoices_being_paid(region.store, A) == set()
    reminders.mail(region, 0)
    assert region.mail.taken == []
    assert [n.withdrawn for n in letter_to(region).notices] == ["no_longer_owed"]
    actions = [i["action"] for i in region.store.query_all(A, prefix="audit#") if i["action"].startswith("reminder.")]
    assert sorted(actions) == ["reminder.issued", "reminder.withdrawn"]


def test_a_payment_at_the_very_moment_of_sending_makes_the_letter_come_again_and_then_not_at_all(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    reminders.issue(region)
    whole = ReminderLetters.letter

    def paid_after_writing(self: ReminderLetters, account: str, reminder_id: str) -> Any:
        letter = whole(self, account, reminder_id)
        payment = pay(region, 0, "form-key-1")
        region.book.pay_by_card(payment.gateway_ref, CARDS[0], region.now)
        region.queues.waiting = [("gateway", body) for body in news(region)]
        webhooks(region)
        return letter

    with monkeypatch.context() as patch:
        patch.setattr(ReminderLetters, "letter", paid_after_writing)
        with pytest.raises(Again):
            reminders.mail(region, 0)
    reminders.mail(region, 0)
    assert region.mail.taken == []


def test_a_letter_whose_answer_was_lost_is_not_repeated_after_payment(region: Region) -> None:
    reminders.issue(region)
    region.wire.fault = lambda _n, operation, when: _lose(operation, when)
    with pytest.raises(Again):
        reminders.mail(region, 0)
    region.wire.fault = None
    pay(region, 0, "form-key-1")
    region.now += timedelta(minutes=20)
    reminders.mail(region, 0)
    assert len(region.mail.taken) == 1
    (delivery,) = [i for i in region.store.scan() if i["kind"] == "delivery"]
    assert (delivery["status"], delivery["failure_code"]) == ("failed", "not_wanted_any_more")


def _lose(operation: str, when: str) -> None:
    from botocore.exceptions import ReadTimeoutError

    if (operation, when) == ("SendEmail", "after"):
        raise ReadTimeoutError(endpoint_url="ses")


def test_two_senders_of_one_letter_do_not_both_withdraw_it(region: Region) -> None:
    reminders.issue(region)
    letter = letter_to(region)
    pay(region, 0, "form-key-1")
    both = desk(region)
    whole = both._store.write_one

    def first_the_other(unit: Unit) -> Any:
        both._store.write_one = whole  # type: ignore[method-assign]
        desk(region).still_owed(A, letter.id)
        return whole(unit)

    both._store.write_one = first_the_other  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        both.still_owed(A, letter.id)
    with pytest.raises(NotFound):
        both.still_owed(A, "rem_gone")


def test_a_letter_of_several_invoices_tells_them_apart_and_adds_them_up(region: Region) -> None:
    item = next(i for i in region.store.query_all(A, prefix="invoice#"))
    first = header_from(item)
    second = replace(first, invoice_id="inv_2", number="RW-2", due_on=MONDAY + timedelta(days=2), open_minor=3276)
    notices = tuple(Notice(h.invoice_id, h.number, "first", 7, "EUR", h.due_on, h.open_minor) for h in (first, second))
    reminder = Reminder(A, ENTITY_ID, "rem_1", MONDAY, region.now, notices)
    owed = StillOwed(reminder, {h.invoice_id: h for h in (first, second)})
    german = replace(customer(0), language="de")
    letter = letter_of(owed, german, ENTITY, MONDAY, "http://portal")
    facts = [(name, value.replace("\xa0", " ")) for name, value in letter.facts]
    assert facts == [
        ("RW-2026-000001", "67,24 €, war fällig am 31. Januar 2026"),
        ("RW-2", "32,76 €, fällig am 11. Februar 2026"),
        ("Summe", "100,00 €"),
    ]
    assert letter.subject.startswith("Zahlungserinnerung: 100,00") and letter.url == f"http://portal/accounts/{A}"
    soon = letter_of(owed, german, ENTITY, date(2026, 1, 30), "http://portal")
    assert soon.subject.startswith("Bald fällig")


def test_a_letter_from_before_an_invoice_was_issued_still_keeps_the_next_one_at_its_distance() -> None:
    region = Region()
    with quiet(), region.serving():
        billed(region)
        steps = DunningStep("early", -29), DunningStep("soon", -1)
        desk(region).set_policy(ENTITY_ID, ReminderPolicy(steps, gap_days=12), CLERK)
        reminders.issue(region, date(2026, 1, 30))
        bill(region, FEB)
        until(region, MONDAY, hour=8)
        assert codes(region) == dict.fromkeys((A, B, C), "too_soon")
        assert desk(region).remind(ENTITY_ID).reminders == []


def test_a_schedule_is_set_with_its_audit_record_and_a_bad_one_not_at_all(region: Region) -> None:
    with pytest.raises(Refusal, match="invalid_schedule"):
        desk(region).set_policy(ENTITY_ID, ReminderPolicy(gap_days=99), CLERK)
    with pytest.raises(NotFound):
        desk(region).set_policy("ent_eu_gone", ReminderPolicy(), CLERK)
    desk(region).set_policy(ENTITY_ID, ReminderPolicy(()), CLERK, "summer")
    assert desk(region).remind(ENTITY_ID).reminders == []
    (record,) = [i for i in region.store.query_all(ENTITY_ID, prefix="audit#") if i["action"] == "reminders.changed"]
    assert record["before"]["steps"] and record["after"]["steps"] == [] and record["reason"] == "summer"


def test_a_letter_warns_of_another_account_shortly_after_the_change_or_where_an_invoice_names_the_old_one(
    region: Region,
) -> None:
    first = header_from(next(i for i in region.store.query_all(A, prefix="invoice#")))
    notice = Notice(first.invoice_id, first.number, "first", 7, "EUR", first.due_on, first.open_minor)
    owed = StillOwed(Reminder(A, ENTITY_ID, "rem_1", MONDAY, region.now, (notice,)), {first.invoice_id: first})
    german = replace(customer(0), language="de")

    def warning(since: date, today: date) -> str:
        seller = replace(ENTITY, bank_statement=BankStatement(2, region.now, since, "2051", "a.b.c"))
        return letter_of(owed, german, seller, today, "http://portal").warning

    assert "endete auf 2051" in warning(MONDAY, MONDAY)
    assert "endete auf 2051" in warning(MONDAY, MONDAY + timedelta(days=900)), "the invoice is of before"
    before = first.issued_on - timedelta(days=1)
    assert "endete auf 2051" in warning(before, MONDAY)
    assert not warning(before, before + timedelta(days=90))
    assert not letter_of(owed, german, ENTITY, MONDAY, "http://portal").warning
