"""`saldo quote`: what would be invoiced, from a document and nothing else."""

from __future__ import annotations

from typing import IO

import click
from rich.console import Console

from local.cli.voice import Json, Voice, speaks_json, table
from saldo.quotes.service import quote_text


@click.command()
@click.argument("document", type=click.File("rb"), metavar="FILE")
@speaks_json
def quote(voice: Voice, document: IO[bytes]) -> None:
    """Reckon the invoices that runs would issue from a JSON FILE (- for standard input); nothing is stored."""
    answer = quote_text(document.read())
    voice.answer(answer, lambda console: _show(console, answer))


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
    rows += [
        ("", f"from {c['source'].replace('_', ' ')} {c['id']}", "", "", f"-{c['amount']}") for c in invoice["credits"]
    ]
    if invoice["payable"] != invoice["total"]:
        rows.append(("", "To pay", "", "", f"{invoice['payable']} {currency}"))
    kind = "Credit note" if invoice["kind"] == "credit_note" else "Invoice"
    title = f"\n{kind} of {invoice['issued_on']}, due on {invoice['due_on']}"
    console.print(table("", "what", "period", "why", "amount", rows=rows, numbers=("amount",), title=title))
