"""Every alarm of the templates is raised once by a real failure, and on a good day none is."""

from __future__ import annotations

import importlib
import json
from dataclasses import replace
from datetime import timedelta
from unittest.mock import patch

import pytest

from functions.audit import link
from functions.operations import canary
from infra.cdk import functions as specs
from infra.cdk.environments import ROOT
from tests.assembly import Assembly
from tests.infra import failing_business, failing_functions, failing_people  # noqa: F401 - they register their scenes
from tests.infra.cloud import Cloud
from tests.infra.deployed import Deployed
from tests.infra.failing_business import DAY
from tests.infra.failing_people import asks, canary_on, opened
from tests.infra.going_wrong import OWN, SCENES, play
from tests.simulation.portal import picture, stream
from tests.simulation.region import Region
from tests.simulation.workflows import scenes

# What rules call, and what is called each day for each seller.
DAILY = (
    specs.ISSUE_REMINDERS,
    specs.COLLECT_PAYMENTS,
    specs.RENEW_TERMS,
    specs.ASSESS_LATE_CHARGES,
    specs.TRUE_UP_TAX,
    specs.CHECK_TAX_IDS,
)
RULES = (
    specs.WATCH_RUNS,
    specs.ESCALATE_TICKETS,
    specs.KEEP_UPLOADS,
    specs.CHECK_INVARIANTS,
    specs.ANCHOR_AUDIT,
    specs.SWEEP_PAYMENTS,
)
SCHEDULED = (*RULES, *DAILY)


@pytest.fixture(scope="session")
def fired(assembly: Assembly) -> dict[str, set[str]]:
    """Scene → the alarms of region eu that it raised."""
    deployed = Deployed.read(assembly, "eu")
    return {name: play(deployed, name) for name in SCENES}


def test_every_alarm_was_raised_by_a_failure(assembly: Assembly, fired: dict[str, set[str]]) -> None:
    deployed = Deployed.read(assembly, "eu")
    raised = set().union(*fired.values())
    silent = sorted({*deployed.alarms, *deployed.composites} - raised)
    assert not silent, f"let a scene in tests/infra/failing_*.py raise {silent}; a new function goes into CALLED_IN"


def test_every_scene_raises_an_alarm_besides_those_of_what_is_silent_in_it(fired: dict[str, set[str]]) -> None:
    assert [name for name, alarms in fired.items() if not {a for a in alarms if "Silent" not in a}] == []


def test_the_alarms_of_both_regions_are_the_same(assembly: Assembly) -> None:
    ours, theirs = (Deployed.read(assembly, region) for region in ("eu", "us"))
    for name, alarm in ours.alarms.items():
        assert json.dumps(alarm, sort_keys=True) == json.dumps(theirs.alarms[name], sort_keys=True), name
    assert ours.composites.keys() == theirs.composites.keys()
    assert ours.alarms.keys() == theirs.alarms.keys()


@pytest.fixture(scope="module")
def good_day(assembly: Assembly) -> Cloud:
    """Everything is called that a schedule calls, and the portal and the canary four times in an hour."""
    region = Region()
    cloud = Cloud(Deployed.read(assembly, "eu"), region)
    with patch.dict("os.environ", OWN), region.serving(), opened(cloud) as net, canary_on(net):
        with cloud.hosting():
            scenes.bill(region, scenes.JAN)
        region.now += timedelta(hours=1)
        for _ in range(4):
            region.now += timedelta(minutes=15)
            cloud.ask(specs.PORTAL, asks(net, "/sign-in"))
            walked = cloud.run(specs.CANARY, lambda: canary.handler({}, None))
            assert not walked["broken"]
        cloud.put("AWS/Backup", "NumberOfBackupJobsCompleted", 1, BackupVaultName="saldo-staging-backups-records")
        told = [n for n in stream({}, picture(region)) if n["dynamodb"]["NewImage"]["kind"]["S"] == "audit"]
        cloud.run(specs.LINK_AUDIT, lambda: link.handler({"Records": told}, None))
        for spec in SCHEDULED:
            _called_by_its_schedule(cloud, spec)
    return cloud


def _called_by_its_schedule(cloud: Cloud, spec: specs.FunctionSpec) -> None:
    module, _, name = spec.handler.rpartition(".")
    handler = getattr(importlib.import_module(module), name)
    assert cloud.run(spec, lambda: handler(DAY if spec in DAILY else {}, None)) is not None, spec.name


def test_on_a_good_day_no_alarm_is_raised(good_day: Cloud) -> None:
    assert good_day.deployed.fired(good_day.values, good_day.region.now.timestamp()) == set()


@pytest.mark.parametrize("spec", [*SCHEDULED, specs.CANARY], ids=lambda spec: spec.name)
def test_what_a_schedule_no_longer_calls_is_told_of_and_nothing_else(good_day: Cloud, spec: specs.FunctionSpec) -> None:
    """The others go on as on the good day, each quarter of an hour; this one's rule is switched off for 31 hours."""
    now = good_day.region.now.timestamp()
    own = {spec.done_metric, "CanaryWalks"} if spec is specs.CANARY else {spec.done_metric}
    days = [
        replace(v, at=v.at + 900 * n) for v in good_day.values for n in range(31 * 4) if n == 0 or v.name not in own
    ]
    then = now + 900 * (31 * 4 - 1)
    silent = {name for name in good_day.deployed.fired(days, then) if "Silent" in name}
    assert [name.partition("/")[2].rstrip("0123456789ABCDEF") for name in silent] == [f"{spec.camel}Silent"]


def test_every_rule_and_schedule_has_its_function_told_of_when_silent(assembly: Assembly) -> None:
    """The cycle's schedules start runs, of which `LateRuns` tells."""
    called: set[str] = set()
    for concern in ("runs", "portal", "events"):
        functions = {
            name: f["Handler"].split(".")[-2] for name, f in assembly.made(concern, "Lambda::Function").items()
        }
        rules = assembly.made(concern, "Events::Rule").values()
        targets = [t["Arn"] for r in rules if "ScheduleExpression" in r for t in r["Targets"]]
        targets += [s["Target"]["Arn"] for s in assembly.made(concern, "Scheduler::Schedule").values()]
        called |= {functions[a["Fn::GetAtt"][0]] for a in targets if a.get("Fn::GetAtt", [""])[0] in functions}
    assert called == {spec.handler.split(".")[-2] for spec in (*SCHEDULED, specs.CANARY)}


def test_the_runbooks_say_which_failure_leads_to_which_metric(assembly: Assembly) -> None:
    """docs/runbooks/README.md has a row for every metric that an alarm watches."""
    text = (ROOT / "docs/runbooks/README.md").read_text()
    watched = set()
    for alarm in Deployed.read(assembly, "eu").alarms.values():
        stats = [m["MetricStat"]["Metric"] for m in alarm.get("Metrics", ()) if "MetricStat" in m] or [alarm]
        watched |= {metric["MetricName"] for metric in stats}
    own = {name for spec in specs.ALL for name in (spec.failed_metric, spec.done_metric)}
    assert sorted(name for name in watched - own if f"`{name}`" not in text) == []
