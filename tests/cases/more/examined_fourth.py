"""Cases of a fourth reader of the schema: laws unlike the directive, sums of unlike prices, and traps beside."""

from __future__ import annotations

from typing import Any

from tests.cases.more.building import Json, Worked, fee, items, monthly, plan, rate, subscribed
from tests.cases.more.changes import cancel, pause, resume
from tests.cases.more.pricing import per_unit
from tests.cases.more.proration import ALL, to
from tests.cases.more.receivables import FIRST, LATE, after, late
from tests.cases.more.taxes import NET, TAX, TOTAL
from tests.cases.more.taxes_due_on import due, under

IRELAND = "S.I. 580/2012, schedule"
BELGIUM = "Belgium, loi du 2 août 2002, article 5"
HALVES: Json = {"base_percent": "2.15", "later": [{"from_on": "2026-07-01", "base_percent": "3.15"}]}
INTEREST, SUM = LATE + ".interest", LATE + ".compensation"


def half_years(law: str, currency: str = "EUR") -> Json:
    """10,000, due on 20 June and open until the end of July, forty-one days."""
    asked: Json = {"as_of": "2026-07-31", "late_interest": {"law": law, **HALVES}}
    return {**after("10000", asked, currency=currency), "billing": {"on": "2026-06-20"}}


def irish(n: int, debt: str, fixed: str) -> Worked:
    rule = {"law": "IE", "base_percent": "2.15"}
    return Worked(f"dunning.ie.{n}", f"{IRELAND}, {debt}", late(debt, "2026-03-02", rule), {SUM: fixed})


def belgian(n: int, base: str, interest: str) -> Worked:
    """10,000 for thirty days."""
    rule = {"law": "BE", "base_percent": base}
    return Worked(f"dunning.be.{n}", f"{BELGIUM}, {base} + 8", late("10000", "2026-03-02", rule), {INTEREST: interest})


def least(*components: Json, used: str, **more: Any) -> Json:
    """A month in arrears with calls (of 1, reduced) that were used so often; taxes of 20 and 10 %."""
    calls = fee(per_unit("1"), "calls", meter_id="m", tax_category="reduced", **more.pop("calls", {}))
    return {
        **subscribed([*components, calls], {"started_on": "2026-01-01"}, {"on": "2026-02-01"}, **more),
        "usage": {"totals": [{"meter_id": "m", "quantity": used}]},
        "taxes": {"rates": [rate("20"), rate("10", "reduced")]},
    }


def in_parts(*parts: Json, **receivables: Any) -> Json:
    return after("1000", {"instalments": list(parts), **receivables})


def zoned(n: int, moment: str, issued: list[str]) -> Worked:
    """Begun in St. John's, three and a half hours behind."""
    terms = subscribed(fee("100"), {"started_at": moment}, {"from": "2026-02-28", "through": "2026-03-31"})
    document = {**terms, "account": {"time_zone": "America/St_Johns"}}
    return Worked(f"calendar.zone.{n + 3}", "tz database: half an hour", document, {"invoices.*.issued_on": issued})


def seats_more(on: str) -> Json:
    return {"kind": "quantity", "effective_on": on, "added": {"s": "1"}}


def ended_late(price: str, nets: list[str], case_id: str, source: str, **bound: str) -> Worked:
    """A fee in advance with ten percent off for ever, cancelled as of 16 January when February is billed too."""
    document = {
        "billing": {"dates": ["2026-01-01", "2026-02-01", "2026-02-06"]},
        "plans": [plan("p", fee(price), **bound)],
        "subscriptions": [{"plan": "p", "started_on": "2026-01-01", "alignment": "calendar",
                           "changes": [cancel("2026-01-16", came_on="2026-02-05")]}],
        "coupons": [{"percent": "10", "duration": "forever"}],
    }  # fmt: skip
    return Worked(case_id, source, document, {ALL: nets})


def of_class(n: str, name: str) -> Json:
    return {"id": n, "meter_id": "m", "at": f"2026-01-1{n}T00:00:00Z", "value": "1.5", "properties": {"class": name}}


BY_CLASS: Json = {"kind": "matrix", "dimensions": ["class"], "cells": [
    {"values": ["a"], "price": per_unit("2")}, {"values": ["b"], "price": per_unit("3")}]}  # fmt: skip
