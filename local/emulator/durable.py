"""State that outlives a kill: DynamoDB by a write-ahead log, what else lives by snapshots.

- Each DynamoDB request that changes something is appended to `dynamodb.log` before it is answered. A start loads the
  last snapshot, repeats the log in order, writes a new snapshot and empties the log.
- Services that change while the system runs (LIVE) are saved whenever they changed, each as a whole file replaced
  at once, twice a second; less often where a round takes over 25 ms: saving takes at most a twentieth of the time.
- What only a deployment changes is saved by `POST /_saldo/checkpoint`, with which every deployment ends.
- Stream records not yet taken lie in DynamoDB's snapshot; those after it come back with the log. Their consumer may
  get some twice, as on AWS, and never misses one.
- Log lines and metric values are saved at a checkpoint and at a clean stop only: a kill loses the newest of them.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TextIO

from local.emulator.replace import around

CHANGES = frozenset(
    [
        "CreateTable",
        "DeleteTable",
        "UpdateTable",
        "PutItem",
        "DeleteItem",
        "UpdateItem",
        "BatchWriteItem",
        "TransactWriteItems",
        "UpdateTimeToLive",
        "UpdateContinuousBackups",
        "TagResource",
        "UntagResource",
        "ExecuteStatement",
        "ExecuteTransaction",
        "BatchExecuteStatement",
    ]
)
LIVE = frozenset(["cognito", "kms", "s3", "secretsmanager", "ses", "ses_v2", "sqs", "stepfunctions"])
_POSITIONS = "stream-positions.json"
EVERY_S = 0.5
LARGEST_SHARE = 0.05
COMPACT_ABOVE_BYTES = 64 * 1024 * 1024
log = logging.getLogger("saldo.emulator")


def install() -> None:
    import ministack.app as app
    from ministack.services import dynamodb, ses

    around(dynamodb, "handle_request", _logged)
    around(dynamodb, "get_state", _with_streams)
    around(dynamodb, "load_persisted_state", _restoring_streams)
    around(ses, "get_state", _with_mail)
    around(ses, "load_persisted_state", _restoring_mail)
    around(app, "_load_persisted_state", _then_repeat_the_log)
    around(app, "save_all", lambda _old: lambda _states: keeper.checkpoint())


class Keeper:
    """Writes snapshots and the log into STATE_DIR."""

    def __init__(self) -> None:
        self._folder = Path(os.environ.get("STATE_DIR", "build/local/aws"))
        self._log: TextIO | None = None
        self._hashes: dict[str, bytes] = {}
        self._dirty = True

    @property
    def log_path(self) -> Path:
        return self._folder / "dynamodb.log"

    def touch(self) -> None:
        """Something may have changed since the last round."""
        self._dirty = True

    def append(self, line: str) -> None:
        if self._log is None:
            self._log = self.log_path.open("a", buffering=1)
        self._log.write(line + "\n")

    def checkpoint(self) -> None:
        """Save everything, then empty the log: the snapshot holds what it said."""
        self._save(everything=True)
        if self._log is not None:
            self._log.truncate(0)
        elif self.log_path.exists():
            self.log_path.write_text("")

    async def keep_saving(self) -> None:
        while True:
            began = time.perf_counter()
            if self._dirty:
                self._dirty = False
                self._save(everything=False)
                if self.log_path.exists() and self.log_path.stat().st_size > COMPACT_ABOVE_BYTES:
                    self.checkpoint()
            took = time.perf_counter() - began
            await asyncio.sleep(max(EVERY_S, took / LARGEST_SHARE))

    def _save(self, *, everything: bool) -> None:
        import ministack.app as app

        self._write(_POSITIONS, json.dumps(_positions()))
        for name, get_state in app._build_persistence_save_dict().items():
            if everything or name in LIVE:
                try:
                    self._save_one(name, get_state)
                except Exception:  # changed under our hands by a worker thread: the next round saves it
                    self._dirty = True
                    log.debug("%s changed while it was saved", name, exc_info=True)
                    if everything:
                        self._save_again(name, get_state)

    def _save_again(self, name: str, get_state: Callable[[], Any]) -> None:
        for _ in range(20):
            time.sleep(0.02)
            try:
                return self._save_one(name, get_state)
            except RuntimeError:
                continue
        raise RuntimeError(f"{name} could not be saved")

    def _save_one(self, name: str, get_state: Callable[[], Any]) -> None:
        from ministack.core import persistence

        state = get_state()
        if state is None:
            return
        wrapped = {"__ministack_format__": persistence._state_format_version(name), "payload": state}
        self._write(f"{name}.json", json.dumps(wrapped, default=persistence._json_default))

    def _write(self, name: str, text: str) -> None:
        """Replace a file at once, when its content is new."""
        digest = hashlib.blake2b(text.encode()).digest()
        if self._hashes.get(name) != digest:
            partial = self._folder / f"{name}.part"
            partial.write_text(text)
            partial.replace(self._folder / name)
            self._hashes[name] = digest

    def restore_positions(self) -> None:
        """How far each consumer of a stream had come; newer than what the functions' own snapshot says."""
        from ministack.services import lambda_svc

        saved = self._folder / _POSITIONS
        for account, region, id_, position in json.loads(saved.read_text()) if saved.exists() else []:
            if (account, region, id_) in lambda_svc._esms._data:
                lambda_svc._dynamodb_stream_positions._data[(account, region, id_)] = position


