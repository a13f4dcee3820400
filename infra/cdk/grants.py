"""Least privilege: what each grant means in IAM actions on named resources."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from infra.cdk.functions import COUNT_USAGE, DOCUMENTS, Grant

if TYPE_CHECKING:
    from infra.cdk.data import DataStack

_READ = ["dynamodb:BatchGetItem", "dynamodb:ConditionCheckItem", "dynamodb:GetItem", "dynamodb:Query"]
_WRITE = ["dynamodb:BatchWriteItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]
_USE_KEY = ["kms:Decrypt", "kms:GenerateDataKey"]

Statements = Callable[["DataStack"], list[iam.PolicyStatement]]


def _allow(
    actions: list[str],
    *resources: str,
    via: str = "",
    only: Mapping[str, str] | None = None,
    partitions: Sequence[str] = (),
) -> iam.PolicyStatement:
    """`via`: the key may be used only through that service of this region. `only`: values that must be given.
    `partitions`: patterns of the only partition keys that a call may name, and it must name some."""
    equal = {"kms:ViaService": f"{via}.{Aws.REGION}.amazonaws.com"} if via else dict(only or {})
    conditions: dict[str, object] = {"StringEquals": equal} if equal else {}
    if partitions:
        conditions["ForAllValues:StringLike"] = {"dynamodb:LeadingKeys": list(partitions)}
        conditions["Null"] = {"dynamodb:LeadingKeys": "false"}
    return iam.PolicyStatement(actions=actions, resources=list(resources), conditions=conditions or None)


def _records(actions: list[str]) -> Statements:
    """An index is only ever asked by Query."""

    def statements(data: DataStack) -> list[iam.PolicyStatement]:
        table = data.records.table_arn
        index = [_allow(["dynamodb:Query"], f"{table}/index/agenda")] if "dynamodb:Query" in actions else []
        return [
            _allow(actions, table),
            *index,
            _allow(["kms:Decrypt"], data.keys.records.key_arn, via="dynamodb"),
        ]

    return statements


def _wrapped_keys(*, make: bool) -> Statements:
    """Data keys open as what they were wrapped for: this region's records. Another purpose is another permission."""

    def statements(data: DataStack) -> list[iam.PolicyStatement]:
        actions = ["dynamodb:GetItem", *(["dynamodb:PutItem"] if make else [])]
        unwrap = ["kms:Decrypt", *(["kms:GenerateDataKey"] if make else [])]
        return [
            _allow(actions, data.wrapped_keys.table_arn),
            _allow(unwrap, data.keys.envelope.key_arn, only=wrapped_for(data.region_code)),
            _allow(["kms:Decrypt"], data.keys.records.key_arn, via="dynamodb"),
        ]

    return statements


def wrapped_for(region_code: str) -> dict[str, str]:
    """The parts of the encryption context of a data key that are the same for every organisation (storage/sealing)."""
    return {"kms:EncryptionContext:purpose": "records", "kms:EncryptionContext:region": region_code}


def _bucket(name: str, *, write: bool) -> Statements:
    def statements(data: DataStack) -> list[iam.PolicyStatement]:
        bucket = data.buckets[name]
        actions = ["s3:GetObject", *(["s3:PutObject"] if write else [])]
        return [
            _allow(actions, bucket.arn_for_objects("*")),
            _allow(["s3:ListBucket"], bucket.bucket_arn),
            _allow(_USE_KEY if write else ["kms:Decrypt"], data.keys.records.key_arn, via="s3"),
        ]

    return statements


def _imports(data: DataStack) -> list[iam.PolicyStatement]:
    """Read what was uploaded; write nothing but the report beside it."""
    return [
        *_bucket("imports", write=False)(data),
        _allow(["s3:PutObject"], data.buckets["imports"].arn_for_objects("*.report.jsonl")),
        _allow(["kms:GenerateDataKey"], data.keys.records.key_arn, via="s3"),
    ]


def _uploads_pages(data: DataStack) -> list[iam.PolicyStatement]:
    """What browsers lay down waits where pages cannot read. Forms are signed with this; of what was looked at only a
    seller's papers are deleted by hand."""
    bucket = data.buckets["uploads"]
    return [
        _allow(["s3:PutObject"], bucket.arn_for_objects("incoming/*")),
        _allow(["s3:GetObject"], bucket.arn_for_objects("clean/*")),
        _allow(["s3:DeleteObject"], bucket.arn_for_objects("clean/paper/*")),
        _allow(["s3:ListBucket"], bucket.bucket_arn),
        _allow(_USE_KEY, data.keys.records.key_arn, via="s3"),
    ]


def _uploads(data: DataStack) -> list[iam.PolicyStatement]:
    bucket = data.buckets["uploads"]
    return [
        _allow(["s3:GetObject", "s3:DeleteObject"], bucket.arn_for_objects("incoming/*")),
        _allow(["s3:PutObject"], bucket.arn_for_objects("clean/*")),
        _allow(["s3:ListBucket"], bucket.bucket_arn),
        _allow(_USE_KEY, data.keys.records.key_arn, via="s3"),
    ]


