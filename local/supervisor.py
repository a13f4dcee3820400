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

from local.deployment import Deployment, checkpoint
from local.place import REGIONS, ROOT, Place
from local.processes import Process
from local.stack import LocalStack, endpoints
from local.synthesis import synthesise

Say = Callable[[str], None]
_FRONT_NAME, _GATEWAY_NAME = "front", "gateway"
_WEBHOOK = "/webhooks/gateway"


def emulator(place: Place) -> Process:
    return Process("aws", "local.emulator", (), f"{place.aws_url}/_ministack/health")


def front(place: Place, stacks: tuple[LocalStack, ...]) -> Process:
    ports = place.portal_ports
    portals = [f"{ports[s.region_code]}={s.api_id}/{s.api_stage}" for s in stacks]
    health = f"http://localhost:{place.port_base}/"
    return Process(_FRONT_NAME, "local.front", ("--aws", str(place.aws_port), *portals), health)


def gateway(place: Place) -> Process:
    """The payment gateway's simulator. It knows each region's secret and calls each region's webhook."""
    webhooks = [w for code, origin in place.portal_origins.items() for w in ("--webhook", f"{code}={origin}{_WEBHOOK}")]
    where = ("--secret-file", str(place.state / "gateway.secrets"), "--state", str(place.state / "gateway"))
    arguments = ("--port", str(place.gateway_port), *where, *webhooks)
    return Process(_GATEWAY_NAME, "local.gateway", arguments, f"{place.gateway_url}/")


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
        for process in (front(self.place, ()), gateway(self.place), emulator(self.place)):
            if process.stop(self.place):
                self._say(f"{process.name} stopped")

    def reset(self) -> None:
        """Stop, and forget everything this instance knows."""
        self.down()
        shutil.rmtree(self.place.state, ignore_errors=True)
        self._say(f"{self.place.state} removed")

    def status(self) -> dict[str, bool]:
        """Which processes run."""
        processes = {"aws": emulator(self.place), "gateway": gateway(self.place), "portals": front(self.place, ())}
        return {name: process.pid(self.place) is not None for name, process in processes.items()}

    def _start_emulator(self) -> None:
        process = emulator(self.place)
        if process.serves(self.place):
            return
        for folder in (self.place.aws_state, self.place.objects):
            folder.mkdir(parents=True, exist_ok=True)
        process.start(self.place, emulator_environment(self.place))

    def _start_gateway(self, stacks: tuple[LocalStack, ...]) -> None:
        process = gateway(self.place)
        if process.serves(self.place) or not _exists("local.gateway.__main__"):
            return
        self._hand_over_secrets(stacks)
        path = os.pathsep.join([str(ROOT), str(ROOT / "layers" / "saldo" / "python")])
        process.start(self.place, {**os.environ, "PYTHONPATH": path})

    def _hand_over_secrets(self, stacks: tuple[LocalStack, ...]) -> None:
        """One line for each region's secret; the file is for this user's eyes."""
        secrets = []
        for stack in stacks:
            held = stack.client("secretsmanager").get_secret_value(SecretId=stack.gateway_secret_arn)
            secrets.append(held["SecretString"])
        file = self.place.state / "gateway.secrets"
        file.touch(mode=0o600)
        file.write_text("\n".join(secrets) + "\n")
        (self.place.state / "gateway").mkdir(exist_ok=True)

    def _start_front(self, stacks: tuple[LocalStack, ...]) -> None:
        """A new deployment may have brought a new API: then the portals are started again."""
        process = front(self.place, stacks)
        stamp = self.place.state / "front.txt"
        wanted = " ".join(process.arguments)
        if process.serves(self.place):
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
