"""What a call of boto3 asks of IAM: actions, resources, and what conditions may look at.

Source: Service Authorization Reference. A transaction asks for each of its writes; a store under a customer's key asks
for that key too, by way of the service. A call that is not known here raises: nothing goes through unseen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tests.permissions.deployed import Names
from tests.permissions.iam import Ask, Context

Params = Mapping[str, Any]
_WRITES = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}


def asks(service: str, operation: str, params: Params, names: Names, *, keys: bool = True) -> Iterator[Ask]:
    """Every one of them must be allowed. service: boto3's name; operation: as the API names it (`PutItem`).

    keys: whether any policy looks at partition keys; without, a transaction asks once for each kind of write.
    """
    if service == "dynamodb":
        yield from _dynamodb(operation, params, names, keys)
    else:
        yield from _SERVICES[service](operation, params, names)


def _dynamodb(operation: str, params: Params, names: Names, keys: bool) -> Iterator[Ask]:
    wanted = _table_actions(operation, params)
    for action, table, index, leading in wanted if keys else {(a, t, i, ()): 0 for a, t, i, _ in wanted}:
        arn = names.arn("table", table)
        context = {"dynamodb:leadingkeys": leading} if leading else {}
        yield Ask(f"dynamodb:{action}", f"{arn}/index/{index}" if index else arn, context)
    touched = params.get("RequestItems") or {row["TableName"] for row in _rows(params)} or {params["TableName"]}
    for table in touched:
        yield from _key(names, names.arn("table", table), "dynamodb", "Decrypt")


def _rows(params: Params) -> list[Params]:
    return [row for item in params.get("TransactItems", ()) for row in item.values()]


def _table_actions(operation: str, params: Params) -> Iterator[tuple[str, str, str, tuple[str, ...]]]:
    """Action, table, index, leading keys."""
    if operation == "TransactWriteItems":
        for item in params["TransactItems"]:
            for verb, row in item.items():
                yield _WRITES[verb], row["TableName"], "", (_owner(row.get("Item") or row["Key"]),)
    elif operation == "BatchGetItem":
        for table, request in params["RequestItems"].items():
            yield operation, table, "", tuple(_owner(key) for key in request["Keys"])
    elif operation == "BatchWriteItem":
        for table, writes in params["RequestItems"].items():
            keys = [w["PutRequest"]["Item"] if "PutRequest" in w else w["DeleteRequest"]["Key"] for w in writes]
            yield operation, table, "", tuple(map(_owner, keys))
    elif operation == "Query":
        yield operation, params["TableName"], params.get("IndexName", ""), (_asked_for(params),)
    elif operation in ("Scan", "DescribeTable"):
        yield operation, params["TableName"], params.get("IndexName", ""), ()
    else:
        yield operation, params["TableName"], "", (_owner(params.get("Item") or params["Key"]),)


def _owner(key: Params) -> str:
    return str(key["pk"]["S"])


def _asked_for(params: Params) -> str:
    """The value that a query's condition gives the partition key: the first `name = :value`."""
    value = params["KeyConditionExpression"].split("=", 1)[1].split()[0]
    return str(params["ExpressionAttributeValues"][value]["S"])


# What is signed for a browser is the signer's own right, asked for when the browser comes.
_SIGNED = {"GeneratePresignedPost": "PutObject", "GeneratePresignedUrl": "GetObject"}


def _s3(operation: str, params: Params, names: Names) -> Iterator[Ask]:
    operation, params = _SIGNED.get(operation, operation), params.get("Params", params)
    bucket = names.arn("bucket", params["Bucket"])
    if operation in ("ListObjectVersions", "ListObjectsV2"):
        action = "ListBucketVersions" if operation == "ListObjectVersions" else "ListBucket"
        yield Ask(f"s3:{action}", bucket, {"s3:prefix": (params.get("Prefix", ""),)})
        return
    action = operation + ("Version" if params.get("VersionId") else "")
    yield Ask(f"s3:{action}", f"{bucket}/{params['Key']}")
    uses = {"GetObject": "Decrypt", "HeadObject": "Decrypt", "PutObject": "GenerateDataKey"}
    if operation in uses:
        yield from _key(names, bucket, "s3", uses[operation])


