"""What an invoice costs is counted, and does not grow unsaid."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest

from tests.bench import counted_run
from tests.bench.counted_run import PerInvoice, grown

MOST_DOLLARS_PER_1000 = 0.01


def test_an_invoice_costs_no_more_than_it_did() -> None:
    now, last = counted_run.per_invoice(), counted_run.last()
    assert grown(now, last) == [], "where that is meant: make cost RENEW=1, and say why"
    assert grown(last, now) == [], "an invoice became cheaper: make cost RENEW=1, so that it stays so"
    assert now.calls <= 2
    for each in (now, last):
        assert each.dollars_per_1000 <= MOST_DOLLARS_PER_1000, "no RENEW goes past the bar"


@pytest.mark.parametrize("what", list(asdict(PerInvoice(0, 0, 0, 0))))
def test_more_than_a_twentieth_more_is_told(what: str) -> None:
    last = PerInvoice(0.4, 17, 8, 0.013)
    dearer = {factor: replace(last, **{what: getattr(last, what) * factor}) for factor in (1.04, 1.06)}
    assert grown(dearer[1.04], last) == []
    assert [line.split()[0] for line in grown(dearer[1.06], last)] == [what]
