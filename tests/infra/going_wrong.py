"""Real failures, one scene each: what goes wrong, played on the real functions, until the metrics tell of it.

Scenes stand in failing_functions.py, failing_business.py and failing_people.py; what they share stands here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from infra.cdk.functions import FunctionSpec
from local.emulator.evaluation import Value
from tests.infra.cloud import Cloud, always_fails, never_answers
from tests.infra.deployed import Deployed
from tests.simulation.region import Region, quiet

Scene = Callable[[Cloud], None]
SCENES: dict[str, Scene] = {}
OWN = {"POWERTOOLS_METRICS_NAMESPACE": "Saldo", "POWERTOOLS_SERVICE_NAME": "preparing"}


def goes_wrong(name: str) -> Callable[[Scene], Scene]:
    def register(scene: Scene) -> Scene:
        SCENES[name] = scene
        return scene

    return register


def play(deployed: Deployed, name: str) -> set[str]:
    """Alarms that are raised at any moment of a scene, and after three days of it."""
    region = Region()
    cloud = Cloud(deployed, region)
    with patch.dict("os.environ", OWN), quiet(), region.serving():
        SCENES[name](cloud)
    moments = sorted({value.at for value in cloud.values})
    fired: set[str] = set()
    for moment in moments:
        fired |= deployed.fired([v for v in cloud.values if v.at <= moment], moment)
    end = moments[-1]
    return fired | deployed.fired(lasting(cloud.values, end), end)


def lasting(values: list[Value], end: float) -> list[Value]:
    """The same trouble again and again for three days, and in the last minutes."""
    again = (0, 120, 1200, 4 * 3600, 23 * 3600, 25 * 3600, 49 * 3600)
    return [replace(value, at=end - ago) for value in values for ago in again]


def trouble(cloud: Cloud, spec: FunctionSpec, work: Callable[[], Any]) -> None:
    """Everything that can happen to a function: it hangs until it is killed and given up, it fails, it is throttled."""
    cloud.call_later(spec, work, never_answers)
    cloud.run(spec, work, always_fails)
    cloud.receive(spec, work, always_fails)
    cloud.read_stream(spec, work, always_fails)
    throttled(cloud, spec)


def throttled(cloud: Cloud, spec: FunctionSpec) -> None:
    now = cloud.region.now
    for minutes in (5, 0):
        cloud.region.now = now - timedelta(minutes=minutes)
        cloud.throttle(spec)
