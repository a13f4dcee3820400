"""Differences on the pages of staff: found by the hourly look, taken on with a note, gone when a look says so."""

from __future__ import annotations

import re

from functions.portal import services
from saldo.reconciliation.service import Differences
from tests.contexts.sellers import ENTITY
from tests.functions.portal import scenes
from tests.functions.portal.conftest import Portal

PAGE = f"/staff/{ENTITY}/differences"
FOUND = (3, scenes.NORTH, "receivables of 1 EUR is stored, its entries come to 2")


def everybodys(portal: Portal) -> Differences:
    """As the hourly look has them: of all sellers."""
    return Differences(services.store(), portal.clock)


def one_of(text: str) -> str:
    found = re.search(rf'href="({PAGE}/dif_\w+)"', text)
    assert found is not None
    return found[1]


def test_what_a_look_finds_is_a_task_until_a_look_no_longer_finds_it(portal: Portal) -> None:
    assert everybodys(portal).look([FOUND], [ENTITY], portal.clock()).found == 1
    analyst = portal.staff_in("analyst")
    assert "Records that do not agree" in analyst.get(f"/staff/{ENTITY}").text
    listed = analyst.get(PAGE).text
    assert "A balance differs from its entries" in listed and scenes.NORTH in listed
    shown = analyst.get(one_of(listed)).text
    assert "its entries come to 2" in shown and f"/accounts/{scenes.NORTH}" in shown
    portal.clock.advance(minutes=1)
    assert analyst.post(one_of(listed), {"note": "The import ran twice"}).status == 303
    assert "The import ran twice" in analyst.get(one_of(listed)).text
    portal.clock.advance(minutes=1)
    assert everybodys(portal).look([FOUND], [ENTITY], portal.clock()).gone == 0
    assert everybodys(portal).look((), [ENTITY], portal.clock()).gone == 1
    after = analyst.get(one_of(listed)).text
    assert "Gone since" in after and "<textarea" not in after
    trail = [
        i["action"] for i in services.store().query_all(ENTITY, prefix="audit#") if i["subject_id"].startswith("dif_")
    ]
    assert trail == ["difference.found", "difference.taken", "difference.gone"]


def test_a_look_that_finds_the_same_writes_nothing(portal: Portal) -> None:
    everybodys(portal).look([FOUND], [ENTITY], portal.clock())
    before = list(services.store().scan())
    everybodys(portal).look([FOUND, FOUND], [ENTITY], portal.clock())
    assert list(services.store().scan()) == before


def test_what_belongs_to_no_seller_is_counted_as_untold(portal: Portal) -> None:
    looked = everybodys(portal).look([(24, "org_eu_kontor", "no audit record"), FOUND], [ENTITY], portal.clock())
    assert (looked.found, looked.untold) == (1, 1)


def test_a_long_note_is_refused_in_place_and_others_only_read(portal: Portal) -> None:
    everybodys(portal).look([FOUND], [ENTITY], portal.clock())
    analyst, support = portal.staff_in("analyst"), portal.staff_in("support")
    one = one_of(analyst.get(PAGE).text)
    refused = analyst.post(one, {"note": "x" * 301})
    assert refused.status == 422 and "At most 300 characters" in refused.text and 'href="#note"' in refused.text
    assert "<textarea" not in support.get(one).text
    assert support.post(one, {"note": "mine"}, key=False).status == 404


def test_another_sellers_differences_are_not_there(portal: Portal) -> None:
    everybodys(portal).look([FOUND], [ENTITY], portal.clock())
    one = one_of(portal.staff_in("analyst").get(PAGE).text)
    assert portal.staff_in("analyst").get(one.replace(ENTITY, "ent_eu_other")).status == 404
