"""The third wall of the API: where route and scope are mistaken, IAM still refuses another customer's records, and
those of people whatever the account."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from functions.api import services
from saldo.storage.store import Store
from saldo.storage.units import Unit
from tests.functions.api.conftest import OTHER_ACCOUNT, OWN_ACCOUNT, Api
from tests.permissions.gate import acting
from tests.simulation.world import ENTITY

HERE = f"/api/v1/accounts/{OWN_ACCOUNT}"
SECOND = "acct_eu_000002"


def test_a_route_that_gets_past_its_scope_is_refused_by_the_policy_of_its_session(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[object] = []

    def mistaken(store: Store, _account_id: str, *_: object) -> object:
        read.append(store.get(SECOND, "account"))
        return read

    monkeypatch.setattr(Store, "_check", lambda _self, pk: pk)
    monkeypatch.setattr("functions.api.v1.payments.reading.page", mistaken)
    assert api.get(f"{HERE}/payments").status == 500
    assert read == []


@pytest.mark.parametrize(
    "path",
    [
        "/payments",
        "/payments/{payment_id}",
        "/subscriptions",
        "/subscriptions/{subscription_id}",
        "/invoices/{invoice_id}",
        "/next-invoice",
        "",
    ],
)
def test_whatever_names_an_account_reads_it_under_a_session_of_that_account(
    api: Api, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = HERE + path.format(**api.has[OWN_ACCOUNT]) if path else f"/api/v1/invoices?account={OWN_ACCOUNT}"
    gate, signers = api.roles.gate, set[str]()
    before = gate.check

    def check(role: str, service: str, operation: str, params: Any) -> None:
        if f"'{OWN_ACCOUNT}'" in str(params):
            signers.add(role)
        before(role, service, operation, params)

    monkeypatch.setattr(gate, "check", check)
    assert api.get(where).status == 200
    assert len(signers) == 1 and signers.pop().startswith("ASIA")


def test_a_session_is_asked_for_once_an_hour_by_key_and_account_and_never_for_another_sellers(api: Api) -> None:
    for _ in range(3):
        api.get(f"{HERE}/payments")
    assert len(api.roles.asked) == 1
    api.get(f"/api/v1/accounts/{SECOND}/payments")
    assert len(api.roles.asked) == 2
    assert [api.get(f"/api/v1/accounts/{OTHER_ACCOUNT}/payments").status for _ in range(2)] == [404, 404]
    assert api.get(f"/api/v1/invoices?account={OTHER_ACCOUNT}").status == 404
    assert api.get("/api/v1/invoices").status == 200
    assert len(api.roles.asked) == 2, "nor for a list of all"
    api.clock.advance(minutes=59)
    api.get(f"{HERE}/payments")
    assert len(api.roles.asked) == 3


def test_the_apis_own_role_reaches_sellers_customers_and_keys_and_deletes_nothing_of_a_customers(api: Api) -> None:
    store: Any = services.store()

    def deletes(pk: str) -> Any:
        return lambda: store.write_one(Unit("x").delete((pk, "x")))

    with acting("api_v1"):
        for partition in (OWN_ACCOUNT, ENTITY.id, "key_eu_x", "attempts_x"):
            store.get(partition, "x")
        deletes(ENTITY.id)()
        for reach in (
            *((lambda pk=pk: store.get(pk, "x")) for pk in ("user_eu_x", "org_eu_x", "session_x", "staff_eu_x")),
            *((lambda pk=pk: store.get(pk, "x")) for pk in ("acct_us_x", "ent_us_x", f"open#{OWN_ACCOUNT}")),
            lambda: store.get_many([(OWN_ACCOUNT, "x"), ("user_eu_x", "x")]),
            lambda: store.query(f"open#{OWN_ACCOUNT}", agenda=True),
            lambda: store._client.scan(TableName="records"),
            deletes(OWN_ACCOUNT),
        ):
            with pytest.raises(ClientError, match="not authorized"):
                reach()
