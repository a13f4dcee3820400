"""The portal: registers blueprints, nothing else (Lambda handler `app.app`)."""

from functions.http.application import Application
from functions.portal import (
    activity,
    approvals,
    consent,
    help,
    invoices,
    orders,
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
    subscriptions,
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
    staying,
    overview,
    invoices,
    paying,
    pay_link,
    approvals,
    payments,
    statements,
    subscriptions,
    usage,
    orders,
    people,
    activity,
    help,
    profile,
    consent,
):
    app.register_blueprint(part.routes.blueprint)
for staff_part in pages_of_staff():
    app.register_blueprint(staff_part.routes.blueprint)
app.checked()
