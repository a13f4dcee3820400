"""Which step of which invoice is due on a day, and what speaks against a letter. Values in, values out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

from saldo.collections.model import (
    AccountCase,
    Decision,
    DunningStep,
    LeftOut,
    Notice,
    OpenInvoice,
    Reminder,
    ReminderPolicy,
)
from saldo.kernel.errors import Problems

# How long after its day a step is still made up for. What is older is left to the next step, so that a seller who moves
# in with old debts does not write to everybody on the first day.
CATCH_UP = timedelta(days=7)
# Notices of one letter: with guards and conditions they must fit one unit. More wait for the next letter.
MOST_NOTICES = 40
_SATURDAY = 5
PROMISED = "promised"
_MOST_STEPS = 12
_FARTHEST = 365


def check_policy(policy: ReminderPolicy) -> None:
    """Refusal `invalid_schedule` naming every problem."""
    problems = Problems()
    for segment, steps in {"": policy.steps, **policy.segments}.items():
        _check_steps(f"segments.{segment}" if segment else "steps", steps, problems)
    if not 0 <= policy.gap_days <= 30:
        problems.add("gap_days", "out_of_range", "must be from 0 to 30")
    problems.refuse_if_any("no reminder can be sent by this schedule", "invalid_schedule")


def _check_steps(path: str, steps: Sequence[DunningStep], problems: Problems) -> None:
    names, days = [step.name for step in steps], [step.days for step in steps]
    if len(steps) > _MOST_STEPS:
        problems.add(path, "too_many", f"an invoice has at most {_MOST_STEPS} steps")
    if days != sorted(set(days)):
        problems.add(path, "not_rising", "each step comes on a later day than the one before")
    if len(set(names)) != len(names):
        problems.add(path, "repeated_name", "each step has a name of its own")
    for i, step in enumerate(steps):
        if not step.name.isidentifier() or len(step.name) > 40:
            problems.add(f"{path}[{i}].name", "invalid_name", "must be a short word of letters, digits and _")
        if abs(step.days) > _FARTHEST:
            problems.add(f"{path}[{i}].days", "out_of_range", "must lie within a year of the due date")


def due_dates(policy: ReminderPolicy, on: date) -> tuple[date, date] | None:
    """First and last due date for which a step of some segment may be due on the day; None without steps."""
    days = [step.days for steps in (policy.steps, *policy.segments.values()) for step in steps]
    if not days:
        return None
    return on - timedelta(days=max(days)) - CATCH_UP, on - timedelta(days=min(days))


def steps_due(case: AccountCase, policy: ReminderPolicy, on: date) -> list[Notice]:
    """What its invoices are due for by their own dates, none when nothing could be sent whatever was sent before."""
    if not decide(case, replace(policy, gap_days=0), on).notices:
        return []
    found = (_about(invoice, policy.steps_for(case.segment), case, on) for invoice in case.invoices)
    return [notice for notice in found if isinstance(notice, Notice)]


def decide(case: AccountCase, policy: ReminderPolicy, on: date) -> Decision:
    """What is to be sent to an account on the seller's day `on`.

    Of each invoice the latest step that has come and no earlier one, so what was missed is caught up with one letter.
    Nothing goes out on a Saturday or Sunday; the next working day makes up for it. Codes: the room's README.
    """
    steps = policy.steps_for(case.segment)
    notices, left_out = [], []
    for invoice in sorted(case.invoices, key=lambda i: (i.due_on, i.number, i.invoice_id)):
        found = _about(invoice, steps, case, on)
        if isinstance(found, Notice):
            notices.append(found)
        else:
            left_out.append(LeftOut(invoice.invoice_id, invoice.number, found))
    against = {n.invoice_id: code for n in notices if (code := _against(n, notices, case, policy, on))}
    going = [n for n in notices if n.invoice_id not in against]
    against |= {n.invoice_id: "next_letter" for n in going[MOST_NOTICES:]}
    left_out += [LeftOut(n.invoice_id, n.number, against[n.invoice_id]) for n in notices if n.invoice_id in against]
    return Decision(case.account_id, tuple(going[:MOST_NOTICES]), tuple(left_out))


def _about(invoice: OpenInvoice, steps: Sequence[DunningStep], case: AccountCase, on: date) -> Notice | str:
    """The notice that an invoice is due for by its own dates, or the code of why there is none."""
    if not steps:
        return "no_steps"
    if invoice.promise_id:
        return PROMISED
    # A step that would have come before the customer had the invoice is none: it says when it is due itself.
    reached = [s for s in steps if invoice.issued_on < invoice.due_on + timedelta(days=s.days) <= on]
    if not reached:
        return "not_yet"
    step, given = reached[-1], case.given.get(invoice.invoice_id, {})
    if step.name in given or step.days <= max(given.values(), default=-_FARTHEST - 1):
        return "given"
    if on - (invoice.due_on + timedelta(days=step.days)) > CATCH_UP:
        return "lapsed"
    return Notice(
        invoice.invoice_id,
        invoice.number,
        step.name,
        step.days,
        invoice.currency,
        invoice.due_on,
        invoice.open_minor,
        is_last=step == steps[-1],
        disputed_minor=invoice.disputed_minor,
    )


def _against(notice: Notice, notices: Sequence[Notice], case: AccountCase, policy: ReminderPolicy, on: date) -> str:
    """The code of what speaks against sending a notice now, "" when nothing does."""
    if not case.mailed:
        return "no_mail"
    if notice.asked_minor <= 0:
        return "disputed"
    if notice.invoice_id in case.held:
        return case.held[notice.invoice_id]
    if case.unapplied.get(notice.currency, 0) >= _owed(notices, case)[notice.currency]:
        return "unapplied_cash"
    if is_weekend(on):
        return "weekend"
    if case.last_on is not None and on < case.last_on + timedelta(days=max(policy.gap_days, 1)):
        return "too_soon"
    return ""


def _owed(notices: Sequence[Notice], case: AccountCase) -> Counter[str]:
    owed: Counter[str] = Counter()
    for notice in notices:
        if notice.invoice_id not in case.held:
            owed[notice.currency] += notice.asked_minor
    return owed


def is_weekend(on: date) -> bool:
    return on.weekday() >= _SATURDAY


def with_history(case: AccountCase, earlier: Sequence[Reminder], held: Mapping[str, str]) -> AccountCase:
    """The case with the letters that the account had and what is held back."""
    last_on = max((reminder.on for reminder in earlier), default=None)
    return replace(case, given=given_by(earlier), last_on=last_on, held=held)


def next_letter_on(case: AccountCase, policy: ReminderPolicy, first: date, last: date) -> date | None:
    """The first day of [first, last] on which something would be sent, if nothing changes until then."""
    for n in range((last - first).days + 1):
        day = first + timedelta(days=n)
        if decide(case, policy, day).notices:
            return day
    return None


def given_by(reminders: Iterable[Reminder]) -> dict[str, dict[str, int]]:
    """Which steps each invoice has had, also those that were withdrawn: invoice → name → days."""
    given: dict[str, dict[str, int]] = {}
    for reminder in reminders:
        for notice in reminder.notices:
            given.setdefault(notice.invoice_id, {})[notice.step] = notice.days
    return given


def without(reminder: Reminder, gone: Mapping[str, str]) -> Reminder:
    """The letter with the notices of these invoices withdrawn: invoice → code."""
    notices = tuple(replace(n, withdrawn=n.withdrawn or gone.get(n.invoice_id, "")) for n in reminder.notices)
    return (
        reminder if notices == reminder.notices else replace(reminder, notices=notices, revision=reminder.revision + 1)
    )
