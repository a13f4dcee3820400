"""A run bills all that accounts can owe: changes, items, coupons and credits, on shared and on split invoices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saldo.accounts.model import InvoiceSplit
from saldo.accounts.records import account_from, account_item, consolidated_item
from saldo.audit.model import Actor
from saldo.catalog.model import PerUnit
from saldo.catalog.records import plan_version_item
from saldo.insight.invariants import check_all
from saldo.invoicing.codec import body_from_bytes
from saldo.invoicing.model import (
    BelowZero,
    BillingOptions,
    Coupon,
    CouponDuration,
    InvoiceBody,
    LineKind,
    PayableRounding,
    PrepaidCredit,
)
from saldo.invoicing.run.number import set_aside_of
from saldo.invoicing.seller_records import options_from, options_item, seller_billing_key
from saldo.invoicing.wallets import Wallets
from saldo.kernel.errors import Refusal
from saldo.kernel.periods import Unit as CycleUnit
from saldo.ledger.model import LedgerAccount
from saldo.ledger.records import balances_from
from saldo.orders.model import Item as SoldItem
from saldo.orders.model import ItemStatus, WaitingItem
from saldo.orders.records import add_item, close_item, waiting_item_from
from saldo.storage.items import Item
from saldo.storage.units import Unit
from saldo.subscriptions.model import Change, ChangeKind, CreditRule
from saldo.subscriptions.records import subscription_from, subscription_item, subscription_key
from saldo.subscriptions.rules import subscribe
from saldo.subscriptions.service import Subscriptions
from saldo.tax.model import TaxRounding
from tests.simulation.world import ENTITY, VERSION, World, account_id_of

JAN, FEB, MAR, APR = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1), date(2026, 4, 1)
CLERK = Actor("clerk", "staff")
ACCOUNT = account_id_of(0)


def _invoices(world: World) -> list[Item]:
    return sorted(
        (i for i in world.store.scan() if i["kind"] == "invoice"), key=lambda i: (i["issued_on"], i["number"])
    )


def _bodies(world: World) -> list[InvoiceBody]:
    """Of issued invoices, in number order."""
    found = [body_from_bytes(i["body"]) for i in world.store.scan() if i["kind"] == "body"]
    numbers = {i["invoice_id"]: i["number"] for i in _invoices(world)}
    return sorted((b for b in found if b.id in numbers), key=lambda body: (body.issued_on, numbers[body.id]))


def _seats(change_id: str, on: date, seats: int, **more: object) -> Change:
    return Change(change_id, ChangeKind.QUANTITY, on, quantities={"seats": Decimal(seats)}, **more)  # type: ignore[arg-type]


def _change(world: World, change: Change, account: int = 0) -> None:
    Subscriptions(world.store, world.clock).change(account_id_of(account), f"sub_{account:06d}", change, CLERK)


def _sell(world: World, item: SoldItem, on: date, account: int = 0) -> None:
    waiting = WaitingItem(account_id_of(account), ENTITY.id, item, on, "staff")
    assert world.store.write_one(add_item(Unit(f"sell {item.id}"), waiting)) is None


def _alter(world: World, account: int, **fields: object) -> None:
    item = world.store.get(account_id_of(account), "account")
    assert item
    world.store.put_many([account_item(replace(account_from(item), **fields))])  # type: ignore[arg-type]


def _consolidate(world: World, member: int, into: int) -> None:
    _alter(world, member, invoiced_to=account_id_of(into), organisation_id="org_eu_shared")
    _alter(world, into, organisation_id="org_eu_shared")
    item = world.store.get(account_id_of(member), "account")
    assert item
    world.store.put_many([consolidated_item(account_from(item), account_id_of(into))])


def test_a_change_is_billed_on_its_day_with_the_days_it_concerns() -> None:
    world = World()
    world.found(2, started_on=JAN)
    world.run(JAN)
    _change(world, _seats("ch_1", date(2026, 1, 17), 3))
    world.run(date(2026, 1, 17))
    body = _bodies(world)[-1]
    assert len(_bodies(world)) == 3  # the other account has nothing due
    # 15 of 31 days: one seat of 7.50 back (3.63), three of them charged (22.50 × 15/31 = 10.89), 19 % on 7.26
    assert [line.net_minor for line in body.lines] == [-363, 1089]
    assert (body.net_minor, body.tax_minor) == (726, 138)
    assert check_all(world.store).violations == []


def test_a_change_that_came_late_is_settled_by_the_next_run_once() -> None:
    world = World()
    world.found(1, started_on=JAN)
    world.run(JAN)
    world.run(FEB)
    _change(world, _seats("ch_1", date(2026, 1, 17), 3))
    world.run(MAR)
    world.run(APR)
    nets = [body.net_minor for body in _bodies(world)]
    # March: base 49, three seats 22.50, and of January and February what two more seats cost: 7.26 and 15.00
    assert nets == [5650, 5650, 5650 + 1500 + 726 + 1500, 7150]
    assert check_all(world.store).violations == []


@settings(max_examples=20, deadline=None)
@given(st.permutations([0, 1, 2, 3]), st.permutations([0, 1, 2, 3]))
def test_simultaneous_changes_end_in_one_result_whatever_the_order_they_are_stored_in(
    first: list[int], second: list[int]
) -> None:
    changes = [
        _seats("a", date(2026, 1, 17), 3),
        _seats("b", date(2026, 1, 17), 5),
        Change("c", ChangeKind.QUANTITY, date(2026, 1, 17), added={"seats": Decimal(2)}),
        Change("d", ChangeKind.PAUSE, date(2026, 1, 20), credit=CreditRule.UNUSED),
    ]

    def outcome(order: list[int]) -> tuple[object, ...]:
        world = World()
        world.found(1, started_on=JAN)
        world.run(JAN)
        for n in order:
            _change(world, changes[n])
        world.run(FEB)
        assert check_all(world.store).violations == []
        return tuple(_bodies(world))

    assert outcome(first) == outcome(second)


def test_usage_whose_charge_was_taken_back_for_good_may_be_charged_again() -> None:
    world = World()
    world.found(1, started_on=JAN)
    tokens = replace(VERSION.components[2], price=PerUnit(Decimal("0.5")))
    yearly = replace(VERSION, id="yearly", cycle_unit=CycleUnit.YEAR, components=(tokens,))
    large = replace(VERSION, id="large", components=(VERSION.components[0], tokens))
    world.lay([plan_version_item(ENTITY.id, version) for version in (yearly, large)])
    world.run(JAN)
    world.use(ACCOUNT, date(2026, 1, 5), 100, "e1")
    _change(world, Change("a", ChangeKind.PLAN, date(2026, 1, 13), plan_version_id="yearly"))
    world.run(date(2026, 1, 13))  # its cycle ends, and what was used is billed
    wait = Change("b", ChangeKind.PLAN, date(2026, 1, 13), plan_version_id="large", credit=CreditRule.NONE)
    _change(world, wait)
    world.run(date(2026, 1, 15))  # it never changed its cycle after all: that charge comes back
    closed = world.run(FEB)
    assert set_aside_of(world.store, closed) == []
    tokens_billed = [line.net_minor for body in _bodies(world) for line in body.lines if line.component_id == "tokens"]
    assert tokens_billed == [200, -200, 200, 0]
    assert check_all(world.store).violations == []


def _billed_for_usage() -> World:
    """An account whose January's usage is billed, and a plan `large` that it may change to."""
    world = World()
    world.found(1, started_on=JAN)
    tokens = replace(VERSION.components[2], price=PerUnit(Decimal("0.5")))
    large = replace(VERSION, id="large", components=(VERSION.components[0], tokens))
    world.lay([plan_version_item(ENTITY.id, large)])
    world.run(JAN)
    world.use(ACCOUNT, date(2026, 1, 5), 100, "e1")
    world.run(FEB)
    return world


