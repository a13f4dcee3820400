"""The auditor tells what is wrong: each rule has damage planted for it; a damaged record does not stop it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from unittest.mock import patch

import pytest

from functions.services import differences
from local.gateway.methods import CARDS
from saldo.catalog.model import Minimum
from saldo.catalog.service import Catalog
from saldo.insight.checks_audit import AUDITED_AS
from saldo.insight.invariants import NOT_CHECKED, NOT_CHECKED_OF, TITLES, check_all
from saldo.insight.model import Violation
from saldo.insight.parts import BooksLook
from saldo.invoicing.codec import body_from_bytes, body_to_bytes
from saldo.invoicing.corrections import Corrections, CreditRequest
from saldo.invoicing.frozen import named_by_content
from saldo.invoicing.model import BillingOptions
from saldo.invoicing.records import body_item
from saldo.invoicing.rules_corrections import Reason
from saldo.invoicing.seller_records import options_item
from saldo.kernel.clock import instant_text
from saldo.kernel.money import Money
from saldo.ledger.model import EntryKind
from saldo.ledger.records import entry_from
from saldo.ledger.rules import base_amounts
from saldo.payments import rules
from saldo.payments.model import GatewayEvent, GatewayPayment, Outcome, PaidOut, Payment, PaymentStatus, Payout
from saldo.payments.news import handle_event, take_payout, take_report
from saldo.storage.files import Files
from saldo.storage.items import Item
from saldo.storage.looks import Look
from saldo.storage.units import Unit
from saldo.subscriptions.model import Alignment
from saldo.subscriptions.rules import subscribe
from saldo.subscriptions.service import Subscriptions
from saldo.usage.model_windows import Billed
from saldo.usage.records_windows import pack_windows, packed_windows
from tests.simulation.auditing import StepAuditor
from tests.simulation.region import Region, quiet
from tests.simulation.workflows import disputes, exchange, invoke, orders, paying, promises, reminders, taxes
from tests.simulation.workflows.corrections import TAX
from tests.simulation.workflows.payments import KEY, of_nobody, webhooks
from tests.simulation.workflows.runs import eventful, full_run
from tests.simulation.workflows.scenes import (
    CLERK,
    FEB,
    JAN,
    MAR,
    account_id,
    bill,
    billed,
    news,
    offer,
    open_account,
    open_invoices,
    pay,
    subscription_id,
    use,
)
from tests.simulation.world import ENTITY, VERSION, World

Damage = Callable[[Region], None]
ACCOUNT = account_id(0)


def everything(region: Region) -> None:
    """Two months of all there is: late usage, wallets, a credit note, a payment that has reached the bank."""
    eventful(region)
    full_run(region)
    first = open_invoices(region, 0)[0][0]
    ask = CreditRequest(ACCOUNT, first, "r1", Reason.PRICE, CLERK, net_minor=100)
    Corrections(region.store, region.clock, TAX).credit(ask)
    payment = pay(region, 0, KEY)
    region.book.pay_by_card(payment.gateway_ref, CARDS[0], region.now)
    bodies = news(region) + news(region, after=timedelta(days=3)) + news(region, after=timedelta(days=3))
    region.queues.waiting = [("gateway", body) for body in bodies]
    webhooks(region)
    use(region, 0, "late", datetime(2026, 1, 21, 12, tzinfo=UTC), 40)
    bill(region, MAR)


def contract_signed(region: Region) -> None:
    orders.signed(region)


def minimum_missed(region: Region) -> None:
    """A month that cost less than was agreed, made up with the next invoice."""
    offer(region)
    open_account(region, 0)
    bounded = replace(VERSION, id="v_bounded", version=VERSION.version + 1, minimum=Minimum((Decimal(5000),)))
    Catalog(region.store, region.clock).publish(ENTITY.id, bounded, CLERK)
    sold = subscribe(
        subscription_id(0),
        account_id=ACCOUNT,
        entity_id=ENTITY.id,
        plan_version=bounded,
        started_on=JAN,
        alignment=Alignment.CALENDAR,
    )
    Subscriptions(region.store, region.clock).start(sold, CLERK)
    bill(region, JAN)
    bill(region, FEB)
    assert any(part["trued_up_minor"] > 0 for part in of(region, "minimum"))


def estimated(region: Region) -> None:
    taxes.in_new_york(region, silent=True)


@contextmanager
def after(scene: Damage) -> Iterator[Region]:
    region = Region()
    with quiet(), region.serving():
        scene(region)
        invoke("audit.anchor", {})  # the night links what no stream did
        assert check_all(region.store, now=region.now).violations == []
        yield region


def of(region: Region, kind: str, owner: str = ACCOUNT, **wanted: Any) -> list[Item]:
    found = [i for i in region.store.scan() if i["kind"] == kind and (not owner or i["pk"] == owner)]
    return [i for i in found if all(i.get(name) == value for name, value in wanted.items())]


def put(region: Region, item: Item, **changes: Any) -> None:
    region.store.write_one(Unit("bend").put(item | changes))


def drop(region: Region, item: Item) -> None:
    region.store.write_one(Unit("drop").delete((item["pk"], item["sk"])))


def legs(item: Item, *by: int) -> list[Item]:
    """Postings with these amounts added to the first ones."""
    rest = [0] * (len(item["postings"]) - len(by))
    return [leg | {"minor": leg["minor"] + minor} for leg, minor in zip(item["postings"], [*by, *rest], strict=True)]


def entry(region: Region, kind: str) -> Item:
    return of(region, "entry", entry_kind=kind)[0]


def numbered(region: Region) -> list[Item]:
    found = [i for i in of(region, "invoice", owner="") if i["number"] and i["document"] == "invoice"]
    return sorted(found, key=lambda i: i["sequence"])


def an_entry_that_does_not_balance(region: Region) -> None:
    item = entry(region, "invoice_issued")
    put(region, item, postings=legs(item, 1))


def a_balance_changed_by_hand(region: Region) -> None:
    (item,) = of(region, "balance")
    put(region, item, **{"EUR receivables": item.get("EUR receivables", 0) + 1})


def an_invoice_paid_another_day(region: Region) -> None:
    item = next(i for i in of(region, "invoice", owner="") if "paid_on" in i)
    put(region, item, paid_on="2026-01-03")


def a_credit_used_twice(region: Region) -> None:
    item = next(i for i in of(region, "wallet", owner="") if i["credits"])
    put(region, item, credits=[credit | {"balance_minor": credit["balance_minor"] + 1} for credit in item["credits"]])


def revenue_moved_within_an_entry(region: Region) -> None:
    item = next(i for i in of(region, "entry", entry_kind="invoice_issued") if len(i["postings"]) > 2)
    at = [n for n, leg in enumerate(item["postings"]) if leg["account"] != "receivables"]
    bent = [dict(leg) for leg in item["postings"]]
    bent[at[0]]["minor"] -= 1
    bent[at[1]]["minor"] += 1
    put(region, item, postings=bent)


def an_entry_moved_to_another_day(region: Region) -> None:
    item = entry(region, "payment_settled")
    drop(region, item)
    put(region, item, sk=item["sk"].replace(item["sk"][6:16], "2026-02-28"))


def a_payout_of_less_than_was_settled(region: Region) -> None:
    item = entry(region, "payout_received")
    bent = [leg | {"minor": leg["minor"] + (5 if leg["minor"] < 0 else -5)} for leg in item["postings"]]
    put(region, item, postings=bent)


def a_payout_of_less_while_another_payment_is_under_way(region: Region) -> None:
    """Of this customer and of another."""
    a_payout_of_less_than_was_settled(region)
    for n in (0, 2):
        pay(region, n, "form-key-2")


def a_payout_that_no_payment_had(region: Region) -> None:
    item = entry(region, "payout_received")
    put(region, item, source_id="pay_of_nobody")


def a_payout_told_to_the_payment_alone(region: Region) -> None:
    """It says that it is in the bank; its entry is lost."""
    drop(region, entry(region, "payout_received"))


def paid_out_first(region: Region) -> None:
    """The payout is there before the news that the payment settled."""
    eventful(region)
    full_run(region)
    payment = pay(region, 0, KEY)
    paid = PaidOut(payment.id, payment.account_id, payment.amount)
    take_payout(region.store, region.clock, Payout("po_1", region.now, (paid,)))


def an_invoice_written_twice(region: Region) -> None:
    body = of(region, "body")[0]
    header = next(i for i in of(region, "invoice") if i["invoice_id"] in body["sk"])
    put(region, body, sk="body#inv_other")
    put(region, header, sk="invoice#inv_other", invoice_id="inv_other")


def an_item_billed_that_still_waits(region: Region) -> None:
    (item,) = of(region, "item", owner="")
    put(region, item, status="waiting")


def an_overtaken_body(region: Region) -> None:
    """Not damage: what a try of a run left that decided otherwise afterwards."""
    item = of(region, "body")[0]
    other = named_by_content(replace(body_from_bytes(item["body"]), total_minor=1))
    region.store.put_many([body_item(item["pk"], other.id, body_to_bytes(other))])


def an_invoice_under_an_id_of_its_own(region: Region) -> None:
    body = next(i for i in of(region, "body"))
    moved = replace(body_from_bytes(body["body"]), note="something else")
    put(region, body, body=body_to_bytes(moved))


def a_subscription_off_the_agenda(region: Region) -> None:
    item = of(region, "subscription")[0]
    put(region, item, agenda_on="2027-01-01")


def a_subscription_where_no_run_looks(region: Region) -> None:
    item = of(region, "subscription")[0]
    put(region, item, next_bill_on="2026-01-01", agenda_on="monthly#01")


def a_milestone_without_its_item(region: Region) -> None:
    drop(region, of(region, "item", owner="")[0])


def a_number_given_twice(region: Region) -> None:
    first, second, *_ = numbered(region)
    put(region, second, number=first["number"], sequence=first["sequence"])


def a_number_left_out(region: Region) -> None:
    last = numbered(region)[-1]
    put(region, last, sequence=last["sequence"] + 3)


def a_single_number_left_out(region: Region) -> None:
    drop(region, of(region, "invoice", owner="", series="RW-2026", sequence=3)[0])


def a_date_before_its_number(region: Region) -> None:
    last = numbered(region)[-1]
    put(region, last, issued_on="2025-12-31")


def a_header_unlike_its_body(region: Region) -> None:
    item = of(region, "invoice")[0]
    put(region, item, net_minor=item["net_minor"] + 1)


def an_estimate_nobody_asks_about(region: Region) -> None:
    drop(region, of(region, "estimated")[0])


def an_event_kept_twice(region: Region) -> None:
    item = of(region, "usage")[0]
    put(region, item, sk=item["sk"][:-4] + "0007")


def a_window_with_an_event_too_many(region: Region) -> None:
    _change_window(region, lambda last: replace(last, arrivals=last.arrivals + 1))


def a_window_billed_for_something_else(region: Region) -> None:
    _change_window(region, lambda last: replace(last, quantity=Decimal(1)))


def windows_put_away_and_lost(region: Region) -> None:
    put(region, of(region, "windows")[0], pages=1)


def _change_window(region: Region, change: Callable[[Billed], Billed]) -> None:
    """The last time that a window with usage was billed becomes another."""
    for item in of(region, "windows"):
        windows, put_away = packed_windows(item["pk"], item["packed"])
        changed = [replace(w, billed=(*w.billed[:-1], change(w.billed[-1]))) for w in windows if w.arrivals]
        if changed:
            put(region, item, packed=pack_windows(changed, put_away))
            return


def a_settlement_forgotten(region: Region) -> None:
    (item,) = of(region, "payment")
    put(region, item, status="processing")


def more_applied_than_was_paid(region: Region) -> None:
    item = entry(region, "payment_applied")
    at = next(n for n, leg in enumerate(item["postings"]) if leg["account"] == "unapplied_cash")
    other = 1 - at if len(item["postings"]) == 2 else (0 if at else 1)
    bent = [dict(leg) for leg in item["postings"]]
    bent[at]["minor"] += 100
    bent[other]["minor"] -= 100
    put(region, item, postings=bent)


def more_netted_than_lay_unapplied_while_another_currency_lies_there(region: Region) -> None:
    item = entry(region, "payment_applied")
    put(region, item, sk=f"{item['sk']}_again", entry_kind="credit_applied", source_id="netting_again")
    euros = entry(region, "payment_settled")
    put(region, euros, sk=f"{euros['sk']}_usd", currency="USD", source_id="pay_in_dollars")


def paid_twice(region: Region) -> None:
    """In two tabs: what came second lies unapplied. Then a third month is billed."""
    eventful(region)
    full_run(region)
    for payment in [pay(region, 0, KEY), pay(region, 0, "form-key-2")]:
        settle(region, payment, payment.amount.minor)
    bill(region, MAR)


def settle(region: Region, payment: Payment, minor: int) -> None:
    came = Money(minor, payment.amount.currency)
    said = (payment.id, payment.account_id, payment.gateway_ref, PaymentStatus.SETTLED, came, region.now)
    assert take_report(region.store, region.clock, GatewayPayment(*said), None) is Outcome.APPLIED


def a_payment_applied_beyond_what_came_of_it(region: Region) -> None:
    """As it was meant, though less came; what lies unapplied of another payment covers it."""
    payment = pay(region, 0, "form-key-3")
    with patch.object(rules, "parts_of", lambda allocations, _settled: [tuple(allocations)]):
        settle(region, payment, payment.amount.minor - 100)


def a_payment_that_says_it_is_applied_less(region: Region) -> None:
    item = next(i for i in of(region, "payment") if i["applied"])
    first, *rest = item["applied"]
    put(region, item, applied=[first | {"minor": first["minor"] - 1}, *rest])


def an_open_balance_changed_by_hand(region: Region) -> None:
    item = of(region, "invoice")[0]
    put(region, item, open_minor=item["open_minor"] + 1)


def a_credit_note_of_more_than_there_was(region: Region) -> None:
    item = next(i for i in of(region, "invoice") if i.get("of_invoice"))
    put(region, item, total_minor=-10_000_000)


def a_debt_that_names_no_invoice(region: Region) -> None:
    item = entry(region, "invoice_issued")
    bent = [{k: v for k, v in leg.items() if k not in ("invoice_id", "due_on")} for leg in item["postings"]]
    put(region, item, postings=bent)


def a_state_nobody_knows(region: Region) -> None:
    put(region, of(region, "invoice")[0], status="lost")


def an_invoice_of_someone_else(region: Region) -> None:
    put(region, of(region, "invoice")[0], account_id=account_id(1))


def a_failed_payment_under_way_again(region: Region) -> None:
    pay(region, 0, "form-key-2")
    item = of(region, "payment", status="started")[0]
    put(region, item, status="processing", history=history(item, "failed", "processing"))


def an_invoice_open_again_without_money_taken_back(region: Region) -> None:
    item = of(region, "invoice", status="paid")[0]
    put(region, item, history=history(item, "issued", "paid"))


def a_state_that_its_history_does_not_end_with(region: Region) -> None:
    (item,) = of(region, "dispute")
    put(region, item, history=history(item, "withdrawn"))


def a_letter_sent_after_it_bounced(region: Region) -> None:
    item = of(region, "delivery")[0]
    put(region, item, status="sent", history=history(item, "bounced", "sent"))


def a_promise_that_began_as_kept(region: Region) -> None:
    item = of(region, "promise", owner="")[0]
    put(region, item, status="kept", history=history(item | {"history": []}, "kept"))


def history(item: Item, *states: str) -> list[Item]:
    return [*item["history"], *({"at": "2026-03-02T00:00:00.000Z", "status": state} for state in states)]


def disputed(region: Region) -> None:
    disputes.opened(region)
    disputes.open_one(region)


def promised(region: Region) -> None:
    promises.promised(region)


def a_letter_of_someone_else(region: Region) -> None:
    put(region, of(region, "delivery")[0], account_id=account_id(1))


def a_wallet_of_someone_else(region: Region) -> None:
    item = of(region, "wallet", owner="")[0]
    put(region, item, account_id=account_id(9))


def a_document_of_someone_else(region: Region) -> None:
    item = of(region, "body")[0]
    put(region, item, body=body_to_bytes(replace(body_from_bytes(item["body"]), account_id=account_id(1))))


def without(region: Region, action: str) -> None:
    for item in of(region, "audit", owner="", action=action):
        drop(region, item)


def a_start_without_its_audit_record(region: Region) -> None:
    without(region, "payment.started")


def credit_expired_without_its_audit_record(region: Region) -> None:
    without(region, "credit.expired")


def an_issue_without_its_audit_record(region: Region) -> None:
    drop(region, of(region, "audit", owner="", action="invoices.numbered")[0])


def a_total_other_than_was_put_on_record(region: Region) -> None:
    item = of(region, "audit", owner="", action="invoices.numbered")[0]
    block = item["after"]["blocks"][0]
    put(region, item, after={"blocks": [block | {"digest": "0" * 64}]})


def a_payout_without_its_audit_record(region: Region) -> None:
    drop(region, of(region, "audit", action="payment.paid_out")[0])


def a_subscription_that_nobody_started(region: Region) -> None:
    (item,) = of(region, "subscription")
    put(region, item, sk="subscription#sub_other", subscription_id="sub_other")


def choices_that_nobody_made(region: Region) -> None:
    region.store.write_one(Unit("bend").put(options_item(ENTITY.id, BillingOptions())))


def reminded(region: Region) -> None:
    """One letter mailed, one withdrawn because money is under way."""
    reminders.reminded(region)
    reminders.deliver(region)


def a_step_in_two_letters(region: Region) -> None:
    (item,) = of(region, "reminder")
    put(region, item, sk="reminder#rem_20260211other", reminder_id="rem_20260211other")


def a_step_without_its_guard(region: Region) -> None:
    drop(region, next(i for i in of(region, "guard") if i["sk"].startswith("guard#reminder#")))


def collected(region: Region) -> None:
    """A debit that was announced, taken and paid."""
    paying.announced(region)
    paying.collect_day(region)


def an_attempt_in_two_debits(region: Region) -> None:
    (item,) = of(region, "debit")
    put(region, item, sk="paying#debit#deb_20260201other", debit_id="deb_20260201other", payment_id="", charged=[])


def an_attempt_without_its_guard(region: Region) -> None:
    drop(region, next(i for i in of(region, "guard") if i["sk"].startswith("guard#autopay#")))


def a_debit_of_more_than_was_announced(region: Region) -> None:
    (item,) = of(region, "debit")
    put(region, item, charged=[{"invoice_id": c["invoice_id"], "minor": c["minor"] + 1} for c in item["charged"]])


def a_letter_about_what_was_paid(region: Region) -> None:
    (item,) = of(region, "reminder", owner=account_id(2))
    region.now += timedelta(days=1)
    notices = [notice | {"withdrawn": ""} for notice in item["notices"]]
    put(region, item, notices=notices, issued_at=instant_text(region.now))


def less_counted_than_was_charged(region: Region) -> None:
    part = next(part for part in of(region, "minimum") if part["days"])
    put(region, part, counted_minor=part["counted_minor"] - 1)


def a_minimum_asked_for_and_forgotten(region: Region) -> None:
    """It would be asked for again."""
    part = next(part for part in of(region, "minimum") if part["days"])
    put(region, part, days=None, trued_up_minor=0)


def paid_in_dollars(region: Region) -> None:
    exchange.paid_at_a_known_rate(region)
    exchange.settle(region)


def part_paid_in_dollars(region: Region) -> None:
    exchange.billed_in_dollars(region)
    exchange.credit(region)


def waiting_for_a_rate(region: Region) -> None:
    exchange.paid_on(region, date(2026, 2, 10))
    exchange.settle(region)


def a_difference_of_a_cent_more(region: Region) -> None:
    """Balanced all the same: the cent is taken from what the money is worth."""
    item = of(region, "entry", owner=exchange.BUYER, entry_kind="payment_applied")[0]
    bent = [dict(leg) for leg in item["postings"]]
    lost = next(leg for leg in bent if leg["account"] == "fx_difference")
    cash = next(leg for leg in bent if leg["account"] == "unapplied_cash")
    lost["base_minor"], cash["base_minor"] = lost["base_minor"] + 1, cash["base_minor"] - 1
    put(region, item, postings=bent)


def more_left_booked_than_the_entries_say(region: Region) -> None:
    item = next(i for i in of(region, "invoice", owner=exchange.BUYER) if "booked" in i)
    put(region, item, booked=item["booked"] | {"minor": item["booked"]["minor"] + 1})


def a_payment_nobody_finds_a_rate_for(region: Region) -> None:
    (item,) = of(region, "payment", owner=exchange.BUYER)
    put(region, {name: value for name, value in item.items() if name not in ("agenda_pk", "agenda_on")})


def a_difference_of_no_payment(region: Region) -> None:
    item = of(region, "entry", owner=exchange.BUYER, entry_kind="invoice_issued")[0]
    bent = [dict(leg) for leg in item["postings"]]
    first = base_amounts(entry_from(item))[0]
    bent[0]["base_minor"] = first
    put(region, item, postings=[*bent, {"account": "fx_difference", "minor": 0, "base_minor": 5}])


PLANTED: list[tuple[int, Damage, Damage]] = [
    (1, everything, an_entry_that_does_not_balance),
    (2, everything, an_entry_that_does_not_balance),
    (3, everything, a_balance_changed_by_hand),
    (3, everything, a_credit_used_twice),
    (3, everything, an_invoice_paid_another_day),
    (4, everything, revenue_moved_within_an_entry),
    (4, everything, an_entry_moved_to_another_day),
    (4, everything, a_total_other_than_was_put_on_record),
    (5, everything, a_payout_of_less_than_was_settled),
    (5, everything, a_payout_of_less_while_another_payment_is_under_way),
    (5, everything, a_payout_that_no_payment_had),
    (5, everything, a_payout_told_to_the_payment_alone),
    (5, paid_out_first, a_payout_of_less_than_was_settled),
    (6, everything, an_invoice_written_twice),
    (6, everything, an_item_billed_that_still_waits),
    (6, everything, a_subscription_off_the_agenda),
    (6, everything, a_subscription_where_no_run_looks),
    (6, contract_signed, a_milestone_without_its_item),
    (6, minimum_missed, less_counted_than_was_charged),
    (6, minimum_missed, a_minimum_asked_for_and_forgotten),
    (7, everything, a_number_given_twice),
    (8, everything, a_number_left_out),
    (8, everything, a_single_number_left_out),
    (8, everything, a_date_before_its_number),
    (9, everything, a_header_unlike_its_body),
    (9, everything, an_invoice_under_an_id_of_its_own),
    (9, estimated, an_estimate_nobody_asks_about),
    (10, everything, an_event_kept_twice),
    (10, everything, a_window_with_an_event_too_many),
    (10, everything, windows_put_away_and_lost),
    (11, everything, a_window_billed_for_something_else),
    (12, everything, a_settlement_forgotten),
    (13, everything, more_applied_than_was_paid),
    (13, everything, more_netted_than_lay_unapplied_while_another_currency_lies_there),
    (13, paid_twice, a_payment_applied_beyond_what_came_of_it),
    (13, paid_twice, a_payment_that_says_it_is_applied_less),
    (14, everything, an_open_balance_changed_by_hand),
    (12, collected, an_attempt_in_two_debits),
    (12, collected, an_attempt_without_its_guard),
    (12, collected, a_debit_of_more_than_was_announced),
    (14, everything, a_credit_note_of_more_than_there_was),
    (18, everything, a_debt_that_names_no_invoice),
    (20, paid_in_dollars, a_difference_of_a_cent_more),
    (20, part_paid_in_dollars, more_left_booked_than_the_entries_say),
    (20, paid_in_dollars, more_left_booked_than_the_entries_say),
    (20, waiting_for_a_rate, a_payment_nobody_finds_a_rate_for),
    (20, part_paid_in_dollars, a_difference_of_no_payment),
    (21, everything, a_state_nobody_knows),
    (22, reminded, a_step_in_two_letters),
    (22, reminded, a_step_without_its_guard),
    (22, reminded, a_letter_about_what_was_paid),
    (21, everything, a_failed_payment_under_way_again),
    (21, everything, an_invoice_open_again_without_money_taken_back),
    (21, disputed, a_state_that_its_history_does_not_end_with),
    (21, reminded, a_letter_sent_after_it_bounced),
    (21, promised, a_promise_that_began_as_kept),
    (23, everything, an_invoice_of_someone_else),
    (23, reminded, a_letter_of_someone_else),
    (23, everything, a_wallet_of_someone_else),
    (23, everything, a_document_of_someone_else),
    (24, everything, a_start_without_its_audit_record),
    (24, everything, credit_expired_without_its_audit_record),
    (24, everything, an_issue_without_its_audit_record),
    (24, everything, a_payout_without_its_audit_record),
    (24, everything, a_subscription_that_nobody_started),
    (24, everything, choices_that_nobody_made),
]


@pytest.mark.parametrize(("invariant", "scene", "damage"), PLANTED, ids=lambda p: getattr(p, "__name__", str(p)))
def test_planted_damage_is_named(invariant: int, scene: Damage, damage: Damage) -> None:
    """By the look at all records, by the one in parts, and by the one that only follows what changed, in the same
    words."""
    with after(scene) as region:
        auditor = StepAuditor(region)
        assert auditor.look() == []
        damage(region)
        found = set(check_all(region.store).violations)
        assert invariant in {violation.invariant for violation in found}
        assert set(auditor.look()) == found
        assert set(in_parts(region, 3)) == found


def in_parts(region: Region, parts: int) -> list[Violation]:
    """As the hourly look goes over many records."""
    look = Look("look_1", region.now, parts)
    books = BooksLook(region.store, Files(region.client("s3"), "work"))
    for part in range(parts):
        assert not books.is_whole(look)
        books.part(look, part)
    assert books.is_whole(look)
    return books.together(look).report.violations


def test_a_body_that_nothing_names_means_nothing() -> None:
    with after(everything) as region:
        auditor = StepAuditor(region)
        assert auditor.look() == []
        an_overtaken_body(region)
        assert check_all(region.store).violations == [] == auditor.look()


def test_every_invariant_is_checked_or_says_why_not() -> None:
    planted = {invariant for invariant, _, _ in PLANTED}
    assert set(TITLES) == set(range(1, 26))
    assert planted | set(NOT_CHECKED) == set(TITLES) and not planted & set(NOT_CHECKED)
    assert all(len(reason) > 10 for reason in (NOT_CHECKED | NOT_CHECKED_OF).values())
    assert planted.issuperset(NOT_CHECKED_OF)


def test_every_kind_of_entry_goes_with_an_audit_record() -> None:
    assert set(AUDITED_AS) == set(EntryKind)


def test_work_in_progress_is_named_at_a_moment_of_rest() -> None:
    with after(everything) as region:
        assert check_all(region.store, at_rest=True).violations == []
        pay(region, 2, KEY)
        found = check_all(region.store, at_rest=True).violations
        assert [(v.invariant, v.owner_id) for v in found] == [(25, account_id(2))]


def test_numbers_that_a_run_holds_are_no_gap_while_it_goes_on() -> None:
    from saldo.invoicing.run.bill import bill_accounts
    from saldo.invoicing.run.number import number_invoices
    from saldo.invoicing.run.open import open_run
    from tests.simulation.world import ENTITY

    world = World()
    world.found(60, started_on=date(2026, 1, 1))
    world.run(date(2026, 1, 1))
    world.now = datetime(2026, 2, 1, 4, tzinfo=UTC)
    attempt = open_run(world.store, world.clock, ENTITY.id, FEB.isoformat())
    for batch in attempt.batches:
        bill_accounts(world.billing(), attempt.run_id, attempt.number, batch)
    number_invoices(world.store, world.clock, attempt.run_id, attempt.number)
    assert check_all(world.store).violations == []


def test_an_entry_that_does_not_balance_is_told_and_the_rest_is_still_checked() -> None:
    world = World()
    accounts = world.found(3, started_on=date(2026, 1, 1))
    world.run(date(2026, 1, 1))
    item = world.store.query(accounts[0], prefix="entry#").items[0]
    world.store.write_one(Unit("bend").put(item | {"postings": legs(item, 1)}))
    found = {(v.invariant, v.owner_id) for v in check_all(world.store).violations}
    assert (1, accounts[0]) in found
    assert {owner for _, owner in found} == {accounts[0], "ent_eu_seller"}


def test_what_lies_in_clearing_is_explained_payment_by_payment() -> None:
    """Settled and on its way to the bank, in the bank before the news that it settled, and both: none is damage."""
    region = Region()
    with quiet(), region.serving():
        eventful(region)
        full_run(region)
        first, second = pay(region, 0, KEY), pay(region, 1, KEY)
        region.book.pay_by_card(first.gateway_ref, CARDS[0], region.now)
        early = PaidOut(second.id, second.account_id, second.amount)
        take_payout(region.store, region.clock, Payout("po_1", region.now, (early,)))
        assert check_all(region.store).violations == []
        region.queues.waiting = [("gateway", body) for body in news(region)]
        webhooks(region)
        assert {p["status"] for p in of(region, "payment", owner="")} == {"settled", "started"}
        assert check_all(region.store).violations == []
        settle(region, second, second.amount.minor)
        assert check_all(region.store).violations == []


def test_news_of_the_gateway_that_fit_no_payment_are_for_people_after_a_day() -> None:
    """A payout that is told once more under another name: parked, told a day later, a task of the seller whose customer
    it names."""
    with after(everything) as region:
        (item,) = of(region, "payment")
        again = PaidOut(item["payment_id"], ACCOUNT, Money(item["settled_minor"], item["currency"]))
        event = GatewayEvent("evt_again", region.now, Payout("po_other", region.now, (again,)))
        assert handle_event(region.store, region.clock, "simulator", event) is Outcome.PARKED
        region.now += timedelta(hours=24)
        assert invoke("operations.check_invariants", {})["violations"] == 0
        region.now += timedelta(seconds=1)
        (found,) = check_all(region.store, now=region.now).violations
        assert (found.invariant, found.owner_id) == (12, ACCOUNT)
        assert found.message.startswith(f"evt_again about {item['payment_id']} is parked since ")
        assert found.message.endswith(": paid_out_twice")
        assert invoke("operations.check_invariants", {})["violations"] == 1
        (task,) = differences().of(ENTITY.id, 9)
        assert (task.invariant, task.owner_id) == (12, ACCOUNT)
        assert in_parts(region, 3) == [found]


def test_audit_records_that_no_chain_holds_are_told_after_an_hour() -> None:
    region = Region()
    with quiet(), region.serving():
        billed(region)
        region.now += timedelta(minutes=59)
        assert check_all(region.store, now=region.now).violations == []
        region.now += timedelta(minutes=2)
        found = check_all(region.store, now=region.now).violations
        assert {v.invariant for v in found} == {24}
        assert {v.owner_id for v in found} == {item["pk"] for item in of(region, "audit", owner="")}
        invoke("audit.anchor", {})
        assert check_all(region.store, now=region.now).violations == []


def test_news_of_payments_that_nobody_here_started_are_told_after_a_day() -> None:
    region = Region()
    with quiet(), region.serving():
        of_nobody(region)
        webhooks(region)
        region.now += timedelta(days=2)
        found = check_all(region.store, now=region.now).violations
        assert {v.owner_id for v in found if v.invariant == 12} == {"acct_eu_999999"}
