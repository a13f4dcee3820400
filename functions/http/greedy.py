"""Routes behind one greedy resource of API Gateway (`/{proxy+}`), which stands for all: a CloudFormation stack holds
500 things, and each resource and each method would be one. What is no route reaches the application, too, which knows
how to say so to people."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

_GREEDY = "{proxy+}"


def path_of(event: Mapping[str, Any]) -> str:
    """The resource that was asked for; behind a greedy one, the path."""
    resource: str = event.get("requestContext", {}).get("resourcePath", "")
    if not resource.endswith(_GREEDY):
        return resource
    asked: str = (event.get("pathParameters") or {}).get("proxy", "")
    return resource.removesuffix(_GREEDY) + asked


def named(event: Mapping[str, Any], routes: Iterable[str]) -> dict[str, Any]:
    """The event as API Gateway would have sent it, had every route a resource of its own. Where no route fits, it stays
    as it came: there is no such page."""
    resource = event.get("requestContext", {}).get("resourcePath", "")
    if not resource.endswith(_GREEDY):
        return dict(event)
    below, path = resource.removesuffix(_GREEDY), path_of(event).rstrip("/")  # as API Gateway has it, a/ is a
    for pattern, route in _patterns(tuple(route for route in routes if route.startswith(below))):
        if found := pattern.fullmatch(path):
            context = {**event["requestContext"], "resourcePath": route}
            return {**event, "resource": route, "requestContext": context, "pathParameters": found.groupdict() or None}
    return dict(event)


@lru_cache(maxsize=4)
def _patterns(routes: tuple[str, ...]) -> list[tuple[re.Pattern[str], str]]:
    """Routes with fewest names first: what is written out goes before what stands for anything, as in API Gateway."""
    ordered = sorted(routes, key=lambda route: (route.count("{"), route))
    return [(re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(route))), route) for route in ordered]
