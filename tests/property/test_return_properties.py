"""What holds of whatever is given back: days paid ahead, charges taken back late, invoices taken back by staff."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import example, given, settings
from hypothesis import strategies as st

from saldo.accounts.model import Account
from saldo.catalog.model import Flat, PerUnit
from saldo.invoicing.codec import body_from_bytes, body_to_bytes
from saldo.invoicing.model import (
    BillingCase,
    BillingOptions,
    ChangeLegs,
    Coupon,
    CouponDuration,
    InvoiceBody,
    Line,
    LineKind,
    NetRounding,
    PrepaidCredit,
    PrepaidOrder,
    Wallet,
)
from saldo.invoicing.rules import due_of
from saldo.invoicing.rules_accounts import bill_account
from saldo.invoicing.rules_entry import issue_entry
from saldo.invoicing.rules_soundness import problems_of
from saldo.kernel.rounding import rounded_ratio
from saldo.ledger.model import LedgerAccount
from saldo.subscriptions.model import Change, ChangeKind, CreditRule, Subscription
from saldo.subscriptions.rules_changes import with_change
from saldo.tax.model import TaxRate, TaxTable, TaxTreatment
from saldo.tax.table import TableTax
from tests.unit.invoicing.scenes import BUYER, SELLER, component, plan, sold

START = date(2026, 6, 1)
RISE = date(2026, 6, 11)
BASE = component("base", Flat(Decimal("29.99")))
SEATS = replace(component("seats", PerUnit(Decimal("7.01"))), tax_category="reduced")
SMALL = replace(plan(BASE, SEATS), id="small")
LARGE = replace(plan(replace(BASE, price=Flat(Decimal("83.40"))), SEATS), id="large")
VERSIONS = {version.id: version for version in (SMALL, LARGE)}
# A business elsewhere in the union with a tax id accounts for the tax itself; before it had the id it was charged.
ABROAD = replace(BUYER, country="FR", has_tax_id=True)
DAYS = st.integers(0, 29).map(lambda n: START + timedelta(days=n))


def _rate(country: str, category: str, percent: int, from_on: date, until_on: date | None) -> TaxRate:
    kind = country, "", "VAT", frozenset({category}), TaxTreatment.STANDARD, Decimal(percent)
    return TaxRate(*kind, from_on, until_on)


RATES = tuple(
    _rate(country, category, percent + more, *span)
    for country, more in (("DE", 0), ("FR", 1))
    for category, before, after in (("standard", 19, 16), ("reduced", 7, 5))
    for percent, span in ((before, (date(2000, 1, 1), RISE)), (after, (RISE, None)))
)
TAX = TableTax(TaxTable("t", RATES, {"EU": frozenset({"DE", "FR"})}))


@st.composite
def coupons(draw: st.DrawFn) -> Coupon:
    share = draw(st.one_of(st.none(), st.sampled_from([Decimal(10), Decimal(33), Decimal(100)])))
    amount = None if share is not None else draw(st.decimals(1, 60, places=2))
    return Coupon(
        draw(st.uuids()).hex,
        {"en": draw(st.sampled_from(["spring", "summer"]))},
        share,
        amount,
        draw(st.sampled_from(CouponDuration)),
        components=draw(st.sampled_from([frozenset(), frozenset({"base"})])),
    )


@st.composite
def wallets(draw: st.DrawFn) -> Wallet:
    prepaid = (PrepaidCredit(f"p{n}", draw(st.integers(1, 5_000)), START) for n in range(draw(st.integers(0, 2))))
    return Wallet(tuple(draw(st.lists(coupons(), max_size=2))), tuple(prepaid))


@st.composite
def options(draw: st.DrawFn) -> BillingOptions:
    return BillingOptions(
        change_legs=draw(st.sampled_from(ChangeLegs)),
        net_rounding=draw(st.sampled_from(NetRounding)),
        prepaid=draw(st.sampled_from(PrepaidOrder)),
    )


class Customer:
    """One account with one subscription, billed from day to day."""

    def __init__(self, wallet: Wallet, chosen: BillingOptions) -> None:
        seats = {"seats": Decimal(3)}
        begun = sold(SMALL, START, quantities=seats)
        self.subscription: Subscription = with_change(begun, Change("none", ChangeKind.RESUME, START))
        self.wallet, self.options, self.bodies = wallet, chosen, list[InvoiceBody]()

    def run(self, day: date, account: Account = BUYER) -> InvoiceBody | None:
        due = due_of(self.subscription, VERSIONS[self.subscription.plan_version_id], day, VERSIONS)
        read = [body_from_bytes(body_to_bytes(body)) for body in self.bodies]
        case = BillingCase(account, SELLER, (due,), {}, day, options=self.options, wallet=self.wallet, earlier=read)
        billed = bill_account(case, TAX)
        (self.subscription,), self.wallet = billed.subscriptions, billed.wallet
        assert all(not problems_of(body) for body in billed.bodies)
        assert all(credit.balance_minor >= 0 for credit in self.wallet.credits)
        self.bodies += billed.bodies
        return billed.bodies[0] if billed.bodies else None

    def change(self, change: Change) -> None:
        if self.subscription.next_bill_on is not None:
            self.subscription = with_change(self.subscription, change)


def net_of(body: InvoiceBody, line: Line) -> int:
    """A line with what was off it."""
    return line.net_minor + sum(other.net_minor for other in body.lines if other.of == line.id)


def drawn(body: InvoiceBody, line: Line) -> int:
    """What prepaid credit pays of a line before tax, below zero."""
    return sum(other.net_minor for other in body.lines if other.of == line.id and other.kind is LineKind.PREPAID)


def books(*bodies: InvoiceBody) -> Counter[object]:
    found: Counter[object] = Counter()
    for body in bodies:
        entry = issue_entry(body)
        for posting in entry.postings if entry else ():
            found[posting.account, posting.tag] += posting.minor
    return Counter({key: minor for key, minor in found.items() if minor})


@settings(max_examples=60, deadline=None)
@given(wallets(), options(), DAYS, st.sampled_from([BUYER, ABROAD]))
def test_a_period_unwound_whole_leaves_nothing_but_what_was_paid(
    wallet: Wallet, chosen: BillingOptions, day: date, later: Account
) -> None:
    customer = Customer(wallet, chosen)
    first = customer.run(START)
    customer.change(Change("end", ChangeKind.CANCEL, day, credit=CreditRule.WHOLE))
    second = customer.run(max(day, START + timedelta(days=1)), later)
    assert first is not None
    if second is None or day == START:
        return  # cancelled before it began: told too late to be more than taken back
    assert second.net_minor == -first.net_minor
    assert {replace(t, base_minor=-t.base_minor, tax_minor=-t.tax_minor) for t in second.tax_totals} == set(
        first.tax_totals
    )
    left = books(first, second)
    paid = {LedgerAccount.RECEIVABLES, LedgerAccount.CUSTOMER_CREDIT}
    if chosen.prepaid is PrepaidOrder.BEFORE_TAX:
        assert customer.wallet.credits == wallet.credits
    else:
        paid.add(LedgerAccount.PREPAID_CREDIT)  # it paid, as money does: what comes back is the customer's credit
    assert {account for account, _ in left} <= paid  # type: ignore[misc]  # keys are pairs
    assert customer.wallet.credit_note_minor == first.payable_minor + sum(
        c.minor for c in first.credits if not c.before_tax
    )


@st.composite
def changes(draw: st.DrawFn) -> list[Change]:
    found = []
    for n in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(ChangeKind))
        quantities = {"seats": Decimal(draw(st.integers(0, 6)))} if kind is ChangeKind.QUANTITY else {}
        plan_id = draw(st.sampled_from(sorted(VERSIONS))) if kind is ChangeKind.PLAN else ""
        found.append(Change(f"c{n}", kind, draw(DAYS), None, plan_id, quantities))
    return found


@settings(max_examples=60, deadline=None)
@example(
    Wallet((), (PrepaidCredit("p0", 1, START),)),
    BillingOptions(prepaid=PrepaidOrder.BEFORE_TAX),
    [
        Change("c0", ChangeKind.PAUSE, START + timedelta(days=1)),
        Change("c1", ChangeKind.QUANTITY, START, quantities={"seats": Decimal(4)}),
    ],
    BUYER,
)
@given(wallets(), options(), changes(), st.sampled_from([BUYER, ABROAD]))
def test_no_more_is_given_back_of_a_charge_than_was_charged_and_with_its_taxes(
    wallet: Wallet, chosen: BillingOptions, told: list[Change], later: Account
) -> None:
    customer = Customer(wallet, chosen)
    customer.run(START)
    for n, change in enumerate(told):  # told in this order, whatever their days
        customer.change(change)
        if customer.subscription.next_bill_on is not None:
            customer.run(START + timedelta(days=20 + n), later)
    lines = {f"{body.id}/{line.id}": (body, line) for body in customer.bodies for line in body.lines if not line.of}
    back: Counter[str] = Counter()
    netted = set()  # with what is charged instead, on one line
    for body, line in lines.values():
        if line.gives_back:
            origin = lines[line.gives_back][1]
            assert line.taxes == origin.taxes
            assert line.net_minor * net_of(body, line) >= 0  # a discount never turns a credit round
            # A credit that is taken back is a charge, on which prepaid credit is drawn as on any: it pays for it.
            back[origin.gives_back or line.gives_back] += net_of(body, line) - (line.net_minor > 0) * drawn(body, line)
            if line.kind is LineKind.CHANGE:
                netted.add(origin.gives_back or line.gives_back)
    for reference, minor in back.items():
        body, line = lines[reference]
        assert line.kind is LineKind.CHANGE or reference in netted or -minor <= net_of(body, line)


@settings(max_examples=30, deadline=None)
@given(changes())
def test_what_cost_nothing_gives_nothing_back(told: list[Change]) -> None:
    free = Coupon("free", {"en": "free"}, Decimal(100), duration=CouponDuration.FOREVER)
    customer = Customer(Wallet((free,)), BillingOptions())
    customer.run(START)
    for n, change in enumerate(told):
        customer.change(change)
        if customer.subscription.next_bill_on is not None:
            customer.run(START + timedelta(days=20 + n))
    for body in customer.bodies:
        assert body.total_minor == 0
        assert all(row.base_minor == row.tax_minor == 0 for row in body.tax_totals)


@settings(max_examples=60, deadline=None)
@given(changes(), st.sampled_from([Decimal("12.5"), Decimal(33), Decimal(100)]), options())
def test_a_percentage_is_off_every_rate_of_a_document_to_the_cent(
    told: list[Change], percent: Decimal, chosen: BillingOptions
) -> None:
    """Whatever is charged and credited together: of each rate the same part as of the whole, less than a cent apart."""
    customer = Customer(Wallet((Coupon("c", {"en": "c"}, percent, duration=CouponDuration.FOREVER),)), chosen)
    customer.run(START)
    for change in told:  # all before the run, so that it charges and credits the same days
        customer.change(change)
    customer.run(START + timedelta(days=29))
    for body in customer.bodies:
        before, off = Counter[str](), Counter[str]()
        now = [line for line in body.lines if line.supplied_on is None]  # the rest goes by the discounts of then
        for line in now:
            (off if line.of else before)[line.tax_category] += line.net_minor
        if before.total() > 0:
            assert -off.total() == rounded_ratio(before.total() * int(percent * 10), 1000)
        for category, minor in before.items():
            exact = Fraction(-off.total() * minor, before.total()) if off else Fraction(0)
            assert abs(exact + off[category]) < 1
        nets = {line.id: line.net_minor for line in now if not line.of}
        assert all(line.net_minor * nets[line.of] <= 0 for line in now if line.of)
        assert all(abs(line.net_minor) <= abs(nets[line.of]) for line in now if line.of)
