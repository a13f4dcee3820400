"""The audit record and the one who acts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a user, a member of staff, or a job. `on_behalf_of` when staff acts for a customer.

    `address` is where from (an IP address, truncated to its network by the edge), `correlation_id` ties the
    act to its logs.
    """

    id: str
    kind: str
    correlation_id: str = ""
    address: str = ""
    on_behalf_of: str = ""


def job(name: str, correlation_id: str = "") -> Actor:
    """One of Saldo's own jobs as an actor (`invoice_run`, `gateway_events`)."""
    return Actor(id=name, kind="job", correlation_id=correlation_id)


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One act on one owner's records. `before` and `after` hold changed fields, never personal or secret ones."""

    owner_id: str
    at: datetime
    actor: Actor
    action: str
    subject_id: str
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
