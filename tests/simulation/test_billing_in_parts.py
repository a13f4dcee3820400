"""An account of more charges than one unit holds gets its invoice: all of it or nothing, whatever happens meanwhile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from saldo.accounts.model import Terms
from saldo.accounts.records import account_from, account_item, consolidated_item
from saldo.audit.model import Actor
from saldo.insight.invariants import check_all
from saldo.invoicing.approvals import Approvals
from saldo.invoicing.codec import body_from_bytes
from saldo.invoicing.corrections import Corrections, CreditRequest
from saldo.invoicing.model import InvoiceBody, PrepaidCredit
from saldo.invoicing.rules_corrections import Reason
from saldo.invoicing.run import in_parts
from saldo.invoicing.run.bill import bill_accounts
from saldo.invoicing.run.close import close_run
from saldo.invoicing.run.in_parts import InParts
from saldo.invoicing.run.now import Invoices, OneOff
from saldo.invoicing.run.number import set_aside_of
from saldo.invoicing.run.open import open_run
from saldo.invoicing.wallet_records import wallet_from, wallet_key
from saldo.invoicing.wallets import Wallets
from saldo.kernel.errors import Refusal
from saldo.orders.model import Item as SoldItem
from saldo.orders.model import WaitingItem
from saldo.orders.records import add_item
from saldo.storage import claims
from saldo.storage.items import Item, Key
from saldo.storage.units import MOST_WRITES, Unit
from saldo.subscriptions.model import Change, ChangeKind
from saldo.subscriptions.records import subscription_item
from saldo.subscriptions.rules import subscribe
from saldo.subscriptions.service import Subscriptions
from tests.simulation.dynamodb import Crash
from tests.simulation.world import ENTITY, VERSION, World, account_id_of
from tests.unit.invoicing.scenes import TAX

JAN, FEB, MAR = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)
CLERK = Actor("clerk", "staff")
PAYER = account_id_of(0)
MEMBERS = 11
MOST_OF_A_PART = claims.MOST_OF_A_PART
Meddle = Callable[[World], object]


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A unit and a part hold few records here, so that few are too many for one and make several of the other."""
    _hold(monkeypatch, unit=33, part=13)


def _hold(monkeypatch: pytest.MonkeyPatch, unit: int, part: int) -> None:
    monkeypatch.setattr("saldo.invoicing.run.writes.MOST_WRITES", unit)
    monkeypatch.setattr(claims, "MOST_OF_A_PART", part)


def organisation(members: int = MEMBERS) -> World:
    """A payer and the members on its invoice, each with a subscription of fee, seats and usage, January's billed; then
    usage and an item of each, and credit."""
    world = World()
    world.found(members + 1, started_on=JAN)
    for n in range(members + 1):
        _share(world, n)
    world.run(JAN)
    for n in range(members + 1):
        world.use(account_id_of(n), date(2026, 1, 20), 100 + n, f"e{n}")
        item = SoldItem(f"setup{n}", {"en": "Set-up"}, Decimal(10 + n), tax_category="digital_service")
        waiting = WaitingItem(account_id_of(n), ENTITY.id, item, FEB, "staff")
        assert world.store.write_one(add_item(Unit(f"sell {n}"), waiting)) is None
    Wallets(world.store, world.clock).grant(PAYER, PrepaidCredit("gift", 700, JAN, paid=False), CLERK)
    return world


def _share(world: World, n: int) -> None:
    item = world.store.get(account_id_of(n), "account")
    assert item
    account = replace(account_from(item), organisation_id="org_eu_shared", invoiced_to=PAYER if n else "")
    world.store.put_many([account_item(account), *([consolidated_item(account, PAYER)] if n else [])])


def bodies(world: World) -> list[InvoiceBody]:
    issued = {i["invoice_id"] for i in world.store.scan() if i["kind"] == "invoice"}
    found = [body_from_bytes(i["body"]) for i in world.store.scan() if i["kind"] == "body"]
    return sorted((b for b in found if b.id in issued), key=lambda body: body.issued_on)


