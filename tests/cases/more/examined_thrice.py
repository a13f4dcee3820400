"""Cases of a third reader of the schema: what could not be said, was untaxed, or was lost; and traps not met before."""

from __future__ import annotations

from typing import Any

from tests.cases.more.building import Json, Worked, fee, items, rate, subscribed, tiers, used
from tests.cases.more.changes import cancel
from tests.cases.more.metering import event, metered
from tests.cases.more.metering_windows import CALLS
from tests.cases.more.pricing import per_unit, percentage
from tests.cases.more.proration import ALL
from tests.cases.more.receivables import FIRST, LATE, after, booked, late
from tests.cases.more.taxes import EACH, EU, NET, TAX, TOTAL, gross
from tests.cases.more.taxes_due_on import PAYABLE, due, levy, under

TAXES = "Odoo: addons/account/tests/test_taxes_computation.py"
SHOPS = "commercetools: TaxCalculationMode"
AGREED = "invoices.0.taxes.0.reason"
LEDGER_MONEY: Json = {"on": "2026-02-10", "amount": "1120", "currency": "USD", "at": "0.892857142857"}


def sold_in(case_id: str, source: str, seller: str, buyer: Json, expected: Json) -> Worked:
    """100 by the rates that ship, by a seller that does not say where it is registered."""
    return Worked(case_id, source, items("100", seller={"country": seller}, account=buyer, taxes=EU), expected)


def by_unit(rounding: str, *listed: Json, **more: Any) -> Json:
    return items(*listed, taxes={"rates": [rate("19")], "rounding": rounding}, **more)


def stubbed(day_count: str, started_on: str) -> Json:
    """The days to the next new year, of a price of 360 a year."""
    subscription = {"started_on": started_on, "anchor_on": "2026-01-01"}
    return subscribed(fee("360"), subscription, {"on": started_on}, cycle_unit="year", day_count=day_count)


def zoned(case_id: str, zone: str, month: str, through: str, quantity: str, *at: str, **meter: Any) -> Worked:
    """Events of 1, 2, 4 … by an account's own days."""
    listed = [event(moment, str(2**n)) for n, moment in enumerate(at)]
    where: Json = {"account": {"time_zone": zone}}
    return metered(case_id, f"tz database: {zone}", meter, listed, quantity, month=month, on=through, **where)


