"""What a region's people look at: what is promised, and alarms on what the business feels rather than on a resource."""

from __future__ import annotations

from typing import Any, NamedTuple

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.cdk.alarms import SERVICE, Rule, Runbook, alarm, own_metric
from infra.cdk.burn import BurnAlarms, burn_rate
from infra.cdk.data import DataStack
from infra.cdk.environments import Environment
from infra.cdk.objectives import Objective, objectives
from infra.cdk.portal import PortalStack
from infra.cdk.runs import RunsStack


class Watched(NamedTuple):
    """A metric of our own and when it is too much: `threshold` or more within `minutes`.

    among: the metric that counts all of which these are a part; it is too much when they are `share` of it, too.
    """

    metric: str
    runbook: Runbook
    says: str
    threshold: float = 1
    service: str = SERVICE
    minutes: int = 5
    among: str = ""
    share: float = 0


_PORTAL = "portal"
BUSINESS = (
    Watched("LateRuns", Runbook.RUN_LATE, "A legal entity's billing cycle has not closed in time."),
    Watched("RunAccountsSetAside", Runbook.ACCOUNTS_SET_ASIDE, "A run closed with accounts set aside unbilled."),
    Watched(
        "RunTotalsUnexpected",
        Runbook.RUN_TOTALS_UNEXPECTED,
        "A run billed customers far more or less than a month ago.",
    ),
    Watched(
        "TaxEstimated",
        Runbook.TAX_ESTIMATED,
        "The tax service does not answer well; invoices carry estimated tax.",
    ),
    Watched("LateChargesLeftOut", Runbook.LATE_CHARGES_LEFT_OUT, "Interest on late invoices could not be told."),
    Watched("TaxTrueUpsWaiting", Runbook.TAX_ESTIMATED, "Invoices with estimated tax could not be trued up."),
    Watched("AuditChainsBroken", Runbook.AUDIT_CHAIN_BROKEN, "The nightly look found audit chains that do not hold."),
    Watched("AuditRecordsChanged", Runbook.AUDIT_CHAIN_BROKEN, "An audit record or a sealed link was changed."),
    # Books: any violation, and by name those that people act on differently.
    Watched("InvariantViolations", Runbook.INVARIANT_VIOLATED, "The hourly audit found books that do not agree."),
    Watched("MoneyUnexplained", Runbook.INVARIANT_VIOLATED, "Money stands in the books that no event explains."),
    Watched("ClearingNotZero", Runbook.CLEARING_NOT_ZERO, "Money lies in clearing that no payment explains."),
    Watched("NumberGaps", Runbook.NUMBER_GAP, "Numbers of invoices are missing, doubled or out of order."),
    # A held order is everyday work; so many within five minutes mean that a price list or a partner's file is wrong.
    Watched(
        "OrdersHeld",
        Runbook.ORDERS_HELD,
        "Many orders at once do not agree with customer, contract or price.",
        threshold=25,
    ),
    Watched("TicketsLate", Runbook.TICKETS_LATE, "Customers wait for an answer longer than promised.", minutes=15),
    # People mistype passwords all day; what a list of stolen ones does is another order of size.
    Watched(
        "SignInsRefused",
        Runbook.SIGN_INS_REFUSED,
        "Many sign-ins were refused: somebody may be trying passwords.",
        threshold=100,
        service=_PORTAL,
    ),
    Watched(
        "SignInsBlocked",
        Runbook.SIGN_INS_BLOCKED,
        "A sign-in with the right password was too unusual to let in: somebody may know it who should not.",
        service=_PORTAL,
    ),
    Watched(
        "DocumentsTaken",
        Runbook.BULK_EXPORTS,
        "Very many documents and lists were downloaded: somebody may be copying a customer's books.",
        threshold=300,
        service=_PORTAL,
        minutes=60,
    ),
    # Customers' people take their own; staff could take everybody's, and seldom need a file.
    Watched(
        "DocumentsTakenByStaff",
        Runbook.BULK_EXPORTS,
        "Very many documents were downloaded by staff: somebody may be copying customers' books.",
        threshold=100,
        service=_PORTAL,
        minutes=60,
    ),
    Watched(
        "RowsExportedByStaff",
        Runbook.BULK_EXPORTS,
        "Very many rows left with files for staff: somebody may be copying the trail of what customers did.",
        threshold=10_000,
        service=_PORTAL,
        minutes=60,
    ),
    # Cards are declined every day; of so many debits a fifth does not fail for the payers' reasons.
    Watched(
        "DebitsFailed",
        Runbook.DEBITS_FAILED,
        "Of the debits that were due, very many failed: customers who pay by themselves are not collected from.",
        threshold=5,
        minutes=60,
        among="DebitsDue",
        share=0.2,
    ),
    Watched("HarmfulUploads", Runbook.HARMFUL_UPLOADS, "Somebody handed in a file that would harm whoever opens it."),
)
# The canary walks four times an hour; two that break in a row are no chance.
_CANARY_MINUTES = 15
# US dollars: a million write and read units on demand, a million GB-seconds, a million invocations. A function has a
# gigabyte on average (functions.py).
_PRICES = {"writes": 0.625, "reads": 0.125, "milliseconds": 13.33 / 1000, "calls": 0.20}


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
        self._target, self._data = target, data
        for each in BUSINESS:
            rule = Rule(each.runbook, each.says, each.share or each.threshold)
            alarm(self, each.metric, _metric_of(each), rule, data.alarms)
        self._canary()
        self._cost()
        promised = objectives()
        for objective in promised:
            BurnAlarms(self, objective, data.names, data.alarms)
        self._promises(promised)
        self._dashboard(portal, runs)

    def _canary(self) -> None:
        broken = Rule(Runbook.CANARY_BROKEN, "The canary could not finish its walk, twice in a row.", periods=2)
        alarm(self, "CanaryBroken", own_metric("CanaryBroken", minutes=_CANARY_MINUTES), broken, self._data.alarms)
        silent = Rule(Runbook.CANARY_BROKEN, "The canary has not walked for an hour.", below=True)
        alarm(self, "CanarySilent", own_metric("CanaryWalks", minutes=60), silent, self._data.alarms)

    def _cost(self) -> None:
        """An estimate from what AWS counts within the region, hours before any bill tells; not the whole bill."""
        day = Duration.days(1)
        table = self._data.names.of("records")

        def sum_of(namespace: str, name: str, **dimensions: str) -> cloudwatch.Metric:
            return cloudwatch.Metric(
                namespace=namespace, metric_name=name, dimensions_map=dimensions or None, period=day, statistic="Sum"
            )

        metrics: dict[str, cloudwatch.IMetric] = {
            "writes": sum_of("AWS/DynamoDB", "ConsumedWriteCapacityUnits", TableName=table),
            "reads": sum_of("AWS/DynamoDB", "ConsumedReadCapacityUnits", TableName=table),
            "milliseconds": sum_of("AWS/Lambda", "Duration"),
            "calls": sum_of("AWS/Lambda", "Invocations"),
        }
        spent = "+".join(f"FILL({name},0)*{price:g}" for name, price in _PRICES.items())
        dollars = cloudwatch.MathExpression(
            expression=f"({spent})/1000000", using_metrics=metrics, period=day, label="US dollars a day"
        )
        says = f"Records and functions of this region cost over ${self._target.daily_cost_usd} in a day."
        alarm(self, "CostHigh", dollars, Rule(Runbook.COST_HIGH, says, self._target.daily_cost_usd), self._data.alarms)

    def _promises(self, promised: tuple[Objective, ...]) -> None:
        """Each promise: the share of good events in the time looked at, and how fast its budget burns."""
        board = cloudwatch.Dashboard(
            self,
            "Promises",
            dashboard_name=f"saldo-{self._target.name}-{self.region}-promises",
            default_interval=Duration.days(28),
        )
        names = self._data.names
        for at in range(0, len(promised), 3):
            board.add_widgets(
                *(_burning(objective, burn_rate(objective, names, 60)) for objective in promised[at : at + 3])
            )

    def _dashboard(self, portal: PortalStack, runs: RunsStack) -> None:
        board = cloudwatch.Dashboard(self, "Dashboard", dashboard_name=f"saldo-{self._target.name}-{self.region}")
        machine, api = runs.runs.machine, portal.api
        hour = Duration.hours(1)
        board.add_widgets(
            _graph("Runs", machine.metric_started(period=hour), machine.metric_succeeded(period=hour)),
            _graph("Runs that failed", machine.metric_failed(period=hour), own_metric("LateRuns")),
            _graph("Accounts billed", own_metric("RunAccountsBilled"), own_metric("RunAccountsSetAside")),
            _graph("Orders held", own_metric("OrdersHeld")),
        )
        board.add_widgets(
            _graph("Portal requests", api.metric_count(), api.metric_server_error(), api.metric_client_error()),
            _graph("Portal latency, ms", api.metric_latency(statistic="p50"), api.metric_latency(statistic="p99")),
            _graph(
                "Books that disagree",
                *(own_metric(name) for name in ("MoneyUnexplained", "ClearingNotZero", "NumberGaps")),
            ),
            _graph(
                "Sign-ins refused, documents taken",
                *(own_metric(name, _PORTAL) for name in ("SignInsRefused", "DocumentsTaken", "DocumentsTakenByStaff")),
            ),
        )
        queue = self._data.gateway_events
        board.add_widgets(
            _graph("Gateway events waiting", queue.queue.metric_approximate_number_of_messages_visible()),
            _graph("Gateway events dead", queue.dead_letters.metric_approximate_number_of_messages_visible()),
            _graph("Gateway news applied", own_metric("GatewayNews"), own_metric("GatewayNewsLate")),
            _graph("The canary's steps, ms", *(_step(name) for name in CANARY_STEPS)),
        )


