"""Runs our own table of worked cases through `saldo quote`."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

import jsonschema

from saldo.kernel.errors import Refusal
from saldo.quotes.service import quote_document, quote_schema
from tests.cases.more import (
    books,
    calendars,
    changes,
    commitments,
    discounts,
    due,
    examined,
    examined_again,
    examined_fourth,
    examined_thrice,
    late,
    late_terms,
    late_usage,
    limits,
    metering,
    metering_windows,
    pricing,
    pricing_bounds,
    pricing_cycles,
    proration,
    proration_quantities,
    receivables,
    returns,
    settling,
    taxes,
    taxes_countries,
    taxes_documents,
    taxes_due_on,
    whole_months,
)
from tests.cases.more.model import Worked, at
from tests.cases.running import FAILED, NOT_APPLICABLE, OPTION, PASSED, Outcome

TABLE: tuple[Worked, ...] = (
    *pricing.CASES,
    *pricing_bounds.CASES,
    *pricing_cycles.CASES,
    *metering.CASES,
    *metering_windows.CASES,
    *proration.CASES,
    *proration_quantities.CASES,
    *whole_months.CASES,
    *calendars.CASES,
    *commitments.CASES,
    *discounts.CASES,
    *limits.CASES,
    *taxes.CASES,
    *taxes_due_on.CASES,
    *taxes_documents.CASES,
    *taxes_countries.CASES,
    *receivables.CASES,
    *due.CASES,
    *late.CASES,
    *late_terms.CASES,
    *settling.CASES,
    *books.CASES,
    *returns.CASES,
    *examined.CASES,
    *late_usage.CASES,
    *changes.CASES,
    *examined_again.CASES,
    *examined_thrice.CASES,
    *examined_fourth.CASES,
)


@lru_cache(maxsize=1)
def _published() -> jsonschema.Draft202012Validator:
    """The schema is sound itself; asking that for each case would take ten times as long as the case."""
    schema = quote_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def differences(case: Worked) -> str:
    """What the answer has otherwise than the case; "" where they agree."""
    _published().validate(case.document)
    try:
        answer = quote_document(dict(case.document))
    except Refusal as refusal:
        wanted = case.expected.get("refused")
        return "" if refusal.code == wanted else str(refusal)
    return "; ".join(_compared(answer, case))


def _compared(answer: Any, case: Worked) -> Iterator[str]:
    for path, wanted in case.expected.items():
        try:
            found = at(answer, path)
        except (KeyError, IndexError, ValueError):
            yield f"{path} is not there"
            continue
        if not _same(found, wanted):
            yield f"{path} is {found}, not {wanted}"


def _same(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, list):
        pairs = zip(found, wanted, strict=False)
        return isinstance(found, list) and len(found) == len(wanted) and all(_same(a, b) for a, b in pairs)
    try:
        return Decimal(str(found)) == Decimal(str(wanted))
    except InvalidOperation:
        return bool(found == wanted)


def outcome_of(case: Worked) -> Outcome:
    """What became of a case of the table."""
    as_case = {"id": case.id, "area": case.area}
    if case.absent:
        return Outcome(as_case, NOT_APPLICABLE, case.absent)
    differing = differences(case)
    if differing:
        return Outcome(as_case, FAILED, differing)
    return Outcome(as_case, OPTION if case.option else PASSED, case.option)
