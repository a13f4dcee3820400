"""What the description of the API says of a route; what it says is also what the route does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel

# A pydantic model, or the name of a JSON Schema of ours (openapi.SCHEMAS).
Shape = type[BaseModel] | str
PLAIN_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Operation:
    """`takes`: media types of the body and their shapes; a request of another type is answered with 415.

    `query`: the model that reads the query. `refusals`: further codes by which the route says no, and what they mean.
    """

    id: str
    tag: str
    summary: str
    answers: Shape
    status: int = 200
    kind: str = PLAIN_JSON
    description: str = ""
    takes: Mapping[str, Shape] = field(default_factory=dict)
    query: type[BaseModel] | None = None
    has_etag: bool = False
    refusals: Mapping[str, str] = field(default_factory=dict)
