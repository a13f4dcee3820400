"""Plans are frozen once published."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from saldo.catalog.codec import component_from_json, component_to_json
from saldo.catalog.model import Maximum, Minimum, Plan, Product
from saldo.catalog.service import Catalog, PlanVersions
from saldo.kernel.errors import NotFound, Refusal
from tests.contexts.conftest import Region
from tests.contexts.sellers import CLERK, ENTITY, offer, plan_version


def test_a_published_version_reads_back_with_every_price_model_to_the_last_digit(region: Region) -> None:
    catalog = offer(region.store, region.clock)
    assert catalog.plan_version(ENTITY, "plan_team_v1") == plan_version()
    assert catalog.versions_of(ENTITY) == [plan_version()]
    assert catalog.plans_of(ENTITY) == [Plan("plan_team", "prod_team", ENTITY, {"en": "Team monthly"})]
    assert catalog.products_of(ENTITY) == [Product("prod_team", ENTITY, {"en": "Team"})]


def test_a_minimum_and_a_maximum_are_kept_with_their_version(region: Region) -> None:
    most = Maximum(Decimal(900), (plan_version().components[0].id,))
    bounded = replace(plan_version(), minimum=Minimum((Decimal("99.50"),)), maximum=most)
    catalog = offer(region.store, region.clock, bounded)
    assert catalog.plan_version(ENTITY, bounded.id) == bounded
    assert catalog.publish(ENTITY, bounded, CLERK) is False


def test_publishing_the_same_version_again_changes_nothing(region: Region) -> None:
    catalog = offer(region.store, region.clock)
    before = list(region.store.scan())
    region.clock.advance(days=1)
    assert catalog.publish(ENTITY, plan_version(), CLERK) is False
    assert catalog.offer_product(Product("prod_team", ENTITY, {"en": "Team"}), CLERK) is False
    assert list(region.store.scan()) == before


def test_other_terms_under_a_published_id_are_refused(region: Region) -> None:
    catalog = offer(region.store, region.clock)
    with pytest.raises(Refusal, match="version_is_frozen"):
        catalog.publish(ENTITY, plan_version(currency="USD"), CLERK)
    assert catalog.plan_version(ENTITY, "plan_team_v1").currency == "EUR"


def test_a_version_of_a_plan_that_is_not_offered_is_refused(region: Region) -> None:
    with pytest.raises(NotFound):
        Catalog(region.store, region.clock).publish(ENTITY, plan_version(), CLERK)


def test_versions_are_read_once_and_unknown_ones_are_left_out(region: Region) -> None:
    second = replace(plan_version(), id="plan_team_v2", version=2)
    offer(region.store, region.clock, plan_version(), second)
    versions = PlanVersions(region.store)
    wanted = [(ENTITY, "plan_team_v1"), (ENTITY, "plan_team_v2"), (ENTITY, "plan_gone")]
    assert versions.get_many(wanted) == {wanted[0]: plan_version(), wanted[1]: second}
    region.dynamodb.delete_table(TableName="records")
    assert versions.get_many(wanted[:2]) == {wanted[0]: plan_version(), wanted[1]: second}


def test_an_unsound_version_is_refused_with_every_fault_before_anything_is_written(region: Region) -> None:
    catalog = offer(region.store, region.clock)
    before = list(region.store.scan())
    with pytest.raises(Refusal, match="invalid_plan_version") as refusal:
        catalog.publish(ENTITY, replace(plan_version(), id="plan_team_v2", version=0, components=()), CLERK)
    assert {p.field for p in refusal.value.problems} == {"version", "components"}
    assert list(region.store.scan()) == before


def test_a_price_model_of_a_later_release_is_refused_by_name() -> None:
    fields = component_to_json(plan_version().components[0]) | {"price": {"kind": "guesswork"}}
    with pytest.raises(Refusal) as refusal:
        component_from_json(fields)
    assert [(p.field, p.code) for p in refusal.value.problems] == [("price.kind", "unknown_price_model")]
