"""What was answered is kept, also when the emulated AWS is killed without a word."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import pytest

from local.stack import LocalStack, endpoints
from local.supervisor import Instance, emulator

pytestmark = pytest.mark.stack
PASSWORD = "Correct-Horse-7"
EMAIL = "durable@example.com"


@pytest.fixture(scope="module")
def after_a_kill(instance: Instance, stacks: dict[str, LocalStack]) -> Iterator[LocalStack]:
    """One region after something of every kind was written and the emulator was killed."""
    stack = stacks["us"]
    _write(stack)
    _wait_for_snapshots(instance)  # they come after the answer; the table's log is written before it
    stack.client("dynamodb").put_item(TableName=stack.table, Item=_item("written just before"))
    pid = emulator(instance.place).pid(instance.place)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    instance.up(seeded=False)
    yield endpoints("us", instance.place)


def _wait_for_snapshots(instance: Instance, *, at_most_s: float = 30) -> None:
    """Until the snapshots hold what was written: half a second, longer on a busy machine, as saving spares its time."""
    expected = {"cognito.json": EMAIL, "ses.json": EMAIL}  # objects are files of their own
    missing: list[str] = []
    for _ in range(int(at_most_s * 10)):
        missing = [name for name, text in expected.items() if text not in (instance.place.aws_state / name).read_text()]
        if not missing:
            return
        time.sleep(0.1)
    raise AssertionError(f"not saved within {at_most_s:.0f} s: {', '.join(missing)}")


def _item(sk: str) -> dict[str, dict[str, str]]:
    return {"pk": {"S": "durability"}, "sk": {"S": sk}, "agenda_pk": {"S": "durability"}, "agenda_on": {"S": sk}}


def _write(stack: LocalStack) -> None:
    dynamodb, cognito = stack.client("dynamodb"), stack.client("cognito-idp")
    dynamodb.transact_write_items(TransactItems=[{"Put": {"TableName": stack.table, "Item": _item("in a group")}}])
    pool = {"UserPoolId": stack.user_pool_id, "Username": EMAIL}
    cognito.admin_create_user(**pool, MessageAction="SUPPRESS")
    cognito.admin_set_user_password(**pool, Password=PASSWORD, Permanent=True)
    stack.client("s3").put_object(Bucket=stack.documents_bucket, Key="durable", Body=b"\x00\xff")
    data_key = stack.client("kms").generate_data_key(KeyId=stack.kms_key_id, KeySpec="AES_256")
    wrapped = {
        "pk": {"S": "durable"},
        "wrapped": {"B": data_key["CiphertextBlob"]},
        "key": {"B": data_key["Plaintext"]},
    }
    dynamodb.put_item(TableName=stack.keys_table, Item=wrapped)
    simple = {"Simple": {"Subject": {"Data": "durable"}, "Body": {"Text": {"Data": "text"}}}}
    stack.client("sesv2").send_email(
        FromEmailAddress="billing@lumen.example", Destination={"ToAddresses": [EMAIL]}, Content=simple
    )


def test_records_and_their_index_are_kept_up_to_the_last_answer(after_a_kill: LocalStack) -> None:
    dynamodb = after_a_kill.client("dynamodb")
    mine = {":k": {"S": "durability"}}
    table = {"TableName": after_a_kill.table, "ExpressionAttributeValues": mine}
    assert dynamodb.query(**table, KeyConditionExpression="pk = :k")["Count"] == 2
    assert dynamodb.query(**table, IndexName="agenda", KeyConditionExpression="agenda_pk = :k")["Count"] == 2


def test_people_still_sign_in(after_a_kill: LocalStack) -> None:
    signed_in = after_a_kill.client("cognito-idp").admin_initiate_auth(
        UserPoolId=after_a_kill.user_pool_id,
        ClientId=after_a_kill.user_pool_client_id,
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": EMAIL, "PASSWORD": PASSWORD},
    )
    assert signed_in["AuthenticationResult"]["IdToken"]


def test_objects_are_kept_byte_for_byte(after_a_kill: LocalStack) -> None:
    kept = after_a_kill.client("s3").get_object(Bucket=after_a_kill.documents_bucket, Key="durable")
    assert kept["Body"].read() == b"\x00\xff"


def test_wrapped_keys_can_still_be_unwrapped(after_a_kill: LocalStack) -> None:
    held = after_a_kill.client("dynamodb").get_item(TableName=after_a_kill.keys_table, Key={"pk": {"S": "durable"}})
    opened = after_a_kill.client("kms").decrypt(CiphertextBlob=held["Item"]["wrapped"]["B"])
    assert opened["Plaintext"] == held["Item"]["key"]["B"]


def test_mail_that_was_sent_can_still_be_read(after_a_kill: LocalStack) -> None:
    import urllib.request

    with urllib.request.urlopen(after_a_kill.aws_url + "/_ministack/ses/messages", timeout=10) as sent:
        assert "durable" in sent.read().decode()


def test_the_deployment_is_kept_and_not_made_again(instance: Instance, after_a_kill: LocalStack) -> None:
    assert len(after_a_kill.functions) == len(endpoints("eu", instance.place).functions)
    table = after_a_kill.client("dynamodb").describe_time_to_live(TableName=after_a_kill.table)
    assert table["TimeToLiveDescription"]["TimeToLiveStatus"] == "ENABLED"
