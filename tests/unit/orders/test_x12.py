"""X12 850 read: delimiters from the ISA, every fault with segment and element, acknowledged by a 997."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saldo.kernel.errors import Refusal
from saldo.orders.model_orders import Channel, OrderRequest, Reference, ReferenceKind, RequestedLine
from saldo.orders.x12 import Fault, read_interchanges
from saldo.orders.x12_850 import order_from
from saldo.orders.x12_997 import acknowledgement
from tests.unit.orders.x12_writing import Marks, interchange, purchase_order

LINES = (
    RequestedLine("1", "plan_seats", Decimal(10), Decimal("7.50"), date(2026, 12, 1)),
    RequestedLine("2", "", Decimal("0.5"), None, None, "B-77"),
)
ORDER = OrderRequest(
    "edi:ZZ/BUYER01",
    Channel.EDI,
    "PO-1",
    date(2026, 11, 1),
    (Reference(ReferenceKind.DUNS, "123456789"),),
    LINES,
    "EUR",
    "4711",
    "ct_1",
    "DE",
)
AT = datetime(2026, 11, 1, 9, tzinfo=UTC)


def read(text: str) -> OrderRequest | tuple[Fault, ...]:
    (one,) = read_interchanges(text)
    return order_from(one, one.groups[0].sets[0])


def faults(text: str) -> list[tuple[str, int, int, str]]:
    found = read(text)
    assert isinstance(found, tuple)
    return [(f.segment, f.position, f.element, f.code) for f in found]


def test_an_order_is_read_as_it_was_written() -> None:
    assert read(interchange(purchase_order(ORDER))) == ORDER


_TEXT = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 -./_", min_size=1, max_size=20).map(str.strip).filter(bool)
_PRICES = st.decimals(0, 10**6, places=4) | st.none()
_DAYS = st.dates(date(2000, 1, 1), date(2099, 12, 31))
_LINES = st.lists(
    st.builds(
        RequestedLine,
        st.just(""),
        _TEXT,
        st.decimals("0.001", 10**6, places=3),
        _PRICES,
        st.none() | _DAYS,
        st.just("") | _TEXT,
    ),
    min_size=1,
    max_size=8,
).map(lambda some: tuple(replace(line, number=str(i)) for i, line in enumerate(some, 1)))
_ORDERS = st.builds(
    OrderRequest,
    st.just("edi:ZZ/BUYER01"),
    st.just(Channel.EDI),
    _TEXT,
    _DAYS,
    st.tuples(st.builds(Reference, st.sampled_from([ReferenceKind.NAME, ReferenceKind.CUSTOMER]), _TEXT)),
    _LINES,
    st.sampled_from(["", "EUR", "USD"]),
    st.just("") | _TEXT,
    st.just("") | _TEXT,
    st.sampled_from(["", "DE", "FR"]),
)
_MARKS = st.lists(st.sampled_from("*|^~>:!+'\x1c\x1d\x1e\n"), min_size=3, max_size=3, unique=True).flatmap(
    lambda three: st.builds(Marks, *map(st.just, three), st.sampled_from(["", "\n", "\r\n"]))
)


@given(_ORDERS, _MARKS, st.booleans())
def test_what_is_written_with_any_delimiters_is_read_back(asked: OrderRequest, marks: Marks, totals: bool) -> None:
    if marks.terminator == "\n":
        marks = replace(marks, line_end="")
    assert read(interchange(purchase_order(asked, totals=totals), marks=marks)) == asked


@given(st.text(max_size=400) | st.text("ISAGSTE*~>^0123456789 \n", max_size=400).map(lambda t: "ISA*" + t))
def test_whatever_comes_is_read_or_refused(text: str) -> None:
    try:
        for one in read_interchanges(text):
            for group in one.groups:
                for a_set in group.sets:
                    order_from(one, a_set)
    except Refusal as refusal:
        assert refusal.code in ("not_x12", "broken_isa", "broken_envelope")


@given(st.data())
def test_a_damaged_set_is_never_read_as_another_order(data: st.DataObject) -> None:
    """Losing any one segment of a set shows in its counts."""
    written = purchase_order(ORDER)
    lost = data.draw(st.integers(1, len(written) - 2))
    found = read(interchange([*written[:lost], *written[lost + 1 :]]))
    assert isinstance(found, tuple)
    assert ("SE", "4") in {(f.segment, f.code) for f in found}


WRONG = [
    ("a change", ["BEG", "04", "SA", "PO-1", "", "20261101"], ("BEG", 2, 1, "7")),
    ("no number", ["BEG", "00", "SA", "", "", "20261101"], ("BEG", 2, 3, "1")),
    ("no date", ["BEG", "00", "SA", "PO-1"], ("BEG", 2, 5, "1")),
    ("a bad date", ["BEG", "00", "SA", "PO-1", "", "20261131"], ("BEG", 2, 5, "8")),
    ("a bad currency", ["CUR", "BY", "EURO"], ("CUR", 3, 2, "7")),
    ("a lone qualifier", ["N1", "BY", "Kontor", "92"], ("N1", 6, 4, "1")),
    ("a bad quantity", ["PO1", "1", "1O", "EA", "7.50", "", "VP", "plan_seats"], ("PO1", 9, 2, "6")),
    ("a quantity of nothing", ["PO1", "1", "0", "EA", "7.50", "", "VP", "plan_seats"], ("PO1", 9, 2, "7")),
    ("no quantity", ["PO1", "1", "", "EA", "7.50", "", "VP", "plan_seats"], ("PO1", 9, 2, "1")),
    ("a price below zero", ["PO1", "1", "1", "EA", "-7.50", "", "VP", "plan_seats"], ("PO1", 9, 4, "7")),
    ("no part number", ["PO1", "1", "1", "EA", "7.50"], ("PO1", 9, 6, "1")),
    ("a lone part qualifier", ["PO1", "1", "1", "EA", "7.50", "", "VP"], ("PO1", 9, 7, "1")),
    ("a line twice", ["PO1", "2", "10", "EA", "7.50", "", "VP", "plan_seats"], ("PO1", 12, 1, "7")),
    ("a wrong count", ["CTT", "3"], ("CTT", 14, 1, "7")),
    ("a wrong sum", ["CTT", "2", "11"], ("CTT", 14, 2, "7")),
    ("a strange segment", ["XYZ", "1"], ("XYZ", 10, 0, "1")),
]
_PLACE = {"BEG": 1, "CUR": 2, "N1": 5, "PO1": 8, "CTT": 13, "XYZ": 9}


@pytest.mark.parametrize(("segment", "fault"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG])
def test_every_fault_names_segment_and_element(segment: list[str], fault: tuple[str, int, int, str]) -> None:
    written = purchase_order(ORDER)
    assert written[_PLACE[segment[0]]][0] in (segment[0], "PID")
    written[_PLACE[segment[0]]] = segment
    assert fault in faults(interchange(written))


def test_everything_that_is_wrong_is_told_at_once() -> None:
    written = purchase_order(ORDER)
    written[1], written[8], written[-1] = ["BEG", "04"], ["PO1", "1", "x"], ["SE", "99", "0002"]
    found = {(segment, element) for segment, _, element, _ in faults(interchange(written))}
    assert found >= {("SE", 1), ("SE", 2), ("BEG", 1), ("BEG", 2), ("BEG", 3), ("BEG", 5), ("PO1", 2), ("PO1", 6)}


def test_missing_segments_are_faults() -> None:
    assert ("BEG", 2, 0, "3") in faults(interchange([["ST", "850", "1"], ["SE", "2", "1"]]))
    assert ("SE", 2, 0, "2") in faults(interchange([["ST", "850", "1"]]))
    assert faults(interchange([["ST", "860", "1"], ["SE", "2", "1"]])) == [("ST", 1, 1, "1")]


def test_bill_to_names_the_customer_before_the_buyer() -> None:
    written = purchase_order(ORDER)
    written.insert(6, ["N1", "BT", "Kontor", "92", "C-1"])
    written[-1][1] = str(len(written))
    found = read(interchange(written))
    assert isinstance(found, OrderRequest)
    assert found.references == (Reference(ReferenceKind.CUSTOMER, "C-1"),)


def test_an_envelope_that_does_not_hold_together_is_refused_whole() -> None:
    good = interchange(purchase_order(ORDER))
    for bad, code in (
        ("UNA:+.? '", "not_x12"),
        (good.replace("IEA*1*000000042", "IEA*1*000000043"), "broken_envelope"),
        (good.replace("IEA*1*", "IEA*2*"), "broken_envelope"),
        (good[: good.index("GE*")], "broken_envelope"),
        (good[:90], "broken_isa"),
    ):
        with pytest.raises(Refusal) as refused:
            read_interchanges(bad)
        assert refused.value.code == code


def test_a_group_that_miscounts_its_sets_is_told() -> None:
    (one,) = read_interchanges(interchange(purchase_order(ORDER)).replace("GE*1*7", "GE*2*8"))
    assert [(f.element, f.code) for f in one.groups[0].faults] == [(2, "4"), (1, "5")]


def test_a_file_may_hold_several_interchanges() -> None:
    text = interchange(purchase_order(ORDER)) + interchange(purchase_order(ORDER), control="000000043")
    assert [i.control for i in read_interchanges(text)] == ["000000042", "000000043"]


def test_the_acknowledgement_says_what_was_wrong_where_and_is_an_interchange_itself() -> None:
    bad = purchase_order(ORDER, "0002")
    bad[1] = ["BEG", "04", "SA", "PO-1", "", "20261131"]
    marks = Marks("|", ":", "'")
    (one,) = read_interchanges(interchange(purchase_order(ORDER), bad, marks=marks))
    wrong = order_from(one, one.groups[0].sets[1])
    assert isinstance(wrong, tuple)
    text = acknowledgement(one, {("7", "0002"): wrong}, AT)
    assert text.splitlines()[2:-2] == [
        "ST|997|0001'",
        "AK1|PO|7'",
        "AK2|850|0001'",
        "AK5|A'",
        "AK2|850|0002'",
        "AK3|BEG|2||8'",
        "AK4|1||7'",
        "AK4|5||8'",
        "AK5|R|5'",
        "AK9|P|2|2|1'",
        "SE|11|0001'",
    ]
    (back,) = read_interchanges(text)
    assert (back.sender, back.receiver) == (("ZZ", "SELLER"), ("ZZ", "BUYER01"))
    assert back.groups[0].sets[0].faults == back.groups[0].faults == ()
    assert acknowledgement(one, {("7", "0002"): wrong}, AT) == text
