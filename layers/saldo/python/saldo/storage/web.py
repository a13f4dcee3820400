"""One way to call services outside AWS: JSON over HTTP, short waits, one try, no redirects, and numbers read exactly.

What a missing answer means is for the caller to decide; nothing here repeats a call. Bodies never reach a log or an
error's text: they may carry what is personal.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any  # Any: parsed JSON is of any shape until it is read

from saldo.kernel.errors import Unavailable
from saldo.kernel.exact import plain

if TYPE_CHECKING:
    from urllib3 import PoolManager

_MARK = "\x00"
_MARKED = re.compile(r'"\\u0000(-?[0-9.]+)"')
_MOST_BYTES = 2_000_000


@dataclass(frozen=True, slots=True)
class Told:
    """What a service said: status and parsed JSON, None where it said nothing that is JSON."""

    status: int
    document: Any

    def field(self, *path: str) -> Any:
        """A value deep inside, None where the path leads nowhere."""
        found = self.document
        for name in path:
            found = found.get(name) if isinstance(found, Mapping) else None
        return found


@dataclass(frozen=True)
class WebService:
    """A service at `url` (scheme, host, port, perhaps a path). `connect_s` and `read_s`: how long it may take.

    `called` is what people know it as in errors. Connections are kept; it may be used by several threads.
    """

    url: str
    called: str
    connect_s: float = 1.0
    read_s: float = 4.0
    most_connections: int = 16
    headers: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def _pool(self) -> PoolManager:
        from urllib3 import PoolManager

        return PoolManager(maxsize=self.most_connections)

    def post(self, path: str, document: Any, headers: Mapping[str, str] | None = None) -> Told:
        sent = json_of(document).encode()
        return self._call("POST", path, sent, {"Content-Type": "application/json", **(headers or {})})

    def post_form(self, path: str, fields: Mapping[str, str]) -> Told:
        from urllib.parse import urlencode

        return self._call("POST", path, urlencode(fields).encode(), {"Content-Type": _FORM})

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Told:
        return self._call("GET", path, None, headers or {})

    def _call(self, verb: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Told:
        """Raises Unavailable when no whole answer came in time, or one that says to come back later."""
        from urllib3 import Timeout
        from urllib3.exceptions import HTTPError

        timeout = Timeout(connect=self.connect_s, read=self.read_s)
        wanted = {"Accept": "application/json", **self.headers, **headers}
        try:
            answer = self._pool.request(
                verb, self.url.rstrip("/") + path, body=body, headers=wanted, timeout=timeout, retries=False,
                redirect=False, preload_content=False,
            )  # fmt: skip
            raw = answer.read(_MOST_BYTES + 1)
            answer.release_conn()
        except (HTTPError, OSError) as error:
            raise Unavailable(f"{self.called} did not answer ({type(error).__name__})") from error
        if answer.status >= 500 or answer.status in (408, 425, 429):
            raise Unavailable(f"{self.called} answered {answer.status}")
        return Told(answer.status, self._parsed(answer.status, raw))

    def _parsed(self, status: int, raw: bytes) -> Any:
        try:
            return json.loads(raw, parse_float=Decimal)
        except (ValueError, RecursionError) as error:
            if status < 300:
                raise Unavailable(f"{self.called}'s answer cannot be read") from error
            return None


_FORM = "application/x-www-form-urlencoded"


def json_of(document: Any) -> str:
    """JSON text in which decimals are numbers, digit for digit; they never pass through a float.

    >>> json_of({"amount": Decimal("0.10")})
    '{"amount":0.1}'
    """
    text = json.dumps(document, default=_marked, separators=(",", ":"))
    return _MARKED.sub(r"\1", text)


def _marked(value: object) -> str:
    if not isinstance(value, Decimal):
        raise TypeError(f"{type(value).__name__} is not JSON")
    return _MARK + plain(value)
