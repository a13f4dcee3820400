"""The only place that reads environment variables."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class EntityCycle:
    """When a seller's daily run starts: the hour in its time zone."""

    entity_id: str
    time_zone: str
    hour: int


@dataclass(frozen=True, slots=True)
class Settings:
    """What a deployment tells its functions. A name absent from the environment is an empty text.

    `portal_origins` maps region code to the origin (scheme, host, port) of that region's portal; `entities` are the
    sellers whose runs this region's schedules start. `tax_service`: `avalara`, `vertex`, or "" for the table alone.
    `billed_tolerance_percent`: how far a run may lie from what its customers were billed a month before, "" for 30.
    `sign_in_url`: the user pool's own domain for single sign-on, "" for the endpoint that its client talks to.
    `customer_role_arn`: the role under which pages reach a customer's records (`narrowed`).
    `details_key_id`: the KMS key that signs what sellers say of their bank accounts.
    `documents_key_id`: the one that signs their documents.
    `scanner_address`: clamd as `host:port`, "" for the test file of EICAR alone.
    `front`: "cloudfront" where nothing but CloudFront reaches portal and API, whose headers then say who asks; "" where
    API Gateway sees callers itself.
    `flags`: the AppConfig application of feature flags, "" for the list that the code carries.
    """

    env: str
    region_code: str
    table: str
    keys_table: str
    kms_key_id: str
    details_key_id: str
    documents_key_id: str
    documents_bucket: str
    imports_bucket: str
    usage_bucket: str
    uploads_bucket: str
    audit_bucket: str
    work_bucket: str
    bus: str
    user_pool_id: str
    user_pool_client_id: str
    sign_in_url: str
    staff_pool_id: str
    staff_pool_client_id: str
    gateway_url: str
    gateway_secret_arn: str
    gateway_queue_url: str
    usage_queue_url: str
    parts_queue_url: str
    documents_function: str
    count_usage_function: str
    mail_from: str
    state_machine_arn: str
    tax_service: str
    tax_url: str
    tax_secret_arn: str
    vat_register_url: str
    scanner_address: str
    billed_tolerance_percent: str
    canary_secret_arn: str
    customer_role_arn: str
    front: str
    flags: str
    portal_origins: Mapping[str, str]
    entities: tuple[EntityCycle, ...]

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read `SALDO_<FIELD>` for each field; SALDO_PORTAL_ORIGINS is a JSON object, SALDO_ENTITIES a JSON list."""
        env = os.environ if environment is None else environment
        names = [f.name for f in fields(cls) if f.name not in ("portal_origins", "entities")]
        texts = {name: env.get(f"SALDO_{name.upper()}", "") for name in names}
        origins = json.loads(env.get("SALDO_PORTAL_ORIGINS", "{}"))
        entities = tuple(EntityCycle(**cycle) for cycle in json.loads(env.get("SALDO_ENTITIES", "[]")))
        return cls(**texts, portal_origins=origins, entities=entities)

    @property
    def origin(self) -> str:
        """The portal's own origin in this region."""
        return self.portal_origins.get(self.region_code, "")