def _late(world: World) -> list[int]:
    return [line.net_minor for body in _bodies(world) for line in body.lines if line.kind is LineKind.LATE]


def test_usage_that_comes_late_for_a_window_billed_anew_is_not_lost() -> None:
    """The window of the whole month is taken back and that of its first part billed in one unit."""
    world = _billed_for_usage()
    _change(world, Change("a", ChangeKind.PLAN, date(2026, 1, 13), plan_version_id="large"))
    world.run(date(2026, 2, 3))
    world.use(ACCOUNT, date(2026, 1, 6), 50, "late")
    world.run(MAR)
    world.run(APR)
    assert _late(world) == [100]
    assert check_all(world.store).violations == []


def test_usage_that_came_late_before_its_window_is_billed_anew_is_asked_for_afterwards() -> None:
    """Two windows are billed anew at once, by the events that they were billed by; the first is not the latest."""
    world = _billed_for_usage()
    world.run(MAR)
    world.use(ACCOUNT, date(2026, 1, 6), 50, "late")
    _change(world, Change("a", ChangeKind.PLAN, JAN, plan_version_id="large"))
    world.run(date(2026, 3, 3))
    world.run(APR)
    assert _late(world) == [2500]
    assert check_all(world.store).violations == []


def test_items_are_billed_once_from_their_day_on() -> None:
    world = World()
    world.found(1, started_on=JAN)
    _sell(world, SoldItem("setup", {"en": "Set-up"}, Decimal(200), tax_category="digital_service"), date(2026, 1, 10))
    world.run(JAN)
    world.run(date(2026, 1, 10))
    world.run(FEB)
    assert [body.net_minor for body in _bodies(world)] == [5650, 20000, 5650]
    item = world.store.get(ACCOUNT, "item#setup")
    assert item and (item["status"], item["invoice_id"]) == ("billed", _bodies(world)[1].id)
    assert (
        world.store.write_one(
            add_item(
                Unit("again"),
                WaitingItem(ACCOUNT, ENTITY.id, SoldItem("setup", {"en": "Set-up"}, Decimal(200)), FEB, "staff"),
            )
        )
        is not None
    )
    assert check_all(world.store).violations == []


