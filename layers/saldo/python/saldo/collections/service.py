"""Use cases of reminding: the schedule, the letters of a day, and whether a letter still holds when it is sent.

A letter is decided and recorded here, with the guard of each step in the same unit; its event brings delivery to mail
it. What is paid between the two is taken out when delivery asks (`still_owed`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import islice

from saldo.accounts.model import Account, AccountStatus
from saldo.accounts.records import account_from, account_keys
from saldo.audit.model import Actor, AuditRecord, job
from saldo.audit.records import audit_item
from saldo.collections import records, rules
from saldo.collections.model import AccountCase, Decision, Notice, OpenInvoice, Reminder, ReminderPolicy
from saldo.invoicing.records import ISSUED, InvoiceHeader, header_from, header_key, open_agenda
from saldo.invoicing.run.open import seller_day
from saldo.kernel.clock import Clock
from saldo.kernel.errors import NotFound, Unavailable
from saldo.kernel.ids import is_double
from saldo.ledger.model import LedgerAccount
from saldo.ledger.records import BALANCE, balances_from
from saldo.payments.reading import invoices_being_paid
from saldo.storage.items import Item, Key
from saldo.storage.store import Store
from saldo.storage.units import Unit

Holds = Callable[[str], Mapping[str, str]]  # account id → code by invoice that nobody is to be reminded of
# Records of one call.
_AT_ONCE = 100
# Letters of one call.
_LETTERS_AT_ONCE = 20
PAYMENT_UNDER_WAY, NO_LONGER_OWED = "payment_under_way", "no_longer_owed"


def nothing_held(_account_id: str) -> Mapping[str, str]:
    """Nothing is held back beside what invoices say themselves: what is in dispute, or promised for another day."""
    return {}


@dataclass(slots=True)
class RemindReport:
    """Letters that were recorded now, notices in them, and accounts that changed at that moment: theirs come next."""

    reminders: list[Reminder] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)

    @property
    def notices(self) -> int:
        return sum(len(reminder.notices) for reminder in self.reminders)


@dataclass(frozen=True, slots=True)
class StillOwed:
    """A letter at the moment of sending: the standing notices, and the invoices they are about as they are now."""

    reminder: Reminder
    headers: Mapping[str, InvoiceHeader]


class Reminders:
    """Reminders of one region's sellers."""

    def __init__(self, store: Store, clock: Clock, holds: Holds = nothing_held) -> None:
        self._store, self._clock, self._holds = store, clock, holds

    def policy(self, entity_id: str) -> ReminderPolicy:
        """A seller's schedule; the default for one that set none."""
        return records.policy_from(self._store.get(*records.policy_key(entity_id)))

    def set_policy(self, entity_id: str, policy: ReminderPolicy, actor: Actor, reason: str = "") -> None:
        """Remind by this schedule from the next day on. Refusal `invalid_schedule` naming every problem."""
        rules.check_policy(policy)
        self._seller(entity_id)
        before, after = (records.policy_fields(p) for p in (self.policy(entity_id), policy))
        record = AuditRecord(
            entity_id, self._clock(), actor, "reminders.changed", entity_id, before, after, reason=reason
        )
        unit = Unit(f"reminders {entity_id}").put(records.policy_item(entity_id, policy))
        self._store.write_one(unit.put(audit_item(record)))

    def due(self, entity_id: str, on: date) -> Iterator[Key]:
        """Whom a day is about: all of the seller's accounts, nobody on a weekend."""
        return iter(()) if rules.is_weekend(on) else account_keys(self._store, entity_id)

    def remind(self, entity_id: str, as_of: str = "", keys: Iterable[Key] | None = None) -> RemindReport:
        """Record the letters of a day: a date, or an instant in the seller's time zone, "" for now. Safe to repeat.

        keys: a part of what is `due`; None for all.
        """
        day, policy, report = self.day(entity_id, as_of), self.policy(entity_id), RemindReport()
        letters: list[Reminder] = []
        for case in self._cases(self.due(entity_id, day) if keys is None else keys, policy, day):
            letters += self._letters(entity_id, rules.decide(case, policy, day), day)
            if len(letters) == _LETTERS_AT_ONCE:
                self._issue(letters, report)
                letters = []
        self._issue(letters, report)
        return report

    def remind_account(self, entity_id: str, account_id: str, on: date) -> RemindReport:
        """The same for one account, such as a double on its clock."""
        policy, report = self.policy(entity_id), RemindReport()
        decision = rules.decide(self.case_of(account_id, policy), policy, on)
        self._issue(self._letters(entity_id, decision, on), report)
        return report

    def preview(self, entity_id: str, as_of: str = "") -> Iterator[Decision]:
        """What `remind` would send on a day, and for every other open invoice why not; writes nothing."""
        day, policy = self.day(entity_id, as_of), self.policy(entity_id)
        for account, owed in self._owing(account_keys(self._store, entity_id)):
            invoices = self._open(account.id)
            if invoices:
                yield rules.decide(self._whole(_case(account, owed, invoices), invoices, policy), policy, day)

    def case_of(self, account_id: str, policy: ReminderPolicy) -> AccountCase:
        """All that deciding about an account needs, on any day."""
        keys = [(account_id, "account"), (account_id, BALANCE)]
        found = self._store.get_many(keys, consistent=True)
        if keys[0] not in found:
            raise NotFound("no such account")
        invoices = self._open(account_id)
        case = _case(account_from(found[keys[0]]), found.get(keys[1]), invoices)
        return self._whole(case, invoices, policy)

    def of_account(self, account_id: str) -> list[Reminder]:
        """Every letter to an account, the latest first."""
        items = self._store.query_all(account_id, prefix=records.PREFIX, newest_first=True, consistent=True)
        return [records.reminder_from(item) for item in items]

    def still_owed(self, account_id: str, reminder_id: str, correlation_id: str = "") -> StillOwed:
        """The letter as it may be sent now: notices of what is paid, or being paid, are withdrawn first.

        Whoever sends it makes that conditional on the headers' open balances. NotFound.
        """
        item = self._store.get(*records.reminder_key(account_id, reminder_id))
        if item is None:
            raise NotFound("no such reminder")
        old = records.reminder_from(item)
        keys = [header_key(account_id, notice.invoice_id) for notice in old.standing]
        headers = {h.invoice_id: h for h in map(header_from, self._store.get_many(keys, consistent=True).values())}
        held = self._held(account_id)
        gone = {n.invoice_id: held.get(n.invoice_id, "") for n in old.standing if n.invoice_id in held}
        promised = (n.invoice_id for n in old.standing if n.invoice_id in headers and headers[n.invoice_id].promise_id)
        gone |= dict.fromkeys(promised, rules.PROMISED)
        gone |= {n.invoice_id: NO_LONGER_OWED for n in old.standing if not _is_owed(headers.get(n.invoice_id))}
        new = rules.without(old, gone)
        if new != old:
            self._withdraw(old, new, gone, correlation_id)
        return StillOwed(new, headers)

    def day(self, entity_id: str, as_of: str = "") -> date:
        """A date as it is, an instant where the seller keeps its books; "" for today there."""
        return seller_day(self._store, self._clock, entity_id, as_of)

    # -- reading ----------------------------------------------------------------------------------------------------

    def _cases(self, keys: Iterable[Key], policy: ReminderPolicy, on: date) -> Iterator[AccountCase]:
        """Accounts of these with a step to give: a call for a hundred, one for a hundred that owe, one for each of
        those, one for a hundred steps whether they were given, two for each account with one that was not."""
        bounds = rules.due_dates(policy, on)
        if bounds is None:
            return
        cases = (_case(account, owed, self._open(account.id, *bounds)) for account, owed in self._owing(keys))
        due = ((case, steps) for case in cases if (steps := rules.steps_due(case, policy, on)))
        while chunk := list(islice(due, _AT_ONCE)):
            guards = {case.account_id: [_guard(case, notice) for notice in steps] for case, steps in chunk}
            given = self._store.get_many([key for keys in guards.values() for key in keys])
            for case, _ in chunk:
                if not all(key in given for key in guards[case.account_id]):
                    yield self._whole(case, case.invoices, policy)

    def _owing(self, keys: Iterable[Key]) -> Iterator[tuple[Account, Item]]:
        """Accounts of these with anything open, with their balances."""
        owed = self._owed(keys)
        while some := dict(islice(owed, _AT_ONCE)):
            found = self._store.get_many([(id_, "account") for id_ in some])
            yield from ((account_from(found[id_, "account"]), some[id_]) for id_ in some)

    def _owed(self, keys: Iterable[Key]) -> Iterator[tuple[str, Item]]:
        """Balances that are not all paid."""
        coming = iter(keys)
        while some := [(account_id, BALANCE) for account_id, _ in islice(coming, _AT_ONCE)]:
            found = self._store.get_many(some)
            yield from ((key[0], found[key]) for key in some if key in found and _owes(found[key]))

    def _open(self, account_id: str, first: date | None = None, last: date | None = None) -> tuple[OpenInvoice, ...]:
        bounds = {"first": first.isoformat(), "last": last.isoformat()} if first and last else {}
        items = self._store.query_all(open_agenda(account_id), agenda=True, **bounds)
        return tuple(records.open_invoice_from(item) for item in items if item["kind"] == "invoice")

    def _whole(self, case: AccountCase, invoices: Sequence[OpenInvoice], policy: ReminderPolicy) -> AccountCase:
        """With what speaks against a letter: earlier ones, payments under way, what other rooms hold back."""
        earliest = min((invoice.issued_on for invoice in invoices), default=date.max) - timedelta(days=policy.gap_days)
        bounds = {"first": records.first_key_on(earliest), "last": records.LAST_KEY}
        items = self._store.query_all(case.account_id, consistent=True, **bounds)
        earlier = [records.reminder_from(item) for item in items]
        return rules.with_history(case, earlier, self._held(case.account_id))

    def _held(self, account_id: str) -> dict[str, str]:
        being_paid = dict.fromkeys(invoices_being_paid(self._store, account_id), PAYMENT_UNDER_WAY)
        return {**being_paid, **self._holds(account_id)}

    def _seller(self, entity_id: str) -> Item:
        item = self._store.get(entity_id, "entity")
        if item is None:
            raise NotFound(f"no such legal entity: {entity_id}")
        return item

    # -- writing ----------------------------------------------------------------------------------------------------

    def _letters(self, entity_id: str, decision: Decision, on: date) -> list[Reminder]:
        if not decision.notices:
            return []
        id_ = records.reminder_id(decision.account_id, on)
        return [Reminder(decision.account_id, entity_id, id_, on, self._clock(), decision.notices)]

    def _issue(self, letters: Sequence[Reminder], report: RemindReport) -> None:
        units = [records.issue(Unit(letter.id), letter) for letter in letters]
        for unit, letter in zip(units, letters, strict=True):
            after = {"on": letter.on.isoformat(), "notices": [[n.invoice_id, n.step] for n in letter.notices]}
            self._audit(unit, letter, "reminder.issued", after)
        failed = {conflict.unit for conflict in self._store.write(units)} if units else set()
        report.reminders += [letter for letter in letters if letter.id not in failed]
        report.changed += [letter.account_id for letter in letters if letter.id in failed]

    def _withdraw(self, old: Reminder, new: Reminder, gone: Mapping[str, str], correlation_id: str) -> None:
        unit = records.revise(Unit(f"withdraw {old.id}"), old, new)
        self._audit(unit, new, "reminder.withdrawn", {"notices": dict(gone)}, correlation_id)
        if self._store.write_one(unit):
            raise Unavailable("another sender has this reminder")

    def _audit(
        self, unit: Unit, reminder: Reminder, action: str, after: Mapping[str, object], correlation_id: str = ""
    ) -> None:
        actor = job("reminders", correlation_id or reminder.id)
        unit.put(audit_item(AuditRecord(reminder.account_id, self._clock(), actor, action, reminder.id, after=after)))


def _case(account: Account, balance: Item | None, invoices: Sequence[OpenInvoice]) -> AccountCase:
    """A double takes no mail, so that nothing reaches anybody; its letters are decided as if it did."""
    takes_mail = account.deliver_by_email or is_double(account.id)
    unapplied = {
        currency: -minor
        for (currency, booked), minor in balances_from(balance).items()
        if booked is LedgerAccount.UNAPPLIED_CASH and minor < 0
    }
    return AccountCase(
        account.id,
        account.terms.segment,
        takes_mail and account.status is not AccountStatus.CLOSED,
        tuple(invoices),
        unapplied=unapplied,
    )


def _guard(case: AccountCase, notice: Notice) -> Key:
    return records.guard_key(case.account_id, notice.invoice_id, notice.step)


def _owes(balance: Item) -> bool:
    return any(
        minor > 0 for (_, booked), minor in balances_from(balance).items() if booked is LedgerAccount.RECEIVABLES
    )


def _is_owed(header: InvoiceHeader | None) -> bool:
    return header is not None and header.status in ISSUED and header.undisputed_minor > 0
