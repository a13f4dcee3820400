"""Comparing a restored copy with the live table as of the same instant. Values in, findings out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from saldo.kernel.money import Money
from saldo.payments.model import GatewayEvent, GatewayPayment, PaidOut, Payout
from saldo.recovery.facts import EntryFact, Facts
from saldo.recovery.model import Finding, Total
from saldo.storage.items import Key


def totals_of(entries: Iterable[EntryFact]) -> list[Total]:
    sums: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for entry in entries:
        found = sums[entry.entity_id, entry.currency]
        found[0] += 1
        found[1] += entry.turnover_minor
        found[2] += entry.receivables_minor
    return [Total(*key, *found) for key, found in sorted(sums.items())]


def live_as_of(live: Facts, copy: Facts, at: str) -> dict[Key, EntryFact]:
    """The live journal as it was at an instant. Entries that no audit record dates count where the copy has them."""
    return {key: entry for key, entry in live.entries.items() if (entry.at and entry.at <= at) or key in copy.entries}


def undated(live: Facts) -> int:
    return sum(1 for entry in live.entries.values() if not entry.at)


def compare_journals(live: Facts, copy: Facts, at: str) -> Iterator[Finding]:
    """The journal only grows: what the copy has is in the live table unchanged, what is older than `at` is in it."""
    for key, entry in copy.entries.items():
        now = live.entries.get(key)
        if now is None:
            yield Finding("journal", key[0], f"{key[1]} is in the copy, and no longer in the live table")
        elif now.print != entry.print:
            yield Finding("journal", key[0], f"{key[1]} was changed since, which entries never are")
    then = live_as_of(live, copy, at)
    for key in then.keys() - copy.entries.keys():
        yield Finding("journal", key[0], f"{key[1]} was written before the instant, and the copy lacks it")
    theirs = {(t.entity_id, t.currency): t for t in totals_of(then.values())}
    for total in totals_of(copy.entries.values()):
        if theirs.pop((total.entity_id, total.currency), None) != total:
            yield Finding("totals", total.entity_id, f"{total.currency}: the copy and the live table differ")
    for entity_id, currency in theirs:
        yield Finding("totals", entity_id, f"{currency}: the copy has no entries")


def lost_changes(live: Facts, copy: Facts, at: str) -> list[Key]:
    """Changes up to the instant that the copy knows nothing of."""
    return sorted(key for key, then in live.changes.items() if then <= at and key not in copy.changes)


def compare_changes(live: Facts, copy: Facts, at: str) -> Iterator[Finding]:
    """A change that was on record before `at` is in the copy, but for those whose records come after their own time."""
    for key in lost_changes(live, copy, at):
        if key not in live.told_later:
            yield Finding("changes", key[0], f"{key[1]} was written before the instant, and the copy lacks it")


def to_tell(live: Facts, copy: Facts) -> list[tuple[str, GatewayEvent]]:
    """Gateway and event, oldest first: what the live table was told and the copy was not, and all that is parked.

    Payouts leave no event behind unless they were parked; they are told as the payments say they were.
    """
    found = []
    for key, event in live.events.items():
        if key not in copy.events:
            found.append((live.gateways[key] or _gateway_of(live, event), event))
    for key, payment in live.payments.items():
        before = copy.payments.get(key)
        if payment.paid_out_at and before and not before.paid_out_at:
            amount = Money(payment.settled_minor or payment.amount.minor, payment.amount.currency)
            paid = PaidOut(payment.id, payment.account_id, amount)
            payout = Payout(payment.payout_id, payment.paid_out_at, (paid,))
            event_id = f"drill-{payment.payout_id}-{payment.id}"
            found.append((payment.gateway, GatewayEvent(event_id, payment.paid_out_at, payout)))
    return sorted(found, key=lambda told: (told[1].occurred_at, told[1].id))


def _gateway_of(live: Facts, event: GatewayEvent) -> str:
    if not isinstance(event.news, GatewayPayment):
        return ""
    payment = live.payments.get((event.news.account_id, f"payment#{event.news.payment_id}"))
    return payment.gateway if payment else ""


def compare_payments(live: Facts, copy: Facts) -> Iterator[Finding]:
    """After events were told again, a payment that both know has settled in both, for the same money."""
    for key, payment in copy.payments.items():
        now = live.payments.get(key)
        if now and (now.status, now.settled_minor) != (payment.status, payment.settled_minor):
            there, here = f"{now.status} {now.settled_minor}", f"{payment.status} {payment.settled_minor}"
            yield Finding("payments", key[0], f"{payment.id}: {there} in the live table, {here} in the copy")
