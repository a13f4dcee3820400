"""Chains of audit records: linked from the stream, anchored each night."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from saldo.audit.anchors import AuditAnchors
from saldo.storage.files import Files
from saldo.storage.items import to_attributes
from tests.simulation.region import Region
from tests.simulation.workflows import invoke, workflow
from tests.simulation.workflows.scenes import billed

_APART = {"chain": "a link says when it was last extended"}


def stream_of(region: Region) -> list[dict[str, Any]]:
    """What the stream says of every audit record there is, in the order of their keys and the first of them again."""
    with region.undisturbed():
        items = [item for item in region.store.scan() if item["kind"] == "audit"]
    images = [to_attributes(item) for item in [*items, *items[:3]]]
    keys = ("pk", "sk")
    return [
        {"eventName": "INSERT", "dynamodb": {"Keys": {k: image[k] for k in keys}, "NewImage": image}}
        for image in images
    ]


def proven(region: Region) -> int:
    """How many records the chains hold; everything of them proves."""
    with region.undisturbed():
        files = Files(region.client("s3"), "audit")
        proof = AuditAnchors(region.store, lambda: region.now + timedelta(hours=2), files, "eu").prove()
    assert not proof.breaks, proof.breaks
    return proof.records


@workflow("audit: link from the stream", prepare=billed, apart=_APART)
def link(region: Region) -> None:
    records = stream_of(region)
    invoke("audit.link", {"Records": records})
    assert proven(region) == len(records) - 3


def linked_but_for_some(region: Region) -> None:
    """The stream's function was down for the last of a month's records."""
    billed(region)
    invoke("audit.link", {"Records": stream_of(region)[:4]})
    region.now += timedelta(hours=2)


@workflow("audit: anchor a day", prepare=linked_but_for_some, apart=_APART)
def anchor(region: Region) -> None:
    invoke("audit.anchor", {})
    assert proven(region) == len(stream_of(region)) - 3
