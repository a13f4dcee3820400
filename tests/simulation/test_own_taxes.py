"""What a seller says of taxes itself is what its customers are billed, in runs, previews and corrections; what is
issued stays as it is, and the tax report makes up the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from local.tax_services.faults import Fault
from saldo.accounts.model import Exemption
from saldo.accounts.records import account_from, account_item, entity_item
from saldo.audit.records import PREFIX as AUDIT
from saldo.audit.records import audit_record
from saldo.invoicing.forecast import Forecasts
from saldo.invoicing.model import InvoiceBody
from saldo.invoicing.rules_corrections import Reason
from saldo.kernel.errors import NotFound, Refusal
from saldo.tax.own_rates import SellerTaxes
from tests.contexts.tax.scenes import running
from tests.simulation.test_corrections import CLERK, JAN, Desk
from tests.simulation.test_tax_report import invoiced, taxes
from tests.simulation.test_true_up import TaxedWorld
from tests.simulation.world import ENTITY, World

FEB, MAR = date(2026, 2, 1), date(2026, 3, 1)
SOLD = {"categories": ["digital_service"]}
SPLIT = {"rates": [SOLD | {"percent": "25"}, SOLD | {"name": "Retained", "percent": "4", "collection": "withheld"}]}


def put(world: World, *rows: dict[str, Any], reason: str = "as the law has it") -> int:
    return SellerTaxes(world.store, world.clock).put(ENTITY.id, {"rates": list(rows)}, CLERK, reason).version


def bodies(desk: Desk, on: date) -> list[InvoiceBody]:
    return [body for header in desk.headers() for body in [desk.body(header.invoice_id)] if body.issued_on == on]


def percents(body: InvoiceBody) -> list[tuple[str, str, int]]:
    return [(total.name, f"{total.percent.normalize():f}", total.tax_minor) for total in body.tax_totals]


@pytest.fixture
def desk() -> Desk:
    """A customer who was invoiced 56.50 and 19 % in January."""
    return Desk()


def test_a_run_bills_by_own_rates_and_the_invoice_says_by_which_version(desk: Desk) -> None:
    put(desk.world, SOLD | {"percent": "21"})
    put(desk.world, *SPLIT["rates"])
    desk.world.run(FEB)
    (body,) = bodies(desk, FEB)
    assert percents(body) == [("VAT", "25", 1413), ("Retained", "4", 226)]
    assert body.tax_source == "table 2026-01, own 2"
    assert body.total_minor - body.payable_minor == 226
    desk.check()


def test_own_rates_hold_from_their_day_on_whenever_they_are_put_on_record(desk: Desk) -> None:
    put(desk.world, SOLD | {"percent": "25", "from_on": "2026-03-01"})
    for day in (FEB, MAR):
        desk.world.run(day)
    charged = [[percent for _, percent, tax in percents(bodies(desk, day)[0]) if tax] for day in (FEB, MAR)]
    assert charged == [["19"], ["25"]]


def test_the_next_invoice_is_foreseen_with_the_taxes_that_its_run_then_bills(desk: Desk) -> None:
    put(desk.world, *SPLIT["rates"])
    foreseen = Forecasts(desk.world.billing(), desk.world.clock).next_invoice(desk.account)
    desk.world.run(FEB)
    (expected,), (body,) = foreseen.so_far.bodies, bodies(desk, FEB)
    assert (expected.tax_totals, expected.total_minor) == (body.tax_totals, body.total_minor)


def test_an_issued_invoice_stays_as_it_is_and_its_credit_note_bears_the_taxes_of_then(desk: Desk) -> None:
    before = desk.body(desk.invoice.invoice_id)
    put(desk.world, *SPLIT["rates"])
    assert desk.body(desk.invoice.invoice_id) == before
    note = desk.corrections.credit(desk.asked(net_minor=1000))
    assert percents(desk.body(note.invoice_id)) == [("VAT", "19", -190)]
    desk.check()


def test_what_is_billed_again_bears_the_taxes_that_are_now_on_record_for_its_day(desk: Desk) -> None:
    put(desk.world, SOLD | {"percent": "25", "from_on": "2026-01-01"})
    note, new = desk.corrections.rebill(replace(desk.asked(), reason=Reason.TAX, amounts={}))
    assert percents(desk.body(note.invoice_id)) == [("VAT", "19", -1074)]
    assert percents(desk.body(new.invoice_id)) == [("VAT", "25", 1413)]
    desk.check()


def test_a_customer_whose_currency_the_amounts_are_not_of_is_set_aside_and_stays_due(desk: Desk) -> None:
    world = desk.world
    SellerTaxes(world.store, world.clock).put(
        ENTITY.id, {"currency": "USD", "rates": [SOLD | {"percent": "25", "per_unit": "0.10"}]}, CLERK, "a levy"
    )
    assert world.run(FEB).invoices == 0
    put(world, SOLD | {"percent": "25", "per_unit": "0.10"})
    world.run(FEB)
    assert percents(bodies(desk, FEB)[0])[0][0] == "VAT"


def test_the_tax_report_of_own_taxes_makes_up_the_ledger(desk: Desk) -> None:
    put(desk.world, *SPLIT["rates"], SOLD | {"name": "Shown", "percent": "10", "collection": "split"})
    desk.world.run(FEB)
    desk.world.now = datetime(2026, 2, 10, tzinfo=UTC)
    (body,) = bodies(desk, FEB)
    desk.corrections.credit(replace(desk.asked("r2", net_minor=1000), invoice_id=body.id))
    report = invoiced(desk.world, FEB, MAR)
    assert report.is_in_order
    assert ("DE", "25", 4650, 1163) in taxes(report)
    desk.check()


@pytest.fixture
def in_new_york() -> Iterator[TaxedWorld]:
    with running("avalara") as tax:
        world = TaxedWorld()
        world.tax = tax
        world.settle(1)
        yield world


NEW_YORK = {"country": "US", "region": "NY", "categories": ["digital_service"]}
AT_HOME = [NEW_YORK | {"name": "Sales tax", "percent": "4"}, NEW_YORK | {"name": "City", "percent": "4.5"}]


def test_own_rates_stand_in_for_a_tax_service_that_does_not_answer(in_new_york: TaxedWorld) -> None:
    put(in_new_york, *AT_HOME)
    in_new_york.tax.script.always = Fault.STATUS_503
    in_new_york.run(JAN)
    (header,) = in_new_york.headers("acct_eu_000000")
    body = in_new_york.body(header)
    assert body.tax_estimated
    assert [total.name for total in body.tax_totals] == ["Sales tax", "City"]
    assert body.tax_source.startswith("table 2026-01, own 1; avalara")


def test_a_tax_service_that_answers_is_believed_before_own_rates(in_new_york: TaxedWorld) -> None:
    put(in_new_york, *AT_HOME)
    in_new_york.run(JAN)
    (header,) = in_new_york.headers("acct_eu_000000")
    assert in_new_york.body(header).tax_source == "avalara"


def test_every_change_is_a_version_that_stays_with_who_made_it_when_and_why(desk: Desk) -> None:
    sellers = SellerTaxes(desk.world.store, desk.world.clock)
    assert sellers.current(ENTITY.id) is None
    put(desk.world, SOLD | {"percent": "21"}, reason="the first")
    put(desk.world, reason="back to the carried ones")
    found = sellers.versions(ENTITY.id)
    assert [(v.version, v.number_of_rates, v.by, v.reason) for v in found] == [
        (2, 0, CLERK.id, "back to the carried ones"),
        (1, 1, CLERK.id, "the first"),
    ]
    assert sellers.version(ENTITY.id, 1)[1] == [{"country": "DE", "percent": "21", **SOLD}]
    with pytest.raises(NotFound):
        sellers.version(ENTITY.id, 3)
    items = desk.world.store.query_all(ENTITY.id, prefix=AUDIT)
    acts = [record for record in map(audit_record, items) if record.action == "own_taxes.changed"]
    told = sorted((act.before["version"], act.after["version"], act.after["rates"], act.reason) for act in acts)
    assert told == [(0, 1, 1, "the first"), (1, 2, 0, "back to the carried ones")]


def test_the_same_rates_again_change_nothing_whatever_the_order_of_their_fields(desk: Desk) -> None:
    put(desk.world, {"percent": "21", **SOLD})
    again = SellerTaxes(desk.world.store, desk.world.clock).put(
        ENTITY.id, {"rates": [{"country": "DE", **SOLD, "percent": "21"}]}, CLERK, ""
    )
    assert (again.version, again.changed) == (1, False)


def test_a_look_at_what_would_change_changes_nothing_and_needs_no_reason(desk: Desk) -> None:
    sellers = SellerTaxes(desk.world.store, desk.world.clock)
    document = {"rates": [{"country": "CH", "percent": "8.1"}, {"percent": "25"}, {"country": "FR", "percent": "21"}]}
    looked = sellers.put(ENTITY.id, document, CLERK, "", dry_run=True)
    assert (looked.version, looked.changed, looked.not_charged) == (0, True, ("CH",))
    assert sellers.current(ENTITY.id) is None
    with pytest.raises(Refusal, match="reason_required"):
        sellers.put(ENTITY.id, document, CLERK, " ")


def test_every_fault_is_named_at_once_with_its_field(desk: Desk) -> None:
    document = {
        "currency": "euro",
        "rounding": "line",
        "rates": [{"percent": "many"}, {"country": "Germany", "percent": "1"}, {"name": "x", "colour": "red"}],
    }
    with pytest.raises(Refusal) as refused:
        SellerTaxes(desk.world.store, desk.world.clock).put(ENTITY.id, document, CLERK, "why")
    assert {(p.field, p.code) for p in refused.value.problems} == {
        ("currency", "invalid_currency"),
        ("rounding", "chosen_elsewhere"),
        ("rates[0].percent", "not_a_number"),
        ("rates[1].country", "invalid_country"),
        ("rates[2].percent", "missing"),
        ("rates[2].colour", "unknown_field"),
    }
    for nothing in ({}, {"rates": None}, [], {"rates": {}}):
        with pytest.raises(Refusal, match="invalid_input"):
            SellerTaxes(desk.world.store, desk.world.clock).put(ENTITY.id, nothing, CLERK, "why")


def test_of_two_people_who_change_them_at_once_one_is_told(desk: Desk) -> None:
    sellers = SellerTaxes(desk.world.store, desk.world.clock)
    write, raced = desk.world.store.write_one, []

    def meanwhile(unit: Any) -> Any:
        if not raced:
            raced.append(unit)
            SellerTaxes(desk.world.store, desk.world.clock).put(
                ENTITY.id, {"rates": [SOLD | {"percent": "30"}]}, CLERK, "the other"
            )
        return write(unit)

    desk.world.store.write_one = meanwhile  # type: ignore[method-assign]
    with pytest.raises(Refusal, match="changed_meanwhile"):
        sellers.put(ENTITY.id, {"rates": [SOLD | {"percent": "31"}]}, CLERK, "one")
    desk.world.store.write_one = write  # type: ignore[method-assign]
    assert [v.reason for v in sellers.versions(ENTITY.id)] == ["the other"]


def test_a_rate_keeps_the_country_in_which_its_seller_sat(desk: Desk) -> None:
    put(desk.world, SOLD | {"percent": "25", "country": None})
    moved = replace(ENTITY, country="FR", tax_registrations=ENTITY.tax_registrations)
    desk.world.store.put_many([entity_item(moved)])
    account = account_from(desk.world.store.get(desk.account, "account") or {})
    desk.world.store.put_many([account_item(replace(account, has_tax_id=False))])
    desk.world.run(FEB)
    assert percents(bodies(desk, FEB)[0]) == [("VAT", "25", 1413)]


def test_numbers_without_quotes_are_kept_digit_by_digit(desk: Desk) -> None:
    put(desk.world, SOLD | {"percent": Decimal("1.9975E+1")}, SOLD | {"name": "Levy", "per_unit": Decimal("1e-2")})
    desk.world.run(FEB)
    assert [told[:2] for told in percents(bodies(desk, FEB)[0])] == [("VAT", "19.975"), ("Levy", "0")]


def test_a_certificate_takes_only_the_taxes_of_its_jurisdiction_off(desk: Desk) -> None:
    world = desk.world
    item = world.store.get(desk.account, "account")
    assert item is not None
    certificate = Exemption("cert_1", frozenset({"DE-BY"}), frozenset(), date(2026, 1, 1), date(2027, 1, 1))
    account = replace(account_from(item), tax_region="BY", exemptions=(certificate,))
    world.store.put_many([account_item(account)])
    put(world, SOLD | {"percent": "25"}, SOLD | {"region": "BY", "name": "Land", "percent": "3"})
    registered = replace(ENTITY, tax_registrations=ENTITY.tax_registrations | {"DE-BY": "1"})
    world.store.put_many([entity_item(registered)])
    world.run(FEB)
    assert percents(bodies(desk, FEB)[0]) == [("VAT", "25", 1413), ("Land", "0", 0)]
