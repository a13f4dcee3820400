"""What a region's people look at: one dashboard, and alarms on what the business feels rather than on a resource."""

from __future__ import annotations

from typing import Any

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.cdk.alarms import Rule, Runbook, alarm, own_metric
from infra.cdk.data import DataStack
from infra.cdk.environments import Environment
from infra.cdk.portal import PortalStack
from infra.cdk.runs import RunsStack

# Metric, and what it means when it is counted at all.
_BUSINESS = (
    ("LateRuns", Runbook.RUN_LATE, "A legal entity's billing cycle has not closed in time."),
    ("RunAccountsSetAside", Runbook.ACCOUNTS_SET_ASIDE, "A run closed with accounts set aside unbilled."),
    ("TaxEstimated", Runbook.TAX_ESTIMATED, "The tax service does not answer well; invoices carry estimated tax."),
    ("LateChargesLeftOut", Runbook.LATE_CHARGES_LEFT_OUT, "Interest on late invoices could not be told."),
    ("TaxTrueUpsWaiting", Runbook.TAX_ESTIMATED, "Invoices with estimated tax could not be trued up."),
    ("AuditChainsBroken", Runbook.AUDIT_CHAIN_BROKEN, "The nightly look found audit chains that do not hold."),
    ("AuditRecordsChanged", Runbook.AUDIT_CHAIN_BROKEN, "An audit record or a sealed link was changed or deleted."),
    ("InvariantViolations", Runbook.INVARIANT_VIOLATED, "The hourly audit found books that do not agree."),
)

# A held order is everyday work; so many within five minutes mean that a price list or a partner's file is wrong.
_MANY_HELD = 25


class WatchStack(Stack):
    """Alarms of single functions, queues and workflows are made with them; see watched.py."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        target: Environment,
        data: DataStack,
        portal: PortalStack,
        runs: RunsStack,
        **stack: Any,
    ) -> None:
        super().__init__(scope, id_, **stack)
        for name, runbook, says in _BUSINESS:
            alarm(self, name, own_metric(name), Rule(runbook, says), data.alarms)
        says = "Many orders at once do not agree with customer, contract or price."
        alarm(self, "OrdersHeld", own_metric("OrdersHeld"), Rule(Runbook.ORDERS_HELD, says, _MANY_HELD), data.alarms)
        self._dashboard(target, data, portal, runs)

    def _dashboard(self, target: Environment, data: DataStack, portal: PortalStack, runs: RunsStack) -> None:
        board = cloudwatch.Dashboard(self, "Dashboard", dashboard_name=f"saldo-{target.name}-{self.region}")
        machine, api = runs.runs.machine, portal.api
        hour = Duration.hours(1)
        board.add_widgets(
            _graph("Runs", machine.metric_started(period=hour), machine.metric_succeeded(period=hour)),
            _graph("Runs that failed", machine.metric_failed(period=hour), own_metric("LateRuns")),
            _graph("Accounts set aside", own_metric("RunAccountsSetAside")),
            _graph("Orders held", own_metric("OrdersHeld")),
        )
        board.add_widgets(
            _graph("Portal requests", api.metric_count(), api.metric_server_error(), api.metric_client_error()),
            _graph("Portal latency, ms", api.metric_latency(statistic="p50"), api.metric_latency(statistic="p99")),
            _graph("Books that disagree", own_metric("InvariantViolations")),
        )
        queue = data.gateway_events
        board.add_widgets(
            _graph("Gateway events waiting", queue.queue.metric_approximate_number_of_messages_visible()),
            _graph("Gateway events dead", queue.dead_letters.metric_approximate_number_of_messages_visible()),
        )


def _graph(title: str, *metrics: cloudwatch.IMetric) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=list(metrics), width=8, height=6)
