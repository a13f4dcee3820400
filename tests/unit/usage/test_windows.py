"""Which window of a meter is the latest, whatever is billed and taken back together."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import permutations

from saldo.kernel.periods import Period
from saldo.usage.model_windows import Billed, Closings, Reason, Terms, Window
from saldo.usage.rules_windows import latest, standing, windows_to_look_at


def window(start: date, end: date, reason: Reason = Reason.CLOSED) -> Window:
    billed = Billed(reason, end, "inv", Decimal(1), 1, {})
    return Window("acct_eu_a", "m", Period(start, end), "UTC", "sub", Terms("v", "c"), (billed,))


AUGUST, SEPTEMBER, CHANGED = date(2018, 8, 1), date(2018, 9, 1), date(2018, 8, 27)
WHOLE = window(AUGUST, SEPTEMBER)
TAKEN_BACK = replace(WHOLE, billed=(*WHOLE.billed, replace(WHOLE.billed[0], reason=Reason.WITHDRAWN)))
FIRST_PART, REST = window(AUGUST, CHANGED), window(CHANGED, SEPTEMBER)


def test_a_part_that_is_billed_while_the_whole_is_taken_back_is_the_latest_in_any_order() -> None:
    for windows in permutations([TAKEN_BACK, FIRST_PART]):
        assert latest(standing([WHOLE], windows)) == {"m": FIRST_PART}
    for windows in permutations([TAKEN_BACK, FIRST_PART, REST]):
        assert latest(standing([WHOLE], windows)) == {"m": REST}


def test_what_was_before_days_that_are_taken_back_is_still_known_to_be_billed() -> None:
    (left,) = latest(standing([WHOLE], [TAKEN_BACK])).values()
    assert left.billed_until == AUGUST
    assert windows_to_look_at(Closings((left,)), [], {}) == []
    anew = replace(left, billed=(*left.billed, WHOLE.billed[0]))
    assert latest(standing([left], [anew])) == {"m": anew}


def test_an_older_window_does_not_hide_a_later_one() -> None:
    assert latest(standing([REST], [FIRST_PART])) == {"m": REST}
