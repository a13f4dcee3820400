"""The API: which part of it lies at which address, nothing else (Lambda handler `functions.api.v1.app.app`)."""

from __future__ import annotations

from functions.api.endpoint import edge
from functions.http.application import Application

# A part is a module with `routes`, imported when the first request comes below one of its addresses; the longest wins.
_ACCOUNT = "/api/v1/accounts/{account_id}"
PARTS = {
    "description": ["/api/v1/openapi.json", "/api/v1/schemas"],
    "quotes": ["/api/v1/quotes"],
    "usage_events": ["/api/v1/usage-events", "/api/v1/usage-batches"],
    "orders": ["/api/v1/orders"],
    "invoices": ["/api/v1/invoices", f"{_ACCOUNT}/invoices"],
    "ahead": [f"{_ACCOUNT}/next-invoice"],
    "payments": [f"{_ACCOUNT}/payments"],
    "subscriptions": [f"{_ACCOUNT}/subscriptions"],
}
app = Application("saldo-api", edge, {f"functions.api.v1.{name}": addresses for name, addresses in PARTS.items()})
