"""Parts of periods and mid-period changes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal

from saldo.catalog.model import DayCount
from saldo.kernel.periods import Period
from saldo.rating.rules.proration import counted
from tests.cases.reading import Area, Case, Document, amounts_of, fee, number, percent_of, plan, quoted, rate, same

START = date(2025, 1, 1)


def days_after(day: date | str, days: int) -> str:
    day = date.fromisoformat(day) if isinstance(day, str) else day
    return (day + timedelta(days=days)).isoformat()


def of_days(days: int) -> Document:
    """A cycle of so many days."""
    return {"cycle_unit": "day", "cycle_count": days}


def part_of(amount: object, days: int, of: int) -> Document:
    """The line of the last days of a cycle of so many, in which a subscription begins."""
    (invoice,) = quoted(
        {
            "billing": {"on": days_after(START, of - days)},
            "plans": [plan("plan", fee(amount), **of_days(of))],
            "subscriptions": [
                {"plan": "plan", "started_on": days_after(START, of - days), "anchor_on": START.isoformat()}
            ],
        }
    )
    line: Document = invoice["lines"][0]
    return line


def changed(inputs: Case, change: Document, days: int, remaining: int, **more: object) -> list[Document]:
    """Invoices of a cycle of so many days, with a change when so many remain."""
    on = days_after(START, days - remaining)
    old, new = inputs.get("old", "1"), inputs.get("new", "1")
    return quoted(
        {
            "billing": {"from": START.isoformat(), "through": days_after(START, days)},
            "plans": [plan("old", fee(old), **of_days(days)), plan("new", fee(new), **of_days(days))],
            "subscriptions": [
                {
                    "plan": "old",
                    "started_on": START.isoformat(),
                    "changes": [{"effective_on": on, **change}],
                }
            ],
            **more,
        }
    )


UPGRADE: Document = {"kind": "plan", "plan": "new"}


def _remaining(inputs: Case) -> tuple[int, int]:
    if "remaining" in inputs:
        part, whole = inputs["remaining"].split("/")
        return int(part), int(whole)
    if "month_days" in inputs:
        return inputs["remaining_days_inclusive"], inputs["month_days"]
    return inputs["remaining_days"], inputs["days"]


def upgrade(inputs: Case, expected: Case, option: Document) -> None:
    if "price" in inputs:
        of = inputs.get("of", inputs.get("of_days"))
        same(part_of(inputs["price"], inputs.get("days") or _span(inputs), of)["amount"], expected["amount"])
        return
    remaining, days = _remaining(inputs)
    _first, legs, following = changed(inputs, UPGRADE | option, days, remaining)
    credit, charge = amounts_of(legs)
    found = {"credit": credit, "charge": charge, "new_plan": charge}
    found |= dict.fromkeys(("net", "net_of_rounded_legs"), legs["net"])
    found["next_invoice_with_pending_items"] = number(legs["net"]) + number(following["net"])
    if "net_exact_rounded" in expected:
        net = changed(inputs, UPGRADE, days, remaining, options={"change_legs": "net"})[1]
        found["net_exact_rounded"] = net["net"]
    for name, wanted in expected.items():
        same(found[name], wanted)


def _span(inputs: Case) -> int:
    return (date.fromisoformat(inputs["to"]) - date.fromisoformat(inputs["from"])).days


def daily_rate(inputs: Case, expected: Case, _option: Document) -> None:
    """The exact legs; a rate per day that is rounded first would cost the customer money."""
    upgrade(inputs, expected["exact"], {})


def downgrade_carry(inputs: Case, expected: Case, _option: Document) -> None:
    remaining, days = _remaining(inputs)
    _first, note, following = changed(inputs, UPGRADE, days, remaining)
    assert note["kind"] == "credit_note"
    same([note["net"], following["payable"]], [expected["net"], expected["next_charge"]])


def mixed(inputs: Case, expected: Case, _option: Document) -> None:
    start, end = map(date.fromisoformat, inputs["period"])
    pairs = inputs["components(old,new)"]
    cycle = of_days((end - start).days)
    plans = [plan(name, *(fee(p[n], f"c{i}") for i, p in enumerate(pairs)), **cycle) for n, name in enumerate("ab")]
    change = {"kind": "plan", "plan": "b", "effective_on": inputs["change_on"]}
    _, legs = quoted(
        {
            "billing": {"from": start.isoformat(), "through": inputs["change_on"]},
            "plans": plans,
            "subscriptions": [{"plan": "a", "started_on": start.isoformat(), "changes": [change]}],
        }
    )
    same(amounts_of(legs), expected["lines"])
    same(legs["net"], expected["net"])


def boundary(inputs: Case, expected: Case, _option: Document) -> None:
    days = (date.fromisoformat(inputs["period"][1]) - date.fromisoformat(inputs["period"][0])).days
    invoices = changed(inputs, UPGRADE, days, 0)
    prorated = [line for invoice in invoices for line in invoice["lines"] if line["share"] != {"days": 1, "of": 1}]
    assert prorated == expected["lines"]


def mixed_interval(inputs: Case, expected: Case, _option: Document) -> None:
    added = inputs["added"]
    (invoice,) = quoted(
        {
            "billing": {"on": START.isoformat()},
            "plans": [
                plan("p", fee(added["price"], priced_per=added["interval"]), **of_days(inputs["into_period_days"]))
            ],
            "subscriptions": [{"plan": "p", "started_on": START.isoformat()}],
        }
    )
    assert invoice["lines"][0]["share"]["of"] == added["days"]
    same(invoice["net"], expected["charge"])


def one_time(inputs: Case, expected: Case, _option: Document) -> None:
    setup = fee({"kind": "per_unit", "unit_price": inputs["one_time_price"]}, "setup", kind="one_time")
    (invoice,) = quoted(
        {
            "billing": {"on": "2025-01-17"},
            "plans": [plan("p", setup)],
            "subscriptions": [
                {
                    "plan": "p",
                    "started_on": "2025-01-17",
                    "alignment": "calendar",
                    "quantities": {"setup": inputs["quantity"]},
                }
            ],
        }
    )
    same(invoice["net"], expected["amount"])


def part(inputs: Case, expected: Case, _option: Document) -> None:
    amount = inputs.get("price", inputs.get("plan", inputs.get("amount")))
    line = part_of(amount, inputs["days"], inputs["of"])
    same(line["amount"], expected.get("amount", expected.get("invoiced")))
    if "amount_4dp" in expected:
        exact = number(line["exact"]) * inputs["days"] / inputs["of"]
        same(round(exact, 4), expected["amount_4dp"])


def leap(inputs: Case, expected: Case, option: Document) -> None:
    if "days" in inputs:
        part(inputs, expected, option)
        return
    line = stub(inputs["amount"], inputs["start"], alignment="calendar")
    assert line["until"] == days_after(inputs["period_end_inclusive"], 1)
    assert line["share"] == {"days": expected["days"], "of": expected["of"]}
    same(line["amount"], expected["amount"])


def stub(amount: object, on: str, day_count: str = "actual", **subscription: object) -> Document:
    """The first line of a monthly subscription that begins on a day."""
    (invoice,) = quoted(
        {
            "billing": {"on": on},
            "plans": [plan("p", fee(amount), day_count=day_count)],
            "subscriptions": [{"plan": "p", "started_on": on, **subscription}],
        }
    )
    line: Document = invoice["lines"][0]
    return line


def anniversary_quarter(inputs: Case, expected: Case, _option: Document) -> None:
    end = days_after(inputs["used_to_inclusive"], 1)
    (invoice,) = quoted(
        {
            "billing": {"on": inputs["used_from"]},
            "plans": [plan("p", fee(inputs["amount"]), **of_days(inputs["quarter_days"]))],
            "subscriptions": [{"plan": "p", "started_on": inputs["used_from"], "cancelled_on": end}],
        }
    )
    assert invoice["lines"][0]["share"] == {"days": expected["days"], "of": inputs["quarter_days"]}
    same(invoice["net"], expected["amount"])


def cancelled(inputs: Case, expected: Case, _option: Document) -> None:
    """What is unused of a period paid ahead comes back, with its tax."""
    amount = inputs.get("fee", inputs.get("plan", inputs.get("price")))
    unused = inputs.get("unused", f"{inputs.get('unused_days')}/{inputs.get('of')}")
    remaining, days = map(int, unused.split("/"))
    taxes = {"rates": [rate(percent_of(inputs.get("tax_rate", "0")))]}
    notes = changed({"old": amount}, {"kind": "cancel"}, days, remaining, taxes=taxes)
    note = notes[1]
    assert note["kind"] == "credit_note"
    names = {"credit_net": "net", "credit_tax": "tax", "credit_total": "total", "repair": "net"}
    for name, wanted in expected.items():
        found = number(note[names.get(name, name)])
        same(found if name == "repair" else -found, wanted)


def termination(inputs: Case, expected: Case, _option: Document) -> None:
    elapsed, days = map(int, inputs["elapsed"].split("/"))
    end = days_after(START, elapsed)
    used = fee({"kind": "per_unit", "unit_price": "1"}, "used", meter_id="units")
    (invoice,) = quoted(
        {
            "billing": {"on": end},
            "plans": [plan("p", used, minimum=inputs["minimum"], **of_days(days))],
            "subscriptions": [{"plan": "p", "started_on": START.isoformat(), "cancelled_on": end}],
            "usage": {"totals": [{"meter_id": "units", "quantity": inputs["usage"]}]},
            "taxes": {"rates": [rate(percent_of(inputs["tax_rate"]))]},
        }
    )
    same([line["amount"] for line in invoice["lines"] if line["kind"] == "true_up"], [expected["true_up"]])
    same(invoice["tax"], sum(map(number, expected["tax"])))
    same(invoice["total"], expected["total"])


def timezone(inputs: Case, expected: Case, _option: Document) -> None:
    invoices = quoted(
        {
            "billing": {"from": "2023-06-01", "through": "2023-06-18"},
            "account": {"time_zone": inputs["customer_tz"]},
            "plans": [plan("p", fee(inputs["plan_per_week"]), cycle_unit="week")],
            "subscriptions": [{"plan": "p", "started_at": inputs["subscribed_at"], "alignment": "calendar"}],
        }
    )
    (line,) = invoices[0]["lines"]
    assert line["share"]["days"] == expected["billed_days"]
    same(line["amount"], expected["amount"])


def trial(inputs: Case, expected: Case, _option: Document) -> None:
    if "created" not in inputs:
        days = inputs["month_days"] - inputs["days_before_start"] - inputs["trial_days"]
        same(part_of(inputs["plan"], days, inputs["month_days"])["amount"], expected["amount"])
        return
    (invoice,) = quoted(
        {
            "billing": {"from": inputs["created"], "through": days_after(inputs["created"], inputs["trial_days"])},
            "plans": [plan("p", fee(inputs["plan"]))],
            "subscriptions": [
                {
                    "plan": "p",
                    "started_on": inputs["created"],
                    "trial_days": inputs["trial_days"],
                    "alignment": "calendar",
                }
            ],
        }
    )
    (line,) = invoice["lines"]
    assert line["share"] == {"days": expected["days"], "of": expected["of"]}
    same(line["amount"], expected["amount"])


def factor_actual(inputs: Case, expected: Case, _option: Document) -> None:
    line = stub("1", inputs["from"], anchor_on=inputs["full_period"][0])
    assert line["until"] == inputs["to"]
    same(round(Decimal(line["share"]["days"]) / line["share"]["of"], 9), expected["factor"])


def day_count(inputs: Case, expected: Case, _option: Document) -> None:
    start, end = date.fromisoformat(inputs["from"]), date.fromisoformat(days_after(inputs["to_inclusive"], 1))
    names = {"actual": "actual", "actual_over_30": "actual_over_30", "strict_30": "30_360"}
    month = Period(start.replace(day=1), (start.replace(day=1) + timedelta(days=31)).replace(day=1))
    for name, choice in names.items():
        if Period(start, end) == month:  # a whole month costs the whole price; the count can be seen in its room
            share = counted(month, month, DayCount(choice))
            assert f"{share.days}/{share.of}" == expected[name]
            continue
        line = stub("1", inputs["from"], choice, alignment="calendar", cancelled_on=end.isoformat())
        assert f"{line['share']['days']}/{line['share']['of']}" == expected[name]


_MONTHS = {31: (2023, 5), 30: (2023, 6), 28: (2023, 2), 29: (2024, 2)}


def factor_fixed_30(inputs: Case, expected: Case, _option: Document) -> None:
    (rows,) = (rows for name, rows in inputs.items() if name.startswith("cases"))
    for leading, length in rows:
        year, month = _MONTHS[length]
        first, anchor = date(year, month, 1), days_after(date(year, month, 1), 0)
        day = days_after(first, length - leading)
        head = stub("1", day, "fixed_30", anchor_on=anchor)["share"]
        tail = stub("1", anchor, "fixed_30", anchor_on=anchor, cancelled_on=day)["share"]
        same(round(Decimal(head["days"]) / head["of"], 9), expected["leading_factor"])
        same(round(Decimal(tail["days"]) / tail["of"], 9), expected["trailing_factor"])


def fixed_30_amount(inputs: Case, expected: Case, _option: Document) -> None:
    first = stub(inputs["price"], inputs["start"], "fixed_30", anchor_day=inputs["bcd"])
    same(first["amount"], expected["first_invoice"])
    days = first["share"]["days"]
    anchor = first["until"]
    end = date.fromisoformat(anchor) + timedelta(days=(_month_after(anchor) - date.fromisoformat(anchor)).days - days)
    tail = stub(inputs["price"], anchor, "fixed_30", cancelled_on=end.isoformat())
    same(tail["amount"], expected["trailing"])


def _month_after(day: str) -> date:
    found = date.fromisoformat(day)
    return found.replace(month=found.month + 1)


def included_units(inputs: Case, expected: Case, _option: Document) -> None:
    days, of = inputs["days"], inputs["of"]
    price = {
        "kind": "included",
        "units": inputs["included_units_per_month"],
        "overage": {"kind": "per_unit", "unit_price": "1"},
    }
    start, end = days_after(START, of - days), days_after(START, of)
    (invoice,) = quoted(
        {
            "billing": {"on": end},
            "plans": [plan("p", fee(price, "used", meter_id="units"), **of_days(of))],
            "subscriptions": [{"plan": "p", "started_on": start, "anchor_on": START.isoformat()}],
            "usage": {"totals": [{"meter_id": "units", "quantity": "1000"}]},
        }
    )
    (step,) = (s for s in invoice["lines"][0]["steps"] if s["rule"] == "included")
    same(step["units"], expected["units"])


def partial_not_allowed(inputs: Case, expected: Case, _option: Document) -> None:
    end = days_after(inputs["to_inclusive"], 1)
    invoices = quoted(
        {
            "billing": {"from": inputs["from"], "through": inputs["to_inclusive"]},
            "plans": [plan("p", fee(inputs["monthly"], prorate=inputs["allow_partial_periods"]))],
            "subscriptions": [
                {
                    "plan": "p",
                    "started_on": inputs["from"],
                    "anchor_day": inputs["anchor_day"],
                    "cancelled_on": end,
                }
            ],
        }
    )
    lines = [line for invoice in invoices for line in invoice["lines"]]
    assert len(lines) == expected["periods"]
    same(sum(number(line["amount"]) for line in lines), expected["amount"])


WHOLE: Mapping[str, Document] = {"the fee of the old plan is credited whole": {"credit": "whole"}}

AREAS: Mapping[str, Area] = {
    "proration.anniversary_align": Area(part),
    "proration.anniversary_quarter": Area(anniversary_quarter),
    "proration.boundary": Area(boundary),
    "proration.calendar_month": Area(part),
    "proration.cancel_annual": Area(cancelled),
    "proration.credit_note_tax": Area(cancelled),
    "proration.daily_rate_rounded": Area(daily_rate),
    "proration.day_count": Area(day_count),
    "proration.downgrade_carry": Area(downgrade_carry),
    "proration.factor_actual_days": Area(factor_actual),
    "proration.factor_fixed_30": Area(factor_fixed_30),
    "proration.fixed_30_amount": Area(fixed_30_amount),
    "proration.leap": Area(leap),
    "proration.mixed": Area(mixed),
    "proration.mixed_interval": Area(mixed_interval),
    "proration.one_time": Area(one_time),
    "proration.partial_not_allowed": Area(partial_not_allowed),
    "proration.termination": Area(termination),
    "proration.termination_credit": Area(cancelled),
    "proration.timezone": Area(timezone),
    "proration.trial": Area(trial),
    "proration.upgrade": Area(upgrade, WHOLE),
    "proration.upgrade_annual": Area(upgrade),
    "proration.zuora_usage": Area(included_units),
}
