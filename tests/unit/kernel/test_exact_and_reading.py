"""Exact decimals, and documents read so that every fault is named."""

from __future__ import annotations

from decimal import Decimal, Inexact

import pytest

from saldo.kernel.errors import Problems, Refusal
from saldo.kernel.exact import minor_of_share, plain, times, total
from saldo.kernel.numbers import fits, number_in
from saldo.kernel.periods import Unit
from saldo.kernel.reading import Fields, read
from saldo.kernel.rounding import Rounding, rounded_ratio
from saldo.kernel.states import moved


def test_exact_arithmetic_raises_rather_than_drop_a_digit() -> None:
    long = Decimal("1." + "3" * 300)
    with pytest.raises(Inexact):
        times(long, long)
    assert total([Decimal("0.1")] * 3) == Decimal("0.3")


def test_numbers_are_held_to_a_length_at_the_edge() -> None:
    assert fits(Decimal("0.0000015"))
    assert not fits(Decimal("NaN"))
    assert not fits(Decimal("1e999999"))
    assert not fits(Decimal("1e-999999"))
    assert not fits(Decimal("1" * 41))


def test_a_number_is_read_as_json_and_spreadsheets_write_it() -> None:
    assert [number_in(text) for text in ("12.50", "-3", "+5", ".5", "5.", "1e-2")] == [
        Decimal(text) for text in ("12.50", "-3", "5", "0.5", "5", "0.01")
    ]
    for none in ("", "x", "NaN", "Infinity", "1_000", " 5 ", "\uff11\uff12", "1,5"):
        assert number_in(none) is None
    assert number_in("1e99999999999999999999") == Decimal("Infinity")


def test_decimals_are_written_without_exponent_or_idle_zeros() -> None:
    assert [plain(Decimal(n)) for n in ("1E+3", "0.0500", "0E-7", "-2.50", "1E-7")] == [
        "1000",
        "0.05",
        "0",
        "-2.5",
        "0.0000001",
    ]


@pytest.mark.parametrize(
    ("numerator", "rounding", "expected"),
    [
        (5, Rounding.HALF_UP, 3),
        (-5, Rounding.HALF_UP, -3),
        (5, Rounding.HALF_EVEN, 2),
        (7, Rounding.HALF_EVEN, 4),
        (5, Rounding.DOWN, 2),
        (-5, Rounding.UP, -3),
        (4, Rounding.UP, 2),
    ],
)
def test_halves_go_as_the_rounding_says(numerator: int, rounding: Rounding, expected: int) -> None:
    assert rounded_ratio(numerator, 2, rounding) == expected


def test_a_share_of_nothing_is_refused_and_digits_follow_the_currency() -> None:
    with pytest.raises(Refusal, match="invalid_ratio"):
        rounded_ratio(1, 0)
    assert [minor_of_share(Decimal("10.5"), (1, 3), c) for c in ("JPY", "EUR", "KWD")] == [4, 350, 3500]


def test_every_fault_of_a_document_is_named_with_its_path() -> None:
    problems = Problems()
    fields = Fields(
        {"n": 1.5, "d": "x", "f": "yes", "c": "eon", "t": " ", "on": "never", "l": {}, "m": [], "o": 1, "x": 0},
        problems,
    )
    fields.integer("n")
    fields.decimal("d")
    fields.flag("f")
    fields.choice("c", Unit)
    fields.text("t")
    fields.day("on")
    list(fields.children("l"))
    fields.texts("m")
    fields.decimals("o")
    fields.decimal("gone")
    fields.finish()
    assert {p.field: p.code for p in problems.found} == {
        "n": "not_whole",
        "d": "not_a_number",
        "f": "not_a_flag",
        "c": "unknown_choice",
        "t": "not_text",
        "on": "not_a_date",
        "l": "not_a_list",
        "m": "not_texts",
        "o": "not_numbers",
        "gone": "missing",
        "x": "unknown_field",
    }


def test_a_document_without_fault_is_what_its_reader_makes_of_it() -> None:
    assert read({"a": {"b": "0.10"}}, lambda f: f.child("a").decimal("b"), "no") == Decimal("0.1")
    with pytest.raises(Refusal) as refusal:
        read({"a": {"b": 0.1}}, lambda f: f.child("a").decimal("b"), "no")
    assert refusal.value.problems[0].field == "a.b"


def test_states_move_along_their_table_only() -> None:
    table: dict[str, frozenset[str]] = {"open": frozenset({"shut"})}
    assert moved(table, "open", "shut") == "shut"
    with pytest.raises(Refusal, match="move_not_allowed"):
        moved(table, "shut", "open")
