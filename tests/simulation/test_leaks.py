"""What is personal or secret stays where it belongs, whatever the functions do and however they fail.

Sellers and customers of the workflows have names, addresses, tax ids, bank accounts and mail addresses. Every workflow
is driven through the hosted functions, undisturbed and with outside services that quote a customer when they fail; none
of it may stand in a log line, a metric, an error that Lambda would log, or a domain event. Nor may anything that was
sealed on the way (words of tickets and disputes, titles, numbers of certificates), nor any token that was made; and in
the table it lies in clear only where `saldo.storage.classified` says why.
"""

from __future__ import annotations

import json
import re
import secrets
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import pytest

from functions.observed import logger, metrics
from saldo.storage.classified import IN_CLEAR
from saldo.storage.items import Item
from saldo.storage.sealing import Sealer
from tests.simulation.matrix import MOST_REPEATS
from tests.simulation.region import SECRET, Region, quiet
from tests.simulation.workflows import LATER, Workflow, workflows
from tests.simulation.workflows.scenes import BERLIN, profile
from tests.simulation.world import ENTITY

FLOWS = workflows()
# So long is a text that says something (no country, no language), and so many random bytes has what opens something.
TELLING, OPENING = 8, 24
# What a letter says of a document stands on the document.
_PRINTED = re.compile(r"[A-Z]+-[0-9]{4}-[0-9]+")


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


@pytest.fixture
def plants(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What must not be seen, by what it is; it grows by what is sealed and by the tokens that are made."""
    found, seal = planted(), Sealer.seal

    def sealed(self: Sealer, organisation_id: str, key: tuple[str, str], kind: str, fields: Mapping[str, Any]) -> bytes:
        texts = [text for text in _texts(fields) if len(text) >= TELLING and not _PRINTED.fullmatch(text)]
        found.update({f"sealed in {kind}: {text}": text for text in texts})
        return seal(self, organisation_id, key, kind, fields)

    monkeypatch.setattr(Sealer, "seal", sealed)
    for name in ("token_urlsafe", "token_hex"):
        monkeypatch.setattr(secrets, name, partial(_made, getattr(secrets, name), found))
    return found


def _made(make: Callable[[int], str], found: dict[str, str], size: int) -> str:
    token = make(size)
    if size >= OPENING:
        found[f"token {len(found)}"] = token
    return token


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from _texts(list(value.values()))
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)


def leaks(text: str, plants: Mapping[str, str]) -> list[str]:
    plain = text.encode().decode("unicode_escape", errors="ignore") + text
    return [what for what, secret in plants.items() if secret in plain]


def in_clear(items: Iterable[Item], plants: Mapping[str, str]) -> set[tuple[str, str, str]]:
    """(kind, field, what) of everything that lies in clear and is not said to."""
    found = set()
    for item in items:
        for name in item.keys() - IN_CLEAR.get(item["kind"], {}).keys():
            text = json.dumps(item[name], default=str, ensure_ascii=False)
            found |= {(item["kind"], name, what) for what, secret in plants.items() if secret in text}
    return found


class Quoting(RuntimeError):  # noqa: N818 - an outside failure, named for what it does
    """An outside service that fails and quotes everything it knows."""


def _work(region: Region, flow: Workflow, fails_at: int, plants: Mapping[str, str]) -> list[str]:
    """Prepare and do the work; the call of that number fails once, with words that quote a customer.

    Returns what hosted functions raised: Lambda would write it into their logs.
    """
    flow.prepare(region)
    region.restart()
    first = region.wire.calls

    def fault(number: int, _operation: str, when: str) -> None:
        if number == first + fails_at and when == "before":
            raise Quoting(" ".join(plants.values()))

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
    flow: Workflow, fails_at: int, said: None, plants: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    region = Region()
    with region.serving():
        raised = _work(region, flow, fails_at, plants)
        metrics().flush_metrics()
    told = capfd.readouterr()
    assert not leaks(" ".join(raised), plants)
    assert not leaks(told.out + told.err, plants)
    assert not leaks(json.dumps(region.bus.taken, default=str), plants)
    with region.undisturbed():
        assert not in_clear(region.store.scan(), plants)


def test_words_tokens_and_titles_are_among_what_must_not_be_seen(said: None, plants: dict[str, str]) -> None:
    for name in ("support: ask", "dispute: talk, then take back", "certificates: hand one in", "run: first"):
        region, flow = Region(), next(f for f in FLOWS if f.name == name)
        with region.serving(), quiet():
            _work(region, flow, 0, plants)
    secrets.token_urlsafe(OPENING)
    kinds = {what.partition(":")[0].partition(" ")[0] for what in plants}
    assert {"sealed", "token"} <= kinds
    assert {what.split()[2].rstrip(":") for what in plants if what.startswith("sealed in ")} >= {
        *("profile/1", "user/1", "person/1", "ticket/1", "ticket_subject/1", "dispute_words/1"),
        *("certificate_request/1", "upload/1"),
    }
    planted_here = {"pk": "acct_eu_1", "sk": "x", "kind": "account", "name": BERLIN.lines[0], "note": BERLIN.lines[0]}
    assert in_clear([planted_here], plants) >= {("account", "note", "street")}


def test_the_lines_are_seen_and_a_planted_one_would_be_found(said: None, capfd: pytest.CaptureFixture[str]) -> None:
    """The look itself looks: functions do write lines, and what is planted in one is found, escaped or not."""
    region = Region()
    flow: Any = next(f for f in FLOWS if f.name == "publish: events of the stream")
    with region.serving():
        _work(region, flow, 0, planted())
    assert "PublishEventsDone" in capfd.readouterr().out
    assert region.bus.taken
    logger().info("to " + BERLIN.lines[0])
    assert leaks(capfd.readouterr().out, planted()) == ["street"]
