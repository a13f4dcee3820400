"""What a day does with a seller's promises: told, charged, kept, missed, broken; each once, however often it runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from saldo.audit.model import AuditRecord, job
from saldo.audit.records import audit_item
from saldo.kernel.errors import Refusal, Unavailable
from saldo.payments.reading import invoices_being_paid
from saldo.promises import records, rules
from saldo.promises.charging import announce_charge
from saldo.promises.model import Due, Promise, PromiseState, Stands
from saldo.promises.reading import dues_of, headers_of, promise_of
from saldo.promises.service import Promises
from saldo.storage.items import Key
from saldo.storage.units import Unit

_JOB = "promises"


@dataclass(slots=True)
class KeepingReport:
    """Promises kept and broken, instalments told of and missed; accounts that changed at that moment."""

    kept: int = 0
    broken: int = 0
    told: int = 0
    missed: int = 0
    unanswered: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Keeping:
    promises: Promises

    def due(self, entity_id: str) -> list[Key]:
        """What each day is about: promises that are current."""
        items = self.promises.store.query_all(records.current_agenda(entity_id), agenda=True)
        return [(item["pk"], item["sk"]) for item in items]

    def run(self, entity_id: str, on: date, keys: Iterable[Key] | None = None) -> KeepingReport:
        """One day of a seller, after its payments of the day were started; safe to repeat.

        keys: a part of what is `due`; None for all.
        """
        report, store = KeepingReport(), self.promises.store
        for account_id, sk in self.due(entity_id) if keys is None else keys:
            try:
                self._day_of(promise_of(store, account_id, sk.removeprefix(records.PREFIX)), on, report)
            except Unavailable:
                report.unanswered.append(account_id)
            except Refusal as refusal:
                if refusal.code != "changed_meanwhile":
                    raise
                report.unanswered.append(account_id)
        return report

    def _day_of(self, promise: Promise, on: date, report: KeepingReport) -> None:
        if promise.state is not PromiseState.CURRENT:
            return
        dues = dues_of(promise, headers_of(self.promises.store, promise))
        today = rules.day_of(promise, dues, on, being_paid=self._being_paid(promise, on))
        if today.over is not None:
            self.promises.end(promise, today.over, job(_JOB), f"promise.{today.over}")
            report.kept += today.over is PromiseState.KEPT
            report.broken += today.over is PromiseState.BROKEN
        elif today.coming or today.missed:
            told = self._tell(promise, dues, today, on)
            report.told += told and today.coming is not None
            report.missed += told and today.missed is not None

    def _being_paid(self, promise: Promise, on: date) -> bool:
        """Whether a payment for one of its invoices is under way; asked only once a day of it is past."""
        if all(one.on >= on for one in promise.instalments):
            return False
        paid = invoices_being_paid(self.promises.store, promise.account_id)
        return any(one.invoice_id in paid for one in promise.covers)

    def _tell(self, promise: Promise, dues: tuple[Due, ...], today: rules.Today, on: date) -> bool:
        """The charge first, under its own key; then that it was told, with the letters, in one unit."""
        new, unit = replace(promise, revision=promise.revision + 1), Unit(f"tell {promise.id} {on}")
        if one := today.coming:
            day = max(one.on, on + timedelta(days=1)) if promise.method_id else one.on
            as_told = promise if self._charged(promise, one, dues, day) else replace(promise, method_id="")
            self.promises.telling.coming(unit, as_told, one, day)
            new = replace(new, told=one.number)
        if one := today.missed:
            self.promises.telling.missed(unit, promise, one)
            new = replace(new, missed_told=one.number)
        after = {"told": new.told, "missed_told": new.missed_told}
        record = AuditRecord(
            promise.account_id, self.promises.clock(), job(_JOB), "promise.told", promise.id, after=after
        )
        records.rewrite(unit, promise, new).put(audit_item(record))
        return self.promises.store.write_one(unit) is None

    def _charged(self, promise: Promise, one: Stands, dues: Iterable[Due], on: date) -> bool:
        """Whether its charge is on record; where the method cannot be charged any more, its payer is asked instead."""
        if not promise.method_id:
            return False
        try:
            announce_charge(self.promises.scheduled, promise, one, tuple(dues), on)
        except Refusal:
            return False
        return True
