"""When a failing service is left alone, and when it is asked again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from saldo.tax.breaker import Breaker, BreakerState, Circuit, Patience, asked, failed, succeeded

PATIENCE = Patience(failures=3, rest_s=10, most_s=35)


def broken(at_s: float = 0.0) -> BreakerState:
    state = BreakerState()
    for _ in range(3):
        state = failed(state, at_s, PATIENCE)
    return state


def test_three_failures_in_a_row_open_it_and_a_success_between_does_not() -> None:
    two = failed(failed(BreakerState(), 0, PATIENCE), 0, PATIENCE)
    assert failed(succeeded(two), 0, PATIENCE).circuit is Circuit.CLOSED
    assert broken().circuit is Circuit.OPEN


def test_while_it_rests_nobody_asks_and_after_it_one_probes() -> None:
    state = broken()
    assert asked(state, 9.9) == (state, False)
    probing, yes = asked(state, 10)
    assert yes and probing.circuit is Circuit.HALF_OPEN
    assert asked(probing, 11) == (probing, False)


def test_a_probe_that_succeeds_closes_it_and_one_that_fails_rests_longer_up_to_a_limit() -> None:
    state, _ = asked(broken(), 10)
    assert succeeded(state) == BreakerState()
    rests, now = [], 10.0
    for _ in range(4):
        state = failed(state, now, PATIENCE)
        rests.append(state.rest_s)
        now = state.until_s
        state, yes = asked(state, now)
        assert yes
    assert rests == [20, 35, 35, 35]


def test_stragglers_of_before_neither_close_it_nor_make_it_rest_longer() -> None:
    state = broken()
    assert succeeded(state) == state
    assert failed(state, 5, PATIENCE) == state


@given(st.lists(st.tuples(st.floats(0, 60), st.booleans()), max_size=60))
def test_it_never_asks_more_than_three_times_in_a_rest_and_always_recovers(steps: list[tuple[float, bool]]) -> None:
    now = [0.0]
    breaker = Breaker(lambda: now[0], PATIENCE)
    since_rest = 0
    for wait, works in steps:
        now[0] += wait
        was = breaker.state
        if breaker.ask():
            since_rest = since_rest + 1 if was.circuit is Circuit.CLOSED and was.failures else 1
            (breaker.succeeded if works else breaker.failed)()
            assert since_rest <= 3
        else:
            assert was.circuit is not Circuit.CLOSED and now[0] < was.until_s
    now[0] += 1000
    assert breaker.ask()
    breaker.succeeded()
    assert breaker.state == BreakerState()
