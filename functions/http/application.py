"""The Chalice application whose parts are loaded when they are first asked for, and whose every answer, its own errors
included, carries the security headers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from importlib import import_module
from typing import Any

from chalice.app import Chalice, Request, Response

from functions.http.edge import Edge, EdgeRoutes
from functions.http.greedy import named, path_of
from functions.http.parts import Parts


class Application(Chalice):
    """Chalice answers some requests before any view runs (unknown path, media type, method): the edge of the part that
    lies there says so in its own words, and headers go on here."""

    def __init__(self, name: str, edge: Edge[Any, Any], parts: Mapping[str, Sequence[str]]) -> None:
        """`edge` answers where no part lies. `parts`: modules that have `routes` → where these lie."""
        super().__init__(app_name=name)
        self._edge, self.parts = edge, Parts(parts)
        self._loaded: dict[str, EdgeRoutes[Any, Any]] = {}
        self._checked = False

    def __call__(self, event: Any, context: Any) -> Any:
        edge = self._edge
        if isinstance(event, dict):
            module = self.parts.at(path_of(event))
            self._load(module)
            self._refuse_strays()
            event = named(event, self.routes)
            edge = self._loaded[module].edge if module else edge
        answer = self._answered(_taking_files(event), context)
        if isinstance(answer, dict) and "statusCode" in answer:
            if said := _own(answer):
                answer = self._restated(answer, edge.unserved(Request(event, context), *said))
            headers = answer.setdefault("headers", {})
            present = {name.lower() for name in headers}
            for name, value in {"Cache-Control": "no-store", **self._edge.headers()}.items():
                if name.lower() not in present:
                    headers[name] = value
        return answer

    def _answered(self, event: Any, context: Any) -> Any:
        """Chalice takes an address that it does not have for one with another method."""
        resource = event.get("requestContext", {}).get("resourcePath") if isinstance(event, dict) else None
        if resource is None or self.routes.get(resource):
            return super().__call__(event, context)
        return {"statusCode": 404, "headers": {}, "body": json.dumps({"Code": "NotFoundError", "Message": "not found"})}

    def _restated(self, answer: dict[str, Any], said: Response) -> dict[str, Any]:
        """With the headers that Chalice gave, as which methods there are."""
        restated: dict[str, Any] = said.to_dict(self.api.binary_types)
        kept = {name: value for name, value in answer["headers"].items() if name.lower() != "content-type"}
        return {**restated, "headers": {**kept, **restated["headers"]}}

    def checked(self) -> Application:
        """This application with all its parts, for whoever must see every route. TypeError as when it is asked."""
        for module in self.parts.modules:
            self._load(module)
        self._refuse_strays()
        return self

    def _load(self, module: str | None) -> None:
        """TypeError names a route that lies elsewhere than its part is looked for."""
        if module is None or module in self._loaded:
            return
        routes: EdgeRoutes[Any, Any] = import_module(module).routes
        for path in routes.paths:
            if self.parts.at(path) != module:
                raise TypeError(f"{path} of {module} is looked for in {self.parts.at(path)}")
        self.register_blueprint(routes.blueprint)
        self._loaded[module], self._checked = routes, False

    def _refuse_strays(self) -> None:
        """TypeError names a route that did not go through its edge. Looked for again at each request until there is
        none, not only at the one that loads it: nothing is answered while it is there."""
        if self._checked:
            return
        served = {(method, path) for path, methods in self.routes.items() for method in methods}
        edges = {self._edge, *(routes.edge for routes in self._loaded.values())}
        if strays := served.difference(*(edge.declared for edge in edges)):
            raise TypeError(f"routes without a rule: {', '.join(sorted(map(' '.join, strays)))}")
        self._checked = True


def _own(answer: Mapping[str, Any]) -> tuple[int, str] | None:
    """Status and words of what Chalice itself says; None for what a view answered."""
    status, body = answer["statusCode"], answer.get("body")
    if status < HTTPStatus.BAD_REQUEST or not isinstance(body, str) or not body.startswith('{"Code"'):
        return None
    return status, str(json.loads(body).get("Message", ""))


def _taking_files(event: Any) -> Any:
    """Chalice answers 400 where a file is none of what a client accepts; a server may send it (RFC 9110, 12.5.1)."""
    if not isinstance(event, dict) or not isinstance(event.get("headers"), dict):
        return event
    headers = {name: value for name, value in event["headers"].items() if name.lower() != "accept"}
    accepted = next((value for name, value in event["headers"].items() if name.lower() == "accept"), "")
    return {**event, "headers": {**headers, "accept": f"{accepted}, */*" if accepted else "*/*"}}
