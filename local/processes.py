"""Background processes of an instance: started apart from the terminal, known by pid files, heard in log files."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from local.place import ROOT, Place

PATIENCE_S = 15  # a first page on a busy machine


@dataclass(frozen=True, slots=True)
class Process:
    """`module` is run with this Python; `health` is a URL that answers (any status) once it is up."""

    name: str
    module: str
    arguments: tuple[str, ...]
    health: str

    def pid(self, place: Place) -> int | None:
        """The process's id if it lives and is still ours."""
        file = place.pids / f"{self.name}.pid"
        if not file.exists():
            return None
        pid = int(file.read_text() or 0)
        return pid if pid and _runs(pid, self.module) else None

    def serves(self, place: Place) -> bool:
        """Whether it runs and answers. One that runs and does not answer is ended, so that it can start again."""
        if self.pid(place) is None:
            return False
        if answers(self.health):
            return True
        self.stop(place)
        return False

    def start(self, place: Place, environment: Mapping[str, str], wait_s: float = 120) -> None:
        """Start it and wait until it answers; RuntimeError with the end of its log when it does not.

        RuntimeError too when something else answers there already: another folder's Saldo must not be taken for ours.
        """
        if answers(self.health):
            raise RuntimeError(
                f"another program answers at {self.health}; stop it (perhaps Saldo of another folder: make down there)"
                " or choose other ports with SALDO_PORT_BASE"
            )
        for folder in (place.pids, place.logs):
            folder.mkdir(parents=True, exist_ok=True)
        log = place.logs / f"{self.name}.log"
        with log.open("ab") as out:
            started = subprocess.Popen(
                [sys.executable, "-m", self.module, *self.arguments],
                cwd=ROOT,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        (place.pids / f"{self.name}.pid").write_text(str(started.pid))
        until = time.monotonic() + wait_s
        while not answers(self.health):
            if started.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{self.name} did not come up; the end of {log}:\n{_tail(log)}")
            time.sleep(0.05)

    def stop(self, place: Place, wait_s: float = 20) -> bool:
        """End it, gently first. False when it was not running."""
        pid = self.pid(place)
        if pid is None:
            return False
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        until = time.monotonic() + wait_s
        while _runs(pid, self.module):
            if time.monotonic() > until:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                break
            time.sleep(0.05)
        (place.pids / f"{self.name}.pid").unlink(missing_ok=True)
        return True


def answers(url: str) -> bool:
    """Whether something answers there, whatever it says. Where nothing listens, that is known at once."""
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE_S):  # noqa: S310 - own port
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def _runs(pid: int, module: str) -> bool:
    """Whether that process runs that module; a pid may by now belong to somebody else. A zombie does not run."""
    with suppress(ChildProcessError, PermissionError):
        os.waitpid(pid, os.WNOHANG)  # a child of ours that ended would stay a zombie
    try:
        words: Sequence[bytes] = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return _alive(pid) if not Path("/proc/self").exists() else False
    return module.encode() in words


def _alive(pid: int) -> bool:
    """Where there is no /proc (macOS)."""
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def _tail(log: Path, lines: int = 25) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
