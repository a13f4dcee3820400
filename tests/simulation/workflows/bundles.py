"""Many documents in one file: asked for on a page, made in the background."""

from __future__ import annotations

import json

from saldo.documents.bundles import Bundles
from saldo.documents.model_bundles import BundleState
from saldo.storage.files import Files
from tests.simulation.region import ENTITY_ID, Region
from tests.simulation.workflows import invoke, messages, workflow
from tests.simulation.workflows.letting_in import HERE, actor, peopled
from tests.simulation.workflows.scenes import open_invoices


def bundles(region: Region) -> Bundles:
    return Bundles(region.store, region.clock, Files(region.client("s3"), "documents"))


def ask_for(region: Region) -> str:
    chosen = [(invoice_id, "RW/1") for invoice_id, _ in open_invoices(region, 0)]
    chosen.append(("inv_20260101unknown", "RW/2"))
    return bundles(region).ask(HERE, ENTITY_ID, chosen, "form-1", actor("payer")).id


@workflow("documents: ask for many in one file", prepare=peopled)
def ask(region: Region) -> None:
    ask_for(region)


def asked(region: Region) -> None:
    peopled(region)
    region.notes["bundle"] = ask_for(region)


@workflow("documents: many in one file", prepare=asked)
def make(region: Region) -> None:
    detail = {"account_id": HERE, "correlation_id": "c1", "bundle_id": region.notes["bundle"]}
    invoke("documents.make_bundles", messages(json.dumps({"detail-type": "bundle.asked", "detail": detail})))
    with region.undisturbed():
        bundle = bundles(region).get(HERE, region.notes["bundle"])
        assert (bundle.state, bundle.left_out) == (BundleState.READY, ("RW/2",))
