"""The portal: which part of it lies at which address, nothing else (Lambda handler `app.app`)."""

from functions.http.application import Application
from functions.portal.answers import FILES
from functions.portal.endpoint import edge

# A part is a module with `routes`, imported when the first request comes below one of its addresses; the longest wins.
_ACCOUNT = "/accounts/{account_id}"
_INVOICE = f"{_ACCOUNT}/invoices/{{invoice_id}}"
CUSTOMERS = {
    "public": ["/"],
    "signing_in": ["/sign-in", "/sign-out", "/forgot-password", "/invitation"],
    "single_sign_on": ["/sign-in/organisation"],
    "passkeys": ["/sign-in/passkey", "/session/passkey", "/profile/passkeys"],
    "staying": ["/session"],
    "overview": ["/accounts", "/invoices"],
    "invoices": [f"{_ACCOUNT}/invoices"],
    "saved_views": [f"{_ACCOUNT}/invoices/views"],
    "paying": [f"{_ACCOUNT}/pay"],
    "remittance": [f"{_ACCOUNT}/pay/list"],
    "pay_link": ["/pay", "/paid", f"{_INVOICE}/pay-link"],
    "approvals": [f"{_ACCOUNT}/approvals"],
    "payments": [f"{_ACCOUNT}/payments"],
    "methods": [f"{_ACCOUNT}/methods", f"{_ACCOUNT}/scheduled"],
    "autopay": [f"{_ACCOUNT}/autopay", f"{_INVOICE}/autopay"],
    "statements": [f"{_ACCOUNT}/statement"],
    "subscriptions": [f"{_ACCOUNT}/subscriptions"],
    "usage": [f"{_ACCOUNT}/usage"],
    "orders": [f"{_ACCOUNT}/orders"],
    "people": [f"{_ACCOUNT}/people", f"{_ACCOUNT}/invite"],
    "activity": [f"{_ACCOUNT}/activity"],
    "help": [f"{_ACCOUNT}/help"],
    "profile": ["/profile"],
    "notifications": ["/notifications", "/profile/notifications", "/unsubscribe"],
    "consent": [f"{_ACCOUNT}/consent"],
    "details": [f"{_ACCOUNT}/details"],
    "disputes": [f"{_ACCOUNT}/disputes", f"{_INVOICE}/dispute"],
    "plans": [f"{_ACCOUNT}/plans"],
    "terms": [f"{_ACCOUNT}/terms"],
    "uploads": [f"{_ACCOUNT}/files", f"{_INVOICE}/files"],
    "documents": [f"{_ACCOUNT}/documents", f"{_ACCOUNT}/papers", f"{_ACCOUNT}/bundles"],
    "certificates": [f"{_ACCOUNT}/certificate"],
}
_ENTITY = "/staff/{entity_id}"
_CUSTOMER = f"{_ENTITY}/accounts/{{account_id}}"
STAFF = {
    "signing_in": ["/staff/sign-in", "/staff/sign-out", "/staff/language"],
    "work": ["/staff"],
    "customers": [f"{_ENTITY}/customers", _CUSTOMER],
    "credits": [f"{_CUSTOMER}/invoices"],
    "runs": [f"{_ENTITY}/runs"],
    "drafts": [f"{_ENTITY}/drafts", f"{_ENTITY}/usage", f"{_CUSTOMER}/draft"],
    "orders": [f"{_ENTITY}/orders"],
    "proposals": [f"{_ENTITY}/proposals"],
    "seller": [f"{_ENTITY}/seller"],
    "selling": [f"{_ENTITY}/catalog", f"{_ENTITY}/templates"],
    "audit": [f"{_ENTITY}/audit"],
    "access": [f"{_ENTITY}/access", f"{_ENTITY}/elevation"],
    "disputes": [f"{_ENTITY}/disputes", f"{_CUSTOMER}/disputes"],
    "promises": [f"{_ENTITY}/promises", f"{_CUSTOMER}/promises"],
    "terms": [f"{_CUSTOMER}/terms"],
    "uploads": [f"{_CUSTOMER}/files", f"{_CUSTOMER}/invoices/{{invoice_id}}/files"],
    "papers": [f"{_ENTITY}/papers", f"{_ENTITY}/files"],
    "certificates": [f"{_ENTITY}/certificates", f"{_CUSTOMER}/certificates"],
    "tickets": [f"{_ENTITY}/tickets", f"{_CUSTOMER}/tickets"],
    "differences": [f"{_ENTITY}/differences"],
    "acting": [f"{_CUSTOMER}/act"],
    "styleguide": ["/styleguide"],
    "details": [f"{_CUSTOMER}/details"],
}

parts = {f"functions.portal.{name}": addresses for name, addresses in CUSTOMERS.items()}
parts |= {f"functions.staff.{name}": addresses for name, addresses in STAFF.items()}
app = Application("saldo", edge, parts)
app.api.binary_types = [*app.api.binary_types, *FILES]
