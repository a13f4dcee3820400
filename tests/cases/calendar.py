"""Boundaries of billing periods, and meters."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from tests.cases.reading import Area, Case, Document, fee, number, plan, quoted, same


def _subscribed(components: Document, subscription: Document, billing: Document, **more: Any) -> list[Document]:
    cycle = more.pop("cycle", {})
    document = {"billing": billing, "plans": [plan("p", components, **cycle)], **more}
    return quoted({**document, "subscriptions": [{"plan": "p", **subscription}]})


def _lines(invoices: list[Document]) -> list[Document]:
    return [line for invoice in invoices for line in invoice["lines"]]


def repeating_dates(inputs: Case, expected: Case, _option: Document) -> None:
    start, dates = inputs.get("anchor", inputs.get("start")), expected["dates"]
    invoices = _subscribed(
        fee(inputs.get("price", "1")),
        {"started_on": start},
        {"from": start, "through": dates[-1]},
        cycle={"cycle_unit": inputs.get("every", "month")},
    )
    assert [invoice["issued_on"] for invoice in invoices] == dates
    if "amount_each" in expected:
        same([invoice["net"] for invoice in invoices], [expected["amount_each"]] * inputs["n"])


def arrears_at_month_end(inputs: Case, expected: Case, _option: Document) -> None:
    billing = {"from": inputs["start"], "through": inputs["target"]}
    invoices = _subscribed(fee("1", timing="arrears"), {"started_on": inputs["start"]}, billing)
    assert [[line["from"], line["until"]] for line in _lines(invoices)] == expected["billed_periods"]


def dst_gap(inputs: Case, expected: Case, _option: Document) -> None:
    start = inputs["start_local"].split("T")[0]
    assert start == expected["start_date"]
    invoices = _subscribed(
        fee("1", timing="advance"),
        {"started_on": start},
        {"from": start, "through": expected["period_starts"][-1]},
        account={"time_zone": inputs["tz"]},
    )
    assert [line["from"] for line in _lines(invoices)] == expected["period_starts"]


def dst_year(inputs: Case, expected: Case, _option: Document) -> None:
    start = date(int(inputs["start"][:4]), 1, 1)
    months = inputs["months"] - 1
    through = date(start.year + months // 12, months % 12 + 1, 1)
    invoices = _subscribed(
        fee(inputs["monthly"]),
        {"started_on": start.isoformat()},
        {"from": start.isoformat(), "through": through.isoformat()},
        account={"time_zone": inputs["tz"]},
    )
    assert len(invoices) == expected["invoices"]
    same([i["net"] for i in invoices], [expected["amount_each"]] * inputs["months"])
    same(sum(number(i["net"]) for i in invoices), expected["total"])


def local_date(inputs: Case, expected: Case, _option: Document) -> None:
    first, end = expected["first_paid_period"]
    invoices = _subscribed(
        fee(inputs["price"]),
        {"started_at": expected["utc_start"], "trial_days": inputs["trial_days"]},
        {"from": inputs["start_local"].split("T")[0], "through": first},
        account={"time_zone": inputs["tz"]},
    )
    (line,) = _lines(invoices)
    assert [line["from"], line["until"]] == [first, end]
    assert date.fromisoformat(line["from"]).day == expected["bcd"]
    same(line["amount"], expected["amount"])


def double_run(inputs: Case, expected: Case, _option: Document) -> None:
    anniversary = inputs["weekly_anniversary_on_local"]
    invoices = _subscribed(
        fee("1"),
        {"started_on": anniversary},
        {"at": inputs["job_runs_utc"]},
        cycle={"cycle_unit": "week"},
        account={"time_zone": inputs["tz"]},
    )
    assert len(invoices) == expected["invoices"]


def weighted_sum(inputs: Case, expected: Case, _option: Document) -> None:
    """Changes of a level, averaged over the month; group by group where there are groups."""
    start, zone = _month_of(inputs["period"])
    groups = [name for name in ("eu", "us") if name in inputs]
    rows = {name: inputs[name] for name in groups}
    rows = rows or {"all": inputs.get("deltas(h:m,value)", inputs.get("adds"))}
    events = [
        {"meter_id": "level", "at": _moment(start, at), "value": str(value), "properties": {"group": name}}
        for name, changes in rows.items()
        for at, value in changes
    ]
    price = {
        "kind": "matrix",
        "dimensions": ["group"],
        "cells": [],
        "other": {"kind": "per_unit", "unit_price": "1000"},
    }
    first = date.fromisoformat(start[:10])
    end = date(first.year, first.month + 1, 1).isoformat()
    invoices = _subscribed(
        fee(price, "used", meter_id="level"),
        {"started_on": first.isoformat()},
        {"on": end},
        account={"time_zone": zone},
        usage={"meters": [{"id": "level", "aggregation": "weighted"}], "events": events},
    )
    steps = _lines(invoices)[0]["steps"]
    wanted = [expected[name] for name in groups] or [expected["weighted"]]
    for step, value in zip(steps, wanted, strict=True):
        digits = -int(Decimal(value).as_tuple().exponent)
        same(round(number(step["units"]), digits), value)


def _month_of(period: Any) -> tuple[str, str]:
    """The first day of the month, and a zone in which the period is that month."""
    if isinstance(period, list):
        begins = datetime.fromisoformat(period[0])
        zones = {"18:30": "Asia/Kolkata", "00:00": "UTC"}
        zone = zones[begins.strftime("%H:%M")]
        return (begins.replace(day=1, month=begins.month + 1) if zone != "UTC" else begins).date().isoformat(), zone
    return f"{period.split(' ')[0]}-01", "UTC"


def _moment(start: str, text: str) -> str:
    return f"{text}T00:00:00Z" if "-" in text else f"{start}T{text}:00Z"


AREAS: Mapping[str, Area] = {
    "calendar.anchor_31": Area(repeating_dates),
    "calendar.arrears_eom": Area(arrears_at_month_end),
    "calendar.bcd_31": Area(repeating_dates),
    "calendar.double_run": Area(double_run),
    "calendar.dst_gap": Area(dst_gap),
    "calendar.dst_year": Area(dst_year),
    "calendar.leap_day_annual": Area(repeating_dates),
    "calendar.local_date": Area(local_date),
    "metering.weighted_sum": Area(weighted_sum),
}
