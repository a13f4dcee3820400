"""Invoices of a former system: checked whole, written once, right as of any past date."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date

import pytest

from saldo.insight.invariants import check_all
from saldo.integration.imports_records import account_id_of
from saldo.integration.imports_rows import PRESETS, read_rows
from saldo.kernel.errors import NotFound, Refusal
from saldo.ledger.service import aging
from tests.contexts.integration.scenes import CONSULTANT, World
from tests.contexts.sellers import ENTITY, account, profile
from tests.in_process_aws import in_process_aws
from tests.simulation.dynamodb import Crash

HEADER = "customer,number,issued_on,due_on,amount,currency,settled_on,settled_amount,disputed"
GOOD = f"""{HEADER}
C-1,A-1,2026-01-10,2026-02-09,100.00,EUR,2026-02-20,,no
C-1,A-2,2026-02-10,2026-03-12,50.00,EUR,,,yes
C-2,A-3,2026-02-11,2026-03-13,80.00,EUR,2026-03-01,30.00,
C-2,A-4,2026-02-12,2026-03-14,20.00,EUR,2026-03-02,25.00,
"""
BAD_LINE = "C-3,A-5,2026-02-30,2026-03-14,-4.001,EURO,,7,perhaps"
ONE_BAD = GOOD.replace("C-2,A-3", f"{BAD_LINE}\nC-2,A-3")


@pytest.fixture(autouse=True)
def aws() -> Iterator[None]:
    with in_process_aws():
        yield


def world(text: str = GOOD) -> World:
    return World({"old.csv": text.encode()})


def test_invoices_and_settlements_stand_in_the_books_on_their_own_days() -> None:
    here = world()
    summary = here.run("old.csv")
    assert (summary.rows, summary.imported, summary.settled, summary.customers) == (4, 4, 3, 2)
    assert summary.committed and summary.totals == {"EUR": 25000}
    owed = {on: [i.open_minor for i in here.open_items("C-1", on)] for on in (date(2026, 2, 19), date(2026, 2, 20))}
    assert owed == {date(2026, 2, 19): [10000, 5000], date(2026, 2, 20): [5000]}
    assert [i.open_minor for i in here.open_items("C-2", date(2026, 11, 1))] == [5000]
    buckets = aging(here.store, account_id_of(ENTITY, "C-1"), date(2026, 4, 12))["EUR"]
    assert {b.name: b.minor for b in buckets if b.minor} == {"31_60": 5000}


def test_what_was_paid_beyond_the_invoice_stays_unapplied_cash() -> None:
    here = world()
    here.run("old.csv")
    balance = here.store.get(account_id_of(ENTITY, "C-2"), "balance") or {}
    assert (balance["EUR receivables"], balance["EUR unapplied_cash"]) == (5000, -500)


def test_imported_invoices_keep_their_numbers_and_states_and_every_invariant() -> None:
    here = world()
    here.run("old.csv")
    found = {i["number"]: (i["status"], i["open_minor"], i["run_id"]) for i in here.items("invoice")}
    assert found == {
        "A-1": ("paid", 0, ""),
        "A-2": ("issued", 5000, ""),
        "A-3": ("part_paid", 5000, ""),
        "A-4": ("paid", 0, ""),
    }
    assert check_all(here.store).violations == []


def test_one_bad_line_holds_back_all_and_says_everything_that_is_wrong_with_it() -> None:
    here = world(ONE_BAD)
    before = here.essence()
    summary = here.run("old.csv")
    assert (summary.committed, summary.imported, summary.rejected) == (False, 4, 1)
    assert here.essence() == before
    (line,) = [json.loads(one) for one in here.files.files[summary.report_key].splitlines()]
    assert line["row"] == 4 and line["text"] == BAD_LINE
    found = {(p["field"], p["code"]) for p in line["problems"]}
    assert found == {
        ("issued_on", "invalid_date"),
        ("currency", "invalid_currency"),
        ("settled_on", "missing_value"),
        ("disputed", "invalid_flag"),
    }


def test_told_to_skip_it_the_good_rows_are_imported_and_the_mended_file_adds_the_rest() -> None:
    here = world(ONE_BAD)
    summary = here.run("old.csv", skip_bad_rows=True)
    assert (summary.committed, summary.imported, summary.rejected) == (True, 4, 1)
    before = here.essence()
    again = here.run("old.csv", skip_bad_rows=True)
    assert (again.imported, again.unchanged, again.rejected) == (0, 4, 1)
    assert here.essence() == before
    mended = ONE_BAD.replace(BAD_LINE, "C-3,A-5,2026-02-13,2026-03-14,4.00,EUR,,,no")
    here.files.files["mended.csv"] = mended.encode()
    third = here.run("mended.csv")
    assert (third.imported, third.unchanged, third.totals) == (1, 4, {"EUR": 400})


def test_the_same_file_again_changes_nothing() -> None:
    here = world()
    first = here.run("old.csv")
    before = here.essence()
    here.clock.advance(days=30)
    here.files.files["copy.csv"] = here.files.files["old.csv"]
    again = here.run("copy.csv")
    assert again.repeated and (again.imported, again.totals) == (first.imported, first.totals)
    assert here.essence() == before


def test_a_preview_writes_nothing() -> None:
    here = world()
    before = here.essence()
    summary = here.run("old.csv", preview=True)
    assert (summary.committed, summary.imported, summary.customers) == (False, 4, 2)
    assert here.essence() == before


def test_other_contents_under_a_number_are_refused() -> None:
    here = world()
    here.run("old.csv")
    here.files.files["other.csv"] = GOOD.replace("50.00", "51.00").encode()
    summary = here.run("other.csv")
    assert (summary.committed, summary.codes) == (False, {"number_taken": 1})


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("C-1,A-1,2026-01-10,2026-02-09,100.00,EUR,,,", "repeated_number"),
        ("C-1,B,2026-01-10,2026-02-09,100.00,USD,,,", "other_currency"),
        ("acct_eu_gone,B,2026-01-10,2026-02-09,100.00,EUR,,,", "unknown_account"),
        ("acct_us_there,B,2026-01-10,2026-02-09,100.00,EUR,,,", "other_region"),
        ("acct_eu_another,B,2026-01-10,2026-02-09,100.00,EUR,,,", "unknown_account"),
        ("C-1,B,2027-01-10,2027-02-09,100.00,EUR,,,", "in_the_future"),
        ("C-1,B,2026-01-10,2026-01-09,100.00,EUR,,,", "before_issue"),
        ("C-1,B,2026-01-10,2026-02-09,100.00,EUR,2026-01-09,,", "before_issue"),
        ("C-1,B,2026-01-10,2026-02-09,100.001,EUR,,,", "invalid_amount"),
        ("C-1,B,2026-01-10,2026-02-09,0,EUR,,,", "not_above_zero"),
        ("C-1,B 1,2026-01-10,2026-02-09,1,EUR,,,", "invalid_number"),
        (",B,2026-01-10,2026-02-09,1,EUR,,,", "invalid_customer"),
        ('C-1,"B,2026-01-10,2026-02-09,1,EUR,,,', "broken_row"),
        ("C-1,B", "broken_row"),
    ],
)
def test_each_fault_of_a_row_has_its_code(line: str, code: str) -> None:
    here = world(f"{GOOD}{line}\n")
    other = account("acct_eu_another", entity_id="ent_eu_another")
    here.accounts.open_account(other, profile(other.id), CONSULTANT)
    summary = here.run("old.csv")
    assert (summary.committed, summary.codes) == (False, {code: 1})


def test_an_account_of_ours_can_be_named_as_the_customer() -> None:
    here = world(f"{HEADER}\nacct_eu_customer,A-1,2026-01-10,2026-02-09,100.00,,,,\n")
    here.accounts.open_account(account(), profile(), CONSULTANT)
    assert here.run("old.csv").customers == 0
    assert [i["account_id"] for i in here.items("invoice")] == ["acct_eu_customer"]


def test_a_crash_at_any_call_and_a_repeat_end_in_the_same_books() -> None:
    def books(crash_at: int, side: str) -> tuple[bool, list[tuple[object, ...]]]:
        here = world()
        first = here.table.calls

        def fault(number: int, _operation: str, when: str) -> None:
            if number - first == crash_at and when == side:
                raise Crash

        here.table.fault, crashed = fault, False
        try:
            here.run("old.csv")
        except Crash:
            crashed, here.table.fault = True, None
            here.run("old.csv")
        here.table.fault = None
        assert check_all(here.store).violations == []
        kinds = ("invoice", "body", "entry", "balance", "payment", "account", "organisation", "customer", "audit")
        kept = [row for row in here.essence() if any(f"'kind': '{kind}'" in str(row[2]) for kind in kinds)]
        return crashed, kept

    _, undisturbed = books(0, "before")
    for side in ("before", "after"):
        for call in range(1, 200):
            crashed, kept = books(call, side)
            assert kept == undisturbed
            if not crashed:
                assert call > 10
                break


def test_a_header_of_another_file_is_refused_with_every_column_it_lacks() -> None:
    with pytest.raises(Refusal) as refusal:
        list(read_rows([b"customer,customer,amount,colour\n"], PRESETS["saldo"]))
    found = {(p.field, p.code) for p in refusal.value.problems}
    assert found == {
        ("number", "missing_column"),
        ("issued_on", "missing_column"),
        ("due_on", "missing_column"),
        ("colour", "unknown_column"),
        ("customer", "repeated_column"),
    }


def test_a_file_seller_or_preset_that_is_not_there_is_refused() -> None:
    here = world()
    with pytest.raises(NotFound):
        here.run("gone.csv")
    with pytest.raises(Refusal, match="unknown_preset"):
        here.run("old.csv", preset="excel")
    with pytest.raises(Refusal, match="empty_file"):
        world("").run("old.csv")
