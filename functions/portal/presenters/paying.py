"""Paying: which invoices, how much of each, and the check before the pay page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from functions.portal.presenters.tags import Tag, disputed_note, due_note, invoice_tag
from functions.portal.words import Words
from saldo.invoicing.listing import InvoiceRow
from saldo.kernel.errors import Problem, Refusal
from saldo.kernel.money import Money
from saldo.payments.model import Allocation, Payable
from saldo.payments.model_methods import StoredMethod
from saldo.payments.rules_netting import Netted

if TYPE_CHECKING:
    from saldo.invoicing.rules_early import EarlyOffer

MOST_SHOWN = 200
ANOTHER = "another"


@dataclass(frozen=True, slots=True)
class ChoiceRow:
    """One open invoice on the form. `typed` is what stands in the field, `error` what is wrong with it."""

    invoice_id: str
    number: str
    due: str
    note: str
    tag: Tag
    open: str
    typed: str
    chosen: bool
    error: str
    minor: int


@dataclass(frozen=True, slots=True)
class ChoiceView:
    """The form of one currency; the other currencies that something is owed in are links."""

    currency: str
    others: tuple[str, ...]
    rows: tuple[ChoiceRow, ...]
    reason: str
    reason_error: str
    summary: tuple[tuple[str, str], ...]
    total: str
    left_out: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a payer filled in: chosen invoices in order, the text typed for each, and the reason.

    `minors`: amounts in minor units that our own check page handed on; they go before what was typed.
    """

    chosen: tuple[str, ...]
    typed: Mapping[str, str]
    reason: str = ""
    minors: Mapping[str, int] = field(default_factory=dict)


def wanted_from(form: Mapping[str, list[str]]) -> Wanted:
    """From the form: `pay` names the chosen, `amount.<id>` holds what was typed, `minor.<id>` what was checked."""
    typed = {name.removeprefix("amount."): v[-1].strip() for name, v in form.items() if name.startswith("amount.")}
    minors = {name.removeprefix("minor."): v[-1] for name, v in form.items() if name.startswith("minor.")}
    if not all(m.isascii() and m.isdigit() and len(m) <= 15 for m in minors.values()):
        raise Refusal("invalid_form", "checked amounts are whole minor units")
    chosen = tuple(dict.fromkeys(form.get("pay", [])))
    reason = form.get("reason", [""])[-1].strip()[:200]
    return Wanted(chosen, typed, reason, {name: int(m) for name, m in minors.items()})


def typed_amount(text: str, currency: str, language: str) -> int:
    """Minor units of an amount as people of a language type it; Refusal `invalid_amount` for anything else.

    Of two different signs the last is the decimal point. A single sign is one too, unless it is the language's own
    grouping sign with three digits after it.
    """
    return Money.parse(typed_digits(text, language), currency).minor


def typed_digits(text: str, language: str) -> str:
    """A number as people of a language type it, with a point and without grouping; it may turn out to be none."""
    plain = "".join(c for c in text if c not in "\u00a0\u202f '")
    point = _point_of(plain, language)
    return "".join("." if c == point else c for c in plain if c not in ",." or c == point)


def _point_of(plain: str, language: str) -> str:
    """The sign that is the decimal point in this text, "" for none."""
    signs = [c for c in plain if c in ",."]
    if not signs:
        return ""
    last = signs[-1]
    if len(set(signs)) == 2:
        return last
    group = "," if language == "en" else "."
    is_grouping = len(signs) > 1 or (last == group and len(plain) - plain.rfind(last) == 4)
    return "" if is_grouping else last


def allocations_from(
    wanted: Wanted, rows: Mapping[str, InvoiceRow], language: str
) -> tuple[list[Allocation], list[Problem]]:
    """The chosen amounts, and a problem for each that is not an amount. A field left empty means all that is open."""
    found, problems = [], []
    for index, invoice_id in enumerate(wanted.chosen):
        row = rows.get(invoice_id)
        minor = wanted.minors.get(invoice_id, _usual(row) if row else 1)
        typed = wanted.typed.get(invoice_id, "")
        if row and typed and invoice_id not in wanted.minors:
            try:
                minor = typed_amount(typed, row.currency, language)
            except Refusal as refusal:
                problems.append(Problem(f"allocations[{index}].minor", refusal.code, refusal.message))
        found.append(Allocation(invoice_id, minor))
    return found, problems


def payables_of(rows: Sequence[InvoiceRow]) -> dict[str, Payable]:
    """Open rows as payments' own rules take them (the seller plays no part in them)."""
    return {
        r.invoice_id: Payable(
            r.invoice_id,
            r.number,
            "",
            r.currency,
            r.due_on,
            r.open_minor,
            disputed_minor=r.disputed_minor,
            promise_id=r.promise_id,
        )
        for r in rows
    }


def _usual(row: InvoiceRow) -> int:
    """What is paid unless the payer says otherwise: what is open and not in dispute; all of it where all is."""
    return row.undisputed_minor or row.open_minor


