"""X12 850, purchase order (releases 004010 to 005010): from a transaction set to an order, or everything wrong with it.

Read: BEG, CUR, REF (CT contract, CC/DP cost centre, CO/IA customer number), DTM (002 delivery, 196 start), N1/N4 loops
(BT bill-to, else BY buyer, name the customer; ST ship-to), PO1 with its DTM, CTT. Other segments of the standard are
passed over; names and addresses are not kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from saldo.kernel.exact import ZERO, plus
from saldo.kernel.numbers import fits, number_in
from saldo.orders.model_orders import Channel, OrderRequest, Reference, ReferenceKind, RequestedLine
from saldo.orders.x12 import Fault, Interchange, Segment, TransactionSet

_NEW_ORDERS = ("00", "06", "07")  # original, confirmation, duplicate: changes come as 860
_OUR_PART = ("VP", "VN", "VC", "SK", "MG", "PL", "SV")
_THEIR_PART = ("BP", "IN", "PI", "CB")
_DUNS = ("1", "9")
_ASSIGNED = ("91", "92", "ZZ")
_PASSED_OVER = """
    PER TAX FOB CTP PAM CSH SAC ITD DIS INC LIN SI PID MEA PWK PKG TD1 TD3 TD4 TD5 MAN PCT CTB TXI LDT N9 MSG MTX N2 N3
    NX2 SPI AMT ADV G53 QTY SCH SDQ PO3 PO4 IT8 IT3 FA1 FA2 SLN CUR REF
