"""The deployment that the command line speaks to, one region at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from saldo.invoicing.run import records
from saldo.invoicing.run.model import Attempt
from saldo.kernel.errors import NotFound, Refusal
from saldo.kernel.ids import is_canary, is_double
from saldo.kernel.regions import AWS_REGIONS, region_of
from saldo.storage.store import Store

if TYPE_CHECKING:
    from saldo.accounts.bank_statements import BankStatements
    from saldo.documents.signing_certificates import SigningCertificates
    from saldo.invoicing.run.bill import Billing
    from saldo.storage.sealing import KeyRing, Sealer
    from saldo.tax.ports import TaxPort
    from saldo.usage.ports import LargeUsage


class Site(Protocol):
    """One region of a deployment: names of what is there, and clients that reach it."""

    @property
    def region_code(self) -> str: ...

    @property
    def aws_url(self) -> str: ...

    @property
    def table(self) -> str: ...

    @property
    def keys_table(self) -> str: ...

    @property
    def kms_key_id(self) -> str: ...

    @property
    def details_key_id(self) -> str: ...

    @property
    def documents_key_id(self) -> str: ...

    @property
    def imports_bucket(self) -> str: ...

    @property
    def audit_bucket(self) -> str: ...

    @property
    def portal_origin(self) -> str: ...

    @property
    def sign_in_url(self) -> str: ...

    @property
    def user_pool_id(self) -> str: ...

    @property
    def staff_pool_id(self) -> str: ...

    @property
    def staff_pool_client_id(self) -> str: ...

    @property
    def state_machine_arn(self) -> str: ...

    @property
    def functions(self) -> Mapping[str, str]: ...

    def client(self, service: str) -> Any:  # boto3 types each service apart; callers annotate
        ...

    def environment(self) -> Mapping[str, str]:
        """The settings that its functions have."""
        ...


class NotHere(Refusal):
    """Nothing is deployed, or it does not answer."""

    def __init__(self, why: str) -> None:
        super().__init__("not_running", f"Saldo is not up on this machine ({why}); start it with: make up")


@dataclass(frozen=True, slots=True)
class Sites:
    """The regions of one deployment, found when first needed."""

    find: Callable[[str], Site]

    def of(self, owner_id: str) -> Site:
        """The home region of an entity, account or run id; Refusal `invalid_id` when it names none."""
        return self.in_region(region_of(_owner_in(owner_id)))

    def in_region(self, region_code: str) -> Site:
        return self.find(region_code)

    def all(self) -> list[Site]:
        return [self.find(code) for code in AWS_REGIONS]


def _owner_in(some_id: str) -> str:
    """`run_eu_lumen_20261101` belongs to `ent_eu_lumen`."""
    if some_id.startswith("run_"):
        return "ent_" + some_id.removeprefix("run_").rpartition("_")[0]
    return some_id


def deployed_here(region_code: str) -> Site:
    """The stack that `make up` deployed on this machine."""
    from botocore.exceptions import BotoCoreError, ClientError

    from local.stack import endpoints

    try:
        return endpoints(region_code)
    except LookupError as error:
        raise NotHere(str(error)) from error
    except (BotoCoreError, ClientError) as error:
        raise NotHere(type(error).__name__) from error


def store_of(site: Site) -> Store:
    return Store(site.client("dynamodb"), site.table)


def keys_of(site: Site) -> KeyRing:
    """The region's data keys. Imported when asked for: few commands touch personal data."""
    from saldo.storage.sealing import KeyRing

    return KeyRing(
        site.client("kms"),
        site.client("dynamodb"),
        table=site.keys_table,
        kms_key_id=site.kms_key_id,
        region_code=site.region_code,
    )


def sealer_of(site: Site) -> Sealer:
    """Opens and seals personal fields of the region's records."""
    from saldo.storage.sealing import Sealer

    return Sealer(keys_of(site), site.table)


def bank_statements_of(site: Site) -> BankStatements:
    """Signs what the region's sellers say of their bank accounts."""
    from saldo.accounts.bank_statements import BankStatements
    from saldo.kernel.clock import system_clock
    from saldo.storage.signing import KmsSigningKey

    key = KmsSigningKey(site.client("kms"), site.details_key_id)
    return BankStatements(key, site.portal_origin, system_clock)


def signing_certificates_of(site: Site) -> SigningCertificates:
    """Of the region's sellers, for the key that signs documents."""
    from saldo.accounts.service import Accounts
    from saldo.documents.signing_certificates import SigningCertificates
    from saldo.kernel.clock import system_clock
    from saldo.storage.signing import KmsSigningKey

    store, key = store_of(site), KmsSigningKey(site.client("kms"), site.documents_key_id)
    return SigningCertificates(store, Accounts(store, sealer_of(site), system_clock), key, system_clock)


def counted_in_files(site: Site) -> LargeUsage | None:
    """Counts usage that lies in files, by the function that can; None where that is not deployed."""
    from saldo.usage.partitions_remote import CountedElsewhere

    function = site.functions.get("count_usage")
    return CountedElsewhere(site.client("lambda"), function) if function else None


def billing_of(site: Site) -> Billing:
    """What an account's invoices are made of, taxes as the deployment asks for them."""
    return replace(billing_ahead_of(site), tax=tax_of(site))


def billing_ahead_of(site: Site) -> Billing:
    """The same for looking ahead, which estimates taxes: no tax service is asked. Imported when asked for."""
    from saldo.invoicing.run.bill import Billing

    return Billing.by_table(store_of(site), large=counted_in_files(site))


def tax_of(site: Site) -> TaxPort:
    """Whom the deployment asks for taxes."""
    from saldo.tax.services import tax_port

    deployed = site.environment()
    service, url, arn = (deployed.get(f"SALDO_TAX_{name}", "") for name in ("SERVICE", "URL", "SECRET_ARN"))

    def secret() -> str:
        return str(site.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"])

    return tax_port(service, url, secret)


def sellers_of(store: Store) -> Iterator[str]:
    """Legal entities of a region but the canary's and doubles, in id order; walks the table, as only tools of one
    machine may."""
    sellers = (item["pk"] for item in store.scan() if item["kind"] == "entity")
    yield from sorted(seller for seller in sellers if not is_canary(seller) and not is_double(seller))


def attempts_of(store: Store, entity_ids: Iterable[str]) -> list[Attempt]:
    """Every attempt of these sellers' runs, newest first."""
    items = [item for e in entity_ids for item in store.query_all(e, prefix="run#", consistent=True)]
    found = [records.attempt_from(item) for item in items]
    return sorted(found, key=lambda a: (a.as_of, a.run_id, a.number), reverse=True)


def latest_of(store: Store, run_id: str) -> Attempt:
    """A run's latest attempt; NotFound when there is no such run."""
    page = store.query(run_id, prefix="attempt#", newest_first=True, limit=1, consistent=True)
    if not page.items:
        raise NotFound(f"no run {run_id}; list them with: saldo runs")
    return records.attempt_from(page.items[0])
