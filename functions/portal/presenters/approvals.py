"""Approvals as pages show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from functions.portal.presenters.tags import Tag
from functions.portal.words import Words
from saldo.access.model_people import People
from saldo.invoicing.listing import InvoiceRow
from saldo.payments.model_approvals import Approval, ApprovalState, Step
from saldo.payments.records_approvals import approval_from, delegation_from
from saldo.storage.items import Item

_TONES = {"waiting": "wait", "agreed": "done", "declined": "late", "void": "over", "started": "done", "expired": "over"}


@dataclass(frozen=True, slots=True)
class ApprovalRow:
    id: str
    asked: str
    by: str
    amount: str
    tag: Tag


@dataclass(frozen=True, slots=True)
class ApprovalsView:
    """`stand_in`: who stands in for the reader now or later, "" for nobody. `colleagues`: who could."""

    rows: tuple[ApprovalRow, ...]
    stand_in: str
    colleagues: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ApprovalView:
    """`lines`: number and amount. `steps`: what happened or is waited for, when, who."""

    id: str
    tag: Tag
    amount: str
    currency: str
    by: str
    asked: str
    until: str
    reason: str
    lines: tuple[tuple[str, str, str], ...]
    steps: tuple[tuple[str, str, str], ...]
    is_payer: bool
    may_start: bool
    may_withdraw: bool


def approvals_view(items: Sequence[Item], people: People, reader_id: str, zone: str, words: Words) -> ApprovalsView:
    found = [approval_from(item) for item in items if item["kind"] == "approval"]
    standing = [delegation_from(item) for item in items if item["kind"] == "delegation"]
    own = next((d for d in standing if d.user_id == reader_id), None)
    said = ""
    if own:
        days = {"from_on": words.day(own.from_on), "until_on": words.day(own.until_on)}
        said = words("approvals.stands_in", name=name_of(people, own.to, words), **days)
    others = tuple((m.user_id, m.name) for m in people.members if m.user_id != reader_id and not m.suspended)
    rows = tuple(
        ApprovalRow(
            a.id,
            words.moment(a.asked_at, zone),
            name_of(people, a.payer, words),
            words.money(a.amount_minor, a.currency),
            tag_of(a.state.value, words),
        )
        for a in found
    )
    return ApprovalsView(rows, said, others)


def approval_view(
    approval: Approval,
    rows: Mapping[str, InvoiceRow],
    people: People,
    reader_id: str,
    zone: str,
    now: datetime,
    words: Words,
) -> ApprovalView:
    live = approval.state in (ApprovalState.WAITING, ApprovalState.AGREED)
    late, is_payer = live and now >= approval.expires_at, approval.payer == reader_id
    lines = [
        (
            a.number or (rows[a.invoice_id].number if a.invoice_id in rows else ""),
            a.invoice_id,
            words.amount(a.minor, approval.currency),
        )
        for a in approval.allocations
    ]
    return ApprovalView(
        id=approval.id,
        tag=tag_of("expired" if late else approval.state.value, words),
        amount=words.money(approval.amount_minor, approval.currency),
        currency=approval.currency,
        by=name_of(people, approval.payer, words),
        asked=words.moment(approval.asked_at, zone),
        until=words.moment(approval.expires_at, zone),
        reason=approval.reason,
        lines=tuple(lines),
        steps=tuple(_step(step, people, zone, words) for step in approval.steps),
        is_payer=is_payer,
        may_start=is_payer and not late and approval.state is ApprovalState.AGREED,
        may_withdraw=is_payer and not late and live,
    )


def _step(step: Step, people: People, zone: str, words: Words) -> tuple[str, str, str]:
    if not step.by or step.at is None:
        named = ", ".join(name_of(people, user_id, words) for user_id in step.approvers)
        return words("approval.waits"), "", named or words("approval.anyone")
    who = name_of(people, step.by, words)
    if step.in_place_of:
        who = words("approval.in_place", name=who, absent=name_of(people, step.in_place_of, words))
    return words("approval.agreed"), words.moment(step.at, zone), who


def name_of(people: People, user_id: str, words: Words) -> str:
    member = people.member(user_id)
    return member.name if member else words("approvals.gone")


def tag_of(state: str, words: Words) -> Tag:
    return Tag(_TONES[state], words(f"approval.state.{state}"))
