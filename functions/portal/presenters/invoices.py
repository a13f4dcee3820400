"""The page of an invoice, and its row in a list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import chain, repeat
from typing import TYPE_CHECKING

from functions.portal import formats
from functions.portal.presenters.expected import expected_payment
from functions.portal.presenters.invoice_history import history_of
from functions.portal.presenters.tables import Stretch, stretch
from functions.portal.presenters.tags import Tag, dispute_tag, disputed_note, due_note, invoice_tag
from functions.portal.words import Words
from saldo.disputes.records import disputed_key, in_dispute_from
from saldo.invoicing.listing import InvoiceRow
from saldo.invoicing.reading import Invoice, row_from
from saldo.invoicing.records import InvoiceHeader, header_item
from saldo.invoicing.status import DocumentKind

if TYPE_CHECKING:
    from saldo.disputes.model import InDispute
    from saldo.invoicing.model import InvoiceBody, Line
    from saldo.kernel.exchange import ExchangeRate
    from saldo.rating.model import Step
    from saldo.tax.model import TaxTotal

# Taxes that have a word of their own in each language; others are called what the table or the service calls them.
_TAX_NAMES = {"VAT": "invoice.vat", "Sales tax": "invoice.sales_tax", "": "invoice.tax"}


@dataclass(frozen=True, slots=True)
class RowView:
    """One row. `minor` and `currency` feed the running total of a selection."""

    invoice_id: str
    number: str
    issued: str
    due: str
    note: str
    tag: Tag
    total: str
    open: str
    minor: int
    currency: str


def row_view(row: InvoiceRow, today: date, words: Words, bare: bool = False) -> RowView:
    """`bare`: amounts without their currency, where the table names it."""
    written = words.amount if bare else words.money
    return RowView(
        invoice_id=row.invoice_id,
        number=row.number,
        issued=words.day(row.issued_on),
        due=words.day(row.due_on) if row.total_minor >= 0 else "–",
        note=disputed_note(row, words) or due_note(row, today, words),
        tag=invoice_tag(row, today, words),
        total=written(row.total_minor, row.currency),
        open=written(row.open_minor, row.currency) if row.open_minor > 0 else "–",
        minor=row.open_minor,
        currency=row.currency,
    )


@dataclass(frozen=True, slots=True)
class LineView:
    name: str
    period: str
    quantity: str
    steps: tuple[str, ...]
    amount: str


@dataclass(frozen=True, slots=True)
class InvoiceView:
    """`lines`: those of the page, which `stretch` tells. `sums`: (name, note, amount, is a sum), from net to what is
    open. `to_pay`: open and not in dispute.

    `early` says what paying early takes off, `early_amount` and `early_typed` what is then due; else empty.
    `ordered_under`: the purchase order and cost centre of all that is on it. `takes_back`: the invoice that a credit
    note takes something back of. `terms`: what the due date followed from, in words. `expected`: what it is called, and
    when it will be paid and why.
    """

    title: str
    row: RowView
    lines: tuple[LineView, ...]
    stretch: Stretch
    sums: tuple[tuple[str, str, str, bool], ...]
    open: str
    to_pay: str
    currency: str
    history: tuple[tuple[str, str], ...]
    is_open: bool
    estimated: bool
    may_dispute: bool = False
    disputes: tuple[tuple[str, str, Tag], ...] = ()
    promised: tuple[str, str] | None = None
    may_promise: bool = False
    early: str = ""
    early_amount: str = ""
    early_typed: str = ""
    ordered_under: str = ""
    takes_back: str = ""
    terms: str = ""
    expected: tuple[str, str] = ("", "")


def invoice_view(invoice: Invoice, today: date, zone: str, words: Words, page: int = 1) -> InvoiceView:
    """Amounts inside are in the invoice's currency and without its sign; the heading names it once. page: of lines."""
    header, body = invoice.header, invoice.body
    disputed = invoice.others.get(disputed_key(header.account_id, header.invoice_id))
    lines = body.lines if body else ()
    here = stretch(len(lines), page)
    money = header.currency
    is_note = header.document is DocumentKind.CREDIT_NOTE
    return InvoiceView(
        title=words("invoice.title.credit_note" if is_note else "invoice.title", number=header.number),
        row=row_view(row_from(header_item(header)), today, words),
        lines=tuple(line_view(line, money, words) for line in here.of(lines)),
        stretch=here,
        sums=_sums(header, body, words),
        open=words.money(header.open_minor, money),
        to_pay=words.money(header.undisputed_minor, money),
        currency=money,
        history=history_of(header, invoice.others, today, zone, words),
        promised=_promised(header, words),
        may_promise=not is_note and header.undisputed_minor > 0 and not header.promise_id,
        is_open=header.undisputed_minor > 0,
        estimated=_is_estimated(body),
        may_dispute=not is_note and header.credited_minor < header.total_minor,
        disputes=_disputes(in_dispute_from(header.invoice_id, disputed), money, words),
        takes_back=header.of_invoice if is_note else "",
        ordered_under=body.ordered_under if body else "",
        terms=_terms(body, words),
        expected=expected_payment(header, invoice.others, today, words),
        **_early(header, body, today, words),
    )


