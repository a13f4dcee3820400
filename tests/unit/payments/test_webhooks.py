"""Webhooks: only what the gateway signed, only when fresh, only of the documented form."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from saldo.kernel.errors import Refusal
from saldo.kernel.money import Money
from saldo.payments.model import GatewayEvent, GatewayPayment, PaidOut, PaymentStatus, Payout
from saldo.payments.webhooks import event_body, event_from, signed, signed_with_each, verified_body

NOW = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)
SECRET = b"a secret of the gateway"
REPORT = GatewayPayment(
    "pay_1", "acct_eu_a", "chk_1", PaymentStatus.SETTLED, Money(11_900, "EUR"), NOW, "", "Visa •••• 4242"
)
EVENT = GatewayEvent("evt_1", NOW, REPORT)
PAYOUT = GatewayEvent("evt_2", NOW, Payout("po_1", NOW, (PaidOut("pay_1", "acct_eu_a", Money(11_900, "EUR")),)))
RAW = json.dumps(event_body(EVENT)).encode()


def _refused(raw: bytes, header: str, now: datetime = NOW, secret: bytes = SECRET) -> str:
    with pytest.raises(Refusal) as refused:
        verified_body(raw, header, [secret], now)
    return refused.value.code


@pytest.mark.parametrize("event", [EVENT, PAYOUT])
def test_a_signed_event_comes_back_as_it_was_sent(event: GatewayEvent) -> None:
    raw = json.dumps(event_body(event)).encode()
    assert verified_body(raw, signed(raw, SECRET, NOW), [SECRET], NOW) == event


def test_a_body_changed_in_one_byte_is_refused() -> None:
    header = signed(RAW, SECRET, NOW)
    assert _refused(RAW.replace(b"11900", b"11901"), header) == "signature_mismatch"
    assert _refused(RAW + b" ", header) == "signature_mismatch"


def test_another_secret_does_not_sign() -> None:
    assert _refused(RAW, signed(RAW, b"guess", NOW)) == "signature_mismatch"


def test_a_signature_cannot_be_carried_to_another_time() -> None:
    header = signed(RAW, SECRET, NOW - timedelta(hours=1))
    fresh = f"t={int(NOW.timestamp())},{header.split(',')[1]}"
    assert _refused(RAW, fresh) == "signature_mismatch"


@pytest.mark.parametrize("late", [timedelta(seconds=301), timedelta(days=400), timedelta(seconds=-301)])
def test_what_is_older_than_five_minutes_or_from_the_future_is_refused(late: timedelta) -> None:
    assert _refused(RAW, signed(RAW, SECRET, NOW), NOW + late) == "signature_expired"


def test_how_long_a_refusal_takes_says_nothing_of_the_signature(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every signature given is compared, each in constant time, whichever of them is right."""
    compared: list[bytes] = []

    def constant_time(one: bytes, other: bytes) -> bool:
        compared.append(other)
        return one == other

    monkeypatch.setattr("saldo.payments.webhooks.hmac.compare_digest", constant_time)
    right = signed(RAW, SECRET, NOW)
    verified_body(RAW, f"{right},v1=guess,v1=another", [SECRET], NOW)
    assert compared == [right.partition("v1=")[2].encode(), b"guess", b"another"]


def test_five_minutes_are_fresh_enough() -> None:
    verified_body(RAW, signed(RAW, SECRET, NOW), [SECRET], NOW + timedelta(seconds=300))


def test_while_a_secret_is_replaced_both_sign() -> None:
    header = signed_with_each(RAW, [b"the new one", SECRET], NOW)
    assert verified_body(RAW, header, [SECRET], NOW) == EVENT
    assert verified_body(RAW, header, [b"the new one"], NOW) == EVENT


def test_while_our_own_secret_is_replaced_each_line_of_it_verifies() -> None:
    ours = [b"the new one", SECRET]
    assert [verified_body(RAW, signed(RAW, line, NOW), ours, NOW) for line in ours] == [EVENT, EVENT]
    with pytest.raises(Refusal, match="not signed"):
        verified_body(RAW, signed(RAW, b"", NOW), [], NOW)


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "signature_missing"),
        ("   ", "signature_missing"),
        ("nonsense", "signature_malformed"),
        ("t=,v1=00", "signature_malformed"),
        ("t=1.5,v1=00", "signature_malformed"),
        ("t=-1,v1=00", "signature_malformed"),
        ("t=١٢٣,v1=00", "signature_malformed"),
        (f"t={int(NOW.timestamp())}", "signature_malformed"),
        (f"t={int(NOW.timestamp())},v0=00", "signature_malformed"),
        (f"t={int(NOW.timestamp())},t=1,v1=00", "signature_malformed"),
        (f"t={int(NOW.timestamp())}," + ",".join(["v1=00"] * 9), "signature_malformed"),
        (f"t={int(NOW.timestamp())},v1=", "signature_mismatch"),
        (f"t={int(NOW.timestamp())},v1=é\udcff", "signature_mismatch"),
    ],
)
def test_a_header_that_is_missing_or_odd_is_refused(header: str, code: str) -> None:
    assert _refused(RAW, header) == code


def test_a_huge_body_is_refused_before_it_is_looked_at() -> None:
    assert _refused(b"x" * 200_001, "") == "event_too_large"


def _broken(**changes: Any) -> bytes:
    body = event_body(EVENT)
    body["payment"] |= changes
    return json.dumps(body).encode()


@pytest.mark.parametrize(
    ("raw", "fields"),
    [
        (b"not json", []),
        (b"[" * 100_000, []),
        (b"[]", ["", "id", "type", "occurred_at", "payment"]),
        (_broken(amount_minor=-1), ["payment.amount_minor"]),
        (_broken(amount_minor=1.5), ["payment.amount_minor"]),
        (_broken(amount_minor=True), ["payment.amount_minor"]),
        (_broken(amount_minor=10**15, id="inv_1"), ["payment.amount_minor", "payment.id"]),
        (_broken(account_id="acct_eu_A B"), ["payment.account_id"]),
        (_broken(status="charged_back"), ["payment.status"]),
        (_broken(status="failed"), ["type"]),
        (_broken(happened_at="2026-11-01T09:00:00"), ["payment.happened_at"]),
        (_broken(ref="../../x", method=7), ["payment.ref", "payment.method"]),
    ],
)
def test_an_event_that_is_not_of_the_form_is_refused_with_every_problem(raw: bytes, fields: list[str]) -> None:
    with pytest.raises(Refusal, match="invalid_event") as refused:
        event_from(raw)
    found = [p.field for p in refused.value.problems]
    assert set(fields) <= set(found) and bool(fields) == bool(found)


@pytest.mark.parametrize("payments", [[], None, [{}], [{"id": "pay_1", "account_id": "acct_eu_a", "currency": "EUR"}]])
def test_a_payout_without_proper_payments_is_refused(payments: object) -> None:
    body = event_body(PAYOUT)
    body["payout"]["payments"] = payments
    with pytest.raises(Refusal, match="invalid_event"):
        event_from(json.dumps(body))
