"""The only place that reads environment variables."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Settings:
    """What a deployment tells its functions. A name absent from the environment is an empty text.

    `portal_origins` maps region code to the origin (scheme, host, port) of that region's portal.
    """

    env: str
    region_code: str
    table: str
    keys_table: str
    kms_key_id: str
    documents_bucket: str
    imports_bucket: str
    bus: str
    user_pool_id: str
    user_pool_client_id: str
    gateway_url: str
    gateway_secret_arn: str
    gateway_queue_url: str
    documents_function: str
    mail_from: str
    state_machine_arn: str
    portal_origins: Mapping[str, str]

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read `SALDO_<FIELD>` for each field; SALDO_PORTAL_ORIGINS is a JSON object."""
        env = os.environ if environment is None else environment
        texts = {f.name: env.get(f"SALDO_{f.name.upper()}", "") for f in fields(cls) if f.name != "portal_origins"}
        return cls(**texts, portal_origins=json.loads(env.get("SALDO_PORTAL_ORIGINS", "{}")))

    @property
    def origin(self) -> str:
        """The portal's own origin in this region."""
        return self.portal_origins.get(self.region_code, "")
