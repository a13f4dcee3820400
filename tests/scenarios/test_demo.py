"""The demo on the deployed system: something of every kind, sound books, and a second seeding that changes nothing."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from local.demo import seed, sign_ins
from local.demo.customers import CUSTOMERS, PEOPLE
from local.demo.history import first_day, run_days
from local.demo.seeding import PASSWORD
from saldo.access.cognito import CognitoIdentity
from saldo.insight.invariants import check_items
from saldo.storage.store import Store

if TYPE_CHECKING:
    from local.stack import LocalStack


def of_demo(stack: LocalStack) -> list[dict[str, Any]]:
    """Every record of the demo's seller, its runs and its customers; other tests use the same deployment."""
    code = stack.region_code
    keys = {c.key for customer in CUSTOMERS[code] for c in customer.contracts}
    owners = {f"ent_{code}_lumen"} | {f"acct_{code}_{key}" for key in keys}
    items = Store(stack.client("dynamodb"), stack.table).scan()
    found = [i for i in items if i["pk"] in owners or i["pk"].startswith(f"run_{code}_lumen")]
    return sorted(found, key=lambda i: (i["pk"], i["sk"]))


@pytest.mark.stack
def test_the_demo_shows_every_state_keeps_every_invariant_and_is_seeded_once(stacks: dict[str, LocalStack]) -> None:
    seed(stacks)
    before = {code: of_demo(stack) for code, stack in stacks.items()}
    for items in before.values():
        invoices = [i for i in items if i["kind"] == "invoice"]
        assert {i["status"] for i in invoices} == {"issued", "part_paid", "paid"}
        today = date.today().isoformat()  # noqa: DTZ011 - overdue by any zone's calendar
        assert any(i["open_minor"] and i["due_on"] < today for i in invoices)
        assert any(i["kind"] == "payment" and i["gateway"] == "simulator" for i in items)
        assert check_items(items).violations == []
    seed(stacks)
    money = ("invoice", "body", "entry", "balance", "subscription", "usage", "account", "run", "plan", "meter")
    for code, stack in stacks.items():
        kept = [i for i in of_demo(stack) if i["kind"] in money]
        assert kept == [i for i in before[code] if i["kind"] in money]


@pytest.mark.stack
def test_the_demos_people_can_sign_in(stacks: dict[str, LocalStack]) -> None:
    seed(stacks)
    for code, people in PEOPLE.items():
        stack = stacks[code]
        identity = CognitoIdentity(stack.client("cognito-idp"), stack.user_pool_id, stack.user_pool_client_id)
        for person in people:
            identity.sign_in(person.email, PASSWORD)


def test_sign_ins_name_everyone_and_the_password() -> None:
    told = "\n".join(sign_ins())
    assert PASSWORD in told
    assert all(person.email in told for people in PEOPLE.values() for person in people)


@pytest.mark.parametrize("today", [date(2026, 11, 23), date(2026, 1, 1), date(2028, 2, 29), date(2027, 3, 15)])
def test_business_goes_back_three_months_and_more(today: date) -> None:
    days = run_days(today)
    assert days[0] == first_day(today) and days == sorted(days) and days[-1] <= today
    assert 7 <= len(days) <= 8 and {d.day for d in days} == {1, 15}
