"""Matching does not depend on the order in which lines or facts are given."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from saldo.catalog.model import Plan, Product
from saldo.catalog.rules import version_in_force
from saldo.orders.model_contracts import Contract, ContractPrice, Terms
from saldo.orders.model_orders import Channel, Ordering, OrderRequest, RecentOrder, RequestedLine
from saldo.orders.rules_matching import Assortment, Facts, contents_of, match
from saldo.orders.rules_orders import request_print, sift
from tests.contexts.orders.scenes import CABLE, DEVICE, SEATS, SETUP, TODAY, request
from tests.contexts.sellers import ACCOUNT, ENTITY, account

PRODUCTS = {name: Product(name, ENTITY, {"en": name}) for name in ("a", "b")}
PLANS = {v.plan_id: Plan(v.plan_id, "a", ENTITY, {"en": v.plan_id}) for v in (SEATS, SETUP, DEVICE, CABLE)}
LATER = [
    replace(SEATS, id="seats_v2", version=2, effective_on=date(2026, 6, 1)),
    replace(SEATS, id="seats_v3", version=3, effective_on=date(2026, 6, 1)),
    replace(SEATS, id="seats_v4", version=4, effective_on=date(2027, 6, 1)),
    replace(SEATS, id="seats_usd", version=5, currency="USD", effective_on=date(2026, 7, 1)),
]
VERSIONS = [SEATS, SETUP, DEVICE, CABLE, *LATER]


def contract(contract_id: str, start: int, price: str, most: int | None) -> Contract:
    agreed = ContractPrice("plan_seats", Decimal(price), "", "B-1", None if most is None else Decimal(most))
    terms = Terms(date(2026, start, 1), None, (agreed,), 0, 10_000)
    return Contract(contract_id, ACCOUNT, ENTITY, "C", "EUR", (terms,))


CONTRACTS = [contract("ct_a", 1, "7.00", 20), contract("ct_b", 3, "6.50", None), contract("ct_c", 3, "6.40", 5)]
_LINES = st.lists(
    st.builds(
        RequestedLine,
        st.just(""),
        st.sampled_from(["plan_seats", "plan_setup", "plan_cable", "none", ""]),
        st.integers(1, 30).map(Decimal),
        st.none() | st.sampled_from(["6.40", "7.50", "900"]).map(Decimal),
        st.none(),
        st.sampled_from(["B-1", "B-2"]),
    ),
    min_size=1,
    max_size=6,
).map(lambda some: tuple(replace(line, number=str(i)) for i, line in enumerate(some)))


def facts(contracts: list[Contract], versions: list[object], lines: tuple[RequestedLine, ...], known: bool) -> Facts:
    recent = (RecentOrder("ord_1", "po1", contents_of(lines), TODAY),) if known else ()
    ordering = Ordering(
        ACCOUNT, frozenset(), {"plan_seats": (Decimal(2), 3)}, {"ct_c": 9_000}, {"ct_a/plan_seats": Decimal(15)}, recent
    )
    limited = replace(ordering, credit_limit_minor=50_000)
    return Facts([account()], Assortment(PRODUCTS, PLANS, versions), contracts, limited, 100)  # type: ignore[arg-type]


@given(_LINES, st.data(), st.booleans(), st.sampled_from(["", "ct_a", "ct_b"]))
def test_neither_the_order_of_lines_nor_of_facts_matters(
    lines: tuple[RequestedLine, ...], data: st.DataObject, known: bool, contract_id: str
) -> None:
    asked = request(*lines, contract_id=contract_id, channel=Channel.API)
    first = match(asked, facts(CONTRACTS, list(VERSIONS), lines, known))
    shuffled = tuple(data.draw(st.permutations(lines)))
    contracts, versions = data.draw(st.permutations(CONTRACTS)), data.draw(st.permutations(VERSIONS))
    second = match(replace(asked, lines=shuffled), facts(contracts, list(versions), lines, known))
    assert first.discrepancies == second.discrepancies
    by_number = dict(zip((x.number for x in shuffled), second.agreed, strict=True))
    assert [by_number[x.number] for x in lines] == list(first.agreed)


@given(_LINES, st.data())
def test_deliveries_of_parts_in_any_order_take_each_line_once(
    lines: tuple[RequestedLine, ...], data: st.DataObject
) -> None:
    parts = data.draw(st.lists(st.lists(st.sampled_from(lines), min_size=1, unique=True), min_size=1, max_size=5))
    known: dict[str, dict[str, str]] = {}
    taken: list[str] = []
    for part in parts:
        asked = request(*part)
        sifted = sift(ENTITY, asked, known)
        taken += [x.number for x in sifted.fresh]
        known = {n: dict(c) for n, c in sifted.known.items()}
        assert sifted.changed == frozenset()
        assert sift(ENTITY, asked, known).fresh == ()
    assert sorted(taken) == sorted({x.number for part in parts for x in part})


def test_a_print_tells_orders_apart_and_copies_together() -> None:
    one = request(*[RequestedLine(str(n), "a", Decimal(n)) for n in (1, 2)])
    assert request_print(one) == request_print(replace(one, lines=one.lines[::-1]))
    assert request_print(one) == request_print(
        replace(one, lines=tuple(replace(x, quantity=x.quantity.quantize(Decimal("0.00"))) for x in one.lines))
    )
    others: list[OrderRequest] = [replace(one, purchase_order="x"), replace(one, currency="USD")]
    others.append(replace(one, lines=(one.lines[0],)))
    assert len({request_print(o) for o in [one, *others]}) == 4


def test_the_version_that_is_sold_is_the_last_to_become_effective() -> None:
    def sold(on: date, currency: str = "EUR") -> str | None:
        found = version_in_force(VERSIONS, "plan_seats", currency, "DE", on)
        return found.id if found else None

    assert sold(date(2025, 12, 31)) is None
    assert sold(date(2026, 5, 31)) == SEATS.id
    assert sold(date(2026, 6, 1)) == "seats_v3"
    assert sold(date(2027, 6, 1)) == "seats_v4"
    assert sold(date(2026, 8, 1), "USD") == "seats_usd"


def test_a_country_with_prices_of_its_own_has_them_and_the_others_have_those_for_all() -> None:
    alpine = replace(SEATS, id="seats_alps", countries=("AT", "CH"), effective_on=date(2025, 1, 1))

    def sold(country: str) -> str | None:
        found = version_in_force([*VERSIONS, alpine], "plan_seats", "EUR", country, date(2026, 5, 31))
        return found.id if found else None

    assert (sold("DE"), sold("AT"), sold("CH")) == (SEATS.id, "seats_alps", "seats_alps")
    assert version_in_force([alpine], "plan_seats", "EUR", "DE", date(2026, 5, 31)) is None
