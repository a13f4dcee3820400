"""Between a hosted function and its clients: a call that its role's policies do not allow fails as AWS fails it.

Who acts is said by `acting`; outside of it nothing is checked, since operators act there with rights of their own.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

from saldo.storage.clients import signer
from tests.permissions.calls import asks
from tests.permissions.deployed import Deployed, Names, deployed
from tests.permissions.iam import Ask, Statement, decide

_ACTING: ContextVar[str] = ContextVar("acting", default="")
_WORDS = re.compile(r"(?:^|_)(\w)")
Used = tuple[str, str, str, str]  # function, statement, action, resource, the last two as the policy words them

Words = tuple[str, str, Any]  # function, operation, tables


@contextmanager
def acting(function: str) -> Iterator[None]:
    """Within it, calls are those of this function (its name in infra/cdk/functions.py), under its role."""
    before = _ACTING.set(function)
    try:
        yield
    finally:
        _ACTING.reset(before)


def denied(operation: str, role: str, ask: Ask) -> ClientError:
    said = f"{role} is not authorized to perform: {ask.action} on resource: {ask.resource}"
    return ClientError(
        {"Error": {"Code": "AccessDeniedException", "Message": said}, "ResponseMetadata": {"HTTPStatusCode": 400}},  # type: ignore[typeddict-item]
        operation,
    )


@dataclass
class Gate:
    """Policies by function, and how often each of their words allowed something.

    `sessions`: policies of sessions, by function or, of roles that were assumed, by the access key that was given out.
    """

    policies: dict[str, Sequence[Statement]]
    names: Names
    sessions: dict[str, Sequence[Statement]] = field(default_factory=dict)
    used: Counter[Used] = field(default_factory=Counter)
    refused: list[tuple[str, Ask]] = field(default_factory=list)
    _known: dict[Any, Used | None] = field(default_factory=dict)
    _by_key: dict[str, bool] = field(default_factory=dict)
    _allowed: dict[Words, list[Used]] = field(default_factory=dict)

    def assume(self, role_arn: str, session_policy: str) -> str:
        """The access key under which calls are those of the role, held to the session policy."""
        role = self.names.arn("role", role_arn).rpartition("/")[2]
        access_key = f"ASIA{sha256(f'{role} {session_policy}'.encode()).hexdigest()[:16].upper()}"
        self.policies[access_key] = self.policies[role]
        self.sessions[access_key] = [Statement.of(raw) for raw in json.loads(session_policy)["Statement"]]
        return access_key

    def check(self, role: str, service: str, operation: str, params: Mapping[str, Any]) -> None:
        """Raises AccessDeniedException as boto3 would when the acting function may not do this."""
        words = (role, operation, _tables(params)) if service == "dynamodb" and not self._looks_at_keys(role) else None
        known = self._allowed.get(words) if words else None
        if known is None:
            wanted = asks(service, operation, params, self.names.to(role), keys=words is None)
            known = [self._needed(role, operation, ask) for ask in wanted]
            if words:
                self._allowed[words] = known
        for used in known:
            self.used[used] += 1

    def _needed(self, role: str, operation: str, ask: Ask) -> Used:
        used = self._decided(role, ask)
        if used is None:
            self.refused.append((role, ask))
            raise denied(operation, role, ask)
        return used

    def _looks_at_keys(self, role: str) -> bool:
        known = self._by_key.get(role)
        if known is None:
            both = [*self.policies[role], *self.sessions.get(role, ())]
            known = self._by_key[role] = any(key == "dynamodb:leadingkeys" for s in both for _, key, _ in s.conditions)
        return known

    def _decided(self, role: str, ask: Ask) -> Used | None:
        """Most asks differ in nothing that a policy looks at, so what was decided once is remembered."""
        key = (role, ask.action, ask.resource, tuple(ask.context.items()))
        if key in self._known:
            return self._known[key]
        found = decide(ask, self.policies[role], self.sessions.get(role))
        used = (role, found.by[0].name, found.by[1], found.by[2]) if found.allowed and found.by else None
        self._known[key] = used
        return used


class Guarded:
    """A client whose every call is checked first, when a function makes it."""

    def __init__(self, gate: Callable[[], Gate], service: str, client: Any) -> None:
        self._gate, self._service, self._client = gate, service, client

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if name == "exceptions" or not callable(found):
            return found
        if name == "get_paginator":
            return lambda operation: SimpleNamespace(paginate=self._checked(operation, found(operation).paginate))
        self.__dict__[name] = checked = self._checked(name, found)
        return checked

    def _checked(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        operation = camel(name)

        gate, service = self._gate, self._service

        def checked(**params: Any) -> Any:
            role, signed = _ACTING.get(), signer()
            if role:
                gate().check(signed.access_key if signed else role, service, operation, params)
            return call(**params)

        return checked


@dataclass(frozen=True)
class GuardedSession:
    """A boto3 session whose clients are guarded."""

    session: Any
    gate: Callable[[], Gate]

    def client(self, service: str, **options: Any) -> Any:
        return Guarded(self.gate, service, self.session.client(service, **options))


def _tables(params: Mapping[str, Any]) -> Any:
    """What a call names, without its keys: where no policy looks at those, all that it asks follows from this."""
    table = params.get("TableName")
    if table:
        return table, params.get("IndexName")
    rows = params.get("TransactItems")
    if rows:
        return frozenset((verb, row["TableName"]) for item in rows for verb, row in item.items())
    return tuple(params["RequestItems"])


@lru_cache
def camel(name: str) -> str:
    return _WORDS.sub(lambda m: m[1].upper(), name)


@lru_cache(maxsize=1)
def _deployed() -> Deployed:
    return deployed()


def deployed_gate(environment: Mapping[str, str]) -> Gate:
    """The gate of region eu for functions that run with these settings."""
    there = _deployed()
    return Gate(dict(there.statements), there.names(environment))
