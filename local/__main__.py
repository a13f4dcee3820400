"""`python -m local up|down|reset|deploy|status`: one instance of Saldo on this machine."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Mapping

from local.place import ROOT, Place


def main(arguments: list[str] | None = None) -> int:
    """Exit status 0 when done, 1 when something did not come up, 3 when `status` finds it down."""
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    parser.add_argument("command", choices=("up", "down", "reset", "deploy", "status"))
    parser.add_argument("--empty", action="store_true", help="up: without the demo seller")
    given = parser.parse_args(arguments)
    sys.path[:0] = [str(ROOT), str(ROOT / "layers" / "saldo" / "python")]
    from local.supervisor import Instance

    instance = Instance(Place.from_environment(), _say)
    try:
        return _obey(instance, given.command, seeded=not given.empty)
    except (RuntimeError, LookupError, OSError) as error:
        print(f"\nSaldo did not come up: {error}", file=sys.stderr)
        return 1


def _obey(instance: object, command: str, *, seeded: bool) -> int:
    from local.supervisor import Instance

    assert isinstance(instance, Instance)
    if command == "status":
        return _report(instance.status())
    if command == "up":
        instance.up(seeded=seeded)
        _welcome(instance.place)
    elif command == "deploy":
        instance.deploy()
    elif command == "down":
        instance.down()
    else:
        instance.reset()
    return 0


def _report(running: Mapping[str, bool]) -> int:
    for name, runs in running.items():
        print(f"  {name:10} {'running' if runs else 'stopped'}")
    return 0 if all(running.values()) else 3


def _welcome(place: Place) -> None:
    print("\nSaldo is up.")
    for code, origin in place.portal_origins.items():
        print(f"  Portal, {code.upper()} region   {origin}/")
    try:
        demo = importlib.import_module("local.demo")
    except ModuleNotFoundError:
        return
    for line in demo.sign_ins():
        print(f"  {line}")


def _say(line: str) -> None:
    print(f"  {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
