"""A run's frozen invoices, named by what they say: equal bytes lie under one id, other bytes never do.

So a run may put a body before anything is decided for good. A repeat that decides the same writes the same bytes to the
same place; one that decides otherwise writes elsewhere, and what it left before is named by nothing and means nothing.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

from saldo.invoicing.codec import body_to_text
from saldo.invoicing.model import InvoiceBody
from saldo.invoicing.rules import invoice_id
from saldo.kernel.ids import derived_id


def named_by_content(body: InvoiceBody) -> InvoiceBody:
    """The same invoice under the one id that its content has; its day is still in front."""
    content = sha256(body_to_text(replace(body, id="")).encode()).hexdigest()
    return replace(body, id=derived_id("inv", body.issued_on, body.account_id, content))


def is_named_rightly(body: InvoiceBody) -> bool:
    """Whether its id is that of its content, or of its charges: so the ids of invoices are made that are imported or
    replace others, whose header comes in the same unit. A credit note of staff is named after its invoice."""
    charged = body.issued_on, body.entity_id, body.account_id, body.currency, body.charges
    return bool(body.of_invoice) or body.id in (invoice_id(*charged), named_by_content(body).id)
