"""The portal: its function behind a REST API, its users, its firewall and, where there is a zone, its host name."""

from __future__ import annotations

import importlib
from typing import Any

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Size, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_certificatemanager as certificates
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_iam as iam
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_route53_targets as route53_targets
from aws_cdk import aws_wafv2 as waf
from constructs import Construct

from infra.cdk.alarms import Rule, Runbook, alarm
from infra.cdk.data import DataStack
from infra.cdk.environments import Environment, HostedZone, Region
from infra.cdk.functions import PORTAL
from infra.cdk.hosting import Hosting
from infra.cdk.watched import log_group

_SIGN_IN = [
    "cognito-idp:AdminCreateUser",
    "cognito-idp:AdminDisableUser",
    "cognito-idp:AdminEnableUser",
    "cognito-idp:AdminGetUser",
    "cognito-idp:AdminInitiateAuth",
    "cognito-idp:AdminRespondToAuthChallenge",
    "cognito-idp:AdminSetUserMFAPreference",
    "cognito-idp:AdminSetUserPassword",
    "cognito-idp:AdminUserGlobalSignOut",
]
_MANAGED_RULES = (
    "AWSManagedRulesCommonRuleSet",
    "AWSManagedRulesKnownBadInputsRuleSet",
    "AWSManagedRulesAmazonIpReputationList",
)
_REQUESTS_PER_5_MINUTES = 2000


