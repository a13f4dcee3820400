"""What AWS does with a request that came before: which writes can happen twice, and what is answered then."""

from __future__ import annotations

import io

import pytest
from botocore.exceptions import ClientError

from saldo.delivery.ses import ses_client
from saldo.storage import clients
from saldo.storage.units import Unit
from tests.crashes import SENT_AGAIN, Injector, Kind
from tests.simulation.region import Region


@pytest.fixture
def region() -> Region:
    """Whose next call is doubled."""
    there, injector = Region(), Injector()
    injector.attach([there.wire])
    injector.arm(1, Kind.DOUBLED)
    return there


def test_clients_send_again_but_that_of_mail() -> None:
    made = clients.client("sqs", region="eu-central-1")
    assert made.meta.config.retries == {"total_max_attempts": 5, "mode": "standard"}
    assert ses_client().meta.config.retries["total_max_attempts"] == 1
    assert "SendEmail" not in SENT_AGAIN


def test_a_transaction_sent_again_is_known_by_its_token() -> None:
    operation = clients.client("dynamodb", region="eu-central-1").meta.service_model.operation_model(
        "TransactWriteItems"
    )
    assert operation.idempotent_members == ["ClientRequestToken"]
    assert not Kind.DOUBLED.happens_to("TransactWriteItems")


def test_a_message_lies_in_the_queue_twice(region: Region) -> None:
    region.client("sqs").send_message(QueueUrl="usage", MessageBody="m")
    assert region.queues.waiting == [("usage", "m")] * 2


def test_a_condition_does_not_hold_the_second_time(region: Region) -> None:
    put = {"Item": {"pk": {"S": "a"}, "sk": {"S": "b"}}, "ConditionExpression": "attribute_not_exists(pk)"}
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        region.client("dynamodb").put_item(TableName="records", **put)
    assert region.records.item_at("records", "a", "b")


def test_a_new_file_is_there_already_the_second_time(region: Region) -> None:
    body = io.BytesIO(b"whole")
    with pytest.raises(ClientError, match="PreconditionFailed"):
        region.client("s3").put_object(
            Bucket="documents", Key="k", Body=body, ContentType="text/plain", IfNoneMatch="*"
        )
    assert region.buckets.files["documents", "k"] == b"whole"


def test_what_an_update_adds_is_added_twice(region: Region) -> None:
    with region.undisturbed():
        region.store.write_one(Unit("w").put({"pk": "a", "sk": "b", "kind": "c", "n": 1}))
    region.wire.calls = 0
    answer = region.store.change(("a", "b"), add={"n": 1}, when={})
    assert answer and answer["n"] == 3
