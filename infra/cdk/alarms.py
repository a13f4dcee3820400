"""Alarms: every one says in its description which runbook to open, and tells the alarm topic."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

NAMESPACE = "Saldo"
SERVICE = "saldo"
RUNBOOKS = "docs/runbooks"


class Runbook(Enum):
    """One file in docs/runbooks for each kind of alarm."""

    FUNCTION_FAILED = "function-failed"
    FUNCTION_THROTTLED = "function-throttled"
    QUEUE_LATE = "queue-late"
    DEAD_LETTERS = "dead-letters"
    EVENTS_LATE = "events-late"
    RUN_FAILED = "run-failed"
    RUN_LATE = "run-late"
    ACCOUNTS_SET_ASIDE = "accounts-set-aside"
    ORDERS_HELD = "orders-held"
    PORTAL_ERRORS = "portal-errors"
    PORTAL_SLOW = "portal-slow"
    TICKETS_LATE = "tickets-late"
    WRONG_API_KEYS = "wrong-api-keys"
    INVARIANT_VIOLATED = "invariant-violated"
    AUDIT_CHAIN_BROKEN = "audit-chain-broken"
    TAX_ESTIMATED = "tax-estimated"
    LATE_CHARGES_LEFT_OUT = "late-charges-left-out"
    PAYMENTS_LATE = "payments-late"
    DOCUMENTS_FAILING = "documents-failing"
    CANARY_BROKEN = "canary-broken"
    SIGN_INS_REFUSED = "sign-ins-refused"
    SIGN_INS_BLOCKED = "sign-ins-blocked"
    BULK_EXPORTS = "bulk-exports"
    CLEARING_NOT_ZERO = "clearing-not-zero"
    NUMBER_GAP = "number-gap"
    RUN_TOTALS_UNEXPECTED = "run-totals-unexpected"
    COST_HIGH = "cost-high"
    DEBITS_FAILED = "debits-failed"
    HARMFUL_UPLOADS = "harmful-uploads"
    SCHEDULE_STOPPED = "schedule-stopped"
    BACKUPS_FAILING = "backups-failing"

    @property
    def path(self) -> str:
        return f"{RUNBOOKS}/{self.value}.md"


@dataclass(frozen=True, slots=True)
class Rule:
    """Raise when the metric reaches `threshold` in each of `periods` periods; silence is good news.

    below: raise when it stays under the threshold instead, and silence is bad news.
    """

    runbook: Runbook
    says: str
    threshold: float = 1
    periods: int = 1
    below: bool = False

    @property
    def description(self) -> str:
        return f"{self.says} Runbook: {self.runbook.path}"


def own_metric(name: str, service: str = SERVICE, minutes: int = 5) -> cloudwatch.Metric:
    """How often functions counted something themselves."""
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=name,
        dimensions_map={"service": service},
        period=Duration.minutes(minutes),
        statistic="Sum",
    )


def alarm(scope: Construct, id_: str, metric: cloudwatch.IMetric, rule: Rule, topic: sns.ITopic) -> cloudwatch.Alarm:
    """An alarm that tells the topic when it is raised and when it is over."""
    made = quiet_alarm(scope, id_, metric, rule)
    tells(made, topic)
    return made


def quiet_alarm(scope: Construct, id_: str, metric: cloudwatch.IMetric, rule: Rule) -> cloudwatch.Alarm:
    """An alarm that tells nobody: a part of a composite one."""
    over, under = (
        cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
    )
    missing = cloudwatch.TreatMissingData
    return cloudwatch.Alarm(
        scope,
        id_,
        metric=metric,
        threshold=rule.threshold,
        evaluation_periods=rule.periods,
        comparison_operator=under if rule.below else over,
        treat_missing_data=missing.BREACHING if rule.below else missing.NOT_BREACHING,
        alarm_description=rule.description,
    )


def tells(made: cloudwatch.AlarmBase, topic: sns.ITopic) -> None:
    tell = actions.SnsAction(topic)
    made.add_alarm_action(tell)
    made.add_ok_action(tell)