def test_an_item_taken_back_while_it_is_billed_is_on_no_invoice() -> None:
    world = World()
    world.found(1, started_on=JAN)
    world.run(JAN)
    sold = SoldItem("setup", {"en": "Set-up"}, Decimal(200), tax_category="digital_service")
    _sell(world, sold, FEB)

    def meddle(_number: int, operation: str, when: str) -> None:
        if operation == "TransactWriteItems" and when == "before":
            world.client.fault = None
            record = world.store.get(ACCOUNT, "item#setup")
            assert record is not None
            waiting = waiting_item_from(record)
            assert world.store.write_one(close_item(Unit("take back"), waiting, ItemStatus.WITHDRAWN)) is None

    def step(act: Callable[[], object]) -> object:
        """Somebody else is a moment faster than the step that bills."""
        bills = "bill_accounts" in act.__code__.co_names  # type: ignore[attr-defined]
        world.client.fault = meddle if bills else None
        done = act()
        world.client.fault = None
        return done

    world.run(FEB, step)
    assert [body.net_minor for body in _bodies(world)] == [5650, 5650]
    item = world.store.get(ACCOUNT, "item#setup")
    assert item and (item["status"], item["invoice_id"]) == ("withdrawn", "")
    assert check_all(world.store).violations == []


def test_coupons_and_credits_are_used_up_run_by_run_and_the_ledger_says_the_same() -> None:
    world = World()
    world.found(1, started_on=JAN)
    wallets = Wallets(world.store, world.clock)
    half = Coupon("half", {"en": "Half price"}, percent=Decimal(50), duration=CouponDuration.ONCE)
    wallets.add_coupon(ACCOUNT, half, CLERK)
    wallets.add_coupon(ACCOUNT, half, CLERK)
    wallets.grant(ACCOUNT, PrepaidCredit("gift", 5000, JAN, paid=False), CLERK)
    wallets.grant(ACCOUNT, PrepaidCredit("gift", 5000, JAN, paid=False), CLERK)
    assert check_all(world.store).violations == []
    world.run(JAN)
    world.run(FEB)
    first, second = _bodies(world)
    assert (first.net_minor, first.total_minor, first.payable_minor) == (2825, 3362, 0)
    assert (second.total_minor, second.payable_minor) == (6724, 6724 - (5000 - 3362))
    statuses = [(i["status"], i["open_minor"]) for i in _invoices(world)]
    assert statuses == [("paid", 0), ("issued", 6724 - 1638)]
    wallet = wallets.of(ACCOUNT)
    assert (wallet.coupons[0].used, wallet.credits[0].balance_minor) == (1, 0)
    assert check_all(world.store).violations == []


