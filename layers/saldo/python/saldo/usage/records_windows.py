"""How billed windows of usage lie in the table.

`<account>` / `window#<meter>#<start>/<end>`: a period of a meter that was billed: on which invoices, for what quantity,
and how many events of each month were known. Inserted once; each later billing of it adds to `billed`.
`<account>` / `windows`: each meter's latest window again (`last#<meter>`), so that ingest and runs find it in one read,
and which months hold events that came late (`late#<event name>#<month>`; `flags` counts such arrivals for ever). While
there are some, it is on the agenda `late#<entity>` under the instant of the first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from saldo.kernel.clock import instant_text
from saldo.kernel.exact import plain
from saldo.kernel.periods import Period
from saldo.storage.items import Item, Key
from saldo.storage.store import Store
from saldo.storage.units import Unit
from saldo.usage.model import Needs
from saldo.usage.model_windows import Billed, Closings, Reason, Terms, Window
from saldo.usage.rules_windows import latest

WINDOW_PREFIX = "window#"
_LAST, _LATE = "last#", "late#"


def window_key(account_id: str, meter_id: str, period: Period) -> Key:
    return account_id, f"{WINDOW_PREFIX}{meter_id}#{period.as_text()}"


def closings_key(account_id: str) -> Key:
    return account_id, "windows"


def late_agenda(entity_id: str) -> str:
    """The agenda of a seller's accounts with late usage that no invoice has asked for yet."""
    return f"late#{entity_id}"


def window_item(window: Window) -> Item:
    pk, sk = window_key(window.account_id, window.meter_id, window.period)
    return {"pk": pk, "sk": sk, "kind": "window", "account_id": pk, **_fields(window)}


def _fields(window: Window) -> Item:
    terms = window.terms
    return {
        "meter_id": window.meter_id,
        "period": window.period.as_text(),
        "zone": window.zone,
        "subscription_id": window.subscription_id,
        "plan_version_id": terms.plan_version_id,
        "component_id": terms.component_id,
        "cycle": terms.cycle,
        "purchase_order": terms.purchase_order,
        "cost_centre": terms.cost_centre,
        "part": terms.part,
        "share": [terms.days, terms.of],
        "dimensions": list(terms.needs.dimensions),
        "amounts": terms.needs.amounts,
        "revision": len(window.billed),
        "billed": [_billed_fields(b) for b in window.billed],
    }


def _billed_fields(billed: Billed) -> Item:
    return {
        "reason": billed.reason.value,
        "on": billed.on.isoformat(),
        "invoice_id": billed.invoice_id,
        "quantity": plain(billed.quantity),
        "arrivals": billed.arrivals,
        "known": dict(billed.known),
    }


def window_from(account_id: str, fields: Item) -> Window:
    days, of = fields["share"]
    needs = Needs(tuple(fields["dimensions"]), fields["amounts"])
    terms = Terms(
        fields["plan_version_id"],
        fields["component_id"],
        fields["cycle"],
        days,
        of,
        needs,
        fields["purchase_order"],
        fields["cost_centre"],
        fields.get("part", ""),
    )
    return Window(
        account_id=account_id,
        meter_id=fields["meter_id"],
        period=Period.from_text(fields["period"]),
        zone=fields["zone"],
        subscription_id=fields["subscription_id"],
        terms=terms,
        billed=tuple(_billed_from(b) for b in fields["billed"]),
    )


def _billed_from(fields: Item) -> Billed:
    return Billed(
        Reason(fields["reason"]),
        date.fromisoformat(fields["on"]),
        fields["invoice_id"],
        Decimal(fields["quantity"]),
        fields["arrivals"],
        fields["known"],
    )


def windows_of(store: Store, account_id: str, meter_id: str = "") -> Iterator[Window]:
    """Every window of an account that was ever billed, by meter and period."""
    prefix = f"{WINDOW_PREFIX}{meter_id}#" if meter_id else WINDOW_PREFIX
    for item in store.query_all(account_id, prefix=prefix, consistent=True):
        yield window_from(account_id, item)


def closings_from(account_id: str, item: Item | None) -> Closings:
    """How far an account's usage is billed, from its item; nothing yet without one."""
    if item is None:
        return Closings()
    last = {n.removeprefix(_LAST): window_from(account_id, v) for n, v in item.items() if n.startswith(_LAST)}
    told = [name.removeprefix(_LATE).rpartition("#") for name in item if name.startswith(_LATE)]
    return Closings(last, tuple(sorted((name, month) for name, _, month in told)), item.get("flags", 0), begun=True)


def write_windows(unit: Unit, account_id: str, entity_id: str, before: Closings, windows: Sequence[Window]) -> Unit:
    """Close these windows in the unit that bills them, so that each is billed once.

    A window that is new must not be there; one billed again must be as it was read. What was told of late events is
    done with, so the unit does not hold when more are told of meanwhile. It is not done with where a charge was made
    anew: that is by the events of then, and what came since is still to be asked for.
    """
    told = () if any(window.billed[-1].reason is Reason.REPLACED for window in windows) else before.late
    for window in windows:
        revision = len(window.billed)
        if revision == 1:
            unit.insert(window_item(window))
        else:
            unit.put(window_item(window), when={"revision": revision - 1})
    changed: dict[str, Any] = {"kind": "windows", "account_id": account_id, "entity_id": entity_id}
    removed = [f"{_LATE}{name}#{month}" for name, month in told]
    changed |= {_LAST + meter_id: _fields(window) for meter_id, window in latest(before, windows).items()}
    if told:
        removed += ["agenda_pk", "agenda_on"]
    when = {"flags": before.flags} if told else None
    return unit.update(closings_key(account_id), set=changed, remove=removed, when=when)


def tell_late(unit: Unit, account_id: str, entity_id: str, months: Iterable[tuple[str, str]], at: datetime) -> Unit:
    """Tell in the unit that stores them that events of these names and months came late."""
    told: dict[str, Any] = {f"{_LATE}{name}#{month}": True for name, month in sorted(set(months))}
    told |= {"kind": "windows", "account_id": account_id, "entity_id": entity_id}
    told |= {"agenda_pk": late_agenda(entity_id), "agenda_on": instant_text(at)}
    return unit.update(closings_key(account_id), set=told, add={"flags": 1})


def accounts_with_late_usage(store: Store, entity_id: str) -> list[str]:
    """Accounts of a seller with late usage that no invoice has asked for yet."""
    return [str(item["pk"]) for item in store.query_all(late_agenda(entity_id), agenda=True)]
