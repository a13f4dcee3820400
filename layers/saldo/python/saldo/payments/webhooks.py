"""The gateway's webhooks: is this really from the gateway, is it fresh, and what does it say.

Body: UTF-8 JSON, one event. Header: `t=<unix seconds>,v1=<hex>[,v1=<hex>]`, each v1 being HMAC-SHA256 over
`<t>.<raw body>` with one of the gateway's secrets (two while a secret is being replaced).
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any

from saldo.kernel.clock import instant_from, instant_text
from saldo.kernel.errors import Problem, Problems, Refusal
from saldo.kernel.ids import check_id
from saldo.kernel.money import Money
from saldo.payments.model import GatewayEvent, GatewayPayment, PaidOut, PaymentStatus, Payout
from saldo.payments.model_methods import MethodKind, MethodReport, MethodStatus

SIGNATURE_HEADER = "Saldo-Gateway-Signature"
MOST_AGE_S = 300
MOST_BYTES = 200_000
_MOST_SIGNATURES = 8
_MOST_PAID_OUT = 500
_EVENT_ID = re.compile(r"[A-Za-z0-9_\-]{1,80}")
_CODE = re.compile(r"[a-z0-9_]{0,60}")
_CURRENCY = re.compile(r"[A-Z]{3}")


def signed(raw: bytes, secret: bytes, at: datetime) -> str:
    """The signature header of a body that is sent at this moment."""
    moment = int(at.timestamp())
    return f"t={moment},v1={_digest(raw, secret, str(moment))}"


def signed_with_each(raw: bytes, secrets: list[bytes], at: datetime) -> str:
    """The same with several secrets, so that receivers may change theirs in their own time."""
    moment = str(int(at.timestamp()))
    return ",".join([f"t={moment}", *(f"v1={_digest(raw, secret, moment)}" for secret in secrets)])


def _digest(raw: bytes, secret: bytes, moment: str) -> str:
    return hmac.new(secret, moment.encode() + b"." + raw, sha256).hexdigest()


def verified_body(raw: bytes, signature_header: str, secrets: Sequence[bytes], now: datetime) -> GatewayEvent:
    """The event in a webhook's body, once signature and age are in order.

    raw: the body exactly as it came. secrets: any of them may have signed it (two while ours is being replaced).
    Refusal codes: event_too_large, signature_missing, signature_malformed, signature_mismatch, signature_expired
    (older, or further ahead, than 5 minutes), invalid_event.
    """
    if len(raw) > MOST_BYTES:
        raise Refusal("event_too_large", f"an event has at most {MOST_BYTES} bytes")
    moment, signatures = _parsed(signature_header)
    expected = [_digest(raw, secret, moment).encode() for secret in secrets]
    given = [signature.encode("utf-8", "replace") for signature in signatures]
    # No early end: the time taken says nothing about which signature, or how much of it, was right.
    matches = [hmac.compare_digest(right, signature) for right in expected for signature in given]
    if not any(matches):
        raise Refusal("signature_mismatch", "the body was not signed by the gateway")
    if abs(now.timestamp() - int(moment)) > MOST_AGE_S:
        raise Refusal("signature_expired", "the signature is too old, or its time lies ahead")
    return event_from(raw)


def _parsed(header: str) -> tuple[str, list[str]]:
    if not header.strip():
        raise Refusal("signature_missing", "the request carries no signature")
    pairs = [part.strip().partition("=") for part in header.split(",")]
    moments = [value for name, _, value in pairs if name == "t"]
    signatures = [value for name, _, value in pairs if name == "v1"]
    right = len(moments) == 1 and re.fullmatch(r"[0-9]{1,12}", moments[0], re.ASCII)
    if not right or not 1 <= len(signatures) <= _MOST_SIGNATURES:
        raise Refusal("signature_malformed", "the signature header is not of the form t=…,v1=…")
    return moments[0], signatures


def event_body(event: GatewayEvent) -> dict[str, Any]:
    """The event as it travels: what `event_from` reads."""
    news = event.news
    head = {"id": event.id, "occurred_at": instant_text(event.occurred_at)}
    if isinstance(news, Payout):
        listed = [
            {
                "id": p.payment_id,
                "account_id": p.account_id,
                "amount_minor": p.amount.minor,
                "currency": p.amount.currency,
            }
            for p in news.payments
        ]
        payout = {"id": news.id, "paid_at": instant_text(news.paid_at), "payments": listed}
        return {**head, "type": "payout.paid", "payout": payout}
    if isinstance(news, MethodReport):
        return {**head, "type": f"method.{news.status}", "method": method_body(news)}
    return {**head, "type": f"payment.{news.status}", "payment": payment_body(news)}


def payment_body(payment: GatewayPayment) -> dict[str, Any]:
    """What a gateway says of one payment, in events and in answers to a look-up."""
    return {
        "id": payment.payment_id,
        "account_id": payment.account_id,
        "ref": payment.ref,
        "status": payment.status.value,
        "amount_minor": payment.amount.minor,
        "currency": payment.amount.currency,
        "happened_at": instant_text(payment.happened_at),
        "failure_code": payment.failure_code,
        "method": payment.method,
        "payout_id": payment.payout_id,
        "paid_out_at": instant_text(payment.paid_out_at) if payment.paid_out_at else None,
    }


def method_body(method: MethodReport) -> dict[str, Any]:
    """What a gateway says of one stored method, in events and in answers to a look-up."""
    return {
        "id": method.method_id,
        "account_id": method.account_id,
        "ref": method.ref,
        "status": method.status.value,
        "happened_at": instant_text(method.happened_at),
        "kind": method.kind.value,
        "shown_as": method.shown_as,
        "token": method.token,
        "currency": method.currency,
        "expires_on": method.expires_on.isoformat() if method.expires_on else None,
        "failure_code": method.failure_code,
    }


def event_from(raw: bytes | str) -> GatewayEvent:
    """The event in a body that is known to be the gateway's; Refusal `invalid_event` with every problem."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Refusal("invalid_event", "the event is not JSON") from error
    reader = _Reader(body)
    event_id = reader.text("id", _EVENT_ID)
    kind = reader.text("type", re.compile(r"payout\.paid|(payment|method)\.[a-z_]+"))
    occurred_at = reader.instant("occurred_at")
    news: GatewayPayment | Payout | MethodReport | None
    if kind == "payout.paid":
        news = _payout(reader.inside("payout"))
    else:
        what = kind.partition(".")[0]
        news = method_from(reader.inside(what)) if what == "method" else payment_from(reader.inside("payment"))
        if news is not None and kind != f"{what}.{news.status}":
            reader.problem("type", "type_mismatch", "the event's type and the status in it differ")
    reader.found.refuse_if_any("the event is not of the documented form", "invalid_event")
    assert news is not None and occurred_at is not None, "a reader without problems has read every field"
    return GatewayEvent(event_id, occurred_at, news)


