"""The life of an invoice in words: issued, sent, seen, due, promised, in dispute, paid."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from functions.portal.presenters.tags import dispute_tag
from functions.portal.words import Words
from saldo.delivery.model import Channel
from saldo.delivery.records import delivery_key
from saldo.disputes.model import InDispute
from saldo.disputes.records import disputed_key, in_dispute_from
from saldo.invoicing.records import InvoiceHeader
from saldo.invoicing.status import CLOSED, DocumentKind, InvoiceStatus
from saldo.invoicing.viewings import seen_key
from saldo.kernel.clock import instant_from
from saldo.kernel.periods import local_date
from saldo.promises.model import PromiseState
from saldo.storage.items import Item, Key

# Of what mail tells: that it left, and that it did not arrive. Whether somebody opened it, it cannot know.
_OF_MAIL = frozenset({"sent", "bounced"})
_Told = tuple[datetime, str, str]


def keys_of(account_id: str, invoice_id: str) -> tuple[Key, ...]:
    """What the history reads besides the invoice."""
    mail = delivery_key(account_id, invoice_id, Channel.EMAIL)
    return mail, seen_key(account_id, invoice_id), disputed_key(account_id, invoice_id)


def history_of(
    header: InvoiceHeader, others: Mapping[Key, Item], today: date, zone: str, words: Words, to_staff: bool = False
) -> tuple[tuple[str, str], ...]:
    """(what, when), newest first. others: the records of `keys_of` that are there. zone: the account's. to_staff: what
    speaks to the customer speaks of the customer instead."""
    mail, seen, disputed = (others.get(key) for key in keys_of(header.account_id, header.invoice_id))
    told = [*_states(header, zone, words, to_staff), *_mailed(mail, zone, words), *_promises(header, zone, words)]
    told += [*_disputes(in_dispute_from(header.invoice_id, disputed), zone, words), *_due(header, today, zone, words)]
    if seen:
        at = instant_from(seen["at"])
        told.append((at, _said("seen", words, to_staff), words.moment(at, zone)))
    ordered = sorted(told, key=lambda one: one[0])
    return tuple((what, when) for _, what, when in ordered[::-1])


def _said(name: str, words: Words, to_staff: bool) -> str:
    return words.known(f"staff.history.{name}", f"history.{name}") if to_staff else words(f"history.{name}")


def _states(header: InvoiceHeader, zone: str, words: Words, to_staff: bool) -> Iterator[_Told]:
    for change in header.history:
        yield change.at, _said(change.status, words, to_staff), words.moment(change.at, zone)
    paid = [change.at for change in header.history if change.status is InvoiceStatus.PAID]
    if header.tolerated_minor and paid:
        amount = words.money(header.tolerated_minor, header.currency)
        yield paid[-1], words("history.written_off", amount=amount), words.moment(paid[-1], zone)


def _mailed(mail: Item | None, zone: str, words: Words) -> Iterator[_Told]:
    for change in mail["history"] if mail else ():
        if change["status"] in _OF_MAIL:
            at = instant_from(change["at"])
            yield at, words(f"history.mail_{change['status']}"), words.moment(at, zone)


def _promises(header: InvoiceHeader, zone: str, words: Words) -> Iterator[_Told]:
    for mark in header.promises:
        is_made = mark.state == PromiseState.CURRENT
        over = words("history.promise_over", state=words(f"plan.state.{mark.state}"))
        said = words("history.promised", on=words.day(mark.until_on)) if is_made else over
        yield mark.at, said, words.moment(mark.at, zone)


def _disputes(found: InDispute, zone: str, words: Words) -> Iterator[_Told]:
    for one in found.disputes:
        if one.opened_at:
            yield one.opened_at, words("history.in_dispute"), words.moment(one.opened_at, zone)
        if one.ended_at:
            over = words("history.dispute_over", state=dispute_tag(one.state, words).text)
            yield one.ended_at, over, words.moment(one.ended_at, zone)


def _due(header: InvoiceHeader, today: date, zone: str, words: Words) -> Iterator[_Told]:
    """Its due date, once it has passed with something still open."""
    if header.document is DocumentKind.CREDIT_NOTE or today <= header.due_on:
        return
    by_then = [change for change in header.history if local_date(change.at, zone) <= header.due_on]
    if not by_then or by_then[-1].status not in CLOSED:
        yield datetime.combine(header.due_on, time.max, ZoneInfo(zone)), words("history.due"), words.day(header.due_on)
