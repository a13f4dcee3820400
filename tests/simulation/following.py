"""What must have followed from the records, once the stream has told all of them: events, chains, sums, mail.

Each is worked out here from the records as they lie there, not by the code that makes what follows.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from saldo.audit.records_chain import kept_from
from saldo.audit.rules_chain import first_break
from saldo.insight.model import Violation
from saldo.integration.rules import KINDS
from saldo.invoicing.open_sums import OPEN_SUMS, open_items_from, summed_by_day
from saldo.invoicing.reading import open_items, row_from
from saldo.ledger.records_statement import day_sums_from, line_from
from saldo.ledger.rules_statement import sums_of
from saldo.payments.lately import problem_of
from saldo.storage.items import Item
from saldo.storage.units import WRITTEN
from saldo.work.waiting import Waiting, counted_from, work_key
from tests.simulation.region import ENTITY_ID, Region

# Journals of so many entries have sums here, so that some come to have them within a world's months.
LONG = 24
_BY_US = ("run_", "request_")  # not brought in from elsewhere
_NOUNS = {"invoice": "invoice_id", "credit_note": "credit_note_id", "usage": "correlation_id"}
_DOCUMENT = re.compile(rb"^X-Saldo-Document: (\S+)", re.MULTILINE)
Event = tuple[str, str]  # type, and which record it is of


def left_to_follow(region: Region) -> list[Violation]:
    """What has not followed, or more than follows."""
    with region.undisturbed():
        owners: dict[str, list[Item]] = defaultdict(list)
        for item in region.store.scan():
            owners[item["pk"]].append(item)
        found = [v for owner_id, items in owners.items() for v in _of_owner(owner_id, items)]
        everything = [item for items in owners.values() for item in items]
        return [*found, *_of_events(region, everything), *_of_mail(region, everything), *_of_queues(region)]


def _of_owner(owner_id: str, items: list[Item]) -> Iterator[Violation]:
    kinds: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        kinds[item["kind"]].append(item)
    broken = first_break(kept_from(owner_id, items), (), first="", before="~")
    if broken:
        yield Violation(24, owner_id, f"chain: {broken.kind}: {broken.what}")
    for payments in kinds["payments"]:
        problem = problem_of(payments, kinds["payment"])
        if payments.get("folded") != payments[WRITTEN] or problem:
            yield Violation(25, owner_id, problem or "its latest payments are behind")
    if len(kinds["entry"]) >= LONG:
        yield from _of_sums(owner_id, kinds)


def _of_sums(owner_id: str, kinds: dict[str, list[Item]]) -> Iterator[Violation]:
    days = [one for item in kinds["day_sums"] for one in day_sums_from(item)]
    if days != sums_of(line_from(entry) for entry in kinds["entry"]):
        yield Violation(3, owner_id, "the sums of its days are not those of the journal")
    rows = [row_from(i) for i in kinds["invoice"] if i["status"] != "draft" and i["open_minor"] > 0]
    told = [(item["entries"], open_items_from(item)) for item in kinds[OPEN_SUMS]]
    if told != [(len(kinds["entry"]), summed_by_day(open_items(rows)))]:
        yield Violation(18, owner_id, "the sums of what is open are not those of the open invoices")


def _of_events(region: Region, items: Iterable[Item]) -> Iterator[Violation]:
    """Each that is promised is on the bus under one id, however often; and no other is."""
    said: dict[str, str] = {}
    for entry in region.bus.taken:
        detail = entry["Detail"]
        if said.setdefault(json.loads(detail)["id"], detail) != detail:
            yield Violation(25, "outbox", f"an event comes again and says something else: {detail[:200]}")
    heard = Counter(_event(json.loads(detail)) for detail in said.values())
    promised = Counter[Event]()
    for item in items:
        if item["kind"] in KINDS:
            promised += Counter(dict(_promised(item)))
    for name, subject in sorted((promised - heard).keys()):
        yield Violation(25, "outbox", f"{name} of {subject} was not told")
    for name, subject in sorted((heard - promised).keys()):
        yield Violation(25, "outbox", f"{name} of {subject} was told, and did not happen so often")


def _event(detail: dict[str, Any]) -> Event:
    noun = detail["type"].partition(".")[0]
    return detail["type"], detail[_NOUNS.get(noun, f"{noun}_id")]


def _promised(item: Item) -> Iterator[tuple[Event, int]]:
    """The events that a record's story promises, and how many of each."""
    kind, been = item["kind"], Counter(change["status"] for change in item.get("history", ()))
    if kind == "invoice":
        if item["run_id"].startswith(_BY_US) and item["status"] not in ("draft", "void"):
            yield (f"{item['document']}.issued", item["invoice_id"]), 1
            yield ("invoice.paid", item["invoice_id"]), been["paid"]
    elif kind == "payment":
        settled = item["status"] == "settled" and item["parts_applied"] == item["parts"]
        yield ("payment.settled", item["payment_id"]), int(settled)
        yield ("payment.failed", item["payment_id"]), been["failed"]
    elif kind in ("promise", "dispute"):
        first = "promise.made" if kind == "promise" else "dispute.opened"
        yield (first, item[f"{kind}_id"]), 1
        yield (f"{kind}.changed", item[f"{kind}_id"]), been.total() - 1
    elif kind == "alert":
        yield ("usage.threshold_reached", item["sk"]), 1
    else:
        names = {"reminder": "reminder.issued", "note": "note.written", "bundle": "bundle.asked"}
        yield (names[kind], item[f"{kind}_id"]), 1


def _of_mail(region: Region, items: Iterable[Item]) -> Iterator[Violation]:
    """Every document went once to whom it was sent; once more where the mail service's answer was lost."""
    sent = Counter(_document(raw) for _, raw in region.mail.taken)
    copies = {item["document_id"]: item for item in items if item["kind"] == "delivery"}
    for document_id in sorted(sent.keys() | copies.keys()):
        copy, times = copies.get(document_id), sent[document_id]
        if copy is None:
            yield Violation(22, "mail", f"{document_id} was mailed, and nobody wrote it down")
        elif times > min(2, 1 + copy["lost_answers"]) or (copy["status"] == "sent" and not times):
            yield Violation(22, copy["pk"], f"{document_id} is {copy['status']} and was mailed {times} times")


def _document(raw: bytes) -> str:
    found = _DOCUMENT.search(raw)
    assert found, "mail without the document that it is of"
    return found[1].decode()


def _of_queues(region: Region) -> Iterator[Violation]:
    """How much waits for the seller's people is what was counted when the stream last told of it."""
    before = region.store.get(*work_key(ENTITY_ID))
    now = Waiting(region.store, region.clock).count(ENTITY_ID)
    if before is None or counted_from(before, region.now).numbers != now.numbers:
        yield Violation(25, ENTITY_ID, f"other numbers wait for its people: {dict(now.numbers)}")
