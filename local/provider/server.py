"""The provider over HTTP: discovery (OpenID Connect Discovery 1.0), sign-in page, token endpoint (RFC 6749), keys."""

from __future__ import annotations

import base64
import json
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from local.provider.model import Provider

_MOST_BODY = 20_000
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Sign in</title>
<h1>Sign in at your organisation</h1><form method="post">
<label>E-mail address <input name="email" type="email" required></label> <button>Sign in</button></form>"""


class _Requests(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        parts, provider = urlsplit(self.path), self.server.provider
        if parts.path == "/.well-known/openid-configuration":
            self._say(200, json.dumps(_discovery(self.server.url, provider)), "application/json")
        elif parts.path in ("/jwks", "/.well-known/jwks.json"):
            self._say(200, provider.key_set().decode(), "application/json")
        elif parts.path in ("/authorize", "/oauth2/authorize"):
            known = dict(parse_qsl(parts.query)).get("client_id") in provider.secrets_of
            self._say(200 if known else 400, _PAGE if known else "no such client", "text/html; charset=utf-8")
        else:
            self._say(404, "", "text/plain")

    def do_POST(self) -> None:
        parts, provider = urlsplit(self.path), self.server.provider
        body = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), _MOST_BODY)).decode()
        form, asked = dict(parse_qsl(body)), dict(parse_qsl(parts.query))
        if parts.path in ("/token", "/oauth2/token"):
            tokens = provider.redeem(_client(self.headers.get("Authorization", ""), form), form)
            error = {"error": "invalid_grant"}
            self._say(200 if tokens else 400, json.dumps(tokens or error), "application/json")
        elif parts.path in ("/authorize", "/oauth2/authorize") and form.get("email") in provider.people:
            back = {"code": provider.grant(form["email"], asked), "state": asked.get("state", "")}
            self._say(303, "", "text/plain", Location=f"{asked['redirect_uri']}?{urlencode(back)}")
        else:
            self._say(403, escape("nobody here has this address"), "text/html; charset=utf-8")

    def _say(self, status: int, text: str, kind: str, **headers: str) -> None:
        body = text.encode()
        self.send_response_only(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    provider: Provider

    @property
    def url(self) -> str:
        return f"http://localhost:{self.server_port}"


class ProviderProcess:
    """The provider on a port of this machine while the block runs; port 0 is any free one."""

    def __init__(self, provider: Provider, port: int = 0) -> None:
        self._server = _Server(("127.0.0.1", port), _Requests)
        self._server.provider = self.provider = provider
        self.url = self._server.url
        provider.issuer = provider.issuer or self.url

    def __enter__(self) -> ProviderProcess:
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()


def _discovery(url: str, provider: Provider) -> dict[str, Any]:
    return {
        "issuer": provider.issuer,
        "authorization_endpoint": f"{url}/authorize",
        "token_endpoint": f"{url}/token",
        "jwks_uri": f"{url}/jwks",
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "code_challenge_methods_supported": ["S256"],
    }


def _client(header: str, form: dict[str, str]) -> tuple[str, str]:
    """Client id and secret, from the header or the form (RFC 6749, 2.3.1)."""
    if header.lower().startswith("basic "):
        client_id, _, secret = base64.b64decode(header[6:]).decode().partition(":")
        return unquote(client_id), unquote(secret)
    return form.get("client_id", ""), form.get("client_secret", "")
