"""Files that are handed in: asked for, looked at, deleted in time."""

from __future__ import annotations

import json
from datetime import timedelta

from saldo.kernel.errors import Unavailable
from saldo.storage.files import Files
from saldo.uploads.kept import files_about
from saldo.uploads.model import Upload, UploadKind, UploadState
from saldo.uploads.rules import incoming_key
from saldo.uploads.service import Uploads, Wish
from tests.simulation.region import ENTITY_ID, Region
from tests.simulation.workflows import invoke, messages, workflow
from tests.simulation.workflows.letting_in import HERE, actor, peopled
from tests.simulation.workflows.scenes import CLERK

TEXT = b"RW-1;119,00\n"


def uploads(region: Region) -> Uploads:
    return Uploads(region.store, region.sealer(), region.clock, Files(region.client("s3"), "uploads"))


def wish(kind: UploadKind = UploadKind.EVIDENCE) -> Wish:
    if kind is UploadKind.PAPER:
        return Wish(ENTITY_ID, "paper", kind, "", "Terms", "form-1", CLERK, by_seller=True)
    about = "inv_1" if kind is UploadKind.EVIDENCE else "certificate"
    return Wish(HERE, about, kind, "org_eu_000000", "Our count", "form-1", actor("payer"))


def came(region: Region, upload: Upload, content: bytes = TEXT) -> None:
    """As the browser lays it down."""
    region.notes["key"] = incoming_key(upload)
    region.buckets.put_object(Bucket="uploads", Key=incoming_key(upload), Body=content, ContentType="text/plain")


def asked(region: Region) -> None:
    peopled(region)
    came(region, uploads(region).ask(wish()))


def broken(region: Region) -> None:
    peopled(region)
    came(region, uploads(region).ask(wish()), b"<svg>")


def told(region: Region) -> dict[str, object]:
    """As S3 tells of it, by way of the bus and the queue."""
    return messages(json.dumps({"detail-type": "Object Created", "detail": {"object": {"key": region.notes["key"]}}}))


def now(region: Region) -> Upload:
    with region.undisturbed():
        return uploads(region).of(HERE, "inv_1")[0]


@workflow("uploads: ask", prepare=peopled)
def ask(region: Region) -> None:
    uploads(region).ask(wish())


@workflow("uploads: look at a file", prepare=asked)
def examine(region: Region) -> None:
    invoke("uploads.examine", told(region))
    assert now(region).is_clean


@workflow("uploads: refuse a file", prepare=broken)
def refuse(region: Region) -> None:
    invoke("uploads.examine", told(region))
    assert now(region).state is UploadState.REFUSED


def kept(region: Region) -> None:
    asked(region)
    invoke("uploads.examine", told(region))
    waiting = uploads(region).ask(wish(UploadKind.CERTIFICATE))
    assert waiting.state is UploadState.WAITING
    region.now += timedelta(days=1100)


@workflow("uploads: delete in time", prepare=kept)
def keep(region: Region) -> None:
    invoke("uploads.keep", {})


def unheard_of(region: Region) -> None:
    asked(region)
    region.now += timedelta(days=1, hours=1)


@workflow("uploads: a file that no event told of", prepare=unheard_of)
def find(region: Region) -> None:
    invoke("uploads.keep", {})
    if not now(region).is_clean:
        raise Unavailable("the hourly run comes again")
    for key in [k for k in region.buckets.files if k[1].startswith("incoming/")]:
        del region.buckets.files[key]  # the bucket's own rule: nothing lies there for more than a day


def published(region: Region) -> None:
    peopled(region)
    came(region, uploads(region).ask(wish(UploadKind.PAPER)))
    invoke("uploads.examine", told(region))


@workflow("uploads: take a paper back", prepare=published)
def take_back(region: Region) -> None:
    with region.undisturbed():
        paper = uploads(region).of(ENTITY_ID, "paper")[0]
    uploads(region).take_back(paper.name, CLERK)


@workflow("uploads: files of a page", prepare=asked)
def looked_at(region: Region) -> None:
    invoke("uploads.examine", told(region))
    found = files_about(region.store, HERE, "inv_1", "dsp_1")
    with region.undisturbed():
        before = region.records.calls
        assert files_about(region.store, HERE, "inv_1", "dsp_1") == found and found[0]["status"] == "clean"
        assert region.records.calls == before + 1, "what was kept is not believed"
