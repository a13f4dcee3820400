"""Files of orders: all lines checked, nothing half done, EDI acknowledged set by set."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from saldo.kernel.errors import NotFound, Refusal
from saldo.orders.model_orders import Channel, Reference, ReferenceKind
from saldo.orders.x12 import read_interchanges
from tests.contexts.orders.scenes import World, line, request
from tests.contexts.sellers import ACCOUNT, CLERK, ENTITY
from tests.crashes import assert_survives_every_crash
from tests.unit.orders.x12_writing import interchange, purchase_order

HEADER = "party,account,purchase_order,line,sku,quantity,unit_price,order_on,start_on,cost_centre,ship_to_country"
GOOD = f"""{HEADER}
C-1,{ACCOUNT},PO-1,1,plan_seats,10,7.50,2026-11-01,2026-12-01,4711,DE
C-1,{ACCOUNT},PO-2,1,plan_setup,1,,2026-11-01,,,
C-1,{ACCOUNT},PO-1,2,prod_device,2,49.90,2026-11-01,,4711,DE
C-1,{ACCOUNT},PO-3,1,plan_seats,5,6.00,2026-11-01,,,
"""
BAD = (
    GOOD
    + f"""C-1,{ACCOUNT},PO-2,2,plan_setup,none,x,2026-11-31,,,
