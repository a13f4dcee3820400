"""Prices that depend on the cycles before: tiers over a year, allowances that go on."""

from __future__ import annotations

from typing import Any

from tests.cases.more.building import Json, Worked, fee, plan, tiers
from tests.cases.more.pricing import capped, package, per_unit

AUTUMN = "Autumn: docs/documentation/modelling-pricing/rollovers"
ZUORA = "Zuora: docs, overage smoothing, rollover"
ALL = "invoices.*.net"


def months(
    case_id: str, source: str, component: Json, used: list[str], nets: list[str], start: str = "2026-01-01", **more: Any
) -> Worked:
    """Usage month by month, billed each month; months that cost nothing have no invoice."""
    year, month = int(start[:4]), int(start[5:7])
    days = [f"{year + (month + n - 1) // 12}-{(month + n - 1) % 12 + 1:02d}-01" for n in range(len(used) + 1)]
    bounds = zip([start, *days[1:-1]], days[1:], strict=True)
    totals = [{"meter_id": "m", "quantity": q, "from": a, "until": b} for q, (a, b) in zip(used, bounds, strict=True)]
    sold = {"plan": "p", "started_on": start, **more.pop("subscription", {})}
    document = {
        "billing": {"from": start, "through": days[-1]},
        "plans": [plan("p", component, **more.pop("plan", {})), *more.pop("plans", [])],
        "subscriptions": [sold],
        "usage": {"totals": totals},
        **more,
    }
    return Worked(case_id, source, document, {ALL: nets})


def used(price: Json, **more: Any) -> Json:
    return fee(price, "u", meter_id="m", **more)


def rolling(units: str, cycles: int, most: str | None = None, overage: Json | None = None) -> Json:
    rollover = {"cycles": cycles} | ({} if most is None else {"most": most})
    return used({"kind": "included", "units": units, "overage": overage or per_unit("1"), "rollover": rollover})


YEAR: Json = {"unit": "year"}
ZUORA_TIERS = tiers([["10", "2", "0"], ["20", "3", "0"], [None, "5", "0"]])

