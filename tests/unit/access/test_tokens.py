"""ID tokens: one kind holds, every other does not."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from saldo.access.tokens import RsaTokens, TokenInvalid
from tests.functions.portal.identity import (
    CLIENT,
    ISSUER,
    STAFF_CLIENT,
    STAFF_ISSUER,
    claims,
    coded,
    key_set,
    rsa_key,
    signed,
)

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def usual(**changes: Any) -> dict[str, Any]:
    return claims("someone", NOW.timestamp(), **changes)


def verifier(keys: bytes | None = None) -> RsaTokens:
    return RsaTokens(ISSUER, CLIENT, lambda: keys or key_set(), lambda: NOW)


def test_a_token_of_the_pools_key_for_our_client_says_who_it_is() -> None:
    assert verifier().subject(signed(usual())) == "someone"


def test_a_federated_users_token_is_the_pools_and_nothing_the_other_provider_says_chooses_anything() -> None:
    """Cognito puts what the organisation's provider said into `identities`; the subject stays the pool's own."""
    identities = [{"userId": "somebody-else", "providerName": "kontor", "providerType": "SAML", "issuer": "urn:kontor"}]
    federated = {"cognito:username": "kontor_somebody-else", "identities": identities, "nonce": "n"}
    assert verifier().subject(signed(usual(**federated))) == "someone"
    for changes in ({"iss": "urn:kontor"}, {"aud": "urn:kontor"}, {"sub": None}, {"sub": ["someone"]}, {"sub": ""}):
        with pytest.raises(TokenInvalid):
            verifier().subject(signed(usual(**federated, **changes)))


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": ISSUER + "x"},
        {"iss": "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_other"},
        {"aud": "another-client"},
        {"aud": [CLIENT, "another-client"]},
        {"token_use": "access"},
        {"token_use": None},
        {"exp": int(NOW.timestamp())},
        {"exp": int(NOW.timestamp()) - 1},
        {"exp": str(int(NOW.timestamp()) + 300)},
        {"exp": True},
        {"exp": None},
        {"iat": int(NOW.timestamp()) + 120},
        {"iat": None},
        {"nbf": int(NOW.timestamp()) + 120},
        {"nbf": "now"},
        {"sub": ""},
        {"sub": None},
    ],
)
def test_a_claim_that_does_not_fit_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(TokenInvalid):
        verifier().subject(signed(usual(**changes)))


def test_the_header_does_not_choose_the_algorithm() -> None:
    body = coded(usual())
    unsigned = f"{coded({'alg': 'none', 'kid': 'first'})}.{body}."
    public = rsa_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    text = f"{coded({'alg': 'HS256', 'kid': 'first'})}.{body}"
    symmetric = f"{text}.{coded(hmac.new(public, text.encode(), hashlib.sha256).digest())}"
    for token in (unsigned, symmetric, signed(usual(), alg="RS512"), signed(usual(), crit="exp")):
        with pytest.raises(TokenInvalid):
            verifier().subject(token)


def test_a_key_of_the_attackers_own_does_not_count_whatever_the_header_says() -> None:
    jwk = json.loads(key_set("attacker"))["keys"][0]
    for token in (
        signed(usual(), "attacker"),
        signed(usual(), "attacker", kid="first"),
        signed(usual(), "attacker", jwk=jwk),
        signed(usual(), "attacker", jku="https://evil.example/keys"),
        signed(usual(), "attacker", kid="first", x5u="https://evil.example/chain.pem"),
        signed(usual(), "attacker", kid="first", x5c="MIIB"),
        signed(usual(), "attacker", kid="../../first"),
    ):
        with pytest.raises(TokenInvalid):
            verifier().subject(token)


def test_headers_that_point_to_other_keys_are_not_followed() -> None:
    """A right token stays right: what its header says of keys is not looked at, and nothing is fetched for it."""
    fetched = []

    def keys() -> bytes:
        fetched.append("ours")
        return key_set()

    tokens = RsaTokens(ISSUER, CLIENT, keys, lambda: NOW)
    for head in ({"jku": "https://evil.example/keys"}, {"x5u": "https://evil.example/c.pem"}, {"typ": "at+jwt"}):
        assert tokens.subject(signed(usual(), **head)) == "someone"
    assert fetched == ["ours"]


@pytest.mark.parametrize(
    ("issuer", "client", "other_issuer", "other_client"),
    [(ISSUER, CLIENT, STAFF_ISSUER, STAFF_CLIENT), (STAFF_ISSUER, STAFF_CLIENT, ISSUER, CLIENT)],
)
def test_a_token_of_one_pool_is_nobodys_at_the_other(
    issuer: str, client: str, other_issuer: str, other_client: str
) -> None:
    """Customers' and staff's: not even with the other's client, or its issuer, or as an access token of its own."""
    own = RsaTokens(issuer, client, key_set, lambda: NOW)
    assert own.subject(signed(usual(iss=issuer, aud=client))) == "someone"
    for changes in (
        {"iss": other_issuer, "aud": other_client}, {"iss": other_issuer, "aud": client},
        {"iss": issuer, "aud": other_client}, {"iss": issuer, "aud": client, "token_use": "access"},
        {"iss": issuer, "aud": None, "client_id": client, "token_use": "access"},
    ):  # fmt: skip
        with pytest.raises(TokenInvalid):
            own.subject(signed(usual(**changes)))


def test_a_changed_character_breaks_the_signature() -> None:
    head, body, signature = signed(usual()).split(".")
    forged = coded({**usual(), "sub": "someone else"})
    raw = bytearray(base64.urlsafe_b64decode(signature + "=="))
    raw[10] ^= 1
    for token in (f"{head}.{forged}.{signature}", f"{head}.{body}.{coded(bytes(raw))}"):
        with pytest.raises(TokenInvalid):
            verifier().subject(token)


@pytest.mark.parametrize(
    "token", ["", "a.b", "a.b.c.d", "…", "a.b.c", "e30.e30.e30", "W10.W10.W10", "." * 2, "x" * 9000]
)
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(TokenInvalid):
        verifier().subject(token)


def test_small_keys_and_keys_for_encryption_are_left_out() -> None:
    document = json.loads(key_set())
    document["keys"][0]["use"] = "enc"
    with pytest.raises(TokenInvalid):
        verifier(json.dumps(document).encode()).subject(signed(usual()))


def test_a_new_key_is_fetched_when_it_is_first_met_and_unknown_ones_do_not_hammer_the_issuer() -> None:
    sets, moment = [key_set("first"), key_set("first", "second")], [NOW]
    fetched = []

    def fetch() -> bytes:
        fetched.append(moment[0])
        return sets[min(len(fetched) - 1, 1)]

    tokens = RsaTokens(ISSUER, CLIENT, fetch, lambda: moment[0])
    assert tokens.subject(signed(usual())) == "someone"
    for _ in range(3):
        with pytest.raises(TokenInvalid):
            tokens.subject(signed(usual(), "second"))
    assert len(fetched) == 1
    moment[0] += timedelta(seconds=61)
    assert tokens.subject(signed(usual(), "second")) == "someone"
    assert len(fetched) == 2
