"""A frozen invoice as JSON and as the compressed bytes that are stored.

The form is versioned: a reader of a later Saldo still reads what an earlier one froze. Decimals are text,
so no digit is lost; the order of keys is fixed, so equal invoices are equal bytes.
"""

from __future__ import annotations

import json
import zlib
from datetime import date
from decimal import Decimal
from typing import Any  # parsed JSON is of any shape until it is read

from saldo.catalog.model import Timing
from saldo.invoicing.codec_later import later_from, later_to, line_later_from, line_later_to
from saldo.invoicing.model import InvoiceBody, Line
from saldo.kernel.errors import Refusal
from saldo.kernel.exact import ZERO, plain
from saldo.kernel.periods import Period
from saldo.kernel.rounding import Rounding
from saldo.rating.model import Share, Step
from saldo.tax.codec import basis_from, basis_to
from saldo.tax.model import Collection, TaxBasis, TaxRounding, TaxShare, TaxTotal, TaxTreatment

VERSION = 1


def body_to_bytes(body: InvoiceBody) -> bytes:
    """Compressed canonical JSON; the same invoice always gives the same bytes."""
    return zlib.compress(body_to_text(body).encode(), 6)


def body_to_text(body: InvoiceBody) -> str:
    """Canonical JSON; the same invoice always gives the same text."""
    return json.dumps(body_to_json(body), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def body_from_bytes(stored: bytes) -> InvoiceBody:
    """The invoice that was frozen; Refusal `unreadable_invoice` for bytes that are none of ours."""
    try:
        document = json.loads(zlib.decompress(bytes(stored)))
    except (zlib.error, ValueError) as error:
        raise Refusal("unreadable_invoice", f"a stored invoice cannot be read: {error}") from error
    return body_from_json(document)


def body_to_json(body: InvoiceBody) -> dict[str, Any]:
    """Plain JSON values. Lines, steps and taxes keep their order; amounts are minor units unless text."""
    return {
        "v": VERSION,
        "id": body.id,
        "account": body.account_id,
        "organisation": body.organisation_id,
        "entity": body.entity_id,
        "currency": body.currency,
        "issued_on": body.issued_on.isoformat(),
        "due_on": body.due_on.isoformat(),
        "language": body.language,
        "buyer_profile": body.buyer_profile,
        "charges": list(body.charges),
        "lines": [_line_to(line) for line in body.lines],
        "tax_totals": [_total_to(total) for total in body.tax_totals],
        "tax_source": body.tax_source,
        "tax_estimated": body.tax_estimated,
        "tax_rounding": body.tax_rounding.value,
        "net_minor": body.net_minor,
        "tax_minor": body.tax_minor,
        "total_minor": body.total_minor,
        **later_to(body),
    }


def body_from_json(document: dict[str, Any]) -> InvoiceBody:
    """The reverse; Refusal `unreadable_invoice` for another version."""
    if document.get("v") != VERSION:
        raise Refusal("unreadable_invoice", f"an invoice of form {document.get('v')!r}, not {VERSION}")
    return InvoiceBody(
        id=document["id"],
        account_id=document["account"],
        organisation_id=document["organisation"],
        entity_id=document["entity"],
        currency=document["currency"],
        issued_on=date.fromisoformat(document["issued_on"]),
        due_on=date.fromisoformat(document["due_on"]),
        language=document["language"],
        buyer_profile=document["buyer_profile"],
        charges=tuple(document["charges"]),
        lines=tuple(_line_from(line) for line in document["lines"]),
        tax_totals=tuple(_total_from(total) for total in document["tax_totals"]),
        tax_source=document["tax_source"],
        tax_estimated=document["tax_estimated"],
        tax_rounding=TaxRounding(document["tax_rounding"]),
        net_minor=document["net_minor"],
        tax_minor=document["tax_minor"],
        total_minor=document["total_minor"],
        **later_from(document),
    )


def _line_to(line: Line) -> dict[str, Any]:
    return {
        "id": line.id,
        "subscription": line.subscription_id,
        "plan_version": line.plan_version_id,
        "component": line.component_id,
        "timing": line.timing.value,
        "period": line.period.as_text(),
        "names": line.names,
        "unit_names": line.unit_names,
        "quantity": plain(line.quantity),
        "exact": plain(line.exact),
        "share": [line.share.days, line.share.of, *([line.share.unit] if line.share.unit else [])],
        "rounding": line.rounding.value,
        "net_minor": line.net_minor,
        "steps": [_step_to(step) for step in line.steps],
        "tax_category": line.tax_category,
        "revenue_tag": line.revenue_tag,
        "taxes": [_share_to(share) for share in line.taxes],
        **line_later_to(line),
    }


def _line_from(line: dict[str, Any]) -> Line:
    return Line(
        line["id"],
        line["subscription"],
        line["plan_version"],
        line["component"],
        Timing(line["timing"]),
        Period.from_text(line["period"]),
        line["names"],
        line["unit_names"],
        Decimal(line["quantity"]),
        Decimal(line["exact"]),
        Share(*line["share"]),
        Rounding(line["rounding"]),
        line["net_minor"],
        tuple(_step_from(step) for step in line["steps"]),
        line["tax_category"],
        line["revenue_tag"],
        tuple(_share_from(share) for share in line["taxes"]),
        **line_later_from(line),
    )


def _step_to(step: Step) -> list[Any]:
    numbers = [plain(n) for n in (step.units, step.price, step.amount, step.flat)]
    return [step.rule, *numbers, *(None if n is None else plain(n) for n in (step.above, step.up_to))]


def _step_from(row: list[Any]) -> Step:
    units, price, amount, flat = map(Decimal, row[1:5])
    above, up_to = (None if n is None else Decimal(n) for n in row[5:7])
    return Step(row[0], units, price, amount, flat, above, up_to)


def _share_to(share: TaxShare) -> list[Any]:
    return [share.jurisdiction, share.name, share.treatment.value, plain(share.percent), share.reason, *_kind_to(share)]


def _kind_to(share: TaxShare) -> list[Any]:
    """Nothing for a plain percentage on top, so that the form of old stays."""
    if share.is_percentage and share.collection is Collection.CHARGED:
        return []
    basis = [] if share.basis is None else [basis_to(share.basis)]
    return [[share.compound, plain(share.levy_minor), share.collection.value, *basis]]


def _kind_from(kind: list[Any]) -> tuple[bool, Decimal, Collection, TaxBasis | None]:
    basis = basis_from(kind[3]) if len(kind) > 3 else None
    return bool(kind[0]), Decimal(kind[1]), Collection(kind[2]), basis


def _share_from(row: list[Any]) -> TaxShare:
    kind = _kind_from(row[5]) if len(row) > 5 else ()
    return TaxShare(row[0], row[1], TaxTreatment(row[2]), Decimal(row[3]), row[4], *kind)


def _total_to(total: TaxTotal) -> list[Any]:
    kind, amounts = _share_to(total.share), [total.base_minor, total.tax_minor]
    later = [total.included, *kind[5:]] if total.included or kind[5:] else []
    return [*kind[:5], *amounts, *later]


def _total_from(row: list[Any]) -> TaxTotal:
    included = len(row) > 7 and bool(row[7])
    compound, levy, collection, basis = _kind_from(row[8]) if len(row) > 8 else (False, ZERO, Collection.CHARGED, None)
    treatment, percent = TaxTreatment(row[2]), Decimal(row[3])
    amounts = row[5], row[6], row[4]
    return TaxTotal(row[0], row[1], treatment, percent, *amounts, compound, levy, collection, included, basis)
