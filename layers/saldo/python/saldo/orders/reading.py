"""Orders and contracts as JSON documents, read so that every field at fault is named."""

from __future__ import annotations

from typing import Any

from saldo.catalog.minimum_codec import maybe_minimum
from saldo.catalog.model import BillingTrigger
from saldo.kernel.errors import Refusal
from saldo.kernel.exact import ONE, ZERO
from saldo.kernel.money import Money
from saldo.kernel.reading import Fields, read
from saldo.orders.model_contracts import Contract, ContractPrice, Milestone, Service, Terms
from saldo.orders.model_orders import Channel, OrderRequest, Reference, ReferenceKind, RequestedLine
from saldo.subscriptions.codec import maybe_term


def order_from_json(document: Any, party: str, channel: Channel) -> OrderRequest:
    """An order as partners send it. party: who sends it, from their credentials, never from the document.

    {"purchase_order", "order_on", "customer": {"account"|"customer"|"duns"|"name"}, "lines": [{"number", "sku",
    "quantity", "unit_price"?, "start_on"?, "buyer_sku"?, "changes"?}], "currency"?, "cost_centre"?, "contract"?,
    "ship_to_country"?}
    Refusal `invalid_input` names every field at fault.
    """
    return read(document, lambda fields: _order(fields, party, channel), "the order cannot be read")


def _order(fields: Fields, party: str, channel: Channel) -> OrderRequest:
    customer = fields.child("customer")
    references = tuple(Reference(kind, customer.text(kind.value)) for kind in ReferenceKind if customer.has(kind.value))
    customer.finish()
    request = OrderRequest(
        party=party,
        channel=channel,
        purchase_order=fields.text("purchase_order"),
        order_on=fields.day("order_on"),
        references=references,
        lines=tuple(_line(line) for line in fields.children("lines")),
        currency=fields.text("currency", ""),
        cost_centre=fields.text("cost_centre", ""),
        contract_id=fields.text("contract", ""),
        ship_to_country=fields.text("ship_to_country", ""),
    )
    fields.finish()
    return request


def _line(fields: Fields) -> RequestedLine:
    line = RequestedLine(
        fields.text("number"),
        fields.text("sku", ""),
        fields.decimal("quantity"),
        fields.maybe_decimal("unit_price"),
        fields.maybe_day("start_on"),
        fields.text("buyer_sku", ""),
        fields.text("changes", ""),
    )
    fields.finish()
    return line


def contract_from_json(document: Any, entity_id: str) -> Contract:
    """A contract as the seller's people write it down. Amounts are texts in major units of its currency.

    {"id", "account", "title", "currency", "starts_on", "ends_on"?, "value"?, "maximum"?, "prices"?: […],
    "milestones"?: […], "services"?: […], "retainage_percent"?, "purchase_order"?, "cost_centre"?}; Refusal
    `invalid_input` names every fault.
    """
    return read(document, lambda fields: _contract(fields, entity_id), "the contract cannot be read")


def _contract(fields: Fields, entity_id: str) -> Contract:
    currency = fields.text("currency")
    contract = Contract(
        id=fields.text("id"),
        account_id=fields.text("account"),
        entity_id=entity_id,
        title=fields.text("title"),
        currency=currency,
        terms=(_terms(fields, currency, "starts_on"),),
        milestones=tuple(_milestone(m, currency) for m in fields.maybe_children("milestones")),
        services=tuple(_service(s) for s in fields.maybe_children("services")),
        retainage_percent=fields.decimal("retainage_percent", ZERO),
        purchase_order=fields.text("purchase_order", ""),
        cost_centre=fields.text("cost_centre", ""),
    )
    fields.finish()
    return contract


def amendment_from_json(document: Any, currency: str) -> tuple[Terms, tuple[Milestone, ...] | None]:
    """{"effective_on", "ends_on"?, "value"?, "maximum"?, "prices"?, "milestones"?}: the terms from that day on, and the
    milestones that are planned from now on (None: as they are)."""
    return read(document, lambda fields: _amendment(fields, currency), "the amendment cannot be read")


def _amendment(fields: Fields, currency: str) -> tuple[Terms, tuple[Milestone, ...] | None]:
    terms = _terms(fields, currency, "effective_on")
    milestones = None
    if fields.has("milestones"):
        milestones = tuple(_milestone(m, currency) for m in fields.children("milestones"))
    fields.finish()
    return terms, milestones


def _terms(fields: Fields, currency: str, start: str) -> Terms:
    return Terms(
        fields.day(start),
        fields.maybe_day("ends_on"),
        tuple(_price(p) for p in fields.maybe_children("prices")),
        _minor(fields, "value", currency) or 0,
        _minor(fields, "maximum", currency),
    )


def _price(fields: Fields) -> ContractPrice:
    price = ContractPrice(
        fields.text("plan"),
        fields.decimal("unit_price"),
        fields.text("component", ""),
        fields.text("buyer_sku", ""),
        fields.maybe_decimal("most"),
        fields.choice("trigger", BillingTrigger) if fields.has("trigger") else None,
        minimum=maybe_minimum(fields),
    )
    fields.finish()
    return price


def _milestone(fields: Fields, currency: str) -> Milestone:
    milestone = Milestone(
        fields.text("id"),
        fields.texts("names"),
        _minor(fields, "amount", currency),
        fields.maybe_decimal("percent"),
        fields.maybe_day("due_on"),
        fields.text("tax_category", "standard"),
        fields.text("revenue_tag", "milestones"),
    )
    fields.finish()
    return milestone


def _service(fields: Fields) -> Service:
    service = Service(
        fields.text("id"),
        fields.text("plan"),
        fields.text("milestone"),
        fields.decimal("quantity", ONE),
        term=maybe_term(fields),
    )
    fields.finish()
    return service


def _minor(fields: Fields, name: str, currency: str) -> int | None:
    """An amount in major units, as minor units; None when it is not there."""
    value = fields.maybe_decimal(name)
    if value is None:
        return None
    try:
        return Money.parse(str(value), currency).minor
    except (Refusal, AssertionError):
        fields.problems.add(fields.at(name), "invalid_amount", f"is no amount of {currency or 'the currency'}")
        return None
