"""CloudFront before portal and API: keeps style and script, passes everything else on, says where callers are.

One for each region's host name, in a stack of its own that always stands in us-east-1: certificates, firewall and log
deliveries of CloudFront exist nowhere else. It finds the region's API by name (`origin.<host>`), not by reference, and
proves itself by a secret that only it and the API's own firewall know (firewall.py: `only_known`).
"""

from __future__ import annotations

from typing import Any

from aws_cdk import Aws, Duration, SecretValue, Stack
from aws_cdk import aws_certificatemanager as certificates
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_route53_targets as route53_targets
from aws_cdk import aws_wafv2 as waf
from constructs import Construct

from infra.cdk.environments import Environment, HostedZone, Region
from infra.cdk.firewall import KNOWN_BY, managed_rules
from infra.cdk.keys import logs_key
from infra.cdk.names import Names
from infra.cdk.watched import log_group

# CloudFront would keep errors for ten seconds, for everybody: a page that one may not see would be gone for all.
_NEVER_KEPT = (400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504)
_A_YEAR = Duration.days(365)
# What is logged of a request: no address, no path (links in mail carry their secret there), no query, no cookie.
_LOGGED = [
    "date",
    "time",
    "x-edge-location",
    "x-edge-request-id",
    "cs-method",
    "cache-behavior-path-pattern",
    "sc-status",
    "x-edge-result-type",
    "x-edge-detailed-result-type",
    "sc-bytes",
    "time-taken",
    "ssl-protocol",
    "cs-protocol-version",
    "c-country",
]


