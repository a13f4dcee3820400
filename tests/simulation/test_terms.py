"""Other terms: asked for, refused with a reason, or agreed to by two people; then they hold for invoices to come."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from saldo.access.model_proposals import Decider
from saldo.access.proposals import Proposals
from saldo.accounts.model_payment_terms import PaymentTerms
from saldo.accounts.records import account_from
from saldo.insight.invariants import check_all
from saldo.kernel.errors import Refusal
from saldo.terms.model import MOVES, Asked, TermsState, Why, WhyNot
from saldo.terms.rules import into
from saldo.terms.service import held
from tests.simulation.region import ENTITY_ID, Region, quiet
from tests.simulation.workflows.disputes import APPROVER
from tests.simulation.workflows.letting_in import HERE, peopled
from tests.simulation.workflows.promises import PAYER, ask_terms, terms
from tests.simulation.workflows.scenes import CLERK, FEB, bill


@pytest.fixture
def region() -> Iterator[Region]:
    region = Region()
    with quiet(), region.serving():
        peopled(region)
        yield region
        assert check_all(region.store).violations == []


def now(region: Region) -> Asked:
    item = region.store.get(HERE, "account")
    assert item is not None
    return held(account_from(item))


def agreed(region: Region, days: int = 60) -> None:
    asked, proposals = ask_terms(region, days=days), Proposals(region.store, region.clock)
    told = terms(region).propose(proposals, HERE, asked.id, asked.revision, CLERK, "they grow", "r1")
    assert now(region) == Asked(PaymentTerms(30), 0), "nothing holds before the second person"
    with pytest.raises(Refusal):
        terms(region).agree(proposals, ENTITY_ID, told.id, told.digest, Decider(CLERK, APPROVER.roles))
    terms(region).agree(proposals, ENTITY_ID, told.id, told.digest, APPROVER)


def test_two_people_agree_and_the_next_invoice_has_the_new_days_and_no_earlier_one(region: Region) -> None:
    agreed(region)
    assert now(region) == Asked(PaymentTerms(60), 1_000_000)
    bill(region, FEB)
    invoices = sorted(region.store.query_all(HERE, prefix="invoice#"), key=lambda i: i["issued_on"])
    assert [(i["issued_on"], i["due_on"]) for i in invoices] == [
        ("2026-01-01", "2026-01-31"),
        ("2026-02-01", "2026-04-02"),
    ]
    (note,) = region.store.query_all(HERE, prefix="note#")
    assert note["note_kind"] == "terms_decided"


def test_a_request_is_refused_with_a_reason_and_then_another_may_be_made(region: Region) -> None:
    asked = ask_terms(region)
    assert ask_terms(region).id == asked.id, "the same form again is the same request"
    with pytest.raises(Refusal, match="invalid_terms_request"):
        ask_terms(region, "form-key-2", days=90)
    refused = terms(region).refuse(HERE, asked.id, 1, WhyNot.CREDIT, CLERK)
    assert (refused.state, refused.why_not) == (TermsState.REFUSED, "credit")
    assert ask_terms(region, "form-key-2", days=45).state is TermsState.ASKED


def test_every_problem_is_told_with_its_field(region: Region) -> None:
    for asked, problems in (
        (Asked(PaymentTerms(999), -1), {("days", "out_of_range"), ("limit", "out_of_range")}),
        (Asked(PaymentTerms(30), 0), {("days", "nothing_changes")}),
    ):
        with pytest.raises(Refusal) as refused:
            terms(region).ask(HERE, asked, Why.OTHER, "form-key-1", PAYER)
        assert {(p.field, p.code) for p in refused.value.problems} == problems


@pytest.mark.parametrize("state", TermsState)
def test_states_move_along_the_table_only(region: Region, state: TermsState) -> None:
    from dataclasses import replace

    one = replace(ask_terms(region), state=state)
    for there in TermsState:
        if there in MOVES[state]:
            assert into(one, there, region.now).state is there
        else:
            with pytest.raises(Refusal, match="terms_decided"):
                into(one, there, region.now)
