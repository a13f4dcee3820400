"""The list of invoices and the page of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from functions.portal import formats
from functions.portal.forms import whole
from functions.portal.presenters.tables import Column
from functions.portal.presenters.tags import Tag, dispute_tag, disputed_note, due_note, invoice_tag
from functions.portal.words import Words
from saldo.invoicing.listing import COLUMNS, STATUSES, InvoiceRow, Listing, ListWish
from saldo.invoicing.reading import Invoice, row_from
from saldo.invoicing.records import InvoiceHeader, header_item
from saldo.invoicing.status import DocumentKind
from saldo.kernel.errors import Problems

if TYPE_CHECKING:
    from saldo.disputes.model import InDispute
    from saldo.invoicing.model import InvoiceBody, Line
    from saldo.rating.model import Step
    from saldo.tax.model import TaxTotal


_KINDS = {"issued_on": "day", "due_on": "day", "status": "tag", "total_minor": "money", "open_minor": "strong"}


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


@dataclass(frozen=True, slots=True)
class ListView:
    """`currency`: of all rows, "" where they differ and each amount names its own. `statuses`: the filter's choices."""

    rows: tuple[RowView, ...]
    columns: tuple[Column, ...]
    currency: str
    statuses: tuple[tuple[str, str], ...]
    summary: str
    newer: str
    older: str
    export: str
    complete: bool
    filtered: bool


def wish_from(query: Mapping[str, list[str]]) -> ListWish:
    """The list asked for in a URL; Refusal `invalid_list` names every field that makes no sense."""
    problems = Problems()
    get = {name: values[-1].strip() for name, values in query.items()}
    from_on, to_on = (date_from(get.get(name, ""), name, problems) for name in ("from", "to"))
    if from_on and to_on and to_on < from_on:
        problems.add("to", "before_from", "the last date lies before the first")
    status, sort, page = get.get("status", ""), get.get("sort", "issued_on"), get.get("page", "1")
    problems.refuse_if_any("the list cannot be filtered like this", "invalid_list")
    return ListWish(
        status=status if status in STATUSES else "",
        from_on=from_on,
        to_on=to_on,
        text=get.get("text", "")[:40],
        sort=sort if sort in COLUMNS else "issued_on",
        descending=get.get("order", "desc" if sort == "issued_on" else "asc") != "asc",
        page=min(whole(page) or 1, 10_000),
        cursor=get.get("cursor", "")[:600],
    )


