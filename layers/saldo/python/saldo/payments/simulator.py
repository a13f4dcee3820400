"""The gateway port spoken to Saldo's own gateway simulator over HTTP."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from dataclasses import asdict
from hashlib import sha256
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import quote, urlsplit

from saldo.kernel.errors import Refusal, Unavailable
from saldo.payments.model import GatewayPayment
from saldo.payments.model_methods import MethodReport
from saldo.payments.ports import Checkout, CheckoutRequest, SetupRequest
from saldo.payments.webhooks import method_report, payment_report

_TIMEOUT_S = 5.0


def api_key(secret: bytes) -> str:
    """The bearer token that callers of the simulator show: follows from the shared secret, and is not it."""
    return hmac.new(secret, b"gateway api", sha256).hexdigest()


class SimulatedGateway:
    """Calls the simulator at `url`; `secret` is asked at each call for the one it knows us by."""

    name = "simulator"

    def __init__(self, url: str, secret: Callable[[], bytes], timeout_s: float = _TIMEOUT_S) -> None:
        self._at, self._timeout_s = urlsplit(url), timeout_s
        self._secret = secret

    def create_checkout(self, request: CheckoutRequest) -> Checkout:
        body = {
            "payment_id": request.payment_id,
            "account_id": request.account_id,
            "amount_minor": request.amount.minor,
            "currency": request.amount.currency,
            "description": request.description,
            "merchant": request.merchant,
            "language": request.language,
            "return_url": request.return_url,
        }
        if request.token:
            body["token"] = request.token
        answer = self._call("POST", "/v1/checkouts", body, key=request.payment_id)
        if answer is None:
            raise Refusal("gateway_refused", "the gateway has no checkouts at this address")
        return _checkout(answer)

    def find_checkout(self, payment_id: str) -> Checkout | None:
        answer = self._call("GET", f"/v1/checkouts?key={quote(payment_id, safe='')}")
        return None if answer is None else _checkout(answer)

    def look_up(self, ref: str) -> GatewayPayment | None:
        answer = self._call("GET", f"/v1/checkouts/{quote(ref, safe='')}")
        return None if answer is None else payment_report(answer.get("payment"))

    def create_setup(self, request: SetupRequest) -> Checkout:
        answer = self._call("POST", "/v1/setups", asdict(request), key=request.method_id)
        if answer is None:
            raise Refusal("gateway_refused", "the gateway stores no methods at this address")
        return _checkout(answer)

    def find_setup(self, method_id: str) -> Checkout | None:
        answer = self._call("GET", f"/v1/setups/{quote(method_id, safe='')}")
        return None if answer is None else _checkout(answer)

    def look_up_setup(self, method_id: str) -> MethodReport | None:
        answer = self._call("GET", f"/v1/setups/{quote(method_id, safe='')}")
        return None if answer is None else method_report(answer.get("method"))

    def forget(self, method_id: str) -> None:
        self._call("POST", f"/v1/setups/{quote(method_id, safe='')}/forget", {"method_id": method_id}, key=method_id)

    def _call(self, verb: str, path: str, body: dict[str, Any] | None = None, key: str = "") -> dict[str, Any] | None:
        """The answer's JSON object; None for 404. No redirects, no proxies, one try: the caller decides what a
        missing answer means."""
        headers = {"Authorization": f"Bearer {api_key(self._secret())}", "Content-Type": "application/json"}
        if key:
            headers["Idempotency-Key"] = key
        make = HTTPSConnection if self._at.scheme == "https" else HTTPConnection
        connection = make(self._at.hostname or "", self._at.port, timeout=self._timeout_s)
        try:
            connection.request(verb, self._at.path.rstrip("/") + path, json.dumps(body) if body else None, headers)
            answer = connection.getresponse()
            return _object(answer.status, answer.read(1_000_000))
        except (OSError, HTTPException) as error:
            raise Unavailable("the payment gateway did not answer") from error
        finally:
            connection.close()


def _object(status: int, raw: bytes) -> dict[str, Any] | None:
    if status == 404:
        return None
    if status >= 500 or status == 429:
        raise Unavailable(f"the payment gateway answered {status}")
    try:
        answer = json.loads(raw)
    except ValueError as error:
        raise Unavailable("the payment gateway's answer was cut short") from error
    if status >= 400:
        error_body = answer.get("error", {}) if isinstance(answer, dict) else {}
        raise Refusal("gateway_refused", str(error_body.get("message", f"the gateway answered {status}")))
    if not isinstance(answer, dict):
        raise Unavailable("the payment gateway's answer makes no sense")
    return answer


def _checkout(answer: dict[str, Any]) -> Checkout:
    try:
        said = payment_report(answer["payment"]) if answer.get("payment") else None
        return Checkout(str(answer["ref"]), str(answer["url"]), said)
    except (KeyError, Refusal) as error:
        raise Unavailable("the payment gateway's answer makes no sense") from error
