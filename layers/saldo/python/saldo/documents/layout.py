"""From a view to the texts on the page, each in its place: what the template sets, without any wording of its own."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from itertools import chain, repeat
from typing import Any

from saldo.accounts.model import BankStatement
from saldo.documents.girocode import giro_code
from saldo.documents.layout_parties import address_lines, footer, grouped, recipient
from saldo.documents.model import (
    BuyerView,
    DocumentView,
    InvoiceView,
    LineView,
    Look,
    ReceiptView,
    SellerView,
    TaxView,
)
from saldo.documents.wording import Wording, wording
from saldo.kernel.exchange import ExchangeRate
from saldo.kernel.money import Money
from saldo.kernel.periods import MONTHS, Period
from saldo.rating.model import Step
from saldo.tax.model import Collection

Page = dict[str, Any]  # JSON for the template; its shape is what `invoice_page` and `receipt_page` return

# The EU and its neighbours, whose businesses have a VAT number; elsewhere it is a tax number.
_VAT_TEXT = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK GB CH NO"
_VAT = frozenset(_VAT_TEXT.split())


_LETTER = {"US", "CA", "MX", "CO", "CL", "PH"}


def page_of(view: DocumentView) -> Page:
    """Every text of the document, in the customer's language."""
    words = wording(view.language, view.buyer.country)
    page = invoice_page(view, words) if isinstance(view, InvoiceView) else receipt_page(view, words)
    page["lang"], page["region"] = words.language, words.region
    page["paper"] = "us-letter" if view.buyer.country in _LETTER else "a4"
    page["page_label"] = words("page", page="{page}", pages="{pages}")
    page["seller"] = view.seller.name
    page["return_line"] = " · ".join([view.seller.name, *address_lines(view.seller.address, words, home=None)])
    page["recipient"] = recipient(view.buyer, view.seller.address.country, words)
    page["footer"] = footer(view.seller, words)
    look = view.look if isinstance(view, InvoiceView) else Look()
    page["logo"], page["accent"] = look.logo or view.seller.name, look.accent
    page["footnote"] = look.footer_in(words.language)
    return page


def invoice_page(view: InvoiceView, words: Wording) -> Page:
    kind = _kind(view)
    return {
        "title": words(f"{kind}_title", number=view.number, seller=view.seller.name),
        "heading": words(kind),
        "number": view.number,
        "hero": words.money(view.payable_minor, view.currency),
        "hero_note": _hero_note(view, words),
        "facts": _invoice_facts(view, words),
        "columns": _columns(view, words),
        "rows": [_row(i, line, view.currency, words, view.look.steps) for i, line in enumerate(view.lines, 1)],
        "totals": _totals(view, words),
        "tax_summary": _tax_summary(view, words),
        "notes": _notes(view, words),
        "payment": _payment(view, words),
        "link": _link(_link_label(view), view.portal_url, words),
    }


def _kind(view: InvoiceView) -> str:
    return "credit_note" if view.is_credit_note else "invoice"


def _hero_note(view: InvoiceView, words: Wording) -> str:
    if view.payable_minor > 0:
        return words("payable_until", date=words.day(view.due_on))
    return words("credit_to_you" if view.payable_minor < 0 else "nothing_to_pay")


def _invoice_facts(view: InvoiceView, words: Wording) -> list[list[str]]:
    number, issued_on = ("credit_note_number", "dated_on") if view.is_credit_note else ("number", "issued_on")
    facts = [(words(number), view.number), (words(issued_on), words.day(view.issued_on))]
    if view.corrects:
        reference = words("numbered_of", number=view.corrects.number, date=words.short_day(view.corrects.issued_on))
        facts.append((words("of_invoice" if view.is_credit_note else "replaces"), reference))
    if view.lines:
        whole = Period(min(line.period.start for line in view.lines), max(line.period.end for line in view.lines))
        facts.append((words("service_period"), words.period(whole)))
    facts.append((words("payment_terms"), view.terms if view.payable_minor > 0 else ""))
    return _filled([*facts, *_buyer_facts(view.buyer, words), *_seller_tax(view.seller, words)])


