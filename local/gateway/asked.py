"""What callers ask of the gateway, read with every problem named."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from saldo.kernel.errors import Problems, Refusal
from saldo.kernel.ids import check_id
from saldo.kernel.money import Money
from saldo.kernel.regions import region_of
from saldo.payments.ports import CheckoutRequest, SetupRequest

_TEXTS = ("payment_id", "account_id", "currency", "description", "merchant", "language", "return_url")
_SETUP_TEXTS = ("method_id", "account_id", "currency", "merchant", "language", "return_url")


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; header names in lower case."""

    verb: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return {name: values[-1] for name, values in parse_qs(urlsplit(self.target).query).items()}

    @property
    def form(self) -> dict[str, str]:
        """The fields of a posted form; empty when it is not one."""
        try:
            fields = parse_qs(self.body.decode("utf-8", "replace"), max_num_fields=20)
        except ValueError:
            return {}
        return {name: values[-1] for name, values in fields.items()}


def checkout_request(request: Request) -> CheckoutRequest:
    """The checkout that a merchant asks for; Refusal `invalid_checkout` with every problem."""
    problems = Problems()
    body = _object(request.body)
    texts = {name: _text(problems, name, body.get(name)) for name in _TEXTS}
    _check_id(problems, "payment_id", "pay", texts["payment_id"])
    _check_account(problems, texts["account_id"])
    if request.headers.get("idempotency-key") != texts["payment_id"]:
        problems.add("payment_id", "key_mismatch", "the Idempotency-Key must be the payment id")
    if not re.fullmatch(r"[A-Z]{3}", texts["currency"]):
        problems.add("currency", "invalid_currency", "must be an ISO 4217 code")
    if not re.match(r"https?://[^/]", texts["return_url"]):
        problems.add("return_url", "invalid_url", "must be an http or https address")
    minor = body.get("amount_minor")
    if type(minor) is not int or not 0 < minor < 10**12:
        problems.add("amount_minor", "invalid_amount", "must be whole minor units above zero")
        minor = 0
    token = body.get("token", "")
    if not isinstance(token, str) or not re.fullmatch(r"(tok_[0-9a-f]{32})?", token):
        problems.add("token", "invalid_token", "is not a token of ours")
    problems.refuse_if_any("the checkout is not of the documented form", "invalid_checkout")
    return CheckoutRequest(amount=Money(minor, texts.pop("currency")), token=str(token), **texts)


def setup_request(request: Request) -> SetupRequest:
    """The page for storing a method that a merchant asks for; Refusal `invalid_setup` with every problem."""
    problems = Problems()
    body = _object(request.body)
    texts = {name: _text(problems, name, body.get(name)) for name in _SETUP_TEXTS}
    _check_id(problems, "method_id", "meth", texts["method_id"])
    _check_account(problems, texts["account_id"])
    if request.headers.get("idempotency-key") != texts["method_id"]:
        problems.add("method_id", "key_mismatch", "the Idempotency-Key must be the method id")
    if not re.match(r"https?://[^/]", texts["return_url"]):
        problems.add("return_url", "invalid_url", "must be an http or https address")
    problems.refuse_if_any("the setup is not of the documented form", "invalid_setup")
    return SetupRequest(**texts)


def _object(raw: bytes) -> dict[str, object]:
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _text(problems: Problems, name: str, value: object) -> str:
    if isinstance(value, str) and 0 < len(value) <= 500 and value.isprintable():
        return value
    problems.add(name, "invalid_text", "must be a text of 1 to 500 characters")
    return ""


def _check_id(problems: Problems, name: str, prefix: str, value: str) -> None:
    try:
        check_id(value, prefix)
    except Refusal as refusal:
        problems.add(name, refusal.code, refusal.message)


def _check_account(problems: Problems, account_id: str) -> None:
    try:
        region_of(account_id)
    except Refusal as refusal:
        problems.add("account_id", refusal.code, refusal.message)
