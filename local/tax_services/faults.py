"""How badly a service behaves: a script of faults, one for each call to come, then what it does for ever."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum


class Fault(StrEnum):
    """What happens to one call. SLOW answers after `slow_s`; LOST works and does not answer; CUT answers half.

    PAGE and PAGE_404 answer as a proxy in between does, in HTML; NOT_A_NUMBER, HUGE_NUMBER, EXPONENT and DEEP what is
    no answer.
    The others answer in full and wrong: WRONG_SUM totals that do not add up, WRONG_CURRENCY, MISSING_LINE,
    NEGATIVE_TAX, WRONG_RATE a rate that does not make its amount, SILENT_ZERO no tax and no reason, HIGH_RATE more tax
    than amount, OTHER_AMOUNTS and OTHER_PLACE what somebody else asked.
    """

    NONE = "none"
    SLOW = "slow"
    LOST = "lost"
    CUT = "cut"
    STATUS_500 = "500"
    STATUS_503 = "503"
    STATUS_429 = "429"
    WRONG_SUM = "wrong_sum"
    WRONG_CURRENCY = "wrong_currency"
    MISSING_LINE = "missing_line"
    NEGATIVE_TAX = "negative_tax"
    WRONG_RATE = "wrong_rate"
    SILENT_ZERO = "silent_zero"
    HIGH_RATE = "high_rate"
    OTHER_AMOUNTS = "other_amounts"
    OTHER_PLACE = "other_place"
    PAGE = "page"
    PAGE_404 = "page_404"
    NOT_A_NUMBER = "not_a_number"
    HUGE_NUMBER = "huge_number"
    EXPONENT = "exponent"
    DEEP = "deep"


_PAGE = b"<html><body>Welcome</body></html>"
# Bodies that stand for an answer: (status, body).
NO_ANSWER = {
    Fault.PAGE: (200, _PAGE),
    Fault.PAGE_404: (404, _PAGE),
    Fault.NOT_A_NUMBER: (200, b'{"totalTax": NaN, "currencyCode": "USD", "lines": [], "data": {"totalTax": NaN}}'),
    Fault.EXPONENT: (
        200,
        b'{"totalTax": 1e999999999, "lines": [], "currencyCode": "USD", "data": {"totalTax": 1e999999999}}',
    ),
    Fault.DEEP: (200, b"[" * 200_000),
}


@dataclass(slots=True)
class Script:
    """`calls` counts those that were asked for something (not for a token)."""

    always: Fault = Fault.NONE
    slow_s: float = 3.0
    calls: int = 0
    _next: deque[Fault] = field(default_factory=deque)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def then(self, fault: Fault | str, times: int = 1) -> Script:
        """The next calls that are not spoken for meet this fault."""
        with self._lock:
            self._next.extend([Fault(fault)] * times)
        return self

    def take(self) -> Fault:
        """What the call that is beginning meets."""
        with self._lock:
            self.calls += 1
            return self._next.popleft() if self._next else self.always