def essence(world: World) -> list[tuple[str, ...]]:
    """What must come out the same however often the work was interrupted. A body that nothing names means nothing."""
    named = {body.id for body in bodies(world)}
    kinds = ("invoice", "body", "entry", "subscription", "wallet", "item", "windows", "claim", "part", "series")
    names = ("number", "open_minor", "body", "postings", "next_bill_on", "agenda_on", "invoice_id", "packed", "credits")
    held = ("claim", "being_billed", "billing_is", "invoice_ids", "status", "agenda_pk")
    rows = [
        (i["pk"], i["sk"], *(repr(i.get(n)) for n in names + held)) for i in world.store.scan() if i["kind"] in kinds
    ]
    return sorted(row for row in rows if not row[1].startswith("body#") or row[1].removeprefix("body#") in named)


def check_nothing_is_held(world: World) -> None:
    left = [i for i in world.store.scan() if "claim" in i or "being_billed" in i or i["kind"] in ("part", "claim")]
    assert left == []
    assert check_all(world.store).violations == []


def calls_of_billing(world: World, as_of: date) -> tuple[int, int]:
    """The first and the last call in which a batch is billed."""
    made: list[int] = []

    def repeat(act: Callable[[], object]) -> object:
        before = world.client.calls
        answer = act()
        made.append(before)
        return answer

    world.client.calls = 0
    world.run(as_of, repeat)
    return made[1] + 1, made[2]


def test_a_large_organisation_gets_one_invoice_of_all_its_charges() -> None:
    world = organisation(60)
    closed = world.run(FEB)
    assert (closed.invoices, closed.set_aside) == (1, 0)
    (body,) = [body for body in bodies(world) if body.issued_on == FEB]
    # Of each of 61 accounts: the fee, seats, what was used and an item.
    assert len(body.lines) == 244 and len(body.charges) == 122
    assert {line.account_id for line in body.lines} == {"", *(account_id_of(n) for n in range(1, 61))}
    assert body.total_minor - body.payable_minor == 700
    check_nothing_is_held(world)


def test_billed_in_parts_an_account_is_billed_as_in_one_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = organisation(20)
    whole.run(FEB)
    parted = organisation(20)
    monkeypatch.setattr("saldo.invoicing.run.writes.MOST_WRITES", 10)
    assert parted.run(FEB).invoices == 1
    # Its wallet was written more often, and nothing else differs.
    assert essence(parted) == essence(whole)
    check_nothing_is_held(parted)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 6), st.integers(1, 9), st.lists(st.tuples(st.integers(0, 6), st.integers(1, 3000)), max_size=6))
def test_whatever_an_account_owes_it_comes_to_the_same_in_parts_of_any_size(
    monkeypatch: pytest.MonkeyPatch, members: int, size: int, late: list[tuple[int, int]]
) -> None:
    def billed(most: int) -> World:
        world = organisation(members)
        with monkeypatch.context() as context:
            context.setattr("saldo.invoicing.run.writes.MOST_WRITES", most)
            context.setattr(claims, "MOST_OF_A_PART", size)
            world.run(FEB)
            world.now = datetime(2026, 2, 10, tzinfo=UTC)
            for n, (account, value) in enumerate(late):
                world.use(account_id_of(account % (members + 1)), date(2026, 1, 22), value, f"late{n}")
            _seats(world, members, 9)
            world.run(MAR)
        return world

    whole, parted = billed(100), billed(0)
    # The wallet, which decides, names the last invoice in parts, also where that drew nothing.
    assert [row for row in essence(parted) if row[1] != "wallet"] == [r for r in essence(whole) if r[1] != "wallet"]
    assert wallet_from(parted.store.get(*wallet_key(PAYER))) == wallet_from(whole.store.get(*wallet_key(PAYER)))
    check_nothing_is_held(parted)


