"""Invoices before their day, as the models of the API."""

from __future__ import annotations

from functions.api.v1.models import AheadOut, MeterOut, NextInvoiceOut
from functions.api.v1.presenting import line_out
from saldo.invoicing.model import BilledAccount
from saldo.invoicing.model_forecast import NextInvoice, amounts_of
from saldo.kernel.exact import plain
from saldo.usage.rules_forecast import LiveMeter


def next_invoice_out(ahead: NextInvoice) -> NextInvoiceOut:
    currency = ahead.account.currency
    return NextInvoiceOut(
        account=ahead.account.id,
        on=ahead.on,
        currency=currency,
        so_far=_ahead(ahead.so_far, currency),
        expected=_ahead(ahead.expected, currency),
        meters=[_meter(live) for live in ahead.meters],
    )


def _ahead(billed: BilledAccount, currency: str) -> AheadOut:
    lines = [line_out(line, body) for body in billed.bodies for line in body.lines]
    return AheadOut.model_validate({**amounts_of(billed, currency), "lines": lines})


def _meter(live: LiveMeter) -> MeterOut:
    period = live.key.period
    told: dict[str, object] = {
        "meter": live.meter.id,
        "subscription": live.key.subscription_id or None,
        "from": period.start,
        "until": period.end,
        "so_far": plain(live.so_far),
        "forecast": plain(live.forecast.quantity),
        "method": live.forecast.method.value,
    }
    return MeterOut.model_validate(told)
