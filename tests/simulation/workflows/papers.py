"""Documents, letters, and the news that others hear."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from saldo.documents.signing_certificates import SigningCertificates
from saldo.storage.signing import KmsSigningKey
from tests.simulation.region import ENTITY_ID, Region
from tests.simulation.workflows import invoke, messages, workflow
from tests.simulation.workflows.payments import paid_at_the_gateway, webhooks
from tests.simulation.workflows.scenes import (
    CLERK,
    account_id,
    accounts,
    billed,
    founded,
    offer,
    open_invoices,
    payments,
)
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


def certificates(region: Region) -> SigningCertificates:
    key = KmsSigningKey(region.client("kms"), "key-documents")
    return SigningCertificates(region.store, accounts(region), key, region.clock)


@lru_cache(maxsize=1)
def _certificate() -> bytes:
    """Of the key that every region in memory has; the same for all, so that they compare."""
    elsewhere = Region()
    offer(elsewhere)
    return certificates(elsewhere).make(ENTITY_ID, CLERK)


@workflow("documents: a certificate", prepare=founded)
def certified(region: Region) -> None:
    certificates(region).put(ENTITY_ID, _certificate(), CLERK)


def billed_and_certified(region: Region) -> None:
    _certificate()
    billed(region)
    certified(region)


@workflow("render: signed invoice", prepare=billed_and_certified)
def render_signed(region: Region) -> None:
    render(region)
    (file,) = [body for (_, name), body in region.buckets.files.items() if name.endswith(".pdf")]
    assert b"/ETSI.CAdES.detached" in file


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
