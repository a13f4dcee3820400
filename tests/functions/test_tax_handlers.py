"""The tax functions as the deployment calls them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace

import pytest

from functions import daily
from functions.observed import logger, metrics
from functions.tax import check_tax_ids, record_tax, true_up_tax
from local.tax_services.faults import Fault
from saldo.integration.rules import events_of
from saldo.invoicing.codec import body_to_bytes
from saldo.invoicing.records import body_item
from saldo.ledger.model import LedgerAccount
from saldo.ledger.records import balances_from
from tests.contexts.tax.scenes import running
from tests.simulation.test_true_up import TaxedWorld, estimated
from tests.simulation.world import ENTITY

DAY = {"entity_id": ENTITY.id, "as_of": "2026-01-02"}


@pytest.fixture(params=["avalara", "vertex"])
def world(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[TaxedWorld]:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Saldo")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "tax")
    logger.cache_clear()
    metrics.cache_clear()
    with running(request.param) as tax:
        made = TaxedWorld()
        made.tax = tax
        monkeypatch.setattr(check_tax_ids, "settings", lambda: SimpleNamespace(vat_register_url=""))
        monkeypatch.setattr(daily, "store", lambda: made.store)
        monkeypatch.setattr(true_up_tax, "true_ups", made.true_ups)
        monkeypatch.setattr(record_tax, "store", lambda: made.store)
        monkeypatch.setattr(record_tax, "tax_service", lambda: tax.service)
        yield made


def messages(world: TaxedWorld, account: str) -> list[dict[str, str]]:
    """What the bus says of each of the account's documents, as the queue hands it over."""
    found = []
    for item in world.store.query_all(account, prefix="invoice#"):
        for event in events_of(None, item):
            body = json.dumps({"detail-type": event.type, "detail": event.as_detail()})
            found.append({"messageId": event.id, "body": body})
    return found


def test_the_daily_true_up_counts_what_still_waits(world: TaxedWorld, capsys: pytest.CaptureFixture[str]) -> None:
    estimated(world, 2)
    world.tax.script.always = Fault.STATUS_503
    assert true_up_tax.handler(DAY, None) == {"parts": 0, "unavailable": 2}
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["TaxTrueUpsWaiting"] == [2.0]
    world.tax.script.always = Fault.NONE
    assert true_up_tax.handler(DAY, None) == {"parts": 0, "corrected": 2}
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["TaxTrueUpsWaiting"] == [0.0]


def test_a_seller_without_a_tax_service_has_nothing_to_true_up(
    world: TaxedWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(true_up_tax, "true_ups", lambda: None)
    assert true_up_tax.handler(DAY, None) == {}
    assert check_tax_ids.handler(DAY, None) == {}


def test_what_the_service_was_told_is_the_tax_in_the_ledger(world: TaxedWorld) -> None:
    (account,) = estimated(world)
    true_up_tax.handler(DAY, None)
    for _ in range(2):  # every message comes twice
        assert record_tax.handler({"Records": messages(world, account)}, None) == {"batchItemFailures": []}
    book = world.tax.book
    kept = book.committed if hasattr(book, "committed") else book.journal
    assert len(kept) == 3, "the estimated invoice, the credit note, the new invoice"
    told = sum((document["totalTax"] for document in kept.values()), Decimal(0))
    payable = balances_from(world.store.get(account, "balance"))["EUR", LedgerAccount.TAX_PAYABLE]
    assert told == Decimal(-payable).scaleb(-2)


def test_a_message_that_fails_comes_again_and_holds_up_no_other(world: TaxedWorld) -> None:
    ids = estimated(world, 2)
    found = [messages(world, account)[0] for account in ids]
    world.tax.script.then(Fault.STATUS_500)
    failed = record_tax.handler({"Records": found}, None)["batchItemFailures"]
    assert failed == [{"itemIdentifier": found[0]["messageId"]}]
    assert record_tax.handler({"Records": found[:1]}, None) == {"batchItemFailures": []}


def test_documents_that_no_service_rated_are_not_told(world: TaxedWorld) -> None:
    (account,) = estimated(world)
    (header,) = world.headers(account)
    body = world.body(header)
    plain = replace(body, tax_facts=None)
    world.store.put_many([body_item(account, body.id, body_to_bytes(plain))])
    before = world.tax.script.calls
    assert record_tax.handler({"Records": messages(world, account)}, None) == {"batchItemFailures": []}
    assert world.tax.script.calls == before
