"""Resource types of the templates that the emulator cannot make. Nothing else is left out on one machine.

Each stands here with its reason; tests/infra assert on the template what the emulator cannot show.
"""

from __future__ import annotations

DROPPED = {
    "AWS::WAFv2::WebACLAssociation": "the emulator keeps firewalls but puts none in front of an API",
    "AWS::CodeDeploy::Application": "the emulator releases nothing bit by bit: an alias moves at once",
    "AWS::CodeDeploy::DeploymentGroup": "the same; with it goes the alias's UpdatePolicy, which names it",
}
# Attributes of resources that only a dropped type gives a meaning to.
DROPPED_ATTRIBUTES = {"UpdatePolicy": "AWS::CodeDeploy::DeploymentGroup"}
