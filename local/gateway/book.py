"""What the gateway keeps, in SQLite: checkouts, stored methods, news to deliver, payouts.

Each change and its news are one commit.
"""

from __future__ import annotations

import hmac
import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from threading import RLock
from typing import Any
from uuid import uuid4

from local.gateway.methods import TestMethod
from local.gateway.moods import Mood
from local.gateway.reports import report, setup_report
from saldo.kernel.clock import instant_from, instant_text
from saldo.kernel.errors import Refusal
from saldo.kernel.money import Money
from saldo.kernel.regions import region_of
from saldo.payments.model import GatewayEvent, PaidOut, PaymentStatus, Payout
from saldo.payments.ports import CheckoutRequest, SetupRequest
from saldo.payments.webhooks import event_body

_SCHEMA = """
CREATE TABLE IF NOT EXISTS checkouts (
    ref TEXT PRIMARY KEY, payment_id TEXT NOT NULL UNIQUE, account_id TEXT NOT NULL, region TEXT NOT NULL,
    amount_minor INTEGER NOT NULL, currency TEXT NOT NULL, description TEXT NOT NULL, merchant TEXT NOT NULL,
    language TEXT NOT NULL, return_url TEXT NOT NULL, status TEXT NOT NULL, failure_code TEXT NOT NULL DEFAULT '',
    method TEXT NOT NULL DEFAULT '', happened_at TEXT NOT NULL, due_outcome TEXT, due_at TEXT,
    payout_id TEXT NOT NULL DEFAULT '', paid_out_at TEXT);
CREATE INDEX IF NOT EXISTS checkouts_due ON checkouts (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS checkouts_unpaid ON checkouts (happened_at) WHERE status = 'settled' AND payout_id = '';
CREATE TABLE IF NOT EXISTS events (
    number INTEGER PRIMARY KEY AUTOINCREMENT, region TEXT NOT NULL, body TEXT NOT NULL, next_at TEXT,
    tries INTEGER NOT NULL DEFAULT 0, lost INTEGER NOT NULL DEFAULT 0, copies INTEGER NOT NULL DEFAULT 0,
    delivered_at TEXT);
CREATE TABLE IF NOT EXISTS setups (
    ref TEXT PRIMARY KEY, method_id TEXT NOT NULL UNIQUE, account_id TEXT NOT NULL, region TEXT NOT NULL,
    currency TEXT NOT NULL, merchant TEXT NOT NULL, language TEXT NOT NULL, return_url TEXT NOT NULL,
    status TEXT NOT NULL, happened_at TEXT NOT NULL, due_at TEXT, kind TEXT NOT NULL DEFAULT 'card',
    shown_as TEXT NOT NULL DEFAULT '', outcome TEXT NOT NULL DEFAULT '', pays_in TEXT NOT NULL DEFAULT '',
    expires_on TEXT, token TEXT NOT NULL DEFAULT '', failure_code TEXT NOT NULL DEFAULT '',
    forgotten INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS events_due ON events (next_at) WHERE next_at IS NOT NULL;
"""
_S = PaymentStatus
_MOST_PAID_OUT = 100


