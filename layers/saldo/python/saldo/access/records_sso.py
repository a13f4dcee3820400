"""How single sign-on lies in the table.

`<organisation>` / `sso`: the connection, its client's secret sealed. `domain_<domain>` / `sso`: whose a domain is.
`flow_<sha256 of the state>` / `sso`: a sign-in on its way, ten minutes. `<organisation>` / `sso_subject#<print>` and
`<user>` / `sso`: which subject of the provider is which user, both ways, so that neither changes hands.
"""

from __future__ import annotations

from datetime import datetime

from saldo.access.model import Role
from saldo.access.model_sso import AppClient, Connection, Flow, Joining, SsoProtocol
from saldo.access.rules import digest_of
from saldo.kernel.clock import instant_from, instant_text
from saldo.kernel.ids import fingerprint
from saldo.storage.items import Item, Key
from saldo.storage.sealing import Sealer
from saldo.storage.units import Unit

FIELDS = "sso/1"
SSO = "sso"


def connection_key(organisation_id: str) -> Key:
    return organisation_id, SSO


def domain_key(domain: str) -> Key:
    return f"domain_{domain}", SSO


def flow_key(state: str) -> Key:
    return f"flow_{digest_of(state)}", SSO


def subject_key(organisation_id: str, provider: str, subject: str) -> Key:
    """A print of the subject: with SAML it may be an address."""
    return organisation_id, f"sso_subject#{fingerprint('sso', provider, subject)}"


def bound_key(user_id: str) -> Key:
    return user_id, SSO


def connection_item(connection: Connection, sealer: Sealer) -> Item:
    """`only` is there or not there, so that one condition holds for who has no connection at all, too."""
    pk, sk = connection_key(connection.organisation_id)
    joining = connection.joining
    item: Item = {
        "pk": pk,
        "sk": sk,
        "kind": "sso_connection",
        "organisation_id": connection.organisation_id,
        "protocol": connection.protocol.value,
        "provider": connection.provider,
        "client_id": connection.client.id,
        "domains": list(connection.domains),
        "told_as": connection.told_as,
        "connected_at": instant_text(connection.connected_at),
        "sealed": sealer.seal(pk, (pk, sk), FIELDS, {"client_secret": connection.client.secret}),
    }
    if joining is not None:
        item["joining"] = {"role": joining.role.value, "account_ids": list(joining.account_ids)}
    return item | ({"only": True} if connection.only else {})


def connection_from(item: Item, sealer: Sealer) -> Connection:
    """Raises CannotOpen once the organisation's key is shredded."""
    opened = sealer.open(item["pk"], (item["pk"], item["sk"]), FIELDS, item["sealed"])
    joining = item.get("joining")
    return Connection(
        organisation_id=item["pk"],
        protocol=SsoProtocol(item["protocol"]),
        provider=item["provider"],
        client=AppClient(item["client_id"], opened["client_secret"]),
        domains=tuple(item["domains"]),
        told_as=item["told_as"],
        connected_at=instant_from(item["connected_at"]),
        joining=Joining(Role(joining["role"]), tuple(joining["account_ids"])) if joining else None,
        only=item.get("only", False),
    )


def domain_item(domain: str, organisation_id: str, proof: str, at: datetime) -> Item:
    pk, sk = domain_key(domain)
    facts = {"organisation_id": organisation_id, "proof": proof, "proven_at": instant_text(at)}
    return {"pk": pk, "sk": sk, "kind": "sso_domain", **facts}


def flow_item(flow: Flow) -> Item:
    pk, sk = flow_key(flow.state)
    return {
        "pk": pk,
        "sk": sk,
        "kind": "sso_flow",
        "organisation_id": flow.organisation_id,
        "provider": flow.provider,
        "browser": flow.browser,
        "follow": flow.follow,
        "invitation": list(flow.invitation),
        "until": instant_text(flow.until),
        "expires_at_s": int(flow.until.timestamp()),
    }


def flow_from(item: Item, state: str) -> Flow:
    account_id, invitation_id = item["invitation"]
    facts = (item["organisation_id"], item["provider"], item["browser"], item["follow"])
    return Flow(state, *facts, instant_from(item["until"]), (account_id, invitation_id))


def bind(unit: Unit, connection: Connection, subject: str, user_id: str) -> Unit:
    """The subject is this user from now on, and this user is no other subject."""
    pk, sk = subject_key(connection.organisation_id, connection.provider, subject)
    unit.insert({"pk": pk, "sk": sk, "kind": "sso_subject", "user_id": user_id})
    pk, bound = bound_key(user_id)
    kept: Item = {"pk": pk, "sk": bound, "kind": "sso_bound", "organisation_id": connection.organisation_id}
    return unit.insert(kept | {"subject": sk})


def require_standing(unit: Unit, organisation_id: str, by_sso: bool) -> Unit:
    """Hold only while the organisation lets people in this way: through its provider, or also without."""
    if by_sso:
        return unit.require(connection_key(organisation_id), exists=True)
    return unit.require(connection_key(organisation_id), when={"only": None}, exists=None)
