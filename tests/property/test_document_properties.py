"""What holds of coupons, taxes, credits and credit notes, whatever is on the invoice."""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from saldo.invoicing.codec import body_from_bytes, body_to_bytes
from saldo.invoicing.model import (
    BelowZero,
    BillingCase,
    BillingOptions,
    Coupon,
    CreditSource,
    Draft,
    DueItem,
    InvoiceBody,
    NetRounding,
    PayableRounding,
    PrepaidCredit,
    PrepaidOrder,
    Wallet,
)
from saldo.invoicing.rules import bill
from saldo.invoicing.rules_corrections import returned_to
from saldo.invoicing.rules_credit_notes import credit_note, settled_back, whole, with_discounts
from saldo.invoicing.rules_entry import issue_entry
from saldo.invoicing.rules_soundness import problems_of
from saldo.kernel.exchange import ExchangeRate
from saldo.kernel.rounding import Rounding, rounded_ratio
from saldo.ledger.model import LedgerAccount
from saldo.orders.model import Item
from saldo.tax.model import NET, Collection, Piece, TaxBasis, TaxRate, TaxRounding, TaxTable, TaxTreatment
from saldo.tax.rules import problems_of_rates
from saldo.tax.table import TableTax
from tests.unit.invoicing.scenes import BUYER, SELLER

ON = date(2025, 3, 1)
amounts = st.decimals("-500", 5000, places=3)
percents = st.decimals(0, 30, places=3)


IN_PROPORTION = [
    None,
    TaxBasis(of=("first",)),
    TaxBasis(of=(NET, "first")),
    TaxBasis(part=Decimal("33.3")),
    TaxBasis(within=True),
]
COINS = [None, PayableRounding("EUR", 5), PayableRounding("EUR", 100, Rounding.DOWN)]
BOUNDED = [
    None,
    TaxBasis(least_minor=Decimal(11000)),
    TaxBasis(above_minor=Decimal(17500), up_to_minor=Decimal(160000), piece=Piece.LINE),
    TaxBasis(most_tax_minor=Decimal(5000)),
    TaxBasis(least_minor=Decimal(7748), once_minor=Decimal(200), piece=Piece.DOCUMENT),
]


@st.composite
def taxes(draw: st.DrawFn, bounded: bool = False) -> TableTax:
    """A tax or two on each category, the second perhaps on the first, on a part, within bounds, a levy or withheld."""

    def rate(name: str, category: str) -> TaxRate:
        second = name == "second"
        collection = draw(st.sampled_from(Collection)) if second else Collection.CHARGED
        basis = draw(st.sampled_from(BOUNDED if bounded else IN_PROPORTION)) if second else None
        if basis and basis.within:
            collection = Collection.CHARGED
        plain = second and basis is None
        levies = [Decimal(0), Decimal(5)] if plain and collection is not Collection.WITHHELD else [Decimal(0)]
        return TaxRate(
            "DE",
            "",
            name,
            frozenset({category}),
            TaxTreatment.STANDARD,
            draw(percents),
            date(2000, 1, 1),
            compound=plain and draw(st.booleans()),
            levy_minor=draw(st.sampled_from(levies)),
            collection=collection,
            basis=basis,
        )

    rates = tuple(rate(name, category) for category in ("a", "b") for name in ("first", "second"))
    assert problems_of_rates(rates) == []
    return TableTax(TaxTable("t", rates, {}))