def _uploads_end(data: DataStack) -> list[iam.PolicyStatement]:
    return [_allow(["s3:DeleteObject"], data.buckets["uploads"].arn_for_objects("clean/*"))]


def _usage_files(data: DataStack) -> list[iam.PolicyStatement]:
    """Add parts; a part's name is the hash of its bytes, so nothing that lies there changes."""
    return [
        _allow(["s3:PutObject"], data.buckets["usage"].arn_for_objects("usage/*")),
        _allow(_USE_KEY, data.keys.records.key_arn, via="s3"),
    ]


def _audit(data: DataStack) -> list[iam.PolicyStatement]:
    """Roots and heads are written and read; no retention is changed, no version deleted, by any function."""
    bucket = data.buckets["audit"]
    roots, heads = bucket.arn_for_objects("chain/*"), bucket.arn_for_objects("heads/*")
    return [
        _allow(["s3:PutObject", "s3:GetObject", "s3:GetObjectVersion"], roots, heads),
        _allow(["s3:ListBucket", "s3:ListBucketVersions"], bucket.bucket_arn),
        _allow(_USE_KEY, data.keys.records.key_arn, via="s3"),
    ]


def _looks(data: DataStack) -> list[iam.PolicyStatement]:
    bucket = data.buckets["work"]
    return [
        _allow(["s3:PutObject", "s3:GetObject"], bucket.arn_for_objects("books/*")),
        _allow(["s3:ListBucketVersions"], bucket.bucket_arn),
        _allow(_USE_KEY, data.keys.records.key_arn, via="s3"),
    ]


def _batches(data: DataStack) -> list[iam.PolicyStatement]:
    """The workflow itself reads them (invoice_run.py)."""
    return [
        _allow(["s3:PutObject"], data.buckets["work"].arn_for_objects("batches/*")),
        _allow(_USE_KEY, data.keys.records.key_arn, via="s3"),
    ]


def _usage_files_read(data: DataStack) -> list[iam.PolicyStatement]:
    return [
        _allow(["s3:GetObject"], data.buckets["usage"].arn_for_objects("usage/*")),
        _allow(["kms:Decrypt"], data.keys.records.key_arn, via="s3"),
    ]


def _count_usage(data: DataStack) -> list[iam.PolicyStatement]:
    return [_allow(["lambda:InvokeFunction"], data.names.function_arn(COUNT_USAGE.name))]


def _acknowledge(data: DataStack) -> list[iam.PolicyStatement]:
    return [_allow(["s3:PutObject"], data.buckets["imports"].arn_for_objects("*.997.edi"))]


def _queue_gateway_events(data: DataStack) -> list[iam.PolicyStatement]:
    return _send(data, data.gateway_events.queue.queue_arn)


def _queue_usage(data: DataStack) -> list[iam.PolicyStatement]:
    return _send(data, data.usage_batches.queue.queue_arn)


def _send(data: DataStack, queue_arn: str) -> list[iam.PolicyStatement]:
    return [_allow(["sqs:SendMessage"], queue_arn), _allow(_USE_KEY, data.keys.messages.key_arn, via="sqs")]


def _gateway_secret(data: DataStack) -> list[iam.PolicyStatement]:
    return [
        _allow(["secretsmanager:GetSecretValue"], data.gateway_secret.secret_arn),
        _allow(["kms:Decrypt"], data.keys.messages.key_arn, via="secretsmanager"),
    ]


def _canary_secret(data: DataStack) -> list[iam.PolicyStatement]:
    return [
        _allow(["secretsmanager:GetSecretValue"], data.canary_secret.secret_arn),
        _allow(["kms:Decrypt"], data.keys.messages.key_arn, via="secretsmanager"),
    ]


def _tax_secret(data: DataStack) -> list[iam.PolicyStatement]:
    if data.tax_secret is None:
        return []
    return [
        _allow(["secretsmanager:GetSecretValue"], data.tax_secret.secret_arn),
        _allow(["kms:Decrypt"], data.keys.messages.key_arn, via="secretsmanager"),
    ]


def _publish(data: DataStack) -> list[iam.PolicyStatement]:
    return [_allow(["events:PutEvents"], data.bus.event_bus_arn)]


def _mail(data: DataStack) -> list[iam.PolicyStatement]:
    return [_allow(["ses:SendEmail", "ses:SendRawEmail"], data.mail_identity_arn)]


def _render(data: DataStack) -> list[iam.PolicyStatement]:
    return [_allow(["lambda:InvokeFunction"], data.names.function_arn(DOCUMENTS.name))]


def _start_runs(data: DataStack) -> list[iam.PolicyStatement]:
    machine = data.names.invoice_run_arn
    return [
        _allow(["states:StartExecution"], machine),
        _allow(_USE_KEY, data.keys.messages.key_arn, via="states"),
    ]


