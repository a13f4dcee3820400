"""CloudFront before portal and API: what it keeps, what it says, and that nothing gets past it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from functions.portal.static_files import addresses
from infra.cdk.environments import context, environment
from infra.cdk.firewall import KNOWN_BY
from tests.assembly import ADDED, Assembly

# AWS's own policy: no time for anything, nothing in the key.
CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
HOST = "eu.billing.staging.example.com"


def _distribution(assembly: Assembly, region: str = "eu") -> dict[str, Any]:
    (found,) = assembly.made("front", "CloudFront::Distribution", region).values()
    return dict(found["DistributionConfig"])


def _policy(assembly: Assembly, kind: str, behaviour: dict[str, Any]) -> dict[str, Any]:
    named = assembly.made("front", f"CloudFront::{kind}")[behaviour[f"{kind}Id"]["Ref"]]
    return dict(named[f"{kind}Config"])


def test_style_and_script_are_kept_by_their_path_alone(assembly: Assembly) -> None:
    (kept,) = _distribution(assembly)["CacheBehaviors"]
    assert all(address.startswith("/static/") for address in addresses().values())
    assert (kept["PathPattern"], kept["AllowedMethods"]) == ("/static/*", ["GET", "HEAD"])
    policy = _policy(assembly, "CachePolicy", kept)
    key = policy["ParametersInCacheKeyAndForwardedToOrigin"]
    assert {key[f"{part}Config"][f"{part.rstrip('s')}Behavior"] for part in ("Cookies", "Headers")} == {"none"}
    assert key["QueryStringsConfig"]["QueryStringBehavior"] == "none"
    assert (policy["MinTTL"], policy["DefaultTTL"], policy["MaxTTL"]) == (0, 0, 365 * 86_400)
    asked = _policy(assembly, "OriginRequestPolicy", kept)
    assert asked["HeadersConfig"] == {"HeaderBehavior": "whitelist", "Headers": ["Host"]}
    assert asked["CookiesConfig"]["CookieBehavior"] == "none"


def test_everything_else_is_passed_on_whole_with_where_the_caller_is_and_never_kept(assembly: Assembly) -> None:
    passed = _distribution(assembly)["DefaultCacheBehavior"]
    assert passed["CachePolicyId"] == CACHING_DISABLED
    assert {"POST", "PUT", "PATCH", "DELETE"} <= set(passed["AllowedMethods"])
    asked = _policy(assembly, "OriginRequestPolicy", passed)
    assert asked["HeadersConfig"] == {
        "HeaderBehavior": "allViewerAndWhitelistCloudFront",
        "Headers": ["CloudFront-Viewer-Address", "CloudFront-Viewer-Country"],
    }
    assert asked["CookiesConfig"]["CookieBehavior"] == asked["QueryStringsConfig"]["QueryStringBehavior"] == "all"


def test_what_one_caller_is_refused_is_not_kept_for_the_next(assembly: Assembly) -> None:
    """CloudFront keeps errors for ten seconds by itself, under a key without cookies, whatever the policy says."""
    kept = {e["ErrorCode"]: e["ErrorCachingMinTTL"] for e in _distribution(assembly)["CustomErrorResponses"]}
    assert kept == dict.fromkeys((400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504), 0)


def test_it_speaks_tls_of_today_on_both_sides_and_no_plain_http(assembly: Assembly) -> None:
    config = _distribution(assembly)
    assert config["ViewerCertificate"]["MinimumProtocolVersion"] == "TLSv1.2_2021"
    assert {b["ViewerProtocolPolicy"] for b in (config["DefaultCacheBehavior"], *config["CacheBehaviors"])} == {
        "https-only"
    }
    (origin,) = config["Origins"]
    assert origin["CustomOriginConfig"]["OriginProtocolPolicy"] == "https-only"
    assert origin["CustomOriginConfig"]["OriginSSLProtocols"] == ["TLSv1.2"]
    assert config["PriceClass"] == "PriceClass_100"


def test_the_public_name_leads_to_cloudfront_and_the_origins_to_an_api_that_goes_by_the_public_one(
    assembly: Assembly,
) -> None:
    public = assembly.made("front", "Route53::RecordSet").values()
    assert {(r["Name"], r["Type"]) for r in public} == {(f"{HOST}.", "A"), (f"{HOST}.", "AAAA")}
    assert all("Distribution" in json.dumps(r["AliasTarget"]) for r in public)
    (behind,) = assembly.made("portal", "Route53::RecordSet").values()
    (origin,) = _distribution(assembly)["Origins"]
    assert behind["Name"] == f"{origin['DomainName']}." == f"origin.{HOST}."
    (name,) = assembly.made("portal", "ApiGateway::DomainName").values()
    assert name["DomainName"] == HOST, "CloudFront asks by the host that the caller asked for"


def _shown(assembly: Assembly) -> list[str]:
    """What the API's firewall lets in, from the template itself: places of secrets."""
    (acl,) = assembly.made("portal", "WAFv2::WebACL").values()
    assert (acl["Scope"], acl["DefaultAction"]) == ("REGIONAL", {"Block": {}})
    (rule,) = acl["Rules"]
    assert rule["Action"] == {"Allow": {}}
    matches = [s["ByteMatchStatement"] for s in rule["Statement"]["OrStatement"]["Statements"]]
    for match in matches:
        assert match["FieldToMatch"] == {"SingleHeader": {"Name": KNOWN_BY}}
        assert match["PositionalConstraint"] == "EXACTLY"
        assert match["TextTransformations"] == [{"Priority": 0, "Type": "NONE"}]
    return [json.dumps(match["SearchString"]) for match in matches]


