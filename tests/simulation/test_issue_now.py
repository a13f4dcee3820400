"""Staff invoice one account at once: through the run's own steps, once per request, numbers in order."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from saldo.accounts.records import account_from, account_item
from saldo.audit.model import Actor
from saldo.insight.invariants import check_all
from saldo.invoicing.records import header_from
from saldo.invoicing.run.close import close_run
from saldo.invoicing.run.now import Invoices, Issued, OneOff
from saldo.invoicing.run.open import open_run
from saldo.kernel.errors import NotFound, Refusal
from saldo.orders.items import Items
from saldo.orders.model import Item, WaitingItem
from saldo.orders.records import add_item
from saldo.storage.units import Unit
from tests.simulation.dynamodb import Crash
from tests.simulation.world import ENTITY, World

JAN, FEB = date(2026, 1, 1), date(2026, 2, 1)
CLERK = Actor("user_eu_clerk", "staff")
VISIT = Item("", {"en": "Visit on site"}, Decimal(250), tax_category="digital_service")


def world() -> World:
    found = World()
    found.found(2, started_on=JAN)
    found.run(JAN)
    found.now = datetime(2026, 1, 10, 9, tzinfo=UTC)
    return found


def ask(found: World, request: str = "r1", *items: Item) -> Issued:
    return Invoices(found.billing(), found.clock).issue_now(OneOff("acct_eu_000000", request, items or (VISIT,), CLERK))


def numbers(found: World) -> list[tuple[str, str, int]]:
    headers = [header_from(i) for i in found.store.scan() if i["kind"] == "invoice"]
    return sorted((h.number, h.issued_on.isoformat(), h.net_minor) for h in headers)


def test_an_item_is_invoiced_at_once_and_nothing_that_is_not_due() -> None:
    found = world()
    issued = ask(found)
    assert (len(issued.invoices), issued.set_aside, issued.attempt.run_id) == (1, (), "run_eu_seller_20260110_r1")
    assert numbers(found)[-1] == ("RW-2026-000003", "2026-01-10", 25000)
    found.run(FEB)
    assert [n for n, _, _ in numbers(found)][-2:] == ["RW-2026-000004", "RW-2026-000005"]
    assert check_all(found.store).violations == []


def test_a_request_repeated_later_is_the_same_invoice_and_one_reused_is_refused() -> None:
    found = world()
    first = ask(found)
    found.advance(3)
    assert ask(found).invoices == first.invoices
    with pytest.raises(Refusal, match="request_reused"):
        ask(found, "r1", replace(VISIT, unit_price=Decimal(251)))
    assert ask(found, "r2").invoices != first.invoices
    assert check_all(found.store).violations == []


def test_a_crash_at_any_call_is_mended_by_asking_again() -> None:
    plain = world()
    plain.client.calls = 0
    ask(plain)
    for call in range(1, plain.client.calls + 1):
        found = world()
        found.client.calls = 0

        def fault(number: int, _: str, moment: str, call: int = call) -> None:
            if (number, moment) == (call, "after"):
                raise Crash

        found.client.fault = fault
        with pytest.raises(Crash):
            ask(found)
        found.client.fault = None
        ask(found)
        assert numbers(found) == numbers(plain)
        assert check_all(found.store).violations == []


def test_a_run_of_a_later_day_waits_for_a_request_that_stopped_half_way(monkeypatch: pytest.MonkeyPatch) -> None:
    found = world()

    def stop(*_: object) -> None:
        raise Crash

    with monkeypatch.context() as broken, pytest.raises(Crash):
        broken.setattr("saldo.invoicing.run.now.number_invoices", stop)
        ask(found)
    found.now = datetime(2026, 2, 1, 4, tzinfo=UTC)
    with pytest.raises(Refusal, match="run_eu_seller_20260110_r1 is open; retry it first"):
        open_run(found.store, found.clock, ENTITY.id, "2026-02-01")
    assert len(ask(found).invoices) == 1
    found.run(FEB)
    assert check_all(found.store).violations == []


def test_it_works_on_the_day_of_a_run_before_and_after_it() -> None:
    found = world()
    found.now = datetime(2026, 2, 1, 3, tzinfo=UTC)
    ask(found, "early")
    closed = found.run(FEB)
    assert closed.invoices == 1, "the account's subscription was due and came on the invoice that staff asked for"
    ask(found, "late")
    assert [n for n, _, _ in numbers(found)] == [f"RW-2026-{n:06d}" for n in range(1, 6)]
    assert close_run(found.store, found.clock, closed.run_id, closed.number) == closed
    assert check_all(found.store).violations == []


def test_an_account_whose_charges_come_on_other_invoices_is_refused() -> None:
    found = world()
    account = account_from(found.store.get("acct_eu_000000", "account") or {})
    found.store.put_many([account_item(replace(account, invoiced_to="acct_eu_000001"))])
    with pytest.raises(Refusal, match="invoiced_elsewhere"):
        ask(found)


def test_every_problem_of_a_request_is_named() -> None:
    with pytest.raises(Refusal, match="invalid_request") as refused:
        ask(world(), "r_1", Item("", {}, Decimal(0)))
    assert [p.field for p in refused.value.problems] == ["request", "items[0].names", "items[0].unit_price"]


def test_a_price_that_is_no_amount_is_refused_before_anything_waits() -> None:
    found = world()
    for price in ("NaN", "Infinity", "1E+50"):
        with pytest.raises(Refusal, match="invalid_request") as refused:
            ask(found, "r1", replace(VISIT, unit_price=Decimal(price)))
        assert [p.field for p in refused.value.problems] == ["items[0].unit_price"]
    assert Items(found.store, found.clock).waiting("acct_eu_000000") == []


def test_what_could_not_be_invoiced_waits_until_staff_takes_it_back() -> None:
    found = world()
    items = Items(found.store, found.clock)
    aside = ask(found, "r1", replace(VISIT, tax_category="unheard_of"))
    assert [s.code for s in aside.set_aside] == ["tax_undecidable"]
    assert [w.item.id for w in items.waiting("acct_eu_000000")] == ["oneoff-r1-1"]
    assert ask(found, "r2").set_aside, "it would be on every invoice of the account"
    with pytest.raises(Refusal, match="reason_required"):
        items.withdraw("acct_eu_000000", "oneoff-r1-1", CLERK, " ")
    for _ in range(2):
        items.withdraw("acct_eu_000000", "oneoff-r1-1", CLERK, "wrong category")
    assert len(ask(found, "r3").invoices) == 1
    with pytest.raises(Refusal, match="already_billed"):
        items.withdraw("acct_eu_000000", "oneoff-r2-1", CLERK, "too late")
    with pytest.raises(NotFound):
        items.withdraw("acct_eu_000000", "oneoff-r9-1", CLERK, "nothing")
    assert check_all(found.store).violations == []


def test_what_a_contract_asked_for_is_taken_back_there() -> None:
    found = world()
    waiting = WaitingItem("acct_eu_000000", ENTITY.id, replace(VISIT, id="m1"), FEB, "contract ct_1")
    found.store.write_one(add_item(Unit("milestone"), waiting))
    with pytest.raises(Refusal, match="it comes from contract ct_1; take it back there"):
        Items(found.store, found.clock).withdraw("acct_eu_000000", "m1", CLERK, "faults")
