"""What AWS counts, derived as its documents say from what the real functions do; and what functions count themselves.

Sources: "Types of metrics for Lambda functions" (Errors: exceptions and time-outs; Throttles: calls refused for want of
concurrency; IteratorAge), "Available CloudWatch metrics for Amazon SQS", "Monitoring Step Functions metrics", "Amazon
API Gateway dimensions and metrics". Names, retries and time-outs are those of the template.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from typing import Any
from unittest.mock import patch

from botocore.exceptions import ClientError

from functions.observed import logger, metrics
from infra.cdk import functions as specs
from infra.cdk.functions import FunctionSpec
from local.emulator.evaluation import Value
from tests.infra.deployed import Deployed
from tests.simulation.region import Region

API = "saldo-staging-portal"
# Before the name of a service while its function runs: powertools keeps one log handler for each name for good.
HOSTED = "hosted-"


class Killed(BaseException):
    """Lambda ends the process at the function's time limit: nothing catches it, nothing more is written."""


def never_answers(_number: int, _operation: str, _when: str) -> None:
    raise Killed


def always_fails(_number: int, operation: str, _when: str) -> None:
    raise ClientError({"Error": {"Code": "InternalServerError"}}, operation)


@dataclass
class Cloud:
    """One region's functions, hosted as the template says, and every metric value so far."""

    deployed: Deployed
    region: Region
    values: list[Value] = field(default_factory=list)

    def name(self, spec: FunctionSpec) -> str:
        return f"saldo-staging-{spec.name.replace('_', '-')}"

    def put(self, namespace: str, name: str, value: float, **dimensions: str) -> None:
        self.values.append(Value(namespace, name, dimensions, self.region.now.timestamp(), value))

    # -- functions ----------------------------------------------------------------------------------------------------

    def run(self, spec: FunctionSpec, work: Callable[[], Any], fault: Any = None) -> Any:
        """One invocation. None when it failed, whatever of it: Lambda counts exceptions and time-outs alike."""
        said, here = StringIO(), {"FunctionName": self.name(spec)}
        self.region.wire.fault = fault
        answer, failed, killed = None, False, False
        with redirect_stdout(said), _own_lines(spec.service):
            try:
                answer = work()
            except Killed:
                failed = killed = True
            except Exception:
                failed = True
        self.region.wire.fault = None
        self.put("AWS/Lambda", "Invocations", 1, **here)
        self.put("AWS/Lambda", "Errors", int(failed), **here)
        if not killed:
            self._embedded(said.getvalue())
        return None if failed else answer

    def _embedded(self, text: str) -> None:
        """Values in embedded metric format, at the region's time."""
        for line in text.splitlines():
            found = json.loads(line) if line.startswith("{") else {}
            for block in found.get("_aws", {}).get("CloudWatchMetrics", ()):
                for metric in block["Metrics"]:
                    written = found[metric["Name"]]
                    for value in written if isinstance(written, list) else [written]:
                        dimensions = {
                            k: str(found[k]).removeprefix(HOSTED) for keys in block["Dimensions"] for k in keys
                        }
                        self.put(block["Namespace"], metric["Name"], value, **dimensions)

    def throttle(self, spec: FunctionSpec) -> None:
        """A call for which no concurrency is left: the function does not run."""
        self.put("AWS/Lambda", "Throttles", 1, FunctionName=self.name(spec))

    def call_later(self, spec: FunctionSpec, work: Callable[[], Any], fault: Any) -> None:
        """An asynchronous call: tried as often as the template says, then given up to the dead-letter queue."""
        configured = self.deployed.named("AWS::Lambda::EventInvokeConfig")[self.name(spec)]
        tries = 1 + int(configured["MaximumRetryAttempts"])
        done = [self.run(spec, work, fault) for _ in range(tries)]
        if all(answer is None for answer in done):
            function = self.deployed.named("AWS::Lambda::Function")[self.name(spec)]
            self.dead(function["DeadLetterConfig"]["TargetArn"])

    def dead(self, queue: str) -> None:
        self.put("AWS/SQS", "ApproximateNumberOfMessagesVisible", 1, QueueName=queue)

    # -- what calls them ----------------------------------------------------------------------------------------------

    def sources(self, spec: FunctionSpec) -> list[dict[str, Any]]:
        """Streams and queues that the function reads."""
        found = [self.deployed.resolved(c, r["Properties"]) for c, _, r in self.deployed.resources(_MAPPING)]
        return [mapping for mapping in found if mapping["FunctionName"] == self.name(spec)]

    def receive(self, spec: FunctionSpec, work: Callable[[], Any], fault: Any) -> None:
        """A queue's message that the function fails on: seen again after the visibility time-out, at last dead."""
        for mapping in self.sources(spec):
            queue = self.deployed.named("AWS::SQS::Queue").get(mapping["EventSourceArn"])
            if queue is None:
                continue
            waited_s = 0
            for _ in range(queue["RedrivePolicy"]["maxReceiveCount"]):
                answer = self.run(spec, work, fault)
                if answer is not None and not answer.get("batchItemFailures"):
                    return
                waited_s += queue["VisibilityTimeout"]
                self.put("AWS/SQS", "ApproximateAgeOfOldestMessage", waited_s, QueueName=queue["QueueName"])
            self.dead(queue["RedrivePolicy"]["deadLetterTargetArn"])

    def read_stream(self, spec: FunctionSpec, work: Callable[[], Any], fault: Any) -> None:
        """A stream's batch that the function fails on: it stands still, and its records grow old."""
        for mapping in self.sources(spec):
            if "StartingPosition" not in mapping:
                continue
            age_s = 0
            for attempt in range(1 + mapping["MaximumRetryAttempts"]):
                answer = self.run(spec, work, fault)
                if answer is not None and not answer.get("batchItemFailures"):
                    return
                self.put("AWS/Lambda", "IteratorAge", age_s * 1000, FunctionName=self.name(spec))
                age_s += min(2**attempt, 60)
            self.dead(mapping["DestinationConfig"]["OnFailure"]["Destination"])

    def ask(self, spec: FunctionSpec, send: Callable[[], Any], fault: Any = None, slow_s: float = 0) -> Any:
        """One request through API Gateway, which took that long; a function that gives no answer is a 502 of it."""
        page = self.run(spec, send, fault)
        self.put("AWS/ApiGateway", "5XXError", int(page is None or page.status >= 500), ApiName=API)
        self.put("AWS/ApiGateway", "Latency", slow_s * 1000, ApiName=API)
        return page

    def ended(self, how: str) -> None:
        """An execution of the workflow: `Failed`, `TimedOut`, `Aborted`."""
        of_machine = [a for a in self.deployed.alarms.values() if a.get("Namespace") == "AWS/States"]
        (arn,) = {alarm["Dimensions"][0]["Value"] for alarm in of_machine}
        self.put("AWS/States", f"Executions{how}", 1, StateMachineArn=arn)

    # -- workflows of the simulation ----------------------------------------------------------------------------------

    @contextmanager
    def hosting(self, look: Callable[[FunctionSpec, Callable[[], Any]], None] | None = None) -> Iterator[None]:
        """Every handler that is called within is one of this cloud's invocations. `look`: sees each before it runs."""
        with_handlers = [spec for spec in specs.ALL if spec.handler.endswith(".handler")]
        patches = []
        for spec in with_handlers:
            module = importlib.import_module(spec.handler.removesuffix(".handler"))
            patches.append(patch.object(module, "handler", self._hosted(spec, module.handler, look)))
        for one in patches:
            one.start()
        try:
            yield
        finally:
            for one in patches:
                one.stop()

    def _hosted(self, spec: FunctionSpec, real: Any, look: Any) -> Any:
        def handler(event: Any, context: Any) -> Any:
            if look:
                look(spec, lambda: real(event, context))
            raised: list[Exception] = []

            def work() -> Any:
                try:
                    return real(event, context)
                except Exception as error:
                    raised.append(error)
                    raise

            answer = self.run(spec, work, self.region.wire.fault)
            if raised:
                raise raised[0]
            return answer

        return handler


_MAPPING = "AWS::Lambda::EventSourceMapping"


@contextmanager
def _own_lines(service: str) -> Iterator[None]:
    """Metrics and log of one invocation, written to the stdout of now: powertools keeps the first it saw."""
    with patch.dict(
        "os.environ", {"POWERTOOLS_METRICS_NAMESPACE": "Saldo", "POWERTOOLS_SERVICE_NAME": HOSTED + service}
    ):
        logger.cache_clear()
        metrics.cache_clear()
        try:
            yield
        finally:
            metrics().clear_metrics()
            logger.cache_clear()
            metrics.cache_clear()