def test_the_api_lets_in_who_shows_one_of_the_secrets_and_nobody_else(assembly: Assembly) -> None:
    secrets = assembly.made("portal", "SecretsManager::Secret")
    shown = _shown(assembly)
    assert len(shown) == len(secrets) == len(ADDED["front_secrets"])
    for name, text in zip(secrets, shown, strict=True):
        assert "{{resolve:secretsmanager:" in text and f'"Ref": "{name}"' in text
    (guarded,) = assembly.made("portal", "WAFv2::WebACLAssociation").values()
    assert "stages" in json.dumps(guarded["ResourceArn"])


def test_cloudfront_shows_the_newest_secret_and_no_template_or_sample_holds_one(assembly: Assembly) -> None:
    for region, copied in (("eu", ["us-east-1"]), ("us", [])):
        (origin,) = _distribution(assembly, region)["Origins"]
        (header,) = origin["OriginCustomHeaders"]
        secrets = assembly.made("portal", "SecretsManager::Secret", region).values()
        names = [secret["Name"] for secret in secrets]
        assert names == [f"saldo-staging-front-{region}-{label}" for label in ADDED["front_secrets"]]
        assert header["HeaderName"] == KNOWN_BY
        assert header["HeaderValue"] == f"{{{{resolve:secretsmanager:{names[-1]}:SecretString:::}}}}"
        assert all([r["Region"] for r in s.get("ReplicaRegions", [])] == copied for s in secrets)
    (acl,) = assembly.made("portal", "WAFv2::WebACL").values()
    seen = [acl["VisibilityConfig"], *(rule["VisibilityConfig"] for rule in acl["Rules"])]
    assert not any(one["SampledRequestsEnabled"] for one in seen)


def test_the_managed_rules_see_callers_and_not_cloudfront(assembly: Assembly) -> None:
    ((id_, acl),) = assembly.made("front", "WAFv2::WebACL").items()
    assert acl["Scope"] == "CLOUDFRONT" and len(acl["Rules"]) == 5
    assert _distribution(assembly)["WebACLId"] == {"Fn::GetAtt": [id_, "Arn"]}


def test_its_log_names_cloudfronts_id_and_no_address_path_query_or_cookie(assembly: Assembly) -> None:
    (delivery,) = assembly.made("front", "Logs::Delivery").values()
    fields = set(delivery["RecordFields"])
    assert "x-edge-request-id" in fields, "which is on the portal's own line beside the correlation id"
    personal = {"c-ip", "x-forwarded-for", "cs-uri-stem", "cs-uri-query", "cs(Cookie)", "cs(Referer)", "cs(User-Agent)"}
    assert not fields & personal
    (group,) = assembly.made("front", "Logs::LogGroup")
    (to,) = assembly.made("front", "Logs::DeliveryDestination").values()
    assert to["DestinationResourceArn"] == {"Fn::GetAtt": [group, "Arn"]}


def test_functions_believe_cloudfront_exactly_where_nothing_else_reaches_them(assembly: Assembly) -> None:
    told = [f["Environment"]["Variables"]["SALDO_FRONT"] for f in assembly.made("portal", "Lambda::Function").values()]
    assert set(told) == {"cloudfront"}
    assert environment("local").concerns == ("data", "portal", "runs", "events", "watch")


def test_all_stages_of_a_release_have_it_and_one_without_names_cannot() -> None:
    stages = ("sandbox", "staging", "production")
    assert all(environment(name).concerns[-1] == "front" for name in stages)
    wrong = context()
    wrong["environments"]["local"]["front_secrets"] = ["2026-11"]
    with pytest.raises(ValueError, match="hosted_zone"):
        environment("local", wrong)