@st.composite
def bodies(draw: st.DrawFn) -> InvoiceBody:
    items, bounded = [], draw(st.booleans())
    for n in range(draw(st.integers(1, 6))):
        more = {"tax_category": draw(st.sampled_from("ab")), "inclusive": not bounded and draw(st.booleans())}
        price, quantity = draw(amounts), Decimal(draw(st.integers(1, 4)))
        items.append(DueItem(Item(f"i{n}", {"en": "item"}, price, quantity, revenue_tag=f"r{n % 2}", **more)))
    coupons = [
        Coupon("percent", {"en": "c"}, percent=draw(st.decimals(0, 100, places=1))),
        Coupon("amount", {"en": "c"}, amount=draw(st.decimals(0, 300, places=2))),
    ]
    options = BillingOptions(
        below_zero=BelowZero.CREDIT_NOTE,
        net_rounding=draw(st.sampled_from(NetRounding)),
        prepaid=draw(st.sampled_from(PrepaidOrder)),
        tax_rounding=draw(st.sampled_from(TaxRounding)),
        tax_mode=draw(st.sampled_from(Rounding)),
        payable_rounding=draw(
            st.sampled_from([None, PayableRounding("EUR", 5), PayableRounding("EUR", 100, Rounding.DOWN)])
        ),
    )
    case = BillingCase(
        BUYER,
        SELLER,
        (),
        {},
        ON,
        tuple(items),
        options,
        wallet=Wallet(
            coupons=tuple(coupons[: draw(st.integers(0, 2))]),
            credits=(PrepaidCredit("p", draw(st.integers(0, 20_000)), ON),),
            credit_note_minor=draw(st.integers(0, 5_000)),
        ),
        exchange=ExchangeRate("EUR", "USD", Decimal("1.0831"), "bank", ON),
    )
    outcome = bill(case, draw(taxes(bounded)))
    if not isinstance(outcome, Draft):
        return draw(bodies())
    return outcome.body


def accounts_of(body: InvoiceBody, open_minor: int | None = None) -> Counter[object]:
    found: Counter[object] = Counter()
    entry = issue_entry(body, open_minor)
    for posting in entry.postings if entry else ():
        found[posting.account, posting.tag, posting.invoice_id] += posting.minor
    return found


@settings(max_examples=100, deadline=None)
@given(bodies())
def test_every_document_follows_from_itself_and_is_read_back_as_it_was(body: InvoiceBody) -> None:
    assert problems_of(body) == ()
    assert body_from_bytes(body_to_bytes(body)) == body
    gross = sum(line.net_minor for line in body.lines if line.inclusive)
    within = sum(t.tax_minor for t in body.tax_totals if t.included and t.collection is not Collection.WITHHELD)
    assert sum(line.included_tax_minor for line in body.lines) == within
    on_top = body.tax_minor - within
    assert body.total_minor == gross + on_top + sum(line.net_minor for line in body.lines if not line.inclusive)


@settings(max_examples=100, deadline=None)
@given(bodies(), st.integers(0, 100), st.booleans(), st.integers(0, 100))
def test_credit_notes_of_all_of_an_invoice_leave_zero_in_every_account_and_wallet(
    body: InvoiceBody, percent: int, before_discount: bool, paid_percent: int
) -> None:
    if body.total_minor < 0 or body.payable_minor < 0:
        return
    first = {line: minor - rounded_ratio(minor * percent, 100) for line, minor in whole(body).items()}
    if before_discount:
        sold = {line.id for line in body.lines if not line.of}
        first = with_discounts(body, {line: minor for line, minor in first.items() if line in sold})
    notes, in_money = list[InvoiceBody](), body.payable_minor * paid_percent // 100
    open_minor = body.payable_minor - in_money
    books, credits = accounts_of(body), (PrepaidCredit("p", 0, ON),)
    books[LedgerAccount.RECEIVABLES, None, body.id] -= in_money
    for amounts in (first, None):
        wanted = whole(body, notes) if amounts is None else amounts
        if any(wanted.values()):
            note = credit_note(body, ON, wanted, notes)
            assume(max(note.total_minor, note.payable_minor) <= 0)  # a part that rounds to something owed is refused
            note = settled_back(body, note, notes, open_minor)
            books.update(accounts_of(note, open_minor=open_minor))
            open_minor -= min(max(-note.payable_minor, 0), open_minor)
            credits = returned_to(credits, [note])
            notes.append(note)
    assert sum(note.total_minor for note in notes) == -body.total_minor
    theirs = {(LedgerAccount.CUSTOMER_CREDIT, None, None): -in_money}
    assert {key: minor for key, minor in books.items() if minor} == {k: m for k, m in theirs.items() if m}
    assert credits[0].balance_minor == sum(c.minor for c in body.credits if c.source is CreditSource.PREPAID)
