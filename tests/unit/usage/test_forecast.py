"""How usage is taken to go on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saldo.kernel.exact import total
from saldo.kernel.periods import Period
from saldo.kernel.rounding import Rounding
from saldo.usage.model import Aggregation, Counted, CountWindow, Meter, UsageDetail
from saldo.usage.rules_forecast import LastPeriod, Method, forecast, point_in, scaled

NOVEMBER = Period(date(2026, 11, 1), date(2026, 12, 1))
OCTOBER = Period(date(2026, 10, 1), date(2026, 11, 1))
TENTH = datetime(2026, 11, 11, tzinfo=UTC)


def meter(aggregation: Aggregation = Aggregation.SUM) -> Meter:
    return Meter("m", "ent_eu_x", aggregation, {"en": "M"}, {})


def ahead(
    so_far: str, now: datetime = TENTH, last: LastPeriod | None = None, by: Meter | None = None
) -> tuple[str, str]:
    found = forecast(by or meter(), Decimal(so_far), NOVEMBER, "UTC", now, last)
    return str(found.quantity.normalize()), found.method.value


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (ahead("100"), ("3E+2", "straight_line")),
        (ahead("100", last=LastPeriod(Decimal(50), Decimal(80))), ("1.6E+2", "last_period")),
        (ahead("100", last=LastPeriod(Decimal(0), Decimal(80))), ("1.8E+2", "last_period")),
        (ahead("0", last=LastPeriod(Decimal(20), Decimal(80))), ("6E+1", "last_period")),
        (ahead("0"), ("0", "nothing")),
        (ahead("100", NOVEMBER.instants("UTC")[0]), ("1E+2", "nothing")),
        (ahead("100", NOVEMBER.instants("UTC")[1]), ("1E+2", "over")),
        (ahead("7", by=meter(Aggregation.LATEST)), ("7", "level")),
        (ahead("7", by=meter(Aggregation.AVERAGE)), ("7", "level")),
        (ahead("10", by=replace(meter(Aggregation.MAX), per=CountWindow.HOUR)), ("3E+1", "straight_line")),
        (ahead("0.5", by=replace(meter(), rounding=Rounding.UP)), ("2", "straight_line")),
    ],
)
def test_usage_goes_on_as_it_did(found: tuple[str, str], expected: tuple[str, str]) -> None:
    assert found == expected


def test_the_same_point_of_a_period_of_another_length_is_found() -> None:
    assert point_in(NOVEMBER, "UTC", OCTOBER, "UTC", TENTH) == datetime(2026, 10, 11, 8, tzinfo=UTC)


@given(st.integers(-86_400_000_000, 31 * 86_400_000_000))
def test_the_same_point_is_found_at_any_microsecond_and_lies_in_the_period(gone_us: int) -> None:
    first, last = OCTOBER.instants("UTC")
    now = NOVEMBER.instants("UTC")[0] + timedelta(microseconds=gone_us)
    assert first <= point_in(NOVEMBER, "UTC", OCTOBER, "UTC", now) <= last


quantities = st.decimals(0, 10**6, places=3)


@given(quantities, st.integers(0, 30 * 86_400), st.one_of(st.none(), st.tuples(quantities, quantities)))
def test_what_only_grows_is_never_forecast_to_shrink(
    so_far: Decimal, gone_s: int, last: tuple[Decimal, Decimal] | None
) -> None:
    now = datetime.fromtimestamp(NOVEMBER.instants("UTC")[0].timestamp() + gone_s, UTC)
    before = LastPeriod(min(last), max(last)) if last else None
    assert forecast(meter(), so_far, NOVEMBER, "UTC", now, before).quantity >= so_far


@given(
    st.dictionaries(st.tuples(st.sampled_from("abc")), st.decimals("0.001", 10**4, places=3), min_size=1),
    st.decimals(1, 5, places=2),
)
def test_parts_of_a_forecast_make_it_up(parts: dict[tuple[str, ...], Decimal], factor: Decimal) -> None:
    whole = total(parts.values())
    amounts = tuple(parts.values())
    found = scaled(Counted(whole, UsageDetail(amounts=amounts, by_value=parts)), whole * factor)
    assert found.detail.by_value is not None and found.detail.amounts is not None
    assert total(found.detail.by_value.values()) == found.quantity == total(found.detail.amounts)
    assert found.detail.amounts[: len(amounts)] == amounts


def test_every_method_has_a_name_people_can_read() -> None:
    assert all(m.value.replace("_", " ").isascii() for m in Method)
