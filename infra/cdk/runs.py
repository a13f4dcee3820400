"""Invoice runs: the workflow, its steps, its daily start for each legal entity, its watchman; other daily jobs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.cdk.data import DataStack
from infra.cdk.environments import Entity, Environment, Region
from infra.cdk.flags import DeployedFlags
from infra.cdk.functions import (
    ADVANCE_CLOCK,
    ANCHOR_AUDIT,
    ASSESS_LATE_CHARGES,
    BILL_ACCOUNTS,
    CHECK_INVARIANTS,
    CHECK_TAX_IDS,
    COLLECT_PAYMENTS,
    CREATE_DOUBLE,
    ESCALATE_TICKETS,
    ISSUE_INVOICES,
    ISSUE_REMINDERS,
    KEEP_UPLOADS,
    RENEW_TERMS,
    RUN_STEPS,
    TRUE_UP_TAX,
    WATCH_RUNS,
    FunctionSpec,
)
from infra.cdk.grants import lists_of_batches_open
from infra.cdk.hosting import Hosting
from infra.cdk.invoice_run import InvoiceRun
from infra.cdk.watched import (
    DeadLetters,
    WatchedFunction,
    WatchedQueue,
    WatchedStateMachine,
    called_every,
    told_when_silent,
)

# Scheduler writes the time it meant, not the time it got round to it: a start that comes late bills the right day.
_SCHEDULED_TIME = "<aws.scheduler.scheduled-time>"
# Reminders are written when people are at work.
_REMINDER_HOUR = 9
# Before them, so that nobody is reminded of what is being collected.
_COLLECTING_HOUR = 8
# Before the run, which bills what comes of it; an hour that every day has where clocks change.
_EARLY_HOUR = 3


@dataclass(frozen=True, slots=True)
class _Daily:
    """What happens to each entity once a day, at an `hour` of its own clock."""

    name: str
    hour: int
    does: str


@dataclass(frozen=True, slots=True)
class _Called:
    """What Scheduler calls, and as whom. `missed`: where failed starts go."""

    arn: str
    role: iam.Role
    missed: sqs.IQueue


# With how many parts of a day are done at once (functions/daily.py): as many as a run's batches, or as whoever is asked
# outside can take.
_FUNCTIONS = (
    (_Daily("Reminders", _REMINDER_HOUR, "Writes the reminders"), ISSUE_REMINDERS, 40),
    (_Daily("Collecting", _COLLECTING_HOUR, "Collects the payments"), COLLECT_PAYMENTS, 10),
    (_Daily("Renewals", _REMINDER_HOUR, "Tells of terms that renew"), RENEW_TERMS, 40),
    (_Daily("LateCharges", _EARLY_HOUR, "Adds what late payment costs"), ASSESS_LATE_CHARGES, 40),
    (_Daily("TaxTrueUps", _EARLY_HOUR, "Asks again about estimated tax"), TRUE_UP_TAX, 5),
    (_Daily("TaxIds", _EARLY_HOUR, "Asks again about tax ids"), CHECK_TAX_IDS, 2),
)
_DAY = Duration.days(1)
_RULES = (
    (WATCH_RUNS, Duration.minutes(15)),
    (ESCALATE_TICKETS, Duration.minutes(15)),
    (KEEP_UPLOADS, Duration.hours(1)),
)
# Looks over all records, and with how many of their parts at once: together they leave reads for everybody else.
_LOOKS = ((CHECK_INVARIANTS, Duration.hours(1)), (ANCHOR_AUDIT, _DAY))
PARTS_OF_A_LOOK = 20
# A day's parts may wait for each other as long as this before anybody is told.
_PARTS_LATE_S = 2 * 3600


class RunsStack(Stack):
    """Everything that bills. A second start of the same run is the same run (open_run sees to that)."""

    def __init__(
        self, scope: Construct, id_: str, target: Environment, region: Region, data: DataStack, **stack: Any
    ) -> None:
        super().__init__(scope, id_, **stack)
        self._data = data
        hosting = Hosting(self, target, region, data)
        reserved = self._reserved(target, len(region.entities))
        steps = {spec.name: hosting.function(spec, reserved=reserved.get(spec)) for spec in RUN_STEPS}
        # Versions, not functions: an execution keeps its definition, so a run calls one version of each to its end.
        hosted = {name: watched.function.current_version for name, watched in steps.items()}
        states = InvoiceRun(Construct(self, "States"), hosted, target.run_concurrency, data.buckets["work"])
        chain = states.chain()
        self.runs = WatchedStateMachine(self, "invoice_run", data.ward, definition=chain, timeout=Duration.hours(12))
        self._let_old_runs_end(steps)
        self.runs.machine.add_to_role_policy(lists_of_batches_open(data))
        late = self._schedule(region.entities, hosting, "" if target.is_local else data.names.of("flags"))
        DeployedFlags(self, data.names).readable_by(late)
        for spec, period in _RULES:
            called_every(self, hosting.function(spec), period, data.ward)
        for spec, period in _LOOKS:
            called_every(self, self._in_parts(spec, hosting, PARTS_OF_A_LOOK), period, data.ward)
        for spec in (CREATE_DOUBLE, ADVANCE_CLOCK):
            hosting.function(spec)
        CfnOutput(self, "InvoiceRunArn", value=self.runs.machine.state_machine_arn)

    @staticmethod
    def _reserved(target: Environment, sellers: int) -> dict[FunctionSpec, int]:
        """Where month ends are made ready for: as many as the runs of all sellers ask for at once, so that nothing else
        of the account holds them up, and they take no more."""
        at_once = target.run_concurrency * sellers if target.month_end_invoices else 0
        return {BILL_ACCOUNTS: at_once, ISSUE_INVOICES: at_once} if at_once else {}

    def _let_old_runs_end(self, steps: Mapping[str, WatchedFunction]) -> None:
        """A run that was under way at a deployment still calls the versions it began with."""
        versions = [f"{watched.function.function_arn}:*" for watched in steps.values()]
        self.runs.machine.add_to_role_policy(iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=versions))

    def _schedule(self, entities: tuple[Entity, ...], hosting: Hosting, flags: str) -> WatchedFunction:
        """For each entity, on its own clock: a run at its cycle hour, and each function of the day at its own. Answers
        the one that reads flags."""
        missed = DeadLetters(self, "invoice_run_starts", self._data.ward)
        machine = _Called(self.runs.machine.state_machine_arn, self._scheduler_role(missed), missed.queue)
        hosted = {spec: self._in_parts(spec, hosting, at_once, flags) for _, spec, at_once in _FUNCTIONS}
        for watched in hosted.values():
            told_when_silent(watched, _DAY, self._data.ward)
        jobs = [(job, self._calling(job, hosted[spec])) for job, spec, _ in _FUNCTIONS]
        for entity in entities:
            for job, called in ((_Daily("Cycle", entity.cycle_hour, "Starts the invoice run"), machine), *jobs):
                self._daily(entity, job, called)
        return hosted[ASSESS_LATE_CHARGES]

    def _in_parts(self, spec: FunctionSpec, hosting: Hosting, at_once: int, flags: str = "") -> WatchedFunction:
        """A function that sends itself the parts of what is too much for one call."""
        name, visible = f"{spec.name}_parts", 2 * spec.timeout_s
        queue = WatchedQueue(self, name, self._data.ward, visibility_s=visible, late_s=_PARTS_LATE_S)
        own = {"SALDO_PARTS_QUEUE_URL": queue.queue.queue_url}
        watched = hosting.function(spec, own | ({"SALDO_FLAGS": flags} if spec is ASSESS_LATE_CHARGES else {}))
        send = iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[queue.queue.queue_arn])
        watched.role.add_to_policy(send)
        queue.feeds(watched, batch_size=1, at_once=at_once)
        return watched

    def _daily(self, entity: Entity, daily: _Daily, called: _Called) -> None:
        slug = entity.id.replace("_", "-")
        body = f'{{"entity_id":"{entity.id}","as_of":"{_SCHEDULED_TIME}"}}'
        scheduler.CfnSchedule(
            self,
            daily.name + entity.id.title().replace("_", ""),
            name=self._data.names.of(f"{daily.name.lower()}-{slug}"),
            description=f"{daily.does} of {entity.id}",
            schedule_expression=f"cron(0 {daily.hour} * * ? *)",
            schedule_expression_timezone=entity.time_zone,
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            kms_key_arn=self._data.keys.messages.key_arn,
            target=scheduler.CfnSchedule.TargetProperty(
                arn=called.arn,
                role_arn=called.role.role_arn,
                input=body,
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=6 * 3600, maximum_retry_attempts=20
                ),
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(arn=called.missed.queue_arn),
            ),
        )

    def _scheduler_role(self, missed: DeadLetters) -> iam.Role:
        start = (["states:StartExecution"], self.runs.machine.state_machine_arn)
        return self._role("SchedulerRole", "Starts invoice runs", start, missed.queue)

    def _calling(self, job: _Daily, watched: WatchedFunction) -> _Called:
        arn, missed = watched.function.function_arn, watched.dead_letters.queue
        role = self._role(f"{job.name}Role", f"Calls for {job.name.lower()}", (["lambda:InvokeFunction"], arn), missed)
        return _Called(arn, role, missed)

    def _role(self, id_: str, does: str, may: tuple[list[str], str], missed: sqs.IQueue) -> iam.Role:
        """A role for Scheduler: may do that one thing, and lay what failed aside."""
        role = iam.Role(
            self,
            id_,
            assumed_by=iam.ServicePrincipal(
                "scheduler.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": self.account}}
            ),
            description=does,
        )
        for actions, resource in (
            may,
            (["sqs:SendMessage"], missed.queue_arn),
            (["kms:Decrypt", "kms:GenerateDataKey"], self._data.keys.messages.key_arn),
        ):
            role.add_to_policy(iam.PolicyStatement(actions=actions, resources=[resource]))
        return role