def _terms(body: InvoiceBody | None, words: Words) -> str:
    """What the due date followed from, where the two dates do not tell it."""
    if body is None or body.payment_terms is None or body.payable_minor <= 0:
        return ""
    from saldo.documents.wording_terms import due_in_words  # most are due after so many days

    return due_in_words(body.payment_terms, words.language)


def _promised(header: InvoiceHeader, words: Words) -> tuple[str, str] | None:
    """The promise that it is under, and what the page says of it."""
    if not header.promised_minor or not header.promises:
        return None
    return header.promise_id, words("plan.card", on=words.day(header.promises[-1].until_on))


def _disputes(found: InDispute, currency: str, words: Words) -> tuple[tuple[str, str, Tag], ...]:
    """(id, amount with tax, state) of each dispute of the invoice."""
    return tuple(
        (one.dispute_id, words.money(one.claim.gross_minor, currency), dispute_tag(one.state, words))
        for one in found.disputes
    )


def _early(header: InvoiceHeader, body: InvoiceBody | None, today: date, words: Words) -> dict[str, str]:
    """What the page says of a discount that can still be had."""
    held = [offer for offer in header.early_now if today <= offer.until_on]
    if not held or header.disputed_minor or body is None:
        return {}
    from saldo.invoicing.rules_reduced_tax import percent_always
    from saldo.invoicing.rules_terms import percent_of_offer  # most pages have no discount to tell of

    said = []
    for key, offer in zip(chain(["invoice.early"], repeat("invoice.early_then")), held, strict=False):
        amount = words.money(header.open_minor - offer.minor, header.currency)
        percent = formats.percent(words.language, percent_of_offer(body, offer))
        said.append(words(key, amount=amount, on=words.day(offer.until_on), percent=percent))
    said += [words("invoice.early_part")] if header.early_in_part else []
    said += [words("invoice.early_tax_always")] if percent_always(body.early_discounts) else []
    minor = header.open_minor - held[0].minor
    amount, typed = words.money(minor, header.currency), words.amount(minor, header.currency)
    return {"early": " ".join(said), "early_amount": amount, "early_typed": typed}


def _sums(header: InvoiceHeader, body: InvoiceBody | None, words: Words) -> tuple[tuple[str, str, str, bool], ...]:
    """From net over each tax to the total, then what was paid or taken back, and what is still open."""
    money = header.currency
    sums = [(words("invoice.net"), "", words.amount(header.net_minor, money), False)]
    taxes = [total for total in body.tax_totals if total.collection != "withheld"] if body else []
    sums += [tax_sum(total, money, words) for total in taxes]
    if len(sums) == 1:
        sums.append((words("invoice.tax"), "", words.amount(header.tax_minor, money), False))
    sums.append((words("invoice.total"), "", words.amount(header.total_minor, money), True))
    sums += _after_total(body, words) if body else []
    owed = body.owed_minor if body else header.total_minor
    if header.open_minor < owed:
        paid = words("invoice.paid_or_credited" if header.credited_minor else "invoice.paid")
        little = header.tolerated_minor
        sums.append((paid, "", words.amount(header.open_minor + little - owed, money), False))
        if little:
            sums.append((words("invoice.written_off"), "", words.amount(-little, money), False))
    if header.open_minor < owed or owed != header.total_minor:
        sums.append((words("invoice.open"), "", words.amount(header.open_minor, money), True))
    if header.disputed_minor:
        sums.append((words("invoice.in_dispute"), "", words.amount(-header.disputed_minor, money), False))
        sums.append((words("invoice.to_pay"), "", words.amount(header.undisputed_minor, money), True))
    return tuple(sums)


