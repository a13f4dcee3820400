"""Single sign-on on the template: the user pool's own domain; no deployment touches organisations' providers."""

from __future__ import annotations

import json

import pytest

from tests.assembly import Assembly


@pytest.mark.parametrize("region", ["eu", "us"])
def test_the_pool_of_customers_has_a_domain_and_the_portal_knows_it(assembly: Assembly, region: str) -> None:
    (domain,) = assembly.made("portal", "Cognito::UserPoolDomain", region).values()
    assert "Users" in json.dumps(domain["UserPoolId"])
    (portal,) = [f for f in assembly.made("portal", "Lambda::Function", region).values() if f["Handler"] == "app.app"]
    address = json.dumps(portal["Environment"]["Variables"]["SALDO_SIGN_IN_URL"])
    assert "https://saldo-" in address and ".amazoncognito.com" in address and "AWS::AccountId" in address


@pytest.mark.parametrize("region", ["eu", "us"])
def test_clients_of_the_template_offer_no_way_in_by_that_domain(assembly: Assembly, region: str) -> None:
    """Passwords go through the portal. Providers and their clients come from `saldo access sso`."""
    for client in assembly.made("portal", "Cognito::UserPoolClient", region).values():
        assert client["AllowedOAuthFlowsUserPoolClient"] is False
        assert client["SupportedIdentityProviders"] == ["COGNITO"]
    assert assembly.made("portal", "Cognito::UserPoolIdentityProvider", region) == {}


@pytest.mark.parametrize("region", ["eu", "us"])
def test_the_portal_cannot_connect_providers(assembly: Assembly, region: str) -> None:
    said = json.dumps(assembly.made("portal", "IAM::Policy", region))
    for action in ("IdentityProvider", "UserPoolClient", "cognito-idp:*"):
        assert action not in said
