"""Records under credentials that reach some owners' partitions and no others: the third wall between customers.

The first is the role that a route names, the second the scope of a `Store`. This one is kept by IAM: what answers a
customer's page signs its calls as a role whose session policy names the partitions of that customer. A mistake in the
other two then meets AccessDenied.
Source: IAM User Guide, "Session policies"; Service Authorization Reference, `dynamodb:LeadingKeys`.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from saldo.kernel.clock import Clock
from saldo.kernel.ids import is_id
from saldo.storage.clients import signed_as
from saldo.storage.store import OutOfScope

if TYPE_CHECKING:
    from datetime import datetime

    from botocore.credentials import Credentials
    from mypy_boto3_dynamodb import DynamoDBClient

MOST_OWNERS = 15  # a session policy has 2,048 characters at most
_LASTS = timedelta(hours=1)  # the longest that a role assumed by a role may last
_AT_LEAST = timedelta(minutes=2)
_REMEMBERED = 500
_RECORDS = [
    "dynamodb:BatchGetItem",
    "dynamodb:BatchWriteItem",
    "dynamodb:ConditionCheckItem",
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "dynamodb:UpdateItem",
]


def policy_for(owners: Iterable[str]) -> str:
    """The session policy, as JSON. owners: ids; partitions are named by one, or end in `#` and one (`Store`).

    `Null` refuses what has no leading keys at all, a scan. Tables are those of the role. OutOfScope for what is no id.
    """
    named = sorted(set(owners))
    if not named or len(named) > MOST_OWNERS or not all(is_id(owner) for owner in named):
        raise OutOfScope
    keys = [pattern for owner in named for pattern in (owner, f"*#{owner}")]
    condition = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": keys}, "Null": {"dynamodb:LeadingKeys": "false"}}
    table = {"Effect": "Allow", "Action": _RECORDS, "Resource": "*", "Condition": condition}
    key = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [table, key]}, separators=(",", ":"))


class Narrowed:
    """Clients of the records table for some owners alone. Their credentials last an hour and are kept until then."""

    def __init__(self, client: DynamoDBClient, sts: Any, role_arn: str, clock: Clock) -> None:
        self._client, self._sts, self._role_arn, self._clock = client, sts, role_arn, clock
        self._kept: OrderedDict[tuple[frozenset[str], str], tuple[datetime, Credentials]] = OrderedDict()

    def client(self, owners: Iterable[str], name: str) -> DynamoDBClient:
        """name: who acts, as the trail of AWS shows it. Nothing is asked of AWS before the first call."""
        wanted = frozenset(owners)
        narrowed: Any = _SignedAs(self._client, lambda: self._credentials(wanted, name))
        return narrowed  # type: ignore[no-any-return]

    def _credentials(self, owners: frozenset[str], name: str) -> Credentials:
        key = owners, name
        kept = self._kept.get(key)
        if kept is None or kept[0] - self._clock() < _AT_LEAST:
            kept = self._kept[key] = self._assumed(owners, name)
            if len(self._kept) > _REMEMBERED:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return kept[1]

    def _assumed(self, owners: frozenset[str], name: str) -> tuple[datetime, Credentials]:
        from botocore.credentials import Credentials

        answer = self._sts.assume_role(
            RoleArn=self._role_arn,
            RoleSessionName=name,
            Policy=policy_for(owners),
            DurationSeconds=int(_LASTS.total_seconds()),
        )["Credentials"]
        made = Credentials(answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"])
        return answer["Expiration"], made


class _SignedAs:
    def __init__(self, client: Any, credentials: Any) -> None:
        self._client, self._credentials = client, credentials

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._client, name)

        def signed(**request: Any) -> Any:
            with signed_as(self._credentials()):
                return call(**request)

        return signed