def _buyer_facts(buyer: BuyerView, words: Wording) -> list[tuple[str, str]]:
    tax_label = "buyer_tax_id" if buyer.country in _VAT else "buyer_tax_id_other"
    return [
        (words("account"), buyer.account_id),
        (words("purchase_order"), buyer.purchase_order),
        (words(tax_label), buyer.tax_id),
    ]


def _seller_tax(seller: SellerView, words: Wording) -> list[tuple[str, str]]:
    """The seller's registration at home, which an invoice must show; others stand in the footer."""
    home = seller.address.country
    label = "seller_tax_id" if home in _VAT else "seller_tax_id_other"
    return [(words(label), seller.tax_registrations.get(home, ""))]


def _filled(pairs: list[tuple[str, str]]) -> list[list[str]]:
    return [[label, text] for label, text in pairs if text]


def _columns(view: InvoiceView, words: Wording) -> list[str]:
    tax = "tax_rate" if view.seller.address.country in _VAT else "tax_rate_other"
    keys = ["position", "description", "quantity", "unit_price", tax]
    return [*(words(key) for key in keys), words("net", currency=view.currency)]


def _row(position: int, line: LineView, currency: str, words: Wording, steps: bool) -> Page:
    priced = line.priced_in
    unit = _Priced(priced.currency if priced else currency, words, named=priced is not None)
    price = "" if line.unit_price is None else unit(line.unit_price)
    note = words.period(line.period)
    if line.share.days != line.share.of:
        days = {"days": words.number(line.share.days), "of": words.number(line.share.of)}
        note += " · " + words("months_of_period" if line.share.unit == MONTHS else "part_of_period", **days)
    if priced:
        amount = words.money(priced.minor, priced.currency)
        note += " · " + words("converted", amount=amount, **_rate_words(priced.rate, words))
    return {
        "position": str(position),
        "description": line.description,
        "note": note,
        "quantity": words.number(line.quantity),
        "unit": line.unit,
        "price": price,
        "tax": words.percent(line.percent),
        "net": words.amount(line.net_minor, currency),
        "steps": [_step(step, unit, words) for step in line.steps] if steps else [],
    }


@dataclass(frozen=True, slots=True)
class _Priced:
    """How prices of a line are written: with their currency where that is not the document's."""

    currency: str
    words: Wording
    named: bool

    def __call__(self, price: Decimal) -> str:
        text = self.words.price(price, self.currency)
        return f"{text}\u00a0{self.currency}" if self.named else text


def _rate_words(rate: ExchangeRate, words: Wording) -> dict[str, str]:
    told = {"base": rate.base, "counter": rate.counter, "source": rate.source}
    return {**told, "rate": words.number(rate.rate), "date": words.short_day(rate.on)}


def _step(step: Step, price: _Priced, words: Wording) -> list[str]:
    """[which units, how many, at what price, what they make]; no more than the last where that is all it is."""
    name, is_one = _step_name(step, words), step.units == 1
    is_sum = 0 != step.flat == step.amount or (is_one and step.price == step.amount)
    if step.flat and not is_sum:
        name += " · " + words("step_extra_flat", amount=price(step.flat))
    each = "" if is_sum or step.rule == "percentage" else price(step.price)
    return [name, "" if is_sum and is_one else words.number(step.units), each, price(step.amount)]


def _step_name(step: Step, words: Wording) -> str:
    above = words.number(step.above or 0)
    if step.rule == "percentage":
        return words.percent(step.price * 100)
    if not step.told_by_bounds:
        return words.any(f"step_{step.told_as}", "").format(above=above)
    if step.up_to is None:
        return words("step_above", above=above) if step.above else words("step_all")
    up_to = words.number(step.up_to)
    return words("step_between", above=above, to=up_to) if step.above else words("step_to", to=up_to)


def _tax_name(tax: TaxView, view: InvoiceView, words: Wording) -> str:
    """A tax by its name in the customer's language, an unnamed one (nothing charged) by what the seller charges."""
    named = {"VAT": "tax_name_vat", "Sales tax": "tax_name_sales", "": "tax_name_sales"}
    if not tax.name and view.seller.address.country in _VAT:
        return words("tax_name_vat")
    return words(named[tax.name]) if tax.name in named else tax.name