def test_all_of_a_large_invoice_is_taken_back_and_leaves_nothing() -> None:
    world = organisation(60)
    world.run(FEB)
    (body,) = [body for body in bodies(world) if body.issued_on == FEB]
    before = wallet_from(world.store.get(*wallet_key(PAYER)))
    asked = CreditRequest(PAYER, body.id, "r1", Reason.PRICE, CLERK)
    note = Corrections(world.store, world.clock, TAX).credit(asked)
    assert note.total_minor == -body.total_minor
    assert wallet_from(world.store.get(*wallet_key(PAYER))) != before, "the credit it drew is back"
    check_nothing_is_held(world)


def test_an_organisation_whose_invoices_are_looked_at_first_is_billed_in_parts_as_it_was_seen() -> None:
    world = organisation()
    item = world.store.get(PAYER, "account")
    assert item
    world.store.put_many([account_item(replace(account_from(item), terms=Terms(review=True)))])
    (aside,) = set_aside_of(world.store, world.run(FEB))
    assert aside.code == "awaiting_approval"
    desk = Approvals(world.store, world.clock)
    desk.approve(PAYER, desk.proposal(PAYER).print, CLERK)
    assert world.run(FEB).invoices == 1
    assert world.store.get(PAYER, "approval") is None
    check_nothing_is_held(world)


def test_a_thousand_charges_are_one_invoice_in_units_of_their_real_size(monkeypatch: pytest.MonkeyPatch) -> None:
    _hold(monkeypatch, unit=MOST_WRITES, part=MOST_OF_A_PART)
    world = World()
    world.found(1, started_on=JAN)
    sold = [
        subscribe(f"sub_{n:04d}", account_id=PAYER, entity_id=ENTITY.id, plan_version=VERSION, started_on=JAN)
        for n in range(500)
    ]
    world.lay(map(subscription_item, sold))
    assert world.run(JAN).invoices == 1
    (body,) = bodies(world)
    assert len(body.lines) == 1002 and len({line.subscription_id for line in body.lines}) == 501
    check_nothing_is_held(world)


def test_an_invoice_that_no_record_holds_sets_the_account_aside_with_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("saldo.invoicing.run.writes._SURELY_SHORT", 10)
    monkeypatch.setattr("saldo.invoicing.run.writes._MOST_BYTES", 1_000)
    world = organisation()
    closed = world.run(FEB)
    (aside,) = set_aside_of(world.store, closed)
    assert aside.code == "invoice_too_long" and closed.invoices == 0
    check_nothing_is_held(world)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_crash_at_any_call_is_mended_by_a_new_process(moment: str) -> None:
    plain = organisation()
    first, last = calls_of_billing(plain, FEB)
    for call in range(first, last + 1):
        world = organisation()
        world.client.calls = 0

        def fault(number: int, _: str, when: str, call: int = call) -> None:
            if (number, when) == (call, moment):
                raise Crash

        world.client.fault = fault
        with pytest.raises(Crash):
            world.run(FEB)
        world.client.fault = None
        world.run(FEB)
        assert essence(world) == essence(plain), f"crash {moment} call {call}"
        check_nothing_is_held(world)


def meddled(meddle: Meddle) -> list[World]:
    """The organisation billed for February, once for each call while something else is done in the middle of it."""
    first, last = calls_of_billing(organisation(), FEB)
    found = []
    for call in range(first, last + 2):
        world = organisation()
        world.client.calls = 0
        done: list[int] = []

        def fault(
            number: int, _: str, when: str, call: int = call, done: list[int] = done, world: World = world
        ) -> None:
            if number == call and when == "before" and not done:
                done.append(number)
                meddle(world)

        world.client.fault = fault
        world.run(FEB)
        assert done, f"nothing was done at call {call}"
        world.client.fault = None
        found.append(world)
    return found


