"""Who is asked to pay, or debited, is so once for each step, and never for what was paid."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from saldo.insight.model import Owner, Violation
from saldo.invoicing.status import CLOSED
from saldo.kernel.clock import instant_from

# A letter is handed over while a payment is being applied: neither waits for the other longer than this.
_MEANWHILE = timedelta(minutes=5)
_MONEY_CAME = ("payment.settled", "payment.applied", "payment.imported")


def steps_are_noticed_once_and_never_after_payment(owner: Owner) -> Iterator[Violation]:
    """Each step of an invoice is in one letter alone and has its guard; no letter went out about what was paid."""
    if not owner.of("reminder"):
        return
    guards, closed = {item["sk"] for item in owner.of("guard")}, _closed_at(owner)
    handed_over: dict[str, str] = {item["document_id"]: item["attempt_at"] for item in owner.of("delivery")}
    given: Counter[str] = Counter()
    for item in owner.of("reminder"):
        sent_at = handed_over.get(item["reminder_id"]) or str(item["issued_at"])
        for notice in item["notices"]:
            step = f"{notice['invoice_id']}#{notice['step']}"
            given[step] += 1
            if f"guard#reminder#{step}" not in guards:
                yield Violation(22, owner.id, f"{item['reminder_id']} gives {step} without its guard")
            known = closed.get(notice["invoice_id"])
            if known and not notice["withdrawn"] and instant_from(sent_at) > known + _MEANWHILE:
                yield Violation(22, owner.id, f"{item['reminder_id']} asks for {notice['invoice_id']}, which was paid")
    for step, times in given.items():
        if times > 1:
            yield Violation(22, owner.id, f"{step} is in {times} letters")


def _amounts(allocations: list[dict[str, Any]]) -> list[tuple[str, int]]:
    return [(a["invoice_id"], a["minor"]) for a in allocations]


def debits_are_made_once(owner: Owner) -> Iterator[Violation]:
    """Each attempt of an invoice is in one debit and has its guard; its payment takes what the debit fixed."""
    if not owner.of("debit"):
        return
    guards = {item["sk"] for item in owner.of("guard")}
    meant = {item["payment_id"]: _amounts(item["allocations"]) for item in owner.of("payment")}
    given: Counter[str] = Counter()
    for item in owner.of("debit"):
        for line in item["lines"]:
            attempt = f"{line['invoice_id']}#{line['attempt']}"
            given[attempt] += 1
            if f"guard#autopay#{attempt}" not in guards:
                yield Violation(12, owner.id, f"{item['debit_id']} has {attempt} without its guard")
            taken = sum(c["minor"] for c in item["charged"] if c["invoice_id"] == line["invoice_id"])
            if taken > line["minor"]:
                yield Violation(12, owner.id, f"{item['debit_id']} takes more of {attempt} than was announced")
        if item["payment_id"] and meant.get(item["payment_id"]) != _amounts(item["charged"]):
            yield Violation(12, owner.id, f"{item['payment_id']} takes otherwise than {item['debit_id']} says")
    for attempt, times in given.items():
        if times > 1:
            yield Violation(12, owner.id, f"{attempt} is in {times} debits")


def _closed_at(owner: Owner) -> dict[str, datetime]:
    """When it was known here that nothing is owed on an invoice; a gateway dates money earlier than its news comes."""
    came = defaultdict(list)
    for item in owner.of("audit"):
        if item["action"] in _MONEY_CAME:
            came[item["subject_id"].partition("/")[0]].append(instant_from(item["at"]))
    closed: dict[str, datetime] = {}
    for item in owner.of("invoice"):
        ends = [instant_from(change["at"]) for change in item["history"] if change["status"] in CLOSED]
        if ends and item["status"] in CLOSED:
            closed[item["invoice_id"]] = max(ends)
    for item in owner.of("payment"):
        for applied in item["applied"]:
            if applied["invoice_id"] in closed:
                known = [closed[applied["invoice_id"]], *came[item["payment_id"]]]
                closed[applied["invoice_id"]] = max(known)
    return closed
