"""From the lines of a CSV file to orders, or everything that is wrong with a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from saldo.kernel.errors import Problem, Problems, Refusal
from saldo.kernel.exact import ZERO
from saldo.kernel.numbers import fits, number_in
from saldo.kernel.rows import Columns, RejectedRow, Row, csv_rows
from saldo.orders.model_orders import Channel, OrderRequest, Reference, ReferenceKind, RequestedLine
from saldo.orders.rules_orders import check_request

REQUIRED = ("party", "purchase_order", "line", "quantity", "order_on")
REFERENCES = {
    "account": ReferenceKind.ACCOUNT,
    "customer": ReferenceKind.CUSTOMER,
    "duns": ReferenceKind.DUNS,
    "name": ReferenceKind.NAME,
}
_HEADER = ("currency", "cost_centre", "contract", "ship_to_country")
OPTIONAL = (*REFERENCES, "sku", "buyer_sku", "unit_price", "start_on", "changes", *_HEADER)
COLUMNS = Columns({name: name for name in (*REQUIRED, *OPTIONAL)}, REQUIRED)
MOST_ROWS = 20_000


@dataclass(frozen=True, slots=True)
class RowOrder:
    """An order of a file, and the lines it stands on."""

    request: OrderRequest
    rows: tuple[Row, ...]


def read_orders(chunks: Iterable[bytes], today: date) -> tuple[list[RowOrder], list[RejectedRow]]:
    """Every order of a file, and every line with something wrong in it.

    Lines of one party and purchase order are one order, wherever they stand. An order with a bad line is not taken:
    half
    of it would be another order. Its good lines are reported with `order_has_bad_row`. Refusal for a file that
    cannot be
    read.
    """
    requests: dict[tuple[str, str], list[tuple[Row, OrderRequest]]] = {}
    problems: dict[int, list[Problem]] = {}
    rows = {row.number: row for row in csv_rows(chunks, COLUMNS, MOST_ROWS)}
    for row in rows.values():
        found = _request_of(row)
        if isinstance(found, OrderRequest):
            requests.setdefault((found.party, found.purchase_order), []).append((row, found))
        else:
            problems[row.number] = list(found)
    spoilt = {_order_named(rows[number]) for number in problems}
    orders = []
    for identity, some in requests.items():
        order, wrong = _together(some, today)
        for number, problem in wrong:
            problems.setdefault(number, []).append(problem)
        if order is not None and not wrong and identity not in spoilt:
            orders.append(order)
        else:
            for row, _ in some:
                message = "another line of this order is wrong"
                problems.setdefault(row.number, [Problem("row", "order_has_bad_row", message)])
    return orders, [RejectedRow(n, rows[n].text, tuple(found)) for n, found in sorted(problems.items())]


def _order_named(row: Row) -> tuple[str, str]:
    return _party(row.fields), row.fields.get("purchase_order", "")


def _party(fields: Mapping[str, str]) -> str:
    return f"file:{fields['party']}" if fields.get("party") else ""


def _request_of(row: Row) -> OrderRequest | tuple[Problem, ...]:
    """An order of one line, or every problem in it by itself."""
    if row.broken is not None:
        return (row.broken,)
    fields, problems = {k: v for k, v in row.fields.items() if v}, Problems()
    for name in REQUIRED:
        if name not in fields:
            problems.add(name, "missing_value", f"{name} is required")
    if not any(name in fields for name in REFERENCES):
        problems.add("customer", "missing_value", "name the customer: account, customer, duns or name")
    quantity = _number("quantity", fields, problems)
    price = _number("unit_price", fields, problems)
    order_on, start_on = _day("order_on", fields, problems), _day("start_on", fields, problems)
    line = RequestedLine(
        fields.get("line", ""),
        fields.get("sku", ""),
        quantity or ZERO,
        price,
        start_on,
        fields.get("buyer_sku", ""),
        fields.get("changes", ""),
    )
    if problems or order_on is None:
        return problems.found
    return OrderRequest(
        party=_party(fields),
        channel=Channel.FILE,
        purchase_order=fields["purchase_order"],
        order_on=order_on,
        references=tuple(Reference(kind, fields[name]) for name, kind in REFERENCES.items() if name in fields),
        lines=(line,),
        currency=fields.get("currency", ""),
        cost_centre=fields.get("cost_centre", ""),
        contract_id=fields.get("contract", ""),
        ship_to_country=fields.get("ship_to_country", ""),
    )


def _together(
    some: Sequence[tuple[Row, OrderRequest]], today: date
) -> tuple[RowOrder | None, list[tuple[int, Problem]]]:
    """One order of its lines; what is wrong with them, by line of the file."""
    first = some[0][1]
    wrong: list[tuple[int, Problem]] = []
    for row, request in some:
        if replace(request, lines=()) != replace(first, lines=()):
            message = f"says otherwise about the order than line {some[0][0].number}"
            wrong.append((row.number, Problem("purchase_order", "differs_within_order", message)))
    whole = replace(first, lines=tuple(request.lines[0] for _, request in some))
    try:
        check_request(whole, today)
    except Refusal as refusal:
        wrong += list(_by_row(refusal.problems, some))
    return (None if wrong else RowOrder(whole, tuple(row for row, _ in some))), wrong


def _by_row(problems: Iterable[Problem], some: Sequence[tuple[Row, OrderRequest]]) -> Iterator[tuple[int, Problem]]:
    """Problems of a request where they stand in the file: `lines[2].sku` is `sku` of its third line."""
    for problem in problems:
        at, _, name = problem.field.partition("].")
        nth = int(at.removeprefix("lines[")) if name else 0
        yield some[nth][0].number, Problem(name or problem.field, problem.code, problem.message)


def _number(name: str, fields: Mapping[str, str], problems: Problems) -> Decimal | None:
    if name not in fields:
        return None
    value = number_in(fields[name])
    if value is None or not fits(value):
        problems.add(name, "invalid_number", f"{fields[name]!r} is not a number")
        return None
    return value


def _day(name: str, fields: Mapping[str, str], problems: Problems) -> date | None:
    if name not in fields:
        return None
    try:
        return date.fromisoformat(fields[name])
    except ValueError:
        problems.add(name, "invalid_date", f"{fields[name]!r} is not a date written as YYYY-MM-DD")
        return None
