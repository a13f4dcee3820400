"""How corrections lie in the table.

`<account>` / `credit#<invoice id>#<n>`: the n-th credit note of an invoice, inserted in the unit that issues it.
`<account>` / `guard#correction#<request>`: what a request of staff became, for ever.
`<entity>` / `correction_policy`: what is offered retroactively when master data changes (absent: the default).
"""

from __future__ import annotations

from collections.abc import Sequence

from saldo.invoicing.rules_corrections import CorrectionPolicy, Offered
from saldo.storage.items import Item, Key


def link_prefix(invoice_id: str) -> str:
    return f"credit#{invoice_id}#"


def link_item(account_id: str, invoice_id: str, n: int, note_id: str) -> Item:
    return {"pk": account_id, "sk": f"{link_prefix(invoice_id)}{n:04d}", "kind": "credit_link", "note_id": note_id}


def guard_key(account_id: str, request: str) -> Key:
    return account_id, f"guard#correction#{request}"


def guard_item(account_id: str, request: str, content: str, documents: Sequence[str]) -> Item:
    """documents: the credit note, and the invoice that stands for the one corrected, if any."""
    pk, sk = guard_key(account_id, request)
    return {"pk": pk, "sk": sk, "kind": "guard", "content": content, "documents": list(documents)}


def policy_key(entity_id: str) -> Key:
    return entity_id, "correction_policy"


def policy_fields(policy: CorrectionPolicy) -> dict[str, object]:
    return {"offered": policy.offered.value, "days": policy.days, "fields": sorted(policy.fields)}


def policy_item(entity_id: str, policy: CorrectionPolicy) -> Item:
    pk, sk = policy_key(entity_id)
    return {"pk": pk, "sk": sk, "kind": "correction_policy", **policy_fields(policy)}


def policy_from(item: Item | None) -> CorrectionPolicy:
    if item is None:
        return CorrectionPolicy()
    return CorrectionPolicy(Offered(item["offered"]), item["days"], frozenset(item["fields"]))
