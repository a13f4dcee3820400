"""The portal: registers blueprints, nothing else (Lambda handler `app.app`)."""

from functions.http.application import Application
from functions.portal import (
    activity,
    approvals,
    autopay,
    certificates,
    consent,
    details,
    disputes,
    documents,
    help,
    invoices,
    methods,
    notifications,
    orders,
    overview,
    passkeys,
    pay_link,
    paying,
    payments,
    people,
    plans,
    profile,
    public,
    remittance,
    saved_views,
    signing_in,
    single_sign_on,
    statements,
    staying,
    subscriptions,
    terms,
    uploads,
    usage,
)
from functions.portal.answers import FILES
from functions.portal.endpoint import edge
from functions.staff import pages_of_staff
from functions.staff.endpoint import edge as staff_edge

app = Application("saldo", edge, staff_edge)
app.api.binary_types = [*app.api.binary_types, *FILES]
for part in (
    public,
    signing_in,
    single_sign_on,
    passkeys,
    staying,
    overview,
    invoices,
    saved_views,
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
    notifications,
    consent,
    details,
    disputes,
    plans,
    terms,
    uploads,
    documents,
    certificates,
):
    app.register_blueprint(part.routes.blueprint)
for staff_part in pages_of_staff():
    app.register_blueprint(staff_part.routes.blueprint)
app.checked()
