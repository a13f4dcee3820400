"""Billing details of an account as facts, and the form that changes them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace

from functions.portal.forms import whole
from functions.portal.presenters.tags import Tag
from functions.portal.words import LANGUAGES, NAMES, Words
from saldo.accounts.model import Account, Address, BillingProfile, TaxIdStatus, TaxStatus
from saldo.accounts.rules_details import MOST, MOST_EMAILS, MOST_LINES, OF_STATES, Sending
from saldo.audit.model import Actor
from saldo.invoicing.records import InvoiceHeader
from saldo.kernel.errors import Problem
from saldo.support.details import Details, DetailsWish, Effect
from saldo.support.model import Topic
from saldo.support.service import Question

Facts = list[tuple[str, str]]
_TONES = {TaxIdStatus.UNCHECKED: "wait", TaxIdStatus.VALID: "done", TaxIdStatus.INVALID: "late"}
_MANY = {"emails": MOST_EMAILS, "lines": MOST_LINES}


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the form, as texts; `lines` and `emails` one a line, `by_email` "yes" or not, `seen` the version
    that was looked at, `country` "" where it is not asked for."""

    seen: int = 0

    legal_name: str = ""
    contact_name: str = ""
    lines: str = ""
    postcode: str = ""
    city: str = ""
    country: str = ""
    region: str = ""
    tax_id: str = ""
    emails: str = ""
    purchase_order: str = ""
    language: str = ""
    by_email: str = ""

    @classmethod
    def of(cls, form: Mapping[str, Sequence[str]]) -> Typed:
        sent = {f.name: form.get(f.name, [""])[-1].replace("\r", "").strip()[:2000] for f in fields(cls)}
        return cls(whole(sent.pop("seen")), **sent)

    def pairs(self) -> list[tuple[str, str]]:
        return [(f.name, str(getattr(self, f.name))) for f in fields(self)]

    def profile(self, now: BillingProfile) -> BillingProfile:
        """The profile that is wished for."""
        lines = tuple(line.strip() for line in self.lines.split("\n") if line.strip())
        emails = tuple(dict.fromkeys(self.emails.replace(",", " ").split()))
        country = self.country.upper() or now.address.country
        return replace(
            now,
            legal_name=self.legal_name,
            contact_name=self.contact_name,
            address=Address(lines, self.postcode, self.city, country, self.region.upper()),
            tax_id=self.tax_id,
            emails=emails,
            purchase_order=self.purchase_order,
        )

    def sending(self) -> Sending:
        return Sending(self.language if self.language in LANGUAGES else "", self.by_email == "yes")

    def wish(
        self,
        now: Details,
        actor: Actor,
        reason: str = "",
        *,
        correct: Collection[str],
        question: Callable[[list[str]], Question],
    ) -> DetailsWish:
        """Its change, with which of the invoices offered are to be corrected."""
        profile, sending = self.profile(now.profile), self.sending()
        return DetailsWish(profile, sending, self.seen, actor, reason, correct, question)


def typed_of(now: Details) -> Typed:
    profile, address = now.profile, now.profile.address
    return Typed(
        profile.version,
        profile.legal_name,
        profile.contact_name,
        "\n".join(address.lines),
        address.postcode,
        address.city,
        address.country,
        address.region,
        profile.tax_id,
        "\n".join(profile.emails),
        profile.purchase_order,
        now.account.language,
        "yes" if now.account.deliver_by_email else "no",
    )


@dataclass(frozen=True, slots=True)
class Form:
    """What the form's part draws. `asks_country`: of who may change it; `spoken`: languages by code and own name;
    `ways`: how documents reach the reader."""

    typed: Typed
    country: str
    asks_country: bool
    asks_region: bool
    ways: list[tuple[str, str, str]]
    spoken: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Check:
    """What the check's part draws: what differs, as it is and as it would be, what that does, which invoices are
    offered for correction, and which of them are ticked."""

    typed: Typed
    before: Facts
    after: Facts
    meanings: list[str]
    offers: list[tuple[str, str, str]]
    ticked: Sequence[str]


def form_of(now: Details, typed: Typed, words: Words, *, asks_country: bool = False) -> Form:
    """It asks for a state or province where tax depends on it or may come to, or the address has one already."""
    account, address = now.account, now.profile.address
    asks_region = asks_country or bool(account.tax_region or address.region or account.country in OF_STATES)
    spoken = [(code, NAMES[code]) for code in LANGUAGES]
    return Form(typed, address.country, asks_country, asks_region, _ways(words), spoken)


def check_of(now: Details, typed: Typed, effect: Effect, ticked: Sequence[str], words: Words) -> Check:
    before, after = changes_of((now.profile, now.sending), (typed.profile(now.profile), typed.sending()), words)
    kept, meanings = replace(typed, seen=now.profile.version), meanings_of(now.account, effect, words)
    return Check(kept, before, after, meanings, offers_of(effect.offers, words), ticked)


