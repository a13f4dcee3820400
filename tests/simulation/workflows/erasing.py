"""Legal holds, and customers whose personal fields are erased for ever."""

from __future__ import annotations

from dataclasses import replace

from saldo.accounts.erasure import Erasure
from saldo.accounts.shredding import Shredding
from saldo.storage.files import Files
from saldo.storage.key_rotation import renew
from saldo.uploads.model import UploadKind, UploadState
from tests.simulation.region import Region
from tests.simulation.workflows import invoke, workflow
from tests.simulation.workflows.letting_in import HERE
from tests.simulation.workflows.scenes import CLERK, account_id, accounts, billed, founded
from tests.simulation.workflows.uploads import asked, came, told, uploads, wish

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


@workflow("customer: another key", prepare=founded)
def renew_key(region: Region) -> None:
    """What was sealed under the keys before stays readable."""
    renew(region.keys(), ORGANISATION)
    with region.undisturbed():
        region.restart()
        assert accounts(region).profile(account_id(0), 1).emails


@workflow("customer: shred", prepare=billed)
def shred(region: Region) -> None:
    _shredding(region).shred(ORGANISATION, CLERK, "the customer asked for it")


def handed_in(region: Region) -> None:
    """Evidence that was looked at, a certificate likewise, and one file that only came."""
    asked(region)
    invoke("uploads.examine", told(region))
    came(region, uploads(region).ask(wish(UploadKind.CERTIFICATE)))
    invoke("uploads.examine", told(region))
    came(region, uploads(region).ask(replace(wish(), request="form-2")))


@workflow("customer: shred with its files", prepare=handed_in)
def shred_with_files(region: Region) -> None:
    files = Files(region.client("s3"), "uploads")
    erasure = Erasure(region.store, region.keys(), region.clock, files)
    done = erasure.erase(ORGANISATION, CLERK, "the customer asked for it")
    assert done.certificates_kept == 1
    with region.undisturbed():
        assert {key.split("/")[1] for key in files.first_versions("")} == {"certificate"}
        assert sorted(one.state for one in uploads(region).of(HERE)) == [
            *(UploadState.CLEAN, UploadState.DELETED, UploadState.DELETED),
        ]
