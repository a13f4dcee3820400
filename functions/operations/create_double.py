"""Makes a customer's double on a clock of its own."""

from __future__ import annotations

from datetime import date
from typing import Any

from functions.observed import observed
from functions.services import doubles
from saldo.audit.model import Actor
from saldo.kernel.errors import Refusal


@observed("CreateDouble")
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """{account_id, at, by} → {account_id, seller_id, today}, or {refused: {code, message, problems}}."""
    try:
        clock = doubles().create(event["account_id"], date.fromisoformat(event["at"]), Actor(event["by"], "operator"))
    except Refusal as refusal:
        return {"refused": {"code": refusal.code, "message": refusal.message, "problems": []}}
    return {"account_id": clock.account_id, "seller_id": clock.seller_id, "today": clock.today.isoformat()}
