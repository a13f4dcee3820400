"""`saldo access` at the terminal: the first of a customer's people, its identity provider; and who asked for each."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.cli import access, site
from saldo.access.model_sso import AppClient, Connection, Registration
from saldo.accounts.model import Organisation
from saldo.accounts.records import organisation_item
from tests.scenarios.sites import sites
from tests.scenarios.test_command_line import Terminal
from tests.simulation.region import Region

ACCOUNT, ORGANISATION = "acct_eu_000000", "org_eu_000000"
ASKED = ("--reason", "asked for by Rieke Harms")
PROVIDER = ("--issuer", "https://login.kontor.example", "--client-id", "saldo")
DOMAINS = ("--domains", "Kontor.example, kontor-nord.example", "--proven-by", "TXT record of 2026-11-20")


class Broker:
    """What of the user pool the command needs; the real one is in tests/functions/portal and tests/stack."""

    def __init__(self, *_: Any) -> None:
        self.known: dict[str, Registration] = {}

    def connect(self, provider: str, given: Registration) -> AppClient:
        self.known[provider] = given
        return AppClient(f"client-{len(self.known)}", "secret of the client")

    def drop_client(self, client_id: str) -> None: ...

    def disconnect(self, connection: Connection) -> None:
        del self.known[connection.provider]


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    made, keys = Broker(), Region().keys()
    monkeypatch.setattr(access, "CognitoFederation", lambda *_: made)
    monkeypatch.setattr(site, "keys_of", lambda _site: keys)
    monkeypatch.setenv("SALDO_SSO_SECRET", "of the organisation")
    return made


@pytest.fixture
def terminal() -> Terminal:
    made = Terminal(*sites(2))
    made.eu.store.put_many([organisation_item(Organisation(ORGANISATION, "Kontor", "DE"))])
    return made


def refused(terminal: Terminal, *words: str) -> str:
    result = terminal.type("access", "sso", *words, "--json")
    assert result.exit_code == 2, result.output
    return str(json.loads(result.stdout)["error"]["code"])


def test_a_provider_is_connected_required_and_forgotten(terminal: Terminal, broker: Broker) -> None:
    made = terminal.ask("access", "sso", "connect", ACCOUNT, *PROVIDER, *DOMAINS, *ASKED)
    assert (made["domains"], made["only"]) == (["kontor.example", "kontor-nord.example"], False)
    assert made["redirect_uri"].endswith("/oauth2/idpresponse") and "secret" not in json.dumps(made)
    (known,) = broker.known.values()
    assert (known.client_secret, known.organisation_id) == ("of the organisation", ORGANISATION)
    assert terminal.ask("access", "sso", "only", ACCOUNT, *ASKED)["only"] is True
    assert terminal.ask("access", "sso", "show", ORGANISATION)["only"] is True
    assert "kontor.example" in terminal.type("access", "sso", "show", ACCOUNT).stdout
    assert terminal.ask("access", "sso", "only", ACCOUNT, "--off", *ASKED)["only"] is False
    assert terminal.ask("access", "sso", "disconnect", ACCOUNT, *ASKED)["connected"] is False
    assert broker.known == {} and refused(terminal, "show", ACCOUNT) == "not_found"
    told = [i for i in terminal.eu.store.query_all(ORGANISATION, prefix="audit#") if i["action"].startswith("sso.")]
    assert sorted(i["action"] for i in told) == ["sso.connected", "sso.disconnected", "sso.required", "sso.required"]
    assert {(i["actor"]["id"], i["reason"]) for i in told} == {("saldo_command", ASKED[1])}


def test_what_cannot_be_connected_says_why(terminal: Terminal, broker: Broker) -> None:
    words = ("connect", ACCOUNT, *PROVIDER, *ASKED, "--proven-by", "x")
    assert refused(terminal, *words, "--domains", "gmail.com") == "invalid_sso"
    assert refused(terminal, *words, "--domains", "k.example", "--joining", f"account_admin:{ACCOUNT}") == "invalid_sso"
    assert refused(terminal, "connect", "acct_eu_gone", *PROVIDER, *DOMAINS, *ASKED) == "not_found"
    assert refused(terminal, "only", ACCOUNT, *ASKED) == "not_found"
    joined = ("--domains", "k.example", "--joining", f"viewer:{ACCOUNT}")
    assert terminal.ask("access", "sso", *words, *joined)["joining"] == {"role": "viewer", "account_ids": [ACCOUNT]}


def test_the_first_of_a_customers_people_is_invited_at_the_terminal(terminal: Terminal, broker: Broker) -> None:
    words = ("invite", ACCOUNT, "--email", "ap@kontor.example", "--name", "Frauke Kontor", *ASKED)
    made = terminal.ask("access", *words)
    assert (made["account_id"], made["role"]) == (ACCOUNT, "account_admin")
    kept = list(terminal.eu.store.query_all(ACCOUNT))
    (told,) = [i for i in kept if i.get("action") == "invitation.sent"]
    assert (told["actor"]["kind"], told["reason"]) == ("staff", ASKED[1])
    assert len([i for i in kept if i["sk"].startswith("note#")]) == 1 and "frauke" not in str(kept).lower()
    again = terminal.type("access", *words, "--json")
    assert json.loads(again.stdout)["error"]["problems"][0]["code"] == "is_invited"
    assert terminal.type("access", "invite", ACCOUNT, *words[2:6]).exit_code == 2  # no reason, nothing done
