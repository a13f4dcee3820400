"""Billing details of the account: what invoices carry, where they go, and what a change of it does."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from functions.portal import services
from functions.portal.answers import Answer, see_other
from functions.portal.endpoint import Routes, roles
from functions.portal.forms import whole
from functions.portal.pages import page
from functions.portal.presenters import details as shown
from functions.portal.presenters.details import Typed, typed_of
from functions.portal.proving import asks_proof, proof_problem
from functions.portal.visit import Visit
from functions.portal.words import LANGUAGES, NAMES
from saldo.access.model import Role
from saldo.access.rules import READERS
from saldo.access.rules_people import ADMINS
from saldo.accounts.model import Account, BillingProfile
from saldo.accounts.records import ACCOUNT
from saldo.accounts.rules_details import Sending, changed_fields, check_details, with_details
from saldo.accounts.service import Accounts
from saldo.invoicing.offered_corrections import OfferedCorrections
from saldo.invoicing.records import InvoiceHeader
from saldo.kernel.errors import Problem, Refusal
from saldo.kernel.ids import check_id, new_id
from saldo.storage.units import Unit
from saldo.support.model import Topic
from saldo.support.service import Question, Support

routes = Routes("details")
_ALL = "/accounts/{account_id}/details"
_DONE = ("changed", "asked")
Problems = list[tuple[str, str]]


@routes.get(_ALL, roles(READERS, ahead=(ACCOUNT,)))
def details(visit: Visit) -> Answer:
    now, t = _Now.of(visit), visit.words
    facts = shown.facts_of(now.profile, now.sending, t)
    done, seat = visit.asked("done"), visit.account
    may_change = seat.role is Role.ACCOUNT_ADMIN and not visit.who.acting and not now.profile.is_erased
    values: dict[str, object] = {"facts": facts, "check": shown.tax_id_tag(now.account, t), "may_change": may_change}
    values |= {"notice": t(f"details.done.{done}") if done in _DONE else "", "tab": "details"}
    return page(visit, "details", status=200, **values)


@routes.get(_ALL + "/change", roles(ADMINS, ahead=(ACCOUNT,)))
def form(visit: Visit) -> Answer:
    now = _Now.of(visit)
    return _form(visit, now, typed_of(now.profile, now.account), now.profile.version, [])


@routes.post(_ALL + "/change", roles(ADMINS))
def change_answers(visit: Visit) -> Answer:
    return _form(visit, _Now.of(visit), Typed.of(visit.form), whole(visit.sent("seen")), [])


@routes.post(_ALL + "/check", roles(ADMINS))
def check(visit: Visit) -> Answer:
    wish = _Wish(_Now.of(visit), Typed.of(visit.form))
    if problems := wish.problems(visit):
        return _form(visit, wish.now, wish.typed, whole(visit.sent("seen")), problems)
    return _check(visit, wish, new_id("tkt", visit.now), [])


@routes.post(_ALL, roles(ADMINS))
def change(visit: Visit) -> Answer:
    wish, ticket_id, seen = _Wish(_Now.of(visit), Typed.of(visit.form)), visit.sent("ticket"), whole(visit.sent("seen"))
    if seen == wish.now.profile.version and (problems := wish.problems(visit)):
        return _form(visit, wish.now, wish.typed, seen, problems)
    if problem := proof_problem(visit):
        return _check(visit, wish, check_id(ticket_id, "tkt"), [("code", problem)])
    ticked = [h for h in wish.offers(visit) if h.invoice_id in visit.form.get("correct", [])]

    def ask(unit: Unit) -> None:
        if ticked:
            desk = Support(visit.records, services.sealer(), services.clock)
            desk.ask_in(unit, wish.now.account.id, _question(visit, check_id(ticket_id, "tkt"), ticked), visit.actor)

    _accounts(visit).change_profile(wish.profile, visit.actor, sending=wish.typed.sending(), seen=seen, beside=ask)
    return see_other(f"{visit.home}/details?done={'asked' if ticked else 'changed'}")


@dataclass(frozen=True)
class _Now:
    """The account and the profile that its next invoice is addressed to."""

    account: Account
    profile: BillingProfile

    @classmethod
    def of(cls, visit: Visit) -> _Now:
        account = _accounts(visit).account(visit.account.account_id)
        return cls(account, _accounts(visit).profile(account.id, account.profile_version))

    @property
    def sending(self) -> Sending:
        return Sending(self.account.language, self.account.deliver_by_email)


@dataclass(frozen=True)
class _Wish:
    """What is to become of it."""

    now: _Now
    typed: Typed

    @cached_property
    def profile(self) -> BillingProfile:
        return self.typed.profile(self.now.profile)

    @cached_property
    def account(self) -> Account:
        return with_details(self.now.account, self.now.profile, self.profile, self.typed.sending())

    @property
    def changed(self) -> frozenset[str]:
        return changed_fields(self.now.profile, self.profile)

    def problems(self, visit: Visit) -> Problems:
        try:
            check_details(self.profile, self.typed.sending(), self.now.account)
        except Refusal as refusal:
            return shown.told(refusal.problems, visit.words)
        if not self.changed and self.typed.sending() == self.now.sending:
            return shown.told([Problem("legal_name", "nothing_changes", "")], visit.words)
        return []

    def offers(self, visit: Visit) -> list[InvoiceHeader]:
        desk = OfferedCorrections(visit.records, services.clock)
        return desk.after_change(self.now.account, self.changed, self.now.profile.version + 1) if self.changed else []


def _accounts(visit: Visit) -> Accounts:
    """Asks no register, for no page waits for it: the next round of questions (`ask_again`) has a new tax id."""
    return Accounts(visit.records, services.sealer(), services.clock)


def _question(visit: Visit, ticket_id: str, ticked: list[InvoiceHeader]) -> Question:
    """For the seller's people, who credit an invoice and bill it again."""
    t, numbers = visit.words, "\n".join(h.number for h in ticked)
    text = f"{t('details.ticket.text')}\n{numbers}"
    return Question(ticket_id, Topic.INVOICE, t("details.ticket.subject"), text, f"{visit.home}/details")


def _form(visit: Visit, now: _Now, typed: Typed, seen: int, problems: Problems) -> Answer:
    values = {"typed": typed, "seen": seen, "country": now.profile.address.country, "ways": shown.ways(visit.words)}
    values |= {"asks_region": shown.asks_region(now.profile, now.account), "spoken": [(c, NAMES[c]) for c in LANGUAGES]}
    return page(visit, "details_form", status=422 if problems else 200, problems=problems, tab="details", **values)


def _check(visit: Visit, wish: _Wish, ticket_id: str, problems: Problems) -> Answer:
    t, now = visit.words, wish.now
    before, after = shown.changes_of((now.profile, now.sending), (wish.profile, wish.typed.sending()), t)
    meanings = shown.meanings_of(now.account, wish.account, wish.changed, t)
    values = {"typed": wish.typed, "seen": now.profile.version, "before": before, "after": after, "meanings": meanings}
    values |= {"offers": shown.offers_of(wish.offers(visit), t), "ticked": visit.form.get("correct", [])}
    values |= {"ticket": ticket_id, "asks_proof": asks_proof(visit)}
    return page(visit, "details_check", status=422 if problems else 200, problems=problems, tab="details", **values)