def _sqs(operation: str, params: Params, names: Names) -> Iterator[Ask]:
    """Sending many asks for the same right as sending one."""
    queue = names.arn("queue", params["QueueUrl"])
    yield Ask(f"sqs:{operation.removesuffix('Batch')}", queue)
    for use in ("GenerateDataKey", "Decrypt") if operation.startswith("Send") else ("Decrypt",):
        yield from _key(names, queue, "sqs", use)


def _kms(operation: str, params: Params, names: Names) -> Iterator[Ask]:
    """Direct use; the context given is what conditions on kms:EncryptionContext see."""
    given = params.get("EncryptionContext", {})
    context = {f"kms:encryptioncontext:{name}".lower(): (value,) for name, value in given.items()}
    context |= {
        f"kms:{name}".lower(): (params[name],) for name in ("SigningAlgorithm", "MessageType") if name in params
    }
    yield Ask(
        f"kms:{operation}", names.arn("key", params["KeyId"]), {**context, "kms:encryptioncontextkeys": (*given,)}
    )


def _events(operation: str, params: Params, names: Names) -> Iterator[Ask]:
    for bus in dict.fromkeys(entry["EventBusName"] for entry in params["Entries"]):
        sources = tuple(dict.fromkeys(entry["Source"] for entry in params["Entries"]))
        yield Ask(f"events:{operation}", names.arn("bus", bus), {"events:source": sources})


def _states(operation: str, params: Params, names: Names) -> Iterator[Ask]:
    if operation == "DescribeExecution":
        yield Ask(f"states:{operation}", names.execution(params["executionArn"]))
        return
    machine = names.arn("machine", params["stateMachineArn"])
    yield Ask(f"states:{operation}", machine)
    for use in ("Decrypt", "GenerateDataKey") if operation == "StartExecution" else ("Decrypt",):
        yield from _key(names, machine, "states", use)


def _secrets(operation: str, params: Params, names: Names) -> Iterator[Ask]:
    secret = names.arn("secret", params["SecretId"])
    yield Ask(f"secretsmanager:{operation}", secret)
    yield from _key(names, secret, "secretsmanager", "Decrypt")


def _mail(operation: str, params: Params, names: Names) -> Iterator[Ask]:
    """A raw message needs both rights; the identity is the sender's domain."""
    domain = params["FromEmailAddress"].rpartition("@")[2].rstrip(">")
    for action in (operation, "SendRawEmail") if "Raw" in params.get("Content", {}) else (operation,):
        yield Ask(f"ses:{action}", names.arn("mail", domain))


def _lambda(_operation: str, params: Params, names: Names) -> Iterator[Ask]:
    yield Ask("lambda:InvokeFunction", names.arn("function", params["FunctionName"]))


def _cognito(operation: str, params: Params, names: Names) -> Iterator[Ask]:
    yield Ask(f"cognito-idp:{operation}", names.arn("pool", params["UserPoolId"]))


def _sts(operation: str, params: Params, names: Names) -> Iterator[Ask]:
    yield Ask(f"sts:{operation}", names.arn("role", params["RoleArn"]))


def _key(names: Names, arn: str, service: str, use: str) -> Iterator[Ask]:
    """The key that a store is kept under, used by way of its service."""
    key = names.key_of(arn)
    if key:
        context: Context = {"kms:viaservice": (f"{service}.{names.region}.amazonaws.com",)}
        yield Ask(f"kms:{use}", key, context)


_SERVICES = {
    "s3": _s3,
    "sqs": _sqs,
    "kms": _kms,
    "events": _events,
    "stepfunctions": _states,
    "secretsmanager": _secrets,
    "sesv2": _mail,
    "lambda": _lambda,
    "cognito-idp": _cognito,
    "sts": _sts,
}
