"""Views that the tests of documents share."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from saldo.accounts.model import Address
from saldo.documents.model import (
    BuyerView,
    EarlyView,
    InvoiceView,
    LineView,
    PaidInvoiceView,
    ReceiptView,
    Reference,
    SellerView,
    TaxView,
)
from saldo.kernel.exchange import ExchangeRate
from saldo.kernel.periods import Period
from saldo.rating.model import Share, Step

NOVEMBER = Period(date(2026, 11, 1), date(2026, 12, 1))

SELLER = SellerView(
    name="Nordlicht Cloud GmbH",
    address=Address(("Hafenstraße 12",), "20457", "Hamburg", "DE"),
    tax_registrations={"DE": "DE811907980", "FR": "FR40303265045"},
    bank_name="Hamburger Sparkasse",
    iban="DE02200505501015871393",
    bic="HASPDEHHXXX",
    email="rechnung@nordlicht.example",
)
BUYER = BuyerView(
    legal_name="Müller & Söhne Maschinenbau GmbH & Co. KG",
    contact_name="Buchhaltung, Frau Ağaoğlu-Schmidt",
    address=Address(("Gebäude 4", "Industriestraße 104"), "70565", "Stuttgart", "DE"),
    tax_id="DE136695976",
    purchase_order="4500017712",
    account_id="acct_eu_01kb3m9q2",
    country="DE",
)


def tier(above: str | None, up_to: str | None, units: str, price: str) -> Step:
    return Step(
        "tier",
        Decimal(units),
        Decimal(price),
        Decimal(units) * Decimal(price),
        above=Decimal(above) if above else None,
        up_to=Decimal(up_to) if up_to else None,
    )


def line(description: str, quantity: str, unit: str, price: str | None, net_minor: int, **more: object) -> LineView:
    percent = Decimal(str(more.pop("percent", "19")))
    unit_price = Decimal(price) if price else None
    made = LineView(description, NOVEMBER, Decimal(quantity), unit, unit_price, percent, net_minor)
    return replace(made, **more)  # type: ignore[arg-type]  # names are those of LineView


def invoice(**changes: object) -> InvoiceView:
    """A German invoice of 4 lines: fixed, per unit prorated, graduated usage, one-time."""
    lines = (
        line("Plattform Professional", "1", "", "490", 49000),
        line("Arbeitsplätze", "12", "Arbeitsplätze", "18.50", 13320, share=Share(18, 30)),
        line(
            "Eingabe-Token",
            "14250000",
            "Token",
            None,
            3925,
            steps=(
                tier(None, "1000000", "1000000", "0.000004"),
                tier("1000000", "10000000", "9000000", "0.000003"),
                tier("10000000", None, "4250000", "0.000002"),
            ),
        ),
        line("Einrichtung und Datenübernahme", "1", "pauschal", "250", 25000),
    )
    taxes = (TaxView("S", Decimal(19), "VAT", "DE", 91245, 17337),)
    made = InvoiceView(
        number="DE-2026-000123",
        issued_on=date(2026, 12, 1),
        due_on=date(2026, 12, 15),
        currency="EUR",
        language="de",
        seller=SELLER,
        buyer=BUYER,
        lines=lines,
        taxes=taxes,
        net_minor=91245,
        tax_minor=17337,
        total_minor=108582,
        portal_url="https://portal.nordlicht.example/invoices/inv_20261201abc",
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # names are those of InvoiceView


def receipt(**changes: object) -> ReceiptView:
    made = ReceiptView(
        number="R-2026-00042",
        settled_on=date(2026, 12, 9),
        currency="EUR",
        language="de",
        method="card",
        reference="sim_0042",
        seller=SELLER,
        buyer=BUYER,
        invoices=(
            PaidInvoiceView("DE-2026-000123", date(2026, 12, 1), 108582, 108582),
            PaidInvoiceView("DE-2026-000098", date(2026, 11, 1), 54020, 30000),
        ),
        amount_minor=138582,
        portal_url="https://portal.nordlicht.example/payments/pay_01",
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # names are those of ReceiptView


def credit_note(**changes: object) -> InvoiceView:
    """Seats and their tax taken back of an earlier invoice."""
    lines = (line("Arbeitsplätze", "1", "", "-133.2", -13320),)
    fields: dict[str, object] = {
        "number": "NL-RK-2026-000003",
        "lines": lines,
        "taxes": (TaxView("S", Decimal(19), "VAT", "DE", -13320, -2531),),
        "net_minor": -13320,
        "tax_minor": -2531,
        "total_minor": -15851,
        "is_credit_note": True,
        "corrects": Reference("NL-2026-000041", date(2026, 11, 1)),
        "note": "Zwei Arbeitsplätze wurden doppelt berechnet.",
    }
    return invoice(**(fields | changes))


def early_invoice(**changes: object) -> InvoiceView:
    """An invoice partly paid by credit, with a discount for paying early, in a currency that is not the seller's."""
    rate = ExchangeRate("EUR", "CHF", Decimal("0.9312"), "ECB", date(2026, 11, 30))
    early = EarlyView(Decimal(2), date(2026, 12, 8), 103_000)
    fields: dict[str, object] = {"currency": "CHF", "early": (early,), "paid_minor": 1000, "exchange": rate}
    return invoice(**(fields | {"corrects": Reference("NL-2026-000041", date(2026, 11, 1))} | changes))
