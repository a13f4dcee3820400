"""Meters by percentile, by window, and by increments of each event."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.cases.more.building import Json, Worked, tiers
from tests.cases.more.metering import event, metered

HNS = "HNS: computing the 95th percentile for data transfer, 20 samples of five minutes"
INBOUND = "0.139 0.653 0.201 0.116 0.084 0.032 0.047 0.185 0.198 0.203 0.276 0.370 0.971 0.233 0.218 0.182 0.169 0.126"
OUTBOUND = "1.347 1.435 1.229 0.523 0.438 0.231 0.347 0.689 0.940 1.248 1.385 1.427 3.988 1.265 1.221 1.013 0.992 0.874"
P95: Json = {"aggregation": "percentile", "percentile": "95"}
FIRST = datetime(2024, 1, 1, tzinfo=UTC)


def every(step: timedelta, values: list[str]) -> list[Json]:
    return [event((FIRST + n * step).isoformat().replace("+00:00", "Z"), v) for n, v in enumerate(values)]


FIVE = timedelta(minutes=5)
HOURS = every(timedelta(hours=1), ["7"] * 736 + ["90"] * 8)  # 744 hours of January
CALLS = [event("2024-01-02T10:00:00Z", v) for v in ("61", "60", "1", "0", "119.5")]

CASES: tuple[Worked, ...] = (
    metered(
        "metering.percentile.1",
        HNS + ", inbound",
        P95,
        every(FIVE, [*INBOUND.split(), "0.131", "0.157"]),
        "0.653",
        "0.65",
    ),
    metered(
        "metering.percentile.2",
        HNS + ", outbound",
        P95,
        every(FIVE, [*OUTBOUND.split(), "0.896", "1.002"]),
        "1.435",
        "1.44",
    ),
    metered(
        "metering.percentile.3",
        "bsi-mt: 100 measurements of 1 to 100, the one at 95 % of 100",
        P95,
        every(FIVE, [str(n) for n in range(1, 101)]),
        "95",
    ),
    metered(
        "metering.percentile.4",
        "nearest rank: 95 % of 21 samples is the 20th",
        P95,
        every(FIVE, [str(n) for n in range(1, 22)]),
        "20",
    ),
    metered("metering.percentile.5", "nearest rank: of one sample that one", P95, every(FIVE, ["3"]), "3"),
    metered(
        "metering.percentile.6",
        "nearest rank: the median of 4 is the 2nd",
        {"aggregation": "percentile", "percentile": "50"},
        every(FIVE, ["40", "10", "30", "20"]),
        "20",
    ),
    metered(
        "metering.percentile.7",
        "nearest rank: the 100th is the highest",
        {"aggregation": "percentile", "percentile": "100"},
        every(FIVE, ["40", "10", "30"]),
        "40",
    ),
    metered(
        "metering.percentile.8",
        "SwiftFederation: 8640 spots of 30 days, 432 left out; bytes of five minutes to Mbps",
        {
            "per": "5_minutes",
            "of_windows": "percentile",
            "percentile": "95",
            "factor": "0.00000002666666666666666667",
            "rounding": "half_up",
            "digits": 3,
        },
        every(FIVE, ["3750000000"] * 432 + ["375000000"] * 8208),
        "10",
        month="2024-01-01",
        on="2024-01-31",
        subscriptions=[{"plan": "p", "started_on": "2024-01-01", "cancelled_on": "2024-01-31"}],
    ),
    metered(
        "metering.percentile.9",
        "Datadog: hosts by the 99th percentile of hours, the top 1 % left out (736.56 of 744 hours)",
        {"aggregation": "max", "per": "hour", "of_windows": "percentile", "percentile": "99"},
        HOURS,
        "90",
    ),
    metered(
        "metering.percentile.10",
        "Datadog: an hour in which nothing is told counts as none",
        {"aggregation": "max", "per": "hour", "of_windows": "percentile", "percentile": "99"},
        HOURS[-7:],
        "0",
    ),
    metered(
        "metering.windows.6",
        "Amazon S3: the average of what is stored each day; 31 GB for ten days of 31",
        {"aggregation": "max", "per": "day", "of_windows": "average"},
        every(timedelta(days=1), ["31"] * 10),
        "10",
    ),
    metered(
        "metering.windows.7",
        "m3ter: the highest of the sums of days",
        {"per": "day", "of_windows": "max"},
        [*CALLS, event("2024-01-03T00:00:00Z", "242")],
        "242",
    ),
    metered(
        "metering.windows.8",
        "any: the average of hours in a month that has one more",
        {"per": "hour", "of_windows": "average"},
        [event("2024-10-27T00:30:00Z", "745")],
        "1",
        month="2024-10-01",
        on="2024-11-01",
        account={"time_zone": "Europe/Berlin"},
    ),
    metered(
        "metering.increment.1",
        "Twilio: calls by begun minutes, 61, 60, 1, 0 and 119.5 seconds",
        {"increment": "60", "factor": "0.0166666666666666666666666667", "rounding": "half_up"},
        CALLS,
        "6",
    ),
    metered(
        "metering.increment.2",
        "carriers: billed by six seconds",
        {"increment": "6"},
        CALLS,
        "252",
    ),
    metered(
        "metering.increment.3",
        "any: what is taken back takes back what was counted",
        {"increment": "60"},
        [event("2024-01-02T10:00:00Z", "61", "1"), event("2024-01-02T11:00:00Z", "-61", "2")],
        "0",
    ),
    metered(
        "metering.increment.4",
        "AWS Lambda before 2020: by 100 milliseconds, tiers of what was counted",
        {"increment": "100"},
        [event("2024-01-02T10:00:00Z", "101"), event("2024-01-02T10:00:01Z", "100")],
        "300",
        "250",
        price=tiers([["200", "1", "0"], [None, "0.5", "0"]]),
    ),
)
