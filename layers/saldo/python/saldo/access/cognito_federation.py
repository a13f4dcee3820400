"""Cognito as broker of other identity providers: one provider and one app client of its own for each organisation.

A client that knows one provider issues tokens (`aud`) that are worth nothing for another organisation, and is made by
code, so that no deployment of the template takes it away.
"""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from saldo.access.model_sso import AppClient, Connection, Registration, SsoProtocol
from saldo.kernel.errors import Refusal, Unavailable

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient

_SCOPES = ["openid", "email", "profile"]
_SAML = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
# Cognito's attribute → the provider's claim. Nothing else of what a provider says is taken over.
_OIDC_MAPPING = {"email": "email", "name": "name", "username": "sub"}
_SAML_MAPPING = {"email": f"{_SAML}emailaddress", "name": f"{_SAML}name"}
_MOST_BYTES, _WAIT_S = 100_000, 5


class CognitoFederation:
    """Implements `saldo.access.ports.Federation`. `sign_in_url`: the pool's own domain, "" for the client's endpoint
    (one machine). `redirect_url`: where the portal takes people back."""

    def __init__(
        self, client: CognitoIdentityProviderClient, pool_id: str, sign_in_url: str, redirect_url: str
    ) -> None:
        self._client, self._pool_id, self._redirect_url = client, pool_id, redirect_url
        self._sign_in_url = sign_in_url or client.meta.endpoint_url

    def connect(self, provider: str, given: Registration) -> AppClient:
        details, mapping = _details(given), _SAML_MAPPING if given.protocol is SsoProtocol.SAML else _OIDC_MAPPING
        told: Any = {"ProviderDetails": details, "AttributeMapping": mapping}
        kind: Any = given.protocol.value.upper()
        errors = self._client.exceptions
        try:
            self._client.create_identity_provider(
                UserPoolId=self._pool_id, ProviderName=provider, ProviderType=kind, **told
            )
        except errors.DuplicateProviderException:
            self._client.update_identity_provider(UserPoolId=self._pool_id, ProviderName=provider, **told)
        except errors.InvalidParameterException as error:
            raise Refusal(
                "provider_refused", "the user pool does not take this provider; look at its address"
            ) from error
        made = self._client.create_user_pool_client(
            UserPoolId=self._pool_id,
            ClientName=provider,
            GenerateSecret=True,
            SupportedIdentityProviders=[provider],
            AllowedOAuthFlowsUserPoolClient=True,
            AllowedOAuthFlows=["code"],
            AllowedOAuthScopes=_SCOPES,
            CallbackURLs=[self._redirect_url],
            ExplicitAuthFlows=[],
            PreventUserExistenceErrors="ENABLED",
            EnableTokenRevocation=True,
            IdTokenValidity=5,
            AccessTokenValidity=5,
            RefreshTokenValidity=60,
            TokenValidityUnits={"IdToken": "minutes", "AccessToken": "minutes", "RefreshToken": "minutes"},
        )["UserPoolClient"]
        return AppClient(made["ClientId"], made["ClientSecret"])

    def disconnect(self, connection: Connection) -> None:
        self.drop_client(connection.client.id)
        with suppress(self._client.exceptions.ResourceNotFoundException):
            self._client.delete_identity_provider(UserPoolId=self._pool_id, ProviderName=connection.provider)

    def drop_client(self, client_id: str) -> None:
        with suppress(self._client.exceptions.ResourceNotFoundException):
            self._client.delete_user_pool_client(UserPoolId=self._pool_id, ClientId=client_id)

    def authorize_url(self, connection: Connection, state: str, nonce: str, challenge: str) -> str:
        asked = {
            "identity_provider": connection.provider,
            "client_id": connection.client.id,
            "response_type": "code",
            "redirect_uri": self._redirect_url,
            "scope": " ".join(_SCOPES),
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{self._sign_in_url}/oauth2/authorize?{urlencode(asked)}"

    def exchange(self, connection: Connection, code: str, verifier: str) -> str:
        import urllib.error
        import urllib.request

        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_url,
            "client_id": connection.client.id,
            "code_verifier": verifier,
        }
        secret = base64.b64encode(f"{connection.client.id}:{connection.client.secret}".encode()).decode()
        headers = {"Authorization": f"Basic {secret}", "Content-Type": "application/x-www-form-urlencoded"}
        url = f"{self._sign_in_url}/oauth2/token"
        request = urllib.request.Request(url, urlencode(form).encode(), headers)  # noqa: S310 - the pool's own domain
        try:
            with urllib.request.urlopen(request, timeout=_WAIT_S) as answer:  # noqa: S310 - the same
                token = json.loads(answer.read(_MOST_BYTES)).get("id_token")
        except urllib.error.HTTPError as error:
            if error.code >= 500:
                raise Unavailable("signing in does not work at the moment") from error
            raise Refusal("sso_failed", "the organisation's sign-in did not work") from error
        except (OSError, ValueError, AttributeError) as error:
            raise Unavailable("signing in does not work at the moment") from error
        if not isinstance(token, str):
            raise Refusal("sso_failed", "the organisation's sign-in did not work")
        return token


def _details(given: Registration) -> dict[str, str]:
    if given.protocol is SsoProtocol.OIDC:
        return {
            "client_id": given.client_id,
            "client_secret": given.client_secret,
            "oidc_issuer": given.issuer,
            "authorize_scopes": " ".join(_SCOPES),
            "attributes_request_method": "GET",
        }
    name = "MetadataFile" if given.metadata.lstrip().startswith("<") else "MetadataURL"
    return {name: given.metadata, "RequestSigningAlgorithm": "rsa-sha256", "IDPInit": "false"}