def _sign(key: kms.Key) -> iam.PolicyStatement:
    """Sign as the key signs."""
    as_it_signs = {"kms:SigningAlgorithm": "ECDSA_SHA_256", "kms:MessageType": "RAW"}
    return _allow(["kms:Sign"], key.key_arn, only=as_it_signs)


def _sign_documents(data: DataStack) -> list[iam.PolicyStatement]:
    return [_sign(data.keys.documents)]


def _sign_details(data: DataStack) -> list[iam.PolicyStatement]:
    """And tell the public half."""
    return [_sign(data.keys.details), _allow(["kms:GetPublicKey"], data.keys.details.key_arn)]


def _records_of_sellers(data: DataStack) -> list[iam.PolicyStatement]:
    """What the API does before it knows whose account is asked for, and where it is asked for many: it knows a key and
    counts its use, takes in events and orders, lists a seller's invoices. Nothing of people, sessions or staff lies in
    these partitions, and of an account nothing is deleted."""
    code = data.region_code
    sellers = f"ent_{code}_*", f"key_{code}_*"
    table = data.records.table_arn
    return [
        _allow([*_READ, *_WRITE], table, partitions=(*sellers, f"acct_{code}_*", "attempts_*")),
        _allow(["dynamodb:DeleteItem"], table, partitions=sellers),
        _allow(["kms:Decrypt"], data.keys.records.key_arn, via="dynamodb"),
    ]


def _records_of_customers(data: DataStack) -> list[iam.PolicyStatement]:
    return [_allow(["sts:AssumeRole"], data.names.customer_role_arn)]


_MEANING: dict[Grant, Statements] = {
    Grant.RECORDS: _records(_READ + _WRITE),
    Grant.RECORDS_DELETE: _records(["dynamodb:DeleteItem"]),
    Grant.RECORDS_OF_SELLERS: _records_of_sellers,
    Grant.RECORDS_OF_CUSTOMERS: _records_of_customers,
    Grant.RECORDS_READ: _records(_READ),
    Grant.RECORDS_SCAN: _records([*_READ, "dynamodb:Scan", "dynamodb:DescribeTable"]),
    Grant.RECORDS_WRITE: _records(_WRITE),
    Grant.AUDIT: _audit,
    Grant.LOOKS: _looks,
    Grant.BATCHES: _batches,
    Grant.KEYS: _wrapped_keys(make=True),
    Grant.KEYS_READ: _wrapped_keys(make=False),
    Grant.DOCUMENTS: _bucket("documents", write=True),
    Grant.DOCUMENTS_READ: _bucket("documents", write=False),
    Grant.IMPORTS: _imports,
    Grant.USAGE_FILES: _usage_files,
    Grant.USAGE_FILES_READ: _usage_files_read,
    Grant.UPLOADS_PAGES: _uploads_pages,
    Grant.UPLOADS: _uploads,
    Grant.UPLOADS_END: _uploads_end,
    Grant.COUNT_USAGE: _count_usage,
    Grant.ACKNOWLEDGE: _acknowledge,
    Grant.QUEUE_GATEWAY_EVENTS: _queue_gateway_events,
    Grant.QUEUE_USAGE: _queue_usage,
    Grant.GATEWAY_SECRET: _gateway_secret,
    Grant.RENDER: _render,
    Grant.PUBLISH: _publish,
    Grant.MAIL: _mail,
    Grant.SIGN_DETAILS: _sign_details,
    Grant.SIGN_DOCUMENTS: _sign_documents,
    Grant.START_RUNS: _start_runs,
    Grant.CANARY_SECRET: _canary_secret,
    Grant.TAX_SECRET: _tax_secret,
}


def lists_of_batches_open(data: DataStack) -> iam.PolicyStatement:
    """What the workflow needs besides reading them."""
    return _allow(["kms:Decrypt"], data.keys.records.key_arn, via="s3")


def no_scans(data: DataStack) -> iam.PolicyStatement:
    """Whatever else is granted later, no path through this role lists a table."""
    return iam.PolicyStatement(
        effect=iam.Effect.DENY,
        actions=["dynamodb:Scan", "dynamodb:PartiQLSelect"],
        resources=[data.records.table_arn, f"{data.records.table_arn}/index/agenda", data.wrapped_keys.table_arn],
    )


def customer_statements(data: DataStack) -> list[iam.PolicyStatement]:
    """What pages may do with a customer's records. Whose they are, the session policy says (storage/narrowed)."""
    return [*_records([*_READ, *_WRITE, "dynamodb:DeleteItem"])(data), no_scans(data)]


def statements_for(grants: tuple[Grant, ...], data: DataStack) -> list[iam.PolicyStatement]:
    """The policy of a function. SIGN_IN is granted where the user pool is (portal.py)."""
    made = [statement for grant in grants if grant in _MEANING for statement in _MEANING[grant](data)]
    scans = Grant.RECORDS_SCAN in grants
    return made if scans else [*made, no_scans(data)]
