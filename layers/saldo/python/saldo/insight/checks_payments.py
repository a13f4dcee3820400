"""Invariants of payments: booked once, in clearing as long as they have to be, applied no further than they reach."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import timedelta

from saldo.insight.model import Owner, Violation
from saldo.kernel.clock import instant_text
from saldo.ledger.model import EntryKind, LedgerAccount
from saldo.payments.model import Payout
from saldo.payments.records import PARKED, parked_event
from saldo.storage.items import Item

_PARKED_AT_MOST = timedelta(days=1)
_CAME = frozenset({EntryKind.PAYMENT_SETTLED, EntryKind.PAYMENT_IMPORTED, EntryKind.PAYMENT_RECEIVED})
# Those that book money or give it to invoices name their payment first in their source; what nets credit does not.
_ITS_OWN = _CAME | {EntryKind.PAYMENT_APPLIED, EntryKind.PAYMENT_TAKEN_BACK}


def each_settlement_is_booked_once(owner: Owner) -> Iterator[Violation]:
    """However often a gateway told of it: one settlement entry per settled payment, of the settled amount."""
    booked: dict[str, list[int]] = defaultdict(list)
    for item in owner.of("entry"):
        if item["entry_kind"] in _CAME:
            cash = sum(p["minor"] for p in item["postings"] if p["account"] == LedgerAccount.UNAPPLIED_CASH)
            booked[item["source_id"]].append(-cash)
    for item in owner.of("payment"):
        expected = [item["settled_minor"]] if item["status"] in ("settled", "returned") else []
        if booked.pop(item["payment_id"], []) != expected:
            yield Violation(12, owner.id, f"{item['payment_id']} is {item['status']} and booked otherwise")
    for payment_id in booked:
        yield Violation(12, owner.id, f"a settlement is booked for {payment_id}, which does not exist")


def gateway_news_are_not_left_parked(owner: Owner) -> Iterator[Violation]:
    """What a gateway told and fits no payment is tried again by each sweep. A day later it is for people: of the seller
    whose customer it names, where it names one."""
    if owner.now is None:
        return
    before = instant_text(owner.now - _PARKED_AT_MOST)
    for item in owner.of("parked_event"):
        if item["parked_at"] < before:
            event_id, _, subject = item["sk"].removeprefix(PARKED).partition("#")
            said = f"{event_id} about {subject} is parked since {item['parked_at']}: {item['reason']}"
            yield Violation(12, _customer_of(item) or owner.id, said)


def _customer_of(item: Item) -> str:
    news = parked_event(item).news
    return news.payments[0].account_id if isinstance(news, Payout) else news.account_id


def clearing_is_what_payments_explain(owner: Owner) -> Iterator[Violation]:
    """In the gateway's clearing lies, of each payment, what settled until that is paid out; below zero, what was paid
    out before the news that it settled; and nothing else, whatever else is under way."""
    there = _by_payment(owner.of("entry"), LedgerAccount.GATEWAY_CLEARING)
    for item in owner.of("payment"):
        minor, expected = there.pop((item["payment_id"], item["currency"]), 0), _in_clearing(owner, item)
        if minor != expected:
            said = f"{minor} {item['currency']} of {item['payment_id']} lie in clearing, where {expected} should"
            yield Violation(5, owner.id, said)
    for (source, currency), minor in there.items():
        if minor:
            yield Violation(5, owner.id, f"{minor} {currency} of {source} lie in clearing, and are of no payment")


def _in_clearing(owner: Owner, payment: Item) -> int:
    settled, paid_out = bool(payment.get("settled_at")), bool(payment.get("paid_out_at"))
    if settled != paid_out:
        return int(payment["settled_minor"]) if settled else -_paid_out(owner, payment)
    return 0


def _paid_out(owner: Owner, payment: Item) -> int:
    """How much the payout had of it, as its audit record says."""
    for item in owner.of("audit"):
        if item["action"] == "payment.paid_out" and item["subject_id"] == payment["payment_id"]:
            return int(item["after"]["amount_minor"])
    return int(payment["amount_minor"])


def payments_cover_their_applications(owner: Owner) -> Iterator[Violation]:
    """No payment is applied beyond what came of it, and its entries leave as much of it unapplied as it says; nor is
    more unapplied cash used, by netting too, than all of an account's payments left."""
    left = _by_payment((i for i in owner.of("entry") if i["entry_kind"] in _ITS_OWN), LedgerAccount.UNAPPLIED_CASH)
    for item in owner.of("payment"):
        applied, settled = sum(a["minor"] for a in item["applied"]), item["settled_minor"]
        if applied > settled:
            yield Violation(13, owner.id, f"{item['payment_id']} is applied at {applied}, it came to {settled}")
        unapplied = 0 if item["status"] == "returned" else settled - applied
        if (booked := -left[item["payment_id"], item["currency"]]) != unapplied:
            said = f"{item['payment_id']} says that {unapplied} of it are unapplied, its entries leave {booked}"
            yield Violation(13, owner.id, said)
    for currency, minor in _unapplied(owner).items():
        if minor < 0:
            yield Violation(13, owner.id, f"{-minor} {currency} were applied beyond what was paid")


def _unapplied(owner: Owner) -> Counter[str]:
    unapplied: Counter[str] = Counter()
    for entry in owner.entries:
        for p in entry.postings:
            if p.account is LedgerAccount.UNAPPLIED_CASH:
                unapplied[entry.currency] -= p.minor
    return unapplied


def _by_payment(entries: Iterable[Item], account: LedgerAccount) -> Counter[tuple[str, str]]:
    """What these entries, as they are stored, have in a ledger account, by payment (or what else is their source) and
    currency."""
    there: Counter[tuple[str, str]] = Counter()
    for item in entries:
        for leg in item["postings"]:
            if leg["account"] == account:
                there[item["source_id"].partition("/")[0], item["currency"]] += leg["minor"]
    return there
