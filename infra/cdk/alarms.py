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
    WRONG_API_KEYS = "wrong-api-keys"
    INVARIANT_VIOLATED = "invariant-violated"
    AUDIT_CHAIN_BROKEN = "audit-chain-broken"
    TAX_ESTIMATED = "tax-estimated"
    LATE_CHARGES_LEFT_OUT = "late-charges-left-out"

    @property
    def path(self) -> str:
        return f"{RUNBOOKS}/{self.value}.md"


@dataclass(frozen=True, slots=True)
class Rule:
    """Raise when the metric reaches `threshold` in each of `periods` periods; silence is good news."""

    runbook: Runbook
    says: str
    threshold: float = 1
    periods: int = 1


def own_metric(name: str, service: str = SERVICE) -> cloudwatch.Metric:
    """How often functions counted something themselves."""
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=name,
        dimensions_map={"service": service},
        period=Duration.minutes(5),
        statistic="Sum",
    )


def alarm(scope: Construct, id_: str, metric: cloudwatch.IMetric, rule: Rule, topic: sns.ITopic) -> cloudwatch.Alarm:
    """An alarm that tells the topic when it is raised and when it is over."""
    made = cloudwatch.Alarm(
        scope,
        id_,
        metric=metric,
        threshold=rule.threshold,
        evaluation_periods=rule.periods,
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        alarm_description=f"{rule.says} Runbook: {rule.runbook.path}",
    )
    tell = actions.SnsAction(topic)
    made.add_alarm_action(tell)
    made.add_ok_action(tell)
    return made
