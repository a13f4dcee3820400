"""An account's decade, run by Saldo and worked out again by the auditor; the first day on which they differ."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from saldo.kernel.errors import Refusal
from tests.decade.drive import Machine
from tests.decade.history import History, Told
from tests.decade.oracle import Auditor, compare


@dataclass
class Verdict:
    """How far an account was followed, and what was found on the last of these days (nothing: all is right)."""

    account_id: str
    day: date
    findings: list[str] = field(default_factory=list)
    invoices: int = 0
    lines: int = 0
    refused: int = 0


def audited(history: History) -> Verdict:
    """Follow an account until something differs, or to the end."""
    machine, auditor = Machine(history), Auditor(history)
    verdict = Verdict(history.account.id, history.first_on)
    waiting = list(reversed(history.facts))
    for day in history.run_days():
        verdict.day = day
        while waiting and waiting[-1][0] <= day:
            _tell(machine, auditor, waiting.pop()[1], day, verdict)
        _run(machine, auditor, day, verdict)
        if verdict.findings:
            break
    return verdict


def _tell(machine: Machine, auditor: Auditor, fact: object, day: date, verdict: Verdict) -> None:
    code = machine.learn(fact)
    if code is None:
        auditor.learn(fact)
        return
    verdict.refused += 1
    ended = isinstance(fact, Told) and auditor.diaries[fact.subscription_id].finished
    early = isinstance(fact, Told) and fact.change.effective_on < auditor.diaries[fact.subscription_id].sold.started_on
    if not (code == "already_ended" and ended) and not (code == "change_too_early" and early):
        verdict.findings.append(f"{fact} is refused: {code}")


def _run(machine: Machine, auditor: Auditor, day: date, verdict: Verdict) -> None:
    due = auditor.due(day)
    try:
        body = machine.run(day)
    except Refusal as refusal:
        verdict.findings.append(f"the account is set aside: {refusal.code}: {refusal.message}")
        return
    lines = auditor.lines(due, day)
    if body is None:
        nets = sum(abs(line.minor) for line in lines)
        if nets:
            verdict.findings += ["there is no invoice, but is due:", *(str(line) for line in lines)]
    else:
        findings, expected = compare(auditor, lines, body, day)
        verdict.findings += findings
        verdict.invoices += 1
        verdict.lines += len(body.lines)
        auditor.use_up(expected)
    auditor.settle(due)
