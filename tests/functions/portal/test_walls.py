"""The third wall: where route and scope are mistaken, IAM still refuses another customer's records."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from functions.portal import services
from saldo.storage import clients
from saldo.storage.narrowed import MOST_OWNERS, Narrowed, policy_for
from saldo.storage.store import OutOfScope, Store
from saldo.storage.units import Unit
from tests.functions.portal import scenes
from tests.functions.portal.conftest import Portal
from tests.in_process_aws import in_process_aws
from tests.permissions.gate import acting


def _without_scope(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Store, "_check", lambda _self, pk: pk)


def test_a_page_that_gets_past_its_scope_is_refused_by_the_policy_of_its_session(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[object] = []

    def mistaken(store: Store, _account_id: str, *_: object) -> object:
        read.append(store.get(scenes.OTHERS, "account"))
        return read

    browser = portal.signed_in("admin")
    _without_scope(monkeypatch)
    monkeypatch.setattr("functions.portal.invoices.reading.listed", mistaken)
    page = browser.get(f"/accounts/{scenes.NORTH}/invoices")
    assert page.status == 500 and scenes.OTHERS not in page.text
    assert read == []


def test_only_partitions_of_those_named_are_read_or_written(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    _without_scope(monkeypatch)
    with acting("portal"):
        store = services.records_of(scenes.NORTH, name="usr_eu_1")
        assert store.get(scenes.NORTH, "account") and store.get_many([(scenes.NORTH, "account")])
        store.query(f"anything#{scenes.NORTH}")
        store.query(f"anything#{scenes.NORTH}", agenda=True)
        for reach in (
            lambda: store.get(scenes.OTHERS, "account"),
            lambda: store.get_many([(scenes.NORTH, "account"), (scenes.OTHERS, "account")]),
            lambda: store.query(f"anything#{scenes.OTHERS}"),
            lambda: store.query(f"anything#{scenes.OTHERS}", agenda=True),
            lambda: store.query(f"{scenes.NORTH}#anything"),
            lambda: store.write_one(Unit("x").put({"pk": scenes.OTHERS, "sk": "x", "kind": "x"})),
            lambda: store.change((scenes.OTHERS, "account"), set={"name": "x"}, when={}),
            lambda: store._client.scan(TableName="records"),
        ):
            with pytest.raises(ClientError, match="not authorized"):
                reach()


def test_credentials_are_asked_for_once_an_hour_and_apart_for_each_customer(portal: Portal) -> None:
    asked: list[str] = []
    portal.region.wire.watch = lambda operation: asked.append(operation) if operation == "AssumeRole" else None
    until = portal.clock() + timedelta(minutes=57)
    one = services.records_of(scenes.NORTH, name="usr_eu_1")
    assert asked == [], "nothing is asked for before a page reads"
    for _ in range(3):
        one.get(scenes.NORTH, "account")
    assert len(asked) == 1
    services.records_of(scenes.OTHERS, name="usr_eu_1").get(scenes.OTHERS, "account")
    assert len(asked) == 2
    portal.clock.now = portal.region.now = until
    one.get(scenes.NORTH, "account")
    assert len(asked) == 2
    portal.clock.now = portal.region.now = until + timedelta(minutes=2)
    one.get(scenes.NORTH, "account")
    assert len(asked) == 3


def test_the_longest_policy_is_within_what_a_session_takes_and_none_is_made_of_anything_but_ids() -> None:
    longest = [f"acct_eu_{n:026d}" for n in range(MOST_OWNERS)]
    assert len(policy_for(longest)) <= 2048
    for owners in ([], [*longest, "acct_eu_onemore"], ["*"], ["acct_eu_*"], ["acct_eu_a?"], [""]):
        with pytest.raises(OutOfScope):
            policy_for(owners)


def test_calls_are_signed_with_the_sessions_credentials_and_others_with_the_process_own() -> None:
    with in_process_aws():
        clients.session.cache_clear()
        clients.client.cache_clear()
        boto3.client("dynamodb").create_table(
            TableName="records",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("pk", "sk")],
            BillingMode="PAY_PER_REQUEST",
        )
        table, signatures = clients.client("dynamodb"), list[str]()

        def seen(request: Any, **_: Any) -> None:
            signatures.append(request.headers["Authorization"].decode().split("Credential=")[1].split("/")[0])

        table.meta.events.register("before-send.dynamodb", seen)
        narrowed = Narrowed(table, clients.client("sts"), "arn:aws:iam::123456789012:role/customer", services.clock)
        store = Store(table, "records")
        store.get("acct_eu_a", "account")
        store.within("acct_eu_a", client=narrowed.client(["acct_eu_a"], "usr_eu_1")).get("acct_eu_a", "account")
        store.get("acct_eu_a", "account")
    clients.session.cache_clear()
    clients.client.cache_clear()
    own, session, again = signatures
    assert own == again != session and session.startswith("ASIA")
