"""A deployment in this process, as the command line sees one: tables, bucket, functions and state machine in memory."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from typing import Any, cast

from local.cli.site import NotHere, Site, Sites
from saldo.invoicing.run.bill import Billing, bill_accounts
from saldo.invoicing.run.close import close_run, reconcile_run
from saldo.invoicing.run.issue import issue_invoices
from saldo.invoicing.run.number import number_invoices
from saldo.invoicing.run.open import open_run
from saldo.kernel.errors import NotFound, Refusal
from saldo.storage.files import Files
from saldo.storage.schema import AGENDA_FIELDS
from saldo.storage.store import Store
from saldo.usage.ingest_import import UsageImport
from tests.founding import lay
from tests.simulation.dynamodb import MemoryDynamoDB
from tests.simulation.world import founding_items

RAN_AT = datetime(2026, 2, 1, 9, tzinfo=UTC)


def clock() -> datetime:
    return RAN_AT


class Body(io.BytesIO):
    def iter_chunks(self, size: int) -> Iterator[bytes]:
        while chunk := self.read(size):
            yield chunk

    def iter_lines(self) -> Iterator[bytes]:
        return (line.rstrip(b"\n") for line in self)


@dataclass
class MemorySite:
    """One region. Also its own S3, Lambda and Step Functions client: few calls, few lines."""

    region_code: str
    aws_url: str = "http://127.0.0.1:9"
    table: str = "records"
    keys_table: str = "keys"
    kms_key_id: str = "alias/envelope"
    imports_bucket: str = "imports"
    audit_bucket: str = "audit"
    portal_origin: str = "http://localhost:8080"
    sign_in_url: str = ""
    user_pool_id: str = "eu-central-1_users"
    staff_pool_id: str = "eu-central-1_staff"
    staff_pool_client_id: str = "staff"
    state_machine_arn: str = "arn:run"
    functions: Mapping[str, str] = field(default_factory=lambda: {"import_usage": "import_usage"})
    settings: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    executions: dict[str, dict[str, Any]] = field(default_factory=dict)
    dynamodb: MemoryDynamoDB = field(default_factory=lambda: MemoryDynamoDB(AGENDA_FIELDS))

    def client(self, service: str) -> Any:
        return self.dynamodb if service == "dynamodb" else self

    def environment(self) -> Mapping[str, str]:
        return self.settings

    @property
    def store(self) -> Store:
        return Store(cast(Any, self.dynamodb), self.table)

    def get_secret_value(self, *, SecretId: str) -> dict[str, str]:  # noqa: N803
        return {"SecretString": json.dumps(dict.fromkeys(("account", "licence_key", "company"), SecretId))}

    def put_object(self, *, Bucket: str, Key: str, Body: Any, **_: Any) -> None:  # noqa: N803
        self.files[Key] = Body if isinstance(Body, bytes) else Body.read()

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        return {"Body": Body(self.files[Key])}

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803
        assert FunctionName == "import_usage"
        event = json.loads(Payload)
        try:
            answer = asdict(
                UsageImport(self.store, Files(cast(Any, self), "imports"), clock).run(
                    event["entity_id"], event["key"], again=event["again"], backfill=event["backfill"]
                )
            )
        except Refusal as refusal:
            problems = [p.as_dict() for p in refusal.problems]
            answer = {"refused": {"code": refusal.code, "message": refusal.message, "problems": problems}}
        return {"Payload": io.BytesIO(json.dumps(answer).encode())}

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> dict[str, str]:  # noqa: N803
        try:
            self.executions[name] = {"status": "SUCCEEDED", "output": json.dumps(self._run(**json.loads(input)))}
        except (Refusal, NotFound) as refusal:
            cause = json.dumps({"errorMessage": str(refusal)})
            self.executions[name] = {"status": "FAILED", "error": "Refusal", "cause": cause}
        return {"executionArn": name}

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:  # noqa: N803
        return self.executions[executionArn]

    def _run(self, entity_id: str, as_of: str, dry_run: bool) -> dict[str, Any]:
        store = self.store
        billing = Billing.by_table(store)
        attempt = open_run(store, clock, entity_id, as_of, dry_run=dry_run)
        for batch in attempt.batches:
            bill_accounts(billing, attempt.run_id, attempt.number, batch)
        if not dry_run:
            for batch in number_invoices(store, clock, attempt.run_id, attempt.number):
                issue_invoices(store, clock, attempt.run_id, attempt.number, batch)
        reconcile_run(store, attempt.run_id, attempt.number)
        close_run(store, clock, attempt.run_id, attempt.number)
        return {"run_id": attempt.run_id, "attempt": attempt.number}


def sites(customers: int = 3) -> tuple[Sites, MemorySite]:
    """A deployment whose European seller has this many customers, all due on 1 January 2026; and that region."""
    eu, us = MemorySite("eu"), MemorySite("us")
    lay(eu.store, founding_items(customers, date(2026, 1, 1)), RAN_AT)
    found: dict[str, Site] = {"eu": eu, "us": us}
    return Sites(lambda code: found[code]), eu


def nowhere(_region_code: str) -> Site:
    raise NotHere("nothing is deployed")
