"""Promises to pay and plans: made, asked for, agreed to by one or two, refused, cancelled, replaced; and their days."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import date
from typing import Any
from unittest import mock

from saldo.access.model_proposals import Proposal
from saldo.access.proposals import Proposals
from saldo.accounts.model_payment_terms import PaymentTerms
from saldo.kernel.errors import Refusal
from saldo.promises.deciding import Deciding
from saldo.promises.limits import PromiseLimits
from saldo.promises.model import Limits, LimitsPolicy, Promise, PromiseState, Wanted, WhyNot
from saldo.promises.reading import promise_of
from saldo.promises.service import Promises, Wish
from saldo.promises.telling import Telling
from saldo.terms.model import Asked, TermsRequest, TermsState
from saldo.terms.model import Why as TermsWhy
from saldo.terms.model import WhyNot as TermsWhyNot
from saldo.terms.service import TermsRequests
from tests.simulation.region import ENTITY_ID, Region
from tests.simulation.workflows import Again, workflow
from tests.simulation.workflows.disputes import APPROVER
from tests.simulation.workflows.letting_in import HERE, actor, peopled
from tests.simulation.workflows.paying import BACK, collect, hear, method_of, methods, scheduled
from tests.simulation.workflows.scenes import CLERK, news, open_invoices, payments

PAYER = actor("payer")
FIRST = date(2026, 2, 9)  # invoices of 1 January are due on the 31st
KEY = "form-key-1"


def promises(region: Region) -> Promises:
    telling = Telling(region.store, region.sealer(), region.clock)
    return Promises(region.store, region.clock, telling, scheduled(region))


def limits_of(region: Region) -> PromiseLimits:
    return PromiseLimits(region.store, region.clock)


def wanted(region: Region, **more: Any) -> Wanted:
    return replace(Wanted(tuple(i for i, _ in open_invoices(region, 0)), FIRST), **more)


def wish(region: Region, key: str = KEY, **more: Any) -> Wish:
    asked = wanted(region, **more)
    with region.undisturbed():
        minor = sum(minor for _, minor in open_invoices(region, 0))
    return Wish(HERE, asked, key, minor, PAYER)


def make(region: Region, key: str = KEY, **more: Any) -> Promise:
    made = promises(region).make(wish(region, key, **more))
    region.notes["promise"] = made.id
    return made


def now(region: Region) -> Promise:
    return promise_of(region.store, HERE, region.notes["promise"])


def promised(region: Region, **more: Any) -> None:
    peopled(region)
    make(region, **more)


def asked(region: Region) -> None:
    """Six instalments are more than the seller allows without being asked."""
    promised(region, count=6)


def planned(region: Region) -> None:
    promised(region, count=2)


def with_card(region: Region) -> None:
    """Two instalments, charged from a card."""
    from local.gateway.methods import CARDS

    peopled(region)
    ref = methods(region).begin(HERE, PAYER, KEY, BACK).ref
    region.book.save(ref, "card", CARDS[0], region.now, expires_on=date(2030, 4, 30))
    region.queues.waiting = [("gateway", body) for body in news(region)]
    hear(region)
    make(region, count=2, method_id=method_of(region, 0))


@workflow("promise: make", prepare=peopled)
def make_one(region: Region) -> None:
    make(region, count=2)


@workflow("promise: ask, then take it back", prepare=peopled)
def ask(region: Region) -> None:
    made = make(region, count=6)
    if now(region).state is PromiseState.ASKED:
        promises(region).cancel(HERE, made.id, now(region).revision, PAYER)


@workflow("promise: agree to a request", prepare=asked)
def agree(region: Region) -> None:
    if now(region).state is PromiseState.ASKED:
        promises(region).agree(HERE, now(region).id, now(region).revision, CLERK)


@workflow("promise: refuse a request", prepare=asked)
def refuse(region: Region) -> None:
    if now(region).state is PromiseState.ASKED:
        promises(region).refuse(HERE, now(region).id, now(region).revision, WhyNot.TOO_LATE, CLERK)


@workflow("promise: cancel one whose charge is announced", prepare=with_card)
def cancel(region: Region) -> None:
    collect(region, date(2026, 2, 6))
    if now(region).state is PromiseState.CURRENT:
        promises(region).cancel(HERE, now(region).id, now(region).revision, PAYER)


@workflow("promise: ask for another plan, which replaces it", prepare=planned)
def replace_it(region: Region) -> None:
    old, desk = region.notes["promise"], promises(region)
    with suppress(Refusal):  # is replaced already
        again = desk.make(replace(wish(region, "form-key-2", count=4), replaces=old))
        desk.agree(HERE, again.id, again.revision, CLERK)


@workflow("promise: a day tells, a day misses, a day breaks", prepare=planned)
def break_it(region: Region) -> None:
    for day in (6, 10, 13):
        collect(region, date(2026, 2, day))


@workflow("promise: a day announces a charge, a day makes it", prepare=with_card)
def charge(region: Region) -> None:
    collect(region, date(2026, 2, 6))
    collect(region, FIRST)
    with region.undisturbed():
        if not [p for p in payments(region).of_account(HERE) if p.checkout_url or p.settled_at]:
            raise Again("the charge of the day has not started")
    region.queues.waiting += [("gateway", body) for body in news(region)]
    hear(region)
    collect(region, date(2026, 2, 10))


@workflow("promise: set limits", prepare=peopled)
def set_limits(region: Region) -> None:
    desk, limits = limits_of(region), Limits(most_days=70)
    if desk.policy(ENTITY_ID) != LimitsPolicy(limits):  # a person looks before doing it again
        desk.set(ENTITY_ID, LimitsPolicy(limits), CLERK, "longer")
    desk.set_own(HERE, limits, CLERK, "a good customer")


@workflow("promise: agree by two", prepare=asked)
def agree_by_two(region: Region) -> None:
    # Any promise takes two people here.
    with mock.patch.dict("saldo.access.rules_proposals.CREDIT_ALONE_MINOR", {"EUR": 1}):
        proposals = Proposals(region.store, region.clock)
        deciding = Deciding(promises(region), proposals)
        if now(region).state is not PromiseState.ASKED:
            return
        waiting = deciding.ask(HERE, now(region).id, now(region).revision, CLERK, "a good customer", "r1")
        assert isinstance(waiting, Proposal)
        deciding.agree(ENTITY_ID, waiting.id, waiting.digest, APPROVER)


def terms(region: Region) -> TermsRequests:
    return TermsRequests(region.store, region.sealer(), region.clock)


def ask_terms(region: Region, key: str = KEY, days: int = 60) -> TermsRequest:
    return terms(region).ask(HERE, Asked(PaymentTerms(days), 1_000_000), TermsWhy.GROWTH, key, PAYER)


@workflow("terms: ask, then take it back", prepare=peopled)
def ask_and_withdraw_terms(region: Region) -> None:
    asked = ask_terms(region)
    if asked.state is TermsState.ASKED:
        terms(region).withdraw(HERE, asked.id, asked.revision, PAYER)


def terms_asked(region: Region) -> None:
    peopled(region)
    region.notes["terms"] = ask_terms(region).id


@workflow("terms: refuse", prepare=terms_asked)
def refuse_terms(region: Region) -> None:
    asked = terms(region).get(HERE, region.notes["terms"])
    if asked.state is TermsState.ASKED:
        terms(region).refuse(HERE, asked.id, asked.revision, TermsWhyNot.CREDIT, CLERK)


@workflow("terms: agree by two", prepare=terms_asked)
def agree_terms(region: Region) -> None:
    asked, proposals = terms(region).get(HERE, region.notes["terms"]), Proposals(region.store, region.clock)
    if asked.state is TermsState.ASKED:
        told = terms(region).propose(proposals, HERE, asked.id, asked.revision, CLERK, "they grow", "r1")
        terms(region).agree(proposals, ENTITY_ID, told.id, told.digest, APPROVER)
