"""`saldo quote`: what would be invoiced, from a document and nothing else."""

from __future__ import annotations

import json
from typing import IO, Any

import click
from rich.console import Console

from local.cli.voice import Json, Voice, speaks_json, table
from saldo.kernel.errors import Refusal
from saldo.quotes.service import quote_document


@click.command()
@click.argument("document", type=click.File("r", encoding="utf-8"), metavar="FILE")
@speaks_json
def quote(voice: Voice, document: IO[str]) -> None:
    """Reckon the invoices that runs would issue from a JSON FILE (- for standard input); nothing is stored."""
    answer = quote_document(_parsed(document))
    voice.answer(answer, lambda console: _show(console, answer))


def _parsed(document: IO[str]) -> Any:  # parsed JSON is of any shape until it is read
    try:
        return json.load(document)
    except ValueError as error:
        raise Refusal("not_json", f"{document.name} is not JSON: {error}") from error


def _show(console: Console, answer: Json) -> None:
    for invoice in answer["invoices"]:
        _show_invoice(console, invoice)
    if not answer["invoices"]:
        console.print("Nothing to invoice.")


def _show_invoice(console: Console, invoice: Json) -> None:
    currency = invoice["currency"]
    rows = [
        (line["id"], line["name"], f"{line['from']} – {line['until']}", "\n".join(line["reasoning"]), line["amount"])
        for line in invoice["lines"]
    ]
    rows += [("", f"{t['name']} {t['percent']} %", "", f"of {t['base']}", t["tax"]) for t in invoice["taxes"]]
    rows.append(("", "Total", "", "", f"{invoice['total']} {currency}"))
    title = f"\nInvoice of {invoice['issued_on']}, due on {invoice['due_on']}"
    console.print(table("", "what", "period", "why", "amount", rows=rows, numbers=("amount",), title=title))
