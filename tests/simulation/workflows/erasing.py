"""Legal holds, and customers whose personal fields are erased for ever."""

from __future__ import annotations

from saldo.accounts.shredding import Shredding
from tests.simulation.region import Region
from tests.simulation.workflows import workflow
from tests.simulation.workflows.scenes import CLERK, billed, founded

ORGANISATION = "org_eu_000000"


def _shredding(region: Region) -> Shredding:
    return Shredding(region.store, region.keys(), region.clock)


@workflow("customer: legal hold", prepare=founded)
def hold(region: Region) -> None:
    """As a person does, who looks before asking for it again."""
    organisation = region.store.get(ORGANISATION, "organisation")
    assert organisation is not None
    if not organisation.get("legal_hold"):
        _shredding(region).hold(ORGANISATION, True, CLERK, "a court said so")


@workflow("customer: shred", prepare=billed)
def shred(region: Region) -> None:
    _shredding(region).shred(ORGANISATION, CLERK, "the customer asked for it")
