"""A few accounts of every seller for some months, each invoice worked out again; `make decade` takes a thousand."""

from __future__ import annotations

import pytest

from saldo.catalog.rules import problems_of
from tests.decade.audit import audited
from tests.decade.shrink import told
from tests.decade.stored import StoredSeller
from tests.decade.world import PLACES, history_of, market_of

SEED = 20_15


@pytest.mark.parametrize("account", range(3 * len(PLACES)))
def test_every_invoice_of_three_years_is_what_the_auditor_works_out(account: int) -> None:
    history = history_of(account, SEED, months=36)
    verdict = audited([history])
    assert not verdict.findings, "\n".join([*verdict.findings[history.account.id], *told(history)])


@pytest.mark.parametrize("seller", range(len(PLACES)))
def test_a_seller_bills_a_year_by_real_runs_and_every_invariant_holds_after_each_month(seller: int) -> None:
    histories = [history_of(seller + n * len(PLACES), SEED, 10, late=True) for n in range(3)]
    checked = set[tuple[int, int]]()

    def monthly(system: StoredSeller, day: object) -> list[str]:
        month = system.now.year, system.now.month
        return [] if month in checked or checked.add(month) else system.broken()  # type: ignore[func-returns-value]

    verdict = audited(histories, StoredSeller, monthly)  # type: ignore[arg-type]  # it looks at its own system
    assert not verdict.findings
    assert verdict.invoices > 3 and len(checked) >= 10


@pytest.mark.parametrize("seller", range(len(PLACES)))
def test_what_is_sold_could_be_put_in_a_catalog(seller: int) -> None:
    market, _, _ = market_of(seller, SEED)
    assert not [problem for version in market.versions.values() for problem in problems_of(version)]


def test_the_same_seed_makes_the_same_decade() -> None:
    assert history_of(5, SEED, 24) == history_of(5, SEED, 24)
    assert history_of(5, SEED, 24) != history_of(5, SEED + 1, 24)
