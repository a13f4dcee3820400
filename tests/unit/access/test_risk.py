"""Points for what is unusual about a sign-in, and what follows from their sum."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from saldo.access.rules import BROWSER_KNOWN
from saldo.access.rules_risk import (
    BLOCK_FROM,
    MOST_COUNTRIES,
    STEP_UP_FROM,
    Signals,
    Verdict,
    assess,
    assess_downloads,
    known_countries,
    user_is_told,
    with_country,
)

NOW = datetime(2026, 11, 26, 10, tzinfo=UTC)
CALM = Signals(is_first=False, new_browser=False, new_network=False, new_country=False, sign_ins=1, failures=0, hour=10)
_YES = st.booleans()
SIGNALS = st.builds(Signals, _YES, _YES, _YES, _YES, st.integers(0, 40), st.integers(0, 8), st.integers(0, 23))
_ORDER = [Verdict.ALLOW, Verdict.STEP_UP, Verdict.BLOCK]


def test_an_everyday_sign_in_and_the_very_first_one_are_let_in() -> None:
    assert assess(CALM).score == 0 and assess(CALM).verdict is Verdict.ALLOW
    first = replace(CALM, is_first=True, new_browser=True, new_network=True)
    assert assess(first).verdict is Verdict.ALLOW


def test_a_new_laptop_on_a_journey_is_let_in_by_day_and_asked_again_by_night() -> None:
    away = replace(CALM, new_browser=True, new_network=True)
    assert assess(away).verdict is Verdict.ALLOW
    night = assess(replace(away, hour=3))
    assert night.verdict is Verdict.STEP_UP
    assert night.reasons == ("new_browser 20", "new_network 20", "odd_hour 10")


def test_unknown_in_every_way_after_many_failures_is_kept_out() -> None:
    worst = Signals(False, True, True, False, 12, 6, 3)
    assert assess(worst).verdict is Verdict.BLOCK


def test_another_country_is_asked_for_more_than_a_password_and_alone_keeps_nobody_out() -> None:
    abroad = replace(CALM, new_network=True, new_country=True)
    assert assess(abroad).verdict is Verdict.STEP_UP
    assert assess(abroad).reasons == ("new_network 20", "new_country 30")
    assert assess(replace(abroad, new_browser=True, hour=3)).verdict is Verdict.STEP_UP
    assert assess(replace(abroad, new_browser=True, hour=3, failures=3)).verdict is Verdict.BLOCK


def test_users_are_told_of_new_browsers_and_countries_and_of_nothing_else() -> None:
    assert user_is_told(["odd_hour 10", "new_country 30"]) and user_is_told(["new_browser 20"])
    assert not user_is_told(["new_network 20", "odd_hour 10", "velocity 30", "failures 40"])


def test_countries_are_forgotten_as_browsers_are_and_only_the_latest_are_kept() -> None:
    known = {"DE": NOW - BROWSER_KNOWN, "FR": NOW - BROWSER_KNOWN + timedelta(seconds=1)}
    assert set(known_countries(known, NOW)) == {"FR"}
    assert with_country(known, "", NOW) == known
    travelled = dict[str, datetime]()
    for n in range(MOST_COUNTRIES + 3):
        travelled = with_country(travelled, f"A{chr(65 + n)}", NOW + timedelta(days=n))
    assert len(travelled) == MOST_COUNTRIES and "AA" not in travelled
    assert max(travelled, key=lambda country: travelled[country]) == f"A{chr(65 + MOST_COUNTRIES + 2)}"


@given(SIGNALS)
def test_reasons_add_up_to_the_score_and_the_score_gives_the_verdict(signals: Signals) -> None:
    found = assess(signals)
    assert found.score == sum(int(reason.split()[1]) for reason in found.reasons)
    assert found.verdict is _ORDER[(found.score >= STEP_UP_FROM) + (found.score >= BLOCK_FROM)]


@given(SIGNALS, st.integers(0, 8), st.integers(0, 40))
def test_more_failures_or_sign_ins_never_make_it_safer(signals: Signals, failures: int, sign_ins: int) -> None:
    more = replace(signals, failures=signals.failures + failures, sign_ins=signals.sign_ins + sign_ins)
    assert assess(more).score >= assess(signals).score


@given(st.integers(0, 500))
def test_the_more_is_taken_the_stricter(taken: int) -> None:
    assert _ORDER.index(assess_downloads(taken)) <= _ORDER.index(assess_downloads(taken + 1))