def choice_view(
    rows: Sequence[InvoiceRow], wanted: Wanted, currency: str, problems: Sequence[Problem], today: date, words: Words
) -> ChoiceView:
    """The form as it is to be shown: chosen invoices first in the order of their due dates."""
    mine = [r for r in rows if r.currency == currency]
    shown = sorted(mine, key=lambda r: (r.invoice_id not in wanted.chosen, r.due_on, r.invoice_id))[:MOST_SHOWN]
    errors, general = _errors_by_invoice(problems, wanted.chosen, words)
    chosen_minor = sum(_usual(r) for r in mine if r.invoice_id in wanted.chosen)
    return ChoiceView(
        currency=currency,
        others=tuple(sorted({r.currency for r in rows} - {currency})),
        rows=tuple(_choice_row(r, wanted, errors, today, words) for r in shown),
        reason=wanted.reason,
        reason_error=next((text for field, text in general if field == "reason"), ""),
        summary=tuple([(f"amount.{i}", text) for i, text in errors.items()] + general),
        total=words.money(chosen_minor, currency),
        left_out=len(mine) - len(shown),
    )


def _choice_row(row: InvoiceRow, wanted: Wanted, errors: Mapping[str, str], today: date, words: Words) -> ChoiceRow:
    full = words.amount(wanted.minors.get(row.invoice_id, _usual(row)), row.currency)
    return ChoiceRow(
        invoice_id=row.invoice_id,
        number=row.number,
        due=words.day(row.due_on),
        note=disputed_note(row, words) or due_note(row, today, words),
        tag=invoice_tag(row, today, words),
        open=words.amount(row.open_minor, row.currency),
        typed=wanted.typed.get(row.invoice_id) or full,
        chosen=row.invoice_id in wanted.chosen,
        error=errors.get(row.invoice_id, ""),
        minor=_usual(row),
    )


def _errors_by_invoice(
    problems: Sequence[Problem], chosen: Sequence[str], words: Words
) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Problems of `allocations[n]…` by invoice; the others with the field they belong to."""
    by_invoice: dict[str, str] = {}
    general: list[tuple[str, str]] = []
    for problem in problems:
        text = words.known(f"problem.{problem.code}", "problem.other")
        if problem.field.startswith("allocations["):
            index = int(problem.field[len("allocations[") :].split("]")[0])
            by_invoice.setdefault(chosen[index], text)
        else:
            general.append(("reason" if problem.field == "reason" else "choice", text))
    return by_invoice, general


@dataclass(frozen=True, slots=True)
class CheckRow:
    invoice_id: str
    number: str
    pays: str
    note: str
    minor: int


@dataclass(frozen=True, slots=True)
class CheckView:
    rows: tuple[CheckRow, ...]
    total: str
    reason: str
    currency: str


def check_view(
    chosen: Sequence[Allocation],
    payables: Mapping[str, Payable],
    early: Mapping[str, EarlyOffer],
    reason: str,
    words: Words,
) -> CheckView:
    """What will be paid, invoice by invoice, and what then stays open. early: discounts that these payments take."""
    currency = payables[chosen[0].invoice_id].currency
    lines = []
    for a in chosen:
        paid, note = payables[a.invoice_id], ""
        left, offer = paid.open_minor - a.minor, early.get(a.invoice_id)
        if offer and offer.minor < left:
            amount, rest = words.amount(offer.minor, currency), words.amount(left - offer.minor, currency)
            note = words("check.early_part", amount=amount, on=words.day(offer.until_on), left=rest)
        elif offer:
            note = words("check.early", amount=words.amount(left, currency), on=words.day(offer.until_on))
        elif left > 0:
            note = words("check.left", amount=words.amount(left, currency))
        lines.append(CheckRow(a.invoice_id, paid.number, words.amount(a.minor, currency), note, a.minor))
    total = words.money(sum(a.minor for a in chosen), currency)
    return CheckView(tuple(lines), total, reason, currency)


@dataclass(frozen=True, slots=True)
class CreditView:
    """What credit pays of what was chosen: `minor` in all, `rest` what is then to be paid, "" for nothing."""

    minor: int
    uses: str
    rest: str


def credit_view(found: Netted, currency: str, words: Words) -> CreditView:
    rest = sum(a.minor for a in found.rest)
    return CreditView(found.minor, words.money(found.minor, currency), words.money(rest, currency) if rest else "")


def means_of(stored: Sequence[StoredMethod], words: Words) -> list[tuple[str, str, str]]:
    """Stored methods and the gateway's own page, as choices; none when nothing is stored."""
    if not stored:
        return []
    notes = [words("methods.good_until", on=words.day(m.expires_on)) if m.expires_on else "" for m in stored]
    found = [(m.id, m.shown_as, note) for m, note in zip(stored, notes, strict=True)]
    return [*found, (ANOTHER, words("check.another"), words("check.another_hint"))]
