"""Lumen's customers: who they are, what they bought, how they pay. Every name is made up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from saldo.accounts.model import Account, Address, BillingProfile, LegalEntity, Organisation, TaxStatus
from saldo.accounts.model_payment_terms import PaymentTerms


class Habit(StrEnum):
    """How an account pays: within days, about six weeks late, always leaving a part of the last, or no more."""

    PROMPT = "prompt"
    LATE = "late"
    PARTLY = "partly"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Contract:
    """One billing account and what it subscribed to. Off the calendar, its months begin on the 15th."""

    key: str
    name: str
    plan: str
    habit: Habit
    seats: int = 1
    calendar: bool = True
    scale: int = 1


@dataclass(frozen=True, slots=True)
class Customer:
    key: str
    name: str
    address: Address
    contact: str
    email: str
    tax_id: str
    language: str
    contracts: tuple[Contract, ...]
    tax_status: TaxStatus = TaxStatus.BUSINESS
    terms_days: int = 14


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can sign in. `roles`: contract key → role."""

    email: str
    name: str
    customer: str
    language: str
    roles: dict[str, str]
    what: str


EU_CUSTOMERS = (
    Customer(
        "nordlicht", "Nordlicht Logistik GmbH", Address(("Am Sandtorkai 41",), "20457", "Hamburg", "DE"),
        "Rieke Harms", "rieke.harms@nordlicht.example", "DE281904472", "de",
        (
            Contract("nordlicht_hamburg", "Nordlicht Hamburg", "team_v1", Habit.PROMPT, seats=14, scale=6),
            Contract("nordlicht_rostock", "Nordlicht Rostock", "starter_v1", Habit.PARTLY, scale=2),
            Contract("nordlicht_holding", "Nordlicht Holding", "scale_v1", Habit.PROMPT, scale=3),
        ),
    ),
    Customer(
        "corvin", "Atelier Corvin SARL", Address(("11 rue Burdeau",), "69001", "Lyon", "FR"),
        "Camille Roche", "camille.roche@corvin.example", "FR40303265045", "en",
        (
            Contract("corvin_lyon", "Corvin Lyon", "team_v1", Habit.LATE, seats=5, scale=2),
            # Late too, so that who signs in to pay finds something open on every day of a month.
            Contract("corvin_paris", "Corvin Paris", "team_v2", Habit.LATE, seats=8, calendar=False, scale=3),
        ),
    ),
    Customer(
        "brenninghoff", "Brenninghoff & Söhne KG", Address(("Hörsterstraße 8",), "48143", "Münster", "DE"),
        "Theo Brenninghoff", "theo@brenninghoff.example", "DE214457786", "de",
        (Contract("brenninghoff_muenster", "Brenninghoff & Söhne", "starter_v1", Habit.STOPPED, scale=3),),
    ),
    Customer(
        "morgenrot", "Kanzlei Morgenrot", Address(("Weichselstraße 3",), "12045", "Berlin", "DE"),
        "Dr. Leyla Aydın", "kanzlei@morgenrot.example", "", "de",
        (Contract("morgenrot_berlin", "Kanzlei Morgenrot", "starter_v1", Habit.PROMPT),),
    ),
    Customer(
        "vela", "Vela Energi ApS", Address(("Refshalevej 163A",), "1432", "København", "DK"),
        "Freja Holm", "freja.holm@vela.example", "DK31884470", "en",
        (Contract("vela_kobenhavn", "Vela Energi", "scale_v1", Habit.LATE, scale=8),), terms_days=30,
    ),
    Customer(
        "tessera", "Tessera Studio S.r.l.", Address(("Via del Pratello 72",), "40122", "Bologna", "IT"),
        "Giulia Fantini", "giulia@tessera.example", "IT03348210372", "en",
        (Contract("tessera_bologna", "Tessera Studio", "team_v1", Habit.PARTLY, seats=6, scale=4),),
    ),
    Customer(
        "alpenglanz", "Alpenglanz Touristik GmbH", Address(("Maria-Theresien-Straße 21",), "6020", "Innsbruck", "AT"),
        "Valentin Egger", "v.egger@alpenglanz.example", "ATU68290119", "de",
        (Contract("alpenglanz_innsbruck", "Alpenglanz Touristik", "annual_v1", Habit.PROMPT, seats=4),), terms_days=30,
    ),
)  # fmt: skip

