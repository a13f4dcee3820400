"""As much of a browser as the canary needs: pages over HTTP, cookies, fields, forms. It follows nothing by itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import urlencode

_INPUT = re.compile(r"<input\b[^>]*>")
_MOST_BYTES = 2_000_000
Fields = list[tuple[str, str]]
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Page:
    """What came back. `location`: where it sends us; `cookies`: Set-Cookie lines."""

    status: int
    text: str = ""
    location: str = ""
    cookies: tuple[str, ...] = ()

    def fields(self) -> Fields:
        """What the page's forms would send as they stand: boxes that are ticked, and whatever else has a name."""
        found = []
        for tag in _INPUT.findall(self.text):
            facts = {name: unescape(value) for name, value in re.findall(r'([a-z]+)="([^"]*)"', tag)}
            left_out = facts.get("type") in ("checkbox", "radio") and not re.search(r"\bchecked\b", tag)
            if "name" in facts and not left_out:
                found.append((facts["name"], facts.get("value", "")))
        return found

    def has(self, name: str) -> bool:
        return any(field == name for field, _ in self.fields())


Send = Callable[[str, str, Mapping[str, str], bytes], Page]  # verb, URL, headers, body


@dataclass
class Browser:
    """One visitor of one origin. Cookies go to that origin alone."""

    origin: str
    send: Send
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, path: str) -> Page:
        return self._ask("GET", path, b"", {})

    def post(self, path: str, fields: Fields) -> Page:
        """Send a form as our own pages do."""
        headers = {"content-type": FORM, "origin": self.origin}
        return self._ask("POST", path, urlencode(fields).encode(), headers)

    def _ask(self, verb: str, path: str, body: bytes, headers: Mapping[str, str]) -> Page:
        sent = {"accept": "text/html", "user-agent": "Saldo canary", **headers}
        if self.cookies:
            sent["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        page = self.send(verb, self.origin + path, sent, body)
        for line in page.cookies:
            name, _, value = line.split(";", 1)[0].partition("=")
            self.cookies[name] = value
            if "max-age=0" in line.lower():
                del self.cookies[name]
        return page


def over_http(verb: str, url: str, headers: Mapping[str, str], body: bytes) -> Page:
    """One try; raises Unavailable when no answer comes in ten seconds."""
    from urllib3 import PoolManager, Timeout
    from urllib3.exceptions import HTTPError

    from saldo.kernel.errors import Unavailable

    try:
        answer = PoolManager().request(
            verb, url, body=body or None, headers=dict(headers), timeout=Timeout(connect=3, read=10), retries=False,
            redirect=False, preload_content=False,
        )  # fmt: skip
        raw = answer.read(_MOST_BYTES)
    except (HTTPError, OSError) as error:
        raise Unavailable("no answer came") from error
    location = answer.headers.get("Location", "")
    return Page(answer.status, raw.decode("utf-8", "replace"), location, tuple(answer.headers.getlist("Set-Cookie")))
