"""The portal: registers blueprints, nothing else (Lambda handler `app.app`)."""

from functions.http.application import Application
from functions.portal import (
    activity,
    approvals,
    autopay,
    certificates,
    consent,
    disputes,
    documents,
    help,
    invoices,
    methods,
    orders,
    overview,
    passkeys,
    pay_link,
    paying,
    payments,
    people,
    profile,
    public,
    remittance,
    signing_in,
    single_sign_on,
    statements,
    staying,
    subscriptions,
    uploads,
    usage,
)
from functions.portal.endpoint import edge
from functions.staff import pages_of_staff
from functions.staff.endpoint import edge as staff_edge

app = Application("saldo", edge, staff_edge)
app.api.binary_types = [*app.api.binary_types, "application/pdf"]
for part in (
    public,
    signing_in,
    single_sign_on,
    passkeys,
    staying,
    overview,
    invoices,
    paying,
    remittance,
    pay_link,
    approvals,
    payments,
    methods,
    autopay,
    statements,
    subscriptions,
    usage,
    orders,
    people,
    activity,
    help,
    profile,
    consent,
    disputes,
    uploads,
    documents,
    certificates,
):
    app.register_blueprint(part.routes.blueprint)
for staff_part in pages_of_staff():
    app.register_blueprint(staff_part.routes.blueprint)
app.checked()
