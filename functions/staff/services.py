"""What pages of staff are made of besides the portal's, each built when first asked for, once per process."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from typing import TYPE_CHECKING

from functions.portal.services import acting as acting
from functions.portal.services import bank_statements as bank_statements
from functions.portal.services import clock as clock
from functions.portal.services import document as document
from functions.portal.services import records_of as records_of
from functions.portal.services import rendered as rendered
from functions.portal.services import sealer as sealer
from functions.portal.services import settings as settings
from functions.portal.services import store as store
from functions.services import run_starter as run_starter
from saldo.access.staff import StaffDirectory, StaffSessions
from saldo.storage.clients import client
from saldo.storage.kept import KeptAWhile

if TYPE_CHECKING:
    from saldo.access.access_grants import AccessGrants
    from saldo.access.elevation import Elevations
    from saldo.access.proposals import Proposals
    from saldo.access.reviews import AccessReviews
    from saldo.access.staff import StaffAccess
    from saldo.accounts.seller_details import SellerDetails
    from saldo.accounts.tax_standing import TaxStanding
    from saldo.certificates.service import Certificates
    from saldo.disputes.service import Disputes
    from saldo.invoicing.approvals import Approvals
    from saldo.invoicing.staff_credits import StaffCredits
    from saldo.orders.decisions import Decisions
    from saldo.orders.service import Orders
    from saldo.promises.deciding import Deciding
    from saldo.promises.service import Promises
    from saldo.storage.items import Key
    from saldo.storage.store import Store
    from saldo.terms.service import TermsRequests


def sessions() -> StaffSessions:
    return StaffSessions(store(), clock)


@lru_cache(maxsize=1)
def access() -> StaffAccess:
    from saldo.access.cognito import CognitoIdentity
    from saldo.access.service import Realm
    from saldo.access.staff import StaffAccess
    from saldo.access.tokens import RsaTokens

    s = settings()
    identity = CognitoIdentity(client("cognito-idp"), s.staff_pool_id, s.staff_pool_client_id)
    tokens = RsaTokens(identity.issuer, s.staff_pool_client_id, identity.key_set, clock)
    return StaffAccess(store(), sealer(), identity, tokens, Realm(s.region_code, identity.issuer), clock)


def directory() -> StaffDirectory:
    return StaffDirectory(store(), sealer())


def proposals() -> Proposals:
    from saldo.access.proposals import Proposals

    return Proposals(store(), clock)


def elevations() -> Elevations:
    from saldo.access.elevation import Elevations

    return Elevations(store(), clock, proposals())


def access_grants() -> AccessGrants:
    from saldo.access.access_grants import AccessGrants

    return AccessGrants(store(), clock, proposals())


def reviews() -> AccessReviews:
    from saldo.access.reviews import AccessReviews

    return AccessReviews(store(), clock)


def credits() -> StaffCredits:
    from functions.services import tax
    from saldo.invoicing.corrections import Corrections
    from saldo.invoicing.staff_credits import StaffCredits

    return StaffCredits(Corrections(store(), clock, tax()), proposals(), disputes())


def certificates(reached: Store | None = None) -> Certificates:
    """Of the account that is reached, or of all of the region's."""
    from functions.portal.services import certificates as within

    return within(reached or store())


def tax_standing() -> TaxStanding:
    """For entering certificates: no register is asked."""
    from saldo.accounts.tax_standing import TaxStanding

    return TaxStanding(store(), sealer(), clock)


def disputes(within: Store | None = None) -> Disputes:
    """Of the account that `within` reaches, or of all of the region's."""
    from saldo.disputes.service import Disputes

    return Disputes(within or store(), sealer(), clock)


def promises() -> Promises:
    from functions.portal.services import promises as within

    return within(store())


def deciding() -> Deciding:
    from saldo.promises.deciding import Deciding

    return Deciding(promises(), proposals())


def terms_requests(within: Store | None = None) -> TermsRequests:
    """Of the account that `within` reaches, or of all of the region's."""
    from saldo.terms.service import TermsRequests

    return TermsRequests(within or store(), sealer(), clock)


def seller_details() -> SellerDetails:
    from saldo.accounts.seller_details import SellerDetails

    return SellerDetails(store(), clock, bank_statements())


def approvals() -> Approvals:
    from saldo.invoicing.approvals import Approvals

    return Approvals(store(), clock)


def orders() -> Orders:
    from saldo.orders.service import Orders

    return Orders(store(), clock)


def decisions() -> Decisions:
    from saldo.orders.decisions import Decisions

    return Decisions(store(), clock)


@lru_cache(maxsize=1)
def kept_customers() -> KeptAWhile[Key, str]:
    """Names of customers, by seller and account."""
    return KeptAWhile(clock)


@lru_cache(maxsize=1)
def _kept_names() -> KeptAWhile[str, str]:
    return KeptAWhile(clock)


def names(ids: Collection[str]) -> dict[str, str]:
    """Names of staff by id, kept for some minutes so that pages need no call for them; others stay their ids."""
    known = _kept_names().of({i for i in ids if i.startswith("staff_")}, directory().names)
    return {i: known.get(i, i) for i in ids}
