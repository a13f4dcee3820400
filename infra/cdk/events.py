"""What follows from a change: the stream becomes domain events, events become mail, payments are looked after."""

from __future__ import annotations

from typing import Any

from aws_cdk import Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from constructs import Construct

from infra.cdk.alarms import Rule, Runbook, alarm
from infra.cdk.data import DataStack
from infra.cdk.environments import Environment, Region
from infra.cdk.functions import (
    ACCEPT_USAGE,
    COUNT_USAGE,
    DELIVERY,
    DOCUMENTS,
    EXAMINE_UPLOADS,
    GATEWAY_EVENTS,
    IMPORT_INVOICES,
    IMPORT_ORDERS,
    IMPORT_USAGE,
    INGEST_USAGE,
    LINK_AUDIT,
    MAKE_BUNDLES,
    PUBLISH_EVENTS,
    RECORD_TAX,
    SWEEP_EVERY_MINUTES,
    SWEEP_PAYMENTS,
)
from infra.cdk.hosting import Hosting
from infra.cdk.watched import WatchedFunction, WatchedQueue, called_every
from saldo.integration.rules import KINDS
from saldo.uploads.rules import INCOMING
from saldo.work.rules import TOLD

# Events that reach a customer by mail: documents of accounts that want it, and letters that speak for themselves.
DELIVERED = ("invoice.issued", "credit_note.issued")
LETTERS = ("payment.settled", "reminder.issued", "note.written", "usage.threshold_reached")
# Events that a tax service is told of.
TAXED = ("invoice.issued", "credit_note.issued")


