"""Notices follow from what happened: each once, for whom it concerns, and nothing that is out of sight."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saldo.access.model import Role
from saldo.access.model_notices import NoticeChoices, NoticeKind, Way
from saldo.access.model_visibility import SelfService, Visibility
from saldo.access.rules_notices import RULES
from saldo.audit.model import Actor, AuditRecord, job
from saldo.notices import rules
from saldo.notices.model import IssuedInvoice, Notice, Reader

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
ACCOUNT, ME, OTHER = "acct_eu_a", "user_me", "user_other"
READER = Reader(ME, ACCOUNT, Role.ACCOUNT_ADMIN, Visibility(), "Europe/Berlin")
K = NoticeKind


def act(action: str, at: datetime = NOW, by: Actor | None = None, **after: object) -> AuditRecord:
    return AuditRecord(ACCOUNT, at, by or job("tests"), action, "pay_1", after=after)


def told(*records: AuditRecord, reader: Reader = READER) -> list[Notice]:
    return list(rules.of_trail(records, reader, NOW))


def issued(due_on: date, asked_minor: int = 5_000, **other: object) -> IssuedInvoice:
    one = IssuedInvoice("inv_1", False, "RW-1", "EUR", 11_900, asked_minor, due_on, NOW - timedelta(days=20))
    return replace(one, **other)  # type: ignore[arg-type] # any field of it


def of_invoice(one: IssuedInvoice) -> list[tuple[NoticeKind, int | None]]:
    return [(n.kind, n.minor) for n in rules.of_invoices([one], READER, NOW)]


def test_what_is_no_news_to_anybody_makes_no_notice() -> None:
    assert told(act("invoice.viewed"), act("payment.applied"), act("session.began")) == []


def test_a_payment_that_settled_is_told_with_what_it_is_about() -> None:
    (notice,) = told(act("payment.started", by=Actor(OTHER, "user"), amount_minor=1_200, currency="EUR"))
    assert (notice.kind, notice.subject_id, notice.minor) == (K.PAYMENT_STARTED, "pay_1", 1_200)
    assert [n.kind for n in told(act("payment.settled"), act("payment.failed"))] == [
        K.PAYMENT_SUCCEEDED,
        K.PAYMENT_FAILED,
    ]


def test_a_limit_is_told_once_however_many_had_copies_of_the_mail() -> None:
    assert len(told(act("alert.sent"), act("alert.sent", NOW + timedelta(seconds=1), reader_id=OTHER))) == 1


def test_what_readers_did_themselves_is_no_news_to_them() -> None:
    mine, theirs = Actor(ME, "user"), Actor(OTHER, "user")
    assert told(act("dispute.opened", by=mine)) == [] and len(told(act("dispute.opened", by=theirs))) == 1


@pytest.mark.parametrize("role", Role)
def test_the_role_decides_who_is_told(role: Role) -> None:
    acts = [act(action, by=Actor(OTHER, "user")) for action in rules._ACTS]
    kinds = {n.kind for n in told(*acts, reader=replace(READER, role=role))}
    assert all(role in RULES[kind].roles for kind in kinds)
    assert kinds == {kind for kind in rules._ACTS.values() if role in RULES[kind].roles}


def test_what_the_account_does_not_show_is_not_told_either() -> None:
    old = NOW - timedelta(days=40)
    only_open = replace(READER, visibility=Visibility(open_only=True))
    assert told(act("payment.settled", old), reader=only_open) == []
    assert len(told(act("payment.settled", NOW), reader=only_open)) == 1
    without = replace(READER, visibility=Visibility(actions=frozenset({SelfService.PAY})))
    assert told(act("dispute.refused"), act("method.expiry_told"), reader=without) == []


def test_an_invoice_is_told_when_it_is_there_then_before_and_after_it_is_due() -> None:
    ready = (K.INVOICE_READY, 11_900)
    assert of_invoice(issued(date(2026, 11, 27))) == [ready]
    assert of_invoice(issued(date(2026, 11, 26))) == [ready, (K.DUE_SOON, 5_000)]
    assert of_invoice(issued(date(2026, 11, 23))) == [ready, (K.DUE_SOON, 5_000)]
    assert of_invoice(issued(date(2026, 11, 22))) == [ready, (K.OVERDUE, 5_000)]


def test_nobody_is_told_to_pay_what_is_paid_in_dispute_or_given_back() -> None:
    late = date(2026, 11, 1)
    assert of_invoice(issued(late, 0)) == [(K.INVOICE_READY, 11_900)]
    assert of_invoice(issued(late, 0, is_credit_note=True, total_minor=-700)) == [(K.INVOICE_READY, 700)]


def test_a_sign_in_is_news_when_the_browser_is_new_and_not_otherwise() -> None:
    usual = AuditRecord(ME, NOW, Actor(ME, "user"), "session.began", ME, after={"risk": ["new_network 20"]})
    strange = replace(usual, after={"risk": ["new_browser 20"]})
    assert len(list(rules.of_own_trail([replace(usual, after={"risk": ["new_country 30"]})]))) == 1
    added = replace(usual, action="passkey.added")
    assert [n.what for n in rules.of_own_trail([usual, strange, added])] == ["session.began", "passkey.added"]


INSTANTS = st.integers(min_value=-200 * 24, max_value=24).map(lambda hours: NOW + timedelta(hours=hours))
NOTICES = st.builds(
    Notice,
    st.just(ACCOUNT),
    st.sampled_from(NoticeKind),
    INSTANTS,
    st.sampled_from(["a", "b"]),
    st.sampled_from(["inv_1", "inv_2"]),
)


@given(st.lists(NOTICES), st.sets(st.sampled_from(NoticeKind)))
def test_notices_come_once_newest_first_as_far_back_as_they_are_kept(found: list[Notice], off: set[NoticeKind]) -> None:
    choices = NoticeChoices({(kind, Way.PORTAL): False for kind in off})
    shown = rules.in_order([*found, *found], choices, NOW)
    assert len(set(shown)) == len(shown) and list(shown) == sorted(shown, key=lambda n: n.at, reverse=True)
    assert all(NOW - rules.KEPT <= n.at <= NOW for n in shown)
    assert all(n.kind not in off or RULES[n.kind].must for n in shown)
    kept = {n for n in found if NOW - rules.KEPT <= n.at <= NOW and (n.kind not in off or RULES[n.kind].must)}
    assert kept == set(shown)


def test_newcomers_are_not_greeted_with_months_of_unread_notices() -> None:
    assert rules.read_from(NoticeChoices(), NOW) == NOW - timedelta(days=7)
    assert rules.read_from(NoticeChoices(read_until=NOW), NOW) == NOW
