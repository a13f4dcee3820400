"""Documents, letters, and the news that others hear."""

from __future__ import annotations

import json
from typing import Any

from tests.simulation.region import Region
from tests.simulation.workflows import invoke, messages, workflow
from tests.simulation.workflows.payments import paid_at_the_gateway, webhooks
from tests.simulation.workflows.scenes import account_id, billed, open_invoices, payments
from tests.streams import image


def _first_invoice(region: Region) -> str:
    with region.undisturbed():
        return open_invoices(region, 0)[0][0]


def _told(kind: str, field: str, document_id: str) -> str:
    detail = {"account_id": account_id(0), "correlation_id": "c1", field: document_id}
    return json.dumps({"detail-type": kind, "detail": detail})


@workflow("deliver: invoice", prepare=billed)
def deliver(region: Region) -> None:
    invoke("delivery.deliver", messages(_told("invoice.issued", "invoice_id", _first_invoice(region))))


def bouncing(region: Region) -> None:
    billed(region)
    region.mail.bouncing.add("ap0@customer.example")


@workflow("deliver: bounced", prepare=bouncing)
def bounce(region: Region) -> None:
    deliver(region)


def settled(region: Region) -> None:
    paid_at_the_gateway(region)
    webhooks(region)


@workflow("deliver: receipt", prepare=settled)
def receipt(region: Region) -> None:
    with region.undisturbed():
        payment = payments(region).of_account(account_id(0))[0]
    invoke("delivery.deliver", messages(_told("payment.settled", "payment_id", payment.id)))


@workflow("render: invoice", prepare=billed)
def render(region: Region) -> None:
    invoke("documents.render", {"account_id": account_id(0), "invoice_id": _first_invoice(region)})


@workflow("publish: events of the stream", prepare=billed)
def publish(region: Region) -> None:
    invoke("events.publish", {"Records": stream_of(region)})


def stream_of(region: Region) -> list[dict[str, Any]]:
    """The table's stream, as if each record had been written once just now."""
    with region.undisturbed():
        answer = region.records.scan(TableName="records")
    return [
        {
            "dynamodb": {
                "SequenceNumber": str(number),
                "Keys": {"pk": item["pk"], "sk": item["sk"]},
                "NewImage": image(item),
            }
        }
        for number, item in enumerate(answer["Items"])
    ]
