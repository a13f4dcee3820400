"""`saldo tax report`: taxes by jurisdiction and period, tied to the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

import click
from rich.console import Console

from functions.portal.presenters.spreadsheets import csv_text
from local.cli.site import Sites, store_of
from local.cli.voice import Voice, speaks_json, table
from saldo.invoicing.tax_documents import booked_with_documents
from saldo.kernel.errors import Refusal
from saldo.kernel.money import Money
from saldo.storage.classified import EXPORTS
from saldo.tax.report import Basis, TaxReport, report_as_invoiced, report_as_paid

_COLUMNS = tuple(EXPORTS["tax"])


@click.group(name="tax")
def tax_group() -> None:
    """What a seller owes in tax, and to whom."""


@tax_group.command(name="report")
@click.option("--entity", "entity_id", required=True, help="The legal entity that sells.")
@click.option("--from", "from_text", required=True, metavar="DATE", help="First day of the period.")
@click.option("--until", "until_text", required=True, metavar="DATE", help="First day after the period.")
@click.option("--basis", type=click.Choice([b.value for b in Basis]), default="invoiced", help="When tax is due.")
@click.option("--csv", "as_csv", is_flag=True, help="Answer with the rows as CSV.")
@click.pass_obj
@speaks_json
def tax_report(
    sites: Sites, voice: Voice, entity_id: str, from_text: str, until_text: str, basis: str, as_csv: bool
) -> None:
    """Taxes by jurisdiction on [FROM, UNTIL). Exit status 1 when ledger and documents do not agree."""
    from_on, until_on = _day(from_text), _day(until_text)
    if until_on <= from_on:
        raise Refusal("invalid_period", "a period ends after it begins")
    report = _made(sites, entity_id, from_on, until_on, Basis(basis))
    if as_csv and not voice.as_json:
        click.echo(as_csv_text(report), nl=False)
    else:
        voice.answer(as_document(report), lambda console: _show(console, report))
    if not report.is_in_order:
        if as_csv:
            click.echo("the ledger and the documents do not agree: saldo tax report without --csv", err=True)
        raise SystemExit(1)


def _made(sites: Sites, entity_id: str, from_on: date, until_on: date, basis: Basis) -> TaxReport:
    store = store_of(sites.of(entity_id))
    if basis is Basis.PAID:
        return report_as_paid(booked_with_documents(store, entity_id, None, until_on), from_on, until_on)
    return report_as_invoiced(booked_with_documents(store, entity_id, from_on, until_on), from_on, until_on)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Refusal("invalid_date", f"{text!r} is not a date written as YYYY-MM-DD") from error


def as_document(report: TaxReport) -> dict[str, Any]:
    """The report as JSON values; amounts in minor units."""
    return {
        "from": report.from_on,
        "until": report.until_on,
        "basis": report.basis,
        "is_in_order": report.is_in_order,
        "rows": [asdict(row) for row in report.rows],
        "adjustments": [asdict(one) for one in report.adjustments],
        "sales_list": [asdict(row) for row in report.sales_list],
        "ledger": _listed(report.ledger),
        "not_yet_due": _listed(report.not_yet_due),
        "estimated_minor": dict(report.estimated_minor),
        "difference": _listed(report.difference_minor),
        "differences": [asdict(one) for one in report.differences],
        "in_own_currency": _listed(report.in_own_currency),
    }


def _listed(sums: Mapping[tuple[str, str], int]) -> list[dict[str, Any]]:
    return [{"currency": c, "jurisdiction": j, "tax_minor": minor} for (c, j), minor in sums.items()]


def as_csv_text(report: TaxReport) -> str:
    """The rows, one a line, in major units."""
    return csv_text([_COLUMNS, *_cells(report)])


def _cells(report: TaxReport) -> list[tuple[str, ...]]:
    return [
        (
            row.currency,
            row.jurisdiction,
            row.name,
            row.treatment if row.collection == "charged" else f"{row.treatment}, {row.collection}",
            row.percent,
            row.reason,
            _major(row.base_minor, row.currency),
            _major(row.tax_minor, row.currency),
            str(row.documents),
        )
        for row in report.rows
    ]


def _major(minor: int, currency: str) -> str:
    return str(Money(minor, currency).as_decimal())


def _show(console: Console, report: TaxReport) -> None:
    due = "invoiced" if report.basis is Basis.INVOICED else "paid"
    title = f"Tax on what was {due} from {report.from_on} and before {report.until_on}"
    console.print(table(*_COLUMNS, rows=_cells(report), numbers=("percent", "base", "tax", "documents"), title=title))
    _show_adjustments(console, report)
    if report.sales_list:
        rows = [(r.currency, r.country, r.account_id, _major(r.base_minor, r.currency)) for r in report.sales_list]
        title = "\nBuyers who account for tax themselves (sales list)"
        console.print(table("currency", "country", "account", "base", rows=rows, numbers=("base",), title=title))
    for currency, minor in report.estimated_minor.items():
        console.print(f"Of this {_major(minor, currency)} {currency} is estimated and not trued up yet.")
    _show_tie(console, report)
    if report.in_own_currency.keys() != report.ledger.keys() and report.in_own_currency:
        own = [(c, j, _major(minor, c)) for (c, j), minor in report.in_own_currency.items()]
        title = "\nIn the seller's own currency"
        console.print(table("currency", "jurisdiction", "tax", rows=own, numbers=("tax",), title=title))


def _show_adjustments(console: Console, report: TaxReport) -> None:
    if report.adjustments:
        rows = [(a.currency, a.jurisdiction, a.kind, _major(a.tax_minor, a.currency)) for a in report.adjustments]
        title = "\nMoved in the ledger without a document"
        console.print(table("currency", "jurisdiction", "by", "tax", rows=rows, numbers=("tax",), title=title))


def _show_tie(console: Console, report: TaxReport) -> None:
    rows = [
        (
            c,
            j,
            _major(minor, c),
            _major(report.not_yet_due.get((c, j), 0), c),
            _major(report.difference_minor.get((c, j), 0), c),
        )
        for (c, j), minor in report.ledger.items()
    ]
    columns = ("currency", "jurisdiction", "ledger", "not yet due", "difference")
    console.print(table(*columns, rows=rows, numbers=columns[2:], title="\nTax payable in the ledger"))
    for one in report.differences:
        there = "no document" if one.document_minor is None else _major(one.document_minor, one.currency)
        booked = _major(one.ledger_minor, one.currency)
        console.print(f"[bold red]✗[/] {one.entry_id} {one.jurisdiction}: booked {booked}, {there} on the document")
    if report.is_in_order:
        console.print("[green]✓[/] The report makes up the ledger.")
