"""The firewall before portal and API: managed rules, and how much may come from one address.

With CloudFront in front (front.py) these stand there, since behind it every request comes from an address of
CloudFront's; before the API then stands one that lets in nobody else.

Pages take the whole managed set but its limit of 8 kB a body: a remittance list is larger, and the portal has its own
limit. JSON under /api is exempt from the set: it is read by schema, never rendered, and comes with a key, while its
rules take a CloudEvent's source (`http://10.0.0.7/meter`) for an attack. Known exploits are stopped on both.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_wafv2 as waf
from constructs import Construct

_COMMON = "AWSManagedRulesCommonRuleSet"
_ALWAYS = ("AWSManagedRulesKnownBadInputsRuleSet", "AWSManagedRulesAmazonIpReputationList")
_UNLIMITED_BODY = "SizeRestrictions_BODY"
# The path comes with the stage where no host name of our own stands before it.
_API_PATH = "^(/portal)?/api/"
_PAGES_PER_5_MINUTES = 2_000
# One system sends for many customers: as much as six keys may in that time.
_CALLS_PER_5_MINUTES = 20_000
_TOO_MANY = "too_many"
# The header that CloudFront shows its secret in. It overwrites what a caller sends under that name.
KNOWN_BY = "x-saldo-front"


def managed_rules(scope: Construct, name: str, place: str) -> waf.CfnWebACL:
    """What everybody has to pass. `place`: REGIONAL or CLOUDFRONT, as callers reach."""
    return waf.CfnWebACL(
        scope,
        "Firewall",
        name=name,
        scope=place,
        default_action=waf.CfnWebACL.DefaultActionProperty(allow={}),
        visibility_config=_visible("portal"),
        custom_response_bodies={_TOO_MANY: _too_many()},
        rules=[
            _managed(_COMMON, 0, only=_not(_is_api()), counted=(_UNLIMITED_BODY,)),
            *(_managed(name, priority) for priority, name in enumerate(_ALWAYS, 1)),
            _rate_limit("RateLimit", 3, _PAGES_PER_5_MINUTES, _not(_is_api())),
            _rate_limit("ApiRateLimit", 4, _CALLS_PER_5_MINUTES, _is_api()),
        ],
    )


def only_known(scope: Construct, name: str, secrets: Sequence[str]) -> waf.CfnWebACL:
    """Whoever shows one of these secrets comes in, and nobody else: AWS's own way of keeping an API behind CloudFront.

    No request is sampled: a sample would show the secret.
    """
    shown = [_shows(secret) for secret in secrets]
    any_of = waf.CfnWebACL.StatementProperty(or_statement=waf.CfnWebACL.OrStatementProperty(statements=shown))
    seen = waf.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name="unknown", sampled_requests_enabled=False
    )
    return waf.CfnWebACL(
        scope,
        "Firewall",
        name=name,
        scope="REGIONAL",
        default_action=waf.CfnWebACL.DefaultActionProperty(block={}),
        visibility_config=seen,
        rules=[
            waf.CfnWebACL.RuleProperty(
                name="Known",
                priority=0,
                statement=any_of if len(shown) > 1 else shown[0],
                action=waf.CfnWebACL.RuleActionProperty(allow={}),
                visibility_config=seen,
            )
        ],
    )


def guard(scope: Construct, stage: apigateway.Stage, acl: waf.CfnWebACL) -> None:
    """Puts it before the stage, whichever of the API's names a request came by."""
    waf.CfnWebACLAssociation(scope, "Guarded", resource_arn=stage.stage_arn, web_acl_arn=acl.attr_arn)


def _shows(secret: str) -> waf.CfnWebACL.StatementProperty:
    return waf.CfnWebACL.StatementProperty(
        byte_match_statement=waf.CfnWebACL.ByteMatchStatementProperty(
            field_to_match=waf.CfnWebACL.FieldToMatchProperty(single_header={"Name": KNOWN_BY}),
            positional_constraint="EXACTLY",
            search_string=secret,
            text_transformations=[waf.CfnWebACL.TextTransformationProperty(priority=0, type="NONE")],
        )
    )


def _is_api() -> waf.CfnWebACL.StatementProperty:
    return waf.CfnWebACL.StatementProperty(
        regex_match_statement=waf.CfnWebACL.RegexMatchStatementProperty(
            field_to_match=waf.CfnWebACL.FieldToMatchProperty(uri_path={}),
            regex_string=_API_PATH,
            text_transformations=[waf.CfnWebACL.TextTransformationProperty(priority=0, type="NONE")],
        )
    )


def _not(statement: waf.CfnWebACL.StatementProperty) -> waf.CfnWebACL.StatementProperty:
    return waf.CfnWebACL.StatementProperty(not_statement=waf.CfnWebACL.NotStatementProperty(statement=statement))


def _visible(name: str) -> waf.CfnWebACL.VisibilityConfigProperty:
    return waf.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=name, sampled_requests_enabled=True
    )


def _managed(
    name: str, priority: int, only: waf.CfnWebACL.StatementProperty | None = None, counted: tuple[str, ...] = ()
) -> waf.CfnWebACL.RuleProperty:
    """`only`: where the set holds; `counted`: rules of it that count and do not block."""
    overrides = [
        waf.CfnWebACL.RuleActionOverrideProperty(name=rule, action_to_use=waf.CfnWebACL.RuleActionProperty(count={}))
        for rule in counted
    ]
    group = waf.CfnWebACL.ManagedRuleGroupStatementProperty(
        name=name, vendor_name="AWS", scope_down_statement=only, rule_action_overrides=overrides or None
    )
    return waf.CfnWebACL.RuleProperty(
        name=name,
        priority=priority,
        statement=waf.CfnWebACL.StatementProperty(managed_rule_group_statement=group),
        override_action=waf.CfnWebACL.OverrideActionProperty(none={}),
        visibility_config=_visible(name),
    )


def _rate_limit(
    name: str, priority: int, limit: int, only: waf.CfnWebACL.StatementProperty
) -> waf.CfnWebACL.RuleProperty:
    """Requests of one address in five minutes; over it the answer is a plain 429 that says when to come again."""
    statement = waf.CfnWebACL.RateBasedStatementProperty(
        aggregate_key_type="IP", limit=limit, scope_down_statement=only
    )
    later = waf.CfnWebACL.CustomHTTPHeaderProperty(name="Retry-After", value="60")
    answer = waf.CfnWebACL.CustomResponseProperty(
        response_code=429, custom_response_body_key=_TOO_MANY, response_headers=[later]
    )
    return waf.CfnWebACL.RuleProperty(
        name=name,
        priority=priority,
        statement=waf.CfnWebACL.StatementProperty(rate_based_statement=statement),
        action=waf.CfnWebACL.RuleActionProperty(block=waf.CfnWebACL.BlockActionProperty(custom_response=answer)),
        visibility_config=_visible(name),
    )


def _too_many() -> waf.CfnWebACL.CustomResponseBodyProperty:
    said = {"type": "about:blank", "status": 429, "code": "too_many_requests", "title": "Too Many Requests"}
    return waf.CfnWebACL.CustomResponseBodyProperty(content=json.dumps(said), content_type="APPLICATION_JSON")
