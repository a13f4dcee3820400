"""What a row of the book is to the gateway's port: a payment, a stored method."""

from __future__ import annotations

import sqlite3
from datetime import date

from saldo.kernel.clock import instant_from
from saldo.kernel.money import Money
from saldo.payments.model import GatewayPayment, PaymentStatus
from saldo.payments.model_methods import MethodKind, MethodReport, MethodStatus


def setup_report(row: sqlite3.Row) -> MethodReport:
    """What the gateway says of a stored method, in events and when asked."""
    status = "started" if row["status"] == "challenged" else row["status"]
    return MethodReport(
        method_id=row["method_id"],
        account_id=row["account_id"],
        ref=row["ref"],
        status=MethodStatus(status),
        happened_at=instant_from(row["happened_at"]),
        kind=MethodKind(row["kind"]),
        shown_as=row["shown_as"],
        token=row["token"],
        currency=row["pays_in"],
        expires_on=date.fromisoformat(row["expires_on"]) if row["expires_on"] else None,
        failure_code=row["failure_code"],
    )


def report(row: sqlite3.Row) -> GatewayPayment:
    """What the gateway says of a checkout, in events and when asked."""
    return GatewayPayment(
        payment_id=row["payment_id"],
        account_id=row["account_id"],
        ref=row["ref"],
        status=PaymentStatus(row["status"]),
        amount=Money(row["amount_minor"], row["currency"]),
        happened_at=instant_from(row["happened_at"]),
        failure_code=row["failure_code"],
        method=row["method"],
        payout_id=row["payout_id"],
        paid_out_at=instant_from(row["paid_out_at"]) if row["paid_out_at"] else None,
    )
