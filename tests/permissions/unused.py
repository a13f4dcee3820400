"""Which granted words no workflow ever needs: what can be taken away, or what no test goes through yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.permissions.gate import Used
from tests.permissions.iam import Statement

# Used by Lambda itself under the function's role, so never by a call of ours.
_BY_LAMBDA = ("logs:", "xray:", "dynamodb:ListStreams", "dynamodb:DescribeStream", "dynamodb:GetRecords")
_BY_LAMBDA += ("dynamodb:GetShardIterator", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility")
_BY_LAMBDA += ("sqs:GetQueueAttributes", "sqs:GetQueueUrl")


@dataclass(frozen=True, slots=True, order=True)
class Granted:
    """One action on one resource, as a policy words them."""

    function: str
    statement: str
    action: str
    resource: str

    @property
    def is_wild(self) -> bool:
        return "*" in self.action or "*" in self.resource


def granted(policies: Mapping[str, Sequence[Statement]]) -> Iterator[Granted]:
    """Every pair of words of a statement that allows; what Lambda itself needs is left out."""
    for function, statements in policies.items():
        for statement in statements:
            for action in statement.actions if statement.effect == "Allow" else ():
                for resource in statement.resources:
                    if not _lambdas_own(action, resource, statement):
                        yield Granted(function, statement.name, action, resource)


def unused(policies: Mapping[str, Sequence[Statement]], used: Counter[Used]) -> list[Granted]:
    known = {key[:4] for key in used}
    return [one for one in granted(policies) if (one.function, one.statement, one.action, one.resource) not in known]


def _lambdas_own(action: str, resource: str, statement: Statement) -> bool:
    """Logs, traces, polling, and the function's own dead letters with the key they are kept under."""
    if action.startswith(_BY_LAMBDA) or resource.endswith("-dead"):
        return True
    return action.startswith("kms:") and "MessagesKey" in resource and not _through_a_client(statement)


def _through_a_client(statement: Statement) -> bool:
    ways = {value for _, key, values in statement.conditions if key == "kms:viaservice" for value in values}
    return any(way.startswith(("secretsmanager.", "states.")) for way in ways)
