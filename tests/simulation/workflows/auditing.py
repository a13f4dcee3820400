"""The chain of audit records: linked from the stream, anchored each night."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from functions.services import audit_anchors
from tests.simulation.region import Region
from tests.simulation.workflows import invoke, workflow
from tests.simulation.workflows.papers import stream_of
from tests.simulation.workflows.scenes import billed

LINKS = {"chain": "its hash covers the instant of linking; what it must hold is proven by the work itself"}


def _news(region: Region) -> list[dict[str, Any]]:
    """The stream's word of every audit record, a dozen of them at once."""
    told = [one for one in stream_of(region) if one["dynamodb"]["NewImage"]["kind"]["S"] == "audit"]
    return [{"eventName": "INSERT", **one} for one in told]


def _proven(region: Region) -> None:
    with region.undisturbed():
        assert not audit_anchors().prove().breaks


@workflow("audit: link", prepare=billed, apart=LINKS)
def link(region: Region) -> None:
    news = _news(region)
    for start in range(0, len(news), 12):
        invoke("audit.link", {"Records": news[start : start + 12]})
    _proven(region)


def linked(region: Region) -> None:
    """All but the last lot, which the stream lost."""
    billed(region)
    invoke("audit.link", {"Records": _news(region)[:-5]})
    region.now += timedelta(hours=20)


@workflow("audit: anchor", prepare=linked, apart=LINKS)
def anchor(region: Region) -> None:
    invoke("audit.anchor", {})
    _proven(region)
