"""Accounts' decades, run by Saldo and worked out again by the auditor; the first day on which they differ."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from saldo.invoicing.model import InvoiceBody
from saldo.kernel.errors import Refusal
from tests.decade.drive import Machine
from tests.decade.history import History, Told
from tests.decade.oracle import Auditor
from tests.decade.oracle_compare import compare

Outcome = InvoiceBody | str | None


class System(Protocol):
    """Saldo with some accounts of one seller."""

    def begin(self, day: date) -> None:
        """A day comes."""

    def learn(self, account_id: str, fact: object) -> str | None:
        """Put a fact on record; the code of a refusal."""

    def run(self, day: date) -> Mapping[str, Outcome]:
        """Per account its invoice, or why it was set aside; not there or None: there is no invoice."""


class Pure:
    """Saldo's rules alone, account by account, with nothing stored."""

    def __init__(self, histories: Sequence[History]) -> None:
        self.machines = {history.account.id: Machine(history) for history in histories}

    def begin(self, day: date) -> None:
        pass

    def learn(self, account_id: str, fact: object) -> str | None:
        return self.machines[account_id].learn(fact)

    def run(self, day: date) -> Mapping[str, Outcome]:
        return {account_id: self._run(machine, day) for account_id, machine in self.machines.items()}

    def _run(self, machine: Machine, day: date) -> Outcome:
        try:
            return machine.run(day)
        except Refusal as refusal:
            return f"{refusal.code}: {refusal.message}"


@dataclass
class Verdict:
    """What was found on a day (findings by account; none: all is right), and how much was checked by then."""

    day: date
    findings: dict[str, list[str]] = field(default_factory=dict)
    invoices: int = 0
    lines: int = 0
    refused: int = 0


def audited(
    histories: Sequence[History],
    make: Callable[[Sequence[History]], System] = Pure,
    after: Callable[[System, date], Iterable[str]] = lambda _system, _day: (),
) -> Verdict:
    """Follow accounts of one seller until something differs, or to the end. after: a look at all after each run."""
    system, auditors = make(histories), {h.account.id: Auditor(h) for h in histories}
    verdict = Verdict(histories[0].first_on)
    waiting = [(on, h.account.id, fact) for h in histories for on, fact in h.facts]
    waiting.sort(key=lambda fact: fact[0])
    waiting.reverse()
    for day in histories[0].run_days():
        verdict.day = day
        system.begin(day)
        while waiting and waiting[-1][0] <= day:
            _, account_id, fact = waiting.pop()
            _tell(system, auditors[account_id], fact, verdict)
        _run(system, auditors, day, verdict)
        verdict.findings |= {"": found} if (found := list(after(system, day))) else {}
        if verdict.findings:
            break
    return verdict


def _tell(system: System, auditor: Auditor, fact: object, verdict: Verdict) -> None:
    code = system.learn(auditor.account.id, fact)
    if code is None:
        auditor.learn(fact)
        return
    verdict.refused += 1
    if not _rightly_refused(auditor, fact, code):
        verdict.findings.setdefault(auditor.account.id, []).append(f"{fact} is refused: {code}")


def _rightly_refused(auditor: Auditor, fact: object, code: str) -> bool:
    if not isinstance(fact, Told):
        return False
    diary = auditor.diaries[fact.subscription_id]
    early = fact.change.effective_on < diary.sold.started_on
    return (code == "already_ended" and diary.finished) or (code == "change_too_early" and early)


def _run(system: System, auditors: Mapping[str, Auditor], day: date, verdict: Verdict) -> None:
    due = {account_id: auditor.due(day) for account_id, auditor in auditors.items()}
    outcomes = system.run(day)
    for account_id, auditor in auditors.items():
        outcome = outcomes.get(account_id)
        ridden = isinstance(outcome, InvoiceBody)  # by late usage alone, where nothing else is due
        lines = auditor.lines(due[account_id], day, bool(due[account_id] or auditor.items or ridden))
        findings = _judged(auditor, lines, outcome, day, verdict)
        if findings:
            verdict.findings[account_id] = findings
        auditor.settle(due[account_id])


def _judged(auditor: Auditor, lines: list, outcome: Outcome, day: date, verdict: Verdict) -> list[str]:  # type: ignore[type-arg]
    if isinstance(outcome, str):
        return [f"the account is set aside: {outcome}"]
    if outcome is None:
        owed = any(line.minor for line in lines)
        return ["there is no invoice, but is due:", *(str(line) for line in lines)] if owed else []
    findings, expected = compare(auditor, lines, outcome, day)
    verdict.invoices += 1
    verdict.lines += len(outcome.lines)
    auditor.use_up(expected)
    return findings
