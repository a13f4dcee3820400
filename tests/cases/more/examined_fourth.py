"""Cases of a fourth reader of the schema: laws unlike the directive, sums of unlike prices, and traps beside."""

from __future__ import annotations

from tests.cases.more.building import Json, Worked
from tests.cases.more.receivables import LATE, after, late

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
)  # fmt: skip
