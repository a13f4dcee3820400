"""How contracts lie in the table.

`<account>` / `contract#<id>`: one each, as it is now. `<account>` / `contract_version#<id>#<version>`: as each change
left
it, written once, never changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from saldo.catalog.minimum_codec import maybe_minimum, minimum_to_json
from saldo.catalog.model import BillingTrigger
from saldo.kernel.clock import instant_from, instant_text
from saldo.kernel.exact import plain
from saldo.kernel.reading import read
from saldo.orders.model_contracts import (
    Acceptance,
    Contract,
    ContractPrice,
    ContractStatus,
    Milestone,
    MilestoneStatus,
    Service,
    Terms,
)
from saldo.storage.items import Item, Key
from saldo.storage.store import Store
from saldo.storage.units import Unit
from saldo.subscriptions.codec import maybe_term, term_to_json
from saldo.subscriptions.model import Term

PREFIX = "contract#"


def contract_key(account_id: str, contract_id: str) -> Key:
    return account_id, PREFIX + contract_id


def put_contract(unit: Unit, contract: Contract, *, new: bool = False) -> Unit:
    """Write a contract and, for ever, this version of it. The unit holds only while the version before is the
    latest."""
    pk, sk = contract_key(contract.account_id, contract.id)
    fields = {"kind": "contract", "contract_id": contract.id, "account_id": contract.account_id} | _fields(contract)
    if new:
        unit.insert({"pk": pk, "sk": sk, **fields})
    else:
        unit.put({"pk": pk, "sk": sk, **fields}, when={"version": contract.version - 1})
    version_sk = f"contract_version#{contract.id}#{contract.version:06d}"
    return unit.insert({"pk": pk, "sk": version_sk, **fields, "kind": "contract_version"})


def contract_from(item: Item) -> Contract:
    return Contract(
        id=item["contract_id"],
        account_id=item["account_id"],
        entity_id=item["entity_id"],
        title=item["title"],
        currency=item["currency"],
        terms=tuple(_terms_from(t) for t in item["terms"]),
        milestones=tuple(_milestone_from(m) for m in item["milestones"]),
        services=tuple(
            Service(s["id"], s["plan_id"], s["milestone_id"], Decimal(s["quantity"]), s["subscription_id"], _term_of(s))
            for s in item["services"]
        ),
        retainage_percent=Decimal(item["retainage_percent"]),
        purchase_order=item["purchase_order"],
        cost_centre=item["cost_centre"],
        released_on=_day(item["released_on"]),
        status=ContractStatus(item["status"]),
        version=item["version"],
    )


def contracts_of(store: Store, account_id: str) -> list[Contract]:
    """Every contract of an account, in id order, those that ended too."""
    return [contract_from(item) for item in store.query_all(account_id, prefix=PREFIX, consistent=True)]


def versions_of(store: Store, account_id: str, contract_id: str) -> list[Contract]:
    """A contract as each of its changes left it, oldest first."""
    items = store.query_all(account_id, prefix=f"contract_version#{contract_id}#", consistent=True)
    return [contract_from(item) for item in items]


def _fields(contract: Contract) -> Item:
    return {
        "entity_id": contract.entity_id,
        "title": contract.title,
        "currency": contract.currency,
        "terms": [_terms_fields(t) for t in contract.terms],
        "milestones": [_milestone_fields(m) for m in contract.milestones],
        "services": [
            {
                "id": s.id,
                "plan_id": s.plan_id,
                "milestone_id": s.milestone_id,
                "quantity": plain(s.quantity),
                "subscription_id": s.subscription_id,
                **({"term": term_to_json(s.term)} if s.term else {}),
            }
            for s in contract.services
        ],
        "retainage_percent": plain(contract.retainage_percent),
        "purchase_order": contract.purchase_order,
        "cost_centre": contract.cost_centre,
        "released_on": _text(contract.released_on),
        "status": contract.status.value,
        "version": contract.version,
    }


def _terms_fields(terms: Terms) -> Item:
    return {
        "effective_on": terms.effective_on.isoformat(),
        "ends_on": _text(terms.ends_on),
        "value_minor": terms.value_minor,
        "maximum_minor": terms.maximum_minor,
        "prices": [
            {
                "plan_id": p.plan_id,
                "unit_price": plain(p.unit_price),
                "component_id": p.component_id,
                "buyer_sku": p.buyer_sku,
                "most": None if p.most is None else plain(p.most),
                "trigger": p.trigger.value if p.trigger else None,
                "plan_version_id": p.plan_version_id,
                **({"minimum": minimum_to_json(p.minimum)} if p.minimum else {}),
            }
            for p in terms.prices
        ],
    }


def _terms_from(f: Mapping[str, Any]) -> Terms:
    prices = tuple(
        ContractPrice(
            p["plan_id"],
            Decimal(p["unit_price"]),
            p["component_id"],
            p["buyer_sku"],
            _decimal(p["most"]),
            BillingTrigger(p["trigger"]) if p["trigger"] else None,
            p["plan_version_id"],
            read({"minimum": p.get("minimum")}, maybe_minimum, "the minimum cannot be read"),
        )
        for p in f["prices"]
    )
    return Terms(
        date.fromisoformat(f["effective_on"]), _day(f["ends_on"]), prices, f["value_minor"], f["maximum_minor"]
    )


def _milestone_fields(m: Milestone) -> Item:
    return {
        "id": m.id,
        "names": m.names,
        "amount_minor": m.amount_minor,
        "percent": None if m.percent is None else plain(m.percent),
        "due_on": _text(m.due_on),
        "tax_category": m.tax_category,
        "revenue_tag": m.revenue_tag,
        "status": m.status.value,
        "billed_minor": m.billed_minor,
        "item_id": m.item_id,
        "acceptances": [
            {
                "actor_id": a.actor_id,
                "at": instant_text(a.at),
                "on": a.on.isoformat(),
                "document_ref": a.document_ref,
                "withdrawn": a.withdrawn,
            }
            for a in m.acceptances
        ],
    }


def _milestone_from(f: Mapping[str, Any]) -> Milestone:
    return Milestone(
        f["id"],
        f["names"],
        f["amount_minor"],
        _decimal(f["percent"]),
        _day(f["due_on"]),
        f["tax_category"],
        f["revenue_tag"],
        MilestoneStatus(f["status"]),
        f["billed_minor"],
        f["item_id"],
        tuple(
            Acceptance(
                a["actor_id"], instant_from(a["at"]), date.fromisoformat(a["on"]), a["document_ref"], a["withdrawn"]
            )
            for a in f["acceptances"]
        ),
    )


def _term_of(f: Mapping[str, Any]) -> Term | None:
    return read({"term": f.get("term")}, maybe_term, "the term cannot be read")


def _text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
