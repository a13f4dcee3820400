"""What comes back, on stored records: credits of days as they were charged, prepaid credit to where it was drawn."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from saldo.accounts.records import account_from, account_item, consolidated_item
from saldo.audit.model import Actor
from saldo.catalog.model import Minimum
from saldo.catalog.records import plan_version_item
from saldo.insight.invariants import check_all
from saldo.invoicing.codec import body_from_bytes
from saldo.invoicing.corrections import Corrections, CreditRequest
from saldo.invoicing.model import (
    BillingOptions,
    Coupon,
    CouponDuration,
    InvoiceBody,
    LineKind,
    PrepaidCredit,
    PrepaidOrder,
    Wallet,
)
from saldo.invoicing.rules_corrections import Reason
from saldo.invoicing.rules_soundness import problems_of
from saldo.invoicing.run.bill import bill_accounts
from saldo.invoicing.run.open import open_run
from saldo.invoicing.seller_records import options_item
from saldo.invoicing.wallets import Wallets
from saldo.ledger.records import balances_from
from saldo.subscriptions.model import Change, ChangeKind
from saldo.subscriptions.service import Subscriptions
from tests.simulation.world import ENTITY, VERSION, World, account_id_of
from tests.unit.invoicing.scenes import TAX

JAN = date(2026, 1, 1)
CLERK = Actor("clerk", "staff")
ACCOUNT = account_id_of(0)
BEFORE, AFTER = PrepaidOrder.BEFORE_TAX, PrepaidOrder.AFTER_TAX


def a_world(prepaid: PrepaidOrder, *credits: PrepaidCredit, coupon: Coupon | None = None) -> World:
    world = World()
    world.found(2, started_on=JAN)
    world.lay([options_item(ENTITY.id, BillingOptions(prepaid=prepaid))])
    for credit in credits:
        Wallets(world.store, world.clock).grant(ACCOUNT, credit, CLERK)
    if coupon:
        Wallets(world.store, world.clock).add_coupon(ACCOUNT, coupon, CLERK)
    world.run(JAN)
    world.now = datetime(2026, 1, 20, 9, tzinfo=UTC)
    return world


def gift(minor: int, expires_on: date | None = None) -> PrepaidCredit:
    return PrepaidCredit("gift", minor, JAN, expires_on, paid=False)


def documents(world: World, account_id: str = ACCOUNT) -> list[InvoiceBody]:
    items = world.store.query_all(account_id, prefix="body#")
    return sorted((body_from_bytes(i["body"]) for i in items), key=lambda b: (b.issued_on, bool(b.of_invoice), b.id))


def corrections(world: World) -> Corrections:
    return Corrections(world.store, world.clock, TAX)


def asked(world: World, request: str, **more: object) -> CreditRequest:
    first = documents(world)[0]
    return CreditRequest(ACCOUNT, first.id, request, Reason.PRICE, CLERK, **more)  # type: ignore[arg-type]


def leaves(world: World, account_id: str) -> None:
    """The account cancels as of the 20th, with twelve of January's 31 days paid ahead."""
    end = Change("end", ChangeKind.CANCEL, date(2026, 1, 20))
    Subscriptions(world.store, world.clock).change(account_id, f"sub_{account_id[-6:]}", end, CLERK)


def wallet(world: World) -> Wallet:
    return Wallets(world.store, world.clock).of(ACCOUNT)


def check(world: World) -> None:
    assert check_all(world.store).violations == []
    assert all(problems_of(body) == () for body in documents(world))


def left_in_the_books(world: World) -> Counter[str]:
    found = balances_from(world.store.get(ACCOUNT, "balance"))
    return Counter({account: minor for (_, account), minor in found.items() if minor})


@pytest.mark.parametrize("prepaid", PrepaidOrder)
@pytest.mark.parametrize("minor", [2_000, 50_000])
def test_an_invoice_taken_back_part_by_part_refills_the_credit_that_paid_for_it(
    prepaid: PrepaidOrder, minor: int
) -> None:
    world = a_world(prepaid, gift(minor))
    granted = Counter({"prepaid_credit": -minor, "credit_given_away": minor})
    assert left_in_the_books(world) != granted
    corrections(world).credit(asked(world, "r1", amounts={"1": 1_900}))
    check(world)
    corrections(world).credit(asked(world, "r2"))
    check(world)
    assert left_in_the_books(world) == granted
    assert wallet(world) == Wallet(credits=(gift(minor),))


def test_a_part_of_a_line_takes_its_part_of_what_prepaid_credit_paid_along() -> None:
    world = a_world(BEFORE, gift(50_000))
    note = corrections(world).credit(asked(world, "r1", amounts={"1": 1_000}))
    assert (note.total_minor, wallet(world).credits[0].balance_minor) == (0, 50_000 - 5_650 + 1_000)
    check(world)


def test_what_is_open_is_lowered_first_and_then_credit_and_money_share() -> None:
    world = a_world(AFTER, gift(3_362))
    corrections(world).credit(asked(world, "r1", total_minor=3_362))
    assert wallet(world).credits[0].balance_minor == 0
    corrections(world).credit(asked(world, "r2", total_minor=1_000))
    assert (wallet(world).credits[0].balance_minor, wallet(world).credit_note_minor) == (1_000, 0)
    check(world)


def test_credit_that_ran_out_meanwhile_has_the_days_again_that_it_had() -> None:
    world = a_world(AFTER, gift(50_000, date(2026, 1, 11)))
    world.now = datetime(2026, 1, 15, 9, tzinfo=UTC)
    Wallets(world.store, world.clock).expire(ENTITY.id, date(2026, 1, 15))
    corrections(world).credit(asked(world, "r1"))
    assert wallet(world).credits == (gift(6_724, date(2026, 1, 25)),)
    check(world)


