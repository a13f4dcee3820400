"""The tax report of invoices, credit notes, part payments and true-ups makes up the ledger, and hides nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from click.testing import CliRunner

from local.cli.__main__ import saldo
from local.cli.site import Sites
from local.tax_services.rating import NEW_YORK_CITY
from saldo.accounts.records import account_from, account_item
from saldo.invoicing.codec import body_to_bytes
from saldo.invoicing.records import body_item, body_key
from saldo.invoicing.tax_documents import booked_with_documents
from saldo.storage.units import Unit
from saldo.tax.report import Basis, TaxReport, report_as_invoiced, report_as_paid
from tests.contexts.tax.scenes import running
from tests.simulation.test_corrections import Desk
from tests.simulation.test_true_up import TaxedWorld, estimated
from tests.simulation.world import ENTITY, World

JAN, FEB, MAR = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)


def invoiced(world: World, from_on: date, until_on: date) -> TaxReport:
    return report_as_invoiced(booked_with_documents(world.store, ENTITY.id, from_on, until_on), from_on, until_on)


def paid(world: World, from_on: date, until_on: date) -> TaxReport:
    return report_as_paid(booked_with_documents(world.store, ENTITY.id, None, until_on), from_on, until_on)


def taxes(report: TaxReport) -> list[tuple[str, str, int, int]]:
    return [(row.jurisdiction, row.percent, row.base_minor, row.tax_minor) for row in report.rows]


@dataclass
class Here:
    """One region of nothing but records."""

    world: World
    region_code: str = "eu"
    aws_url: str = ""
    imports_bucket: str = ""
    audit_bucket: str = "audit"
    state_machine_arn: str = ""
    table: str = "records"

    @property
    def functions(self) -> dict[str, str]:
        return {}

    def client(self, service: str) -> Any:
        assert service == "dynamodb"
        return self.world.client


def asked(world: World, *more: str) -> Any:
    period = ["--from", "2026-01-01", "--until", "2026-02-01"]
    sites = Sites(lambda _: Here(world))
    return CliRunner().invoke(saldo, ["tax", "report", "--entity", ENTITY.id, *period, *more], obj=sites)


@pytest.fixture
def desk() -> Desk:
    """Three customers in Germany with an invoice each."""
    return Desk(3)


def test_taxes_are_reported_by_jurisdiction_and_tie_to_the_ledger(desk: Desk) -> None:
    report = invoiced(desk.world, JAN, FEB)
    assert report.is_in_order
    net = sum(5650 + 750 * i for i in range(3))
    tax = sum((5650 + 750 * i) * 19 // 100 + ((5650 + 750 * i) * 19 % 100 >= 50) for i in range(3))
    assert taxes(report) == [("DE", "19", net, tax)]
    assert report.ledger == {("EUR", "DE"): tax}
    assert report.rows[0].documents == 3


def test_a_period_has_what_was_booked_in_it(desk: Desk) -> None:
    desk.world.run(FEB)
    january, february = invoiced(desk.world, JAN, FEB), invoiced(desk.world, FEB, MAR)
    both = invoiced(desk.world, JAN, MAR)
    assert january.is_in_order and february.is_in_order and both.is_in_order
    assert january.rows[0].tax_minor + february.rows[0].tax_minor == both.rows[0].tax_minor


def test_credit_notes_take_tax_back_in_their_own_period(desk: Desk) -> None:
    desk.world.now = datetime(2026, 2, 3, 9, tzinfo=UTC)
    desk.corrections.credit(desk.asked(net_minor=1000))
    report = invoiced(desk.world, FEB, MAR)
    assert taxes(report) == [("DE", "19", -1000, -190)]
    assert report.is_in_order


def test_who_accounts_for_tax_itself_is_listed_with_its_bases() -> None:
    world = World()
    ids = world.found(2, started_on=JAN)
    item = world.store.get(ids[0], "account")
    assert item is not None
    world.store.put_many([account_item(replace(account_from(item), country="FR"))])
    world.run(JAN)
    report = invoiced(world, JAN, FEB)
    assert [(r.country, r.account_id, r.base_minor) for r in report.sales_list] == [("FR", ids[0], 5650)]
    reasons = {row.jurisdiction: (row.treatment, row.reason, row.tax_minor) for row in report.rows}
    assert reasons["FR"] == ("reverse_charge", "buyer_accounts_for_tax", 0)
    assert report.is_in_order


def test_when_tax_is_due_on_payment_parts_add_up_and_the_rest_is_not_yet_due(desk: Desk) -> None:
    desk.pay(1000)
    desk.world.now = datetime(2026, 2, 3, 9, tzinfo=UTC)
    january = paid(desk.world, JAN, FEB)
    assert january.is_in_order
    assert taxes(january) == [("DE", "19", 840, 160)]
    assert january.not_yet_due["EUR", "DE"] == january.ledger["EUR", "DE"] - 160
    desk.pay(desk.now().open_minor)
    february = paid(desk.world, FEB, MAR)
    assert february.is_in_order
    assert [(row.base_minor, row.tax_minor) for row in february.rows] == [(5650 - 840, 1074 - 160)]


def test_a_credit_note_of_what_was_paid_gives_its_tax_back(desk: Desk) -> None:
    desk.pay(desk.invoice.total_minor)
    desk.world.now = datetime(2026, 2, 3, 9, tzinfo=UTC)
    desk.corrections.credit(desk.asked(net_minor=1000))
    report = paid(desk.world, FEB, MAR)
    assert taxes(report) == [("DE", "19", -1000, -190)]
    assert report.is_in_order


def test_a_document_that_says_other_than_the_ledger_is_told_of_and_never_hidden(desk: Desk) -> None:
    body = desk.body(desk.invoice.invoice_id)
    totals = (replace(body.tax_totals[0], tax_minor=body.tax_totals[0].tax_minor - 1),)
    changed = body_item(body.account_id, body.id, body_to_bytes(replace(body, tax_totals=totals)))
    desk.world.store.put_many([changed])
    report = invoiced(desk.world, JAN, FEB)
    assert not report.is_in_order
    assert report.difference_minor == {("EUR", "DE"): 1}
    assert [(d.ledger_minor, d.document_minor) for d in report.differences] == [(1074, 1073)]
    answer = asked(desk.world)
    assert answer.exit_code == 1
    assert "10.74" in answer.output and "10.73" in answer.output


def test_an_entry_without_its_document_is_told_of(desk: Desk) -> None:
    unit = Unit("lose").delete(body_key(desk.account, desk.invoice.invoice_id))
    assert desk.world.store.write_one(unit) is None
    report = invoiced(desk.world, JAN, FEB)
    assert not report.is_in_order
    assert [(d.ledger_minor, d.document_minor) for d in report.differences] == [(1074, None)]


@pytest.fixture
def taxed() -> Iterator[TaxedWorld]:
    with running("avalara") as tax:
        world = TaxedWorld()
        world.tax = tax
        yield world


def test_estimates_are_named_and_true_ups_are_in_the_report_with_their_jurisdictions(taxed: TaxedWorld) -> None:
    estimated(taxed, 2)
    before = invoiced(taxed, JAN, FEB)
    assert before.estimated_minor == {"EUR": 226 + 256}
    assert before.is_in_order
    taxed.true_ups().run(ENTITY.id)
    after = invoiced(taxed, JAN, FEB)
    assert after.estimated_minor == {}
    assert after.is_in_order
    assert sorted({row.jurisdiction for row in after.rows}) == ["US-NY", "US-NY-CIT-51000", "US-NY-STJ-359071"]
    assert paid(taxed, JAN, FEB).is_in_order


def test_what_the_seller_bears_has_its_base_too(taxed: TaxedWorld) -> None:
    taxed.tax.book.rater = replace(taxed.tax.book.rater, locals=(replace(NEW_YORK_CITY[1], percent=Decimal("0.375")),))
    estimated(taxed)
    taxed.true_ups().run(ENTITY.id)
    report = invoiced(taxed, JAN, FEB)
    assert ("US-NY-STJ-359071", "0.375", 5650, 21) in taxes(report)
    assert report.is_in_order


def test_the_command_speaks_tables_json_and_csv(desk: Desk) -> None:
    shown = asked(desk.world)
    assert shown.exit_code == 0, shown.output
    assert "makes up the ledger" in shown.output
    document = json.loads(asked(desk.world, "--json").stdout)
    assert (document["is_in_order"], document["basis"], document["difference"]) == (True, Basis.INVOICED, [])
    lines = asked(desk.world, "--csv").stdout.lstrip("\ufeff").splitlines()
    assert lines[0].startswith("currency,jurisdiction,name")
    assert lines[1].startswith("EUR,DE,VAT,standard,19,,")
    assert asked(desk.world, "--basis", "paid").exit_code == 0


def test_a_period_must_be_one(desk: Desk) -> None:
    sites = Sites(lambda _: Here(desk.world))
    for from_on, until_on, code in (
        ("2026-02-01", "2026-01-01", "invalid_period"),
        ("x", "2026-01-01", "invalid_date"),
    ):
        arguments = ["tax", "report", "--entity", ENTITY.id, "--from", from_on, "--until", until_on, "--json"]
        answer = CliRunner().invoke(saldo, arguments, obj=sites)
        assert answer.exit_code == 2
        assert json.loads(answer.stdout)["error"]["code"] == code
