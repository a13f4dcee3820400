"""The API's application: registers blueprints, nothing else (Lambda handler `functions.api.v1.app.app`)."""

from __future__ import annotations

from functions.api.endpoint import edge
from functions.api.v1 import (
    ahead,
    changing,
    description,
    invoices,
    orders,
    payments,
    quotes,
    subscriptions,
    usage_events,
)
from functions.http.application import Application

app = Application("saldo-api", edge)
for part in (description, quotes, usage_events, orders, invoices, ahead, payments, subscriptions, changing):
    app.register_blueprint(part.routes.blueprint)
app.checked()