def test_a_late_run_draws_credit_that_was_valid_on_its_day() -> None:
    world = World()
    world.found(1, started_on=JAN)
    wallets = Wallets(world.store, world.clock)
    wallets.grant(ACCOUNT, PrepaidCredit("gone", 100, JAN, expires_on=date(2026, 1, 2), paid=False), CLERK)
    wallets.grant(ACCOUNT, PrepaidCredit("valid", 90_000, JAN, expires_on=date(2026, 2, 3), paid=False), CLERK)
    world.now = datetime(2026, 2, 10, 4, tzinfo=UTC)
    world.run(FEB)
    assert [body.payable_minor for body in _bodies(world)] == [0]
    assert check_all(world.store).violations == []


def test_credit_that_expires_is_taken_out_before_the_run_of_that_day() -> None:
    world = World()
    world.found(1, started_on=JAN)
    wallets = Wallets(world.store, world.clock)
    wallets.grant(ACCOUNT, PrepaidCredit("short", 90_000, JAN, expires_on=FEB, paid=False), CLERK)
    world.run(JAN)
    world.run(FEB)
    assert [i["open_minor"] for i in _invoices(world)] == [0, 6724]
    assert wallets.of(ACCOUNT).credits[0].balance_minor == 0
    assert check_all(world.store).violations == []


def test_paid_credit_comes_out_of_cash_that_is_there_and_of_no_other() -> None:
    world = World()
    world.found(1, started_on=JAN)
    with pytest.raises(Refusal, match="not_enough_cash"):
        Wallets(world.store, world.clock).grant(ACCOUNT, PrepaidCredit("top_up", 1, JAN), CLERK)


def test_a_total_below_zero_is_a_credit_note_that_the_next_invoices_use_up() -> None:
    world = World()
    world.found(1, started_on=JAN)
    world.run(JAN)
    _change(world, Change("stop", ChangeKind.CANCEL, date(2026, 1, 17)))
    world.run(date(2026, 1, 17))
    note = _bodies(world)[-1]
    assert (note.kind.value, note.total_minor) == ("credit_note", -3253)  # 15/31 of 56.50, and 19 %
    header = next(i for i in _invoices(world) if i["document"] == "credit_note")
    assert (header["status"], header["open_minor"]) == ("settled", 0)
    _sell(world, SoldItem("visit", {"en": "Visit"}, Decimal(100), tax_category="digital_service"), FEB)
    world.run(FEB)
    assert _bodies(world)[-1].payable_minor == 11900 - 3253
    assert Wallets(world.store, world.clock).of(ACCOUNT).credit_note_minor == 0
    assert check_all(world.store).violations == []


