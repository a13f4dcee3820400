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

# What passes by itself: Lambda not taking the call, under each name that it has for that, and Saldo's own word for
# whatever else of AWS does not answer (functions/observed.py makes it of all of them).
TRANSIENT = [
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
    "Unavailable",
]
# AWS ends an Express child after so long, whatever it is at.
EXPRESS_S = 300
# Lambda ends a function itself; so much longer is waited for its answer, should that get lost.
_ANSWER_S = 10
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
        return tasks.LambdaInvoke(
            self._scope,
            id_,
            lambda_function=self._hosted[spec.name],
            payload=sfn.TaskInput.from_object(_paths(payload)) if payload else None,
            payload_response_only=True,
            retry_on_service_exceptions=False,
            result_path=result_path,
            task_timeout=sfn.Timeout.duration(Duration.seconds(spec.timeout_s + _ANSWER_S)),
        )

    def _step(
        self, id_: str, spec: f.FunctionSpec, payload: Mapping[str, str] | None, result_path: str | None
    ) -> tasks.LambdaInvoke:
        task = _patient(self._task(id_, spec, payload, result_path))
        task.add_catch(self._failed, errors=["States.ALL"], result_path="$.error")
        return task

    def _batches(self, id_: str, step: str, spec: f.FunctionSpec, batches: str) -> sfn.DistributedMap:
        """Every batch in an Express child, which sits out a minute or so. One batch that fails for longer, or is not
        done when AWS ends its child, fails the map; the map is repeated, for three quarters of an hour: batches that
        are done say so at once, and others go on where they were.

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
        each.item_processor(_retried(self._task(step, spec, given, "$"), attempts=6, longest_s=30))
        each.add_retry(
            errors=["States.ALL"],
            interval=Duration.seconds(30),
            max_attempts=7,
            backoff_rate=2,
            max_delay=Duration.seconds(900),
        )
        each.add_catch(self._failed, errors=["States.ALL"], result_path="$.error")
        return each

    def _fail_run(self) -> tasks.LambdaInvoke:
        """Gets the whole state: the run, if one was opened, and `error` as caught."""
        record = _patient(self._task("FailRun", f.FAIL_RUN, None, sfn.JsonPath.DISCARD))
        failed = sfn.Fail(
            self._scope,
            "RunFailed",
            error_path=sfn.JsonPath.string_at("$.error.Error"),
            cause_path=sfn.JsonPath.string_at("$.error.Cause"),
        )
        record.next(failed)
        return record


def _patient(task: tasks.LambdaInvoke) -> tasks.LambdaInvoke:
    """A step sits out an outage of three quarters of an hour; each wait is any part of what is given."""
    return _retried(task, attempts=24, longest_s=300)


def _retried(task: tasks.LambdaInvoke, attempts: int, longest_s: int) -> tasks.LambdaInvoke:
    """Transient errors so often, waiting twice as long each time; anything else twice, since steps are repeatable: a
    function that ran out of time or memory, whatever Lambda calls it (`Sandbox.Timedout`, `Lambda.Unknown`)."""
    task.add_retry(
        errors=TRANSIENT,
        interval=Duration.seconds(2),
        max_attempts=attempts,
        backoff_rate=2,
        max_delay=Duration.seconds(longest_s),
        jitter_strategy=sfn.JitterType.FULL,
    )
    task.add_retry(errors=["States.ALL"], interval=Duration.seconds(5), max_attempts=2)
    return task


def _paths(names: Mapping[str, str]) -> dict[str, Any]:
    """Each name with the value that lies at its path."""
    return {name: sfn.JsonPath.object_at(path) for name, path in names.items()}
