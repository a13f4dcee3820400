"""What waits for a second person: the queue, one proposal whole, and what is said of it."""

from __future__ import annotations

from collections.abc import Callable

from functions.portal.answers import Answer, see_other
from functions.staff import rules, services
from functions.staff.endpoint import Routes, staff
from functions.staff.pages import page
from functions.staff.tables import Row, Sheet, Table, columns
from functions.staff.visit import StaffVisit
from saldo.access.model_proposals import Proposal, ProposalKind, WaitingProposal
from saldo.access.rules_proposals import may_agree, state_at
from saldo.accounts.reading_payment_terms import payment_terms_stored
from saldo.documents.wording_terms import due_in_words
from saldo.kernel.errors import NotFound
from saldo.kernel.ids import check_id

routes = Routes("proposals")
_ONE = "/staff/{entity_id}/proposals/{proposal_id}"


@routes.get("/staff/{entity_id}/proposals", staff(rules.READ))
def proposals(visit: StaffVisit) -> Answer:
    t, found = visit.words, services.proposals().waiting(visit.at.entity_id)
    names = services.names({p.asked_by for p in found})
    rows = [_row(visit, p, names[p.asked_by]) for p in found]
    heads = columns(t("column.what"), t("column.amount") + "|strong", t("staff.asked_by"), t("staff.expires"))
    table = Table("proposals", t("staff.nav.proposals"), heads, rows, t("staff.nothing_waits"))
    view = Sheet(t("staff.nav.proposals"), t("staff.proposals_lead"), tables=(table,))
    return page(visit, "staff_sheet", tab="proposals", view=view)


def _row(visit: StaffVisit, p: WaitingProposal, asked_by: str) -> Row:
    t = visit.words
    amount = t.money(p.amount.minor, p.amount.currency) if p.amount else ""
    until = t.moment(p.expires_at, visit.at.time_zone)
    return Row((t(f"staff.kind.{p.kind}"), amount, asked_by, until), f"{visit.home}/proposals/{p.id}", p.reason)


@routes.get(_ONE, staff(rules.READ))
def proposal(visit: StaffVisit) -> Answer:
    found, t = _found(visit), visit.words
    names, zone = services.names({found.asked_by, found.decided_by, found.subject_id} - {""}), visit.at.time_zone
    facts = [(t("column.status"), t(f"staff.state.{state_at(found, visit.now)}"))]
    facts += [(t("column.amount"), t.money(found.amount.minor, found.amount.currency))] if found.amount else []
    facts += [
        (t("staff.subject"), names.get(found.subject_id, found.subject_id)),
        (t("staff.credit.why"), found.reason),
    ]
    facts += [
        (t.known(f"staff.content.{k}", "staff.detail"), _said(visit, found, k, v))
        for k, v in sorted(found.content.items())
        if v or k == "days"
    ]
    facts += [(t("staff.asked_by"), f"{names[found.asked_by]}, {t.moment(found.asked_at, zone)}")]
    if found.decided_at:
        facts += [(t("staff.decided_by"), f"{names[found.decided_by]}, {t.moment(found.decided_at, zone)}")]
    facts += [(t("staff.note"), found.note), (t("staff.expires"), t.moment(found.expires_at, zone))]
    above = ((t("staff.nav.proposals"), f"{visit.home}/proposals"),)
    view = Sheet(t(f"staff.kind.{found.kind}"), above=above, facts=facts)
    own = found.asked_by == visit.who.staff.id and state_at(found, visit.now) == "asked"
    second = may_agree(found, visit.decider, visit.now)
    return page(visit, "staff_proposal", tab="proposals", view=view, one=found, second=second, own=own)


def _said(visit: StaffVisit, found: Proposal, name: str, value: object) -> str:
    """A part of what is agreed to, as a person reads it."""
    t = visit.words
    if name == "role":
        return t(f"staff_role.{value}")
    if name == "dispute_id":
        return t("staff.dispute_settled")
    if name == "reason":
        return t(f"staff.reason.{value}")
    if name == "days" and isinstance(value, int | dict):
        return due_in_words(payment_terms_stored(value), t.language)
    if name.endswith("_minor") and isinstance(value, int):
        return t.money(value, found.amount.currency if found.amount else visit.at.currency)
    return str(value)


@routes.post(_ONE + "/agree", staff(rules.READ))
def agree(visit: StaffVisit) -> Answer:
    """Carry it out in the unit that agrees to it; the use case of its kind decides what that is."""
    found = _found(visit)
    carry_out = CARRIED_OUT.get(found.kind)
    if carry_out is None:
        raise NotFound
    carry_out(visit, found, visit.sent("seen")[:64])
    return see_other(f"{visit.home}/proposals/{found.id}")


@routes.post(_ONE + "/refuse", staff(rules.READ))
def refuse(visit: StaffVisit) -> Answer:
    found = _found(visit)
    seen, note = visit.sent("seen")[:64], visit.sent("note")
    services.proposals().refuse(visit.at.entity_id, found.id, seen, visit.decider, note)
    return see_other(f"{visit.home}/proposals/{found.id}")


@routes.post(_ONE + "/withdraw", staff(rules.READ))
def withdraw(visit: StaffVisit) -> Answer:
    found = _found(visit)
    services.proposals().withdraw(visit.at.entity_id, found.id, visit.actor)
    return see_other(f"{visit.home}/proposals/{found.id}")


def _found(visit: StaffVisit) -> Proposal:
    return services.proposals().get(visit.at.entity_id, check_id(visit.params["proposal_id"], "prop"))


def _credit(visit: StaffVisit, found: Proposal, seen: str) -> None:
    services.credits().agree(visit.at.entity_id, found.id, seen, visit.decider)


def _elevate(visit: StaffVisit, found: Proposal, seen: str) -> None:
    services.elevations().agree(visit.at.entity_id, found.id, seen, visit.decider)


def _grant(visit: StaffVisit, found: Proposal, seen: str) -> None:
    services.access_grants().agree(visit.at.entity_id, found.id, seen, visit.decider)


def _bank(visit: StaffVisit, found: Proposal, seen: str) -> None:
    from saldo.accounts.seller_details import BankDetails

    entity_id = visit.at.entity_id
    consent = services.proposals().agreed_in(entity_id, found.id, found.kind, seen, visit.decider)
    bank = BankDetails(found.content["bank_name"], found.content["iban"], found.content["bic"])
    services.seller_details().change_bank(entity_id, bank, visit.actor, found.reason, consent)


def _promise(visit: StaffVisit, found: Proposal, seen: str) -> None:
    services.deciding().agree(visit.at.entity_id, found.id, seen, visit.decider)


def _terms(visit: StaffVisit, found: Proposal, seen: str) -> None:
    services.terms_requests().agree(services.proposals(), visit.at.entity_id, found.id, seen, visit.decider)


CARRIED_OUT: dict[ProposalKind, Callable[[StaffVisit, Proposal, str], None]] = {
    ProposalKind.CREDIT_NOTE: _credit,
    ProposalKind.ELEVATION: _elevate,
    ProposalKind.BANK_DETAILS: _bank,
    ProposalKind.ACCESS_GRANT: _grant,
    ProposalKind.PROMISE: _promise,
    ProposalKind.TERMS: _terms,
}
