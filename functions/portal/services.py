"""What the portal is made of, each built when first asked for, once per process.

Apart from `functions.services` because a page must not pay, at a cold start, for what only jobs import.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING

from functions import tracing
from functions.services import gateway_secret as gateway_secret
from functions.services import payments as payments
from functions.services import sealer as sealer
from functions.services import settings as settings
from functions.services import store as store
from saldo.access.rules_sso import SSO_BACK as SSO_BACK
from saldo.access.sessions import Sessions
from saldo.kernel.clock import Clock, system_clock
from saldo.kernel.errors import NotFound, Refusal, Unavailable
from saldo.storage.clients import client
from saldo.storage.kept import KeptAWhile
from saldo.storage.narrowed import Narrowed

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from saldo.access.acting import ActingForCustomers
    from saldo.access.colleagues import Colleagues
    from saldo.access.notice_choices import ChosenNotices
    from saldo.access.saved_views import SavedViews
    from saldo.access.service import Access
    from saldo.accounts.bank_statements import BankStatements
    from saldo.autopay.service import Autopay
    from saldo.catalog.model import Plan
    from saldo.catalog.service import PlanVersions
    from saldo.certificates.service import Certificates
    from saldo.disputes.service import Disputes
    from saldo.documents.bundles import Bundles
    from saldo.invoicing.forecast import Forecasts
    from saldo.invoicing.self_service import SelfService
    from saldo.invoicing.thresholds import Thresholds
    from saldo.notices.centre import NotificationCentre
    from saldo.payments.approvals import Approvals
    from saldo.payments.pay_links import PayLinks
    from saldo.payments.scheduled import ScheduledPayments
    from saldo.promises.service import Promises
    from saldo.storage.files import Files
    from saldo.storage.items import Item, Key
    from saldo.storage.store import Sees, Store
    from saldo.terms.service import TermsRequests
    from saldo.uploads.service import Uploads

# A function answers with 6 MB at most, and bytes are text of a third more in it.
MOST_BYTES = 4_400_000
_clock: Clock = system_clock


def clock() -> datetime:
    return _clock()


@lru_cache(maxsize=1)
def sessions() -> Sessions:
    return Sessions(store(), clock, lambda session: notification_centre().unread(session))


@lru_cache(maxsize=1)
def narrowed() -> Narrowed:
    return Narrowed(client("dynamodb"), client("sts"), settings().customer_role_arn, clock)


def records_of(
    *owners: str, name: str, sees: Sees | None = None, ahead: Mapping[Key, Item | None] | None = None
) -> Store:
    """Their records, under credentials that reach nothing else. name: who looks, for the trail of AWS. ahead: what of
    them was read with the session."""
    return store().within(*owners, sees=sees, client=narrowed().client(owners, name), ahead=ahead)


@lru_cache(maxsize=1)
def access() -> Access:
    from saldo.access.cognito import CognitoIdentity
    from saldo.access.cognito_federation import CognitoFederation
    from saldo.access.service import Access, Realm
    from saldo.access.tokens import RsaTokens

    s = settings()
    identity = CognitoIdentity(client("cognito-idp"), s.user_pool_id, s.user_pool_client_id)
    tokens = RsaTokens(identity.issuer, s.user_pool_client_id, identity.key_set, clock)
    federation = CognitoFederation(client("cognito-idp"), s.user_pool_id, s.sign_in_url, f"{s.origin}{SSO_BACK}")
    realm = Realm(s.region_code, identity.issuer)
    return Access(store(), sealer(), identity, tokens, realm, clock, federation=federation, origin=s.origin)


@lru_cache(maxsize=1)
def acting() -> ActingForCustomers:
    from saldo.access.acting import ActingForCustomers

    return ActingForCustomers(store(), clock)


@lru_cache(maxsize=1)
def bank_statements() -> BankStatements:
    """The key that signs belongs to this function alone."""
    from saldo.accounts.bank_statements import BankStatements
    from saldo.storage.signing import KmsSigningKey

    s = settings()
    return BankStatements(KmsSigningKey(client("kms"), s.details_key_id), s.origin, clock)


def chosen_notices() -> ChosenNotices:
    from saldo.access.notice_choices import ChosenNotices

    return ChosenNotices(store(), sealer(), clock)


@lru_cache(maxsize=1)
def notification_centre() -> NotificationCentre:
    from saldo.notices.centre import NotificationCentre

    return NotificationCentre(store(), clock)


@lru_cache(maxsize=1)
def approvals() -> Approvals:
    from saldo.payments.approvals import Approvals

    return Approvals(store(), sealer(), clock)


def disputes(within: Store) -> Disputes:
    """Of the account that `within` reaches."""
    from saldo.disputes.service import Disputes

    return Disputes(within, sealer(), clock)


def bundles(within: Store) -> Bundles:
    from saldo.documents.bundles import Bundles

    return Bundles(within, clock, documents())


def certificates(within: Store) -> Certificates:
    from saldo.certificates.service import Certificates

    return Certificates(within, sealer(), clock, uploads(within))


def uploads(within: Store) -> Uploads:
    """Of the account (or seller) that `within` reaches."""
    from saldo.storage.files import Files
    from saldo.uploads.service import Uploads

    return Uploads(within, sealer(), clock, Files(client("s3"), settings().uploads_bucket))


@lru_cache(maxsize=1)
def pay_links() -> PayLinks:
    from saldo.payments.pay_links import PayLinks

    return PayLinks(store(), sealer(), clock)


def promises(within: Store) -> Promises:
    """Of the account that `within` reaches."""
    from saldo.promises.service import Promises
    from saldo.promises.telling import Telling

    return Promises(within, clock, Telling(within, sealer(), clock), scheduled())


def terms_requests(within: Store) -> TermsRequests:
    """Of the account that `within` reaches."""
    from saldo.terms.service import TermsRequests

    return TermsRequests(within, sealer(), clock)


def autopay() -> Autopay:
    from saldo.autopay.service import Autopay
    from saldo.autopay.telling import Telling

    return Autopay(store(), clock, payments(), Telling(store(), sealer(), clock))


def scheduled() -> ScheduledPayments:
    from saldo.payments.scheduled import ScheduledPayments

    return ScheduledPayments(store(), clock, payments())


@lru_cache(maxsize=1)
def _kept_people() -> KeptAWhile[Key, str]:
    return KeptAWhile(clock)


def names_in(scoped: Store, account_id: str, user_ids: Collection[str]) -> dict[str, str]:
    """Names of those who belong to the account, by user id; kept for some minutes."""
    from saldo.access.records_people import member_key, names_of

    keys = {member_key(account_id, user_id): user_id for user_id in user_ids}
    known = _kept_people().of(keys.keys(), lambda unknown: names_of(scoped, sealer(), unknown))
    return {keys[key]: name for key, name in known.items()}


@lru_cache(maxsize=1)
def colleagues() -> Colleagues:
    from saldo.access.colleagues import Colleagues

    return Colleagues(store(), sealer(), clock)


def forecasts(scoped: Store) -> Forecasts:
    """Invoices before their day, of the account that the store reaches."""
    from saldo.invoicing.forecast import Forecasts
    from saldo.invoicing.run.cases import Billing

    billing = Billing.by_table(scoped, versions=plan_versions(scoped))
    return Forecasts(billing, clock, rates=store())


@lru_cache(maxsize=1)
def _kept_versions() -> PlanVersions:
    from saldo.catalog.service import PlanVersions

    return PlanVersions(store())


def plan_versions(scoped: Store) -> PlanVersions:
    """Kept for the life of the process, as they never change; what is not kept yet is read as this reader."""
    return _kept_versions().within(scoped)


@lru_cache(maxsize=1)
def _kept_plans() -> KeptAWhile[Key, Plan]:
    return KeptAWhile(clock)


def self_service(scoped: Store) -> SelfService:
    from saldo.invoicing.self_service import SelfService

    return SelfService(scoped, forecasts(scoped), plan_versions(scoped), clock, _kept_plans())


def thresholds(scoped: Store) -> Thresholds:
    from saldo.invoicing.thresholds import Thresholds

    return Thresholds(scoped, forecasts(scoped), clock)


def saved_views() -> SavedViews:
    from saldo.access.saved_views import SavedViews

    return SavedViews(store(), clock)


@lru_cache(maxsize=1)
def documents() -> Files:
    from saldo.storage.files import Files

    return Files(client("s3"), settings().documents_bucket)


def document(account_id: str, subject: dict[str, str]) -> bytes:
    """The PDF of {invoice_id} or {payment_id}, made if it was not there yet; NotFound, Unavailable."""
    return rendered({"account_id": account_id, **subject})


def rendered(request: dict[str, str]) -> bytes:
    """What the documents function makes of a request; NotFound, Unavailable, Refusal `document_too_large`."""
    payload = json.dumps(request | tracing.carried()).encode()
    answer = client("lambda").invoke(FunctionName=settings().documents_function, Payload=payload)
    made = json.loads(answer["Payload"].read())
    if answer.get("FunctionError") or not isinstance(made, dict):
        raise Unavailable("the document cannot be made at the moment")
    if "refused" in made:
        raise NotFound(made["refused"]["message"])
    document = documents().get(made["key"])
    if len(document) > MOST_BYTES:
        raise Refusal("document_too_large", f"{len(document)} bytes are more than an answer holds")
    return document


def queue_gateway_event(body: str) -> None:
    """Within the trace of the request that brought it, so that its handling is in the same trace."""
    client("sqs").send_message(QueueUrl=settings().gateway_queue_url, MessageBody=body, **tracing.sqs_attributes())
