"""Function workers: real exception names for workflows, no pause after silent handlers, metrics from log lines.

The emulator reports every Python exception as one class, so `Retry` on `Unavailable` would never match; and it waits
50 ms for log lines that a silent handler never writes. Lambda's own END line solves both.
"""

from __future__ import annotations

import json
from typing import Any

from local.emulator.replace import around, swap

_MARK = "\x1f"
_END = 'sys.stderr.write("END RequestId: " + str(context.aws_request_id) + "\\n"); sys.stderr.flush(); '
_OK = '_real_stdout.write(json.dumps({"status": "ok", "result": result}) + "\\n")'
_ERROR = '_real_stdout.write(json.dumps({"status": "error", "error": str(e), "trace": traceback.format_exc()}) + "\\n")'
_NAMED = _ERROR.replace("str(e)", f'"{_MARK}" + type(e).__name__ + "{_MARK}" + str(e)')
Result = dict[str, Any]  # the emulator's own answer of an invocation


def install() -> None:
    import ministack.core.lambda_runtime as runtime
    import ministack.services.lambda_svc as functions

    script = swap(runtime._PYTHON_WORKER_SCRIPT, _ERROR, _END + _NAMED)
    runtime._PYTHON_WORKER_SCRIPT = swap(script, _OK, _END + _OK)
    around(functions, "_execute_function_warm", _named_and_measured)


def _named_and_measured(invoke: Any) -> Any:
    from local.emulator.metrics import measure_invocation

    def invoke_named(func: Any, event: Any, request_id: str) -> Result:
        result: Result = invoke(func, event, request_id)
        body = result.get("body")
        if result.get("error") and isinstance(body, dict):
            body.update(_named(str(body.get("errorMessage", "")), request_id, str(result.get("log", ""))))
        config = func.get("config") or func
        measure_invocation(config.get("FunctionName", ""), bool(result.get("error")), str(result.get("log", "")))
        return result

    return invoke_named


def _named(message: str, request_id: str, log: str) -> dict[str, Any]:
    """What Lambda reports of an exception: its class, message and stack."""
    if not message.startswith(_MARK):
        return {}
    _, kind, text = message.split(_MARK, 2)
    stack = [line for line in log.splitlines() if line.lstrip().startswith("File ")]
    return {"errorType": kind, "errorMessage": text, "requestId": request_id, "stackTrace": stack}


def emf(line: str) -> dict[str, Any] | None:
    """The metrics object in a log line, if it is one (CloudWatch embedded metric format)."""
    if '"_aws"' not in line:
        return None
    try:
        found = json.loads(line[line.index("{") :])
    except ValueError:
        return None
    return found if isinstance(found, dict) and "_aws" in found else None
