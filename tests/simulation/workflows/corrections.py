"""What staff do with invoices: credit, bill again, approve, issue at once, charge interest; and what they choose."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from functions.services import billing
from saldo.accounts.arrangements import Arrangements
from saldo.accounts.model import DiscountTax, EarlyDiscount, LateFee, LatePolicy, LateTerms, Terms
from saldo.documents.looks import Looks
from saldo.documents.rules_look import look_of
from saldo.exchange.model import RatePolicy
from saldo.exchange.service import RateImport
from saldo.invoicing.approvals import Approvals
from saldo.invoicing.choices import change_choices
from saldo.invoicing.clocks import Doubles
from saldo.invoicing.corrections import Corrections, CreditRequest
from saldo.invoicing.late_charges import LateCharges
from saldo.invoicing.model import BillingOptions, PayableRounding, PrepaidCredit
from saldo.invoicing.numbering import change_numbering
from saldo.invoicing.offered_corrections import OfferedCorrections
from saldo.invoicing.records import header_from
from saldo.invoicing.rules_corrections import CorrectionPolicy, Offered, Reason
from saldo.invoicing.rules_late_law import ReferenceRate
from saldo.invoicing.rules_numbers import Numbering, SeriesRule, SeriesType
from saldo.invoicing.rules_templates import TemplateRule
from saldo.invoicing.run.now import Invoices, OneOff
from saldo.invoicing.wallets import Wallets
from saldo.kernel.money import Money
from saldo.kernel.periods import Length, Unit
from saldo.orders.items import Items
from saldo.orders.model import Item
from saldo.payments.receiving import MoneyCame, Receiving
from saldo.subscriptions.model import Term
from saldo.subscriptions.records import subscription_from, subscription_item
from saldo.tax.table import TableTax, shipped_table
from tests.simulation.region import ENTITY_ID, Region
from tests.simulation.workflows import daily, invoke, workflow
from tests.simulation.workflows.scenes import (
    CLERK,
    FEB,
    JAN,
    account_id,
    accounts,
    bill,
    billed,
    founded,
    open_invoices,
    profile,
    until,
)

TAX = TableTax(shipped_table())
RATES = b"Date, USD, GBP, CYP, \n02 January 2026, 1.1721, 0.8700, N/A, \n"
VISIT = Item("", {"en": "Visit on site"}, Decimal(250), tax_category="digital_service")


def _asked(region: Region, **more: object) -> CreditRequest:
    return CreditRequest(account_id(0), region.notes["invoice"], "r1", Reason.PRICE, CLERK, **more)  # type: ignore[arg-type]


def to_correct(region: Region) -> None:
    """January is billed, and the customer's profile is another one since."""
    billed(region)
    region.notes["invoice"] = open_invoices(region, 0)[0][0]
    accounts(region).change_profile(profile(0), CLERK)


@workflow("correct: credit", prepare=to_correct)
def credit(region: Region) -> None:
    Corrections(region.store, region.clock, TAX).credit(_asked(region, net_minor=100))


@workflow("correct: bill again", prepare=to_correct)
def rebill(region: Region) -> None:
    Corrections(region.store, region.clock, TAX).rebill(_asked(region))


def paid_from_credit(region: Region) -> None:
    """January is billed, and prepaid credit paid for some of it."""
    founded(region)
    gift = PrepaidCredit("gift", 700, JAN, paid=False)
    Wallets(region.store, region.clock).grant(account_id(0), gift, CLERK)
    bill(region, JAN)
    region.notes["invoice"] = open_invoices(region, 0)[0][0]


@workflow("correct: return prepaid credit", prepare=paid_from_credit)
def return_credit(region: Region) -> None:
    Corrections(region.store, region.clock, TAX).credit(_asked(region))