def _seats(world: World, account: int, seats: int) -> str:
    change = Change("ch_1", ChangeKind.QUANTITY, date(2026, 1, 17), quantities={"seats": Decimal(seats)})
    try:
        Subscriptions(world.store, world.clock).change(account_id_of(account), f"sub_{account:06d}", change, CLERK)
    except Refusal as refusal:
        return refusal.code
    return ""


def test_a_change_in_the_middle_comes_before_or_after_or_is_refused_and_is_never_lost_nor_billed_twice() -> None:
    said: list[str] = []
    totals, asides = Counter[int](), Counter[str]()
    worlds = meddled(lambda world: said.append(_seats(world, 8, 9)))
    for world, code in zip(worlds, said, strict=True):
        asides[code] += 1
        if code:
            assert _seats(world, 8, 9) == "", "a minute later it is taken"
        world.run(MAR)
        check_nothing_is_held(world)
        totals[sum(body.net_minor for body in bodies(world))] += 1
    assert len(totals) == 1, totals
    assert asides.keys() == {"", "being_billed"}


def test_a_run_started_twice_bills_once_wherever_the_second_comes_between() -> None:
    def second(world: World) -> None:
        attempt = open_run(world.store, world.clock, ENTITY.id, FEB.isoformat())
        for batch in attempt.batches:
            bill_accounts(world.billing(), attempt.run_id, attempt.number, batch)

    plain = organisation()
    plain.run(FEB)
    for world in meddled(second):
        assert essence(world) == essence(plain)
        check_nothing_is_held(world)


def test_credit_granted_in_the_middle_is_on_this_invoice_or_the_next() -> None:
    def grant(world: World) -> None:
        Wallets(world.store, world.clock).grant(PAYER, PrepaidCredit("more", 900, JAN, paid=False), CLERK)

    drawn = set()
    for world in meddled(grant):
        (body,) = [body for body in bodies(world) if body.issued_on == FEB]
        drawn.add(body.total_minor - body.payable_minor)
        world.run(MAR)
        assert sum(body.total_minor - body.payable_minor for body in bodies(world)) == 1600
        check_nothing_is_held(world)
    assert drawn == {700, 1600}


def test_usage_that_comes_late_in_the_middle_is_billed_once() -> None:
    def use(world: World) -> None:
        world.now = max(world.now, datetime(2026, 2, 1, 9, tzinfo=UTC))
        world.use(account_id_of(7), date(2026, 1, 21), 50, "late")

    totals = Counter[int]()
    for world in meddled(use):
        world.run(MAR)
        check_nothing_is_held(world)
        totals[sum(body.net_minor for body in bodies(world))] += 1
    assert len(totals) == 1, totals


def test_late_usage_told_before_is_billed_in_parts_and_forgotten() -> None:
    world = organisation()
    world.run(FEB)
    world.now = datetime(2026, 2, 10, tzinfo=UTC)
    for n in range(MEMBERS + 1):
        world.use(account_id_of(n), date(2026, 1, 22), 50, f"late{n}")
    assert any(name.startswith("late#") for name in _windows(world, 7))
    assert len(_late_lines(world)) == 0
    # With an item of each the windows and subscriptions are too many for a unit.
    for n in range(MEMBERS + 1):
        item = SoldItem(f"more{n}", {"en": "More"}, Decimal(1), tax_category="digital_service")
        world.store.write_one(add_item(Unit("sell"), WaitingItem(account_id_of(n), ENTITY.id, item, MAR, "staff")))
    world.run(MAR)
    assert len(_late_lines(world)) == MEMBERS + 1
    assert not any(name.startswith("late#") or name == "agenda_pk" for name in _windows(world, 7))
    check_nothing_is_held(world)


def _windows(world: World, n: int) -> Item:
    found = world.store.get(account_id_of(n), "windows")
    assert found
    return found


def _late_lines(world: World) -> list[object]:
    return [line for body in bodies(world) for line in body.lines if line.kind.value == "late"]


