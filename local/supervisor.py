"""Brings an instance up and down: synthesis, emulated AWS, deployment, payment gateway, portals, demo seller."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from local import aws
from local.deployment import Deployment, checkpoint
from local.place import REGIONS, ROOT, Place
from local.processes import Process
from local.stack import LocalStack, endpoints
from local.synthesis import synthesise

Say = Callable[[str], None]
_FRONT_NAME, _GATEWAY_NAME = "front", "gateway"


def emulator(place: Place) -> Process:
    return Process("aws", "local.emulator", (), f"{place.aws_url}/_ministack/health")


def front(place: Place, stacks: tuple[LocalStack, ...]) -> Process:
    ports = place.portal_ports
    portals = [f"{ports[s.region_code]}={s.api_id}/{s.api_stage}" for s in stacks]
    health = f"http://localhost:{place.port_base}/"
    return Process(_FRONT_NAME, "local.front", ("--aws", str(place.aws_port), *portals), health)


def gateway(place: Place) -> Process:
    arguments = ("--port", str(place.gateway_port))
    return Process(_GATEWAY_NAME, "local.gateway", arguments, f"{place.gateway_url}/health")


class Instance:
    """One running Saldo on this machine. `say` receives one line of progress at a time."""

    def __init__(self, place: Place, say: Say) -> None:
        self.place, self._say = place, say

    def up(self, *, seeded: bool = True) -> tuple[LocalStack, ...]:
        """Bring up whatever is not up. Safe to repeat; unchanged parts are left alone."""
        self.place.state.mkdir(parents=True, exist_ok=True)
        self._timed("emulated AWS", self._start_emulator)
        self.deploy()
        stacks = tuple(endpoints(code, self.place) for code in REGIONS)
        self._timed("payment gateway", lambda: self._start_gateway(stacks))
        self._timed("portals", lambda: self._start_front(stacks))
        if seeded:
            self._seed(stacks)
        return stacks

    def deploy(self) -> None:
        """Synthesise and deploy, each only when something changed since the last time."""
        assembly = self._timed("templates", synthesise)[0]
        wanted = _assembly_hash(assembly) + str(self.place.port_base)
        stamp = self.place.state / "deployed.txt"
        if stamp.exists() and stamp.read_text() == wanted:
            return
        stamp.unlink(missing_ok=True)
        self._timed("deployment to both regions", Deployment(self.place, assembly).run)
        stamp.write_text(wanted)

    def down(self) -> None:
        """Stop every process. Data stays."""
        for name in (_FRONT_NAME, _GATEWAY_NAME):
            process = Process(name, f"local.{name}", (), "")
            if process.stop(self.place):
                self._say(f"{name} stopped")
        if emulator(self.place).stop(self.place):
            self._say("emulated AWS stopped, its state is saved")

    def reset(self) -> None:
        """Stop, and forget everything this instance knows."""
        self.down()
        shutil.rmtree(self.place.state, ignore_errors=True)
        self._say(f"{self.place.state} removed")

    def status(self) -> dict[str, bool]:
        """Which processes run."""
        named = {"aws": emulator(self.place), "gateway": gateway(self.place)}
        running = {name: process.pid(self.place) is not None for name, process in named.items()}
        return {**running, "portals": Process(_FRONT_NAME, "local.front", (), "").pid(self.place) is not None}

    def _start_emulator(self) -> None:
        process = emulator(self.place)
        if process.pid(self.place) is not None:
            return
        for folder in (self.place.aws_state, self.place.objects):
            folder.mkdir(parents=True, exist_ok=True)
        process.start(self.place, emulator_environment(self.place))

    def _start_gateway(self, stacks: tuple[LocalStack, ...]) -> None:
        process = gateway(self.place)
        if process.pid(self.place) is not None or not _exists("local.gateway.__main__"):
            return
        process.start(self.place, self._gateway_environment(stacks))

    def _gateway_environment(self, stacks: tuple[LocalStack, ...]) -> dict[str, str]:
        """The gateway signs with each region's own secret and calls each region's own webhook."""
        environment = {**os.environ, "SALDO_STATE_DIR": str(self.place.state)}
        environment["SALDO_PORT_BASE"] = str(self.place.port_base)
        for stack in stacks:
            secret = stack.client("secretsmanager").get_secret_value(SecretId=stack.gateway_secret_arn)
            environment[f"SALDO_GATEWAY_SECRET_{stack.region_code.upper()}"] = secret["SecretString"]
            environment[f"SALDO_PORTAL_ORIGIN_{stack.region_code.upper()}"] = stack.portal_origin
        return environment

    def _start_front(self, stacks: tuple[LocalStack, ...]) -> None:
        """A new deployment may have brought a new API: then the portals are started again."""
        process = front(self.place, stacks)
        stamp = self.place.state / "front.txt"
        wanted = " ".join(process.arguments)
        if process.pid(self.place) is not None:
            if stamp.exists() and stamp.read_text() == wanted:
                return
            process.stop(self.place)
        process.start(self.place, os.environ)
        stamp.write_text(wanted)

    def _seed(self, stacks: tuple[LocalStack, ...]) -> None:
        """The demo seller, once: a second start finds the stamp beside the data it speaks of."""
        stamp = self.place.state / "seeded.txt"
        if stamp.exists() or not _exists("local.demo"):
            return
        demo = importlib.import_module("local.demo")
        self._timed("demo seller and customers", lambda: demo.seed({s.region_code: s for s in stacks}))
        checkpoint(self.place)
        stamp.write_text("1")

    def _timed(self, what: str, work: Callable[[], Any]) -> Any:  # hands on whatever the work answers
        began = time.perf_counter()
        self._say(f"{what} …")
        answer = work()
        self._say(f"{what} ready ({time.perf_counter() - began:.1f} s)")
        return answer


def emulator_environment(place: Place) -> dict[str, str]:
    """A clean environment: functions inherit it, and on AWS they inherit nothing from a terminal."""
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ")}
    return {
        **kept,
        "GATEWAY_PORT": str(place.aws_port),
        "BIND_HOST": "127.0.0.1",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(place.aws_state),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(place.objects),
        "MINISTACK_ACCOUNT_ID": "000000000000",
        "MINISTACK_REGION": REGIONS["eu"],
        "LOG_LEVEL": "WARNING",
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "LAMBDA_WARM_TTL_SECONDS": "120",
        "PYTHONUNBUFFERED": "1",
    }


def _assembly_hash(assembly: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(assembly.glob("*.json")):
        if file.name.endswith((".template.json", ".assets.json")):
            digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()


def _exists(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


__all__ = ["Instance", "aws", "emulator", "emulator_environment"]