CASES: tuple[Worked, ...] = (
    # what is left of an allowance goes on
    months("pricing.rollover.1", AUTUMN + ", 400 of 1,000 credits go on: 1,400 in February",
           rolling("1000", 1), ["600", "1500"], ["100"]),
    months("pricing.rollover.2", AUTUMN + ", at most 2,000 roll over",
           rolling("1000", 120, "2000"), ["0", "0", "0", "3100"], ["100"]),
    months("pricing.rollover.3", AUTUMN + ", it expires after a month", rolling("1000", 1),
           ["600", "1000", "1500"], ["100"]),
    months("pricing.rollover.4", "worked out by hand: what goes on is used first, so what is new goes on instead",
           rolling("100", 1), ["0", "150", "151"], ["1"]),
    months("pricing.rollover.5", ZUORA + ", 500 minutes a month, kept for six: the oldest go first, none lapse",
           rolling("500", 6), ["0", "500", "500", "500", "500", "500", "500", "1001"], ["1"]),
    months("pricing.rollover.6", "worked out by hand: 100 of January lapse unused, those of February do not",
           rolling("100", 2), ["0", "0", "0", "301"], ["1"]),
    months("pricing.rollover.7", "Zuora: prepaid with drawdown, 1,000 units, 800 used, 1,200 there in February",
           rolling("1000", 1), ["800", "1250"], ["50"]),
    months("pricing.rollover.8", "worked out by hand: tiers beyond what is included and left over",
           rolling("10", 1, overage=ZUORA_TIERS), ["4", "30"], ["32"]),
    months("pricing.rollover.9", "Zuora: allowance prorated in a short first month, and what is left of that goes on",
           rolling("62", 1), ["30", "66"], [],
           start="2026-01-15", subscription={"alignment": "calendar"}),
    months("pricing.rollover.10", "worked out by hand: a new allowance begins with nothing left over",
           rolling("100", 3), ["0", "250"], ["100"], plans=[plan("q", rolling("150", 3))],
           subscription={"changes": [{"kind": "plan", "plan": "q", "effective_on": "2026-02-01"}]}),
    months("pricing.rollover.11", "worked out by hand: begun at noon, what is left of 60 is 14.5 of 30 days, 29",
           fee("0"), ["0", "90"], ["1"], start="2026-04-16", plan={"day_count": "second"},
           plans=[plan("q", rolling("60", 1), day_count="second")], subscription={"started_on": "2026-04-01",
               "changes": [{"kind": "plan", "plan": "q", "effective_at": "2026-04-16T12:00:00Z"}]}),
    # tiers, allowances, packages and caps over several cycles
    months("pricing.cumulative.1", "Stripe, Zuora: tiers that reset each year, billed monthly",
           used(ZUORA_TIERS, cumulates=YEAR), ["8", "7", "10", "0", "0", "0", "0", "0", "0", "0", "0", "0", "8"],
           ["16", "19", "40", "16"]),
    months("pricing.cumulative.2", "Kill Bill: consumable tiers by the month, as they are without",
           used(ZUORA_TIERS), ["8", "7", "10"], ["16", "14", "20"]),
    months("pricing.cumulative.3", "m3ter: an annual allowance, overage as it is used",
           used({"kind": "included", "units": "1000", "overage": per_unit("0.5")}, cumulates=YEAR),
           ["600", "300", "150", "10"], ["25", "5"]),
    months("pricing.cumulative.4", "Orb: volume tiers over a quarter, what a month adds",
           used(tiers([["10", "10", "0"], [None, "8", "0"]], "volume"), cumulates={"unit": "quarter"}),
           ["10", "5", "1", "10"], ["100", "20", "8", "100"]),
    months("pricing.cumulative.10", "worked out by hand: a unit that brings a better price for all gives back",
           used(tiers([["10", "10", "0"], [None, "8", "0"]], "volume"), cumulates={"unit": "quarter"}),
           ["10", "1"], ["100", "-12"]),
    months("pricing.cumulative.5", "packages over a year: begun once, filled later",
           used(package("1000", "5"), cumulates=YEAR), ["300", "300", "600"], ["5", "5"]),
    months("pricing.cumulative.6", "OpenMeter: a maximum over half a year",
           used(capped("100", per_unit("1")), cumulates={"unit": "month", "count": 6}),
           ["70", "20", "40", "5", "0", "0", "30"], ["70", "20", "10", "30"]),
    months("pricing.cumulative.7", "worked out by hand: counted from the first cycle, a short one",
           used(ZUORA_TIERS, cumulates={"unit": "quarter"}), ["10", "10", "10", "10"], ["20", "30", "50", "20"],
           start="2026-02-10", subscription={"alignment": "calendar"}),
    months("pricing.cumulative.8", "worked out by hand: another plan begins anew, also within the year",
           used(ZUORA_TIERS, cumulates=YEAR), ["10", "10", "10"], ["20", "30", "40"],
           plans=[plan("q", used(tiers([["10", "4", "0"], [None, "1", "0"]]), cumulates=YEAR))],
           subscription={"changes": [{"kind": "plan", "plan": "q", "effective_on": "2026-03-01"}]}),
    months("pricing.cumulative.11", "worked out by hand: what is due with no usage is due once, not each month without",
           used(tiers([["10", "2", "7"], [None, "3", "0"]]) | {"flat_at_zero": True}, cumulates={"unit": "quarter"}),
           ["0", "0", "4", "0"], ["7", "8", "7"]),
    months("pricing.cumulative.9", "worked out by hand: a fee that changes leaves usage as it is",
           used(ZUORA_TIERS, cumulates=YEAR), ["10", "10", "10"], ["20", "30", "50"],
           plan={}, plans=[plan("q", used(ZUORA_TIERS, cumulates=YEAR), fee("0", "extra"))],
           subscription={"changes": [{"kind": "plan", "plan": "q", "effective_on": "2026-02-01"}]}),
)  # fmt: skip