@dataclass(frozen=True, slots=True)
class Pace:
    """How long things take: a debit to settle, a checkout to expire unpaid, settled money to reach the bank."""

    debit: timedelta = timedelta(seconds=20)
    expiry: timedelta = timedelta(hours=24)
    payout: timedelta = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook that is due. `lost`: how many more deliveries get lost on purpose."""

    number: int
    region: str
    body: bytes
    tries: int
    lost: int
    copies: int


class Book:
    """All the gateway knows. Safe to use from several threads."""

    def __init__(self, path: Path, secret: bytes, pace: Pace, mood: Mood) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._secret, self._pace, self._mood = secret, pace, mood
        self._lock = RLock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def copy(self) -> bytes:
        """All of it, for `put_back`."""
        with self._lock:
            return self._db.serialize()

    def put_back(self, copied: bytes) -> None:
        """Know what was known when the copy was made, and nothing that came after."""
        with self._lock:
            self._db.deserialize(copied)

    @contextmanager
    def _commit(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def open_checkout(self, request: CheckoutRequest, now: datetime) -> sqlite3.Row:
        """The checkout of this payment id: opened now or, for a known id, as it is. The id counts for ever.

        With the token of a stored method that is charged at once, without the payer, in the same commit.
        Refusal `idempotency_mismatch` when the id was used for another account or amount, `method_gone` for a token
        that is not there (any more) for this account and currency.
        """
        values = self._columns(request, now)
        with self._commit() as db:
            is_new = _insert(db, "checkouts", values)
            if is_new and request.token:
                self._charge(db, values["ref"], request, now)
            row = self.by_payment(request.payment_id)
        assert row is not None, "a checkout that was written is there"
        if any(row[name] != values[name] for name in ("payment_id", "account_id", "amount_minor", "currency")):
            raise Refusal("idempotency_mismatch", "this payment id was used for another account or amount")
        return row

    def _charge(self, db: sqlite3.Connection, ref: object, request: CheckoutRequest, now: datetime) -> None:
        stored = self._one("SELECT * FROM setups WHERE token = ? AND forgotten = 0", request.token)
        if stored is None or stored["account_id"] != request.account_id:
            raise Refusal("method_gone", "there is no such stored method")
        if stored["pays_in"] not in ("", request.amount.currency):
            raise Refusal("method_gone", "this method does not pay in this currency")
        method = TestMethod("", stored["shown_as"], stored["outcome"])
        if stored["expires_on"] and stored["expires_on"] < now.date().isoformat():
            method = TestMethod("", stored["shown_as"], "expired_card")
        if stored["kind"] == "debit":
            self._debit(db, str(ref), method, now)
        else:
            self._card(db, str(ref), method, now)

    def _columns(self, request: CheckoutRequest, now: datetime) -> dict[str, object]:
        digest = hmac.new(self._secret, b"ref/" + request.payment_id.encode(), sha256).hexdigest()
        return {
            "ref": f"chk_{digest[:32]}",
            "payment_id": request.payment_id,
            "account_id": request.account_id,
            "region": region_of(request.account_id),
            "amount_minor": request.amount.minor,
            "currency": request.amount.currency,
            "description": request.description,
            "merchant": request.merchant,
            "language": request.language,
            "return_url": request.return_url,
            "status": _S.STARTED.value,
            "happened_at": instant_text(now),
            "due_outcome": "expired",
            "due_at": instant_text(now + self._pace.expiry),
        }

    def _row(self, ref: str) -> sqlite3.Row:
        row = self.by_ref(ref)
        assert row is not None, "a checkout that was written is there"
        return row

    def by_ref(self, ref: str) -> sqlite3.Row | None:
        return self._one("SELECT * FROM checkouts WHERE ref = ?", ref)

    def by_payment(self, payment_id: str) -> sqlite3.Row | None:
        return self._one("SELECT * FROM checkouts WHERE payment_id = ?", payment_id)

    def _one(self, query: str, *values: object) -> sqlite3.Row | None:
        with self._lock:
            found: sqlite3.Row | None = self._db.execute(query, values).fetchone()
            return found

    def pay_by_card(self, ref: str, card: TestMethod, now: datetime) -> sqlite3.Row:
        """Take a card payment; it settles, fails or asks for authentication at once. A second try changes nothing."""
        with self._commit() as db:
            self._card(db, ref, card, now)
            return self._row(ref)

    def _card(self, db: sqlite3.Connection, ref: str, card: TestMethod, now: datetime) -> None:
        if card.outcome == "challenge":
            self._move(db, ref, {_S.STARTED}, _S.REQUIRES_ACTION, now, method=card.shown_as)
        elif card.outcome == "settle":
            self._move(db, ref, {_S.STARTED}, _S.PROCESSING, now, method=card.shown_as)
            self._move(db, ref, {_S.PROCESSING}, _S.SETTLED, now)
        else:
            self._move(db, ref, {_S.STARTED}, _S.FAILED, now, method=card.shown_as, code=card.outcome)

    def answer_challenge(self, ref: str, approved: bool, now: datetime) -> sqlite3.Row:
        """The payer's answer to strong authentication."""
        with self._commit() as db:
            if not approved:
                self._move(db, ref, {_S.REQUIRES_ACTION}, _S.FAILED, now, code="authentication_failed")
            elif self._move(db, ref, {_S.REQUIRES_ACTION}, _S.PROCESSING, now):
                self._move(db, ref, {_S.PROCESSING}, _S.SETTLED, now)
            return self._row(ref)

    def pay_by_debit(self, ref: str, account: TestMethod, now: datetime) -> sqlite3.Row:
        """Take a SEPA debit: it is under way at once and settles, or comes back, after the pace's time."""
        with self._commit() as db:
            self._debit(db, ref, account, now)
            return self._row(ref)

    def _debit(self, db: sqlite3.Connection, ref: str, account: TestMethod, now: datetime) -> None:
        due = (account.outcome, now + self._pace.debit)
        self._move(db, ref, {_S.STARTED}, _S.PROCESSING, now, method=account.shown_as, due=due)

    def cancel(self, ref: str, now: datetime) -> sqlite3.Row:
        with self._commit() as db:
            self._move(db, ref, {_S.STARTED, _S.REQUIRES_ACTION}, _S.CANCELLED, now)
            return self._row(ref)

    # -- stored methods ----------------------------------------------------------------------------------------------

    def open_setup(self, request: SetupRequest, now: datetime) -> sqlite3.Row:
        """The page of this method id: opened now or, for a known id, as it is. The id counts for ever."""
        digest = hmac.new(self._secret, b"setup/" + request.method_id.encode(), sha256).hexdigest()
        values = {
            "ref": f"set_{digest[:32]}",
            "region": region_of(request.account_id),
            "status": "started",
            "happened_at": instant_text(now),
            "due_at": instant_text(now + self._pace.expiry),
            **asdict(request),
        }
        with self._commit() as db:
            _insert(db, "setups", values)
            row = self.setup_of(request.method_id)
        assert row is not None, "a setup that was written is there"
        if row["account_id"] != request.account_id:
            raise Refusal("idempotency_mismatch", "this method id was used for another account")
        return row

    def setup_of(self, method_id: str) -> sqlite3.Row | None:
        return self._one("SELECT * FROM setups WHERE method_id = ?", method_id)

    def setup_by_ref(self, ref: str) -> sqlite3.Row | None:
        return self._one("SELECT * FROM setups WHERE ref = ?", ref)

    def save(
        self,
        ref: str,
        kind: str,
        method: TestMethod,
        now: datetime,
        *,
        pays_in: str = "",
        expires_on: date | None = None,
    ) -> sqlite3.Row:
        """Store what was typed: at once, after strong authentication, or not at all. A second try changes nothing."""
        outcome, known = method.saves or method.outcome, {"kind": kind, "shown_as": method.shown_as}
        known |= {"outcome": method.outcome, "pays_in": pays_in}
        if expires_on:
            known["expires_on"] = expires_on.isoformat()
        with self._commit() as db:
            if outcome == "challenge":
                self._turn(db, ref, {"started"}, "challenged", now, **known)
            elif outcome == "settle":
                self._turn(db, ref, {"started"}, "active", now, token=self._token(ref), **known)
            else:
                self._turn(db, ref, {"started"}, "failed", now, failure_code=outcome, **known)
            return self._setup(ref)

    def answer_setup(self, ref: str, approved: bool, now: datetime) -> sqlite3.Row:
        """The payer's answer to strong authentication."""
        with self._commit() as db:
            if approved:
                self._turn(db, ref, {"challenged"}, "active", now, token=self._token(ref))
            else:
                self._turn(db, ref, {"challenged"}, "failed", now, failure_code="authentication_failed")
            return self._setup(ref)

    def leave_setup(self, ref: str, now: datetime) -> sqlite3.Row:
        with self._commit() as db:
            self._turn(db, ref, {"started", "challenged"}, "failed", now, failure_code="cancelled")
            return self._setup(ref)

    def forget(self, method_id: str) -> None:
        """Its token opens nothing any more; nothing is told of it."""
        with self._commit() as db:
            db.execute("UPDATE setups SET forgotten = 1, due_at = NULL WHERE method_id = ?", (method_id,))

    def _token(self, ref: str) -> str:
        return f"tok_{hmac.new(self._secret, b'token/' + ref.encode(), sha256).hexdigest()[:32]}"

    def _setup(self, ref: str) -> sqlite3.Row:
        row = self.setup_by_ref(ref)
        assert row is not None, "a setup that was written is there"
        return row

    def _turn(self, db: sqlite3.Connection, ref: str, allowed: set[str], to: str, now: datetime, **known: str) -> None:
        if self._setup(ref)["status"] not in allowed:
            return
        due_at = self._setup(ref)["due_at"] if to == "challenged" else None
        values = {"status": to, "happened_at": instant_text(now), "due_at": due_at, **known}
        names = ", ".join(f"{name} = :{name}" for name in values)
        db.execute(f"UPDATE setups SET {names} WHERE ref = :ref", {**values, "ref": ref})  # noqa: S608 - own names
        if to != "challenged":
            event = GatewayEvent(f"evt_{uuid4().hex}", now, setup_report(self._setup(ref)))
            self._tell(db, self._setup(ref)["region"], event, now)

    def let_time_pass(self, now: datetime) -> None:
        """Settle or return debits that are due, let unpaid checkouts expire, pay out what settled long enough ago."""
        with self._commit() as db:
            due = "SELECT ref, due_outcome FROM checkouts WHERE due_at <= ?"
            for row in db.execute(due, (instant_text(now),)).fetchall():
                if row["due_outcome"] == "expired":
                    self._move(db, row["ref"], {_S.STARTED, _S.REQUIRES_ACTION}, _S.CANCELLED, now, code="expired")
                elif row["due_outcome"] == "settle":
                    self._move(db, row["ref"], {_S.PROCESSING}, _S.SETTLED, now)
                else:
                    self._move(db, row["ref"], {_S.PROCESSING}, _S.FAILED, now, code=row["due_outcome"])
            for row in db.execute("SELECT ref FROM setups WHERE due_at <= ?", (instant_text(now),)).fetchall():
                self._turn(db, row["ref"], {"started", "challenged"}, "failed", now, failure_code="expired")
            self._pay_out(db, now)

    def _move(
        self,
        db: sqlite3.Connection,
        ref: str,
        allowed: set[PaymentStatus],
        to: PaymentStatus,
        now: datetime,
        *,
        method: str = "",
        code: str = "",
        due: tuple[str, datetime] | None = None,
    ) -> bool:
        row = self._row(ref)
        if PaymentStatus(row["status"]) not in allowed:
            return False
        outcome, at = due or (None, None)
        if due is None and to is _S.REQUIRES_ACTION:
            outcome, at = row["due_outcome"], instant_from(row["due_at"])
        db.execute(
            "UPDATE checkouts SET status = ?, failure_code = ?, method = ?, happened_at = ?, due_outcome = ?, "
            "due_at = ? WHERE ref = ?",
            (to.value, code, method or row["method"], instant_text(now), outcome, at and instant_text(at), ref),
        )
        self._tell(db, row["region"], GatewayEvent(f"evt_{uuid4().hex}", now, report(self._row(ref))), now)
        return True

    def _pay_out(self, db: sqlite3.Connection, now: datetime) -> None:
        ripe = "SELECT * FROM checkouts WHERE status = 'settled' AND payout_id = '' AND happened_at <= ? ORDER BY ref"
        waiting: dict[tuple[str, str], list[sqlite3.Row]] = {}
        for row in db.execute(ripe, (instant_text(now - self._pace.payout),)).fetchall():
            waiting.setdefault((row["region"], row["currency"]), []).append(row)
        for (region, currency), rows in waiting.items():
            chosen = rows[:_MOST_PAID_OUT]
            payout_id = f"po_{uuid4().hex}"
            for row in chosen:
                change = "UPDATE checkouts SET payout_id = ?, paid_out_at = ? WHERE ref = ?"
                db.execute(change, (payout_id, instant_text(now), row["ref"]))
            listed = [PaidOut(r["payment_id"], r["account_id"], Money(r["amount_minor"], currency)) for r in chosen]
            event = GatewayEvent(f"evt_{uuid4().hex}", now, Payout(payout_id, now, tuple(listed)))
            self._tell(db, region, event, now)

    def _tell(self, db: sqlite3.Connection, region: str, event: GatewayEvent, now: datetime) -> None:
        body = json.dumps(event_body(event), ensure_ascii=False)
        number = db.execute("INSERT INTO events (region, body) VALUES (?, ?)", (region, body)).lastrowid
        t = self._mood.treatment(number or 0)
        change = "UPDATE events SET next_at = ?, lost = ?, copies = ? WHERE number = ?"
        db.execute(change, (instant_text(now + timedelta(seconds=t.wait_s)), t.lost, t.copies, number))

    def due_deliveries(self, now: datetime, most: int = 50) -> list[Delivery]:
        query = "SELECT * FROM events WHERE next_at <= ? ORDER BY next_at, number LIMIT ?"
        with self._lock:
            rows = self._db.execute(query, (instant_text(now), most)).fetchall()
        return [
            Delivery(r["number"], r["region"], r["body"].encode(), r["tries"], r["lost"], r["copies"]) for r in rows
        ]

    def delivered(self, delivery: Delivery, now: datetime, again_at: datetime | None) -> None:
        """Note a delivery that was accepted; `again_at` when the same event is to be delivered once more."""
        change = "UPDATE events SET delivered_at = ?, next_at = ?, copies = copies - 1, tries = 0 WHERE number = ?"
        with self._commit() as db:
            db.execute(change, (instant_text(now), again_at and instant_text(again_at), delivery.number))

    def not_delivered(self, delivery: Delivery, again_at: datetime | None) -> None:
        """Note a delivery that failed; None gives the event up (the receiver must ask)."""
        change = "UPDATE events SET tries = tries + 1, lost = max(lost - 1, 0), next_at = ? WHERE number = ?"
        with self._commit() as db:
            db.execute(change, (again_at and instant_text(again_at), delivery.number))

    def counted(self) -> dict[str, Any]:
        """How many checkouts there are per status, and how many events still wait."""
        with self._lock:
            rows = self._db.execute("SELECT status, count(*) AS n FROM checkouts GROUP BY status").fetchall()
        waiting = self._one("SELECT count(*) AS n FROM events WHERE next_at IS NOT NULL")
        return {"checkouts": {r["status"]: r["n"] for r in rows}, "waiting_events": waiting["n"] if waiting else 0}


def _insert(db: sqlite3.Connection, table: str, values: Mapping[str, object]) -> bool:
    """Whether the row was written: not when its key is there already."""
    names, marks = ", ".join(values), ", ".join(f":{name}" for name in values)
    wrote = db.execute(f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})", values)  # noqa: S608 - own names
    return wrote.rowcount == 1