@pytest.mark.parametrize("prepaid", PrepaidOrder)
def test_an_invoice_billed_again_is_paid_from_the_same_credit(prepaid: PrepaidOrder) -> None:
    world = a_world(prepaid, gift(2_000))
    before = wallet(world), left_in_the_books(world)
    corrections(world).rebill(asked(world, "r1"))
    assert (wallet(world), left_in_the_books(world)) == before
    check(world)


def test_days_that_a_coupon_paid_for_give_nothing_back() -> None:
    free = Coupon("free", {"en": "First month free"}, percent=Decimal(100), duration=CouponDuration.ONCE)
    world = a_world(AFTER, coupon=free)
    for account_id in (ACCOUNT, account_id_of(1)):
        leaves(world, account_id)
    world.run(date(2026, 1, 20))
    _, credit = documents(world)
    assert {line.kind for line in credit.lines} == {LineKind.CREDIT, LineKind.DISCOUNT, LineKind.CHARGE}
    assert (credit.net_minor, credit.total_minor, wallet(world).credit_note_minor) == (0, 0, 0)
    _, paid = documents(world, account_id_of(1))
    assert paid.total_minor < 0
    check(world)


def test_credit_drawn_before_tax_comes_back_with_the_days_it_paid_for() -> None:
    world = a_world(BEFORE, gift(50_000))
    leaves(world, ACCOUNT)
    world.run(date(2026, 1, 20))
    _, credit = documents(world)
    back = -sum(line.net_minor for line in credit.lines if line.kind is LineKind.CREDIT)
    assert (credit.total_minor, credit.tax_minor, back) == (0, 0, 2_187)
    assert wallet(world).credits[0].balance_minor == 50_000 - 5_650 + back
    check(world)


def test_documents_are_read_again_only_for_an_account_that_gives_something_back() -> None:
    asked_of: list[int] = []
    for leavers in (0, 1):
        world = a_world(AFTER)
        for n in range(leavers):
            leaves(world, account_id_of(n))
        world.now = datetime(2026, 2, 1, 9, tzinfo=UTC)
        before = world.client.bill.calls["Query"]
        attempt = open_run(world.store, world.clock, ENTITY.id, "2026-02-01")
        bill_accounts(world.billing(), attempt.run_id, attempt.number, attempt.batches[0])
        asked_of.append(world.client.bill.calls["Query"] - before)
    assert asked_of[1] == asked_of[0] + 2  # its documents and which of them were issued


def test_the_charge_of_a_member_is_found_on_the_invoice_of_whoever_pays() -> None:
    world = World()
    world.found(2, started_on=JAN)
    payer, member = account_id_of(0), account_id_of(1)
    before = account_from(world.store.get(member, "account") or {})
    shared = replace(before, invoiced_to=payer)
    world.store.put_many([account_item(shared), consolidated_item(shared, payer)])
    half = Coupon("half", {"en": "Half"}, percent=Decimal(50), duration=CouponDuration.ONCE)
    Wallets(world.store, world.clock).add_coupon(payer, half, CLERK)
    world.run(JAN)
    leaves(world, member)
    world.run(date(2026, 1, 20))
    first, credit = documents(world, payer)
    gross = sum(line.net_minor for line in credit.lines if line.kind is LineKind.CREDIT)
    off = sum(line.net_minor for line in credit.lines if line.kind is LineKind.DISCOUNT)
    assert gross < 0 and abs(gross + 2 * off) <= 2
    assert {line.gives_back.split("/")[0] for line in credit.lines if line.gives_back} == {first.id}
    assert check_all(world.store).violations == []


def test_what_a_minimum_asked_for_too_much_goes_back_with_what_a_coupon_took_off_it() -> None:
    world = World()
    world.found(1, started_on=JAN)
    least = replace(VERSION, minimum=Minimum((Decimal(1_000),)))
    world.lay([plan_version_item(ENTITY.id, least)])
    half = Coupon("half", {"en": "Half"}, percent=Decimal(50), duration=CouponDuration.FOREVER)
    Wallets(world.store, world.clock).add_coupon(ACCOUNT, half, CLERK)
    for month in (JAN, date(2026, 2, 1)):
        world.run(month)
    leaves(world, ACCOUNT)
    world.run(date(2026, 2, 5))
    back = documents(world)[-1]
    (lowered,) = [line for line in back.lines if line.kind is LineKind.TRUE_UP]
    (asked_for,) = [line for line in documents(world)[1].lines if line.kind is LineKind.TRUE_UP]
    assert lowered.gives_back == f"{documents(world)[1].id}/{asked_for.id}"
    whole = sum(line.net_minor for body in documents(world) for line in body.lines if not line.of)
    off = sum(line.net_minor for body in documents(world) for line in body.lines if line.of)
    assert whole == 61_290, "nineteen of the thirty-one days of January"
    assert abs(whole + 2 * off) <= 2
    check(world)


def test_what_staff_gave_back_is_not_given_back_again_when_the_customer_leaves() -> None:
    world = a_world(AFTER)
    corrections(world).credit(asked(world, "r1", amounts={"1": 4_000}))
    leaves(world, ACCOUNT)
    world.run(date(2026, 1, 20))
    credit = next(body for body in documents(world) if body.issued_on > JAN and not body.of_invoice)
    base, seats = (line for line in credit.lines if line.kind is LineKind.CREDIT)
    assert (base.net_minor, seats.net_minor) == (-900, -290)  # 49.00 × 12/31 would be 18.97, and 9.00 are left
    check(world)
    again = a_world(AFTER)
    corrections(again).credit(asked(again, "r1"))
    leaves(again, ACCOUNT)
    again.run(date(2026, 1, 20))
    assert len(documents(again)) == 2
    check(again)
