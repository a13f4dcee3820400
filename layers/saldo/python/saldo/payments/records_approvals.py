"""How approvals lie in the table: before the people of the account, so that a page reads both in one call.

`<account>` / `people#approvals#` with `asked#<id>` · `delegate#<user>` (whoever stands in for them) · `policy`
"""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from saldo.access import records_people as people
from saldo.kernel.clock import instant_from, instant_text
from saldo.payments.model_approvals import Approval, ApprovalPolicy, ApprovalState, Delegation, Level, Step
from saldo.payments.records import allocation_items, allocations_from
from saldo.storage.items import Item, Key
from saldo.storage.units import Unit

PREFIX = people.PREFIX + "approvals#"
_ASKED, _DELEGATE = PREFIX + "asked#", PREFIX + "delegate#"


def policy_key(account_id: str) -> Key:
    return account_id, PREFIX + "policy"


def approval_key(account_id: str, approval_id: str) -> Key:
    return account_id, _ASKED + approval_id


def delegation_key(account_id: str, user_id: str) -> Key:
    return account_id, _DELEGATE + user_id


def policy_item(account_id: str, policy: ApprovalPolicy) -> Item:
    pk, sk = policy_key(account_id)
    levels = {c: [[level.above_minor, list(level.approvers)] for level in all_] for c, all_ in policy.levels.items()}
    return {"pk": pk, "sk": sk, "kind": "approval_policy", "levels": json.dumps(levels, sort_keys=True)}


def policy_from(item: Item | None) -> ApprovalPolicy | None:
    if item is None:
        return None
    levels = json.loads(item["levels"])
    return ApprovalPolicy({c: tuple(Level(above, tuple(who)) for above, who in all_) for c, all_ in levels.items()})


def delegation_item(account_id: str, delegation: Delegation) -> Item:
    pk, sk = delegation_key(account_id, delegation.user_id)
    days = {"from_on": delegation.from_on.isoformat(), "until_on": delegation.until_on.isoformat()}
    return {"pk": pk, "sk": sk, "kind": "delegation", "user_id": delegation.user_id, "to": delegation.to, **days}


def delegation_from(item: Item) -> Delegation:
    days = (date.fromisoformat(item[name]) for name in ("from_on", "until_on"))
    return Delegation(item["user_id"], item["to"], *days)


_PLAIN = ("payer", "currency", "amount_minor", "reason", "request_key", "content", "ended_by", "payment_id")


def approval_item(approval: Approval) -> Item:
    pk, sk = approval_key(approval.account_id, approval.id)
    item: Item = {"pk": pk, "sk": sk, "kind": "approval", "approval_id": approval.id, "state": approval.state.value}
    item |= {name: getattr(approval, name) for name in _PLAIN}
    item |= {
        "allocations": allocation_items(approval.allocations),
        "asked_at": instant_text(approval.asked_at),
        "until": instant_text(approval.expires_at),
        "steps": [_step_item(step) for step in approval.steps],
        "agreed": sum(bool(step.by) for step in approval.steps),
    }
    return item


def _step_item(step: Step) -> Item:
    item: Item = {"approvers": list(step.approvers), "by": step.by, "in_place_of": step.in_place_of}
    return item | ({"at": instant_text(step.at)} if step.at else {})


def approval_from(item: Item) -> Approval:
    fields: dict[str, Any] = {name: item[name] for name in _PLAIN}
    return Approval(
        account_id=item["pk"],
        id=item["approval_id"],
        allocations=allocations_from(item["allocations"]),
        asked_at=instant_from(item["asked_at"]),
        expires_at=instant_from(item["until"]),
        steps=tuple(_step_from(step) for step in item["steps"]),
        state=ApprovalState(item["state"]),
        **fields,
    )


def _step_from(item: Item) -> Step:
    at = instant_from(item["at"]) if "at" in item else None
    return Step(tuple(item["approvers"]), item["by"], item["in_place_of"], at)


def change(unit: Unit, old: Approval, new: Approval) -> Unit:
    """Replace an approval; holds only while nobody else has acted on it since `old` was read."""
    agreed = sum(bool(step.by) for step in old.steps)
    return unit.put(approval_item(new), when={"state": old.state.value, "agreed": agreed})


def started(unit: Unit, approval: Approval, payment_id: str) -> Unit:
    """In the unit of the payment's start: the approval is used up by it."""
    changes = {"state": ApprovalState.STARTED.value, "payment_id": payment_id}
    when = {"state": ApprovalState.AGREED.value, "content": approval.content}
    return unit.update(approval_key(approval.account_id, approval.id), set=changes, when=when)
