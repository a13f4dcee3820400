"""The portal: registers blueprints, nothing else (Lambda handler `app.app`)."""

from functions.http.application import Application
from functions.portal import (
    approvals,
    invoices,
    overview,
    pay_link,
    paying,
    payments,
    people,
    profile,
    public,
    signing_in,
    statements,
    staying,
    styleguide,
)
from functions.portal.endpoint import edge

app = Application("saldo", edge)
app.api.binary_types = [*app.api.binary_types, "application/pdf"]
for part in (
    public,
    signing_in,
    staying,
    overview,
    invoices,
    paying,
    pay_link,
    approvals,
    payments,
    statements,
    people,
    profile,
    styleguide,
):
    app.register_blueprint(part.routes.blueprint)
app.checked()
