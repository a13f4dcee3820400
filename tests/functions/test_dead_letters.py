"""Dead letters sent back, even twice, change nothing that was done already, whoever takes them."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.sqs.models import sqs_backends

from functions.collections import issue_reminders
from functions.delivery import deliver
from functions.payments import gateway_events
from functions.tax import record_tax
from functions.usage import ingest, watching
from saldo.delivery.service import Deliveries
from saldo.kernel.errors import NotFound, Refusal
from saldo.payments.webhooks import event_body
from saldo.recovery.dead_letters import DeadLetters, DeadQueue, Redriven
from saldo.usage.accept import AcceptUsage
from saldo.usage.ingest import Ingest
from tests.contexts.conftest import Region, region
from tests.contexts.delivery.test_delivery import Post
from tests.contexts.documents.scenes import INVOICE
from tests.contexts.documents.scenes import scene as documents_scene
from tests.contexts.payments.scenes import news, payout_of, shop_in_memory
from tests.contexts.sellers import ACCOUNT, ENTITY
from tests.contexts.tax.scenes import running
from tests.contexts.usage.scenes import World
from tests.contexts.usage.test_accept import ListedQueue, body
from tests.functions.test_documents_and_delivery import message
from tests.functions.test_tax_handlers import messages
from tests.in_process_aws import in_process_aws
from tests.simulation.dynamodb import Crash
from tests.simulation.region import ENTITY_ID, quiet
from tests.simulation.region import Region as SimulatedRegion
from tests.simulation.test_true_up import TaxedWorld, estimated
from tests.simulation.workflows import reminders
from tests.simulation.workflows.scenes import billed

PREFIX = "saldo-test-"
__all__ = ["region"]  # the fixture of the rooms' tests
Handler = Callable[[dict[str, Any], object], dict[str, Any]]


class Functions:
    """Lambda, as far as a redrive needs it."""

    class exceptions:  # noqa: N801 - the name boto3 gives it
        class ResourceNotFoundException(Exception):  # noqa: N818
            pass

    def __init__(self) -> None:
        self.called: list[Any] = []

    def get_function_configuration(self, *, FunctionName: str) -> dict[str, Any]:  # noqa: N803
        if FunctionName != PREFIX + "import-usage":
            raise self.exceptions.ResourceNotFoundException
        return {}

    def invoke(self, *, FunctionName: str, InvocationType: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803
        self.called.append((FunctionName, InvocationType, json.loads(Payload)))
        return {"Payload": io.BytesIO()}


class Queues:
    """The queues of a deployment."""

    def __init__(self, *names: str) -> None:
        self.sqs: Any = boto3.client("sqs", region_name="eu-central-1")
        self.functions = Functions()
        self.urls = {name: self.sqs.create_queue(QueueName=PREFIX + name)["QueueUrl"] for name in names}
        self.letters = DeadLetters(self.sqs, self.functions, PREFIX)  # type: ignore[arg-type]

    def bury(self, name: str, *bodies: str) -> None:
        for each in bodies:
            self.sqs.send_message(QueueUrl=self.urls[name], MessageBody=each)

    def waiting(self, name: str) -> list[dict[str, Any]]:
        """Everything that lies in a queue, as a function is handed it; it is taken out."""
        found = []
        while got := self.sqs.receive_message(QueueUrl=self.urls[name], MaxNumberOfMessages=10).get("Messages"):
            for one in got:
                self.sqs.delete_message(QueueUrl=self.urls[name], ReceiptHandle=one["ReceiptHandle"])
                found.append({"messageId": one["MessageId"], "body": one["Body"]})
        return found

    def redrive_and_die(self, name: str) -> None:
        """Stopped after the first message was sent on and before it was deleted; its hiding then ends."""

        def die(**_: Any) -> None:
            raise Crash("before DeleteMessage")

        self.sqs.meta.events.register_first("before-call.sqs.DeleteMessage", die)
        with pytest.raises(Crash):
            self.letters.redrive(name)
        self.sqs.meta.events.unregister("before-call.sqs.DeleteMessage", die)
        queue = sqs_backends[DEFAULT_ACCOUNT_ID]["eu-central-1"].queues[f"{PREFIX}{name}-dead"]
        for hidden in queue._messages:
            hidden.change_visibility(0)
        queue.pending_messages.clear()


def twice(queues: Queues, name: str, bodies: list[str], handler: Handler, state: Callable[[], Any]) -> None:
    """The messages were worked once; then they die, are redriven by one who is stopped, and redriven again."""
    worked = [{"messageId": str(n), "body": b} for n, b in enumerate(bodies)]
    assert handler({"Records": worked}, None) == {"batchItemFailures": []}
    once = state()
    queues.bury(f"{name}-dead", *bodies)
    queues.redrive_and_die(name)
    done = queues.letters.redrive(name)
    assert done == Redriven(sent=len(bodies))
    came = queues.waiting(name)
    assert len(came) == len(bodies) + 1, "one came twice"
    assert handler({"Records": came}, None) == {"batchItemFailures": []}
    assert queues.letters.redrive(name) == Redriven() and queues.waiting(name) == []
    assert state() == once


@pytest.fixture
def aws() -> Iterator[None]:
    with in_process_aws():
        yield


def test_gateway_events(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with shop_in_memory() as shop:
        monkeypatch.setattr(gateway_events, "payments", lambda: shop.payments)
        first, second = shop.start(("inv_1", 10_000)), shop.start(("inv_2", 5_000), key="form-key-2")
        told = [news(first, "settled", "evt_1"), news(second, "failed", "evt_2"), payout_of(first)]
        told.append(news(first, "settled", "evt_3", minor=1))  # fits no payment: parked
        bodies = [json.dumps(event_body(event)) for event in told]

        def records() -> Any:
            return sorted((i for i in shop.store.scan()), key=lambda i: (i["pk"], i["sk"]))

        queues = Queues("gateway-events", "gateway-events-dead")
        twice(queues, "gateway-events", bodies, gateway_events.handler, records)


def test_mail(region: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    scene, post = documents_scene(region), Post()
    made = Deliveries(region.store, scene.accounts, scene.letters, post, region.clock, scene.readers)
    monkeypatch.setattr(deliver, "deliveries", lambda: made)
    queues = Queues("delivery", "delivery-dead")
    bodies = [message("1", "invoice.issued", account_id=ACCOUNT, invoice_id=INVOICE)["body"]]
    twice(queues, "delivery", bodies, deliver.handler, lambda: (list(post.taken), list(region.store.scan())))
    assert post.taken == [INVOICE]


def test_usage_batches(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    world, queue = World(), ListedQueue()
    accept = AcceptUsage(world.store, queue, world.clock)
    accept.accept_batch(ENTITY, "gw", body(1, 2))
    accept.accept_batch(ENTITY, "gw", body(2, 3))
    monkeypatch.setattr(ingest, "usage_ingest", lambda: Ingest(world.store, world.clock))
    monkeypatch.setattr(watching, "thresholds", lambda: type("Nothing", (), {"check": lambda *_: []})())

    def kept() -> Any:
        return [sorted(world.items(kind), key=str) for kind in ("usage", "total", "quarantine", "windows")]

    queues = Queues("usage-batches", "usage-batches-dead")
    twice(queues, "usage-batches", list(queue.messages), ingest.handler, kept)


@pytest.mark.parametrize("service", ["avalara", "vertex"])
def test_documents_told_to_the_tax_service(aws: None, monkeypatch: pytest.MonkeyPatch, service: str) -> None:
    with running(service) as tax:
        world = TaxedWorld()
        world.tax = tax
        monkeypatch.setattr(record_tax, "store", lambda: world.store)
        monkeypatch.setattr(record_tax, "tax_service", lambda: tax.service)
        (account,) = estimated(world)
        bodies = [m["body"] for m in messages(world, account)]
        book = tax.book

        def kept() -> Any:
            return dict(book.committed if hasattr(book, "committed") else book.journal)

        queues = Queues("tax-records", "tax-records-dead")
        twice(queues, "tax-records", bodies, record_tax.handler, kept)
        assert len(kept()) == len(bodies)


def test_parts_of_a_day(aws: None) -> None:
    made = SimulatedRegion()
    with made.serving(), quiet(), patch.object(issue_reminders, "AT_ONCE", 1):
        billed(made)
        reminders.issue(made)
        reminded = sorted({item["pk"] for item in made.store.scan() if item["kind"] == "reminder"})
        part = {"entity_id": ENTITY_ID, "as_of": reminders.FIRST.isoformat()}
        bodies = [json.dumps(part | {"records": [[account, ["account"]]]}) for account in reminded]

        def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
            """Its queue hands it one message at a time."""
            for message in event["Records"]:
                issue_reminders.handler({"Records": [message]}, None)
            return {"batchItemFailures": []}

        queues = Queues("issue-reminders-parts", "issue-reminders-parts-dead")
        twice(queues, "issue-reminders-parts", bodies, handler, lambda: list(made.store.scan()))
        assert len(bodies) == 3


def test_queues_are_listed_with_what_takes_their_messages_back(aws: None) -> None:
    queues = Queues("delivery", "delivery-dead", "import-usage-dead", "invoice-run-starts-dead")
    queues.bury("delivery-dead", "{}", "{}")
    assert queues.letters.all() == [
        DeadQueue("delivery-dead", 2, "queue"),
        DeadQueue("import-usage-dead", 0, "function"),
        DeadQueue("invoice-run-starts-dead", 0, ""),
    ]


def test_a_function_whose_call_died_is_called_again(aws: None) -> None:
    queues = Queues("import-usage-dead")
    queues.bury("import-usage-dead", '{"key": "a.csv"}')
    assert queues.letters.redrive("import-usage-dead") == Redriven(sent=1)
    assert queues.functions.called == [(PREFIX + "import-usage", "Event", {"key": "a.csv"})]


def test_a_message_that_its_receiver_does_not_take_stays_where_it_is(
    aws: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "TooManyRequestsException"}}, "Invoke")

    queues = Queues("import-usage-dead")
    queues.bury("import-usage-dead", '{"key": "a.csv"}')
    monkeypatch.setattr(queues.functions, "invoke", busy)
    done = queues.letters.redrive("import-usage")
    assert (done.sent, done.refused) == (0, 1) and "TooManyRequests" in done.reasons[0]
    counts = queues.sqs.get_queue_attributes(
        QueueUrl=queues.urls["import-usage-dead"], AttributeNames=["ApproximateNumberOfMessagesNotVisible"]
    )
    assert counts["Attributes"]["ApproximateNumberOfMessagesNotVisible"] == "1"


def test_what_only_names_a_place_in_the_stream_is_left_where_it_is(aws: None) -> None:
    queues = Queues("import-usage-dead")
    queues.bury("import-usage-dead", json.dumps({"DDBStreamBatchInfo": {"shardId": "s"}}))
    assert queues.letters.redrive("import-usage") == Redriven(left=1)
    assert queues.functions.called == []
    counts = queues.sqs.get_queue_attributes(
        QueueUrl=queues.urls["import-usage-dead"], AttributeNames=["ApproximateNumberOfMessagesNotVisible"]
    )
    assert counts["Attributes"]["ApproximateNumberOfMessagesNotVisible"] == "1"


def test_unknown_queues_and_those_without_a_receiver_are_refused(aws: None) -> None:
    queues = Queues("invoice-run-starts-dead")
    with pytest.raises(NotFound):
        queues.letters.redrive("nonsense")
    with pytest.raises(Refusal, match="no_receiver"):
        queues.letters.redrive("invoice-run-starts")