def _metric_of(watched: Watched) -> cloudwatch.IMetric:
    """What happened; where it is a part of something, its share of it once there are enough to speak of a share."""
    part = own_metric(watched.metric, watched.service, watched.minutes)
    if not watched.among:
        return part
    return cloudwatch.MathExpression(
        expression=f"IF(FILL(part,0)>={watched.threshold:g},part/whole,0)",
        using_metrics={"part": part, "whole": own_metric(watched.among, watched.service, watched.minutes)},
        period=Duration.minutes(watched.minutes),
        label=f"{watched.metric} among {watched.among}",
    )


CANARY_STEPS = ("SignIn", "Bill", "Pay", "Reverse")


def _step(name: str) -> cloudwatch.Metric:
    return own_metric(f"Canary{name}Ms", minutes=_CANARY_MINUTES).with_(statistic="Maximum")


def _graph(title: str, *metrics: cloudwatch.IMetric) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=list(metrics), width=6, height=6)


def _burning(objective: Objective, rate: cloudwatch.MathExpression) -> cloudwatch.GraphWidget:
    lines = [cloudwatch.HorizontalAnnotation(value=value, label=f"{value:g}×") for value in (1, 6, 14.4)]
    title = f"{objective.title}: {objective.percent:g} % over {objective.days} days"
    return cloudwatch.GraphWidget(title=title, left=[rate], left_annotations=lines, width=8, height=6)