def test_a_seller_may_have_totals_below_zero_set_aside_instead() -> None:
    world = World()
    world.found(1, started_on=JAN)
    world.lay([options_item(ENTITY.id, BillingOptions(below_zero=BelowZero.REFUSE))])
    world.run(JAN)
    _change(world, Change("stop", ChangeKind.CANCEL, date(2026, 1, 17)))
    closed = world.run(date(2026, 1, 17))
    (aside,) = set_aside_of(world.store, closed)
    assert aside.code == "negative_total"


def test_a_seller_may_round_tax_line_by_line_in_its_runs() -> None:
    world = World()
    world.found(1, started_on=JAN)
    for n in range(3):
        _sell(world, SoldItem(f"i{n}", {"en": "Item"}, Decimal("0.13"), tax_category="digital_service"), JAN)
    world.lay([options_item(ENTITY.id, BillingOptions(tax_rounding=TaxRounding.LINE))])
    world.run(JAN)
    # 19 % of 49.00, 7.50 and three times 0.13, each rounded: 9.31 + 1.43 + 3 × 0.02; of the sum it would be 10.81
    assert _bodies(world)[0].tax_minor == 1080
    assert check_all(world.store).violations == []


def test_a_seller_may_round_what_is_to_be_paid_to_coins() -> None:
    world = World()
    world.found(1, started_on=JAN)
    _sell(world, SoldItem("visit", {"en": "Visit"}, Decimal("0.02"), tax_category="digital_service"), JAN)
    options = BillingOptions(payable_rounding=PayableRounding("EUR", 5))
    world.lay([options_item(ENTITY.id, options)])
    assert options_from(world.store.get(*seller_billing_key(ENTITY.id))) == options
    world.run(JAN)
    (body,) = _bodies(world)
    assert body.rounding and body.rounding.minor and body.payable_minor == body.total_minor + body.rounding.minor
    assert body.payable_minor % 5 == 0
    booked = balances_from(world.store.get(ACCOUNT, "balance"))
    assert booked["EUR", LedgerAccount.ROUNDING] == -body.rounding.minor
    assert check_all(world.store).violations == []


def test_a_change_that_costs_nothing_makes_an_invoice_of_nothing_that_needs_no_entry() -> None:
    world = World()
    world.found(1, started_on=JAN)
    world.run(JAN)
    plan = replace(VERSION, id="core_v2", version=2)
    world.lay(
        [
            plan_version_item(
                ENTITY.id,
                replace(
                    plan, components=tuple(replace(c, names={"en": c.names["en"] + " (new)"}) for c in plan.components)
                ),
            )
        ]
    )
    _change(world, Change("move", ChangeKind.PLAN, date(2026, 1, 17), plan_version_id="core_v2"))
    closed = world.run(date(2026, 1, 17))
    assert (closed.invoices, _bodies(world)[-1].total_minor, _invoices(world)[-1]["status"]) == (1, 0, "paid")
    assert check_all(world.store).violations == []


def test_accounts_of_one_organisation_share_an_invoice_that_says_whose_each_charge_is() -> None:
    world = World()
    accounts = world.found(4, started_on=JAN)
    for member in (1, 2):
        _consolidate(world, member, 0)
    _sell(world, SoldItem("desk", {"en": "Desk"}, Decimal(10), tax_category="digital_service"), JAN, account=2)
    world.use(accounts[1], date(2026, 1, 3), 50, "e1")
    closed = world.run(JAN)
    assert closed.invoices == 2
    shared = next(body for body in _bodies(world) if body.account_id == ACCOUNT)
    owners = [line.account_id for line in shared.lines]
    assert owners == ["", "", accounts[1], accounts[1], accounts[2], accounts[2], accounts[2]]
    world.run(FEB)
    usage = [line for body in _bodies(world) for line in body.lines if line.component_id == "tokens" and line.net_minor]
    assert [(line.account_id, line.net_minor) for line in usage] == [(accounts[1], 100)]
    assert check_all(world.store).violations == []


