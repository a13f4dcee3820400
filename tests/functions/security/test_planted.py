"""Holes are planted by hand: the matrix must notice each, or it shows nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from functions.portal import endpoint, services
from functions.portal.endpoint import declared
from functions.portal.visit import Visit
from functions.staff import endpoint as staff_endpoint
from functions.staff.endpoint import declared as of_staff
from saldo.access.model import Role, Seat
from saldo.access.rules import READERS
from saldo.kernel.errors import NotFound
from saldo.storage.store import Store
from tests.functions.security import test_customers, test_staff
from tests.functions.security.matrix import Case, Declared, all_faults, routes_of
from tests.functions.security.town import NORTH, OTHERS, Town


def case(name: str) -> Case:
    return next(c for c in [*test_customers.STRANGERS, *test_staff.STRANGERS] if c.name == name)


def only(method: str, path: str, of: Declared = declared) -> Declared:
    return {(method, path): of[method, path]}


def routes_at_fault(faults: list[str]) -> set[str]:
    return {fault.split(": ")[1] for fault in faults}


def test_roles_that_are_not_looked_at_are_noticed_on_every_route(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    seated = endpoint._seated
    monkeypatch.setattr(
        endpoint, "_seated", lambda visit, rule, ahead: seated(visit, replace(rule, roles=READERS), ahead)
    )
    found = all_faults(town, case("a viewer"), declared)
    assert routes_at_fault(found) == {f"{m} {p}" for m, p in routes_of(case("a viewer"), declared)}


def test_a_seat_for_everybody_is_noticed_on_every_route(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    def seated(visit: Visit, *_: object) -> Visit:
        account_id = visit.params["account_id"]
        found = services.store().get(account_id, "account")
        if found is None:
            raise NotFound
        seat = Seat(account_id, Role.ACCOUNT_ADMIN, "A", "EUR", found["entity_id"], "Europe/Berlin")
        return replace(visit, seat=seat, store=services.store().within(account_id, found["entity_id"]))

    monkeypatch.setattr(endpoint, "_seated", seated)
    stranger = case("another organisation")
    assert len(routes_at_fault(all_faults(town, stranger, declared))) == len(routes_of(stranger, declared))


def test_a_view_that_finds_a_record_of_any_account_is_noticed(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its id alone, as if ids were secrets: the answer, and what was read for it."""

    def anywhere(_store: Store, _account_id: str, payment_id: str, *_: Any) -> Any:
        from saldo.payments.reading import load

        owner = next(account for account, has in town.has.items() if has["payment_id"] == payment_id)
        return load(services.store(), owner, payment_id)

    monkeypatch.setattr("functions.portal.payments.load", anywhere)
    found = all_faults(
        town, case("records of another organisation"), only("GET", "/accounts/{account_id}/payments/{payment_id}")
    )
    assert any("answered 200" in fault for fault in found) and any("read ['acct_eu_fremde']" in f for f in found)


def test_a_look_at_anothers_record_is_noticed_though_the_answer_is_the_same(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    seated = endpoint._seated

    def curious(visit: Visit, *more: Any) -> Visit:
        services.store().get(visit.params["account_id"], "account")
        return seated(visit, *more)

    monkeypatch.setattr(endpoint, "_seated", curious)
    found = all_faults(town, case("us at another organisation"), only("GET", "/accounts/{account_id}"))
    assert any("read ['acct_eu_fremde']" in fault for fault in found)


def test_a_refusal_that_leaves_something_or_costs_more_is_noticed(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    seated = endpoint._seated

    def noting(visit: Visit, *more: Any) -> Visit:
        if visit.params["account_id"] in town.has:
            services.store().put_many([{"pk": OTHERS, "sk": "seen", "kind": "note"}])
        return seated(visit, *more)

    monkeypatch.setattr(endpoint, "_seated", noting)
    found = all_faults(town, case("us at another organisation"), only("GET", "/accounts/{account_id}/pay"))
    assert (
        any("wrote" in f for f in found) and any("costs" in f for f in found) and any("another way" in f for f in found)
    )


def test_staff_whose_seller_is_not_looked_at_is_noticed(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """The account in the path is any seller's."""
    seated = staff_endpoint._seated

    def anyones(visit: Any, who: Any, rule: Any) -> Any:
        account = who.found.get((visit.params.get("account_id"), "account"))
        if account is not None:
            who = replace(
                who,
                found={**who.found, (account["pk"], "account"): {**account, "entity_id": visit.params["entity_id"]}},
            )
        return seated(visit, who, rule)

    monkeypatch.setattr(staff_endpoint, "_seated", anyones)
    asking = case("support with another seller's customer")
    found = all_faults(town, asking, of_staff)
    assert len(routes_at_fault(found)) == len(routes_of(asking, of_staff))


def test_a_page_that_reaches_for_another_customers_records_by_mistake_finds_nothing(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its store reaches one account: the mistake itself is refused, as what is not there."""

    def mistaken(store: Store, _account_id: str, *_: object) -> object:
        return store.get(OTHERS, "account")

    monkeypatch.setattr("functions.portal.invoices.reading.listed", mistaken)
    page = town.portal.signed_in("admin").get(f"/accounts/{NORTH}/invoices")
    assert page.status == 404 and OTHERS not in page.text
