"""From a quote's JSON document to the request it makes: every fault is named, all at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any  # parsed JSON is of any shape until it is read

from saldo.accounts.model import Account, Address, Exemption, InvoiceSplit, LegalEntity, TaxStatus
from saldo.accounts.reading import days_from
from saldo.accounts.reading_payment_terms import payment_terms_of
from saldo.accounts.rules import exemption_problems
from saldo.catalog.model import PlanVersion
from saldo.kernel.errors import Refusal
from saldo.kernel.exact import ONE, ZERO
from saldo.kernel.periods import Period, local_date, zone_named
from saldo.kernel.reading import Fields, read
from saldo.orders.model import Item
from saldo.quotes.model import BillingDays, DatedItem, LateChange, QuoteRequest
from saldo.quotes.reading_names import check_names
from saldo.quotes.reading_options import options_from, wallet_from
from saldo.quotes.reading_plans import plans_from
from saldo.quotes.reading_prices import prices_from
from saldo.quotes.reading_receivables import exchange_from, receivables_from
from saldo.quotes.reading_subscriptions import subscription_from
from saldo.quotes.reading_tax import tax_from
from saldo.quotes.reading_usage import usage_from
from saldo.subscriptions.model import Subscription
from saldo.subscriptions.reading import check_day
from saldo.tax.reading import country_from

_CURRENCY = re.compile(r"[A-Z]{3}")
_COUNTRY = "DE"
_ALL = Decimal(100)
_MOST_DAYS = 3660


def request_from(document: Any) -> QuoteRequest:
    """The request that a document makes; Refusal `invalid_input` naming every field that is wrong."""
    return read(document, _request, "the quote cannot be read")


def _request(document: Fields) -> QuoteRequest:
    document.text("$schema", "")
    currency = document.text("currency", "EUR")
    if not _CURRENCY.fullmatch(currency):
        document.problems.add("currency", "invalid_currency", "must be an ISO 4217 code such as EUR")
        currency = "EUR"
    account_fields = document.maybe_child("account")
    country = country_from(account_fields, _COUNTRY)
    taxes, seller = tax_from(document, country, currency), document.maybe_child("seller")
    entity = _entity(seller, country, currency)
    prices, account = prices_from(document, _account(account_fields, entity, country, currency))
    if not seller.has("tax_registrations"):
        entity = replace(entity, tax_registrations=dict.fromkeys(taxes.charged_by(entity.country, account), ""))
    versions = plans_from(document, currency)
    sold, late = _subscriptions(document, account, versions)
    exchange = exchange_from(document.maybe_child("exchange"), currency)
    asked = None
    if document.has("receivables"):
        asked, agreed = receivables_from(document.child("receivables"), currency, exchange)
        discounts, in_part = agreed.early_discounts, agreed.early_in_part
        account = replace(account, terms=replace(account.terms, early_discounts=discounts, early_in_part=in_part))
    request = QuoteRequest(
        entity=entity,
        account=account,
        days=_days(document.child("billing"), account.time_zone),
        versions=versions,
        subscriptions=sold,
        changes=late,
        usage=usage_from(document.maybe_child("usage"), account.id),
        items=tuple(_item(fields, n) for n, fields in enumerate(document.maybe_children("items"), 1)),
        tax=taxes.table,
        options=replace(
            options_from(document.maybe_child("options"), currency), tax_rounding=taxes.rounding, tax_mode=taxes.mode
        ),
        wallet=wallet_from(document, currency),
        exchange=exchange,
        prices=prices,
        receivables=asked,
    )
    document.finish()
    check_names(document, request)
    return request


def _entity(fields: Fields, country: str, currency: str) -> LegalEntity:
    """The seller; where it does not say otherwise, it sits in the buyer's country."""
    registrations, registered = _registrations(fields)
    sits_in = country_from(fields, country)
    entity = LegalEntity(
        id="ent_quote",
        name=fields.text("name", "Seller"),
        country=sits_in,
        region=fields.text("region", ""),
        time_zone="UTC",
        currency=currency,
        number_prefix="",
        tax_registrations=dict.fromkeys(registrations, ""),
        registered=registered,
        address=Address((), "", "", sits_in),
        bank_name="",
        iban="",
        bic="",
        email="",
    )
    fields.finish()
    return entity


def _registrations(fields: Fields) -> tuple[list[str], dict[str, Period]]:
    """Places, each as text or as {"place", "from_on"?, "until_on"?}, and the days of those that have some."""
    if not fields.has("tax_registrations"):
        return [], {}
    places: list[str] = []
    registered: dict[str, Period] = {}
    for told in fields.texts_or_children("tax_registrations"):
        place = told if isinstance(told, str) else told.text("place")
        places.append(place)
        if isinstance(told, Fields):
            if days := days_from(told):
                registered[place] = days
            told.finish()
    return places, registered