def test_one_shared_invoice_never_mixes_places_of_supply() -> None:
    world = World()
    world.found(2, started_on=JAN)
    _consolidate(world, 1, 0)
    _alter(world, 1, country="FR", has_tax_id=True)
    world.run(JAN)
    taxes = {tuple(t.treatment.value for t in body.tax_totals) for body in _bodies(world)}
    assert taxes == {("standard",), ("reverse_charge",)}
    assert {body.account_id for body in _bodies(world)} == {ACCOUNT}
    _change(world, Change("end", ChangeKind.CANCEL, FEB))
    world.run(FEB)
    (alone,) = _bodies(world)[2:]
    assert alone.account_id == ACCOUNT
    assert [t.treatment.value for t in alone.tax_totals] == ["reverse_charge"], "also where it has all of an invoice"


def test_an_invoice_names_the_purchase_order_that_all_of_it_was_ordered_under() -> None:
    world = World()
    world.found(1, started_on=JAN)
    sold = subscription_from(world.store.get(*subscription_key(ACCOUNT, "sub_000000")) or {})
    world.lay([subscription_item(replace(sold, purchase_order="PO-1", cost_centre="Lab"))])
    desk = SoldItem("desk", {"en": "Desk"}, Decimal(10), purchase_order="PO-1")
    _sell(world, desk, JAN)
    _sell(world, replace(desk, id="lamp", purchase_order="PO-2"), FEB)
    for day in (JAN, FEB, MAR):
        world.run(day)
    named = [(body.purchase_order, body.cost_centre) for body in _bodies(world)]
    assert named == [("PO-1", ""), ("", ""), ("PO-1", "Lab")]


def test_invoices_are_split_by_purchase_order_and_credits_go_from_one_to_the_next() -> None:
    world = World()
    world.found(1, started_on=JAN)
    _alter(world, 0, invoice_split=InvoiceSplit.PURCHASE_ORDER)
    for n, order in enumerate(("PO-1", "PO-2", "PO-1")):
        sold = subscribe(f"sub_more_{n}", account_id=ACCOUNT, entity_id=ENTITY.id, plan_version=VERSION, started_on=JAN)
        world.lay([subscription_item(replace(sold, purchase_order=order, cost_centre="Lab"))])
    Wallets(world.store, world.clock).grant(ACCOUNT, PrepaidCredit("gift", 10_000, JAN, paid=False), CLERK)
    world.run(JAN)
    found = {body.purchase_order: body for body in _bodies(world)}
    assert {order: body.net_minor for order, body in found.items()} == {"": 5650, "PO-1": 11300, "PO-2": 5650}
    assert sum(body.total_minor - body.payable_minor for body in found.values()) == 10_000
    assert {order: body.cost_centre for order, body in found.items()} == {"": "", "PO-1": "Lab", "PO-2": "Lab"}
    assert check_all(world.store).violations == []


def test_a_change_that_comes_while_an_account_is_billed_loses_nothing_and_bills_nothing_twice() -> None:
    def billed_with_change_at(at: int) -> list[int]:
        world = World()
        world.found(1, started_on=JAN)
        world.run(JAN)
        world.client.calls = 0
        done = []

        def meddle(number: int, _operation: str, when: str) -> None:
            if number == at and when == "before" and not done:
                done.append(number)
                _change(world, _seats("ch_1", date(2026, 1, 17), 3))

        world.client.fault = meddle
        world.run(FEB)
        world.client.fault = None
        if not done:
            return []
        world.run(MAR)
        assert check_all(world.store).violations == [], f"at call {at}"
        return [body.net_minor for body in _bodies(world)]

    billed = [nets for at in range(1, 70) if (nets := billed_with_change_at(at))]
    assert len(billed) > 12 and {sum(nets) for nets in billed} == {5650 + 7150 + 7150 + 726}
    assert {len(nets) for nets in billed} == {3}, "the run bills an account that changed under it all the same"
