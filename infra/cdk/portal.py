"""Portal and API: their functions behind one REST API, its users, its firewall and, where there is a zone, its host
name."""

from __future__ import annotations

import importlib
import json
from http import HTTPStatus
from typing import Any

from aws_cdk import Aws, CfnOutput, Duration, RemovalPolicy, Size, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_certificatemanager as certificates
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_route53_targets as route53_targets
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_wafv2 as waf
from constructs import Construct

from infra.cdk.alarms import Rule, Runbook, alarm, own_metric, quiet_alarm
from infra.cdk.capacity import capacity_for
from infra.cdk.data import DataStack
from infra.cdk.environments import FRONT, Environment, HostedZone, Region
from infra.cdk.firewall import guard, managed_rules, only_known
from infra.cdk.front import zone_of
from infra.cdk.functions import API, CANARY, PORTAL
from infra.cdk.grants import customer_statements
from infra.cdk.hosting import Hosting
from infra.cdk.releases import Releases
from infra.cdk.watched import WatchedFunction, log_group

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
# The Chalice applications whose routes are deployed, by module.
_PORTAL_APP, _API_APP = "app", "functions.api.v1.app"
_API_QUOTES = "/api/v1/quotes/POST"
_WRONG_KEYS_PER_5_MINUTES = 300
# The functions' own answers have theirs (functions/http/edge); values stand in quotes here, and cannot have any.
_ON_OWN_ANSWERS = {
    "Cache-Control": "'no-store'",
    "Content-Security-Policy": "'sandbox'",
    "Content-Type": "'application/problem+json'",
    "Referrer-Policy": "'no-referrer'",
    "Strict-Transport-Security": "'max-age=63072000; includeSubDomains'",
    "X-Content-Type-Options": "'nosniff'",
    "X-Frame-Options": "'DENY'",
}
_FEWER = apigateway.MethodDeploymentOptions(
    throttling_rate_limit=50,
    throttling_burst_limit=100,
    metrics_enabled=True,
    logging_level=apigateway.MethodLoggingLevel.ERROR,
    data_trace_enabled=False,
)
# What belongs to each application whatever its routes are: it says itself what it does not have.
_BELOW = {_PORTAL_APP: "/{proxy+}", _API_APP: "/api/{proxy+}"}


