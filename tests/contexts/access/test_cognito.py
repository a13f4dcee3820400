"""The Cognito adapter against moto, and users as they lie in the table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from saldo.access.cognito import CognitoIdentity
from saldo.access.model import Grant, Role, Tokens, User
from saldo.access.records import user_from, user_item
from saldo.kernel.errors import Refusal
from saldo.storage.sealing import CannotOpen
from tests.contexts.conftest import Region
from tests.in_process_aws import in_process_aws

EMAIL, PASSWORD = "rieke@kontor.example", "Correct-Horse-7"


@pytest.fixture
def identity() -> Iterator[CognitoIdentity]:
    with in_process_aws():
        client: Any = boto3.client("cognito-idp", region_name="eu-central-1")
        pool = client.create_user_pool(PoolName="users", UsernameAttributes=["email"])["UserPool"]["Id"]
        flows = ["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
        made = client.create_user_pool_client(UserPoolId=pool, ClientName="portal", ExplicitAuthFlows=flows)
        yield CognitoIdentity(client, pool, made["UserPoolClient"]["ClientId"])


def test_someone_enrolled_signs_in_and_keeps_their_subject_when_enrolled_again(identity: CognitoIdentity) -> None:
    subject = identity.enrol(EMAIL, PASSWORD)
    assert isinstance(identity.sign_in(EMAIL, PASSWORD), Tokens)
    assert identity.enrol(EMAIL, "Another-Horse-8") == subject
    assert isinstance(identity.sign_in(EMAIL, "Another-Horse-8"), Tokens)


def test_wrong_password_and_unknown_address_are_one_refusal(identity: CognitoIdentity) -> None:
    identity.enrol(EMAIL, PASSWORD)
    refusals = []
    for email, password in ((EMAIL, "wrong"), ("nobody@nowhere.example", "wrong")):
        with pytest.raises(Refusal) as caught:
            identity.sign_in(email, password)
        refusals.append((caught.value.code, caught.value.message))
    assert refusals[0] == refusals[1] and refusals[0][0] == "sign_in_failed"


def test_a_user_is_found_by_address_unless_unknown_or_disabled(identity: CognitoIdentity) -> None:
    subject = identity.enrol(EMAIL, PASSWORD)
    assert identity.find(EMAIL) == subject and identity.find("nobody@nowhere.example") == ""
    identity._client.admin_disable_user(UserPoolId=identity._pool_id, Username=EMAIL)
    assert identity.find(EMAIL) == ""


def test_forgetting_is_quiet_for_the_unknown(identity: CognitoIdentity) -> None:
    identity.forgot_password("nobody@nowhere.example")


def test_the_issuer_is_the_pools(identity: CognitoIdentity) -> None:
    assert identity.issuer.startswith("https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_")


def test_name_and_address_of_a_user_are_sealed_to_their_record(region: Region) -> None:
    user = User("user_eu_1", "org_eu_1", EMAIL, "Rieke Harms", "de", (Grant("acct_eu_1", Role.PAYER),))
    item = user_item(user, region.sealer, region.clock())
    assert EMAIL not in str(item) and "Rieke" not in str(item)
    assert user_from(item, region.sealer) == user
    with pytest.raises(CannotOpen):
        user_from({**item, "pk": "user_eu_2"}, region.sealer)
