"""`python -m local.emulator`: the embedded AWS in the foreground. Settings come from the environment (supervisor)."""

from __future__ import annotations

import asyncio
import importlib.metadata
import os

VERSION = "1.5.33"


def main() -> None:
    """Replace what must be replaced, then serve until SIGTERM. State is loaded first and saved last."""
    installed = importlib.metadata.version("ministack")
    if installed != VERSION:
        raise SystemExit(f"ministack {VERSION} is needed, {installed} is installed: revise local/emulator")
    from local.emulator import alarms, codes, durable, schedules, workers

    workers.install()
    schedules.install()
    alarms.install()
    codes.install()
    durable.install()
    _serve()


def _serve() -> None:
    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    from ministack.app import app

    from local.emulator.durable import with_checkpoints

    config = Config()
    config.bind = [f"127.0.0.1:{os.environ['GATEWAY_PORT']}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 2
    config.loglevel = "WARNING"
    asyncio.run(serve(with_checkpoints(app), config))


if __name__ == "__main__":
    main()
