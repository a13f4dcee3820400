"""What needs no session: the front door, health, style and script, the gateway's webhooks."""

from __future__ import annotations

import json

from functions.portal import services
from functions.portal.answers import Answer, see_other
from functions.portal.cookies import SESSION, STAFF_SESSION, Cookies
from functions.portal.endpoint import PUBLIC, SIGNED, Routes
from functions.portal.presenters.seller import KEY_SET
from functions.portal.static_files import static_file
from functions.portal.visit import Visit

routes = Routes("public")


@routes.get("/", PUBLIC)
def front_door(visit: Visit) -> Answer:
    cookies, sent = Cookies(services.settings().origin), visit.headers.get("cookie", "")
    is_staff = cookies.read(STAFF_SESSION, sent) and not cookies.read(SESSION, sent)
    return see_other("/staff" if is_staff else "/accounts")


@routes.get("/healthz", PUBLIC)
def health(visit: Visit) -> Answer:
    body = {"status": "ok", "region": services.settings().region_code, "env": services.settings().env}
    return Answer(json.dumps(body), kind="application/json")


@routes.get("/static/{name}", PUBLIC)
def static(visit: Visit) -> Answer:
    return static_file(visit.params["name"])


@routes.get(KEY_SET, PUBLIC)
def key_set(visit: Visit) -> Answer:
    """The key that signs sellers' bank details, for whoever checks them (RFC 7517). Asked of KMS once a process."""
    found = json.dumps(services.bank_statements().key_set())
    return Answer(found, kind="application/json", headers={"Cache-Control": "public, max-age=3600"})


@routes.post("/webhooks/gateway", SIGNED, content_type="application/json")
def gateway_webhook(visit: Visit) -> Answer:
    """Signature and age are checked on the raw body; what it says is dealt with behind the queue. 200, or 400."""
    from saldo.kernel.errors import Refusal

    try:
        _verified(visit)
    except Refusal as refusal:
        return Answer(json.dumps({"code": refusal.code}), 400, "application/json")
    services.queue_gateway_event(visit.raw_body.decode())
    return Answer(json.dumps({"taken": True}), kind="application/json")


def _verified(visit: Visit) -> None:
    """A signature that no kept line fits may be by a line of since then: the secret is read again, unless it was read
    within a minute, so that forged news cannot have us read it at will."""
    from saldo.kernel.errors import Refusal
    from saldo.payments.webhooks import SIGNATURE_HEADER, verified_body
    from saldo.storage.held_secrets import ON_MISMATCH

    header, secret = visit.headers.get(SIGNATURE_HEADER.lower(), ""), services.gateway_secret()
    try:
        verified_body(visit.raw_body, header, secret.lines(), visit.now)
    except Refusal as refusal:
        if refusal.code != "signature_mismatch":
            raise
        verified_body(visit.raw_body, header, secret.lines(ON_MISMATCH), visit.now)