def _after_total(body: InvoiceBody, words: Words) -> list[tuple[str, str, str, bool]]:
    """What lies between the total and what is owed: taxes that the buyer pays to the state, and rounding."""
    found = []
    for total in body.tax_totals:
        if total.collection != "charged" and total.tax_minor:
            name, _, _, _ = tax_sum(total, body.currency, words)
            base = words.amount(total.base_minor, body.currency)
            note = words(f"invoice.tax_kept.{total.collection}", base=base)
            found.append((name, note, words.amount(-total.tax_minor, body.currency), False))
    if body.rounding and body.rounding.minor:
        found.append((words("invoice.rounding"), "", words.amount(body.rounding.minor, body.currency), False))
    return found


def _is_estimated(body: InvoiceBody | None) -> bool:
    return body is not None and body.tax_estimated


def line_view(line: Line, currency: str, words: Words) -> LineView:
    """A line with the reasoning behind its amount, step by step."""
    unit, priced = words.of(line.unit_names), line.priced_in
    priced_in = priced.currency if priced else currency
    steps = [text for step in line.steps if (text := step_text(step, unit, priced_in, words))]
    if line.share.days != line.share.of:
        price = words.exact(line.exact, priced_in)
        text = "line.share_months" if line.share.unit else "line.share"
        steps.append(words(text, days=line.share.days, of=line.share.of, price=price))
    if priced:
        steps.append(converted_text(priced.minor, priced.currency, priced.rate, words))
    quantity = f"{words.number(line.quantity)} {unit}".strip()
    amount = words.amount(line.net_minor, currency)
    name = words.of(line.names) + (f" · {line.account_id}" if line.account_id else "")
    return LineView(name, words.period(line.period), quantity, tuple(steps), amount)


def converted_text(minor: int, currency: str, rate: ExchangeRate, words: Words) -> str:
    """An amount with the rate at which it was converted: `$49.00 at 1 EUR = 1.175 USD (ECB, 16 January 2026)`."""
    told = {"base": rate.base, "counter": rate.counter, "rate": words.number(rate.rate), "source": rate.source}
    return words("line.converted", amount=words.money(minor, currency), date=words.day(rate.on), **told)


def step_text(step: Step, unit: str, currency: str, words: Words) -> str:
    """One step of a price in a sentence: `0 – 10,000 tokens: 10,000 × €0.001 = €10.00`."""
    amount = words.exact(step.amount, currency)
    if step.rule == "flat":
        return ""
    values = {"units": words.number(step.units), "price": words.exact(step.price, currency), "amount": amount}
    values |= {
        "unit": unit,
        "above": words.number(step.above or Decimal(0)),
        "up_to": words.number(step.up_to or Decimal(0)),
        "percent": formats.percent(words.language, step.price * 100),
    }
    text = words.known(f"line.step.{_step_key(step)}", "line.step.other").format(**values)
    has_flat = step.flat and step.rule in _WITH_FLAT
    return text + (words("line.flat", flat=words.exact(step.flat, currency)) if has_flat else "")


_WITH_FLAT = ("tier", "volume_tier", "percentage")  # of the others it is all they are


def _step_key(step: Step) -> str:
    """Tiers and stairs read by their bounds: the first has none below, the last none above."""
    if not step.told_by_bounds:
        return step.told_as
    if step.up_to is None:
        return f"{step.rule}.last" if step.above or step.rule == "stair" else "per_unit"
    return f"{step.rule}.between" if step.above else f"{step.rule}.first"


def tax_sum(total: TaxTotal, currency: str, words: Words) -> tuple[str, str, str, bool]:
    """A tax by its name in the reader's language; what it is on, if it is a percentage; where there is none, why."""
    name = words(_TAX_NAMES[total.name]) if total.name in _TAX_NAMES else total.name
    label = f"{name} {formats.percent(words.language, total.percent)}" if total.percent else name
    on = words("invoice.tax_on", base=words.amount(total.base_minor, currency))
    none = "" if total.tax_minor else words.known(f"tax.{total.treatment}", "tax.other")
    note = on if total.percent else none
    return label, note, words.amount(total.tax_minor, currency), False
