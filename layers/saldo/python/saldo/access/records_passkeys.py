"""How passkeys lie in the table.

`<user>` / `passkey#<print>`: public key and count, the name sealed. `challenge_<sha256>` / `challenge`: what a browser
was asked to sign, five minutes; used up in the unit of what it is for.
"""

from __future__ import annotations

import base64
from datetime import datetime

from saldo.access.model_passkeys import Passkey, PasskeyPurpose
from saldo.accounts.model import ERASED
from saldo.kernel.clock import instant_from, instant_text
from saldo.storage.items import Item, Key
from saldo.storage.sealing import Erased, Sealer

PASSKEYS = "passkey#"
CHALLENGE = "challenge"
FIELDS = "passkey/1"


def passkey_key(user_id: str, passkey_id: str) -> Key:
    return user_id, PASSKEYS + passkey_id


def challenge_key(digest: str) -> Key:
    return f"challenge_{digest}", CHALLENGE


def challenge_item(digest: str, purpose: PasskeyPurpose, holder: str, until: datetime) -> Item:
    """`holder`: digest of the cookie of the browser, or of the session, that it was made for."""
    pk, sk = challenge_key(digest)
    facts = {"purpose": purpose.value, "holder": holder, "until": instant_text(until)}
    return {"pk": pk, "sk": sk, "kind": "challenge", **facts, "expires_at_s": int(until.timestamp())}


def passkey_item(passkey: Passkey, sealer: Sealer) -> Item:
    pk, sk = passkey_key(passkey.user_id, passkey.id)
    return {
        "pk": pk,
        "sk": sk,
        "kind": "passkey",
        "organisation_id": passkey.organisation_id,
        "credential": base64.b64encode(passkey.credential).decode(),
        "sign_count": passkey.sign_count,
        "backed_up": passkey.backed_up,
        "added_at": instant_text(passkey.added_at),
        "sealed": sealed_name(passkey, passkey.name, sealer),
    } | ({"used_at": instant_text(passkey.used_at)} if passkey.used_at else {})


def sealed_name(passkey: Passkey, name: str, sealer: Sealer) -> bytes:
    return sealer.seal(passkey.organisation_id, passkey_key(passkey.user_id, passkey.id), FIELDS, {"name": name})


def passkey_from(item: Item, sealer: Sealer) -> Passkey:
    try:
        name = sealer.open(item["organisation_id"], (item["pk"], item["sk"]), FIELDS, item["sealed"])["name"]
    except Erased:
        name = ERASED
    return Passkey(
        user_id=item["pk"],
        id=item["sk"].removeprefix(PASSKEYS),
        organisation_id=item["organisation_id"],
        name=name,
        credential=base64.b64decode(item["credential"]),
        sign_count=item["sign_count"],
        backed_up=item["backed_up"],
        added_at=instant_from(item["added_at"]),
        used_at=instant_from(item["used_at"]) if "used_at" in item else None,
    )