class PortalStack(Stack):
    """Pages and the JSON of /api share the host; each has a function of its own, with a role of its own.

    All pages are one resource of API Gateway (functions/http/greedy.py tells their routes apart): a stack has 500 at
    most. Routes of the API have one each, by which they are throttled and counted.
    """

    def __init__(
        self, scope: Construct, id_: str, target: Environment, region: Region, data: DataStack, **stack: Any
    ) -> None:
        super().__init__(scope, id_, **stack)
        self._target, self._data = target, data
        self.users = self._users()
        self.client = self._client(self.users, "PortalClient", "portal")
        self.staff = self._staff()
        self.staff_client = self._client(self.staff, "StaffClient", "staff")
        settings = {
            "SALDO_USER_POOL_ID": self.users.user_pool_id,
            "SALDO_USER_POOL_CLIENT_ID": self.client.user_pool_client_id,
            "SALDO_SIGN_IN_URL": self._sign_in_domain(self.users),
            "SALDO_STAFF_POOL_ID": self.staff.user_pool_id,
            "SALDO_STAFF_POOL_CLIENT_ID": self.staff_client.user_pool_client_id,
        }
        hosting = Hosting(self, target, region, data)
        self.function = hosting.function(PORTAL, settings)
        self.api_function = hosting.function(API)
        canary = hosting.function(CANARY, settings)
        users, staff = self.users.user_pool_arn, self.staff.user_pool_arn
        for watched, pools in ((self.function, [users, staff]), (canary, [users])):
            watched.role.add_to_policy(iam.PolicyStatement(actions=_SIGN_IN, resources=pools))
        self._customer_role()
        self._walks(canary)
        self.api = self._api()
        releases = Releases(self)
        self._routes(_PORTAL_APP, releases.alias(self.function))
        self._routes(_API_APP, releases.alias(self.api_function))
        if capacity := capacity_for(target.month_end_invoices):
            releases.ready_for_month_end(capacity)
        self._gateways_own_answers()
        guard(self, self.api.deployment_stage, self._firewall(region))
        releases.stop_at(self._watch())
        if region.zone:
            self._host_name(region, region.zone)
        self._outputs()

    def _customer_role(self) -> None:
        """Under it pages and the API's calls reach a customer's records: each time with a session policy that names
        the customer's own."""
        reaching = (self.function, self.api_function)
        iam.Role(
            self,
            "CustomerRole",
            role_name=self._data.names.customer_role,
            description="Reaches the records of one customer at a time",
            assumed_by=iam.CompositePrincipal(*(iam.ArnPrincipal(one.role.role_arn) for one in reaching)),
            inline_policies={"records": iam.PolicyDocument(statements=customer_statements(self._data))},
        )

    def _walks(self, canary: WatchedFunction) -> None:
        """Four times an hour. A walk that breaks is told by its metric: repeating it at once would only hide it.

        Not on one machine, whose figures are looked at by people: there it walks when it is asked to.
        """
        every = Duration.minutes(15)
        target = targets.LambdaFunction(
            canary.function, dead_letter_queue=canary.dead_letters.queue, retry_attempts=0, max_event_age=every
        )
        events.Rule(
            self,
            "EveryCanary",
            rule_name=self._data.names.of("canary"),
            description="A customer of our own signs in, is billed, pays and is credited",
            schedule=events.Schedule.rate(every),
            enabled=not self._target.is_local,
            targets=[target],
        )

    def _users(self) -> cognito.UserPool:
        return self._pool("Users", "users", cognito.Mfa.OPTIONAL)

    def _staff(self) -> cognito.UserPool:
        """The seller's people, apart from every customer: nobody of them is in without a one-time code."""
        return self._pool("Staff", "staff", cognito.Mfa.REQUIRED)

    def _pool(self, id_: str, name: str, mfa: cognito.Mfa) -> cognito.UserPool:
        return cognito.UserPool(
            self,
            id_,
            user_pool_name=self._data.names.of(name),
            self_sign_up_enabled=False,
            sign_in_aliases=cognito.SignInAliases(email=True),
            sign_in_case_sensitive=False,
            mfa=mfa,
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

    def _client(self, pool: cognito.UserPool, id_: str, name: str) -> cognito.UserPoolClient:
        """Used by the portal's own function alone: passwords reach Cognito through it, never from a browser."""
        return pool.add_client(
            id_,
            user_pool_client_name=name,
            auth_flows=cognito.AuthFlow(admin_user_password=True),
            disable_o_auth=True,
            prevent_user_existence_errors=True,
            id_token_validity=Duration.minutes(5),
            access_token_validity=Duration.minutes(5),
            refresh_token_validity=Duration.hours(1),
            enable_token_revocation=True,
        )

    def _sign_in_domain(self, pool: cognito.UserPool) -> str:
        """Where organisations' own identity providers send their people back, and where it is. "" on one machine,
        whose emulator answers at its own address.

        Providers and their clients are made when an organisation is connected (`saldo access sso`), not here: a
        deployment must not take them away. Nobody signs in with a password there: no client of it offers that.
        """
        prefix = f"{self._data.names.of('sign-in')}-{Aws.ACCOUNT_ID}"
        cognito.CfnUserPoolDomain(self, "SignInDomain", domain=prefix, user_pool_id=pool.user_pool_id)
        return "" if self._target.is_local else f"https://{prefix}.auth.{Aws.REGION}.amazoncognito.com"

    def _api(self) -> apigateway.RestApi:
        group = log_group(self, "AccessLog", f"/saldo/{self._target.name}/portal", self._data.keys.logs)
        return apigateway.RestApi(
            self,
            "Api",
            rest_api_name=self._data.names.of("portal"),
            description="Pages of the customer portal, JSON for sellers' own systems",
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
                # Quotes are pure arithmetic and cost most: they cannot take all that the others need.
                method_options={_API_QUOTES: _FEWER},
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

    def _routes(self, module: str, function: lambda_.IFunction) -> None:
        # One permission for the API and not one for each of its methods: a stack has 500 resources at most.
        integration = apigateway.LambdaIntegration(
            function, proxy=True, allow_test_invoke=False, scope_permission_to_method=False
        )
        for path, methods in sorted(_chalice_app(module).routes.items()):
            if module == _API_APP or path == "/":
                for method in sorted(methods):
                    self.api.root.resource_for_path(path).add_method(method, integration)
        self.api.root.resource_for_path(_BELOW[module]).add_method("ANY", integration)

    def _gateways_own_answers(self) -> None:
        """What API Gateway says before any function runs (or when none answers): in the words of the API where we know
        what it is, and always with the headers that keep browsers from keeping, framing or running it."""
        kinds = {
            "Throttled": (apigateway.ResponseType.THROTTLED, "429", "too_many_requests", {"Retry-After": "'1'"}),
            "NoSuchRoute": (apigateway.ResponseType.MISSING_AUTHENTICATION_TOKEN, "404", "not_found", {}),
            "TooLarge": (apigateway.ResponseType.REQUEST_TOO_LARGE, "413", "too_large", {}),
        }
        for name, (kind, status, code, headers) in kinds.items():
            said = {"type": "about:blank", "status": int(status), "code": code, "title": HTTPStatus(int(status)).phrase}
            self.api.add_gateway_response(
                name,
                type=kind,
                status_code=status,
                response_headers={**_ON_OWN_ANSWERS, **headers},
                templates={"application/json": json.dumps({**said, "instance": "$context.requestId"})},
            )
        for name, kind in (
            ("Refused", apigateway.ResponseType.DEFAULT_4_XX),
            ("Failed", apigateway.ResponseType.DEFAULT_5_XX),
        ):
            self.api.add_gateway_response(name, type=kind, response_headers=_ON_OWN_ANSWERS)

    def _watch(self) -> list[cloudwatch.Alarm]:
        """Chalice answers an unforeseen exception itself, so Lambda counts no error: the 5xx count does.

        Answers the alarms at which a release is taken back.
        """
        five = Duration.minutes(5)
        says = "The portal answered a request with a server error."
        rule = Rule(Runbook.PORTAL_ERRORS, says)
        errors = alarm(self, "PortalErrors", self.api.metric_server_error(period=five), rule, self._data.alarms)
        slow = self.api.metric_latency(period=five, statistic="p99")
        rule = Rule(Runbook.PORTAL_SLOW, "One request in a hundred takes over 3 s.", threshold=3000, periods=3)
        alarm(self, "PortalSlow", slow, rule, self._data.alarms)
        says = "Many requests came with keys that are wrong, revoked or expired."
        rule = Rule(Runbook.WRONG_API_KEYS, says, threshold=_WRONG_KEYS_PER_5_MINUTES)
        alarm(self, "WrongKeys", own_metric("ApiWrongKeys", API.service), rule, self._data.alarms)
        return [errors, self._slow_release()]

    def _slow_release(self) -> cloudwatch.Alarm:
        """Over while a release is still at its tenth, which is ten times what the percentile leaves out. Wakes nobody:
        a few slow minutes are everyday, and cost a release only that it is taken back."""
        says = "One request in a hundred takes over 3 s, three minutes in a row: a release under way is taken back."
        slow = self.api.metric_latency(period=Duration.minutes(1), statistic="p99")
        return quiet_alarm(self, "ReleaseSlow", slow, Rule(Runbook.PORTAL_SLOW, says, threshold=3000, periods=3))

    def _firewall(self, region: Region) -> waf.CfnWebACL:
        name = self._data.names.of("portal")
        if not self._target.front_secrets:
            return managed_rules(self, name, "REGIONAL")
        secrets = [self._front_secret(region, label) for label in self._target.front_secrets]
        return only_known(self, name, [secret.secret_value.unsafe_unwrap() for secret in secrets])

    def _front_secret(self, region: Region, label: str) -> secretsmanager.Secret:
        """Made here, and copied to where CloudFront's stack reads it."""
        _, front_region = self._target.stack(region.code, FRONT)
        copies = [] if region.name == front_region else [secretsmanager.ReplicaRegion(region=front_region)]
        return secretsmanager.Secret(
            self,
            f"FrontSecret{label}",
            secret_name=self._data.names.front_secret(region.code, label),
            description="By which CloudFront is known before the API",
            encryption_key=self._data.keys.messages,
            generate_secret_string=secretsmanager.SecretStringGenerator(exclude_punctuation=True, password_length=48),
            replica_regions=copies,
            removal_policy=RemovalPolicy.DESTROY,
        )

    def _host_name(self, region: Region, hosted: HostedZone) -> None:
        """API Gateway answers to the public host name in any case. Where CloudFront stands before it, only CloudFront
        finds it, under a name that is for that alone."""
        zone = zone_of(self, hosted)
        certificate = certificates.Certificate(
            self,
            "Certificate",
            domain_name=region.host,
            validation=certificates.CertificateValidation.from_dns(zone),
        )
        domain = self.api.add_domain_name(
            "HostName",
            domain_name=region.host,
            certificate=certificate,
            endpoint_type=apigateway.EndpointType.REGIONAL,
            security_policy=apigateway.SecurityPolicy.TLS_1_2,
        )
        there = route53.RecordTarget.from_alias(route53_targets.ApiGatewayDomain(domain))
        name = region.origin_host if self._target.front_secrets else region.host
        route53.ARecord(self, "Address", zone=zone, record_name=name + ".", target=there)

    def _outputs(self) -> None:
        CfnOutput(self, "ApiId", value=self.api.rest_api_id)
        CfnOutput(self, "StageName", value=self.api.deployment_stage.stage_name)
        CfnOutput(self, "UserPoolId", value=self.users.user_pool_id)
        CfnOutput(self, "UserPoolClientId", value=self.client.user_pool_client_id)
        CfnOutput(self, "StaffPoolId", value=self.staff.user_pool_id)
        CfnOutput(self, "StaffPoolClientId", value=self.staff_client.user_pool_client_id)


def _chalice_app(module: str) -> Any:  # Chalice ships no types
    """An app whose routes are deployed, with all of them. Importing it touches neither network nor settings."""
    return importlib.import_module(module).app.checked()