class EventsStack(Stack):
    """The stream is the outbox: an event that fails is retried, then kept as a dead letter, never lost."""

    def __init__(
        self, scope: Construct, id_: str, target: Environment, region: Region, data: DataStack, **stack: Any
    ) -> None:
        super().__init__(scope, id_, **stack)
        self._data = data
        hosting = Hosting(self, target, region, data)
        for spec in (DOCUMENTS, IMPORT_USAGE, COUNT_USAGE, ACCEPT_USAGE, IMPORT_INVOICES, IMPORT_ORDERS):
            hosting.function(spec)
        self._publish(hosting.function(PUBLISH_EVENTS))
        self._link_audit(hosting.function(LINK_AUDIT))
        self._deliver(hosting.function(DELIVERY))
        data.gateway_events.feeds(hosting.function(GATEWAY_EVENTS))
        data.usage_batches.feeds(hosting.function(INGEST_USAGE))
        self._bundle(hosting.function(MAKE_BUNDLES))
        self._examine(hosting.function(EXAMINE_UPLOADS))
        asks = "Asks the gateway about payments whose answer was lost"
        called_every(self, hosting.function(SWEEP_PAYMENTS), Duration.minutes(SWEEP_EVERY_MINUTES), data.ward, asks)
        if target.tax_service:
            self._record_tax(hosting.function(RECORD_TAX))

    def _publish(self, watched: WatchedFunction) -> None:
        """Only records whose changes are news leave the stream; entries, guards and bodies stay in it."""
        function = watched.function
        chosen = [{"prefix": f"{kind}#"} for kind in KINDS]
        function.add_event_source(
            sources.DynamoEventSource(
                self._data.records,
                starting_position=lambda_.StartingPosition.TRIM_HORIZON,
                batch_size=100,
                max_batching_window=Duration.seconds(1),
                bisect_batch_on_error=True,
                report_batch_item_failures=True,
                retry_attempts=10,
                parallelization_factor=2,
                on_failure=sources.SqsDlq(watched.dead_letters.queue),
                filters=[lambda_.FilterCriteria.filter({"dynamodb": {"Keys": {"sk": {"S": chosen}}}})],
            )
        )
        self._late(watched, "Domain events leave the records over five minutes late.")

    def _late(self, watched: WatchedFunction, says: str) -> None:
        """The age of the stream is the age of the outbox."""
        age = watched.function.metric("IteratorAge", period=Duration.minutes(5), statistic="Maximum")
        alarm(watched, "Late", age, Rule(Runbook.EVENTS_LATE, says, threshold=300_000), self._data.alarms)

    def _link_audit(self, watched: WatchedFunction) -> None:
        """Audit records however they change, links only when something happens to them that never should, balances,
        counts of payments, sessions, which say what they looked at, and whatever waits for the seller's people.

        Waiting a while gathers what a run issues into few calls; no more than two functions read the stream.
        """
        sealed = {"eventName": ["MODIFY", "REMOVE"], "dynamodb": {"Keys": {"sk": {"S": [{"prefix": "chain#0"}]}}}}
        opened = {"eventName": ["REMOVE"], "dynamodb": {"Keys": {"sk": {"S": ["chain#open"]}}}}
        audit = {"dynamodb": {"Keys": {"sk": {"S": [{"prefix": "audit#"}]}}}}
        told = ["balance", "payments", "session"]
        moved = {"eventName": ["INSERT", "MODIFY"], "dynamodb": {"Keys": {"sk": {"S": told}}}}
        waits = {"dynamodb": {"Keys": {"sk": {"S": [{"prefix": begins} for begins in TOLD]}}}}
        watched.function.add_event_source(
            sources.DynamoEventSource(
                self._data.records,
                starting_position=lambda_.StartingPosition.TRIM_HORIZON,
                batch_size=1000,
                max_batching_window=Duration.seconds(5),
                bisect_batch_on_error=True,
                retry_attempts=10,
                on_failure=sources.SqsDlq(watched.dead_letters.queue),
                filters=[lambda_.FilterCriteria.filter(one) for one in (audit, sealed, opened, moved, waits)],
            )
        )
        self._late(watched, "Audit chains and sums of journals follow over five minutes late.")

    def _deliver(self, watched: WatchedFunction) -> None:
        queue = WatchedQueue(self, "delivery", self._data.ward, visibility_s=6 * watched.spec.timeout_s)
        wanted = events.EventPattern(source=["saldo"], detail_type=list(DELIVERED), detail={"by_mail": [True]})
        self._rule("delivered", "Issued documents go to the customers who want them by mail", wanted, queue)
        letters = events.EventPattern(source=["saldo"], detail_type=list(LETTERS))
        self._rule("letters", "Settled payments and reminders go to the customer", letters, queue)
        queue.feeds(watched)

    def _bundle(self, watched: WatchedFunction) -> None:
        """A large one takes minutes, so that others wait: half an hour is late."""
        visible = 2 * watched.spec.timeout_s
        queue = WatchedQueue(self, "bundles", self._data.ward, visibility_s=visible, late_s=1800)
        asked = events.EventPattern(source=["saldo"], detail_type=["bundle.asked"])
        self._rule("bundles", "Files of many documents are made in the background", asked, queue)
        queue.feeds(watched, batch_size=1)

    def _examine(self, watched: WatchedFunction) -> None:
        """S3 tells the account's own bus; what nobody was told of is found by the hourly run."""
        queue = WatchedQueue(self, "uploads", self._data.ward, visibility_s=6 * watched.spec.timeout_s)
        detail = {
            "bucket": {"name": [self._data.buckets["uploads"].bucket_name]},
            "object": {"key": events.Match.prefix(f"{INCOMING}/")},
        }
        came = events.EventPattern(source=["aws.s3"], detail_type=["Object Created"], detail=detail)
        self._rule("uploads", "Files that were handed in are looked at", came, queue, of_our_own=False)
        queue.feeds(watched)

    def _rule(
        self, name: str, description: str, pattern: events.EventPattern, queue: WatchedQueue, of_our_own: bool = True
    ) -> None:
        """`of_our_own`: on our bus; else on the account's, where AWS tells what happens."""
        events.Rule(
            self,
            name.title().replace("_", ""),
            rule_name=self._data.names.of(name),
            description=description,
            event_bus=self._data.bus if of_our_own else None,
            event_pattern=pattern,
            targets=[targets.SqsQueue(queue.queue, dead_letter_queue=queue.dead_letters)],
        )

    def _record_tax(self, watched: WatchedFunction) -> None:
        queue = WatchedQueue(self, "tax_records", self._data.ward, visibility_s=6 * watched.spec.timeout_s)
        told = events.EventPattern(source=["saldo"], detail_type=list(TAXED))
        self._rule("tax_recorded", "Issued invoices and credit notes go to the tax service", told, queue)
        queue.feeds(watched)
