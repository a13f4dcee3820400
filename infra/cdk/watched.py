"""Functions, queues and state machines that cannot be made without key, log group, dead letters and alarms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import Aws, Duration, RemovalPolicy, Size
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.cdk.alarms import Rule, Runbook, alarm, own_metric
from infra.cdk.functions import FunctionSpec
from infra.cdk.keys import Keys
from infra.cdk.names import Names

LOG_RETENTION = logs.RetentionDays.THREE_MONTHS


@dataclass(frozen=True, slots=True)
class Ward:
    """What every watched thing of a region shares."""

    names: Names
    keys: Keys
    alarms: sns.ITopic


def log_group(scope: Construct, id_: str, name: str, key: kms.IKey) -> logs.LogGroup:
    return logs.LogGroup(
        scope,
        id_,
        log_group_name=name,
        encryption_key=key,
        retention=LOG_RETENTION,
        removal_policy=RemovalPolicy.DESTROY,
    )


class WatchedQueue(Construct):
    """An encrypted queue with its dead-letter queue; alarms when messages die or wait too long."""

    def __init__(self, scope: Construct, name: str, ward: Ward, *, visibility_s: int, late_s: int = 900) -> None:
        super().__init__(scope, name.title().replace("_", "") + "Queue")
        self.dead_letters = self._queue("DeadLetters", ward, f"{name}-dead", retention=Duration.days(14))
        self.queue = self._queue(
            "Queue",
            ward,
            name,
            retention=Duration.days(4),
            visibility=Duration.seconds(visibility_s),
            dead=sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=5),
        )
        dead_letter_alarm(self, self.dead_letters, ward, f"Messages of the queue {name} could not be worked.")
        age = self.queue.metric_approximate_age_of_oldest_message(period=Duration.minutes(5), statistic="Maximum")
        says = f"A message has waited in the queue {name} for over {late_s} s."
        alarm(self, "Late", age, Rule(Runbook.QUEUE_LATE, says, threshold=late_s), ward.alarms)

    def feeds(self, watched: WatchedFunction, batch_size: int = 10, at_once: int = 10) -> None:
        """Messages that fail are reported one by one; the others of their batch stay done."""
        watched.function.add_event_source(
            sources.SqsEventSource(
                self.queue, batch_size=batch_size, report_batch_item_failures=True, max_concurrency=at_once
            )
        )

    def _queue(
        self,
        id_: str,
        ward: Ward,
        name: str,
        *,
        retention: Duration,
        visibility: Duration | None = None,
        dead: sqs.DeadLetterQueue | None = None,
    ) -> sqs.Queue:
        return sqs.Queue(
            self,
            id_,
            queue_name=ward.names.of(name),
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=ward.keys.messages,
            enforce_ssl=True,
            retention_period=retention,
            visibility_timeout=visibility,
            dead_letter_queue=dead,
        )


def dead_letter_alarm(scope: Construct, queue: sqs.IQueue, ward: Ward, says: str) -> None:
    waiting = queue.metric_approximate_number_of_messages_visible(period=Duration.minutes(1), statistic="Maximum")
    alarm(scope, "Dead", waiting, Rule(Runbook.DEAD_LETTERS, says), ward.alarms)


class DeadLetters(Construct):
    """A queue for calls that AWS gave up on (asynchronous, scheduled, stream or rule), with its alarm."""

    def __init__(self, scope: Construct, name: str, ward: Ward) -> None:
        super().__init__(scope, name.title().replace("_", "") + "Dead")
        self.queue = sqs.Queue(
            self,
            "Queue",
            queue_name=ward.names.of(f"{name}-dead"),
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=ward.keys.messages,
            enforce_ssl=True,
            retention_period=Duration.days(14),
        )
        dead_letter_alarm(self, self.queue, ward, f"Calls of {name} were given up.")


class WatchedFunction(Construct):
    """A function with its own role, encrypted log group, dead letters and alarms."""

    def __init__(
        self,
        scope: Construct,
        spec: FunctionSpec,
        ward: Ward,
        *,
        code: lambda_.Code,
        layers: list[lambda_.ILayerVersion],
        environment: Mapping[str, str],
        statements: list[iam.PolicyStatement],
        reserved: int | None = None,
    ) -> None:
        super().__init__(scope, spec.camel)
        self.spec = spec
        self.log_group = log_group(self, "Log", f"/aws/lambda/{ward.names.of(spec.name)}", ward.keys.logs)
        self.dead_letters = DeadLetters(self, spec.name, ward)
        self.role = self._role(spec, ward, statements)
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=ward.names.of(spec.name),
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.ARM_64,
            handler=spec.handler,
            code=code,
            layers=layers,
            memory_size=spec.memory,
            timeout=Duration.seconds(spec.timeout_s),
            reserved_concurrent_executions=reserved,
            ephemeral_storage_size=Size.mebibytes(spec.disk) if spec.disk > 512 else None,
            environment=dict(environment),
            role=self.role,
            log_group=self.log_group,
            tracing=lambda_.Tracing.ACTIVE,
            dead_letter_queue=self.dead_letters.queue,
            retry_attempts=2,
            max_event_age=Duration.hours(6),
            # A run that began with a version ends with it, and a release that is taken back finds the one before.
            current_version_options=lambda_.VersionOptions(removal_policy=RemovalPolicy.RETAIN),
        )
        self.errors = self._watch(spec, ward)

    def _role(self, spec: FunctionSpec, ward: Ward, statements: list[iam.PolicyStatement]) -> iam.Role:
        """No managed policy: the role writes its own log group and what its grants name."""
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"Function {ward.names.of(spec.name)}",
        )
        write_log = iam.PolicyStatement(
            actions=["logs:CreateLogStream", "logs:PutLogEvents"],
            resources=[self.log_group.log_group_arn],
        )
        bury = iam.PolicyStatement(
            actions=["kms:Decrypt", "kms:GenerateDataKey"],
            resources=[ward.keys.messages.key_arn],
            conditions={"StringEquals": {"kms:ViaService": f"sqs.{Aws.REGION}.amazonaws.com"}},
        )
        for statement in [write_log, bury, *statements]:
            role.add_to_policy(statement)
        return role

    def _watch(self, spec: FunctionSpec, ward: Ward) -> cloudwatch.Alarm:
        """Answers the alarm on calls that failed."""
        five = Duration.minutes(5)
        errors = self.function.metric_errors(period=five)
        says = f"The function {spec.name} failed."
        failed = alarm(self, "Errors", errors, Rule(Runbook.FUNCTION_FAILED, says), ward.alarms)
        counted = own_metric(spec.failed_metric, spec.service)
        says = f"The function {spec.name} counted failures of its own."
        alarm(self, "Failures", counted, Rule(Runbook.FUNCTION_FAILED, says), ward.alarms)
        throttles = self.function.metric_throttles(period=five)
        says = f"Calls of the function {spec.name} were throttled."
        alarm(self, "Throttles", throttles, Rule(Runbook.FUNCTION_THROTTLED, says, periods=2), ward.alarms)
        return failed


def called_every(
    scope: Construct, watched: WatchedFunction, period: Duration, ward: Ward, description: str | None = None
) -> None:
    """A rule that calls a function, and an alarm should it fall silent."""
    events.Rule(
        scope,
        f"Every{watched.spec.camel}",
        rule_name=ward.names.of(watched.spec.name),
        description=description,
        schedule=events.Schedule.rate(period),
        targets=[
            targets.LambdaFunction(
                watched.function,
                dead_letter_queue=watched.dead_letters.queue,
                retry_attempts=2,
                max_event_age=period,
            )
        ],
    )
    told_when_silent(watched, period, ward)


def told_when_silent(watched: WatchedFunction, period: Duration, ward: Ward) -> None:
    """What a schedule calls and nothing calls any more finds nothing: what it looks for would look well for ever.

    Four times in a row; daily ones a day and six hours, since a day's calls drift.
    """
    daily = period.to_minutes() >= Duration.days(1).to_minutes()
    every, times = (Duration.hours(6), 5) if daily else (period, 4)
    says = f"The function {watched.spec.name}, which a schedule calls, has not come to its end for too long."
    rule = Rule(Runbook.SCHEDULE_STOPPED, says, periods=times, below=True)
    done = own_metric(watched.spec.done_metric, watched.spec.service, int(every.to_minutes()))
    alarm(watched, "Silent", done, rule, ward.alarms)


class WatchedStateMachine(Construct):
    """A Standard workflow, encrypted, logged, traced; alarms when an execution fails, times out or is aborted."""

    def __init__(
        self, scope: Construct, name: str, ward: Ward, *, definition: sfn.IChainable, timeout: Duration
    ) -> None:
        super().__init__(scope, name.title().replace("_", ""))
        group = log_group(self, "Log", f"/aws/vendedlogs/states/{ward.names.of(name)}", ward.keys.logs)
        self.machine = sfn.StateMachine(
            self,
            "Machine",
            state_machine_name=ward.names.of(name),
            definition_body=sfn.DefinitionBody.from_chainable(definition),
            timeout=timeout,
            tracing_enabled=True,
            logs=sfn.LogOptions(destination=group, level=sfn.LogLevel.ALL, include_execution_data=False),
            encryption_configuration=sfn.CustomerManagedEncryptionConfiguration(
                ward.keys.messages, Duration.minutes(15)
            ),
        )
        self._watch(name, ward)

    def _watch(self, name: str, ward: Ward) -> None:
        five = Duration.minutes(5)
        ends = {
            "Failed": ("failed", self.machine.metric_failed(period=five)),
            "TimedOut": ("took too long", self.machine.metric_timed_out(period=five)),
            "Aborted": ("was stopped by hand", self.machine.metric_aborted(period=five)),
        }
        for id_, (ended, metric) in ends.items():
            says = f"An execution of {name} {ended}."
            alarm(self, id_, metric, Rule(Runbook.RUN_FAILED, says), ward.alarms)