"""
_KNOWN_ELSEWHERE = frozenset(_PASSED_OVER.split())

MISSING_ELEMENT, TOO_SHORT, TOO_LONG, BAD_CHARACTER, BAD_CODE, BAD_DATE = "1", "4", "5", "6", "7", "8"
MISSING_SEGMENT, UNKNOWN_SEGMENT, OUT_OF_ORDER = "3", "1", "7"


@dataclass(slots=True)
class _Line:
    """One PO1 as it is being read."""

    segment: Segment
    start_on: date | None = None


@dataclass(slots=True)
class _Reading:
    """One set as it is being read: what its header says, its lines, and all that is wrong."""

    faults: list[Fault]
    beg: Segment | None = None
    currency: str = ""
    start_on: date | None = None
    values: dict[str, str] = field(default_factory=dict)
    references: list[Reference] = field(default_factory=list)
    bill_to: list[Reference] = field(default_factory=list)
    ship_to: str = ""
    loop: str = ""
    lines: list[_Line] = field(default_factory=list)
    ctt: Segment | None = None

    def fault(self, segment: Segment, element: int, code: str, message: str) -> None:
        level = "element" if element else "segment"
        self.faults.append(Fault(segment.id, segment.position, element, code, message, level))


def order_from(interchange: Interchange, one: TransactionSet) -> OrderRequest | tuple[Fault, ...]:
    """The order of a set, or every fault in it, those of its envelope first."""
    reading = _Reading(list(one.faults))
    if one.id != "850":
        reading.faults.append(Fault("ST", 1, 1, "1", f"{one.id} is no purchase order (850)", "set"))
        return tuple(reading.faults)
    for segment in one.segments:
        _read(reading, segment)
    end = Segment(len(one.segments) + 2, "SE", ())
    lines = tuple(_lines(reading))
    order_on = _header(reading, end)
    _check_totals(reading, lines)
    if reading.faults or reading.beg is None or order_on is None:
        return tuple(reading.faults)
    return OrderRequest(
        party="edi:" + "/".join(interchange.sender),
        channel=Channel.EDI,
        purchase_order=reading.beg.get(3),
        order_on=order_on,
        references=tuple(dict.fromkeys(reading.bill_to or reading.references)),
        lines=lines,
        currency=reading.currency,
        cost_centre=reading.values.get("cost_centre", ""),
        contract_id=reading.values.get("contract_id", reading.beg.get(6)),
        ship_to_country=reading.ship_to,
    )


def _read(reading: _Reading, segment: Segment) -> None:
    if segment.id == "BEG":
        if reading.beg is not None:
            reading.fault(segment, 0, "5", "is there more than once")
        reading.beg = segment
    elif segment.id == "CTT":
        reading.ctt = segment
    elif segment.id == "PO1":
        reading.lines.append(_Line(segment))
    elif segment.id == "N1":
        reading.loop = segment.get(1)
        _party(reading, segment)
    elif segment.id == "N4":
        if reading.loop == "ST":
            reading.ship_to = segment.get(4)
    elif segment.id == "CUR" and not reading.lines:
        _currency(reading, segment)
    elif segment.id == "REF" and not reading.lines:
        _reference(reading, segment)
    elif segment.id == "DTM":
        _day(reading, segment)
    elif segment.id not in _KNOWN_ELSEWHERE:
        reading.fault(segment, 0, UNKNOWN_SEGMENT, "is not a segment of an 850")


def _header(reading: _Reading, end: Segment) -> date | None:
    beg = reading.beg
    if beg is None:
        reading.faults.append(Fault("BEG", 2, 0, MISSING_SEGMENT, "is missing", "segment"))
        return None
    if beg.position != 2:
        reading.fault(beg, 0, OUT_OF_ORDER, "comes right after ST")
    if beg.get(1) not in _NEW_ORDERS:
        reading.fault(
            beg, 1, BAD_CODE, f"purpose {beg.get(1)!r}: only new orders (00, 06, 07) are read, changes are not"
        )
    if not beg.get(2):
        reading.fault(beg, 2, MISSING_ELEMENT, "the kind of order is missing")
    if not beg.get(3):
        reading.fault(beg, 3, MISSING_ELEMENT, "the purchase order's number is missing")
    elif len(beg.get(3)) > 22:
        reading.fault(beg, 3, TOO_LONG, "a purchase order's number has at most 22 characters")
    if not reading.lines:
        reading.faults.append(
            Fault("PO1", end.position, 0, MISSING_SEGMENT, "an order has at least one line", "segment")
        )
    if not (reading.bill_to or reading.references):
        message = "a buyer's or bill-to's number (N103, N104) is missing, or its name"
        reading.faults.append(Fault("N1", end.position, 0, MISSING_SEGMENT, message, "segment"))
    return _date(reading, beg, 5)


def _party(reading: _Reading, segment: Segment) -> None:
    """Buyer and bill-to name the customer: by DUNS, by a number that was assigned to it, else by name."""
    kind, qualifier, number = segment.get(1), segment.get(3), segment.get(4)
    if not kind:
        reading.fault(segment, 1, MISSING_ELEMENT, "who this is, is missing")
    if bool(qualifier) != bool(number):
        missing = 4 if qualifier else 3
        reading.fault(segment, missing, MISSING_ELEMENT, "N103 and N104 come together")
    if kind not in ("BY", "BT") or (qualifier and not number):
        return
    found = reading.bill_to if kind == "BT" else reading.references
    if qualifier in _DUNS:
        found.append(Reference(ReferenceKind.DUNS, number[:9]))
    elif qualifier in _ASSIGNED:
        found.append(Reference(ReferenceKind.CUSTOMER, number))
    elif segment.get(2):
        found.append(Reference(ReferenceKind.NAME, segment.get(2)))


def _currency(reading: _Reading, segment: Segment) -> None:
    code = segment.get(2)
    if len(code) == 3 and code.isascii() and code.isalpha():
        reading.currency = code.upper()
    else:
        reading.fault(segment, 2, BAD_CODE if code else MISSING_ELEMENT, f"{code!r} is no ISO 4217 currency")


def _reference(reading: _Reading, segment: Segment) -> None:
    kind, value = segment.get(1), segment.get(2)
    if not kind:
        reading.fault(segment, 1, MISSING_ELEMENT, "what is referred to, is missing")
    elif kind == "CT":
        reading.values["contract_id"] = value
    elif kind in ("CC", "DP"):
        reading.values["cost_centre"] = value
    elif kind in ("CO", "IA", "11") and value:
        reading.references.append(Reference(ReferenceKind.CUSTOMER, value))


def _day(reading: _Reading, segment: Segment) -> None:
    if segment.get(1) not in ("002", "106", "196", "010"):
        return
    day = _date(reading, segment, 2)
    if reading.lines:
        reading.lines[-1].start_on = day
    else:
        reading.start_on = day


def _lines(reading: _Reading) -> Iterator[RequestedLine]:
    seen: set[str] = set()
    for nth, line in enumerate(reading.lines, 1):
        segment = line.segment
        number = segment.get(1) or str(nth)
        if number in seen:
            reading.fault(segment, 1, BAD_CODE, f"line {number} is there twice")
        if not all(c.isascii() and (c.isalnum() or c in "._") for c in number) or len(number) > 20:
            reading.fault(segment, 1, BAD_CHARACTER, f"{number!r} has other characters than letters and digits")
        seen.add(number)
        quantity = _amount(reading, segment, 2)
        if not segment.get(2):
            reading.fault(segment, 2, MISSING_ELEMENT, "the quantity is missing")
        elif quantity is not None and quantity <= 0:
            reading.fault(segment, 2, BAD_CODE, "the quantity is above zero")
        price = _amount(reading, segment, 4)
        if price is not None and price < 0:
            reading.fault(segment, 4, BAD_CODE, "a price is not below zero")
        parts = _parts(reading, segment)
        yield RequestedLine(
            number,
            next((parts[q] for q in _OUR_PART if q in parts), ""),
            quantity or ZERO,
            price,
            line.start_on or reading.start_on,
            next((parts[q] for q in _THEIR_PART if q in parts), ""),
        )


def _parts(reading: _Reading, segment: Segment) -> dict[str, str]:
    """Part numbers by their qualifiers, from PO106 on, in pairs."""
    found: dict[str, str] = {}
    for number in range(6, len(segment.elements) + 1, 2):
        qualifier, value = segment.get(number), segment.get(number + 1)
        if bool(qualifier) != bool(value):
            missing = number + 1 if qualifier else number
            reading.fault(segment, missing, MISSING_ELEMENT, "qualifier and part number come together")
        elif qualifier:
            found.setdefault(qualifier, value)
    if not any(q in found for q in (*_OUR_PART, *_THEIR_PART)):
        reading.fault(segment, 6, MISSING_ELEMENT, "the seller's (VP, SK, …) or buyer's (BP, …) part number is missing")
    return found


def _check_totals(reading: _Reading, lines: Sequence[RequestedLine]) -> None:
    """CTT01 counts the lines; CTT02, where it is there, sums their quantities."""
    ctt = reading.ctt
    if ctt is None:
        return
    if ctt.get(1) != str(len(lines)) and _plain_count(ctt.get(1)) != len(lines):
        reading.fault(ctt, 1, BAD_CODE, f"says {ctt.get(1)!r} lines, there are {len(lines)}")
    if ctt.get(2):
        total = _amount(reading, ctt, 2)
        there = ZERO
        for line in lines:
            there = plus(there, line.quantity)
        if total is not None and total != there:
            reading.fault(ctt, 2, BAD_CODE, f"says a total of {ctt.get(2)}, the quantities add up to {there}")


def _plain_count(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None


def _amount(reading: _Reading, segment: Segment, number: int) -> Decimal | None:
    """A decimal number (type R): digits, a point, a minus; no exponent."""
    text = segment.get(number)
    if not text:
        return None
    value = number_in(text)
    if value is None or not fits(value) or "e" in text.lower():
        reading.fault(segment, number, BAD_CHARACTER, f"{text!r} is not a number")
        return None
    return value


def _date(reading: _Reading, segment: Segment, number: int) -> date | None:
    text = segment.get(number)
    if not text:
        reading.fault(segment, number, MISSING_ELEMENT, "a date is missing")
        return None
    try:
        if len(text) not in (6, 8) or not text.isdigit():
            raise ValueError(text)
        return datetime.strptime(text, "%Y%m%d" if len(text) == 8 else "%y%m%d").date()  # noqa: DTZ007 - a day
    except ValueError:
        reading.fault(segment, number, BAD_DATE, f"{text!r} is not a date written CCYYMMDD")
        return None
