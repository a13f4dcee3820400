"""Cases of a fourth reader of the schema: laws unlike the directive, sums of unlike prices, and traps beside."""

from __future__ import annotations

from typing import Any

from tests.cases.more.building import Json, Worked, fee, rate, subscribed
from tests.cases.more.pricing import per_unit
from tests.cases.more.receivables import FIRST, LATE, after, late
from tests.cases.more.taxes import NET, TAX, TOTAL

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
)  # fmt: skip
