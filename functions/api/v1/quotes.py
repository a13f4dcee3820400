"""What would be invoiced."""

from __future__ import annotations

import json

from functions.api.call import Call
from functions.api.endpoint import Routes, Rule
from functions.api.operation import PLAIN_JSON, Operation
from functions.api.v1.models_quotes import QuoteAnswer
from functions.http.answers import JSON, Answer
from saldo.access.model_api_keys import Scope
from saldo.kernel.errors import Refusal
from saldo.quotes.service import quote_text

routes = Routes("api_quotes")
MOST_BYTES = 512_000
# A function's answer may have 6 MB.
_MOST_ANSWER_BYTES = 5_000_000

QUOTE = Operation(
    id="createQuote",
    tag="Quotes",
    summary="Reckon the invoices that runs would issue; nothing is stored",
    description="The document and the answer are those of `saldo quote`. Amounts may be numbers or decimal text.",
    takes={PLAIN_JSON: "QuoteRequest"},
    answers=QuoteAnswer,
    refusals={
        "invalid_input": "every field at fault is named",
        "too_many_runs": "something falls due on too many days",
        "too_many_lines": "there is too much to reckon at once",
        "answer_too_large": "ask for fewer days at once",
    },
)


@routes.post("/api/v1/quotes", Rule(QUOTE, scope=Scope.QUOTES_WRITE, most_bytes=MOST_BYTES))
def create_quote(call: Call) -> Answer:
    body = json.dumps(quote_text(call.text), ensure_ascii=False)
    if len(body.encode()) > _MOST_ANSWER_BYTES:
        raise Refusal("answer_too_large", f"the answer has more than {_MOST_ANSWER_BYTES:,} bytes; ask for fewer days")
    return Answer(body, kind=JSON)