def paid_early(region: Region) -> None:
    """January is billed with discounts for paying early, and the second of them was taken."""
    founded(region)
    steps = EarlyDiscount(Decimal(3), 7), EarlyDiscount(Decimal(2), 14)
    Arrangements(region.store, region.clock).change_terms(account_id(0), Terms(early_discounts=steps), CLERK)
    bill(region, JAN)
    region.now = max(region.now, datetime(2026, 1, 15, 9, tzinfo=UTC))
    region.notes["invoice"], minor = open_invoices(region, 0)[0]
    less = Money(minor * 98 // 100 + 1, "EUR")
    came = MoneyCame(account_id(0), less, date(2026, 1, 15), "line 1", CLERK)
    Receiving(region.store, region.clock).receive(came)
    assert not open_invoices(region, 0)


@workflow("correct: what was paid early", prepare=paid_early)
def credit_paid_early(region: Region) -> None:
    Corrections(region.store, region.clock, TAX).credit(_asked(region))


def to_pay_less_tax(region: Region) -> None:
    """A customer whose tax is on the amount less a discount, whether or not it is taken."""
    founded(region)
    steps = EarlyDiscount(Decimal(3), 7, DiscountTax.ALWAYS), EarlyDiscount(Decimal(2), 14, DiscountTax.ALWAYS)
    Arrangements(region.store, region.clock).change_terms(account_id(0), Terms(early_discounts=steps), CLERK)


@workflow("invoice: less tax, paid early, and taken back in part", prepare=to_pay_less_tax)
def less_tax(region: Region) -> None:
    bill(region, JAN)
    region.now = max(region.now, datetime(2026, 1, 8, 9, tzinfo=UTC))
    with region.undisturbed():
        header = next(header_from(i) for i in region.store.query_all(account_id(0), prefix="invoice#inv_2026"))
    asked = Money(header.total_minor - header.early[0].minor, "EUR")
    came = MoneyCame(account_id(0), asked, date(2026, 1, 8), "line 1", CLERK)
    Receiving(region.store, region.clock).receive(came)
    region.notes["invoice"] = header.invoice_id
    Corrections(region.store, region.clock, TAX).credit(_asked(region, net_minor=100))


@workflow("invoice: at once", prepare=billed)
def issue_now(region: Region) -> None:
    region.now = max(region.now, datetime(2026, 1, 10, 9, tzinfo=UTC))
    Invoices(billing(), region.clock).issue_now(OneOff(account_id(0), "r1", (VISIT,), CLERK))


def asked_in_vain(region: Region) -> None:
    billed(region)
    region.now = max(region.now, datetime(2026, 1, 10, 9, tzinfo=UTC))
    nowhere = replace(VISIT, tax_category="unheard_of")
    Invoices(billing(), region.clock).issue_now(OneOff(account_id(0), "r1", (nowhere,), CLERK))


@workflow("items: withdraw", prepare=asked_in_vain)
def withdraw_item(region: Region) -> None:
    Items(region.store, region.clock).withdraw(account_id(0), "oneoff-r1-1", CLERK, "wrong category")


def careful(region: Region) -> None:
    founded(region)
    Arrangements(region.store, region.clock).change_terms(account_id(0), Terms(review=True), CLERK)


_ATTEMPTS = dict.fromkeys(
    ("attempt", "run", "result", "aside"), "who was set aside is tried again by each further attempt"
)


@workflow("invoice: propose", prepare=careful, apart=_ATTEMPTS)
def propose(region: Region) -> None:
    bill(region, JAN)


def proposed(region: Region) -> None:
    careful(region)
    bill(region, JAN)


@workflow("invoice: approve", prepare=proposed)
def approve(region: Region) -> None:
    desk = Approvals(region.store, region.clock)
    if account_id(0) in desk.waiting(ENTITY_ID):
        desk.approve(account_id(0), desk.proposal(account_id(0)).print, CLERK)
    bill(region, date(2026, 1, 2))


def late(region: Region) -> None:
    billed(region)
    terms = Terms(late=LateTerms(LatePolicy.STATUTORY, compensation=True, fees=(LateFee(14, amount_minor=500),)))
    Arrangements(region.store, region.clock).change_terms(account_id(0), terms, CLERK)
    until(region, date(2026, 4, 1))
    assert open_invoices(region, 0)


@workflow("late charges: assess", prepare=late)
def assess(region: Region) -> None:
    daily(region, "collections.assess_late_charges", "")


@workflow("seller: choices", prepare=founded)
def choose(region: Region) -> None:
    """As a person does, who looks before doing it again."""
    numbering = Numbering({SeriesType.INVOICE: SeriesRule("{customer}-{year}-{n:03}")})
    change_numbering(region.store, region.clock, ENTITY_ID, numbering, CLERK)
    coins = BillingOptions(payable_rounding=PayableRounding("EUR", 5))
    change_choices(region.store, region.clock, ENTITY_ID, coins, CLERK)
    OfferedCorrections(region.store, region.clock).set_policy(ENTITY_ID, CorrectionPolicy(Offered.NONE), CLERK)
    rate = ReferenceRate("DE", date(2026, 7, 1), date(2027, 1, 1), Decimal("1.02"))
    LateCharges(region.store, region.clock).add_reference_rate(rate, CLERK)
    looks = Looks(region.store, region.clock)
    if not looks.choice(ENTITY_ID).versions:
        looks.publish(ENTITY_ID, "plain", look_of({"accent": "#8a1538"}), CLERK)
    if not looks.choice(ENTITY_ID).rules:
        looks.choose(ENTITY_ID, [TemplateRule("plain", jurisdiction="DE")], CLERK)


def published(region: Region) -> None:
    founded(region)
    Looks(region.store, region.clock).publish(ENTITY_ID, "plain", look_of({"accent": "#8a1538"}), CLERK)


@workflow("seller: look at a template", prepare=published)
def preview(region: Region) -> None:
    invoke("documents.render", {"entity_id": ENTITY_ID, "template": "plain@1", "language": "en"})


@workflow("exchange: import rates", prepare=founded)
def import_rates(region: Region) -> None:
    rates = RateImport(region.store, region.clock)
    rates.set_policy(ENTITY_ID, RatePolicy(), CLERK)
    rates.import_file("ECB", RATES, CLERK)


@workflow("terms: change", prepare=founded)
def change_terms(region: Region) -> None:
    Arrangements(region.store, region.clock).change_terms(account_id(0), Terms(segment="key"), CLERK)


def doubled(region: Region) -> None:
    """Of a customer whose subscription renews each month, at more."""
    founded(region, 1)
    (item,) = region.store.query_all(account_id(0), prefix="subscription#", consistent=True)
    term = Term(Length(Unit.MONTH, 1), announce_days=1, uplift_percent=Decimal(5))
    region.store.put_many([subscription_item(replace(subscription_from(item), term=term))])
    Doubles(region.store, region.sealer(), region.clock).create(account_id(0), JAN, CLERK)


@workflow("clock: advance", prepare=doubled)
def advance(region: Region) -> None:
    with region.undisturbed():
        (clock,) = [i for i in region.store.scan() if i["kind"] == "clock"]
    for _ in range(4):
        invoke("operations.advance_clock", {"account_id": clock["account_id"], "to": FEB.isoformat()})
    with region.undisturbed():
        terms = [i["ends_on"] for i in region.store.query_all(clock["account_id"], prefix="term#")]
    assert terms == ["2026-03-01"], "that of January is over"
