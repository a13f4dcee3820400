"""Where an instance lives: its ports and its folder. Several can run side by side."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REGIONS = {"eu": "eu-central-1", "us": "us-east-1"}
ACCOUNT = "000000000000"
DEFAULT_PORT = 8080


@dataclass(frozen=True, slots=True)
class Place:
    """`port_base`: the EU portal; the US portal, the payment gateway and the emulated AWS follow it."""

    port_base: int
    state: Path

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Place:
        """SALDO_PORT_BASE and SALDO_STATE_DIR, else 8080 and build/local of this repository."""
        env = os.environ if environment is None else environment
        state = Path(env.get("SALDO_STATE_DIR") or ROOT / "build" / "local")
        return cls(int(env.get("SALDO_PORT_BASE") or DEFAULT_PORT), state.resolve())

    @property
    def portal_ports(self) -> dict[str, int]:
        return {code: self.port_base + offset for offset, code in enumerate(REGIONS)}

    @property
    def portal_origins(self) -> dict[str, str]:
        return {code: f"http://localhost:{port}" for code, port in self.portal_ports.items()}

    @property
    def gateway_port(self) -> int:
        return self.port_base + 2

    @property
    def gateway_url(self) -> str:
        return f"http://localhost:{self.gateway_port}"

    @property
    def aws_port(self) -> int:
        return self.port_base + 3

    @property
    def aws_url(self) -> str:
        return f"http://127.0.0.1:{self.aws_port}"

    @property
    def aws_state(self) -> Path:
        return self.state / "aws"

    @property
    def objects(self) -> Path:
        return self.state / "s3"

    @property
    def logs(self) -> Path:
        return self.state / "log"

    @property
    def pids(self) -> Path:
        return self.state / "run"
