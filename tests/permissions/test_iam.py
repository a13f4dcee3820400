"""The decision itself, against the examples and the traps of IAM's own documentation."""

from __future__ import annotations

from typing import Any

import pytest

from tests.permissions.iam import Ask, Statement, decide

TABLE = "arn:aws:dynamodb:eu-central-1:111111111111:table/records"


def allow(actions: Any, resources: Any, **conditions: Any) -> Statement:
    return Statement.of({"Effect": "Allow", "Action": actions, "Resource": resources, "Condition": conditions})


def deny(actions: Any, resources: Any) -> Statement:
    return Statement.of({"Effect": "Deny", "Action": actions, "Resource": resources})


def reading(*owners: str, action: str = "dynamodb:Query") -> Ask:
    return Ask(action, TABLE, {"dynamodb:leadingkeys": owners} if owners else {})


def test_what_nothing_allows_is_refused() -> None:
    assert not decide(reading("a"), []).allowed
    assert not decide(reading("a"), [allow("dynamodb:Query", TABLE + "/index/agenda")]).allowed


def test_a_deny_wins_over_any_allow() -> None:
    assert not decide(Ask("dynamodb:Scan", TABLE), [allow("dynamodb:*", "*"), deny("dynamodb:Scan", TABLE)]).allowed


def test_actions_are_compared_without_case_and_resources_with_it() -> None:
    assert decide(Ask("s3:getobject", "arn:aws:s3:::b/x"), [allow("s3:GetObject", "arn:aws:s3:::b/*")]).allowed
    assert not decide(Ask("s3:GetObject", "arn:aws:s3:::b/X/y"), [allow("s3:GetObject", "arn:aws:s3:::b/x/*")]).allowed


OWN = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["acct_1", "ent_1"]}}


def test_a_condition_on_leading_keys_holds_of_every_key_of_a_call() -> None:
    mine = [allow(["dynamodb:Query", "dynamodb:BatchGetItem"], TABLE, **OWN)]
    assert decide(reading("acct_1"), mine).allowed
    assert decide(reading("acct_1", "ent_1", action="dynamodb:BatchGetItem"), mine).allowed
    assert not decide(reading("acct_1", "acct_2", action="dynamodb:BatchGetItem"), mine).allowed


def test_for_all_values_alone_lets_a_scan_through_and_a_null_check_stops_it() -> None:
    """The trap that AWS warns of: a scan names no key, and of no key every condition holds."""
    trap = [allow("dynamodb:*", TABLE, **OWN)]
    assert decide(Ask("dynamodb:Scan", TABLE), trap).allowed
    closed = [allow("dynamodb:*", TABLE, **OWN, Null={"dynamodb:LeadingKeys": "false"})]
    assert not decide(Ask("dynamodb:Scan", TABLE), closed).allowed
    assert decide(reading("acct_1"), closed).allowed


def test_a_tag_of_the_principal_fills_a_pattern_and_an_absent_one_matches_nothing() -> None:
    tagged = [
        allow(
            "dynamodb:Query",
            TABLE,
            **{
                "ForAllValues:StringLike": {
                    "dynamodb:LeadingKeys": ["${aws:PrincipalTag/account}", "*#${aws:PrincipalTag/account}"]
                }
            },
        )
    ]

    def ask(owner: str, **tags: tuple[str, ...]) -> Ask:
        return Ask("dynamodb:Query", TABLE, {"dynamodb:leadingkeys": (owner,), **tags})

    tag = {"aws:principaltag/account": ("acct_1",)}
    assert decide(ask("acct_1", **tag), tagged).allowed
    assert decide(ask("open#acct_1", **tag), tagged).allowed
    assert not decide(ask("acct_2", **tag), tagged).allowed
    assert not decide(ask(""), tagged).allowed


def test_a_session_policy_narrows_and_never_widens() -> None:
    role = [allow("dynamodb:Query", TABLE)]
    session = [allow(["dynamodb:Query", "dynamodb:Scan"], TABLE, **OWN)]
    assert decide(reading("acct_1"), role, session).allowed
    assert not decide(reading("acct_2"), role, session).allowed
    assert not decide(Ask("dynamodb:Scan", TABLE), role, session).allowed


def test_an_encryption_context_and_the_way_to_a_key_are_looked_at() -> None:
    key = "arn:aws:kms:eu-central-1:111111111111:key/k"
    by_way = [allow("kms:Decrypt", key, StringEquals={"kms:ViaService": "s3.eu-central-1.amazonaws.com"})]
    assert not decide(Ask("kms:Decrypt", key), by_way).allowed
    context = [allow("kms:Decrypt", key, StringEquals={"kms:EncryptionContext:purpose": "records"})]
    assert decide(Ask("kms:Decrypt", key, {"kms:encryptioncontext:purpose": ("records",)}), context).allowed
    assert not decide(Ask("kms:Decrypt", key, {"kms:encryptioncontext:purpose": ("backup",)}), context).allowed


def test_what_is_not_understood_is_an_error_and_no_permission() -> None:
    with pytest.raises(NotImplementedError):
        decide(
            Ask("s3:GetObject", "x", {"aws:x": ("1",)}), [allow("s3:GetObject", "x", NumericLessThan={"aws:x": "2"})]
        )
    with pytest.raises(NotImplementedError):
        Statement.of({"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"})