def test_staff_invoice_the_payer_alone_in_the_middle_and_nothing_is_billed_twice() -> None:
    visit = SoldItem("", {"en": "Visit on site"}, Decimal(250), tax_category="digital_service")

    def ask(world: World) -> None:
        Invoices(world.billing(), world.clock).issue_now(OneOff(PAYER, "r1", (visit,), CLERK))

    totals = Counter[int]()
    for world in meddled(ask):
        ask(world)
        check_nothing_is_held(world)
        totals[sum(body.net_minor for body in bodies(world))] += 1
    assert len(totals) == 1, totals


def held(monkeypatch: pytest.MonkeyPatch) -> World:
    """An organisation whose run died with everything claimed and nothing decided."""
    world = organisation()
    world.now = datetime(2026, 2, 1, 4, tzinfo=UTC)

    def died(*_: object) -> None:
        raise Crash

    with monkeypatch.context() as context, pytest.raises(Crash):
        context.setattr(in_parts, "finish", died)
        context.setattr(in_parts, "claim_all", lambda *asked: claims.claim_all(*asked) and False)
        context.setattr(in_parts, "take_back", died)
        world.run(FEB)
    assert sum("claim" in item for item in world.store.scan()) == 3 * (MEMBERS + 1)  # subscriptions, items and windows
    return world


def test_a_straggler_claims_nothing_once_its_billing_is_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    world = held(monkeypatch)
    parts, on = _parts(world)
    in_parts.take_back(world.store, parts.claim)
    assert not claims.claim_all(world.store, parts.claim, parts.parts, *on)
    check_nothing_is_held(world)


def _parts(world: World) -> tuple[InParts, tuple[Key, Item]]:
    """What is being billed, as whoever began it knows it."""
    wallet = world.store.get(*wallet_key(PAYER))
    assert wallet
    claim = claims.Claim.from_text(wallet["being_billed"])
    known = InParts(ENTITY.id, claim, claims.kept_parts(world.store, claim), None, lambda _: Unit("never"))
    return known, (wallet_key(PAYER), {"being_billed": claim.text, "billing_is": "claiming"})


def test_a_dry_run_of_an_account_that_is_being_billed_says_so_and_leaves_it(monkeypatch: pytest.MonkeyPatch) -> None:
    world = held(monkeypatch)
    before = essence(world)
    attempt = open_run(world.store, world.clock, ENTITY.id, FEB.isoformat(), dry_run=True)
    for batch in attempt.batches:
        bill_accounts(world.billing(), attempt.run_id, attempt.number, batch)
    closed = close_run(world.store, world.clock, attempt.run_id, attempt.number)
    (aside,) = set_aside_of(world.store, closed)
    assert aside.code == "being_billed" and essence(world) == before


def test_what_was_claimed_for_a_decision_that_is_another_now_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    world = held(monkeypatch)
    Wallets(world.store, world.clock).grant(PAYER, PrepaidCredit("more", 900, JAN, paid=False), CLERK)
    world.run(FEB)
    assert sum(body.total_minor - body.payable_minor for body in bodies(world)) == 1600
    check_nothing_is_held(world)


def test_a_member_that_left_meanwhile_is_billed_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    world = held(monkeypatch)
    item = world.store.get(account_id_of(5), "account")
    assert item
    world.store.put_many([account_item(replace(account_from(item), invoiced_to=""))])
    world.store.write_one(
        Unit("leave").delete(
            (consolidated_item(account_from(item), PAYER)["pk"], consolidated_item(account_from(item), PAYER)["sk"])
        )
    )
    assert world.run(FEB).set_aside == 1  # the plan of the run that died has it still
    assert world.run(FEB).invoices == 2
    check_nothing_is_held(world)


def test_a_claim_that_nobody_would_give_back_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    world = held(monkeypatch)
    assert check_all(world.store).violations == []
    world.store.write_one(Unit("lose").update(wallet_key(PAYER), remove=("being_billed", "billing_is")))
    told = check_all(world.store).violations
    assert {violation.invariant for violation in told} == {6} and len(told) == MEMBERS + 1
