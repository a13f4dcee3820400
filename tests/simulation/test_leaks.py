"""What is personal or secret stays where it belongs, whatever the functions do and however they fail.

Sellers and customers of the workflows have names, addresses, tax ids, bank accounts and mail addresses. Every workflow
is driven through the hosted functions, undisturbed and with outside services that quote a customer when they fail; none
of it may stand in a log line, a metric, an error that Lambda would log, or a domain event.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Iterator
from typing import Any

import pytest

from functions.observed import logger, metrics
from tests.simulation.matrix import MOST_REPEATS
from tests.simulation.region import SECRET, Region
from tests.simulation.workflows import LATER, Workflow, workflows
from tests.simulation.workflows.scenes import BERLIN, profile
from tests.simulation.world import ENTITY

FLOWS = workflows()


def planted() -> dict[str, str]:
    """What must not be seen, by what it is."""
    found = {
        "seller's bank account": ENTITY.iban,
        "seller's mail address": ENTITY.email,
        "seller's tax id": ENTITY.tax_registrations["DE"],
        "street": BERLIN.lines[0],
        "gateway's secret": SECRET.decode(),
    }
    for n in range(4):
        one = profile(n)
        found |= {
            f"legal name {n}": one.legal_name,
            f"contact {n}": one.contact_name,
            f"tax id {n}": one.tax_id,
            f"mail address {n}": one.emails[0],
        }
    return {what: text for what, text in found.items() if text}


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[None]:
    """A log service of its own for each test: powertools keeps one handler per service, tied to its first stdout."""
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Saldo")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", request.node.name[-40:])
    logger.cache_clear()
    metrics.cache_clear()
    yield
    logger.cache_clear()
    metrics.cache_clear()


def leaks(text: str) -> list[str]:
    plain = text.encode().decode("unicode_escape", errors="ignore") + text
    return [what for what, secret in planted().items() if secret in plain]


class Quoting(RuntimeError):  # noqa: N818 - an outside failure, named for what it does
    """An outside service that fails and quotes everything it knows."""


def _work(region: Region, flow: Workflow, fails_at: int) -> list[str]:
    """Prepare and do the work; the call of that number fails once, with words that quote a customer.

    Returns what hosted functions raised: Lambda would write it into their logs.
    """
    flow.prepare(region)
    region.restart()
    first = region.wire.calls

    def fault(number: int, _operation: str, when: str) -> None:
        if number == first + fails_at and when == "before":
            raise Quoting(" ".join(planted().values()))

    region.wire.fault = fault if fails_at else None
    raised = []
    for _ in range(MOST_REPEATS):
        try:
            flow.work(region)
        except Exception as error:
            if _of_a_function(error):
                raised.append(str(error))
            region.wire.fault = None
            region.now += LATER
            region.restart()
        else:
            break
    return raised


def _of_a_function(error: Exception) -> bool:
    """Whether it went through a hosted function; a use case that a test calls itself may say more."""
    return any(frame.name == "observe" for frame in traceback.extract_tb(error.__traceback__))


@pytest.mark.parametrize("fails_at", [0, 1, 4])
@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_no_workflow_tells_what_is_personal_or_secret(
    flow: Workflow, fails_at: int, said: None, capfd: pytest.CaptureFixture[str]
) -> None:
    region = Region()
    with region.serving():
        raised = _work(region, flow, fails_at)
        metrics().flush_metrics()
    told = capfd.readouterr()
    assert not leaks(" ".join(raised))
    assert not leaks(told.out + told.err)
    assert not leaks(json.dumps(region.bus.taken, default=str))


def test_the_lines_are_seen_and_a_planted_one_would_be_found(said: None, capfd: pytest.CaptureFixture[str]) -> None:
    """The look itself looks: functions do write lines, and what is planted in one is found, escaped or not."""
    region = Region()
    flow: Any = next(f for f in FLOWS if f.name == "publish: events of the stream")
    with region.serving():
        _work(region, flow, 0)
    assert "PublishEventsDone" in capfd.readouterr().out
    assert region.bus.taken
    logger().info("to " + BERLIN.lines[0])
    assert leaks(capfd.readouterr().out) == ["street"]