class PortalStack(Stack):
    """API Gateway has one resource for each route of the Chalice app: Chalice dispatches on that resource's path."""

    def __init__(
        self, scope: Construct, id_: str, target: Environment, region: Region, data: DataStack, **stack: Any
    ) -> None:
        super().__init__(scope, id_, **stack)
        self._target, self._data = target, data
        self.users = self._users()
        self.client = self._client()
        settings = {
            "SALDO_USER_POOL_ID": self.users.user_pool_id,
            "SALDO_USER_POOL_CLIENT_ID": self.client.user_pool_client_id,
        }
        self.function = Hosting(self, target, region, data).function(PORTAL, settings)
        self.function.role.add_to_policy(iam.PolicyStatement(actions=_SIGN_IN, resources=[self.users.user_pool_arn]))
        self.api = self._api()
        self._routes()
        self._firewall()
        self._watch()
        if region.zone:
            self._host_name(region.host, region.zone)
        self._outputs()

    def _users(self) -> cognito.UserPool:
        return cognito.UserPool(
            self,
            "Users",
            user_pool_name=self._data.names.of("users"),
            self_sign_up_enabled=False,
            sign_in_aliases=cognito.SignInAliases(email=True),
            sign_in_case_sensitive=False,
            mfa=cognito.Mfa.OPTIONAL,
            mfa_second_factor=cognito.MfaSecondFactor(sms=False, otp=True),
            account_recovery=cognito.AccountRecovery.EMAIL_ONLY,
            password_policy=cognito.PasswordPolicy(
                min_length=12,
                require_lowercase=True,
                require_uppercase=True,
                require_digits=True,
                require_symbols=True,
                temp_password_validity=Duration.days(3),
            ),
            deletion_protection=True,
            removal_policy=RemovalPolicy.RETAIN,
        )

    def _client(self) -> cognito.UserPoolClient:
        """Used by the portal's own function alone: passwords reach Cognito through it, never from a browser."""
        return self.users.add_client(
            "PortalClient",
            user_pool_client_name="portal",
            auth_flows=cognito.AuthFlow(admin_user_password=True),
            disable_o_auth=True,
            prevent_user_existence_errors=True,
            id_token_validity=Duration.minutes(5),
            access_token_validity=Duration.minutes(5),
            refresh_token_validity=Duration.hours(1),
            enable_token_revocation=True,
        )

    def _api(self) -> apigateway.RestApi:
        group = log_group(self, "AccessLog", f"/saldo/{self._target.name}/portal", self._data.keys.logs)
        return apigateway.RestApi(
            self,
            "Api",
            rest_api_name=self._data.names.of("portal"),
            description="Pages and JSON of the customer portal",
            # Only with every type named does API Gateway decode a PDF whatever the browser's Accept header says first.
            binary_media_types=["*/*"],
            min_compression_size=Size.bytes(1024),
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            cloud_watch_role=True,
            deploy_options=apigateway.StageOptions(
                stage_name="portal",
                tracing_enabled=True,
                metrics_enabled=True,
                logging_level=apigateway.MethodLoggingLevel.ERROR,
                data_trace_enabled=False,
                throttling_rate_limit=500,
                throttling_burst_limit=1000,
                access_log_destination=apigateway.LogGroupLogDestination(group),
                access_log_format=apigateway.AccessLogFormat.json_with_standard_fields(
                    caller=False,
                    http_method=True,
                    ip=False,
                    protocol=True,
                    request_time=True,
                    resource_path=True,
                    response_length=True,
                    status=True,
                    user=False,
                ),
            ),
        )

    def _routes(self) -> None:
        integration = apigateway.LambdaIntegration(
            self.function.function,
            proxy=True,
            allow_test_invoke=False,
        )
        for path, methods in sorted(_chalice_app().routes.items()):
            resource = self.api.root.resource_for_path(path)
            for method in sorted(methods):
                resource.add_method(method, integration)

    def _firewall(self) -> None:
        rules = [_managed(name, priority) for priority, name in enumerate(_MANAGED_RULES)]
        acl = waf.CfnWebACL(
            self,
            "Firewall",
            name=self._data.names.of("portal"),
            scope="REGIONAL",
            default_action=waf.CfnWebACL.DefaultActionProperty(allow={}),
            visibility_config=_visible("portal"),
            rules=[*rules, _rate_limit(len(rules))],
        )
        stage = self.api.deployment_stage
        waf.CfnWebACLAssociation(self, "Guarded", resource_arn=stage.stage_arn, web_acl_arn=acl.attr_arn)

    def _watch(self) -> None:
        """Chalice answers an unforeseen exception itself, so Lambda counts no error: the 5xx count does."""
        five = Duration.minutes(5)
        says = "The portal answered a request with a server error."
        rule = Rule(Runbook.PORTAL_ERRORS, says)
        alarm(self, "PortalErrors", self.api.metric_server_error(period=five), rule, self._data.alarms)
        slow = self.api.metric_latency(period=five, statistic="p99")
        rule = Rule(Runbook.PORTAL_SLOW, "One request in a hundred takes over 3 s.", threshold=3000, periods=3)
        alarm(self, "PortalSlow", slow, rule, self._data.alarms)

    def _host_name(self, host: str, hosted: HostedZone) -> None:
        zone = route53.HostedZone.from_hosted_zone_attributes(
            self, "Zone", hosted_zone_id=hosted.id, zone_name=hosted.name
        )
        certificate = certificates.Certificate(
            self,
            "Certificate",
            domain_name=host,
            validation=certificates.CertificateValidation.from_dns(zone),
        )
        domain = self.api.add_domain_name(
            "HostName",
            domain_name=host,
            certificate=certificate,
            endpoint_type=apigateway.EndpointType.REGIONAL,
            security_policy=apigateway.SecurityPolicy.TLS_1_2,
        )
        there = route53.RecordTarget.from_alias(route53_targets.ApiGatewayDomain(domain))
        route53.ARecord(self, "Address", zone=zone, record_name=host + ".", target=there)

    def _outputs(self) -> None:
        CfnOutput(self, "ApiId", value=self.api.rest_api_id)
        CfnOutput(self, "StageName", value=self.api.deployment_stage.stage_name)
        CfnOutput(self, "UserPoolId", value=self.users.user_pool_id)
        CfnOutput(self, "UserPoolClientId", value=self.client.user_pool_client_id)


def _chalice_app() -> Any:  # Chalice ships no types
    """The app whose routes are deployed. Importing it touches neither network nor settings."""
    return importlib.import_module("app").app


def _visible(name: str) -> waf.CfnWebACL.VisibilityConfigProperty:
    return waf.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=name, sampled_requests_enabled=True
    )


def _managed(name: str, priority: int) -> waf.CfnWebACL.RuleProperty:
    group = waf.CfnWebACL.ManagedRuleGroupStatementProperty(name=name, vendor_name="AWS")
    return waf.CfnWebACL.RuleProperty(
        name=name,
        priority=priority,
        statement=waf.CfnWebACL.StatementProperty(managed_rule_group_statement=group),
        override_action=waf.CfnWebACL.OverrideActionProperty(none={}),
        visibility_config=_visible(name),
    )


def _rate_limit(priority: int) -> waf.CfnWebACL.RuleProperty:
    limit = waf.CfnWebACL.RateBasedStatementProperty(aggregate_key_type="IP", limit=_REQUESTS_PER_5_MINUTES)
    return waf.CfnWebACL.RuleProperty(
        name="RateLimit",
        priority=priority,
        statement=waf.CfnWebACL.StatementProperty(rate_based_statement=limit),
        action=waf.CfnWebACL.RuleActionProperty(block={}),
        visibility_config=_visible("RateLimit"),
    )
