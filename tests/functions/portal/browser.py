"""A browser without a screen: keeps cookies, follows redirects, sends forms, all inside this process."""

from __future__ import annotations

import re
from base64 import b64decode
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from chalice.config import Config
from chalice.local import LocalGateway

from tests.permissions.gate import acting

ORIGIN = "http://localhost:8080"
_INPUT = re.compile(r"<input\b[^>]*>")


class Gateway(LocalGateway):
    """As deployed: what no route is goes to the application, too, by the greedy resource above all."""

    def __init__(self, app: Any) -> None:
        super().__init__(app, Config())

    def _generate_lambda_event(self, method: str, path: str, headers: Any, body: bytes | None) -> Any:
        try:
            return super()._generate_lambda_event(method, path, headers, body)
        except ValueError:
            parts = urlsplit(path)
            event = super()._generate_lambda_event(method, f"/?{parts.query}", headers, body)
            event["requestContext"] |= {"resourcePath": "/{proxy+}", "path": parts.path}
            return {**event, "pathParameters": {"proxy": parts.path.lstrip("/")}}


@dataclass
class Page:
    """What came back."""

    status: int
    headers: dict[str, str]
    text: str
    cookies_set: list[str]
    body: bytes = b""

    @property
    def location(self) -> str:
        return self.headers.get("location", "")

    def hidden(self) -> dict[str, str]:
        """Hidden fields of all forms on the page, the last of a name."""
        found = {}
        for tag in _INPUT.findall(self.text):
            facts = {name: unescape(value) for name, value in re.findall(r'([a-z]+)="([^"]*)"', tag)}
            if facts.get("type") == "hidden" and "name" in facts:
                found[facts["name"]] = facts.get("value", "")
        return found


@dataclass
class Browser:
    app: Any
    cookies: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    page: Page | None = None
    origin: str = ORIGIN

    def get(self, path: str, **headers: str) -> Page:
        return self._send("GET", path, b"", headers)

    def post(self, path: str, fields: Any, *, key: bool = True, **headers: str) -> Page:
        """Send a form. `key`: with the form key of the page last seen, and our own Origin, as browsers do."""
        pairs = list(fields.items()) if isinstance(fields, dict) else list(fields)
        if key and self.page is not None:
            pairs.append(("form_key", self.page.hidden().get("form_key", "")))
        usual = {"content-type": "application/x-www-form-urlencoded", "origin": self.origin}
        return self._send("POST", path, urlencode(pairs).encode(), usual | headers)

    def _send(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Page:
        sent = {"accept": "text/html,*/*", "host": "localhost:8080", **self.headers}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookies:
            sent["cookie"] = "; ".join(f"{n}={v}" for n, v in self.cookies.items())
        with acting("portal"):
            answer = Gateway(self.app).handle_request(method, path, sent, body)
        self.page = self._taken(answer)
        return self.page

    def _taken(self, answer: dict[str, Any]) -> Page:
        multi = {name.lower(): values for name, values in answer.get("multiValueHeaders", {}).items()}
        set_now = multi.get("set-cookie", [])
        for line in set_now:
            name, _, value = line.split(";")[0].partition("=")
            if "Max-Age=0" in line:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        headers = {name.lower(): str(value) for name, value in answer["headers"].items()}
        raw = answer["body"]
        body = b64decode(raw) if answer.get("isBase64Encoded") else str(raw).encode()
        text = "" if headers.get("content-type") == "application/pdf" else body.decode("utf-8", "replace")
        return Page(answer["statusCode"], headers, text, set_now, body)

    def follow(self, page: Page) -> Page:
        parts = urlsplit(page.location)
        return self.get(parts.path + (f"?{parts.query}" if parts.query else ""))

    def sign_in(self, email: str, password: str, following: str = "") -> Page:
        path = f"/sign-in?{urlencode({'next': following})}" if following else "/sign-in"
        form = self.get(path).hidden()
        return self.post("/sign-in", {**form, "email": email, "password": password}, key=False)


def query_of(location: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(location).query))
