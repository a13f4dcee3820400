"""What the gateway answers to each request: its API for merchants, its pay page for payers. Knows no sockets."""

from __future__ import annotations

import hmac
import json
import re
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from local.gateway import pages
from local.gateway.asked import Request, checkout_request, setup_request
from local.gateway.book import Book
from local.gateway.courier import Courier
from local.gateway.methods import account_of, card_of, expiry_of
from local.gateway.moods import Mood
from local.gateway.reports import report, setup_report
from saldo.kernel.clock import Clock
from saldo.kernel.errors import Refusal
from saldo.payments.model import PaymentStatus
from saldo.payments.simulator import api_key
from saldo.payments.webhooks import method_body, payment_body

_PAY = re.compile(r"/pay/(chk_[0-9a-f]{32})(/card|/debit|/cancel|/challenge)?")
_SAVE = re.compile(r"/save/(set_[0-9a-f]{32})(/card|/debit|/cancel|/challenge)?")
_OPEN = (PaymentStatus.STARTED, PaymentStatus.REQUIRES_ACTION)


@dataclass(frozen=True, slots=True)
class Answer:
    """`lost`: the request was carried out and the connection is then cut without a word."""

    status: int
    body: bytes = b""
    kind: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    lost: bool = False


class Gateway:
    """The gateway's behaviour. `public_url`: where payers reach it."""

    def __init__(
        self, book: Book, courier: Courier, secrets: Sequence[bytes], public_url: str, clock: Clock, mood: Mood
    ) -> None:
        self._book, self._courier, self._clock, self._mood = book, courier, clock, mood
        self._public_url = public_url.rstrip("/")
        self._tokens = [f"Bearer {api_key(secret)}" for secret in secrets]
        self._opened = 0

    def answer(self, request: Request) -> Answer:
        """Never raises for anything a caller may send."""
        if request.path == "/health" and request.verb == "GET":
            return _json(200, {"status": "ok", **self._book.counted()})
        if request.path == "/pay.css" and request.verb == "GET":
            return Answer(200, pages.stylesheet(), "text/css; charset=utf-8")
        if request.path.startswith("/v1/"):
            return self._api(request)
        saving = _SAVE.fullmatch(request.path)
        if saving:
            return self._saving(request, self._book.setup_by_ref(saving[1]), saving[2] or "")
        match = _PAY.fullmatch(request.path)
        row = self._book.by_ref(match[1]) if match else None
        if match is None or row is None:
            return _html(404, pages.missing_page())
        if request.verb == "GET":
            return self._page(row, match[2] or "")
        return self._payer_acts(request, row, match[2] or "") if request.verb == "POST" else _error(405, "not_allowed")

    # -- the API for merchants -----------------------------------------------------------------------------------

    def _api(self, request: Request) -> Answer:
        given = request.headers.get("authorization", "").encode("utf-8", "replace")
        if not any(hmac.compare_digest(given, token.encode()) for token in self._tokens):
            return _error(401, "unauthorised", "the bearer token is missing or wrong")
        try:
            if request.path == "/v1/checkouts" and request.verb == "POST":
                return self._open(request)
            if request.path == "/v1/checkouts" and request.verb == "GET":
                return self._found(self._book.by_payment(request.query.get("key", "")))
            if request.path.startswith("/v1/checkouts/") and request.verb == "GET":
                return self._found(self._book.by_ref(request.path.removeprefix("/v1/checkouts/")))
            if request.path == "/v1/setups" and request.verb == "POST":
                return self._open_setup(request)
            if request.path.startswith("/v1/setups/"):
                return self._of_setup(request, *request.path.removeprefix("/v1/setups/").split("/"))
        except Refusal as refusal:
            status = 409 if refusal.code == "idempotency_mismatch" else 422
            problems = [p.as_dict() for p in refusal.problems]
            return _error(status, refusal.code, refusal.message, problems)
        return _error(404, "not_found", "there is nothing at this address")

    def _open(self, request: Request) -> Answer:
        wanted = checkout_request(request)
        row = self._book.open_checkout(wanted, self._clock())
        self._opened += 1
        answer = _json(201, self._checkout(row))
        return Answer(0, lost=True) if self._mood.loses_answer(self._opened) else answer

    def _open_setup(self, request: Request) -> Answer:
        row = self._book.open_setup(setup_request(request), self._clock())
        self._opened += 1
        lost = self._mood.loses_answer(self._opened)
        return Answer(0, lost=True) if lost else _json(201, self._stored(row))

    def _of_setup(self, request: Request, method_id: str, *verbs: str) -> Answer:
        row = self._book.setup_of(method_id)
        if row is None or verbs not in ((), ("forget",)):
            return _error(404, "not_found", "no such stored method")
        if verbs and request.verb == "POST":
            self._book.forget(method_id)
        return _json(200, self._stored(row))

    def _stored(self, row: sqlite3.Row) -> dict[str, object]:
        method = method_body(setup_report(row))
        return {"ref": row["ref"], "url": f"{self._public_url}/save/{row['ref']}", "method": method}

    def _found(self, row: sqlite3.Row | None) -> Answer:
        return _error(404, "not_found", "no such checkout") if row is None else _json(200, self._checkout(row))

    def _checkout(self, row: sqlite3.Row) -> dict[str, object]:
        return {
            "ref": row["ref"],
            "url": f"{self._public_url}/pay/{row['ref']}",
            "payment": payment_body(report(row)),
        }

    # -- the pages for payers --------------------------------------------------------------------------------------

    def _page(self, row: sqlite3.Row, part: str) -> Answer:
        if PaymentStatus(row["status"]) not in _OPEN:
            return _html(200, pages.over_page(row), row)
        if row["status"] == PaymentStatus.REQUIRES_ACTION:
            return _html(200, pages.challenge_page(row), row)
        return _html(200, pages.pay_page(row), row) if not part else _see(f"/pay/{row['ref']}")

    def _saving(self, request: Request, row: sqlite3.Row | None, part: str) -> Answer:
        """The page where a method is stored, and what the payer does there."""
        if row is None:
            return _html(404, pages.missing_page())
        if request.verb == "POST":
            return self._saver_acts(request, row, part)
        if request.verb != "GET":
            return _error(405, "not_allowed")
        if row["status"] == "challenged":
            return _html(200, pages.challenge_page(row), row)
        return _html(200, pages.pay_page(row) if row["status"] == "started" else pages.over_page(row), row)

    def _saver_acts(self, request: Request, row: sqlite3.Row, part: str) -> Answer:
        form, ref, now = request.form, row["ref"], self._clock()
        try:
            if part == "/card":
                row = self._book.save(ref, "card", card_of(form, now.date()), now, expires_on=expiry_of(form))
            elif part == "/debit" and row["currency"] == "EUR":
                row = self._book.save(ref, "debit", account_of(form), now, pays_in="EUR")
            elif part == "/challenge" and form.get("decision") in ("approve", "refuse"):
                row = self._book.answer_setup(ref, form["decision"] == "approve", now)
            elif part == "/cancel":
                row = self._book.leave_setup(ref, now)
        except Refusal as refusal:
            return _html(422, pages.pay_page(row, form, refusal.problems), row)
        self._courier.wake()
        return _see(f"/save/{ref}" if row["status"] in ("started", "challenged") else row["return_url"])

    def _payer_acts(self, request: Request, row: sqlite3.Row, part: str) -> Answer:
        """Post, then redirect: back to the merchant when it is decided, to the next page when it is not."""
        form, ref, now = request.form, row["ref"], self._clock()
        try:
            if part == "/card":
                row = self._book.pay_by_card(ref, card_of(form, now.date()), now)
            elif part == "/debit" and row["currency"] == "EUR":
                row = self._book.pay_by_debit(ref, account_of(form), now)
            elif part == "/challenge" and form.get("decision") in ("approve", "refuse"):
                row = self._book.answer_challenge(ref, form["decision"] == "approve", now)
            elif part == "/cancel":
                row = self._book.cancel(ref, now)
            else:
                return _see(f"/pay/{ref}")
        except Refusal as refusal:
            return _html(422, pages.pay_page(row, form, refusal.problems), row)
        self._courier.wake()
        return _see(f"/pay/{ref}" if PaymentStatus(row["status"]) in _OPEN else row["return_url"])


def _json(status: int, body: Mapping[str, object]) -> Answer:
    return Answer(status, json.dumps(body, ensure_ascii=False).encode())


def _error(status: int, code: str, message: str = "", problems: Sequence[Mapping[str, str]] = ()) -> Answer:
    return _json(status, {"error": {"code": code, "message": message or code, "problems": list(problems)}})


def _see(target: str) -> Answer:
    return Answer(303, headers={"Location": target})


def _html(status: int, page: str, row: sqlite3.Row | None = None) -> Answer:
    """A page that runs nothing and sends its forms here; browsers check redirects after forms too, so the
    merchant's own origin is allowed as their end."""
    back = urlsplit(row["return_url"]) if row is not None else None
    to = f" {back.scheme}://{back.netloc}" if back else ""
    policy = f"default-src 'none'; style-src 'self'; form-action 'self'{to}; base-uri 'none'; frame-ancestors 'none'"
    headers = {"Content-Security-Policy": policy, "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
    return Answer(status, page.encode(), "text/html; charset=utf-8", headers)
