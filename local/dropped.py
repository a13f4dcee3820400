"""Resources of the templates that the emulator cannot make. Nothing else is left out on one machine.

Each stands here with its reason; tests/infra assert on the template what the emulator cannot show.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DROPPED = {
    "AWS::WAFv2::WebACLAssociation": "the emulator keeps firewalls but puts none in front of an API",
    "AWS::CloudWatch::CompositeAlarm": "the emulator makes none from a template; tests/infra/test_firing.py fires them",
    "AWS::Cognito::UserPoolDomain": "the emulator answers at its own address, and with a domain at none that is here",
    "AWS::CodeDeploy::Application": "the emulator releases nothing bit by bit: an alias moves at once",
    "AWS::CodeDeploy::DeploymentGroup": "the same; with it goes the alias's UpdatePolicy, which names it",
}
# Attributes of resources that only a dropped type gives a meaning to.
DROPPED_ATTRIBUTES = {"UpdatePolicy": "AWS::CodeDeploy::DeploymentGroup"}


def is_dropped(resource: Mapping[str, Any]) -> bool:
    """Of these types, or an alarm on an expression: the emulator knows no metric math."""
    return resource["Type"] in DROPPED or "Metrics" in _alarm_of(resource)


def _alarm_of(resource: Mapping[str, Any]) -> Mapping[str, Any]:
    return resource["Properties"] if resource["Type"] == "AWS::CloudWatch::Alarm" else {}