def _positions() -> list[list[Any]]:
    from ministack.services import lambda_svc

    return [[*key, position] for key, position in list(lambda_svc._dynamodb_stream_positions._data.items())]


keeper = Keeper()
Handle = Callable[..., Awaitable[tuple[int, dict[str, str], Any]]]


def _logged(handle: Handle) -> Handle:
    """Append every successful change to the log before it is answered."""
    from ministack.core.responses import get_account_id, get_region

    async def handle_and_log(method: str, path: str, headers: dict[str, str], body: Any, query: Any) -> Any:
        answer = await handle(method, path, headers, body, query)
        target = headers.get("x-amz-target", "")
        if answer[0] < 300 and target.rpartition(".")[2] in CHANGES and not headers.get("x-saldo-repeat"):
            text = body.decode() if isinstance(body, bytes) else body
            keeper.append(json.dumps([get_account_id(), get_region(), target, text]))
        return answer

    return handle_and_log


def _then_repeat_the_log(load: Callable[[], None]) -> Callable[[], None]:
    """Load the snapshots, repeat the log over them, and go on saving."""

    def load_and_repeat() -> None:
        load()
        keeper.restore_positions()
        if keeper.log_path.exists() and keeper.log_path.stat().st_size:
            _repeat_log(keeper.log_path.read_text().splitlines())
            keeper.checkpoint()
        asyncio.get_running_loop().create_task(keeper.keep_saving())

    return load_and_repeat


def _repeat_log(lines: list[str]) -> None:
    from local.emulator.metrics import scope

    began, refused = time.perf_counter(), 0
    for line in lines:
        try:
            account, region, target, body = json.loads(line)
        except ValueError:
            continue  # the last line may be torn: its request was never answered
        with scope(account, region):
            refused += _repeat(target, body) >= 300
    took = time.perf_counter() - began
    log.warning("repeated %d changes in %.1f s (%d refused)", len(lines), took, refused)


def _repeat(target: str, body: str) -> int:
    """Run one logged request. The emulator's DynamoDB never waits, so its coroutine ends at the first step."""
    from ministack.services import dynamodb

    headers = {"x-amz-target": target, "x-saldo-repeat": "1"}
    running = dynamodb.handle_request("POST", "/", headers, body.encode(), {})
    try:
        running.send(None)
    except StopIteration as done:
        return int(done.value[0])
    raise SystemExit("the emulator changed: its DynamoDB waits; revise local/emulator")


def _with_streams(get_state: Callable[[], dict[str, Any]]) -> Callable[[], dict[str, Any]]:
    """Add the stream records that no consumer has taken yet, at their absolute positions."""

    def state_with_streams() -> dict[str, Any]:
        from ministack.services import dynamodb

        kept = []
        for (account, region, table), records in list(dynamodb._stream_records._data.items()):
            trimmed = dynamodb._stream_trimmed._data.get((account, region, table), 0)
            taken = min(max(_taken(account, region, table), trimmed), trimmed + len(records))
            kept.append([account, region, table, taken, records[taken - trimmed :]])
        return {**get_state(), "saldo_streams": kept}

    return state_with_streams


def _taken(account: str, region: str, table: str) -> int:
    """How far the slowest consumer of a table's stream has come; everything when there is none."""
    from ministack.services import lambda_svc

    positions = []
    for (acct, reg, id_), mapping in list(lambda_svc._esms._data.items()):
        if (acct, reg) == (account, region) and f":table/{table}/stream/" in mapping.get("EventSourceArn", ""):
            positions.append(lambda_svc._dynamodb_stream_positions._data.get((acct, reg, id_), 0))
    return int(min(positions, default=2**62))


def _restoring_streams(load: Callable[[Any], Any]) -> Callable[[Any], None]:
    def load_with_streams(state: dict[str, Any]) -> None:
        from ministack.services import dynamodb

        load(state)
        for account, region, table, trimmed, records in state.get("saldo_streams", []):
            dynamodb._stream_records._data[(account, region, table)] = records
            dynamodb._stream_trimmed._data[(account, region, table)] = trimmed

    return load_with_streams


def _with_mail(get_state: Callable[[], dict[str, Any]]) -> Callable[[], dict[str, Any]]:
    def state_with_mail() -> dict[str, Any]:
        import copy

        from ministack.services import ses

        return {**get_state(), "saldo_sent": copy.deepcopy(ses._sent_emails)}

    return state_with_mail


def _restoring_mail(load: Callable[[Any], Any]) -> Callable[[Any], None]:
    def load_with_mail(state: dict[str, Any]) -> None:
        from ministack.services import ses

        load(state)
        if "saldo_sent" in state:
            ses._sent_emails.update(state["saldo_sent"])

    return load_with_mail


App = Callable[[Any, Any, Any], Awaitable[None]]


def with_checkpoints(app: App) -> App:
    """The emulator's ASGI app, with the checkpoint request, and with every other request marking state as changed."""

    async def checked(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            if scope["path"] == "/_saldo/checkpoint" and scope["method"] == "POST":
                keeper.checkpoint()
                await send({"type": "http.response.start", "status": 204, "headers": []})
                await send({"type": "http.response.body", "body": b""})
                return
            if not scope["path"].startswith("/_ministack/"):
                keeper.touch()
        await app(scope, receive, send)

    return checked
