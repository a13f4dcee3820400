"""How functions are hosted in a stack: shared code, layers, environment and grants."""

from __future__ import annotations

import json
from collections.abc import Mapping

from aws_cdk import CfnParameter, Stack
from aws_cdk import aws_lambda as lambda_

from infra.cdk.alarms import NAMESPACE
from infra.cdk.bundling import handler_code, packages_layer, saldo_layer
from infra.cdk.data import DataStack
from infra.cdk.environments import Environment, Region
from infra.cdk.functions import COUNT_USAGE, DOCUMENTS, FunctionSpec
from infra.cdk.grants import statements_for
from infra.cdk.watched import WatchedFunction


class Hosting:
    """The functions of one stack. Each stack has its own layer versions over the same assets: a version that
    another stack imports could never be replaced."""

    def __init__(self, stack: Stack, env: Environment, region: Region, data: DataStack) -> None:
        self._stack, self._env, self._region, self._data = stack, env, region, data
        for_lambda = env.bundle_layers
        self._code = handler_code(for_lambda=for_lambda)
        self._layers = [self._layer("Saldo", saldo_layer(for_lambda=for_lambda))]
        if env.bundle_layers:
            self._layers.append(self._layer("Runtime", packages_layer("runtime")))
        self._extra: dict[str, lambda_.LayerVersion] = {}
        self._origins = self._parameter("PortalOrigins", json.dumps(env.portal_origins), "Region code to portal origin")
        self._gateway = self._parameter("GatewayUrl", env.gateway_url, "Where the payment gateway answers")

    def function(
        self, spec: FunctionSpec, extra: Mapping[str, str] | None = None, reserved: int | None = None
    ) -> WatchedFunction:
        """`extra`: settings that only this function has. `reserved`: of the account's concurrency, for it alone."""
        return WatchedFunction(
            self._stack,
            spec,
            self._data.ward,
            code=self._code,
            layers=[*self._layers, *self._extra_layers(spec)],
            environment={**self._environment(spec), **(extra or {})},
            statements=statements_for(spec.grants, self._data),
            reserved=reserved,
        )

    def _parameter(self, name: str, default: str, what: str) -> str:
        """Parameters, so that one synthesis serves several deployments on one machine, each on its own ports."""
        return CfnParameter(self._stack, name, type="String", default=default, description=what).value_as_string

    def _layer(self, name: str, code: lambda_.Code) -> lambda_.LayerVersion:
        return lambda_.LayerVersion(
            self._stack,
            f"{name}Layer",
            code=code,
            compatible_runtimes=[lambda_.Runtime.PYTHON_3_13],
            compatible_architectures=[lambda_.Architecture.ARM_64],
            description=f"Saldo: {name.lower()}",
        )

    def _extra_layers(self, spec: FunctionSpec) -> list[lambda_.LayerVersion]:
        if not self._env.bundle_layers:
            return []
        for name in spec.layers:
            if name not in self._extra:
                self._extra[name] = self._layer(name.title(), packages_layer(name))
        return [self._extra[name] for name in spec.layers]

    def _environment(self, spec: FunctionSpec) -> dict[str, str]:
        """What `saldo.storage.settings.Settings` reads."""
        data, names = self._data, self._data.names
        return {
            "SALDO_ENV": self._env.name,
            "SALDO_REGION_CODE": self._region.code,
            "SALDO_TABLE": data.records.table_name,
            "SALDO_KEYS_TABLE": data.wrapped_keys.table_name,
            "SALDO_KMS_KEY_ID": data.keys.envelope.key_arn,
            "SALDO_DETAILS_KEY_ID": data.keys.details.key_arn,
            "SALDO_DOCUMENTS_KEY_ID": data.keys.documents.key_arn,
            "SALDO_DOCUMENTS_BUCKET": data.buckets["documents"].bucket_name,
            "SALDO_IMPORTS_BUCKET": data.buckets["imports"].bucket_name,
            "SALDO_USAGE_BUCKET": data.buckets["usage"].bucket_name,
            "SALDO_UPLOADS_BUCKET": data.buckets["uploads"].bucket_name,
            "SALDO_AUDIT_BUCKET": data.buckets["audit"].bucket_name,
            "SALDO_WORK_BUCKET": data.buckets["work"].bucket_name,
            "SALDO_BUS": data.bus.event_bus_name,
            "SALDO_PORTAL_ORIGINS": self._origins,
            "SALDO_GATEWAY_URL": self._gateway,
            "SALDO_GATEWAY_SECRET_ARN": data.gateway_secret.secret_arn,
            "SALDO_GATEWAY_QUEUE_URL": data.gateway_events.queue.queue_url,
            "SALDO_USAGE_QUEUE_URL": data.usage_batches.queue.queue_url,
            "SALDO_PARTS_QUEUE_URL": "",  # each function that goes by parts has its own; see runs.py
            "SALDO_DOCUMENTS_FUNCTION": names.of(DOCUMENTS.name),
            "SALDO_COUNT_USAGE_FUNCTION": names.of(COUNT_USAGE.name),
            "SALDO_STATE_MACHINE_ARN": names.invoice_run_arn,
            "SALDO_CUSTOMER_ROLE_ARN": names.customer_role_arn,
            "SALDO_ENTITIES": json.dumps(
                [{"entity_id": e.id, "time_zone": e.time_zone, "hour": e.cycle_hour} for e in self._region.entities]
            ),
            "SALDO_MAIL_FROM": self._env.mail_from,
            "SALDO_TAX_SERVICE": self._env.tax_service,
            "SALDO_TAX_URL": self._env.tax_url,
            "SALDO_CANARY_SECRET_ARN": data.canary_secret.secret_arn,
            "SALDO_TAX_SECRET_ARN": data.tax_secret.secret_arn if data.tax_secret else "",
            "SALDO_VAT_REGISTER_URL": self._env.vat_register_url,
            "SALDO_SCANNER_ADDRESS": self._env.scanner_address,
            "SALDO_BILLED_TOLERANCE_PERCENT": str(self._env.billed_tolerance_percent),
            "SALDO_FRONT": "cloudfront" if self._env.front_secrets else "",
            "SALDO_FLAGS": "",  # who reads flags is told where; see flags.py
            "POWERTOOLS_SERVICE_NAME": spec.service,
            "POWERTOOLS_METRICS_NAMESPACE": NAMESPACE,
            "POWERTOOLS_LOG_LEVEL": "INFO",
        }