def payment_report(body: object) -> GatewayPayment:
    """A gateway's answer to a look-up; Refusal `invalid_event` with every problem."""
    reader = _Reader(body)
    report = payment_from(reader)
    reader.found.refuse_if_any("the answer is not of the documented form", "invalid_event")
    assert report is not None, "a reader without problems has read every field"
    return report


def method_report(body: object) -> MethodReport:
    """A gateway's answer to a look-up of a method; Refusal `invalid_event` with every problem."""
    reader = _Reader(body)
    report = method_from(reader)
    reader.found.refuse_if_any("the answer is not of the documented form", "invalid_event")
    assert report is not None, "a reader without problems has read every field"
    return report


def method_from(reader: _Reader) -> MethodReport | None:
    """The stored method a reader stands on; None, with the problems in the reader, when it is not of the form."""
    status, kind = (
        reader.text(n, re.compile("|".join(of))) for n, of in (("status", MethodStatus), ("kind", MethodKind))
    )
    expires_on = reader.day("expires_on") if reader.has("expires_on") else None
    happened_at, method_id, account_id = (
        reader.instant("happened_at"),
        reader.id("id", "meth"),
        reader.id("account_id", "acct"),
    )
    ref, shown_as = reader.text("ref", _EVENT_ID), reader.text("shown_as", re.compile(r".{0,40}"), optional=True)
    token = reader.text("token", re.compile(r"[A-Za-z0-9_\-]{0,80}"), optional=True)
    currency = reader.text("currency", re.compile(r"([A-Z]{3})?"), optional=True)
    failure_code = reader.text("failure_code", _CODE, optional=True)
    if reader.found or happened_at is None:
        return None
    stands = MethodStatus(status), happened_at, MethodKind(kind)
    return MethodReport(method_id, account_id, ref, *stands, shown_as, token, currency, expires_on, failure_code)


