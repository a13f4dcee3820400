"""Certificates of exemption that customers hand in, and what is decided on them."""

from __future__ import annotations

from datetime import date

from saldo.accounts.tax_standing import TaxStanding
from saldo.certificates.model import RequestState
from saldo.certificates.service import Certificates, HandedIn
from saldo.uploads.model import Name
from tests.simulation.region import ENTITY_ID, Region
from tests.simulation.workflows import invoke, workflow
from tests.simulation.workflows.letting_in import HERE, actor, peopled
from tests.simulation.workflows.scenes import CLERK
from tests.simulation.workflows.uploads import came, told, uploads


def certificates(region: Region) -> Certificates:
    return Certificates(region.store, region.sealer(), region.clock, uploads(region))


def said() -> HandedIn:
    days = date(2026, 1, 1), date(2028, 1, 1)
    words = "Exemption certificate", "ST-119-77", frozenset({"DE"})
    return HandedIn(HERE, "org_eu_000000", ENTITY_ID, *words, *days, "form-1", actor("payer"))


@workflow("certificates: hand one in", prepare=peopled)
def hand_in(region: Region) -> None:
    certificates(region).hand_in(said())


def handed_in(region: Region) -> None:
    peopled(region)
    upload = certificates(region).hand_in(said())
    region.notes["certificate"] = upload.id
    came(region, upload)
    invoke("uploads.examine", told(region))


def is_decided(region: Region) -> bool:
    with region.undisturbed():
        return certificates(region).get(HERE, region.notes["certificate"]).state is not RequestState.WAITING


@workflow("certificates: accept", prepare=handed_in)
def accept(region: Region) -> None:
    if not is_decided(region):
        standing = TaxStanding(region.store, region.sealer(), region.clock)
        certificates(region).accept(HERE, region.notes["certificate"], standing, CLERK)
    assert uploads(region).get(Name(HERE, "certificate", region.notes["certificate"])).is_clean


@workflow("certificates: refuse", prepare=handed_in)
def refuse(region: Region) -> None:
    if not is_decided(region):
        certificates(region).refuse(HERE, region.notes["certificate"], "Not yours", CLERK)