def date_from(text: str, name: str, problems: Problems) -> date | None:
    """An ISO date as date inputs send it; "" is None, anything else a problem."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        problems.add(name, "invalid_date", "this is not a date")
        return None


def address_of(path: str, wish: ListWish, **changes: object) -> str:
    """The address of a list: only what differs from the plain one is in it."""
    changed = replace(wish, **{"cursor": "", "page": 1, **changes})  # type: ignore[arg-type] # names are ListWish's
    order = "desc" if changed.descending else "asc"
    usual = changed.sort == "issued_on" and changed.descending
    pairs = {
        "status": changed.status,
        "from": changed.from_on or "",
        "to": changed.to_on or "",
        "text": changed.text,
        "sort": "" if usual else changed.sort,
        "order": "" if usual else order,
        "page": changed.page if changed.page > 1 else "",
        "cursor": changed.cursor,
    }
    query = urlencode({name: value for name, value in pairs.items() if value})
    return f"{path}?{query}" if query else path


def list_view(listing: Listing, wish: ListWish, home: str, today: date, words: Words) -> ListView:
    path = f"{home}/invoices"
    here = {"cursor": wish.cursor}
    newer = address_of(path, wish, page=wish.page - 1, **here) if wish.page > 1 else ""
    older = address_of(path, wish, page=wish.page + 1, **here) if wish.page < listing.pages else ""
    if not newer and wish.cursor:
        newer = address_of(path, wish)
    if not older and listing.cursor:
        older = address_of(path, wish, cursor=listing.cursor)
    currencies = {row.currency for row in listing.rows}
    currency = next(iter(currencies)) if len(currencies) == 1 else ""
    return ListView(
        rows=tuple(row_view(row, today, words, bare=bool(currency)) for row in listing.rows),
        columns=tuple(_column(name, wish, path, words) for name in COLUMNS),
        currency=currency,
        statuses=(("", words("invoices.any")), *((s, words(f"filter.{s}")) for s in STATUSES)),
        summary="" if listing.found is None else words.count("invoices.found", listing.found),
        newer=newer,
        older=older,
        export=address_of(f"{home}/invoices.csv", wish),
        complete=listing.complete,
        filtered=bool(wish.status or wish.text or wish.from_on or wish.to_on),
    )


def _column(name: str, wish: ListWish, path: str, words: Words) -> Column:
    here = wish.sort == name
    said = ("descending" if wish.descending else "ascending") if here else "none"
    descending = not wish.descending if here else name != "number"
    href = address_of(path, wish, sort=name, descending=descending)
    return Column(words(f"column.{name}"), _KINDS.get(name, "text"), href, said)


def row_view(row: InvoiceRow, today: date, words: Words, bare: bool = False) -> RowView:
    """`bare`: amounts without their currency, where the table names it."""
    written = words.amount if bare else words.money
    return RowView(
        invoice_id=row.invoice_id,
        number=row.number,
        issued=words.day(row.issued_on),
        due=words.day(row.due_on),
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
    """`sums`: (name, note, amount, is a sum), from net to what is open. `to_pay`: open and not in dispute.

    `early` says what paying early takes off, `early_amount` and `early_typed` what is then due; else empty.
    """

    title: str
    row: RowView
    lines: tuple[LineView, ...]
    sums: tuple[tuple[str, str, str, bool], ...]
    open: str
    to_pay: str
    currency: str
    history: tuple[tuple[str, str], ...]
    is_open: bool
    estimated: bool
    may_dispute: bool = False
    disputes: tuple[tuple[str, str, Tag], ...] = ()
    early: str = ""
    early_amount: str = ""
    early_typed: str = ""


def invoice_view(
    invoice: Invoice, today: date, zone: str, words: Words, in_dispute: InDispute | None = None
) -> InvoiceView:
    """Amounts inside are in the invoice's currency and without its sign; the heading names it once."""
    header, body = invoice.header, invoice.body
    money = header.currency
    is_note = header.document is DocumentKind.CREDIT_NOTE
    return InvoiceView(
        title=words("invoice.title.credit_note" if is_note else "invoice.title", number=header.number),
        row=row_view(row_from(header_item(header)), today, words),
        lines=tuple(line_view(line, money, words) for line in body.lines) if body else (),
        sums=_sums(header, body, words),
        open=words.money(header.open_minor, money),
        to_pay=words.money(header.undisputed_minor, money),
        currency=money,
        history=tuple((words(f"history.{h.status}"), words.moment(h.at, zone)) for h in reversed(header.history)),
        is_open=header.undisputed_minor > 0,
        estimated=_is_estimated(body),
        may_dispute=not is_note and header.credited_minor < header.total_minor,
        disputes=_disputes(in_dispute, money, words),
        **_early(header, body, today, words),
    )


def _disputes(found: InDispute | None, currency: str, words: Words) -> tuple[tuple[str, str, Tag], ...]:
    """(id, amount with tax, state) of each dispute of the invoice."""
    return tuple(
        (one.dispute_id, words.money(one.claim.gross_minor, currency), dispute_tag(one.state, words))
        for one in (found.disputes if found else ())
    )


def _early(header: InvoiceHeader, body: InvoiceBody | None, today: date, words: Words) -> dict[str, str]:
    """What the page says of a discount that can still be had."""
    offer = header.early_now
    if offer is None or header.disputed_minor or body is None or body.early_discount is None or today > offer.until_on:
        return {}
    minor = header.open_minor - offer.minor
    amount, percent = words.money(minor, header.currency), formats.percent(words.language, body.early_discount.percent)
    said = words("invoice.early", amount=amount, on=words.day(offer.until_on), percent=percent)
    return {"early": said, "early_amount": amount, "early_typed": words.amount(minor, header.currency)}


