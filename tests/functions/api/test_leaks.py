"""What partners send and what breaks beneath them: keys, bodies and sellers' facts stay out of lines and answers."""

from __future__ import annotations

from typing import Any

import pytest

from saldo.storage.store import Store
from tests.functions.api.conftest import Api
from tests.simulation.world import ENTITY

# Where something is sent to, and as what.
KINDS = {
    "/api/v1/orders": "application/json",
    "/api/v1/quotes": "application/json",
    "/api/v1/usage-events": "application/cloudevents+json",
}
BUYER = {"name": "Rieke Harms", "email": "rieke@kontor.example", "tax_id": "DE111111125", "iban": ENTITY.iban}


def planted(token: str) -> list[str]:
    return [token, token.rpartition("_")[2], *BUYER.values(), str(ENTITY.email), ENTITY.tax_registrations["DE"]]


@pytest.mark.parametrize("path", KINDS)
def test_a_body_full_of_what_is_personal_leaves_nothing_in_the_lines(
    api: Api, path: str, capfd: pytest.CaptureFixture[str]
) -> None:
    token = api.token()
    reply = api.post(path, {"buyer": BUYER, "subject": BUYER["email"]}, token, content_type=KINDS[path])
    assert reply.status in (202, 400, 422)  # of usage each event is answered for itself
    told = capfd.readouterr()
    assert '"message": "request"' in told.out
    assert [text for text in planted(token) if text in told.out + told.err] == []


@pytest.mark.parametrize("path", KINDS)
def test_what_breaks_beneath_a_call_quotes_nobody(
    api: Api, path: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    token = api.token()

    def quoting(*_: Any, **__: Any) -> Any:
        raise RuntimeError(" ".join(planted(token)))

    for name in ("get", "change"):
        monkeypatch.setattr(Store, name, quoting)
    reply = api.post(path, {"buyer": BUYER}, token, content_type=KINDS[path])
    told = capfd.readouterr()
    assert (reply.status, reply.code) == (500, "unexpected")
    assert "RuntimeError" in told.out
    assert [text for text in planted(token) if text in told.out + told.err + reply.text] == []
