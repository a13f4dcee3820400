"""How autopay lies in the table: in the range `paying#` of the account, which a page reads in one call.

`<account>` / `paying#rule`: the rule, on the agenda `autopay#<entity>#<0-7>` so that a day's run finds it.
`<account>` / `paying#debit#<debit id>`: one announced debit; ids sort by the day it is taken.
`<account>` / `guard#autopay#<invoice>#<attempt>`: the invoice had that attempt, for ever.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from saldo.autopay.model import Debit, DebitState, Line, Rule, When
from saldo.kernel.clock import instant_from, instant_text
from saldo.kernel.ids import derived_id
from saldo.payments.model import Allocation
from saldo.payments.records import shard_of
from saldo.storage.items import Item, Key
from saldo.storage.units import Unit

PREFIX = "paying#"
RULE = PREFIX + "rule"
DEBIT = PREFIX + "debit#"
_PLAIN = (
    *("entity_id", "currency", "days", "day", "method_id", "cap_minor", "notice_days", "skips_disputed"),
    *("skips_promised", "takes_discounts", "is_on", "set_by", "version"),
)


def rule_key(account_id: str) -> Key:
    return account_id, RULE


def agenda_list(entity_id: str, shard: int) -> str:
    return f"autopay#{entity_id}#{shard}"


def rule_fields(rule: Rule) -> dict[str, Any]:
    """As plain values; also what audit records show."""
    return {name: getattr(rule, name) for name in _PLAIN} | {"when": rule.when.value, "excluded": list(rule.excluded)}


def rule_item(rule: Rule) -> Item:
    pk, sk = rule_key(rule.account_id)
    item: Item = {"pk": pk, "sk": sk, "kind": "autopay_rule", **rule_fields(rule)}
    if rule.set_at is not None:
        item["set_at"] = instant_text(rule.set_at)
    return item | {"agenda_pk": agenda_list(rule.entity_id, shard_of(rule.account_id)), "agenda_on": rule.account_id}


def rule_from(item: Item) -> Rule:
    plain: dict[str, Any] = {name: item[name] for name in _PLAIN}
    at = instant_from(item["set_at"]) if "set_at" in item else None
    return Rule(item["pk"], when=When(item["when"]), excluded=tuple(item["excluded"]), set_at=at, **plain)


def put_rule(unit: Unit, old: Rule | None, new: Rule) -> Unit:
    """Write a rule; holds only while it still is as `old` was read."""
    return unit.insert(rule_item(new)) if old is None else unit.put(rule_item(new), when={"version": old.version})


def debit_id(account_id: str, currency: str, announced_on: date, debit_on: date) -> str:
    return derived_id("deb", debit_on, account_id, currency, announced_on.isoformat())


def debit_key(account_id: str, id_: str) -> Key:
    return account_id, DEBIT + id_


def debit_item(debit: Debit) -> Item:
    pk, sk = debit_key(debit.account_id, debit.id)
    lines = [{name: getattr(one, name) for name in ("invoice_id", "number", "minor", "attempt")} for one in debit.lines]
    return {
        "pk": pk,
        "sk": sk,
        "kind": "debit",
        "debit_id": debit.id,
        "entity_id": debit.entity_id,
        "currency": debit.currency,
        "announced_on": debit.announced_on.isoformat(),
        "debit_on": debit.debit_on.isoformat(),
        "lines": lines,
        "method": debit.method,
        "state": debit.state.value,
        "charged": [{"invoice_id": a.invoice_id, "minor": a.minor} for a in debit.charged],
        "payment_id": debit.payment_id,
        "code": debit.code,
    }


def debit_from(item: Item) -> Debit:
    return Debit(
        account_id=item["pk"],
        id=item["debit_id"],
        entity_id=item["entity_id"],
        currency=item["currency"],
        announced_on=date.fromisoformat(item["announced_on"]),
        debit_on=date.fromisoformat(item["debit_on"]),
        lines=tuple(Line(**line) for line in item["lines"]),
        method=item["method"],
        state=DebitState(item["state"]),
        charged=tuple(Allocation(a["invoice_id"], a["minor"]) for a in item["charged"]),
        payment_id=item["payment_id"],
        code=item["code"],
    )


def guard_key(account_id: str, invoice_id: str, attempt: int) -> Key:
    return account_id, f"guard#autopay#{invoice_id}#{attempt}"


def announce(unit: Unit, debit: Debit) -> Unit:
    """Insert a debit with the guard of each invoice's attempt."""
    unit.insert(debit_item(debit))
    for line in debit.lines:
        pk, sk = guard_key(debit.account_id, line.invoice_id, line.attempt)
        unit.insert({"pk": pk, "sk": sk, "kind": "guard", "debit_id": debit.id})
    return unit


def rewrite(unit: Unit, old: Debit, new: Debit) -> Unit:
    return unit.put(debit_item(new), when={"state": old.state.value})
