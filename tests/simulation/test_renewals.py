"""Terms that renew themselves, by the days' jobs and runs: who is told when, what it then costs, what ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from functions.delivery.note_letters import NoteLetters
from saldo.accounts.service import Accounts
from saldo.catalog.service import Catalog
from saldo.insight.invariants import check_all
from saldo.kernel.errors import Refusal
from saldo.subscriptions.model import Change, ChangeKind, CreditRule
from saldo.subscriptions.service import Subscriptions
from tests.simulation.region import ENTITY_ID, Region, quiet
from tests.simulation.workflows.letting_in import HERE
from tests.simulation.workflows.renewing import FEES, QUARTER, RENEWED, begin, change, offered, renew, sold_for_a_term
from tests.simulation.workflows.scenes import CLERK, bill
from tests.simulation.world import VERSION

APRIL = date(2026, 4, 1)


@pytest.fixture
def region() -> Iterator[Region]:
    region = Region()
    with quiet(), region.serving():
        yield region
        assert check_all(region.store).violations == []


def letters(region: Region) -> list[dict[str, Any]]:
    return [n for n in region.store.query_all(HERE, prefix="note#") if n["note_kind"] == "renewal_announced"]


def announced(region: Region) -> list[dict[str, Any]]:
    trail = region.store.query_all(HERE, prefix="audit#")
    return [record["after"] for record in trail if record["action"] == "subscription.renewal_announced"]


def lines_of(region: Region, on: date) -> set[tuple[str, str]]:
    """(component, exact price) of what an invoice of that day charges for the subscription ahead."""
    from saldo.invoicing.codec import body_from_bytes

    found = set()
    for item in region.store.query_all(HERE, prefix="body#"):
        body = body_from_bytes(item["body"])
        if body.issued_on == on:
            found |= {(line.component_id, str(line.exact)) for line in body.lines if line.subscription_id == RENEWED}
    return found


def place(region: Region) -> str | None:
    item = region.store.get(HERE, f"term#{RENEWED}")
    assert item is not None
    return item.get("agenda_on")


def test_payers_are_told_once_thirty_days_ahead_until_when_it_can_be_cancelled(region: Region) -> None:
    sold_for_a_term(region)
    renew(region, date(2026, 3, 1))
    assert not letters(region) and not announced(region), "one day more than thirty"
    renew(region, date(2026, 3, 2))
    told = len(letters(region))
    assert told >= 1
    assert announced(region) == [{"renews_on": "2026-04-01", "cancel_by": "2026-03-18", "uplift_percent": "5"}]
    renew(region, date(2026, 3, 2))
    renew(region, date(2026, 3, 20))
    assert len(letters(region)) == told and len(announced(region)) == 1


def test_the_letter_names_the_last_day_to_cancel_and_by_how_much_prices_rise(region: Region) -> None:
    sold_for_a_term(region)
    renew(region, date(2026, 3, 2))
    sealer = region.sealer()
    accounts = Accounts(region.store, sealer, region.clock)
    letters_of = NoteLetters(region.store, sealer, accounts, "https://portal.example", region.clock)
    letter = letters_of.letter(HERE, letters(region)[0]["note_id"])
    assert letter is not None
    assert letter.url == f"https://portal.example/accounts/{HERE}/subscriptions/{RENEWED}"
    said = {name: value.replace("\xa0", " ") for name, value in letter.facts}
    assert (said["When"], said["Cancel by"], said["Prices rise by"]) == ("1 April 2026", "18 March 2026", "5%")


def test_the_next_term_costs_what_was_agreed_on_for_it(region: Region) -> None:
    sold_for_a_term(region)
    for month in (2, 3):
        bill(region, date(2026, month, 1))
    renew(region, date(2026, 3, 2))
    bill(region, APRIL)
    before, after = dict(lines_of(region, date(2026, 3, 1))), dict(lines_of(region, APRIL))
    assert before
    assert {name: Decimal(price) for name, price in after.items()} == {
        name: Decimal(price) * Decimal("1.05") for name, price in before.items()
    }
    renew(region, APRIL)
    assert place(region) == "2026-06-01", "thirty days before the end of the next term"


def test_days_that_were_missed_are_made_up_for(region: Region) -> None:
    sold_for_a_term(region)
    renew(region, date(2026, 9, 15))
    assert place(region) == "2026-09-01" and len(announced(region)) == 1, "only what is still ahead is told"


def test_who_cancelled_in_time_is_told_nothing_and_it_ends(region: Region) -> None:
    sold_for_a_term(region)
    change(region, ChangeKind.CANCEL, date(2026, 2, 10), credit=CreditRule.NONE)
    renew(region, date(2026, 3, 2))
    assert not letters(region)
    renew(region, APRIL)
    assert place(region) is None


def test_who_takes_the_cancellation_back_is_told_then(region: Region) -> None:
    sold_for_a_term(region)
    change(region, ChangeKind.CANCEL, date(2026, 2, 10), credit=CreditRule.NONE)
    renew(region, date(2026, 3, 2))
    change(region, ChangeKind.RENEW, date(2026, 3, 5))
    renew(region, date(2026, 3, 6))
    assert letters(region)


def test_a_cancellation_that_came_too_late_is_for_the_next_term_and_this_one_renews(region: Region) -> None:
    sold_for_a_term(region)
    renew(region, date(2026, 3, 2))
    change(region, ChangeKind.CANCEL, date(2026, 3, 19), credit=CreditRule.NONE)
    renew(region, APRIL)
    assert place(region) == "2026-06-01"
    renew(region, date(2026, 7, 1))
    assert place(region) is None and len(announced(region)) == 1


def test_the_newest_price_is_the_one_of_the_day_on_which_it_was_told(region: Region) -> None:
    sold_for_a_term(region, replace(QUARTER, uplift_percent=QUARTER.uplift_percent * 0, newest_price=True))
    newer = replace(FEES, id="v_newer", version=FEES.version + 1, effective_on=date(2026, 2, 1))
    Catalog(region.store, region.clock).publish(ENTITY_ID, newer, CLERK)
    renew(region, date(2026, 3, 2))
    sold = Subscriptions(region.store, region.clock).get(HERE, RENEWED)
    assert [(c.plan_version_id, c.only_from, c.effective_on) for c in sold.changes] == [("v_newer", FEES.id, APRIL)]


def test_the_newest_price_is_not_taken_while_another_subscription_bills_its_meter(region: Region) -> None:
    sold_for_a_term(region, replace(QUARTER, uplift_percent=QUARTER.uplift_percent * 0, newest_price=True))
    newer = replace(VERSION, id="v_newer", version=FEES.version + 1, effective_on=date(2026, 2, 1))
    Catalog(region.store, region.clock).publish(ENTITY_ID, newer, CLERK)
    use = Subscriptions(region.store, region.clock)
    for on in (date(2026, 3, 2), date(2026, 3, 3)):
        renew(region, on)
        assert len(announced(region)) == 1 and not use.get(HERE, RENEWED).changes
    (other,) = [sold.id for sold in use.of_account(HERE) if sold.id != RENEWED]
    use.change(HERE, other, Change("stop", ChangeKind.CANCEL, APRIL), CLERK)
    renew(region, date(2026, 3, 4))
    assert [c.plan_version_id for c in use.get(HERE, RENEWED).changes] == ["v_newer"]
    assert len(announced(region)) == 1


def test_who_moves_meanwhile_has_the_new_price_raised_and_is_told_once(region: Region) -> None:
    sold_for_a_term(region)
    renew(region, date(2026, 3, 2))
    other = replace(FEES, id="v_other", version=FEES.version + 1)
    Catalog(region.store, region.clock).publish(ENTITY_ID, other, CLERK)
    change(region, ChangeKind.PLAN, date(2026, 3, 10), plan_version_id="v_other")
    renew(region, date(2026, 3, 11))
    sold = Subscriptions(region.store, region.clock).get(HERE, RENEWED)
    renewals = [c for c in sold.changes if c.id.startswith("renewal_")]
    assert {c.only_from for c in renewals} == {FEES.id, "v_other"}
    assert len(announced(region)) == 1


def test_a_term_that_cannot_be_is_refused_with_every_problem(region: Region) -> None:
    offered(region)
    with pytest.raises(Refusal) as refused:
        begin(region, replace(QUARTER, notice_days=-1, announce_days=500))
    assert {p.field for p in refused.value.problems} == {"term.notice_days", "term.announce_days"}