US_CUSTOMERS = (
    Customer(
        "harborline", "Harborline Freight Inc.", Address(("140 Furman Street",), "11201", "Brooklyn", "US", "NY"),
        "Marcus Webb", "marcus.webb@harborline.example", "", "en",
        (
            Contract("harborline_brooklyn", "Harborline Brooklyn", "team_v1", Habit.PROMPT, seats=11, scale=5),
            Contract("harborline_houston", "Harborline Houston", "starter_v1", Habit.LATE, scale=2),
        ),
    ),
    Customer(
        "cobaltridge", "Cobalt Ridge Analytics LLC", Address(("1209 East 6th Street",), "78702", "Austin", "US", "TX"),
        "Ana Delgado", "ana.delgado@cobaltridge.example", "", "en",
        (Contract("cobaltridge_austin", "Cobalt Ridge", "scale_v1", Habit.PARTLY, scale=6),), terms_days=30,
    ),
    Customer(
        "junipervale", "Juniper & Vale LLP", Address(("555 Hayes Street",), "94102", "San Francisco", "US", "CA"),
        "Priya Raman", "priya@junipervale.example", "", "en",
        (Contract("junipervale_sf", "Juniper & Vale", "team_v2", Habit.PROMPT, seats=9, calendar=False, scale=3),),
    ),
    Customer(
        "marrowlane", "Marrow Lane Books", Address(("32 Lark Street",), "12210", "Albany", "US", "NY"),
        "Ezra Whitlock", "ezra@marrowlane.example", "", "en",
        (Contract("marrowlane_albany", "Marrow Lane Books", "starter_v1", Habit.STOPPED, scale=2),),
    ),
    Customer(
        "redwater", "Redwater Clinics", Address(("7100 Almeda Road",), "77054", "Houston", "US", "TX"),
        "Simone Achebe", "ap@redwater.example", "74-2291038", "en",
        (Contract("redwater_houston", "Redwater Clinics", "annual_v1", Habit.PROMPT, seats=12),),
        tax_status=TaxStatus.EXEMPT, terms_days=45,
    ),
    Customer(
        "quill", "Quill & Lantern Press", Address(("2236 SE Ankeny Street",), "97214", "Portland", "US", "OR"),
        "Noah Lindqvist", "noah@quillandlantern.example", "", "en",
        (Contract("quill_portland", "Quill & Lantern", "team_v1", Habit.PROMPT, seats=3, scale=2),),
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Clerk:
    """One of Lumen's own people. `roles`: at the region's legal entity."""

    email: str
    name: str
    language: str
    roles: tuple[str, ...]
    what: str


STAFF = {
    "eu": (
        Clerk("nele.brandis@lumen.example", "Nele Brandis", "de", ("support",), "support, in German"),
        Clerk("tomas.keller@lumen.example", "Tomas Keller", "en", ("ar_analyst", "collector"), "AR analyst, collector"),
        Clerk("ines.vogt@lumen.example", "Ines Vogt", "en", ("finance_approver",), "finance approver"),
        Clerk("milan.petrov@lumen.example", "Milan Petrov", "en", ("administrator",), "administrator"),
        Clerk("greta.lindholm@lumen.example", "Greta Lindholm", "en", ("administrator",), "administrator"),
        Clerk("paul.okafor@lumen.example", "Paul Okafor", "en", ("auditor",), "auditor"),
    ),
    "us": (
        Clerk("dana.reyes@lumen.example", "Dana Reyes", "en", ("support", "ar_analyst"), "support, AR analyst"),
        Clerk("owen.hale@lumen.example", "Owen Hale", "en", ("finance_approver",), "finance approver"),
        Clerk("mina.sato@lumen.example", "Mina Sato", "en", ("administrator",), "administrator"),
    ),
}

CUSTOMERS = {"eu": EU_CUSTOMERS, "us": US_CUSTOMERS}

PEOPLE = {
    "eu": (
        Person(
            "rieke.harms@nordlicht.example", "Rieke Harms", "nordlicht", "de",
            dict.fromkeys(("nordlicht_hamburg", "nordlicht_rostock", "nordlicht_holding"), "account_admin"),
            "account admin of three accounts, in German",
        ),
        Person(
            "jonas.brandt@nordlicht.example", "Jonas Brandt", "nordlicht", "de", {"nordlicht_hamburg": "viewer"},
            "viewer of one account, in German",
        ),
        Person(
            "camille.roche@corvin.example", "Camille Roche", "corvin", "en",
            {"corvin_lyon": "payer", "corvin_paris": "payer"}, "payer of two accounts",
        ),
        Person(
            "freja.holm@vela.example", "Freja Holm", "vela", "en", {"vela_kobenhavn": "approver"},
            "approver of one account",
        ),
    ),
    "us": (
        Person(
            "marcus.webb@harborline.example", "Marcus Webb", "harborline", "en",
            {"harborline_brooklyn": "account_admin", "harborline_houston": "account_admin"},
            "account admin of two accounts",
        ),
        Person(
            "ana.delgado@cobaltridge.example", "Ana Delgado", "cobaltridge", "en", {"cobaltridge_austin": "payer"},
            "payer of one account",
        ),
    ),
}  # fmt: skip


def organisation_id(region: str, customer: Customer | str) -> str:
    return f"org_{region}_{customer if isinstance(customer, str) else customer.key}"


def account_id(region: str, contract_key: str) -> str:
    return f"acct_{region}_{contract_key}"


def organisation_of(entity: LegalEntity, customer: Customer) -> Organisation:
    region = entity.id.split("_")[1]
    return Organisation(organisation_id(region, customer), customer.name, customer.address.country)


def accounts_of(entity: LegalEntity, customer: Customer) -> Iterator[tuple[Contract, Account, BillingProfile]]:
    """A customer's billing accounts with the profiles their invoices are addressed to."""
    region = entity.id.split("_")[1]
    for contract in customer.contracts:
        account = Account(
            id=account_id(region, contract.key),
            organisation_id=organisation_id(region, customer),
            entity_id=entity.id,
            name=contract.name,
            currency=entity.currency,
            time_zone=_ZONES.get(customer.address.region, entity.time_zone),
            country=customer.address.country,
            tax_region=customer.address.region,
            tax_status=customer.tax_status,
            has_tax_id=bool(customer.tax_id),
            language=customer.language,
            payment_terms=PaymentTerms(customer.terms_days),
            profile_version=1,
            deliver_by_email=True,
        )
        profile = BillingProfile(
            account.id, 1, customer.name, customer.contact, customer.address, customer.tax_id, (customer.email,), ""
        )
        yield contract, account, profile


_ZONES = {"TX": "America/Chicago", "CA": "America/Los_Angeles", "OR": "America/Los_Angeles"}
