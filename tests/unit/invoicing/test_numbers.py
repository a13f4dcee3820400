"""Numbers are written as seller and country ask, and no two series can write the same one."""

from __future__ import annotations

from datetime import date

import pytest

from saldo.invoicing.rules_numbers import (
    COUNTRY_DEFAULTS,
    NumberFormat,
    Numbering,
    Restart,
    Seller,
    SeriesRule,
    SeriesType,
    check_numbering,
    series_type,
)
from saldo.invoicing.status import DocumentKind
from saldo.kernel.errors import Refusal

ON = date(2026, 3, 31)
INVOICE, CREDIT_NOTE, ONE_OFF = SeriesType.INVOICE, SeriesType.CREDIT_NOTE, SeriesType.ONE_OFF


def number(seller: Seller, kind: SeriesType = INVOICE, n: int = 42, on: date = ON) -> str:
    return seller.series(kind, on).number(n)


def test_a_number_names_prefix_year_and_rank() -> None:
    assert number(Seller("DE", "SG")) == "SG-2026-000042"
    assert Seller("DE", "SG").series(INVOICE, ON).name == "SG-2026"
    assert number(Seller("DE", "")) == "2026-000042"
    with pytest.raises(Refusal, match="invalid_number"):
        number(Seller("DE", "SG"), n=0)


def test_credit_notes_have_a_series_of_their_own_named_as_the_country_does() -> None:
    assert number(Seller("DE", "SG"), CREDIT_NOTE) == "SG-RK-2026-000042"
    assert number(Seller("FR", "SG"), CREDIT_NOTE) == "SG-AV-2026-000042"
    assert number(Seller("IT", "SG"), CREDIT_NOTE) == "SG/NC/42/2026"
    assert number(Seller("US", "SG"), CREDIT_NOTE) == "SG-CN-2026-000042"


def test_one_off_invoices_share_the_invoices_series_unless_the_seller_keeps_them_apart() -> None:
    assert Seller("DE", "SG").series(ONE_OFF, ON) == Seller("DE", "SG").series(INVOICE, ON)
    apart = Seller("DE", "SG", Numbering({ONE_OFF: SeriesRule("{prefix}-M-{year}-{n:04}")}))
    assert number(apart, ONE_OFF) == "SG-M-2026-0042"


def test_indian_numbers_run_with_the_financial_year_and_keep_to_sixteen_characters() -> None:
    seller = Seller("IN", "SALDO")
    assert number(seller, on=date(2026, 3, 31)) == "SALDO/2025/00042"
    assert number(seller, on=date(2026, 4, 1)) == "SALDO/2026/00042"
    with pytest.raises(Refusal, match="longer than 16"):
        number(seller, n=100_000)
    with pytest.raises(Refusal, match="credit_note"):
        check_numbering(Seller("IN", "SALDOLTD"), ON)


def test_a_month_series_begins_again_with_each_month() -> None:
    monthly = Seller("DE", "SG", Numbering({INVOICE: SeriesRule("{prefix}{year}{month}-{n:04}", Restart.MONTH)}))
    assert number(monthly) == "SG202603-0042"
    assert monthly.series(INVOICE, date(2026, 4, 1)).name == "SG202604"


def test_one_pattern_for_two_kinds_makes_one_common_series() -> None:
    rule = SeriesRule("{prefix}-{n:07}", Restart.NEVER)
    seller = Seller("DE", "SG", Numbering({INVOICE: rule, CREDIT_NOTE: rule}))
    assert seller.series(INVOICE, ON) == seller.series(CREDIT_NOTE, ON)
    told_apart = SeriesRule("{prefix}-{type}-{n:07}", Restart.NEVER)
    seller = Seller("DE", "SG", Numbering({INVOICE: told_apart, CREDIT_NOTE: told_apart}))
    assert seller.series(INVOICE, ON).name != seller.series(CREDIT_NOTE, ON).name


@pytest.mark.parametrize(
    ("pattern", "restart"),
    [
        ("{prefix}-{n}", Restart.YEAR),
        ("{prefix}-{year}-{n}", Restart.MONTH),
        ("{prefix}-{year}-{n}", Restart.NEVER),
        ("{prefix}-{year}-{month}-{n}", Restart.YEAR),
    ],
)
def test_a_pattern_that_would_write_a_number_twice_is_refused(pattern: str, restart: Restart) -> None:
    with pytest.raises(Refusal, match="number_would_repeat"):
        SeriesRule(pattern, restart)


def test_digits_beside_the_number_are_refused_because_two_series_could_meet() -> None:
    with pytest.raises(Refusal, match="ambiguous_number"):
        Seller("DE", "SG", Numbering({INVOICE: SeriesRule("{year}{n:04}")})).series(INVOICE, ON)
    with pytest.raises(Refusal, match="invalid_numbering") as refused:
        check_numbering(Seller("DE", "SG2", Numbering({INVOICE: SeriesRule("{prefix}{n}", Restart.NEVER)})), ON)
    assert [p.field for p in refused.value.problems] == ["invoice", "one_off"]


def test_a_prefix_with_braces_is_written_as_it_is() -> None:
    assert number(Seller("DE", "{S}")) == "{S}-2026-000042"


@pytest.mark.parametrize("country", sorted(COUNTRY_DEFAULTS))
def test_the_rules_of_every_country_can_be_written(country: str) -> None:
    check_numbering(Seller(country, "RW"), ON)


def test_a_document_goes_into_the_series_of_its_kind() -> None:
    assert series_type(DocumentKind.CREDIT_NOTE, one_off=True) is CREDIT_NOTE
    assert series_type(DocumentKind.INVOICE, one_off=True) is ONE_OFF
    assert series_type(DocumentKind.INVOICE) is INVOICE


def test_a_pattern_without_a_number_or_with_an_unknown_field_is_refused() -> None:
    for pattern in ("{prefix}", "{n}-{day}", "{n"):
        with pytest.raises(Refusal, match="invalid_number_format"):
            NumberFormat(pattern)


def test_a_refused_pattern_says_what_is_wrong_with_it() -> None:
    with pytest.raises(Refusal, match=r"names \{yaer\}; it may name \{customer\}, \{month\}, \{n\}, "):
        NumberFormat("{prefix}{yaer}-{n}")
    with pytest.raises(Refusal, match=r"needs \{n\}"):
        NumberFormat("{prefix}-{year}")
