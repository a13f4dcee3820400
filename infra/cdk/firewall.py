"""The firewall before portal and API: managed rules, and how much may come from one address.

Pages take the whole managed set but its limit of 8 kB a body: a remittance list is larger, and the portal has its own
limit. JSON under /api is exempt from the set: it is read by schema, never rendered, and comes with a key, while its
rules take a CloudEvent's source (`http://10.0.0.7/meter`) for an attack. Known exploits are stopped on both.
"""

from __future__ import annotations

import json

from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_wafv2 as waf
from constructs import Construct

from infra.cdk.names import Names

_COMMON = "AWSManagedRulesCommonRuleSet"
_ALWAYS = ("AWSManagedRulesKnownBadInputsRuleSet", "AWSManagedRulesAmazonIpReputationList")
_UNLIMITED_BODY = "SizeRestrictions_BODY"
# The path comes with the stage where no host name of our own stands before it.
_API_PATH = "^(/portal)?/api/"
_PAGES_PER_5_MINUTES = 2_000
# One system sends for many customers: as much as six keys may in that time.
_CALLS_PER_5_MINUTES = 20_000
_TOO_MANY = "too_many"


def firewall(scope: Construct, names: Names, stage: apigateway.Stage) -> None:
    """Makes it and puts it before the stage."""
    acl = waf.CfnWebACL(
        scope,
        "Firewall",
        name=names.of("portal"),
        scope="REGIONAL",
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
    waf.CfnWebACLAssociation(scope, "Guarded", resource_arn=stage.stage_arn, web_acl_arn=acl.attr_arn)


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