CASES: tuple[Worked, ...] = (
    # calls
    metered("metering.least.1", "carriers: 30/6, thirty seconds at least and then by six", {"least": "30", "increment":
            "6"}, CALLS, "276"),
    metered("metering.least.2", "Amazon EC2, Snowflake: by the second, a minute at least", {"least": "60"}, CALLS,
            "300.5"),
    metered("metering.least.3", "carriers: 30/20, which six seconds over 30 are not 40 of", {"least": "30", "increment":
            "20"}, [event("2024-01-02T10:00:00Z", v) for v in ("36", "-36", "51")], "70"),
    used("pricing.percentage.21", "Lago: what a call costs at least has its fee in it",
         percentage("0.01", per_event="0.05", event_minimum="0.60"), {"amounts": ["66", "6"]}, "1.31"),
    # taxes
    Worked("tax.rounding.10", SHOPS + ", by unit price", by_unit("unit", {"unit_price": "1.08", "quantity": "3"}),
           {TOTAL: "3.87"}, option="rounding unit"),
    Worked("tax.rounding.11", SHOPS + ", by line", by_unit("line", {"unit_price": "1.08", "quantity": "3"}),
           {TOTAL: "3.86"}, option="rounding line"),
    Worked("tax.rounding.12", "Magento: unit price, with its tax within",
           by_unit("unit", {"unit_price": "9.99", "quantity": "3", "tax_inclusive": True}),
           {TOTAL: "29.97", TAX: "4.80"}, option="rounding unit"),
    Worked("tax.rounding.13", "any: of units, given back in parts",
           by_unit("unit", {"unit_price": "1.08", "quantity": "3"}, receivables={"credit_notes": [
               {"on": "2026-02-01", "amount": "1.08"}, {"on": "2026-02-02"}]}),
           {"receivables.credit_notes.*.tax": ["-0.21", "-0.42"], FIRST + ".open": "0"}, option="rounding unit"),
    sold_in("tax.place.5", "any: a sale at home of which no rate ships is not untaxed", "GB", {"country": "GB"},
            {"refused": "tax_undecidable"}),
    sold_in("tax.place.6", "any: nor in a state of which none ships", "US", {"country": "US", "region": "FL"},
            {"refused": "tax_undecidable"}),
    sold_in("tax.place.7", "any: an export asks for no state", "DE", {"country": "US"}, {TAX: "0", AGREED: "export"}),
    sold_in("tax.place.8", "any: nor is it taxed by one", "DE", {"country": "US", "region": "NY"}, {TAX: "0"}),
    sold_in("tax.place.9", "Directive 2006/112/EC, article 58: a consumer in the seller's union", "DE",
            {"country": "FR", "tax_status": "consumer"}, {TAX: "20"}),
    Worked("tax.within.9", TAXES + ", five taxes within 48", {**items(gross("48")), **under(
           *(due(name, p, within=True) for name, p in zip("abcde", ("5", "3", "0.65", "9", "15"), strict=True)))},
           {EACH: ["2.40", "1.44", "0.31", "4.32", "7.20"], NET: "32.33"}),
    Worked("tax.levy.5", TAXES + ", a levy in the base of the one tax and none of the other",
           {**items({"unit_price": "19", "quantity": "5"}),
            **under(levy("a", "1"), due("b", "21", of=["net", "a"]), levy("c", "2"))}, {EACH: ["5", "21", "10"]}),
    Worked("tax.on_tax.11", TAXES + ", withheld, a fund, and tax on both",
           {**items("50"), **under(due("wh", "20", collection="withheld"), due("fund", "4"),
                                   due("VAT", "22", of=["net", "fund"]))}, {TOTAL: "63.44", PAYABLE: "53.44"}),
    Worked("tax.included.13", TAXES + ", pesos have no cents", items(gross("10920"), currency="CLP",
           taxes={"rates": [rate("19")]}), {NET: "9176", TAX: "1744"}),
    Worked("pricing.minor_units.4", "ISO 4217: Chile's unidad de fomento has four digits",
           items("1.23456", currency="CLF", taxes={"rates": [rate("19")]}), {NET: "1.2346", TAX: "0.2346"}),
    # days
    Worked("proration.thirty.9", "30/360 US: from the end of February", stubbed("30_360_us", "2026-02-28"),
           {ALL: ["301"]}, option="30_360_us"),
    Worked("proration.thirty.10", "30E/360: from the 28th", stubbed("30_360_eu", "2026-02-28"), {ALL: ["303"]},
           option="30_360_eu"),
    Worked("proration.second.4", "tz database: Lord Howe, whose clocks go back by half an hour",
           subscribed(fee("1488"), {"started_on": "2026-04-01", "changes": [cancel("2026-04-10")]},
                      {"from": "2026-04-01", "through": "2026-04-11"}, day_count="second",
                      account={"time_zone": "Australia/Lord_Howe"}), {ALL: ["1488", "-1040.88"]},
           option="day_count second"),
    zoned("metering.zones.1", "America/Santiago", "2026-09-06", "2026-10-06", "2", "2026-09-06T03:59:59Z",
          "2026-09-06T04:00:00Z"),
    zoned("metering.zones.2", "America/Havana", "2026-11-01", "2026-12-01", "6", "2026-11-01T03:59:59Z",
          "2026-11-01T04:00:00Z", "2026-11-01T05:30:00Z"),
    zoned("metering.zones.3", "Asia/Kolkata", "2026-01-01", "2026-02-01", "3", "2026-01-01T00:20:00Z",
          "2026-01-01T00:40:00Z", aggregation="max", per="hour"),
    # commitments
    Worked("commitment.year.3", "NetSuite: 1,200 a year, 1,600 used, beyond it half as much again",
           {**subscribed(fee(per_unit("1"), "u", meter_id="m"), {"started_on": "2026-01-01"},
                         {"from": "2026-01-01", "through": "2027-01-01"},
                         minimum={"amount": "1200", "every": {"unit": "year"}, "overage_factor": "1.5"}),
            "usage": {"totals": [{"meter_id": "m", "quantity": "100"}, {"meter_id": "m", "quantity": "400",
                                  "from": "2026-12-01", "until": "2027-01-01"}]}}, {"totals.net": "1800"}),
    Worked("pricing.cumulative.12", "worked out by hand: volume tiers over a quarter, cheaper for all from 101 on",
           {**subscribed(fee(tiers([["100", "1", "0"], [None, "0.5", "0"]], "volume"), "u", meter_id="m",
                             cumulates={"unit": "quarter"}), {"started_on": "2026-01-01"},
                         {"from": "2026-01-01", "through": "2026-03-01"}),
            "usage": {"totals": [{"meter_id": "m", "quantity": "80", "from": "2026-01-01", "until": "2026-02-01"},
                                 {"meter_id": "m", "quantity": "40", "from": "2026-02-01", "until": "2026-03-01"}]}},
           {ALL: ["80", "-20"]}),
    # afterwards
    Worked("fx.alternate.4", "any: money in the ledger's currency is worth what came",
           after("1000", {"payments": [LEDGER_MONEY]}, exchange=booked("1.1")),
           {"receivables.fx.difference": "-20", FIRST + ".open": "0"}),
    Worked("fx.alternate.5", "any: and its parts as much of it",
           after(["600", "400"], {"payments": [{**LEDGER_MONEY, "amount": "1232"}]}, exchange=booked("1.1")),
           {"receivables.fx.difference": "-20", "receivables.customer_credit": "100"}),
    Worked("dunning.fee.9", "US: a flat fee after five days, and no interest",
           late("1000", "2026-02-06", {"fees": [{"amount": "25", "after_days": 5}]}),
           {LATE + ".fees": "25", LATE + ".interest": "0"}),
    Worked("ar.prepaid.1", "any: paid before the invoice, and more than it",
           after("1000", {"payments": [{"on": "2026-01-15", "amount": "1200"}]}),
           {FIRST + ".open": "0", "receivables.customer_credit": "200"}),
)  # fmt: skip