def _totals(view: InvoiceView, words: Wording) -> list[list[str]]:
    """[label, amount] rows; the last one is the total."""
    rows = [[words("net_total"), words.money(view.net_minor, view.currency)]]
    for tax in view.taxes:
        if tax.collection is not Collection.WITHHELD:
            rows.append([_tax_label("tax_total", tax, view, words), words.money(tax.tax_minor, view.currency)])
    rows.append(
        [words("credit_total" if view.is_credit_note else "total"), words.money(view.total_minor, view.currency)]
    )
    after = _after_total(view, words)
    if after:
        after.append([words("payable"), words.money(view.payable_minor, view.currency)])
    return rows + after


def _after_total(view: InvoiceView, words: Wording) -> list[list[str]]:
    """What lies between the total and what is to be paid: taxes that the buyer pays to the state, rounding, credit."""
    rows = [
        [_tax_label(f"tax_{tax.collection.value}", tax, view, words), words.money(-tax.tax_minor, view.currency)]
        for tax in view.kept_taxes
        if tax.tax_minor
    ]
    if view.paid_minor:
        label = words("paid_by_credit" if view.paid_minor > 0 else "returned_to_credit")
        rows.append([label, words.money(-view.paid_minor, view.currency)])
    if view.rounding_minor:
        rows.append([words("payable_rounding"), words.money(view.rounding_minor, view.currency)])
    return rows


def _tax_label(key: str, tax: TaxView, view: InvoiceView, words: Wording) -> str:
    """The name of a tax and its percent; an amount per unit or document has none."""
    return words(key, name=_tax_name(tax, view, words), rate=_rate(tax, words)).replace("  ", " ").strip()


def _rate(tax: TaxView, words: Wording) -> str:
    return words.percent(tax.percent) if tax.percent or not tax.tax_minor else ""


def _tax_summary(view: InvoiceView, words: Wording) -> Page:
    """One row per rate and category, as EN 16931 (BG-23) asks; each rate's category in words, its tax by name where
    there are several."""
    rows, several = [], len({tax.name for tax in view.taxes if tax.tax_minor}) > 1
    for tax in view.taxes:
        kind, name = words(f"category_{tax.category}"), _tax_name(tax, view, words) if several else ""
        rows.append(
            [
                " · ".join(part for part in (kind, name, tax.jurisdiction) if part),
                _rate(tax, words),
                words.amount(tax.base_minor, view.currency),
                words.amount(tax.tax_minor, view.currency),
            ]
        )
    heads = [words(key) for key in ("tax_kind", "tax_percent", "tax_base", "tax_amount")]
    return {"heading": words("tax_summary"), "columns": heads, "rows": rows}


def _notes(view: InvoiceView, words: Wording) -> list[str]:
    """The sentence the law asks for, once per category that needs one."""
    vat = view.seller.address.country in _VAT
    categories = dict.fromkeys(tax.category for tax in view.taxes if tax.category != "S")
    keys = [f"note_{category}" if vat else f"note_{category}_other" for category in categories]
    notes = [view.note, _correction_note(view, words), *(words.any(key, "") for key in keys), _early_note(view, words)]
    notes += [_exchange_note(view, words), *view.look.clauses_in(words.language)]
    return [note for note in notes if note]


def _correction_note(view: InvoiceView, words: Wording) -> str:
    if view.corrects is None:
        return ""
    key = "credit_note_sentence" if view.is_credit_note else "replaces_sentence"
    return words(key, number=view.corrects.number, date=words.day(view.corrects.issued_on))


def _early_note(view: InvoiceView, words: Wording) -> str:
    said = []
    for key, one in zip(chain(["early_sentence"], repeat("early_then")), view.early, strict=False):
        amount, percent = words.money(one.minor, view.currency), words.percent(one.percent)
        said.append(words(key, date=words.day(one.until_on), amount=amount, percent=percent))
    said += [words("early_part")] if said and view.early_in_part else []
    said += [words("early_tax_always")] if said and view.early_tax_always else []
    return " ".join(said)


