"""The portal: registers blueprints, nothing else (Lambda handler `app.app`)."""

from functions.portal import invoices, overview, paying, payments, profile, public, signing_in, statements
from functions.portal.application import Portal, checked

app = Portal(app_name="saldo")
app.api.binary_types = [*app.api.binary_types, "application/pdf"]
for part in (public, signing_in, overview, invoices, paying, payments, statements, profile):
    app.register_blueprint(part.routes.blueprint)
checked(app)
