"""What an invoice posts to the journal where the buyer does not simply owe its total."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from saldo.catalog.model import DayCount, Flat
from saldo.invoicing.model import BelowZero, BillingOptions, Draft, InvoiceBody, PrepaidCredit, PrepaidOrder, Wallet
from saldo.invoicing.rules import bill, due_of
from saldo.invoicing.rules_entry import issue_entry
from saldo.kernel.periods import Unit
from saldo.subscriptions.model import Change, ChangeKind
from saldo.subscriptions.rules_changes import with_change
from saldo.tax.model import Collection, TaxRate, TaxTable, TaxTreatment
from saldo.tax.table import TableTax
from tests.unit.invoicing.scenes import BUYER, SELLER, TAX, case_of, component, plan, sold

START = date(2026, 1, 1)
FEE = component("fee", Flat(Decimal(119)))
CREDIT = PrepaidCredit("gift", 5950, START)


def rate(name: str, percent: str, collection: Collection = Collection.CHARGED) -> TaxRate:
    kinds = frozenset({"standard"})
    return TaxRate("DE", "", name, kinds, TaxTreatment.STANDARD, Decimal(percent), START, collection=collection)


def drafted(inclusive: bool = False, tax: TableTax = TAX, wallet: Wallet = Wallet()) -> InvoiceBody:  # noqa: B008
    version = plan(replace(FEE, tax_inclusive=inclusive))
    case = case_of(version, sold(version, START), as_of=START)
    options = BillingOptions(below_zero=BelowZero.CREDIT_NOTE, prepaid=PrepaidOrder.BEFORE_TAX)
    outcome = bill(replace(case, wallet=wallet, options=options), tax)
    assert isinstance(outcome, Draft)
    return outcome.body


def posted(body: InvoiceBody) -> dict[tuple[str, str], int]:
    entry = issue_entry(body)
    assert entry
    return {(p.account.value, p.tag or ""): p.minor for p in entry.postings}


def test_what_the_buyer_withholds_is_owed_by_the_state() -> None:
    table = TaxTable("t", (rate("VAT", "19"), rate("withholding", "2", Collection.WITHHELD)), {})
    body = drafted(tax=TableTax(table))
    assert body.payable_minor == 11900 + 2261 - 238
    assert posted(body) == {
        ("receivables", ""): body.payable_minor,
        ("deferred_revenue", "rev_fee"): -11900,
        ("tax_payable", "DE"): -2261,
        ("tax_withheld", "DE"): 238,
    }


def test_credit_taken_off_before_tax_is_drawn_under_its_own_name() -> None:
    body = drafted(wallet=Wallet(credits=(CREDIT,)))
    assert posted(body)["prepaid_credit", "gift"] == 5950
    assert posted(body)["receivables", ""] == body.payable_minor == 5950 + 1131  # 19 % of 59.50: 11.305


def test_credit_taken_off_prices_with_tax_is_drawn_whole_and_its_tax_stays_earned() -> None:
    body = drafted(inclusive=True, wallet=Wallet(credits=(CREDIT,)))
    assert posted(body) == {
        ("receivables", ""): 5950,
        ("prepaid_credit", "gift"): 5950,
        ("tax_payable", "DE"): -950,
        ("deferred_revenue", "rev_fee"): -10950,
    }


def test_a_yearly_price_counted_by_the_second_is_charged_from_the_moment() -> None:
    yearly = replace(FEE, priced_per=Unit.YEAR)
    version = replace(plan(yearly), day_count=DayCount.SECOND)
    at = datetime(2026, 1, 15, 11, tzinfo=UTC)  # noon in Berlin
    more = Change("a", ChangeKind.QUANTITY, date(2026, 1, 15), effective_at=at, quantities={"fee": Decimal(2)})
    subscription = with_change(sold(version, START), more)
    due = due_of(subscription, version, date(2026, 1, 15), {version.id: version}, BUYER.time_zone)
    case = replace(case_of(version, as_of=date(2026, 1, 15)), due=(due,), account=BUYER, entity=SELLER)
    outcome = bill(case, TAX)
    assert isinstance(outcome, Draft)
    shares = [(line.share.days, line.share.of) for line in outcome.body.lines]
    half_days = 33 * 43200, 365 * 86400  # from noon of the 15th to the end of January
    assert shares == [(31 * 86400, 365 * 86400), half_days, half_days]
