"""Writes X12 850 interchanges for tests; written apart from the reader, so that both must agree with the standard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from saldo.orders.model_orders import OrderRequest, ReferenceKind

_QUALIFIERS = {ReferenceKind.DUNS: "1", ReferenceKind.CUSTOMER: "92"}


@dataclass(frozen=True)
class Marks:
    """The delimiters of one interchange."""

    element: str = "*"
    component: str = ">"
    terminator: str = "~"
    line_end: str = "\n"


def purchase_order(asked: OrderRequest, control: str = "0001", *, totals: bool = True) -> list[list[str]]:
    """The segments of one 850, ST to SE."""
    body = [["BEG", "00", "SA", asked.purchase_order, "", f"{asked.order_on:%Y%m%d}"]]
    if asked.currency:
        body.append(["CUR", "BY", asked.currency])
    for kind, value in (("CT", asked.contract_id), ("CC", asked.cost_centre)):
        if value:
            body.append(["REF", kind, value])
    for reference in asked.references:
        named = reference.kind is ReferenceKind.NAME
        who = ["N1", "BY", reference.value] if named else ["N1", "BY", "", _QUALIFIERS[reference.kind], reference.value]
        body.append(who)
    if asked.ship_to_country:
        body += [["N1", "ST", "Warehouse"], ["N4", "Town", "", "12345", asked.ship_to_country]]
    for line in asked.lines:
        price = "" if line.unit_price is None else format(line.unit_price, "f")
        segment = ["PO1", line.number, format(line.quantity, "f"), "EA", price, ""]
        segment += ["VP", line.sku] if line.sku else []
        segment += ["BP", line.buyer_sku] if line.buyer_sku else []
        body.append(segment)
        body.append(["PID", "F", "", "", "", "Something"])
        if line.start_on:
            body.append(["DTM", "002", f"{line.start_on:%Y%m%d}"])
    if totals:
        body.append(["CTT", str(len(asked.lines)), format(sum(x.quantity for x in asked.lines), "f")])
    return [["ST", "850", control], *body, ["SE", str(len(body) + 2), control]]


def interchange(
    *sets: Sequence[Sequence[str]],
    marks: Marks | None = None,
    sender: str = "BUYER01",
    control: str = "000000042",
    usage: str = "P",
) -> str:
    """ISA to IEA around one group of sets."""
    m = marks or Marks()
    isa = ["ISA", "00", " " * 10, "00", " " * 10, "ZZ", sender.ljust(15), "ZZ", "SELLER".ljust(15)]
    isa += ["261101", "0900", "U", "00401", control, "0", usage, m.component]
    group = [["GS", "PO", sender, "SELLER", "20261101", "0900", "7", "X", "004010"]]
    group += [list(segment) for one in sets for segment in one]
    group += [["GE", str(len(sets)), "7"], ["IEA", "1", control]]
    return "".join(m.element.join(segment) + m.terminator + m.line_end for segment in (isa, *group))
