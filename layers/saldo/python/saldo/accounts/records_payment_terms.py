"""How payment terms lie on an account: the days as they always did, and the whole of it where it is more than days."""

from __future__ import annotations

import json
from typing import Any

from saldo.accounts.model_payment_terms import PaymentTerms
from saldo.accounts.reading_payment_terms import payment_terms_json, payment_terms_stored
from saldo.storage.items import Item


def payment_terms_attributes(terms: PaymentTerms) -> dict[str, Any]:
    """Both attributes; None for the one that is not there."""
    text = None if terms.is_days else json.dumps(payment_terms_json(terms), sort_keys=True)
    return {"payment_terms_days": terms.days, "payment_terms": text}


def payment_terms_from_item(item: Item) -> PaymentTerms:
    text = item.get("payment_terms")
    return payment_terms_stored(json.loads(text)) if text else PaymentTerms(item["payment_terms_days"])