C-1,,,3,,,,,,,
C-1,{ACCOUNT},PO-3,2,plan_seats,1,,2026-11-02,,,
"C-1
"""
)
EDI = request(
    line("1", unit_price="7.50"),
    line("2", "plan_setup", 1),
    party="edi:ZZ/BUYER01",
    channel=Channel.EDI,
    references=(Reference(ReferenceKind.CUSTOMER, "4400"),),
)
SECOND = replace(EDI, purchase_order="PO-2")


def edi_world(text: str, **others: str) -> World:
    here = World({"in.edi": text.encode()} | {f"{k}.edi": v.encode() for k, v in others.items()})
    here.orders.know_as(ENTITY, ACCOUNT, Reference(ReferenceKind.CUSTOMER, "4400"), CLERK)
    return here


def report(here: World, key: str) -> list[tuple[int, str, str]]:
    lines = [json.loads(one) for one in here.files.files[key].splitlines()]
    return [(one["row"], p["field"], p["code"]) for one in lines for p in one["problems"]]


def test_orders_of_a_file_are_placed_or_held_and_its_lines_grouped_by_purchase_order() -> None:
    here = World({"o.csv": GOOD.encode()})
    summary = here.run("o.csv")
    assert (summary.rows, summary.orders, summary.placed, summary.held, summary.rejected) == (4, 3, 2, 1, 0)
    assert summary.committed and summary.discrepancies == {"price_differs": 1}
    first = here.order(summary.order_ids[0])
    assert [x.asked.number for x in first.lines] == ["1", "2"]
    assert (first.request.cost_centre, first.request.party, first.origin) == ("4711", "file:C-1", "o.csv")
    assert here.run("o.csv").repeated


def test_every_problem_of_every_line_is_named_and_nothing_written() -> None:
    here = World({"o.csv": BAD.encode()})
    before = here.essence()
    summary = here.run("o.csv")
    assert not summary.committed and here.essence() == before
    assert report(here, summary.report_key) == [
        (3, "row", "order_has_bad_row"),
        (5, "row", "order_has_bad_row"),
        (6, "quantity", "invalid_number"),
        (6, "unit_price", "invalid_number"),
        (6, "order_on", "invalid_date"),
        (7, "purchase_order", "missing_value"),
        (7, "quantity", "missing_value"),
        (7, "order_on", "missing_value"),
        (7, "customer", "missing_value"),
        (8, "purchase_order", "differs_within_order"),
        (9, "row", "broken_row"),
    ]
    assert summary.codes["order_has_bad_row"] == 2


def test_good_orders_of_a_bad_file_are_taken_whole_when_told_so() -> None:
    here = World({"o.csv": BAD.encode()})
    summary = here.run("o.csv", skip_bad_rows=True)
    assert (summary.committed, summary.orders, summary.placed) == (True, 1, 1)
    assert [i["request"]["purchase_order"] for i in here.items("order")] == ["PO-1"]
    assert here.run("o.csv", skip_bad_rows=True).unchanged == 1


def test_a_preview_writes_nothing() -> None:
    here = World({"o.csv": GOOD.encode()})
    before = here.essence()
    assert here.run("o.csv", preview=True).orders == 3 and here.essence() == before


def test_an_edi_file_is_taken_and_acknowledged_once() -> None:
    here = edi_world(interchange(purchase_order(EDI, "0001"), purchase_order(SECOND, "0002")))
    summary = here.run("in.edi")
    assert (summary.rows, summary.placed, summary.held, summary.rejected) == (2, 2, 0, 0)
    (back,) = read_interchanges(here.files.files[summary.acknowledgement_key].decode())
    codes = [s.get(1) for s in back.groups[0].sets[0].segments if s.id in ("AK5", "AK9")]
    assert codes == ["A", "A", "A"]
    assert here.run("in.edi").repeated


def test_a_set_with_a_fault_is_rejected_alone_and_comes_right_when_sent_again() -> None:
    bad = purchase_order(SECOND, "0002")
    bad[-2][1] = "9"
    mended = interchange(purchase_order(SECOND, "0002"), control="000000043")
    here = edi_world(interchange(purchase_order(EDI, "0001"), bad), mended=mended)
    summary = here.run("in.edi")
    assert (summary.placed, summary.rejected, summary.codes) == (1, 1, {"x12_element_7": 1})
    assert report(here, summary.report_key) == [(2, "CTT01", "x12_element_7")]
    assert "AK4*1**7~" in here.files.files[summary.acknowledgement_key].decode()
    assert here.run("in.edi").unchanged == 1
    assert here.run("mended.edi").placed == 1
    assert len(here.items("order")) == 2


def test_a_test_interchange_is_previewed_and_never_taken() -> None:
    here = edi_world(interchange(purchase_order(EDI), usage="T"))
    assert here.run("in.edi", preview=True).rejected == 0
    assert here.run("in.edi").codes == {"x12_set_5": 1}
    assert here.items("order") == []


def test_a_control_number_names_one_set_for_ever() -> None:
    here = edi_world(interchange(purchase_order(EDI)), second=interchange(purchase_order(SECOND)))
    here.run("in.edi")
    summary = here.run("second.edi")
    assert (summary.placed, summary.rejected, summary.codes) == (0, 1, {"x12_set_23": 1})
    assert "AK5*R*23~" in here.files.files[summary.acknowledgement_key].decode()
    assert len(here.items("order")) == 1


def test_the_same_order_under_another_control_number_is_one_order() -> None:
    here = edi_world(interchange(purchase_order(EDI)), again=interchange(purchase_order(EDI), control="000000099"))
    here.run("in.edi")
    assert here.run("again.edi").unchanged == 1
    assert len(here.items("order")) == 1


def test_the_same_order_by_edi_and_by_file_is_suspected() -> None:
    here = edi_world(interchange(purchase_order(EDI)))
    here.run("in.edi")
    copy = replace(EDI, party="file:C-1", channel=Channel.FILE, references=request().references)
    assert here.codes(here.receive(copy)) == ["suspected_duplicate"]


@pytest.mark.parametrize(
    ("name", "body", "code"),
    [
        ("o.pdf", b"", "unknown_format"),
        ("o.csv", b"a,b\n", "invalid_header"),
        ("o.csv", b"", "empty_file"),
        ("o.edi", b"hello", "not_x12"),
        ("o.edi", b"", "not_x12"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(name: str, body: bytes, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        World({name: body}).run(name)
    assert refused.value.code == code


def test_a_file_that_is_not_there_is_not_found() -> None:
    with pytest.raises(NotFound):
        World().run("o.csv")


@pytest.mark.parametrize("key", ["in.csv", "in.edi"])
def test_a_crash_at_any_call_leaves_the_same_records_when_the_file_comes_again(key: str) -> None:
    @contextmanager
    def scene() -> Iterator[World]:
        here = edi_world(interchange(purchase_order(EDI, "0001"), purchase_order(SECOND, "0002")))
        here.files.files["in.csv"] = GOOD.encode()
        yield here

    def without_report(here: World) -> list[object]:
        """How many orders a repeat found placed depends on where the crash was; what is on record does not."""
        return [record for record in here.essence() if "guard#order_file#" not in record[1]]

    assert_survives_every_crash(scene, lambda w: [w.table], lambda w: w.run(key), without_report)