def _sums(header: InvoiceHeader, body: InvoiceBody | None, words: Words) -> tuple[tuple[str, str, str, bool], ...]:
    """From net over each tax to the total, then what was paid or taken back, and what is still open."""
    money = header.currency
    sums = [(words("invoice.net"), "", words.amount(header.net_minor, money), False)]
    sums += [_tax_sum(total, money, words) for total in body.tax_totals] if body else []
    if len(sums) == 1:
        sums.append((words("invoice.tax"), "", words.amount(header.tax_minor, money), False))
    sums.append((words("invoice.total"), "", words.amount(header.total_minor, money), True))
    if header.open_minor < header.total_minor:
        paid = words("invoice.paid_or_credited" if header.credited_minor else "invoice.paid")
        sums.append((paid, "", words.amount(header.open_minor - header.total_minor, money), False))
        sums.append((words("invoice.open"), "", words.amount(header.open_minor, money), True))
    if header.disputed_minor:
        sums.append((words("invoice.in_dispute"), "", words.amount(-header.disputed_minor, money), False))
        sums.append((words("invoice.to_pay"), "", words.amount(header.undisputed_minor, money), True))
    return tuple(sums)


def _is_estimated(body: InvoiceBody | None) -> bool:
    return body is not None and body.tax_estimated


def line_view(line: Line, currency: str, words: Words) -> LineView:
    """A line with the reasoning behind its amount, step by step."""
    unit = words.of(line.unit_names)
    steps = [text for step in line.steps if (text := step_text(step, unit, currency, words))]
    if line.share.days != line.share.of:
        price = words.exact(line.exact, currency)
        steps.append(words("line.share", days=line.share.days, of=line.share.of, price=price))
    quantity = f"{words.number(line.quantity)} {unit}".strip()
    amount = words.amount(line.net_minor, currency)
    name = words.of(line.names) + (f" · {line.account_id}" if line.account_id else "")
    return LineView(name, words.period(line.period), quantity, tuple(steps), amount)


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
    }
    text = words.known(f"line.step.{_step_key(step)}", "line.step.other").format(**values)
    return text + (words("line.flat", flat=words.exact(step.flat, currency)) if step.flat else "")


def _step_key(step: Step) -> str:
    """Tiers read by their bounds: the first has none below, the last none above."""
    if step.rule not in ("tier", "volume_tier"):
        return step.rule
    if step.up_to is None:
        return f"{step.rule}.last" if step.above else "per_unit"
    return f"{step.rule}.between" if step.above else f"{step.rule}.first"


def _tax_sum(total: TaxTotal, currency: str, words: Words) -> tuple[str, str, str, bool]:
    name = f"{total.name} {formats.percent(words.language, total.percent)}" if total.percent else total.name
    on = words("invoice.tax_on", base=words.amount(total.base_minor, currency))
    note = on if total.percent else words.known(f"tax.{total.reason or total.treatment}", "tax.other")
    return name, note, words.amount(total.tax_minor, currency), False


def export_rows(rows: Sequence[InvoiceRow], today: date, words: Words) -> list[list[str]]:
    """A register of invoices for spreadsheets: ISO dates, amounts with a point, one heading row."""
    names = ("number", "issued_on", "due_on", "status", "currency", "total_minor", "open_minor")
    lines = [[words(f"column.{name}") for name in names]]
    for row in rows:
        total, owed = (formats.amount("plain", m, row.currency) for m in (row.total_minor, row.open_minor))
        dates = [row.issued_on.isoformat(), row.due_on.isoformat()]
        lines.append([row.number, *dates, invoice_tag(row, today, words).text, row.currency, total, owed])
    return lines
