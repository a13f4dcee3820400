"""Handlers that make and send documents."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from functions.delivery import deliver
from functions.documents import render
from saldo.kernel.errors import NotFound, Unavailable


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Saldo")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "tests")


@dataclass
class Sender:
    """Remembers what it was to send; answers as told per document."""

    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, ...]] = field(default_factory=list)
    copied: list[tuple[str, ...]] = field(default_factory=list)

    def deliver(self, *what: str) -> Any:
        self.asked.append(what)
        answer = self.answers.get(what[2], SimpleNamespace(status=SimpleNamespace(value="sent")))
        if isinstance(answer, Exception):
            raise answer
        return answer

    def deliver_copies(self, *what: str) -> list[Any]:
        self.copied.append(what)
        return []


def message(name: str, event: str, **detail: str) -> dict[str, str]:
    fields = {"account_id": "acct_eu_a", "correlation_id": "run_1", **detail}
    return {"messageId": name, "body": json.dumps({"detail-type": event, "detail": fields})}


def test_an_issued_invoice_and_a_settled_payment_each_bring_their_document(monkeypatch: pytest.MonkeyPatch) -> None:
    sender = Sender()
    monkeypatch.setattr(deliver, "deliveries", lambda: sender)
    messages = [
        message("1", "invoice.issued", invoice_id="inv_1"),
        message("2", "payment.settled", payment_id="pay_1"),
        message("3", "payment.failed", payment_id="pay_2"),
    ]
    assert deliver.handler({"Records": messages}, None) == {"batchItemFailures": []}
    assert sender.asked == [("acct_eu_a", "invoice", "inv_1", "run_1"), ("acct_eu_a", "receipt", "pay_1", "run_1")]
    assert sender.copied == sender.asked


def test_only_the_messages_that_did_not_go_through_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    sender = Sender({"inv_2": Unavailable("busy"), "inv_3": RuntimeError("broken"), "inv_4": None})
    monkeypatch.setattr(deliver, "deliveries", lambda: sender)
    messages = [message(str(n), "invoice.issued", invoice_id=f"inv_{n}") for n in range(1, 5)]
    messages.append({"messageId": "5", "body": "no json"})
    answer = deliver.handler({"Records": messages}, None)
    assert [f["itemIdentifier"] for f in answer["batchItemFailures"]] == ["2", "3", "5"]


class Maker:
    def ensure_invoice(self, account_id: str, invoice_id: str) -> str:
        if invoice_id == "inv_draft":
            raise NotFound("no such invoice")
        return f"documents/{account_id}/{invoice_id}.de.pdf"

    def ensure_receipt(self, account_id: str, payment_id: str) -> str:
        return f"documents/{account_id}/{payment_id}.de.pdf"


def test_rendering_answers_with_the_key_or_with_the_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(render, "documents", Maker)
    account = {"account_id": "acct_eu_a"}
    assert render.handler(account | {"invoice_id": "inv_1"}, None) == {"key": "documents/acct_eu_a/inv_1.de.pdf"}
    assert render.handler(account | {"payment_id": "pay_1"}, None) == {"key": "documents/acct_eu_a/pay_1.de.pdf"}
    refused = render.handler(account | {"invoice_id": "inv_draft"}, None)
    assert refused == {"refused": {"code": "not_found", "message": "no such invoice"}}


def test_a_credit_note_comes_with_a_letter_of_its_own() -> None:
    from functions.delivery.letters import letter_of
    from tests.unit.documents.samples import credit_note

    letter = letter_of(credit_note(language="en"), b"pdf")
    assert letter.subject == "Credit note NL-RK-2026-000003 over €158.51"
    assert (letter.button, letter.file_name) == ("View the credit note", "Credit-note-NL-RK-2026-000003.pdf")
    assert letter.facts[0] == ("Credit note number", "NL-RK-2026-000003")
