"""How billed windows of usage lie in the table.

`<account>` / `windows`: how far the account's usage is billed, so that ingest and runs find it in one read. The windows
billed lately, packed and compressed, each meter's latest among them: on which invoices each was billed, for what
quantity, and how many events of each month were known. Which months hold events that came late
(`late#<event name>#<month>`; `flags` counts such arrivals for ever). While there are some, it is on the agenda
`late#<entity>` under the instant of the first. `revision` moves on whenever windows are billed.
`<account>` / `windows#<n>`: windows put away once the record was full, inserted and never changed. One that is billed
again thereafter lies in `windows` (and is put away) once more; of several the one billed most often holds.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from saldo.kernel.clock import instant_text
from saldo.kernel.exact import plain
from saldo.kernel.exchange import rate_from_row, rate_row
from saldo.kernel.periods import Period
from saldo.storage.claims import CLAIM
from saldo.storage.items import Item, Key
from saldo.storage.store import Store
from saldo.storage.units import Unit
from saldo.usage.model import Needs
from saldo.usage.model_windows import Billed, Closings, Reason, Terms, Window
from saldo.usage.rules_windows import ended_by, latest, standing

WINDOWS_KIND = "windows"
# A record of so many packed bytes has less than 1,024 with its other fields, which is what one write unit holds.
PACKED_BYTES = 800
_LATE = "late#"


def closings_key(account_id: str) -> Key:
    return account_id, "windows"


def late_agenda(entity_id: str) -> str:
    """The agenda of a seller's accounts with late usage that no invoice has asked for yet."""
    return f"late#{entity_id}"


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
        **({"rate": rate_row(terms.rate)} if terms.rate else {}),
        **({"before": plain(terms.before)} if terms.before is not None else {}),
        **({"rolled": plain(terms.rolled)} if terms.rolled else {}),
        **({"since": terms.since} if terms.since else {}),
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


def _window_from(account_id: str, fields: Item) -> Window:
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
        rate_from_row(fields["rate"]) if "rate" in fields else None,
        Decimal(fields["before"]) if "before" in fields else None,
        Decimal(fields.get("rolled", "0")),
        fields.get("since", ""),
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


def windows_of(store: Store, account_id: str) -> list[Window]:
    """Every window of an account that was ever billed, by meter and period."""
    return windows_from(store.query_all(account_id, prefix="windows", consistent=True))


def windows_from(items: Iterable[Item]) -> list[Window]:
    """Every window that one account's records of them hold, as it now stands, by meter and period."""
    return list(standing(*(packed_windows(item["pk"], item["packed"])[0] for item in items if "packed" in item)))


def packed_windows(account_id: str, packed: bytes) -> tuple[tuple[Window, ...], Mapping[str, date]]:
    """The windows of a record, and by meter up to which day some were put away."""
    found = json.loads(zlib.decompress(packed))
    windows = tuple(_window_from(account_id, fields) for fields in found["windows"])
    return windows, {meter_id: date.fromisoformat(day) for meter_id, day in found["put_away"].items()}


def pack_windows(windows: Iterable[Window], put_away: Mapping[str, date]) -> bytes:
    days = {meter_id: day.isoformat() for meter_id, day in sorted(put_away.items())}
    content = {"windows": [_fields(window) for window in windows], "put_away": days}
    return zlib.compress(json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode(), 9)


def closings_from(account_id: str, item: Item | None) -> Closings:
    """How far an account's usage is billed, from its record; nothing yet without one."""
    if item is None:
        return Closings()
    windows, put_away = packed_windows(account_id, item["packed"]) if "packed" in item else ((), {})
    told = [name.removeprefix(_LATE).rpartition("#") for name in item if name.startswith(_LATE)]
    late = tuple(sorted((name, month) for name, _, month in told))
    counts = {name: item.get(name, 0) for name in ("flags", "revision", "pages")}
    return Closings(windows, late, put_away=put_away, **counts)


def write_windows(unit: Unit, account_id: str, entity_id: str, before: Closings, windows: Sequence[Window]) -> Unit:
    """Close these windows in the unit that bills them, so that each is billed once: it holds only while nothing else
    of the account is billed, and nobody has claimed to.

    What was told of late events is done with, so the unit does not hold when more are told of meanwhile. It is not done
    with where a charge was made anew: that is by the events of then, and what came since is still to be asked for.
    """
    done = is_done_with_late(before, windows)
    removed = _told(before) if done else ()
    when = {"revision": before.revision or None, CLAIM: None} | ({"flags": before.flags} if done else {})
    changed: dict[str, Any] = {"kind": WINDOWS_KIND, "account_id": account_id, "entity_id": entity_id}
    changed |= {"revision": before.revision + 1} | _put_away(unit, account_id, before, windows)
    return unit.update(closings_key(account_id), set=changed, remove=removed, when=when)


def is_done_with_late(before: Closings, windows: Iterable[Window]) -> bool:
    """Whether billing these windows asks for everything that came late as far as was told."""
    return bool(before.late) and all(window.billed[-1].reason is not Reason.REPLACED for window in windows)


def forget_late(unit: Unit, account_id: str, before: Closings) -> Unit:
    """The same by itself, once windows are billed: what was told is done with. It holds unless more is told since."""
    return unit.update(closings_key(account_id), remove=_told(before), when={"flags": before.flags})


def _told(before: Closings) -> tuple[str, ...]:
    """Where a record says what was told of late events."""
    return (*(f"{_LATE}{name}#{month}" for name, month in before.late), "agenda_pk", "agenda_on")


def _put_away(unit: Unit, account_id: str, before: Closings, windows: Sequence[Window]) -> Item:
    """What the record then says of windows. When it is full, all but each meter's latest go to one of their own."""
    lying = standing(before.windows, windows)
    packed = pack_windows(lying, before.put_away)
    last = latest(lying)
    older = [window for window in lying if window is not last[window.meter_id]]
    if len(packed) <= PACKED_BYTES or not older:
        return {"packed": packed}
    pk, sk = account_id, f"windows#{before.pages + 1:04d}"
    unit.insert({"pk": pk, "sk": sk, "kind": WINDOWS_KIND, "account_id": pk, "packed": pack_windows(older, {})})
    return {"packed": pack_windows(last.values(), ended_by(older, before.put_away)), "pages": before.pages + 1}


def tell_late(unit: Unit, account_id: str, entity_id: str, months: Iterable[tuple[str, str]], at: datetime) -> Unit:
    """Tell in the unit that stores them that events of these names and months came late."""
    told: dict[str, Any] = {f"{_LATE}{name}#{month}": True for name, month in sorted(set(months))}
    told |= {"kind": WINDOWS_KIND, "account_id": account_id, "entity_id": entity_id}
    told |= {"agenda_pk": late_agenda(entity_id), "agenda_on": instant_text(at)}
    return unit.update(closings_key(account_id), set=told, add={"flags": 1})


def accounts_with_late_usage(store: Store, entity_id: str) -> list[str]:
    """Accounts of a seller with late usage that no invoice has asked for yet."""
    return [str(item["pk"]) for item in store.query_all(late_agenda(entity_id), agenda=True)]