def payment_from(reader: _Reader) -> GatewayPayment | None:
    """The payment a reader stands on; None, with the problems in the reader, when it is not of the form."""
    status_text = reader.text("status", re.compile("|".join(PaymentStatus)))
    paid_out_at = reader.instant("paid_out_at") if reader.has("paid_out_at") else None
    amount, happened_at = reader.amount(), reader.instant("happened_at")
    payment_id, account_id = reader.id("id", "pay"), reader.id("account_id", "acct")
    ref = reader.text("ref", _EVENT_ID)
    failure_code = reader.text("failure_code", _CODE, optional=True)
    method = reader.text("method", re.compile(r".{0,40}"), optional=True)
    payout_id = reader.text("payout_id", re.compile(r"[A-Za-z0-9_\-]{0,80}"), optional=True)
    if reader.found or amount is None or happened_at is None:
        return None
    status = PaymentStatus(status_text)
    return GatewayPayment(
        payment_id, account_id, ref, status, amount, happened_at, failure_code, method, payout_id, paid_out_at
    )


def _payout(reader: _Reader) -> Payout | None:
    payout_id, paid_at = reader.text("id", _EVENT_ID), reader.instant("paid_at")
    listed = []
    for each in reader.each("payments", _MOST_PAID_OUT):
        payment_id, account_id, amount = each.id("id", "pay"), each.id("account_id", "acct"), each.amount()
        if amount is not None and amount.minor <= 0:
            each.problem("amount_minor", "not_above_zero", "a paid out amount is above zero")
        elif amount is not None:
            listed.append(PaidOut(payment_id, account_id, amount))
    if reader.found or paid_at is None:
        return None
    return Payout(payout_id, paid_at, tuple(listed))


class _Reader:
    """Reads fields of a JSON object and collects everything that is wrong with them."""

    def __init__(self, value: object, path: str = "", found: Problems | None = None) -> None:
        self.found = Problems() if found is None else found
        self._path = path
        self._fields: Mapping[str, Any] = value if isinstance(value, dict) else {}
        if not isinstance(value, dict):
            self.problem("", "not_an_object", "must be a JSON object")

    def problem(self, name: str, code: str, message: str) -> None:
        path = ".".join(p for p in (self._path, name) if p)
        self.found.extend([Problem(path, code, message)])

    def has(self, name: str) -> bool:
        return self._fields.get(name) is not None

    def text(self, name: str, shape: re.Pattern[str], *, optional: bool = False) -> str:
        value = self._fields.get(name, "" if optional else None)
        if isinstance(value, str) and shape.fullmatch(value):
            return value
        self.problem(name, "invalid_text", "is missing or not of the documented form")
        return ""

    def id(self, name: str, prefix: str) -> str:
        try:
            return check_id(self.text(name, _EVENT_ID), prefix)
        except Refusal as refusal:
            self.problem(name, refusal.code, refusal.message)
            return ""

    def instant(self, name: str) -> datetime | None:
        try:
            return instant_from(self._fields.get(name, "")).astimezone(UTC)
        except (ValueError, AttributeError, TypeError, OverflowError):
            self.problem(name, "invalid_instant", "must be an instant with an offset")
            return None

    def day(self, name: str) -> date | None:
        try:
            return date.fromisoformat(self._fields.get(name, ""))
        except (ValueError, TypeError):
            self.problem(name, "invalid_date", "must be a date")
            return None

    def amount(self) -> Money | None:
        minor, currency = self._fields.get("amount_minor"), self.text("currency", _CURRENCY)
        if type(minor) is int and 0 <= minor < 10**15 and currency:
            return Money(minor, currency)
        self.problem("amount_minor", "invalid_amount", "must be whole minor units of a currency")
        return None

    def inside(self, name: str) -> _Reader:
        return _Reader(self._fields.get(name), f"{self._path}.{name}".lstrip("."), self.found)

    def each(self, name: str, most: int) -> list[_Reader]:
        values = self._fields.get(name)
        if not isinstance(values, list) or not 1 <= len(values) <= most:
            self.problem(name, "invalid_list", f"must be a list of 1 to {most}")
            return []
        return [_Reader(v, f"{self._path}.{name}[{i}]".lstrip("."), self.found) for i, v in enumerate(values)]
