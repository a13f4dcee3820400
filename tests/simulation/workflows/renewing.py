"""Terms that renew themselves: a day tells of it and agrees on the price, the term passes; or it was cancelled."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from saldo.catalog.model import ChargeKind
from saldo.catalog.service import Catalog
from saldo.kernel.periods import Length, Unit
from saldo.subscriptions.model import Change, ChangeKind, CreditRule, Subscription, Term
from saldo.subscriptions.rules import subscribe
from saldo.subscriptions.service import Subscriptions
from tests.simulation.region import ENTITY_ID, Region
from tests.simulation.workflows import daily, workflow
from tests.simulation.workflows.letting_in import HERE, peopled
from tests.simulation.workflows.scenes import CLERK, JAN
from tests.simulation.world import VERSION

RENEWED = "sub_renewed"
FEES = replace(
    VERSION,
    id="v_fees",
    version=VERSION.version + 1,
    components=tuple(c for c in VERSION.components if c.kind is ChargeKind.FIXED),
)
QUARTER = Term(Length(Unit.MONTH, 3), notice_days=14, announce_days=30, uplift_percent=Decimal(5))


def sold_for_a_term(region: Region, term: Term = QUARTER) -> Subscription:
    """A quarter at a time, from 1 January on."""
    offered(region)
    return begin(region, term)


def offered(region: Region) -> None:
    """A plan of fees alone: the account's usage is for the subscription that it has."""
    peopled(region)
    Catalog(region.store, region.clock).publish(ENTITY_ID, FEES, CLERK)


def begin(region: Region, term: Term = QUARTER) -> Subscription:
    terms = {"account_id": HERE, "entity_id": ENTITY_ID, "plan_version": FEES, "started_on": JAN, "term": term}
    wanted = subscribe(RENEWED, **terms)  # type: ignore[arg-type]  # each of its own type
    Subscriptions(region.store, region.clock).start(wanted, CLERK)
    return wanted


def renew(region: Region, on: date) -> None:
    daily(region, "subscriptions.renew_terms", on.isoformat())


def change(region: Region, kind: ChangeKind, on: date, **more: object) -> None:
    wanted = replace(Change(f"ch_{kind}_{on}", kind, on), **more)  # type: ignore[arg-type]  # fields of a change
    Subscriptions(region.store, region.clock).change(HERE, RENEWED, wanted, CLERK)


@workflow("renew: begin a term", prepare=offered)
def begin_one(region: Region) -> None:
    begin(region)


@workflow("renew: a day tells, a term passes", prepare=lambda region: sold_for_a_term(region) and None)
def a_term(region: Region) -> None:
    renew(region, date(2026, 3, 2))
    renew(region, date(2026, 4, 1))


@workflow("renew: cancelled in time", prepare=lambda region: sold_for_a_term(region) and None)
def cancelled(region: Region) -> None:
    renew(region, date(2026, 3, 2))
    change(region, ChangeKind.CANCEL, date(2026, 3, 10), credit=CreditRule.NONE)
    renew(region, date(2026, 4, 1))
