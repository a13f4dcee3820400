"""One call of the API, as views see it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar  # Any: parsed JSON is of any shape until it is read

from pydantic import BaseModel, ValidationError

from functions.http.requests import Request
from saldo.access.model_api_keys import Admission, ApiKey
from saldo.audit.model import Actor
from saldo.kernel.errors import Problems, Refusal

Model = TypeVar("Model", bound=BaseModel)
_CODES = {"missing": "missing", "extra_forbidden": "unknown_field"}


@dataclass(frozen=True, slots=True)
class Call(Request):
    """A request whose key, scope and size have been checked. `admission` is None on routes for anyone."""

    admission: Admission | None = None

    @property
    def key(self) -> ApiKey:
        """Whose call it is, on routes that ask for a key."""
        assert self.admission is not None, "only routes with a scope ask who calls"
        return self.admission.key

    @property
    def entity_id(self) -> str:
        """The seller whose records this call may reach."""
        return self.key.entity_id

    @property
    def actor(self) -> Actor:
        return Actor(self.key.id, "api_key", self.correlation_id, self.network)

    @property
    def text(self) -> str:
        """The body; Refusal `not_json` when it is not UTF-8, in which JSON is written."""
        try:
            return self.raw_body.decode("utf-8")
        except UnicodeDecodeError as error:
            raise Refusal("not_json", "the body is not UTF-8") from error

    @property
    def document(self) -> Any:
        """The body as JSON, every number exact; Refusal `not_json`."""
        try:
            return json.loads(self.text, parse_float=Decimal, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise Refusal("not_json", f"the body is not JSON: {error}") from error

    def asked(self, model: type[Model]) -> Model:
        """The query as a model; Refusal `invalid_input` names every parameter at fault, unknown ones too."""
        problems = Problems()
        for name, values in self.query.items():
            if len(values) > 1:
                problems.add(name, "repeated", "may be given once")
        try:
            found = model.model_validate({name: values[-1] for name, values in self.query.items()})
        except ValidationError as error:
            for one in error.errors(include_url=False, include_context=False, include_input=False):
                said = one["msg"].removeprefix("Value error, ")
                problems.add(".".join(map(str, one["loc"])), _CODES.get(one["type"], "invalid_value"), said)
        problems.refuse_if_any("the query is not valid")
        return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number")