class FrontStack(Stack):
    """The way in of one region. `region.zone` must be there: who is reached by no name has nothing before it."""

    def __init__(self, scope: Construct, id_: str, target: Environment, region: Region, **stack: Any) -> None:
        super().__init__(scope, id_, **stack)
        assert region.zone is not None, "a region without host name has no front"
        self._names, self._region, self._env = Names(target.name), region, target
        zone = zone_of(self, region.zone)
        distribution = self._distribution(self._certificate(zone), self._firewall())
        self._log(distribution)
        there = route53.RecordTarget.from_alias(route53_targets.CloudFrontTarget(distribution))
        for id_, record in (("Address", route53.ARecord), ("AddressV6", route53.AaaaRecord)):
            record(self, id_, zone=zone, record_name=region.host + ".", target=there)

    def _certificate(self, zone: route53.IHostedZone) -> certificates.Certificate:
        validation = certificates.CertificateValidation.from_dns(zone)
        return certificates.Certificate(self, "Certificate", domain_name=self._region.host, validation=validation)

    def _firewall(self) -> waf.CfnWebACL:
        return managed_rules(self, self._names.of(f"front_{self._region.code}"), "CLOUDFRONT")

    def _distribution(self, certificate: certificates.Certificate, acl: waf.CfnWebACL) -> cloudfront.Distribution:
        origin = origins.HttpOrigin(
            self._region.origin_host,
            protocol_policy=cloudfront.OriginProtocolPolicy.HTTPS_ONLY,
            origin_ssl_protocols=[cloudfront.OriginSslPolicy.TLS_V1_2],
            custom_headers={KNOWN_BY: self._secret()},
            read_timeout=Duration.seconds(30),  # API Gateway gives up after 29
        )
        return cloudfront.Distribution(
            self,
            "Distribution",
            comment=f"Saldo {self._env.name}, {self._region.code}",
            domain_names=[self._region.host],
            certificate=certificate,
            minimum_protocol_version=cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021,
            http_version=cloudfront.HttpVersion.HTTP2_AND_3,
            price_class=cloudfront.PriceClass.PRICE_CLASS_100,  # edges of Europe and North America, where sellers are
            web_acl_id=acl.attr_arn,
            default_behavior=self._passed_on(origin),
            additional_behaviors={"/static/*": self._kept(origin)},
            error_responses=[
                cloudfront.ErrorResponse(http_status=status, ttl=Duration.seconds(0)) for status in _NEVER_KEPT
            ],
        )

    def _secret(self) -> str:
        """The newest. In the template stands where it lies, not what it is."""
        name = self._names.front_secret(self._region.code, self._env.front_secrets[-1])
        return SecretValue.secrets_manager(name).unsafe_unwrap()

    def _passed_on(self, origin: origins.HttpOrigin) -> cloudfront.BehaviorOptions:
        """Whole; nothing is kept. The host goes with it: TLS asks for it, and API Gateway knows the API by it."""
        whole = cloudfront.OriginRequestPolicy(
            self,
            "Whole",
            origin_request_policy_name=self._names.of(f"whole_{self._region.code}"),
            comment="All that the caller sent, and where they are",
            header_behavior=cloudfront.OriginRequestHeaderBehavior.all(
                "CloudFront-Viewer-Address", "CloudFront-Viewer-Country"
            ),
            cookie_behavior=cloudfront.OriginRequestCookieBehavior.all(),
            query_string_behavior=cloudfront.OriginRequestQueryStringBehavior.all(),
        )
        return cloudfront.BehaviorOptions(
            origin=origin,
            allowed_methods=cloudfront.AllowedMethods.ALLOW_ALL,
            viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.HTTPS_ONLY,
            cache_policy=cloudfront.CachePolicy.CACHING_DISABLED,
            origin_request_policy=whole,
            compress=False,  # API Gateway does
        )

    def _kept(self, origin: origins.HttpOrigin) -> cloudfront.BehaviorOptions:
        """By path alone, which says what is in it (functions/portal/static_files), for as long as its answer says."""
        by_path = cloudfront.CachePolicy(
            self,
            "ByPath",
            cache_policy_name=self._names.of(f"by_path_{self._region.code}"),
            comment="Style and script under names that carry a hash",
            min_ttl=Duration.seconds(0),
            default_ttl=Duration.seconds(0),
            max_ttl=_A_YEAR,
            cookie_behavior=cloudfront.CacheCookieBehavior.none(),
            header_behavior=cloudfront.CacheHeaderBehavior.none(),
            query_string_behavior=cloudfront.CacheQueryStringBehavior.none(),
            enable_accept_encoding_gzip=True,
            enable_accept_encoding_brotli=True,
        )
        by_host = cloudfront.OriginRequestPolicy(
            self,
            "ByHost",
            origin_request_policy_name=self._names.of(f"by_host_{self._region.code}"),
            comment="The host by which API Gateway knows the API",
            header_behavior=cloudfront.OriginRequestHeaderBehavior.allow_list("Host"),
        )
        return cloudfront.BehaviorOptions(
            origin=origin,
            allowed_methods=cloudfront.AllowedMethods.ALLOW_GET_HEAD,
            viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.HTTPS_ONLY,
            cache_policy=by_path,
            origin_request_policy=by_host,
            compress=True,
        )

    def _log(self, distribution: cloudfront.Distribution) -> None:
        """One line a request (standard logging, second version: the first knows no fields and logs addresses)."""
        name = self._names.of(f"front_{self._region.code}")
        key = logs_key(self, self._env.name, f"front-{self._region.code}-logs")
        group = log_group(self, "Log", f"/aws/vendedlogs/cloudfront/{name}", key)
        group.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("delivery.logs.amazonaws.com")],
                actions=["logs:CreateLogStream", "logs:PutLogEvents"],
                resources=[f"{group.log_group_arn}:log-stream:*"],
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            )
        )
        arn = f"arn:{Aws.PARTITION}:cloudfront::{Aws.ACCOUNT_ID}:distribution/{distribution.distribution_id}"
        source = logs.CfnDeliverySource(self, "LogSource", name=name, log_type="ACCESS_LOGS", resource_arn=arn)
        to = logs.CfnDeliveryDestination(
            self, "LogDestination", name=name, destination_resource_arn=group.log_group_arn, output_format="json"
        )
        delivery = logs.CfnDelivery(
            self,
            "LogDelivery",
            delivery_source_name=source.name,
            delivery_destination_arn=to.attr_arn,
            record_fields=_LOGGED,
        )
        delivery.add_resource_dependency(source)


def zone_of(scope: Construct, hosted: HostedZone) -> route53.IHostedZone:
    return route53.HostedZone.from_hosted_zone_attributes(
        scope, "Zone", hosted_zone_id=hosted.id, zone_name=hosted.name
    )
