"""A seller, a customer and some invoices, as the payments tests need them."""

from __future__ import annotations

from datetime import UTC, date, datetime

from saldo.invoicing.records import InvoiceHeader, InvoiceStatus, StatusChange

ENTITY = "ent_eu_seller"
ORGANISATION = "org_eu_customer"
ACCOUNT = "acct_eu_customer"
ISSUED_AT = datetime(2026, 10, 1, 6, 0, tzinfo=UTC)


def header(invoice_id: str, total_minor: int, *, account_id: str = ACCOUNT, currency: str = "EUR") -> InvoiceHeader:
    """An issued invoice of October with 19 % tax inside, due at the end of the month."""
    tax_minor = total_minor - total_minor * 100 // 119
    return InvoiceHeader(
        account_id=account_id,
        invoice_id=invoice_id,
        organisation_id=ORGANISATION,
        entity_id=ENTITY,
        number=f"EU-{invoice_id}",
        status=InvoiceStatus.ISSUED,
        currency=currency,
        issued_on=date(2026, 10, 1),
        due_on=date(2026, 10, 31),
        net_minor=total_minor - tax_minor,
        tax_minor=tax_minor,
        total_minor=total_minor,
        open_minor=total_minor,
        run_id="run_1",
        buyer_profile=1,
        language="en",
        history=(StatusChange(ISSUED_AT, InvoiceStatus.ISSUED),),
    )
