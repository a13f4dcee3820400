"""What is promised stands in one file; alarms, dashboard and documents say the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infra.cdk.burn import FAST, SLOW
from infra.cdk.environments import ROOT
from infra.cdk.objectives import FILE, objectives, promises_table
from tests.assembly import Assembly
from tests.infra.deployed import Deployed

PROMISED = objectives()


def test_every_promise_has_a_fast_and_a_slow_alarm_over_long_and_short_windows(assembly: Assembly) -> None:
    deployed = Deployed.read(assembly, "eu")
    names = {name.partition("/")[2].rstrip("0123456789ABCDEF") for name in deployed.composites}
    assert names == {f"{o.title.title().replace(' ', '')}{speed}" for o in PROMISED for speed in ("Fast", "Slow")}
    for name, composite in deployed.composites.items():
        pairs = FAST if "Fast" in name else SLOW
        assert composite["AlarmRule"].count("ALARM(") == 2 * len(pairs)
        assert composite["AlarmActions"] == composite["OKActions"] != []


def test_each_window_burns_the_share_of_a_months_budget_that_the_workbook_says() -> None:
    """2 % in an hour, 5 % in six, 10 % in three days (of 30)."""
    shares = [round(long.rate * long.minutes * long.periods / (30 * 24 * 60), 3) for long, _ in (*FAST, *SLOW)]
    assert shares == [0.02, 0.05, 0.1]
    for long, short in (*FAST, *SLOW):
        assert 12 <= long.minutes * long.periods / short.minutes <= 12
        assert long.rate == short.rate


def test_alarms_keep_within_what_cloudwatch_takes(assembly: Assembly) -> None:
    for name, alarm in Deployed.read(assembly, "eu").alarms.items():
        stats = [m["MetricStat"] for m in alarm.get("Metrics", ()) if "MetricStat" in m]
        assert len(stats) <= 10, name
        period = stats[0]["Period"] if stats else alarm["Period"]
        whole = period * alarm["EvaluationPeriods"]
        assert period <= 86_400 and whole <= (7 * 86_400 if period >= 3600 else 86_400), name


def test_the_dashboard_shows_every_promise(assembly: Assembly) -> None:
    shown = json.dumps([r for name, r in assembly.resources("AWS::CloudWatch::Dashboard") if name.startswith("eu")])
    assert [o.name for o in PROMISED if o.title not in shown] == []


def test_the_documents_say_what_is_promised() -> None:
    """When it differs, put the table that this prints into docs/promises.md."""
    assert promises_table(PROMISED) in (ROOT / "docs/promises.md").read_text(), promises_table(PROMISED)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("percent = 99.9", "percent = 100.0", "no budget"),
        ('runbook = "portal-errors"', 'runbook = "nowhere"', "no runbook nowhere"),
        ('"own/portal/RequestsFailed"', '"own/nobody/RequestsFailed"', "is no metric"),
        ("least_bad = 3", "least_bad = 0", "least_bad"),
        ('name = "portal_latency"', 'name = "portal_availability"', "promised twice"),
        ("days = 28", 'days = "28"', "is not a int"),
        ("least_bad = 3\n", "", "least_bad is missing"),
        ("days = 28", "days = 28\nweeks = 4", "weeks is not known"),
    ],
)
def test_a_file_that_promises_what_cannot_be_measured_is_refused(
    old: str, new: str, fault: str, tmp_path: Path
) -> None:
    bent = tmp_path / "slo.toml"
    bent.write_text(FILE.read_text().replace(old, new, 1))
    with pytest.raises(ValueError, match=fault):
        objectives(bent)
