"""Disputes: opened, talked about, withdrawn, refused, reopened, credited at once or by two people."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from unittest import mock

from saldo.access.model_proposals import Decider, Proposal
from saldo.access.model_staff import StaffRole
from saldo.access.proposals import Proposals
from saldo.audit.model import Actor
from saldo.disputes.model import Dispute, DisputeReason, DisputeState
from saldo.disputes.service import Disputes, Wish
from saldo.invoicing.corrections import Corrections, CreditRequest
from saldo.invoicing.rules_corrections import Reason
from saldo.invoicing.staff_credits import StaffCredits
from saldo.kernel.errors import Refusal
from tests.simulation.region import ENTITY_ID, Region
from tests.simulation.workflows import workflow
from tests.simulation.workflows.corrections import TAX
from tests.simulation.workflows.letting_in import HERE, actor, peopled
from tests.simulation.workflows.scenes import CLERK, open_invoices

PAYER, SECOND = actor("payer"), Actor("staff_eu_second", "staff")
APPROVER = Decider(SECOND, frozenset({StaffRole.FINANCE_APPROVER.value}))


def disputes(region: Region) -> Disputes:
    return Disputes(region.store, region.sealer(), region.clock)


def credits(region: Region) -> StaffCredits:
    proposals = Proposals(region.store, region.clock)
    return StaffCredits(Corrections(region.store, region.clock, TAX), proposals, disputes(region))


def wish(region: Region, **more: object) -> Wish:
    invoice_id, _ = open_invoices(region, 0)[0]
    asked = Wish(HERE, invoice_id, DisputeReason.PRICE, "Too dear", "form-key-1", PAYER)
    return replace(asked, **more)  # type: ignore[arg-type]


def opened(region: Region) -> None:
    peopled(region)
    region.notes["dispute"] = disputes(region).open(wish(region)).id


def now(region: Region) -> Dispute:
    return disputes(region).get(HERE, region.notes["dispute"])


def asked(region: Region, **more: object) -> CreditRequest:
    dispute = now(region)
    return CreditRequest(
        HERE,
        dispute.invoice_id,
        "r1",
        Reason.PRICE,
        CLERK,
        dispute_id=dispute.id,
        **more,  # type: ignore[arg-type]
    )


@workflow("dispute: open", prepare=peopled)
def open_one(region: Region) -> None:
    disputes(region).open(wish(region))


@workflow("dispute: talk, then take back", prepare=opened)
def talk(region: Region) -> None:
    desk = disputes(region)
    with suppress(Refusal):  # was said, or taken back, already
        if len(now(region).messages) == 1:
            desk.answer(HERE, now(region).id, now(region).revision, "Which price?", CLERK)
        if len(now(region).messages) == 2:
            desk.say(HERE, now(region).id, now(region).revision, "The monthly one", PAYER)
        desk.withdraw(HERE, now(region).id, now(region).revision, PAYER)


@workflow("dispute: refuse, then reopen", prepare=opened)
def refuse(region: Region) -> None:
    desk = disputes(region)
    if now(region).state is DisputeState.OPEN and not now(region).times_reopened:
        desk.refuse(HERE, now(region).id, now(region).revision, "As agreed in the contract", CLERK)
    if now(region).state is DisputeState.REFUSED:
        desk.reopen(HERE, now(region).id, now(region).revision, "Not in ours", PAYER)


@workflow("dispute: credit a part", prepare=opened)
def credit(region: Region) -> None:
    disputes(region).credit(credits(region), 1, asked(region, net_minor=100), "a mistake of ours")


@workflow("dispute: credit by two", prepare=opened)
def credit_by_two(region: Region) -> None:
    # Any credit takes two people here.
    with mock.patch.dict("saldo.access.rules_proposals.CREDIT_ALONE_MINOR", {"EUR": 1}):
        if now(region).state is DisputeState.OPEN:
            disputes(region).credit(credits(region), 1, asked(region), "a mistake of ours")
        with region.undisturbed():
            (waiting,) = [i for i in region.store.scan() if i["kind"] == "proposal"]
        found: Proposal = Proposals(region.store, region.clock).get(ENTITY_ID, waiting["sk"].removeprefix("proposal#"))
        credits(region).agree(ENTITY_ID, found.id, found.digest, APPROVER)
