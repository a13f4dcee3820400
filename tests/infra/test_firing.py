"""Every alarm of the templates is raised once by a real failure, and on a good day none is."""

from __future__ import annotations

import json
from datetime import timedelta
from unittest.mock import patch

import pytest

from functions.operations import canary, check_invariants, watch_runs
from infra.cdk import functions as specs
from infra.cdk.environments import ROOT
from tests.assembly import Assembly
from tests.infra import failing_business, failing_functions, failing_people  # noqa: F401 - they register their scenes
from tests.infra.cloud import Cloud
from tests.infra.deployed import Deployed
from tests.infra.failing_people import asks, canary_on, opened
from tests.infra.going_wrong import OWN, SCENES, play
from tests.simulation.region import Region
from tests.simulation.workflows import scenes


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


def test_every_scene_raises_an_alarm_besides_that_of_the_silent_canary(fired: dict[str, set[str]]) -> None:
    assert [name for name, alarms in fired.items() if not {a for a in alarms if "CanarySilent" not in a}] == []


def test_the_alarms_of_both_regions_are_the_same(assembly: Assembly) -> None:
    ours, theirs = (Deployed.read(assembly, region) for region in ("eu", "us"))
    for name, alarm in ours.alarms.items():
        assert json.dumps(alarm, sort_keys=True) == json.dumps(theirs.alarms[name], sort_keys=True), name
    assert ours.composites.keys() == theirs.composites.keys()
    assert ours.alarms.keys() == theirs.alarms.keys()


def test_on_a_good_day_no_alarm_is_raised(assembly: Assembly) -> None:
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
            cloud.run(specs.WATCH_RUNS, lambda: watch_runs.handler({}, None))
        cloud.run(specs.CHECK_INVARIANTS, lambda: check_invariants.handler({}, None))
    assert cloud.deployed.fired(cloud.values, region.now.timestamp()) == set()


def test_the_runbooks_say_which_failure_leads_to_which_metric(assembly: Assembly) -> None:
    """docs/runbooks/README.md has a row for every metric that an alarm watches."""
    text = (ROOT / "docs/runbooks/README.md").read_text()
    watched = set()
    for alarm in Deployed.read(assembly, "eu").alarms.values():
        stats = [m["MetricStat"]["Metric"] for m in alarm.get("Metrics", ()) if "MetricStat" in m] or [alarm]
        watched |= {metric["MetricName"] for metric in stats}
    own_failures = {spec.failed_metric for spec in specs.ALL}
    assert sorted(name for name in watched - own_failures if f"`{name}`" not in text) == []
