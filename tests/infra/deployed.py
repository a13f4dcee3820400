"""One region of a synthesised assembly, read as a deployment would be: names for references, alarms to evaluate."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local.emulator.evaluation import Value, composite_state, state_of
from tests.assembly import CONCERNS, Assembly

_NAMES = ("FunctionName", "QueueName", "StateMachineName", "TableName", "TopicName")


@dataclass
class Deployed:
    """alarms and composites by `<concern>/<logical id>`."""

    templates: dict[str, dict[str, Any]]
    alarms: dict[str, dict[str, Any]] = field(default_factory=dict)
    composites: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def read(cls, assembly: Assembly, region: str) -> Deployed:
        found = cls({concern: assembly.template(region, concern) for concern in CONCERNS})
        for concern, name, resource in found.resources("AWS::CloudWatch::Alarm"):
            found.alarms[f"{concern}/{name}"] = found.resolved(concern, resource["Properties"])
        for concern, name, resource in found.resources("AWS::CloudWatch::CompositeAlarm"):
            found.composites[f"{concern}/{name}"] = found.resolved(concern, resource["Properties"])
        return found

    def resources(self, kind: str) -> list[tuple[str, str, dict[str, Any]]]:
        """Concern, logical id and resource of each of a type."""
        return [
            (concern, name, resource)
            for concern, template in self.templates.items()
            for name, resource in template["Resources"].items()
            if resource["Type"] == kind
        ]

    def named(self, kind: str) -> dict[str, dict[str, Any]]:
        """Properties of each resource of a type, references resolved, by its physical name."""
        found = [self.resolved(concern, resource["Properties"]) for concern, _, resource in self.resources(kind)]
        return {next(p[n] for n in _NAMES if n in p): p for p in found}

    def resolved(self, concern: str, value: Any) -> Any:
        """The same, each reference replaced by what it refers to is called; others stay as text."""
        if isinstance(value, list):
            return [self.resolved(concern, v) for v in value]
        if not isinstance(value, Mapping):
            return value
        if set(value) == {"Ref"}:
            return self._called(concern, value["Ref"])
        if set(value) == {"Fn::GetAtt"}:
            return self._called(concern, value["Fn::GetAtt"][0])
        if set(value) == {"Fn::ImportValue"}:
            return self._exported(value["Fn::ImportValue"])
        if set(value) == {"Fn::Join"}:
            glue, parts = value["Fn::Join"]
            return glue.join(str(self.resolved(concern, p)) for p in parts)
        return {k: self.resolved(concern, v) for k, v in value.items()}

    def _called(self, concern: str, logical_id: str) -> str:
        """The physical name; the logical id, with its concern, for what has none."""
        resource = self.templates[concern]["Resources"].get(logical_id, {})
        properties = resource.get("Properties", {})
        name = next((properties[n] for n in _NAMES if n in properties), None)
        return name if isinstance(name, str) else f"{concern}/{logical_id}"

    def _exported(self, name: str) -> str:
        for concern, template in self.templates.items():
            for output in template.get("Outputs", {}).values():
                if output.get("Export", {}).get("Name") == name:
                    return str(self.resolved(concern, output["Value"]))
        raise KeyError(name)

    def fired(self, values: list[Value], now: float) -> set[str]:
        """Names of the alarms that are in ALARM at that moment, given these values and no others."""
        states = {name: state_of(alarm, _near(alarm, values), now) for name, alarm in self.alarms.items()}
        told = {name: composite_state(c["AlarmRule"], states) for name, c in self.composites.items()}
        return {name for name, state in (states | told).items() if state == "ALARM"}

    def machine(self) -> dict[str, Any]:
        """The definition of the one workflow."""
        ((concern, _, resource),) = self.resources("AWS::StepFunctions::StateMachine")
        return dict(json.loads(self.resolved(concern, resource["Properties"]["DefinitionString"])))


def _near(alarm: Mapping[str, Any], values: list[Value]) -> list[Value]:
    stats = [m["MetricStat"]["Metric"] for m in alarm.get("Metrics", ()) if "MetricStat" in m] or [alarm]
    names = {metric["MetricName"] for metric in stats}
    return [v for v in values if v.name in names]