COUNTED_OTHERWISE: Json = {
    "billing": {"dates": ["2026-02-01", "2026-02-06"]},
    "plans": [plan("p", fee(per_unit("1"), "u", meter_id="m")), plan("q", fee(BY_CLASS, "u", meter_id="m"))],
    "subscriptions": [{"plan": "p", "started_on": "2026-01-01", "alignment": "calendar", "changes": [
        {"kind": "plan", "plan": "q", "effective_on": "2026-01-01", "came_on": "2026-02-05"}]}],
    "usage": {"meters": [{"id": "m", "rounding": "half_up", "digits": 0}],
              "events": [of_class("1", "a"), of_class("2", "b")]},
}  # fmt: skip
LINE = fee("100", "line", timing="arrears")
TWICE: Json = {"billing": {"dates": ["2026-01-31", "2026-02-28"]}, "items": [
    {"unit_price": "100", "on": "2026-01-31"}, {"unit_price": "80", "on": "2026-02-28"}]}  # fmt: skip
AHEAD = [{"on": "2026-02-05", "amount": "150"}]
BUCKETS = "receivables.aging.buckets"
OF_CALLS: Json = {"amount": "100", "components": ["calls"]}
WITHIN: Json = {"tax_inclusive": True}

CASES: tuple[Worked, ...] = (
    # laws
    irish(1, "1000", "40"),
    irish(2, "1000.01", "70"),
    irish(3, "10000", "70"),
    irish(4, "10000.01", "100"),
    Worked("dunning.ie.5", "Department of Enterprise: one rate, that of the day when it became overdue",
           half_years("IE"), {INTEREST: "114.01"}),
    belgian(1, "2.15", "86.30"),
    belgian(2, "2.5", "86.30"),
    belgian(3, "2.51", "90.41"),
    belgian(4, "0", "65.75"),
    Worked("dunning.cz.1", "nařízení vlády 351/2013, § 2: the half-year in which the debt became late, and 1,200",
           half_years("CZ", "CZK"), {INTEREST: "114.01", SUM: "1200"}),
    # sums of what is charged
    Worked("pricing.minimum.tax.1", "any: what is missing of calls is taxed as calls are",
           least(LINE, used="40", minimum=OF_CALLS), {NET: "200", TAX: "30"}),
    Worked("pricing.minimum.tax.2", "any: prices with their tax, and a minimum of 110 with it",
           least(used="66", minimum="110", calls=WITHIN), {TOTAL: "110", TAX: "10"}),
    Worked("pricing.minimum.tax.3", "any: of 100 without tax and of 66 with it there is no sum",
           least(LINE, used="66", minimum="200", calls=WITHIN), {"refused": "invalid_input"}),
    Worked("pricing.minimum.tax.4", "any: a percent of prices with their tax has its tax in it",
           least(fee({"kind": "percent_of", "percent": "50"}, "support", tax_category="reduced", **WITHIN), used="66",
                 calls=WITHIN), {TOTAL: "99", TAX: "9"}),
    # instalments with days of their own
    Worked("ar.instalments.5", "Tryton: account_invoice/tests/test_module.py, four, on the first of each month",
           {**after("1587.35", {"instalments": [{"amount": "396.84", "payment_terms": {"days": 0}}, *[
               {"amount": "396.84", "payment_terms": {"day": 1, "months": n}} for n in (1, 2)],
               {"payment_terms": {"day": 1, "months": 3}}]}), "billing": {"on": "2011-10-01"}},
           {FIRST + ".instalments": ["396.84", "396.84", "396.84", "396.83"],
            FIRST + ".instalments_due_on": ["2011-10-01", "2011-11-01", "2011-12-01", "2012-01-01"]}),
    Worked("ar.instalments.6", "Odoo, ERPNext: 30 % now, the balance at the end of the following month",
           in_parts({"percent": "30"}, {"payment_terms": {"days": 0, "then": "end_of_month", "months": 1}},
                    as_of="2026-03-10", payments=[{"on": "2026-02-05", "amount": "300"}]),
           {FIRST + ".instalments_due_on": ["2026-01-31", "2026-02-28"], BUCKETS + ".1_30": "700"}),
    Worked("dunning.instalments.2", "Directive 2011/7/EU, article 5: on what is overdue alone, each by itself",
           in_parts({"percent": "40"}, {"payment_terms": {"days": 30}}, as_of="2026-04-01",
                    late_interest={"law": "EU", "base_percent": "2"}), {INTEREST: "11.51", SUM: "80"}),
    Worked("ar.returned.1", "SEPA: a debit with its discount is returned",
           after("1000", {"early_discount": {"percent": "2", "days": 10}, "payments": [
               {"on": "2026-02-05", "amount": "980", "taken_back_on": "2026-02-20"}]}),
           {FIRST + ".open": "1000", FIRST + ".discount_taken": "0"}),
    Worked("ar.returned.2", "any: a cheque for two invoices bounces, and bears interest from the due date",
           {**TWICE, "account": {"payment_terms_days": 0}, "receivables": {"as_of": "2026-04-01", "payments": [
               {"on": "2026-03-01", "amount": "180", "taken_back_on": "2026-03-02"}], "late_interest": {"percent":
               "36.5"}}}, {"receivables.invoices.*.open": ["100", "80"], "receivables.invoices.*.late.interest":
                           ["5.90", "2.48"]}),
    # as of a day
    Worked("ar.as_of.1", "any: money that is more than was invoiced by then is the customer's",
           {**TWICE, "receivables": {"as_of": "2026-02-10", "payments": AHEAD}},
           {"receivables.invoices.*.open": ["0"], "receivables.customer_credit": "50"}),
    Worked("ar.as_of.2", "any: and pays what is invoiced then", {**TWICE, "receivables": {"payments": AHEAD}},
           {"receivables.invoices.*.open": ["0", "30"], "receivables.customer_credit": "0"}),
    Worked("kpi.net.1", "textbooks: net credit sales, 1,000 less 200 returned, of which 400 are paid",
           after("1000", {"as_of": "2026-03-31", "credit_notes": [{"on": "2026-02-10", "amount": "200"}], "payments": [
               {"on": "2026-02-20", "amount": "400"}], "aging": {"sales_days": 90}}),
           {"receivables.aging.days_sales_outstanding": "45", "receivables.aging.collection_effectiveness": "50"}),
    # traps beside
    zoned(1, "2026-03-01T03:29:59Z", ["2026-02-28", "2026-03-28"]),
    zoned(2, "2026-03-01T03:30:00Z", ["2026-03-01"]),
    Worked("proration.second.5", "tz database: Chatham, whose clocks go back by an hour; 121 of 721 hours",
           subscribed(fee("100", timing="arrears"), {"started_on": "2026-04-01", "cancelled_on": "2026-04-06"},
                      {"from": "2026-04-01", "through": "2026-04-06"}, day_count="second",
                      account={"time_zone": "Pacific/Chatham"}), {ALL: ["16.78"]}, option="day_count second"),
    Worked("calendar.half_year.2", "any: half-years from the end of August",
           subscribed(fee("90"), {"started_on": "2025-08-31"}, {"from": "2025-08-31", "through": "2026-12-31"},
                      cycle_count=6), {"invoices.*.issued_on": ["2025-08-31", "2026-02-28", "2026-08-31"]}),
    Worked("calendar.weeks.5", "any: a fortnight paused in one and resumed in the next, ten days of it",
           subscribed(fee("14"), {"started_on": "2026-01-05", "changes": [pause("2026-01-12"), resume("2026-01-23")]},
                      {"from": "2026-01-05", "through": "2026-02-02"}, cycle_unit="week", cycle_count=2),
           {ALL: ["14", "-7", "10", "14"]}),
    Worked("changes.cycle.12", "any: more seats before another plan that waits for the next month",
           monthly({"a": fee(per_unit("10"), "s"), "b": fee(per_unit("20"), "s")}, "2026-01-01", "2026-02-01",
                   to("b", "2026-01-10", credit="none"), seats_more("2026-01-20"),
                   subscription={"quantities": {"s": "2"}}), {ALL: ["20", "3.87", "60"]}),
    Worked("proration.stub.14", "any: a stub of a quarter and its end within the next, taxed",
           {**subscribed(fee("300"), {"started_on": "2026-02-10", "alignment": "calendar", "changes": [
               cancel("2026-05-16")]}, {"from": "2026-02-10", "through": "2026-06-01"}, cycle_unit="quarter"),
            "taxes": {"rates": [rate("21")]}},
           {ALL: ["166.67", "300", "-151.65"], "invoices.*.tax": ["35", "63", "-31.85"]}),
    Worked("commitment.year.4", "any: a year's minimum, not for the quarter in which it is paused",
           {**subscribed(fee(per_unit("1"), "u", meter_id="m"), {"started_on": "2026-01-01", "changes": [
               pause("2026-04-01"), resume("2026-07-01")]}, {"from": "2026-01-01", "through": "2027-01-01"},
               minimum={"amount": "3650", "every": {"unit": "year"}})}, {"totals.net": "2740"}),
    Worked("commitment.year.5", "any: beyond 1,200 in a leap year at half",
           {**subscribed(fee(per_unit("1"), "u", meter_id="m"), {"started_on": "2024-01-01"},
                         {"from": "2024-01-01", "through": "2025-01-01"},
                         minimum={"amount": "1200", "every": {"unit": "year"}, "overage_factor": "0.5"}),
            "usage": {"totals": [{"meter_id": "m", "quantity": "150"}]}}, {"totals.net": "1500"}),
    Worked("pricing.cumulative.13", "any: a cap over a quarter, reached in its last month",
           {**subscribed(fee({"kind": "capped", "amount": "100", "price": per_unit("1")}, "u", meter_id="m",
                             cumulates={"unit": "quarter"}), {"started_on": "2026-01-01"},
                         {"from": "2026-01-01", "through": "2026-04-01"}),
            "usage": {"totals": [{"meter_id": "m", "quantity": "45"}]}}, {ALL: ["45", "45", "10"]}),
    Worked("tax.on_tax.12", "any: withheld of the amount with its VAT",
           {**items("1000"), **under(due("VAT", "15"), due("WHT", "5", collection="withheld", of=["net", "VAT"]))},
           {TOTAL: "1150", "invoices.0.payable": "1092.50"}),
    Worked("tax.on_tax.13", "Quebec to 2012: a quarter is credited, and so of QST on GST",
           items("200", taxes={"rates": [rate("5", name="GST"), rate("9.5", name="QST", compound=True)]},
                 receivables={"credit_notes": [{"on": "2026-02-01", "amount": "50"}]}),
           {TAX: "29.95", "receivables.credit_notes.0.tax": "-7.49"}),
    Worked("fx.cross.5", "ECB: a price in dollars, billed in yen across the euro",
           {"currency": "JPY", "billing": {"on": "2026-02-02"}, "plans": [plan("t", fee("49"), currency="USD")],
            "subscriptions": [{"plan": "t", "started_on": "2026-02-02"}], "prices": {"rates": [
                {"currency": "USD", "on": "2026-01-30", "rate": "1.1750"},
                {"currency": "JPY", "on": "2026-01-30", "rate": "183.5"}]}}, {NET: "7652"}),
    Worked("fx.realised.6", "SAP: a debit in dinars is returned, and so is what was won on it",
           after("12.345", {"payments": [{"on": "2026-02-10", "amount": "12.345", "rate": "3.26", "taken_back_on":
                 "2026-02-12"}]}, currency="KWD", exchange={"ledger_currency": "USD", "rate": "3.25"}),
           {"receivables.fx.difference": "0", FIRST + ".open": "12.345"}),
    Worked("dunning.cap.3", "any: interest up to 15 % of the debt, and nothing left for fees",
           late("1000", "2027-01-31", {"percent": "24", "most_percent": "15", "fees": [{"amount": "40"}]}),
           {INTEREST: "150", LATE + ".fees": "0"}),
    # what follows from charges, lowered with them
    ended_late("30", ["27.00", "90.00", "-73.45"], "discounts.minimum.4",
               "Stripe: credits go by the discounts of then, a minimum's too", minimum="100"),
    ended_late("80", ["72.00", "45.00", "-95.23"], "discounts.maximum.4",
               "the same of a maximum, by which less is given back", maximum="50"),
    Worked("usage.taken_back.4", "worked out by hand: a matrix rounds each of its parts, the price before it the sum",
           COUNTED_OTHERWISE, {"invoices.1.lines.0.quantity": "3", "invoices.1.lines.0.exact": "-3",
                               "invoices.1.lines.1.quantity": "4", "invoices.1.net": "7.00"}),
)  # fmt: skip
