"""Subscriptions are seen by everybody of an account; admins change them, knowing to the cent what it costs."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from functions.portal import services
from saldo.access.model_visibility import USUAL, SelfService
from saldo.access.visibility import VisibilityRules
from saldo.catalog.model import (
    ChargeKind,
    Component,
    CutShort,
    Flat,
    Minimum,
    PerUnit,
    Plan,
    PlanVersion,
    Product,
    Timing,
)
from saldo.catalog.records import FORMER_OFFERS, OFFER_PREFIX
from saldo.catalog.service import Catalog
from saldo.invoicing.model_tally import Tally, TallyKey
from saldo.invoicing.tally_records import write_tally
from saldo.kernel.periods import Length, Unit
from saldo.storage.units import Unit as StorageUnit
from saldo.subscriptions.model import Alignment, Change, ChangeKind, Subscription, Term
from saldo.subscriptions.records import subscription_item
from saldo.subscriptions.rules import billed, subscribe
from saldo.subscriptions.service import Subscriptions
from tests.contexts.sellers import CLERK, ENTITY, plan_version
from tests.functions.portal import scenes
from tests.functions.portal.browser import Browser, Page
from tests.functions.portal.conftest import Portal

HOME = f"/accounts/{scenes.NORTH}"
SUB = f"{HOME}/subscriptions/sub_1"
NOVEMBER = date(2026, 11, 1)


def charge(component_id: str, name: str, price: Any) -> Component:
    return Component(component_id, ChargeKind.FIXED, {"en": name}, price, Timing.ADVANCE, "standard", component_id)


def sold(version_id: str, plan_id: str, base: str, seat: str) -> PlanVersion:
    parts = (charge("base", "Platform", Flat(Decimal(base))), charge("seats", "Seats", PerUnit(Decimal(seat))))
    return plan_version(id=version_id, plan_id=plan_id, components=parts)


TEAM, FIRM = sold("plan_team_v1", "plan_team", "60", "10"), sold("plan_firm_v1", "plan_firm", "120", "8")


@pytest.fixture
def subscribed(portal: Portal) -> Portal:
    """Kontor Nord has five seats of Team, November paid ahead; on the 23rd, 8 of 30 days are left."""
    store = services.store()
    catalog = Catalog(store, portal.clock)
    catalog.offer_product(Product("prod_team", ENTITY, {"en": "Team"}), CLERK)
    for version, name in ((TEAM, "Team"), (FIRM, "Firm")):
        catalog.offer_plan(Plan(version.plan_id, "prod_team", ENTITY, {"en": name}), CLERK)
        catalog.publish(ENTITY, version, CLERK)
    begun = subscribe(
        "sub_1",
        account_id=scenes.NORTH,
        entity_id=ENTITY,
        plan_version=TEAM,
        started_on=NOVEMBER,
        alignment=Alignment.CALENDAR,
        quantities={"seats": Decimal(5)},
    )
    store.put_many([subscription_item(billed(begun, TEAM, NOVEMBER))])
    return portal


def allowed(portal: Portal) -> Browser:
    rules = VisibilityRules(services.store(), portal.clock)
    rules.set(scenes.NORTH, replace(USUAL, actions=USUAL.actions | {SelfService.SUBSCRIPTIONS}), CLERK, "agreed")
    return portal.signed_in()


def words_of(page: Page) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.text.split("<main")[1]).split())


def checked(browser: Browser, **asked: str) -> Page:
    browser.get(SUB)
    return browser.post(f"{SUB}/check", {"when": "now", **asked})


def stored() -> Subscription:
    return Subscriptions(services.store(), lambda: scenes.NOW).get(scenes.NORTH, "sub_1")


def test_everybody_sees_the_plan_its_price_and_what_it_is_made_of(subscribed: Portal) -> None:
    viewer = subscribed.signed_in("viewer")
    text = words_of(viewer.get(f"{HOME}/subscriptions"))
    assert "Team €110.00 a month 1 Dec 2026 Running" in text
    text = words_of(viewer.get(SUB))
    assert "Platform 60.00 Seats 5 50.00" in text and "please ask the seller" in text


def counting(portal: Portal, until: date | None = None) -> PlanVersion:
    """A plan that counts calls, which another subscription counts too, until it ends."""
    fixed = charge("calls", "Calls", PerUnit(Decimal(1)))
    calls = replace(fixed, kind=ChargeKind.USAGE, timing=Timing.ARREARS, meter_id="calls")
    counts = replace(FIRM, id="plan_counts_v1", plan_id="plan_counts", components=(*FIRM.components, calls))
    catalog = Catalog(services.store(), portal.clock)
    catalog.offer_plan(Plan(counts.plan_id, "prod_team", ENTITY, {"en": "Counts"}), CLERK)
    catalog.publish(ENTITY, counts, CLERK)
    names = {"account_id": scenes.NORTH, "entity_id": ENTITY}
    other = subscribe("sub_2", plan_version=counts, started_on=NOVEMBER, **names)
    Subscriptions(services.store(), portal.clock).start(replace(other, cancelled_on=until), CLERK)
    return counts


def test_a_plan_that_counts_what_another_subscription_counts_is_not_offered_and_refused_in_words(
    subscribed: Portal,
) -> None:
    counts, admin = counting(subscribed), allowed(subscribed)
    page = admin.get(SUB)
    assert "Not available Counts Another of your subscriptions counts the same usage." in words_of(page)
    assert f'value="{counts.id}"' not in page.text and f'value="{FIRM.id}"' in page.text
    page = checked(admin, act="plan", plan=counts.id)
    assert page.status == 422 and "another of your subscriptions counts the same usage" in words_of(page)
    assert not stored().changes


def test_a_plan_that_is_free_once_the_period_ends_says_so(subscribed: Portal) -> None:
    counts, admin = counting(subscribed, date(2026, 12, 1)), allowed(subscribed)
    assert "Only from 1 Dec 2026: until then another of your subscriptions" in words_of(admin.get(SUB))
    assert checked(admin, act="plan", plan=counts.id).status == 422
    assert checked(admin, act="plan", plan=counts.id, when="period_end").status == 200


def test_what_has_not_begun_changes_from_its_first_day(subscribed: Portal) -> None:
    later = subscribe(
        "sub_1", account_id=scenes.NORTH, entity_id=ENTITY, plan_version=TEAM, started_on=date(2026, 12, 7)
    )
    services.store().put_many([subscription_item(later)])
    admin = allowed(subscribed)
    assert "From 7 Dec 2026, when it begins" in words_of(admin.get(SUB))
    assert "From 7 Dec 2026" in words_of(checked(admin, act="quantity", **{"q-seats": "8"}))


def test_more_seats_from_today_cost_the_days_that_are_left_to_the_cent(subscribed: Portal) -> None:
    admin = allowed(subscribed)
    page = checked(admin, act="quantity", **{"q-seats": "8"})
    # 3 more seats at 10 a month for 8 of 30 days
    assert "On 23 Nov 2026 you will be charged €8.00 before tax." in words_of(page)
    answer = admin.post(SUB, page.hidden())
    assert answer.location == f"{SUB}?done=1", answer.text
    assert "The change is on record." in admin.get(f"{SUB}?done=1").text
    (change,) = stored().changes
    assert change.quantities == {"seats": Decimal(8)} and change.effective_on == date(2026, 11, 23)
    assert admin.post(SUB, page.hidden()).location == f"{SUB}?done=1" and len(stored().changes) == 1


def test_another_plan_at_the_end_of_the_period_costs_nothing_before(subscribed: Portal) -> None:
    admin = allowed(subscribed)
    assert "Firm €160.00 a month" in words_of(admin.get(SUB))
    page = checked(admin, act="plan", plan="plan_firm_v1", when="period_end")
    assert "On 1 Dec 2026 you will be charged €160.00 before tax." in words_of(page)
    assert admin.post(SUB, page.hidden()).status == 303
    assert "1 Dec 2026 Firm, €160.00 a month" in words_of(admin.get(SUB))


def test_cancelling_today_gives_the_unused_days_back(subscribed: Portal) -> None:
    admin = allowed(subscribed)
    page = checked(admin, act="cancel")
    # 110 for 8 of 30 days, line by line: 16.00 and 13.33
    assert "On 23 Nov 2026 you will be credited €29.33 before tax." in words_of(page)
    assert admin.post(SUB, page.hidden()).status == 303
    text = words_of(admin.get(SUB))
    assert "Ends" in text and "Cancel" not in text
    assert checked(admin, act="quantity", **{"q-seats": "9"}).status == 422


def test_amounts_that_moved_since_they_were_looked_at_are_shown_once_more(subscribed: Portal) -> None:
    admin = allowed(subscribed)
    page = checked(admin, act="quantity", **{"q-seats": "8"})
    subscribed.clock.advance(days=1)
    again = subscribed.signed_in()
    again.get(SUB)
    answer = again.post(SUB, {n: v for n, v in page.hidden().items() if n != "form_key"})
    assert answer.status == 200 and "The amounts have changed since you looked" in answer.text
    assert stored().changes == ()


@pytest.mark.parametrize("typed", ["", "-1", "many", "1e20", "NaN"])
def test_a_quantity_that_is_none_says_what_to_enter(subscribed: Portal, typed: str) -> None:
    page = checked(allowed(subscribed), act="quantity", **{"q-seats": typed})
    assert page.status == 422 and "Enter a quantity" in page.text and 'href="#q-seats"' in page.text


def test_what_is_as_it_was_or_not_on_offer_is_no_change(subscribed: Portal) -> None:
    admin = allowed(subscribed)
    for asked in ({"act": "quantity", "q-seats": "5"}, {"act": "plan", "plan": "plan_team_v1"}, {"act": "plan"}):
        page = checked(admin, **asked)
        assert page.status == 422 and "Choose what should change" in page.text
    assert checked(admin, act="pause").status == 400
    assert admin.get(f"{HOME}/subscriptions/sub_none").status == 404


def test_nobody_changes_anything_where_the_seller_does_not_allow_it_or_without_being_admin(subscribed: Portal) -> None:
    asked = {"act": "quantity", "q-seats": "8"}
    assert checked(subscribed.signed_in(), **asked).status == 404
    allowed(subscribed)
    assert checked(subscribed.signed_in("payer"), **asked).status == 404


def sold_for_a_year(portal: Portal, **term: Any) -> None:
    """Ten months into a year of Team, of which 2,400 at least are due, and which renews itself."""
    committed(portal, Term(Length(Unit.MONTH, 12), 30, 60, **term))
    part = Tally(TallyKey(scenes.NORTH, "sub_year", "2026-01-01"), 121_000, currency="EUR")
    services.store().write_one(write_tally(StorageUnit("billed"), part))


def committed(portal: Portal, term: Term | None, cut_short: CutShort = CutShort.PART) -> None:
    store, plan_id = services.store(), "plan_year"
    catalog = Catalog(store, portal.clock)
    catalog.offer_plan(Plan(plan_id, "prod_team", ENTITY, {"en": "Team, by the year"}), CLERK)
    minimum = Minimum((Decimal(2400), Decimal(3000)), Length(Unit.YEAR), cut_short=cut_short)
    yearly = replace(TEAM, id="plan_year_v1", plan_id=plan_id, minimum=minimum)
    catalog.publish(ENTITY, yearly, CLERK)
    begun = subscribe(
        "sub_year",
        account_id=scenes.NORTH,
        entity_id=ENTITY,
        plan_version=yearly,
        started_on=date(2026, 1, 1),
        quantities={"seats": Decimal(5)},
        term=term,
    )
    Subscriptions(store, portal.clock).start(begun, CLERK)


YEARLY = f"{HOME}/subscriptions/sub_year"


def test_a_commitment_says_what_is_due_at_least_and_what_of_it_is_billed(subscribed: Portal) -> None:
    sold_for_a_year(subscribed)
    text = words_of(subscribed.signed_in("viewer").get(YEARLY))
    assert "At least €2,400.00, then €3,000.00 a year" in text
    assert "Towards that since 1 Jan 2026 €1,210.00 billed of €2,400.00" in text


@pytest.mark.parametrize("kind", [ChangeKind.CANCEL, ChangeKind.PAUSE])
def test_a_commitment_that_holds_no_more_is_said_nothing_of(subscribed: Portal, kind: ChangeKind) -> None:
    committed(subscribed, None)
    use = Subscriptions(services.store(), subscribed.clock)
    use.change(scenes.NORTH, "sub_year", Change("chg_over", kind, date(2026, 10, 1)), CLERK)
    page = subscribed.signed_in("viewer").get(YEARLY)
    assert page.status == 200 and "Towards that" not in words_of(page)


def test_a_term_says_when_it_renews_until_when_it_can_be_cancelled_and_at_what_price(subscribed: Portal) -> None:
    sold_for_a_year(subscribed, uplift_percent=Decimal(3))
    text = words_of(subscribed.signed_in("viewer").get(YEARLY))
    assert "Renews by itself 1 Jan 2027, then every 12 months" in text
    assert "Can be cancelled for then until 2 Dec 2026 Prices then 3% more" in text


def test_what_is_sold_for_a_term_is_cancelled_for_its_end_alone(subscribed: Portal) -> None:
    sold_for_a_year(subscribed)
    admin = allowed(subscribed)
    text = words_of(admin.get(YEARLY))
    assert "From 1 Jan 2027, when the term ends" in text and "Until 2 Dec 2026 it can be cancelled" in text
    assert admin.post(f"{YEARLY}/check", {"act": "cancel", "when": "now"}).status == 400
    admin.get(YEARLY)
    page = admin.post(f"{YEARLY}/check", {"act": "cancel", "when": "term_end"})
    assert "Ends 1 Jan 2027" in words_of(page)
    assert admin.post(YEARLY, page.hidden()).status == 303
    text = words_of(admin.get(YEARLY))
    assert "Renews by itself" not in text and "1 Jan 2027 Ended" in text


def test_who_cancels_a_commitment_sees_beforehand_what_is_still_due_of_it(subscribed: Portal) -> None:
    committed(subscribed, None, CutShort.WHOLE)
    admin = allowed(subscribed)
    admin.get(YEARLY)
    text = words_of(admin.post(f"{YEARLY}/check", {"act": "cancel", "when": "now"}))
    # eleven months at 110, less 8 of November's 30 days: 1,180.67 of 2,400
    assert "Up to the agreed minimum 1 Jan – 31 Dec 2026 1 1,219.33" in text, text


def test_who_is_late_cancels_for_the_end_of_the_next_term(subscribed: Portal) -> None:
    sold_for_a_year(subscribed)
    subscribed.clock.now = subscribed.clock.now.replace(month=12, day=5)
    text = words_of(allowed(subscribed).get(YEARLY))
    assert "From 1 Jan 2028, when the term ends" in text


def test_a_page_of_one_is_two_calls_also_where_it_may_be_changed_and_three_with_a_commitment(
    subscribed: Portal,
) -> None:
    bill = subscribed.region.records.bill

    def calls(browser: Browser, path: str) -> int:
        browser.get(path)
        before = bill.calls.copy()
        assert browser.get(path).status == 200
        return int((bill.calls - before).total())

    assert calls(allowed(subscribed), SUB) == 2 == calls(subscribed.signed_in("viewer"), SUB)
    counting(subscribed)
    assert calls(allowed(subscribed), SUB) == 2
    committed(subscribed, None)
    assert calls(allowed(subscribed), YEARLY) == 3


def test_plans_that_were_offered_before_they_lay_with_their_versions_keep_their_names(subscribed: Portal) -> None:
    store = services.store()
    for item in list(store.query_all(ENTITY, prefix=OFFER_PREFIX)):
        former = item | {"sk": FORMER_OFFERS + item["sk"].removeprefix(OFFER_PREFIX)}
        store.write_one(StorageUnit("as it was").put(former).delete((ENTITY, item["sk"])))
    text = allowed(subscribed).get(SUB).text
    assert "Team" in text and "Firm" in text
    catalog = Catalog(store, subscribed.clock)
    assert {p.id for p in catalog.plans_of(ENTITY)} >= {"plan_team", "plan_firm"}
    assert catalog.offer_plan(Plan("plan_firm", "prod_team", ENTITY, {"en": "Firm, renamed"}), CLERK)
    assert "Firm, renamed" in allowed(subscribed).get(SUB).text