def _exchange_note(view: InvoiceView, words: Wording) -> str:
    """The tax in the seller's own currency, as article 230 of directive 2006/112/EC asks, and the rate it is at."""
    rate = view.exchange
    if rate is None:
        return ""
    own = rate.counter if rate.base == view.currency else rate.base
    tax = rate.convert(Money(view.tax_minor, view.currency))
    return words("exchange_sentence", tax=words.money(tax.minor, own), **_rate_words(rate, words))


def _payment(view: InvoiceView, words: Wording) -> Page | None:
    """How to pay, None when nothing is owed. Without a bank account there is the portal alone."""
    if view.payable_minor <= 0:
        return None
    seller, amount = view.seller, words.money(view.payable_minor, view.currency)
    account = [(words("iban"), grouped(seller.iban)), (words("bic"), seller.bic), (words("bank"), seller.bank_name)]
    rows = [(words("pay_to"), seller.name), *account, (words("reference"), view.number)] if seller.iban else []
    return {
        "heading": words("payment"),
        "sentence": words("payment_sentence", amount=amount, date=words.day(view.due_on)),
        "rows": _filled(rows),
        "changed": account_changed(view.changed, words) if rows else "",
        "code": _code(view, amount, words),
    }


def account_changed(change: BankStatement | None, words: Wording) -> str:
    """What a payer is told of a change of the seller's account; "" where there is nothing to tell."""
    return words("account_changed", date=words.day(change.since), ending=change.before) if change else ""


def _code(view: InvoiceView, amount: str, words: Wording) -> Page | None:
    seller = view.seller
    svg = giro_code(seller.name, seller.iban, seller.bic, view.payable_minor, view.currency, view.number)
    if not svg:
        return None
    alt = words("qr_alt", amount=amount, name=seller.name, iban=grouped(seller.iban), reference=view.number)
    return {"svg": svg, "alt": alt, "caption": words("qr_caption")}


def receipt_page(view: ReceiptView, words: Wording) -> Page:
    """A payment's receipt: the same family of pages, with the invoices paid instead of lines."""
    applied = sum(invoice.paid_minor for invoice in view.invoices)
    totals = [[words("amount_received"), words.money(view.amount_minor, view.currency)]]
    if view.amount_minor != applied:
        totals.insert(0, [words("unapplied"), words.money(view.amount_minor - applied, view.currency)])
    facts = [
        (words("receipt_number"), view.number),
        (words("settled_on"), words.day(view.settled_on)),
        (words("method"), words.any(f"method_{view.method}", view.method)),
        (words("method_reference"), view.reference),
    ]
    return {
        "title": words("receipt_title", number=view.number, seller=view.seller.name),
        "heading": words("receipt"),
        "number": view.number,
        "hero": words.money(view.amount_minor, view.currency),
        "hero_note": words("paid_on", date=words.day(view.settled_on)),
        "facts": _filled([*facts, *_buyer_facts(view.buyer, words), *_seller_tax(view.seller, words)]),
        "sentence": words("receipt_sentence"),
        "columns": [
            words("number"),
            words("issued_on"),
            words("invoice_total"),
            words("applied", currency=view.currency),
        ],
        "rows": [
            [
                invoice.number,
                words.short_day(invoice.issued_on),
                words.amount(invoice.total_minor, view.currency),
                words.amount(invoice.paid_minor, view.currency),
            ]
            for invoice in view.invoices
        ],
        "totals": totals,
        "link": _link("see_online", view.portal_url, words),
    }


def _link_label(view: InvoiceView) -> str:
    if view.payable_minor <= 0:
        return "see_online"
    return "or_pay_online" if view.seller.iban else "pay_online"


def _link(label: str, url: str, words: Wording) -> Page:
    """A link that leads to the very document and reads, on paper, as the address one can type: the portal's host."""
    host = url.partition("://")[2].partition("/")[0]
    return {"label": words(label), "url": url, "text": host or url}