def _account(fields: Fields, entity: LegalEntity, country: str, currency: str) -> Account:
    account = Account(
        id="acct_quote",
        organisation_id="org_quote",
        entity_id=entity.id,
        name=fields.text("name", "Buyer"),
        currency=currency,
        time_zone=_zone(fields),
        country=country,
        tax_region=fields.text("region", ""),
        tax_status=fields.choice("tax_status", TaxStatus, TaxStatus.BUSINESS),
        has_tax_id=fields.flag("has_tax_id", False),
        language=fields.text("language", "en"),
        payment_terms=payment_terms_of(fields, _MOST_DAYS),
        profile_version=1,
        deliver_by_email=False,
        invoice_split=fields.choice("invoice_split", InvoiceSplit, InvoiceSplit.NONE),
        exemptions=tuple(_exemption(child, n) for n, child in enumerate(fields.maybe_children("exemptions"), 1)),
    )
    fields.finish()
    return account


def _exemption(fields: Fields, n: int) -> Exemption:
    """A certificate by which the buyer pays no tax of a jurisdiction, or none on a part."""
    exemption = Exemption(
        id=f"exemption_{n}",
        jurisdictions=frozenset(fields.text_list("jurisdictions")),
        categories=frozenset(fields.text_list("categories")),
        from_on=fields.maybe_day("from_on") or date.min,
        until_on=fields.maybe_day("until_on") or date.max,
        percent=fields.decimal("percent", _ALL),
        taxes=frozenset(fields.text_list("taxes")),
    )
    fields.note(exemption_problems(exemption))
    fields.finish()
    return exemption


def _zone(fields: Fields) -> str:
    name = fields.text("time_zone", "UTC")
    try:
        zone_named(name)
    except Refusal as refusal:
        fields.problems.add(fields.at("time_zone"), refusal.code, refusal.message)
        return "UTC"
    return name


_WAYS = ("on", "dates", "at", "from")


def _days(fields: Fields, zone: str) -> BillingDays:
    """`on`: one run; `dates`: several; `at`: at moments, each on the day it is then for the account; `from` and
    `through`: every day on which something falls due."""
    fields.one_of(*_WAYS)
    if fields.has("on"):
        days = BillingDays((fields.day("on"),))
    elif fields.has("at"):
        days = BillingDays(tuple(local_date(at, zone) for at in fields.instants("at")))
    elif fields.has("dates"):
        days = BillingDays(fields.days("dates"))
    else:
        days = BillingDays((), fields.day("from"), fields.day("through"))
        if fields.has("from") and fields.has("through") and days.last_on < days.first_on:
            fields.problems.add(fields.at("through"), "before_from", "must not be before `from`")
        for name, day in (("from", days.first_on), ("through", days.last_on)):
            check_day(fields, name, day)
    way = next((name for name in _WAYS if fields.has(name)), "from")
    for n, day in enumerate(() if fields.is_faulty(way) else days.runs):
        check_day(fields, way if way == "on" else f"{way}[{n}]", day)
    fields.has("through")
    fields.finish()
    return days


def _subscriptions(
    document: Fields, account: Account, versions: Mapping[str, PlanVersion]
) -> tuple[tuple[Subscription, ...], tuple[LateChange, ...]]:
    found: dict[str, Subscription] = {}
    late: list[LateChange] = []
    for n, fields in enumerate(document.maybe_children("subscriptions"), 1):
        subscription, changes = subscription_from(fields, f"sub_{n}", account, versions)
        if subscription.id in found:
            document.problems.add(fields.at("id"), "not_unique", f"{subscription.id!r} is there twice")
        found[subscription.id] = subscription
        late += changes
    return tuple(found.values()), tuple(late)


def _item(fields: Fields, n: int) -> DatedItem:
    item_id = fields.text("id", f"item_{n}")
    item = Item(
        id=item_id,
        names=fields.texts("names") or {"en": item_id},
        unit_price=fields.decimal("unit_price", ZERO),
        quantity=fields.decimal("quantity", ONE),
        tax_category=fields.text("tax_category", "standard"),
        revenue_tag=fields.text("revenue_tag", "items"),
        inclusive=fields.flag("tax_inclusive", False),
        price_per=fields.integer("price_per", 1),
        supplied_on=fields.maybe_day("supplied_on"),
        purchase_order=fields.text("purchase_order", ""),
        cost_centre=fields.text("cost_centre", ""),
    )
    if item.price_per < 1:
        fields.problems.add(fields.at("price_per"), "below_one", "a price is of one unit or more")
    dated = DatedItem(item, fields.maybe_day("on"))
    fields.finish()
    return dated
