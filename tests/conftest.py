"""What every test may ask for."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from local.stack import LocalStack
    from local.supervisor import Instance

TESTS = Path(__file__).parent
WHOLE = ("scenarios", "stack", "web")  # where `make test` looks for tests of the whole system: to collect all is slow

os.environ.setdefault("AWS_ACCESS_KEY_ID", "testing")
os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "testing")  # pragma: allowlist secret
os.environ.setdefault("AWS_DEFAULT_REGION", "eu-central-1")
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "Saldo")
os.environ.setdefault("POWERTOOLS_SERVICE_NAME", "tests")  # not an app's name: Chalice has a logger of that


def pytest_configure() -> None:
    """No example fails for being slow: how long one takes says how busy the machine is."""
    from hypothesis import settings

    settings.register_profile("unhurried", deadline=None)
    settings.load_profile("unhurried")


@pytest.fixture(autouse=True)
def no_browsers_loop(request: pytest.FixtureRequest) -> Iterator[None]:
    """A browser that waits for its next page keeps its event loop marked as running in this thread: whatever else a
    process tests after pages runs loops of its own all the same."""
    running = None if request.node.get_closest_marker("web") else asyncio._get_running_loop()
    if running is not None:
        asyncio._set_running_loop(None)
    yield
    if running is not None:
        asyncio._set_running_loop(running)


@pytest.fixture(scope="session")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """The whole system, deployed from its templates on ports and into a folder of its own, for all tests that ask."""
    from local.place import Place
    from local.supervisor import Instance

    made = Instance(Place(_free_ports(4), tmp_path_factory.mktemp("instance")), lambda _line: None)
    try:
        made.up(seeded=False)
        yield made
    finally:
        made.down()


@pytest.fixture(scope="session")
def stacks(instance: Instance) -> dict[str, LocalStack]:
    """What is deployed, by region code."""
    from local.stack import endpoints

    return {code: endpoints(code, instance.place) for code in ("eu", "us")}


def _free_ports(count: int) -> int:
    """The first of so many free ports in a row."""
    for base in range(19080, 29080, 10):
        if all(_free(base + offset) for offset in range(count)):
            return base
    raise RuntimeError("no free ports between 19080 and 29080")


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Pages in a browser take the longest by far: begun last, one process would wait for the other. They come when
    three quarters of the rest lie before them in the list, which is amid the second process's part of it."""
    pages = [item for item in items if item.get_closest_marker("web")]
    others = [item for item in items if not item.get_closest_marker("web")]
    before = len(others) * 3 // 4
    items[:] = [*others[:before], *pages, *others[before:]]
    whole = [item for item in items if item.get_closest_marker("stack")]
    astray = {item.nodeid for item in whole if item.path.relative_to(TESTS).parts[0] not in WHOLE}
    if astray:
        raise pytest.UsageError(f"tests of the whole system are looked for in {WHOLE} alone: {sorted(astray)}")
