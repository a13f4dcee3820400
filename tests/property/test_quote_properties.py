"""A quote answers or refuses with reasons, whatever it is handed."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from saldo.kernel.errors import Refusal
from saldo.quotes.service import quote_document
from tests.unit.quotes.test_quotes import EXAMPLES

NONSENSE = [
    None,
    "",
    "x",
    -1,
    0,
    10**30,
    "1e400",
    "-0",
    "NaN",
    1.5,
    True,
    [],
    {},
    [1],
    {"a": 1},
    "0001-01-01",
    "9999-12-31",
]


def places(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value of a document but the whole."""
    inner = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    return [place for key, value in inner for place in ((*path, key), *places(value, (*path, key)))]


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(EXAMPLES), st.data())
def test_a_quote_of_anything_is_an_answer_or_a_refusal(text: str, data: st.DataObject) -> None:
    document = copy.deepcopy(json.loads(text))
    for _ in range(data.draw(st.integers(1, 3))):
        *path, last = data.draw(st.sampled_from(places(document)))
        holder = document
        for key in path:
            holder = holder[key]
        holder[last] = copy.deepcopy(data.draw(st.sampled_from(NONSENSE)))
    try:
        json.dumps(quote_document(document))
    except Refusal as refusal:
        assert refusal.code and str(refusal)
