"""From a document to a quote's answer: what `saldo quote` and the API call."""

from __future__ import annotations

import json
from decimal import Decimal
from functools import lru_cache
from importlib.resources import files
from typing import Any  # parsed JSON is of any shape until it is read

from saldo.kernel.errors import Refusal
from saldo.quotes.answer import answer_of
from saldo.quotes.reading import request_from
from saldo.quotes.rules import quote


def quote_document(document: Any) -> dict[str, Any]:
    """The answer to a quote's document, both parsed JSON.

    Raises Refusal: `invalid_input` naming every field that is wrong, else as `saldo.quotes.rules.quote` does.
    """
    try:
        return answer_of(quote(request_from(document)))
    except OverflowError as error:
        raise Refusal("beyond_the_calendar", f"a day of this quote is beyond the year 9999: {error}") from error


def quote_text(text: str | bytes) -> dict[str, Any]:
    """The same for JSON text, or its bytes (UTF-8, -16 or -32, also with a mark); its numbers are read digit by digit,
    never as floats. Refusal `not_json` besides."""
    try:
        document = json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise Refusal("not_json", f"this is not JSON: {error}") from error
    return quote_document(document)


@lru_cache(maxsize=1)
def quote_schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    schema: dict[str, Any] = json.loads(files("saldo.quotes").joinpath("quote.schema.json").read_text("utf-8"))
    return schema
