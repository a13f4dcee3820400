"""Puts the demo onto a deployment, once. Repeating it finishes what was begun and changes nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal

from local.cli.site import bank_statements_of, sealer_of, signing_certificates_of, store_of
from local.demo import history, paying
from local.demo.customers import CUSTOMERS, PEOPLE, STAFF, Contract, Person, account_id, accounts_of, organisation_id
from local.demo.customers import organisation_of as organisation
from local.demo.sellers import GMBH, INC, offer_of
from local.stack import LocalStack
from saldo.access.cognito import CognitoIdentity
from saldo.access.model import Grant, Role, User
from saldo.access.model_staff import Post, Staff, StaffPerson, StaffRole
from saldo.access.service import Access, Realm
from saldo.access.staff import StaffAccess
from saldo.access.tokens import RsaTokens
from saldo.accounts.model import Account, LegalEntity
from saldo.accounts.service import Accounts
from saldo.audit.model import Actor, job
from saldo.catalog.service import Catalog
from saldo.documents.records import certificate_key
from saldo.kernel.clock import system_clock
from saldo.kernel.periods import local_date
from saldo.storage.items import Item
from saldo.storage.units import Unit
from saldo.subscriptions.model import Alignment
from saldo.subscriptions.rules import subscribe
from saldo.subscriptions.service import Subscriptions
from saldo.usage.service import Usage

PASSWORD = "Lumen-demo-2026"  # noqa: S105 - printed on purpose: the demo's people exist on this machine only
_SEED = job("demo")
# Who pays late invoices by card: contract and payer.
_BY_CARD = {
    "eu": ("corvin_lyon", Actor("demo_camille_roche", "user")),
    "us": ("harborline_houston", Actor("demo_marcus_webb", "user")),
}
_ENTITIES = {"eu": GMBH, "us": INC}


def seed(stacks: Mapping[str, LocalStack]) -> None:
    """Sellers, customers, subscriptions, usage, runs, payments and people; `stacks` by region code."""
    with ThreadPoolExecutor(len(stacks)) as pool:
        for _ in pool.map(lambda code: _Region(stacks[code], _ENTITIES[code]).seed(), stacks):
            pass


def sign_ins() -> list[str]:
    """What to type into the sign-in page, one line per person."""
    lines = ["", f"Sign in with the password {PASSWORD} as"]
    for code, people in PEOPLE.items():
        lines += [f"  {p.email:34} {code.upper()} portal: {p.what}" for p in people]
    lines += ["", "Lumen's own people sign in at /staff with the same password. The first time a key is shown for an"]
    lines += ["authenticator app, and a code asked for each time; without an app: saldo code KEY"]
    for code, clerks in STAFF.items():
        lines += [f"  {c.email:34} {code.upper()} portal: {c.what}" for c in clerks]
    return lines


class _Region:
    """One entity's part of the demo."""

    def __init__(self, stack: LocalStack, entity: LegalEntity) -> None:
        self._stack, self._entity, self._code = stack, entity, stack.region_code
        self._store, self._sealer = store_of(stack), sealer_of(stack)

    def seed(self) -> None:
        anchor, finished = self._begun()
        if finished:
            return
        self._sell(anchor)
        contracts = self._found(anchor)
        self._use(contracts, anchor)
        history.bill(self._stack, self._entity.id, history.run_days(anchor), system_clock)
        for account, contract in contracts:
            history.settle(self._store, account, contract.habit, anchor, system_clock)
        self._let_in()
        late, payer = _BY_CARD[self._code]
        paying.pay_oldest_by_card(self._stack, self._store, account_id(self._code, late), payer, system_clock)
        self._store.write_one(Unit("finished").update((self._entity.id, "demo"), set={"finished": True}))

    def _begun(self) -> tuple[date, bool]:
        """The day the demo counts back from, fixed when it was first begun, and whether it is finished."""
        today = local_date(system_clock(), self._entity.time_zone)
        first: Item = {
            "pk": self._entity.id,
            "sk": "demo",
            "kind": "demo",
            "anchor_on": today.isoformat(),
            "finished": False,
        }
        self._store.write_one(Unit("begin").insert(first))
        begun = self._store.get(self._entity.id, "demo") or first
        return date.fromisoformat(begun["anchor_on"]), bool(begun["finished"])

    def _sell(self, anchor: date) -> None:
        if self._store.get(self._entity.id, "entity") is None:
            seller = bank_statements_of(self._stack).signed(self._entity, None)
            Accounts(self._store, self._sealer, system_clock).register_entity(seller, _SEED)
        if self._store.get(*certificate_key(self._entity.id)) is None:
            signing_certificates_of(self._stack).make(self._entity.id, _SEED)
        offer = offer_of(self._entity, history.first_day(anchor))
        catalog, usage = Catalog(self._store, system_clock), Usage(self._store, system_clock)
        catalog.offer_product(offer.product, _SEED)
        for plan in offer.plans:
            catalog.offer_plan(plan, _SEED)
        for version in offer.versions:
            catalog.publish(self._entity.id, version, _SEED)
        for meter in offer.meters:
            usage.define_meter(meter, _SEED)

    def _found(self, anchor: date) -> list[tuple[Account, Contract]]:
        """Customers with their accounts and subscriptions."""
        accounts = Accounts(self._store, self._sealer, system_clock)
        found = []
        for customer in CUSTOMERS[self._code]:
            accounts.register_organisation(organisation(self._entity, customer), _SEED)
            for contract, account, profile in accounts_of(self._entity, customer):
                accounts.open_account(account, profile, _SEED)
                self._subscribe(account, contract, anchor)
                found.append((account, contract))
        return found

    def _subscribe(self, account: Account, contract: Contract, anchor: date) -> None:
        since = history.first_day(anchor)
        version = Catalog(self._store, system_clock).plan_version(self._entity.id, f"plan_{self._code}_{contract.plan}")
        seats = any(c.id == "seats" for c in version.components)
        calendar = contract.calendar and not contract.plan.startswith("annual")
        subscription = subscribe(
            f"sub_{self._code}_{contract.key}",
            account_id=account.id,
            entity_id=self._entity.id,
            plan_version=version,
            started_on=since if contract.calendar else since.replace(day=15),
            alignment=Alignment.CALENDAR if calendar else Alignment.ANNIVERSARY,
            quantities={"seats": Decimal(contract.seats)} if seats else {},
        )
        Subscriptions(self._store, system_clock).start(subscription, _SEED)

    def _use(self, contracts: list[tuple[Account, Contract]], anchor: date) -> None:
        usage = Usage(self._store, system_clock)
        rows = [row for account, contract in contracts for row in history.usage_rows(account, contract, anchor)]
        report = usage.ingest(self._entity.id, rows, origin="demo")
        if report.rejected:
            raise RuntimeError(f"the demo's own usage was rejected: {report.rejected[0].problems}")

    def _let_in(self) -> None:
        identity = CognitoIdentity(
            self._stack.client("cognito-idp"), self._stack.user_pool_id, self._stack.user_pool_client_id
        )
        tokens = RsaTokens(identity.issuer, self._stack.user_pool_client_id, identity.key_set, system_clock)
        realm = Realm(self._code, identity.issuer)
        access = Access(self._store, self._sealer, identity, tokens, realm, system_clock)
        for person in PEOPLE[self._code]:
            access.enrol(self._user(person), PASSWORD, _SEED)

        own = CognitoIdentity(
            self._stack.client("cognito-idp"), self._stack.staff_pool_id, self._stack.staff_pool_client_id
        )
        tokens = RsaTokens(own.issuer, self._stack.staff_pool_client_id, own.key_set, system_clock)
        realm = Realm(self._code, own.issuer)
        staff = StaffAccess(self._store, self._sealer, own, tokens, realm, system_clock)
        for clerk in STAFF[self._code]:
            now = system_clock()
            posts = tuple(Post(self._entity.id, StaffRole(role), now) for role in clerk.roles)
            own_person = StaffPerson(clerk.email, clerk.name)
            staff.enrol(Staff("", clerk.language, posts, now), own_person, PASSWORD, _SEED)

    def _user(self, person: Person) -> User:
        grants = tuple(Grant(account_id(self._code, key), Role(role)) for key, role in person.roles.items())
        home = organisation_id(self._code, person.customer)
        return User("", home, person.email, person.name, person.language, grants)
