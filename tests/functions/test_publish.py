"""Changes in the table become events on the bus; what the bus does not take comes again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from functions.events import publish
from saldo.integration.eventbridge import Bus
from saldo.storage.items import to_attributes
from tests.streams import image as told
from tests.unit.integration.test_events import invoice, note, payment


class Refused(Exception):  # noqa: N818 - stands in for botocore's ClientError
    """The bus answers with an error."""


class Client:
    """An EventBridge that refuses the invoices and calls it is told to."""

    class exceptions:  # noqa: N801 - botocore's own spelling
        ClientError = Refused

    def __init__(self, refuse: Any = lambda detail, attempt: False, break_calls: int = 0) -> None:
        self.calls: list[list[Any]] = []
        self.taken: list[Any] = []
        self._refuse, self._break_calls = refuse, break_calls

    def put_events(self, Entries: list[Any]) -> Any:  # noqa: N803 - boto3's spelling
        self.calls.append(Entries)
        if len(self.calls) <= self._break_calls:
            raise Refused
        details = [json.loads(entry["Detail"]) for entry in Entries]
        refused = [self._refuse(detail, len(self.calls)) for detail in details]
        self.taken += [e for e, no in zip(Entries, refused, strict=True) if not no]
        return {"Entries": [{"ErrorCode": "InternalException"} if no else {"EventId": "1"} for no in refused]}


@pytest.fixture
def publish_with(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Saldo")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "tests")

    def use(client: Client, records: list[Any]) -> Any:
        made: Any = client
        monkeypatch.setattr(publish, "bus", lambda: Bus(made, "saldo", pause=lambda _s: None))
        return publish.handler({"Records": records}, None)

    yield use


def record(number: int, old: Any, new: Any) -> dict[str, Any]:
    image = new or old
    change: dict[str, Any] = {
        "SequenceNumber": str(number),
        "Keys": to_attributes({"pk": image["pk"], "sk": image["sk"]}),
    }
    if old:
        change["OldImage"] = told(to_attributes(old))
    if new:
        change["NewImage"] = told(to_attributes(new))
    return {"eventID": str(number), "dynamodb": change}


def issued(number: int) -> dict[str, Any]:
    name = f"inv_20261101{number:04d}"
    changes = {"invoice_id": name, "sk": f"invoice#{name}"}
    return record(number, invoice("draft", **changes), invoice("issued", **changes))


def test_events_travel_ten_a_call_in_the_order_of_the_changes(publish_with: Any) -> None:
    client = Client()
    assert publish_with(client, [issued(n) for n in range(23)]) == {"batchItemFailures": []}
    assert [len(call) for call in client.calls] == [10, 10, 3]
    assert [json.loads(e["Detail"])["invoice_id"][-4:] for e in client.taken] == [f"{n:04d}" for n in range(23)]
    assert {e["DetailType"] for e in client.taken} == {"invoice.issued"} and client.taken[0]["Source"] == "saldo"


def test_other_records_are_passed_over_unread(publish_with: Any) -> None:
    client = Client()
    body = {"pk": "acct_eu_a", "sk": "body#inv_1", "kind": "body", "body": "not even base64"}
    publish_with(client, [record(1, None, body), record(2, payment("started"), payment("failed"))])
    assert [e["DetailType"] for e in client.taken] == ["payment.failed"]


def test_a_record_with_sealed_bytes_is_news_as_any_other(publish_with: Any) -> None:
    client = Client()
    assert publish_with(client, [record(1, None, note(sealed=b"\x00\xff"))]) == {"batchItemFailures": []}
    assert [e["DetailType"] for e in client.taken] == ["note.written"]


def test_an_event_the_bus_did_not_take_is_put_again_alone(publish_with: Any) -> None:
    client = Client(refuse=lambda detail, call: detail["invoice_id"].endswith("3") and call == 1)
    assert publish_with(client, [issued(n) for n in range(5)]) == {"batchItemFailures": []}
    assert [len(call) for call in client.calls] == [5, 1] and len(client.taken) == 5


def test_a_call_that_fails_whole_is_made_again(publish_with: Any) -> None:
    client = Client(break_calls=2)
    assert publish_with(client, [issued(1)]) == {"batchItemFailures": []}
    assert len(client.taken) == 1


def test_the_stream_goes_on_at_the_first_change_whose_event_was_never_taken(publish_with: Any) -> None:
    client = Client(refuse=lambda detail, _call: detail["invoice_id"][-1] in "24")
    assert publish_with(client, [issued(n) for n in range(6)]) == {"batchItemFailures": [{"itemIdentifier": "2"}]}
