"""Disputes: the form, its check, the list, and one with its thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from functions.portal.forms import whole
from functions.portal.presenters.paying import typed_amount
from functions.portal.presenters.tables import Stretch, stretch
from functions.portal.presenters.tags import Tag, dispute_tag
from functions.portal.words import Words
from saldo.audit.model import Actor
from saldo.disputes.model import ACTIVE, Claim, Dispute, DisputeReason, DisputeState, Side
from saldo.disputes.rules import taken
from saldo.disputes.service import Disputable, Wish
from saldo.kernel.errors import Problems, Refusal


@dataclass(frozen=True, slots=True)
class Filled:
    """What somebody filled in, as they typed it. `lines`: the chosen ones; `page`: of which page."""

    reason: str = ""
    amount: str = ""
    words: str = ""
    lines: tuple[str, ...] = ()
    typed: Mapping[str, str] = field(default_factory=dict)
    page: int = 1


def filled_from(form: Mapping[str, list[str]]) -> Filled:
    typed = {n.removeprefix("line."): v[-1].strip()[:40] for n, v in form.items() if n.startswith("line.")}
    last = {name: form.get(name, [""])[-1].strip() for name in ("reason", "amount", "words")}
    lines = tuple(dict.fromkeys(form.get("lines", [])))
    page = whole(form.get("page", [""])[-1])
    return Filled(last["reason"], last["amount"][:40], last["words"], lines, typed, page)


def wish_from(filled: Filled, found: Disputable, actor: Actor, language: str, request: str = "") -> Wish:
    """Refusal `invalid_dispute` naming each field that cannot be read. A line without amount means all of it."""
    problems, header = Problems(), found.header
    reason = next((r for r in DisputeReason if r.value == filled.reason), None)
    if reason is None:
        problems.add("reason", "reason_required", "choose what is wrong")
    lines, left, before = {}, found.left, taken(found.known)
    for line_id in filled.lines:
        whole = left.get(line_id, 0) - before[line_id]
        lines[line_id] = _minor(
            filled.typed.get(line_id, ""), whole, header.currency, language, f"line.{line_id}", problems
        )
    amount = None
    if filled.amount and not lines:
        amount = _minor(filled.amount, 0, header.currency, language, "amount", problems)
    if not filled.words:
        problems.add("words", "words_required", "say what is wrong")
    problems.refuse_if_any("this cannot be disputed so", "invalid_dispute")
    assert reason is not None, "a missing reason was refused"
    return Wish(header.account_id, header.invoice_id, reason, filled.words, request, actor, lines, amount)


def _minor(text: str, otherwise: int, currency: str, language: str, name: str, problems: Problems) -> int:
    if not text:
        return otherwise
    try:
        return typed_amount(text, currency, language)
    except Refusal:
        problems.add(name, "invalid_amount", "this is not an amount")
        return otherwise


@dataclass(frozen=True, slots=True)
class FormLine:
    id: str
    name: str
    period: str
    amount: str
    typed: str
    chosen: bool
    error: str


@dataclass(frozen=True, slots=True)
class FormView:
    invoice_id: str
    number: str
    currency: str
    left: str
    lines: tuple[FormLine, ...]
    stretch: Stretch
    reasons: tuple[tuple[str, str], ...]


def form_view(found: Disputable, filled: Filled, errors: Mapping[str, str], words: Words) -> FormView:
    header, left, before = found.header, found.left, taken(found.known)
    lines, whole_invoice = [], found.body.lines if found.body else ()
    here = stretch(len(whole_invoice), filled.page)
    for line in here.of(whole_invoice):
        minor = left.get(line.id, 0) - before[line.id]
        if minor > 0:
            amount = words.amount(minor, header.currency)
            typed = filled.typed.get(line.id, "") or amount
            name, error = words.of(line.names), errors.get(f"line.{line.id}", "")
            lines.append(
                FormLine(line.id, name, words.period(line.period), amount, typed, line.id in filled.lines, error)
            )
    reasons = tuple((r.value, words(f"dispute.reason.{r}")) for r in DisputeReason)
    total = words.money(header.total_minor - header.credited_minor, header.currency)
    choose = ("", words("dispute.choose"))
    return FormView(header.invoice_id, header.number, header.currency, total, tuple(lines), here, (choose, *reasons))


@dataclass(frozen=True, slots=True)
class CheckedView:
    """`rest`: what is left to pay, "" for nothing."""

    invoice_id: str
    number: str
    currency: str
    reason: str
    lines: tuple[tuple[str, str], ...]
    gross: str
    rest: str
    words: str


def check_view(wish: Wish, claim: Claim, found: Disputable, words: Words) -> CheckedView:
    header = found.header
    rest = header.open_minor - min(found.known.minor + claim.gross_minor, header.open_minor)
    return CheckedView(
        header.invoice_id,
        header.number,
        header.currency,
        words(f"dispute.reason.{wish.reason}"),
        _lines(claim, found, words),
        words.money(claim.gross_minor, header.currency),
        words.money(rest, header.currency) if rest else "",
        wish.words,
    )


def _lines(claim: Claim, found: Disputable, words: Words) -> tuple[tuple[str, str], ...]:
    names = {line.id: words.of(line.names) for line in found.body.lines} if found.body else {}
    return tuple((names.get(i, i), words.amount(minor, found.header.currency)) for i, minor in claim.lines.items())


@dataclass(frozen=True, slots=True)
class DisputeRow:
    id: str
    number: str
    reason: str
    opened: str
    amount: str
    tag: Tag


def rows_of(disputes: Sequence[Dispute], zone: str, words: Words) -> tuple[DisputeRow, ...]:
    return tuple(
        DisputeRow(
            d.id,
            d.number,
            words(f"dispute.reason.{d.reason}"),
            words.moment(d.opened_at, zone),
            words.money(d.claim.gross_minor, d.currency),
            dispute_tag(d.state, words),
        )
        for d in disputes
    )


@dataclass(frozen=True, slots=True)
class DisputeView:
    """`thread`: (who, when, words, is ours, names of files). `seen` is the revision that forms act on."""

    id: str
    invoice_id: str
    number: str
    seen: int
    tag: Tag
    told: str
    reason: str
    amount: str
    credited: str
    thread: tuple[tuple[str, str, str, bool, tuple[str, ...]], ...]
    history: tuple[tuple[str, str], ...]
    is_active: bool
    may_withdraw: bool
    may_reopen: bool


def dispute_view(dispute: Dispute, reader: str, zone: str, words: Words, side: Side = Side.CUSTOMER) -> DisputeView:
    """As one of a side reads it; `reader` is their own id."""
    thread = tuple(
        (_who(m.side, m.by, reader, side, words), words.moment(m.at, zone), m.words, m.side is side, ())
        for m in dispute.messages
    )
    money = dispute.currency
    return DisputeView(
        id=dispute.id,
        invoice_id=dispute.invoice_id,
        number=dispute.number,
        seen=dispute.revision,
        tag=dispute_tag(dispute.state, words),
        told=words(f"dispute.told.{dispute.state}"),
        reason=words(f"dispute.reason.{dispute.reason}"),
        amount=words.money(dispute.claim.gross_minor, money),
        credited=words.money(dispute.credited_minor, money) if dispute.credited_minor else "",
        thread=thread,
        history=tuple((words(f"dispute.state.{h.state}"), words.moment(h.at, zone)) for h in reversed(dispute.history)),
        is_active=dispute.state in ACTIVE,
        may_withdraw=dispute.state in (DisputeState.OPEN, DisputeState.ANSWERED),
        may_reopen=dispute.may_reopen,
    )


def _who(message: Side, by: str, reader: str, side: Side, words: Words) -> str:
    if by == reader:
        return words("dispute.you")
    return words("dispute.colleague") if message is side else words(f"dispute.side.{message}")
