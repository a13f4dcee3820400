"""A simulator of another's service, held to the contract with it together with whoever asks it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any  # what travels is of any shape until it is held
from urllib.parse import parse_qsl, unquote

from jsonschema import Draft202012Validator

from local.tax_services.faults import Script
from local.tax_services.server import Book, ServiceProcess
from local.vendors.model import Call, Contract
from saldo.storage.web import json_of


@dataclass
class Held:
    """Passes calls on to `book`. `breaches`: what was sent or told otherwise than the contract says. `met`: its calls,
    with the status of the answer."""

    book: Book
    contract: Contract
    breaches: list[str] = field(default_factory=list)
    met: set[tuple[str, str, int]] = field(default_factory=set)

    def answer(self, verb: str, path: str, headers: Mapping[str, str], document: Any) -> tuple[int, Any]:
        status, told = self.book.answer(verb, path, headers, document)
        call = self._call(verb, path)
        if call is None:
            self.breaches.append(f"{verb} {path} is in no contract")
            return status, told
        self.met.add((verb, call.path, status))
        if unquote(path.partition("?")[2]) != call.query:
            self.breaches.append(f"{verb} {path} has another query than {call.query!r}")
        if call.request is not None:
            self._hold(f"{verb} {call.path}", document, call.request)
        if call.form is not None:
            self._hold(f"{verb} {call.path}", dict(parse_qsl(str(document), strict_parsing=True)), call.form)
        if status not in call.answers:
            self.breaches.append(f"{verb} {call.path} answered {status}")
        else:
            self._hold(f"{verb} {call.path} -> {status}", told, call.answers[status])
        return status, told

    def _call(self, verb: str, path: str) -> Call | None:
        route = path.partition("?")[0]
        for call in self.contract.calls:
            start, placeholder, _ = call.path.partition("{")
            if verb == call.verb and (route.startswith(start) if placeholder else route == call.path):
                return call
        return None

    def _hold(self, where: str, document: Any, schema: dict[str, Any]) -> None:
        found = Draft202012Validator(schema).iter_errors(json.loads(json_of(document)))
        self.breaches += [f"{where}: {error.json_path}: {error.message}" for error in found]


@contextmanager
def answering(book: Book, contract: Contract, script: Script | None = None) -> Iterator[ServiceProcess]:
    """The service on loopback; in the end nobody has broken the contract."""
    held = Held(book, contract)
    with ServiceProcess(held, script=script) as process:
        yield process
    assert not held.breaches, "\n".join(held.breaches)
