"""How invoices with estimated tax wait for the tax service's word.

`<account>` / `estimated#<invoice id>`: inserted in the unit that issues the invoice, kept for ever with its outcome.
While it waits it is on the agenda `estimated#<entity>` under the day of issue.
"""

from __future__ import annotations

from collections.abc import Iterable

from saldo.invoicing.model import InvoiceBody
from saldo.invoicing.rules_true_up import TrueUp
from saldo.invoicing.status import DocumentKind
from saldo.kernel.exact import plain
from saldo.storage.items import Item, Key
from saldo.storage.units import Unit
from saldo.tax.model import TaxTotal

WAITING = "waiting"
PREFIX = "estimated#"


def true_up_key(account_id: str, invoice_id: str) -> Key:
    return account_id, f"{PREFIX}{invoice_id}"


def estimated_agenda(entity_id: str) -> str:
    """The agenda partition of a seller's invoices whose tax is an estimate, by day of issue."""
    return f"estimated#{entity_id}"


def await_true_up(unit: Unit, body: InvoiceBody) -> Unit:
    """Have an invoice that is issued in this unit asked about again, if its tax was estimated."""
    if not body.tax_estimated or body.kind is not DocumentKind.INVOICE:
        return unit
    pk, sk = true_up_key(body.account_id, body.id)
    return unit.insert(
        {
            "pk": pk,
            "sk": sk,
            "kind": "estimated",
            "account_id": body.account_id,
            "invoice_id": body.id,
            "status": WAITING,
            "agenda_pk": estimated_agenda(body.entity_id),
            "agenda_on": body.issued_on.isoformat(),
        }
    )


def settle_true_up(unit: Unit, body: InvoiceBody, found: TrueUp, documents: Iterable[str] = ()) -> Unit:
    """Note what became of it; the unit holds only while it waits, so that it becomes one thing."""
    return unit.update(
        true_up_key(body.account_id, body.id),
        set={
            "status": found.outcome.value,
            "difference_minor": found.difference_minor,
            "source": found.source,
            "documents": list(documents),
            "differences": [_difference_to(total) for total in found.differences],
        },
        remove=("agenda_pk", "agenda_on"),
        when={"status": WAITING},
    )


def _difference_to(total: TaxTotal) -> Item:
    return {
        "jurisdiction": total.jurisdiction,
        "name": total.name,
        "treatment": total.treatment.value,
        "percent": plain(total.percent),
        "reason": total.reason,
        "base_minor": total.base_minor,
        "tax_minor": total.tax_minor,
    }
