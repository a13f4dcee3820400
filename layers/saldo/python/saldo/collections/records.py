"""How reminders lie in the table.

`<entity>` / `reminders`: a seller's schedule; without it, the one everybody has.
`<account>` / `reminder#<reminder id>`: one letter; ids sort by day, and an account has one of a day.
`<account>` / `guard#reminder#<invoice>#<step>`: the invoice had that step, for ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from saldo.collections.model import DunningStep, Notice, OpenInvoice, Reminder, ReminderPolicy
from saldo.invoicing.records import header_key
from saldo.kernel.clock import instant_from, instant_text
from saldo.kernel.ids import derived_id
from saldo.storage.items import Item, Key
from saldo.storage.units import Unit

PREFIX = "reminder#"
_PLAIN = ("invoice_id", "number", "step", "days", "currency", "open_minor", "is_last", "withdrawn")


def policy_key(entity_id: str) -> Key:
    return entity_id, "reminders"


def policy_item(entity_id: str, policy: ReminderPolicy) -> Item:
    pk, sk = policy_key(entity_id)
    return {"pk": pk, "sk": sk, "kind": "reminders", **policy_fields(policy)}


def policy_fields(policy: ReminderPolicy) -> dict[str, Any]:
    """The schedule as plain values; also what audit records and the command show."""
    segments = {name: _step_items(steps) for name, steps in sorted(policy.segments.items())}
    return {"steps": _step_items(policy.steps), "segments": segments, "gap_days": policy.gap_days}


def _step_items(steps: Sequence[DunningStep]) -> list[dict[str, Any]]:
    return [{"name": step.name, "days": step.days} for step in steps]


def policy_from(item: Item | None) -> ReminderPolicy:
    if item is None:
        return ReminderPolicy()
    segments = {name: _steps_from(rows) for name, rows in item["segments"].items()}
    return ReminderPolicy(_steps_from(item["steps"]), segments, item["gap_days"])


def _steps_from(rows: Sequence[Item]) -> tuple[DunningStep, ...]:
    return tuple(DunningStep(row["name"], row["days"]) for row in rows)


def reminder_id(account_id: str, on: date) -> str:
    return derived_id("rem", on, account_id)


def reminder_key(account_id: str, id_: str) -> Key:
    return account_id, f"{PREFIX}{id_}"


def first_key_on(on: date) -> str:
    """The least sort key that a letter of that day or later can have."""
    return f"{PREFIX}rem_{on:%Y%m%d}"


LAST_KEY = f"{PREFIX}rem_~"  # greater than that of any letter


def guard_key(account_id: str, invoice_id: str, step: str) -> Key:
    return account_id, f"guard#reminder#{invoice_id}#{step}"


def reminder_item(reminder: Reminder) -> Item:
    pk, sk = reminder_key(reminder.account_id, reminder.id)
    notices = [_notice_item(notice) for notice in reminder.notices]
    return {
        "pk": pk,
        "sk": sk,
        "kind": "reminder",
        "reminder_id": reminder.id,
        "entity_id": reminder.entity_id,
        "on": reminder.on.isoformat(),
        "issued_at": instant_text(reminder.issued_at),
        "notices": notices,
        "revision": reminder.revision,
    }


def _notice_item(notice: Notice) -> Item:
    item: Item = {name: getattr(notice, name) for name in _PLAIN} | {"due_on": notice.due_on.isoformat()}
    return item | ({"disputed_minor": notice.disputed_minor} if notice.disputed_minor else {})


def reminder_from(item: Item) -> Reminder:
    notices = tuple(
        Notice(
            **{name: row[name] for name in _PLAIN},
            due_on=date.fromisoformat(row["due_on"]),
            disputed_minor=row.get("disputed_minor", 0),
        )
        for row in item["notices"]
    )
    return Reminder(
        account_id=item["pk"],
        entity_id=item["entity_id"],
        id=item["reminder_id"],
        on=date.fromisoformat(item["on"]),
        issued_at=instant_from(item["issued_at"]),
        notices=notices,
        revision=item["revision"],
    )


def issue(unit: Unit, reminder: Reminder) -> Unit:
    """Insert a letter with the guard of each of its notices; holds only while what it says is still owed."""
    unit.insert(reminder_item(reminder))
    for notice in reminder.notices:
        pk, sk = guard_key(reminder.account_id, notice.invoice_id, notice.step)
        unit.insert({"pk": pk, "sk": sk, "kind": "guard", "reminder_id": reminder.id})
        as_read = {"open_minor": notice.open_minor, "disputed_minor": notice.disputed_minor or None, "promise_id": None}
        unit.require(header_key(reminder.account_id, notice.invoice_id), when=as_read)
    return unit


def revise(unit: Unit, old: Reminder, new: Reminder) -> Unit:
    return unit.put(reminder_item(new), when={"revision": old.revision})


def open_invoice_from(item: Item) -> OpenInvoice:
    """Of a line of the agenda `open#<account>`."""
    return OpenInvoice(
        invoice_id=item["invoice_id"],
        number=item["number"],
        currency=item["currency"],
        issued_on=date.fromisoformat(item["issued_on"]),
        due_on=date.fromisoformat(item["due_on"]),
        open_minor=item["open_minor"],
        disputed_minor=item.get("disputed_minor", 0),
        promise_id=item.get("promise_id", ""),
    )