def asking(ticket_id: str, about: str, words: Words, text_key: str) -> Callable[[list[str]], Question]:
    """The message for the seller's people, who credit an invoice and bill it again; the customer reads it, too."""

    def question(numbers: list[str]) -> Question:
        text = "\n".join([words(text_key), *numbers])
        return Question(ticket_id, Topic.INVOICE, words("details.ticket.subject"), text, about)

    return question


def facts_of(now: Details, words: Words) -> Facts:
    return [(words(f"details.{name}"), text) for name, text in _texts(now.profile, now.sending, words)]


def changes_of(
    before: tuple[BillingProfile, Sending], after: tuple[BillingProfile, Sending], words: Words
) -> tuple[Facts, Facts]:
    """What differs: as it is, and as it would be."""
    pairs = list(zip(_texts(*before, words), _texts(*after, words), strict=True))
    differ = [(words(f"details.{name}"), was, now) for (name, was), (_, now) in pairs if was != now]
    nothing = words("details.none")
    return [(n, was or nothing) for n, was, _ in differ], [(n, now or nothing) for n, _, now in differ]


def _texts(profile: BillingProfile, sending: Sending, words: Words) -> list[tuple[str, str]]:
    a = profile.address
    address = ", ".join(part for part in (*a.lines, f"{a.postcode} {a.city}".strip(), a.region, a.country) if part)
    return [
        ("legal_name", profile.legal_name),
        ("contact_name", profile.contact_name),
        ("address", address),
        ("tax_id", profile.tax_id),
        ("emails", ", ".join(profile.emails)),
        ("purchase_order", profile.purchase_order),
        ("language", NAMES.get(sending.language, sending.language)),
        ("delivery", words("details.by_email" if sending.by_email else "details.by_portal")),
    ]


def tax_id_tag(account: Account, words: Words) -> tuple[Tag, str] | None:
    """What is known of the tax id, and since when; None without one."""
    check = account.tax_id_check
    if check is None or check.status is TaxIdStatus.NONE:
        return None
    tag = Tag(_TONES[check.status], words(f"details.tax_id_is.{check.status}"))
    return tag, words("details.checked_on", on=words.day(check.checked_on))


def meanings_of(account: Account, effect: Effect, words: Words) -> list[str]:
    """What the change will do, a sentence each."""
    after = effect.account
    told = [words("details.means.future"), words("details.means.past")]
    if account.country != after.country:
        told += _moves(account, effect, words)
    elif (account.tax_region, account.tax_postcode) != (after.tax_region, after.tax_postcode):
        told.append(words("details.means.tax", region=after.tax_region))
    if effect.stays:
        told.append(words("details.means.tax_stays", place=_place(after)))
    if "tax_id" in effect.changed:
        told.append(words("details.means.tax_id"))
    if account.deliver_by_email != after.deliver_by_email:
        told.append(words("details.means.by_email" if after.deliver_by_email else "details.means.by_portal"))
    return told


def _moves(account: Account, effect: Effect, words: Words) -> list[str]:
    """What it means to be in another country."""
    after = effect.account
    told = [words("details.means.country", place=_place(after))]
    if account.has_tax_id:
        told.append(words("details.means.country_tax_id", was=account.country, country=after.country))
    for one in effect.ended:
        places = ", ".join(sorted(one.jurisdictions))
        told.append(words("details.means.certificate", places=places, on=words.day(one.until_on)))
    if account.tax_status is TaxStatus.EXEMPT:
        told.append(words("details.means.exempt"))
    return [*told, words("details.means.country_prices"), words("details.means.stays", currency=account.currency)]


def _place(account: Account) -> str:
    return "-".join(filter(None, (account.country, account.tax_region)))


def offers_of(headers: Iterable[InvoiceHeader], words: Words) -> list[tuple[str, str, str]]:
    """Invoices to tick, as the part `choices` takes them."""
    return [
        (h.invoice_id, h.number, f"{words.day(h.issued_on)}, {words.money(h.total_minor, h.currency)}") for h in headers
    ]


def told(problems: Iterable[Problem], words: Words) -> list[tuple[str, str]]:
    """Every problem at its field, the first of each."""
    found: dict[str, str] = {}
    for p in problems:
        found.setdefault(p.field, _said(p, words))
    return list(found.items())


def _said(problem: Problem, words: Words) -> str:
    field = words(f"details.{problem.field}")
    match problem.code:
        case "missing":
            return words("details.wrong.missing", field=field)
        case "too_long":
            return words("details.wrong.too_long", field=field, n=MOST[problem.field])
        case "too_many":
            return words("details.wrong.too_many", field=field, n=_MANY[problem.field])
    return words.known(f"details.wrong.{problem.code}", "problem.other")


def _ways(words: Words) -> list[tuple[str, str, str]]:
    return [
        ("yes", words("details.by_email"), words("details.by_email_hint")),
        ("no", words("details.by_portal"), words("details.by_portal_hint")),
    ]
