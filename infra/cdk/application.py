"""Puts the stacks of an environment together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks

from infra.cdk.acknowledgements import acknowledge
from infra.cdk.backups import CopiesStack
from infra.cdk.data import DataStack
from infra.cdk.environments import COPIES, FRONT, Environment, Region, context, environment
from infra.cdk.events import EventsStack
from infra.cdk.front import FrontStack
from infra.cdk.portal import PortalStack
from infra.cdk.runs import RunsStack
from infra.cdk.watch import WatchStack


def application(
    env_name: str,
    *,
    outdir: str | None = None,
    checked: bool = True,
    extra: Mapping[str, Any] | None = None,
) -> cdk.App:
    """The CDK app of one environment. `checked`: run cdk-nag's rules; `extra`: context over that of cdk.json."""
    settings = {**context(), **(extra or {})}
    env = environment(env_name, settings)
    app = cdk.App(outdir=outdir, context=settings, analytics_reporting=False)
    for region in env.regions:
        stacks = region_stacks(app, env, region)
        for stack in stacks if checked else ():
            acknowledge(stack, env.name)
    cdk.Tags.of(app).add("application", "saldo")
    cdk.Tags.of(app).add("environment", env.name)
    if checked:
        cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    return app


def region_stacks(app: cdk.App, env: Environment, region: Region) -> list[cdk.Stack]:
    """The stacks of one region, in the order in which they are deployed."""

    def place(concern: str) -> dict[str, Any]:
        stack_name, aws_region = env.stack(region.code, concern)
        return {
            "env": cdk.Environment(account=env.account, region=aws_region),
            "stack_name": stack_name,
            "description": f"Saldo {env.name}, {region.code}: {concern}",
            "termination_protection": not env.is_local,
        }

    def id_(concern: str) -> str:
        return f"saldo-{env.name}-{region.code}-{concern}"

    stacks: list[cdk.Stack]
    data = DataStack(app, id_("data"), env, region, **place("data"))
    portal = PortalStack(app, id_("portal"), env, region, data, **place("portal"))
    runs = RunsStack(app, id_("runs"), env, region, data, **place("runs"))
    events = EventsStack(app, id_("events"), env, region, data, **place("events"))
    watch = WatchStack(app, id_("watch"), env, data, portal, runs, **place("watch"))
    stacks = [data, portal, runs, events, watch]
    if region.copies:
        there = {"env": cdk.Environment(account=region.copies.account or env.account, region=region.copies.region)}
        stacks.append(CopiesStack(app, id_(COPIES), env, region, **place(COPIES) | there))
    if FRONT in env.concerns:
        front = FrontStack(app, id_(FRONT), env, region, **place(FRONT))
        front.add_stack_dependency(portal, "its secret, and the name it finds the API by")
        stacks.append(front)
    return stacks
