"""The workflow of an invoice run, in the order of its states.

OpenRun → (nothing due: CloseRun) → BillBatches → (dry run: ReconcileRun) → NumberInvoices → IssueBatches →
ReconcileRun → CloseRun. Whatever fails after its retries goes to FailRun, which records the reason, and then Fail.
Batches travel as names in a file, which the maps read; what a batch holds lies in the run's own record.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from infra.cdk import functions as f

# What passes by itself: the service, the network, a cold or crowded function, and Saldo's own word for an outage.
TRANSIENT = [
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
    "Lambda.Unknown",
    "Unavailable",
    "ClientError",
    "EndpointConnectionError",
    "ConnectTimeoutError",
    "ReadTimeoutError",
]
_RUN = {"run_id": "$.run_id", "attempt": "$.attempt"}


class InvoiceRun:
    """Builds the chain of states over the deployed functions, by name."""

    def __init__(
        self, scope: Construct, hosted: Mapping[str, lambda_.IFunction], concurrency: int, lists: s3.IBucket
    ) -> None:
        """lists: the bucket with the names of batches."""
        self._scope, self._hosted, self._concurrency, self._lists = scope, hosted, concurrency, lists
        self._failed = self._fail_run()

    def chain(self) -> sfn.IChainable:
        close = self._step("CloseRun", f.CLOSE_RUN, _RUN, sfn.JsonPath.DISCARD)
        reconcile = self._step("ReconcileRun", f.RECONCILE_RUN, _RUN, sfn.JsonPath.DISCARD)
        reconcile.next(close).next(sfn.Succeed(self._scope, "Done"))
        issue = self._batches("IssueBatches", "IssueInvoices", f.ISSUE_INVOICES, "$.numbered.batches")
        issue.next(reconcile)
        number = self._step("NumberInvoices", f.NUMBER_INVOICES, _RUN, "$.numbered")
        number.next(self._any("AnythingNumbered", "$.numbered.batches", issue, reconcile))
        bill = self._batches("BillBatches", "BillAccounts", f.BILL_ACCOUNTS, "$.batches")
        bill.next(self._dry_or_not(number, reconcile))
        start = self._open_run()
        start.next(self._any("AnythingDue", "$.batches", bill, close))
        return start

    def _open_run(self) -> tasks.LambdaInvoke:
        """The input goes in as it is; the run's description replaces it."""
        return self._step("OpenRun", f.OPEN_RUN, None, "$")

    def _any(self, id_: str, batches: str, work: sfn.IChainable, otherwise: sfn.IChainable) -> sfn.Choice:
        """No map is begun over nothing."""
        some = sfn.Condition.number_greater_than(f"{batches}.count", 0)
        return sfn.Choice(self._scope, id_).when(some, work).otherwise(otherwise)

    def _dry_or_not(self, number: sfn.IChainable, reconcile: sfn.IChainable) -> sfn.Choice:
        dry = sfn.Condition.boolean_equals("$.dry_run", True)
        return sfn.Choice(self._scope, "DryRun").when(dry, reconcile).otherwise(number)

    def _task(
        self, id_: str, spec: f.FunctionSpec, payload: Mapping[str, str] | None, result_path: str | None
    ) -> tasks.LambdaInvoke:
        task = tasks.LambdaInvoke(
            self._scope,
            id_,
            lambda_function=self._hosted[spec.name],
            payload=sfn.TaskInput.from_object(_paths(payload)) if payload else None,
            payload_response_only=True,
            retry_on_service_exceptions=False,
            result_path=result_path,
            task_timeout=sfn.Timeout.duration(Duration.seconds(spec.timeout_s + 30)),
        )
        return self._retried(task)

    def _retried(self, task: tasks.LambdaInvoke) -> tasks.LambdaInvoke:
        """Transient errors up to six times over about two minutes; anything else twice, since steps are repeatable."""
        task.add_retry(
            errors=TRANSIENT,
            interval=Duration.seconds(2),
            max_attempts=6,
            backoff_rate=2,
            max_delay=Duration.seconds(60),
            jitter_strategy=sfn.JitterType.FULL,
        )
        task.add_retry(errors=["States.Timeout"], interval=Duration.seconds(5), max_attempts=2)
        return task

    def _step(
        self, id_: str, spec: f.FunctionSpec, payload: Mapping[str, str] | None, result_path: str | None
    ) -> tasks.LambdaInvoke:
        task = self._task(id_, spec, payload, result_path)
        task.add_catch(self._failed, errors=["States.ALL"], result_path="$.error")
        return task

    def _batches(self, id_: str, step: str, spec: f.FunctionSpec, batches: str) -> sfn.DistributedMap:
        """Every batch in an Express child. One batch that fails for good fails the run: it is retried as a whole.

        batches: where the state tells of their list.
        """
        each = sfn.DistributedMap(
            self._scope,
            id_,
            item_reader=sfn.S3JsonItemReader(bucket=self._lists, key=sfn.JsonPath.string_at(f"{batches}.key")),
            item_selector=_paths({**_RUN, "batch": "$$.Map.Item.Value.batch"}),
            max_concurrency=self._concurrency,
            map_execution_type=sfn.StateMachineType.EXPRESS,
            result_path=sfn.JsonPath.DISCARD,
        )
        given = {**_RUN, "batch": "$.batch"}
        each.item_processor(self._task(step, spec, given, "$"))
        each.add_catch(self._failed, errors=["States.ALL"], result_path="$.error")
        return each

    def _fail_run(self) -> tasks.LambdaInvoke:
        """Gets the whole state: the run, if one was opened, and `error` as caught."""
        record = self._task("FailRun", f.FAIL_RUN, None, sfn.JsonPath.DISCARD)
        failed = sfn.Fail(
            self._scope,
            "RunFailed",
            error_path=sfn.JsonPath.string_at("$.error.Error"),
            cause_path=sfn.JsonPath.string_at("$.error.Cause"),
        )
        record.next(failed)
        return record


def _paths(names: Mapping[str, str]) -> dict[str, Any]:
    """Each name with the value that lies at its path."""
    return {name: sfn.JsonPath.object_at(path) for name, path in names.items()}
