"""Books that do not agree, taxes, orders and interest; documents, payments and events that do not come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from infra.cdk import functions as specs
from saldo.storage.units import Unit
from tests.infra.cloud import Cloud, always_fails
from tests.infra.going_wrong import goes_wrong
from tests.simulation.portal import picture, stream
from tests.simulation.region import ENTITY_ID
from tests.simulation.workflows import invoke, messages
from tests.simulation.workflows import scenes as s
from tests.simulation.workflows.payments import paid_at_the_gateway

# What Scheduler asks of a daily function, as of now.
DAY = {"entity_id": ENTITY_ID, "as_of": ""}


def _look_into_the_books(cloud: Cloud) -> None:
    from functions.operations import check_invariants

    cloud.run(specs.CHECK_INVARIANTS, lambda: check_invariants.handler({}, None))


def _bend(cloud: Cloud, kind: str, change: Callable[[Any], Any]) -> None:
    item = next(i for i in cloud.region.store.scan() if i["kind"] == kind and i.get("number", True))
    cloud.region.store.write_one(Unit("bend").put({**item, **change(item)}))


@goes_wrong("a balance is changed by hand")
def unexplained(cloud: Cloud) -> None:
    s.billed(cloud.region)
    _bend(cloud, "balance", lambda item: {"EUR receivables": item["EUR receivables"] + 1})
    _look_into_the_books(cloud)


@goes_wrong("an invoice is deleted from the middle of a series")
def gap(cloud: Cloud) -> None:
    s.billed(cloud.region)
    issued = [i for i in cloud.region.store.scan() if i["kind"] == "invoice" and i["number"]]
    middle = sorted(issued, key=lambda i: i["sequence"])[1]
    cloud.region.store.write_one(Unit("drop").delete((middle["pk"], middle["sk"])))
    _look_into_the_books(cloud)


@goes_wrong("a payout was of another amount than its payment")
def clearing(cloud: Cloud) -> None:
    paid_at_the_gateway(cloud.region)
    with cloud.hosting():
        invoke("payments.gateway_events", messages(*(body for _, body in cloud.region.queues.waiting)))
    for item in list(cloud.region.store.scan()):
        if item["kind"] == "entry" and item["entry_kind"] == "payout_received":
            legs = [leg | {"minor": leg["minor"] + (1 if leg["minor"] > 0 else -1)} for leg in item["postings"]]
            cloud.region.store.write_one(Unit("bend").put(item | {"postings": legs}))
    with cloud.hosting():  # somebody always pays
        s.bill(cloud.region, s.MAR)
        s.pay(cloud.region, 0, "form-key-2")
    _look_into_the_books(cloud)


@goes_wrong("an audit record is edited after it was linked")
def chain(cloud: Cloud) -> None:
    from functions.audit import anchor, link

    region = cloud.region
    s.billed(region)
    before = picture(region)
    news = [n for n in stream({}, before) if n["dynamodb"]["NewImage"]["kind"]["S"] == "audit"]
    cloud.run(specs.LINK_AUDIT, lambda: link.handler({"Records": news}, None))
    linked = picture(region)
    item = next(i for i in region.store.scan() if i["kind"] == "audit" and i["pk"] == s.account_id(0))
    region.store.write_one(Unit("bend").put(item | {"reason": "never happened"}))
    changed = [n for n in stream(linked, picture(region)) if n["dynamodb"]["NewImage"]["kind"]["S"] == "audit"]
    cloud.run(specs.LINK_AUDIT, lambda: link.handler({"Records": changed}, None))
    region.now += timedelta(hours=20)
    cloud.run(specs.ANCHOR_AUDIT, lambda: anchor.handler({}, None))


@goes_wrong("the tax service is silent, while a run bills and when it is asked again")
def untaxed(cloud: Cloud) -> None:
    from tests.simulation.workflows import taxes

    with cloud.hosting():
        taxes.in_new_york(cloud.region, silent=True)

        def silent(number: int, operation: str, when: str) -> None:
            if operation in ("RateTax", "RecordTax"):
                always_fails(number, operation, when)

        cloud.region.wire.fault = silent
        invoke("tax.true_up_tax", DAY)


@goes_wrong("a partner's file has the wrong prices")
def held(cloud: Cloud) -> None:
    from functions.events import publish
    from tests.simulation.workflows import orders

    orders.seller(cloud.region)
    before = picture(cloud.region)
    for n in range(25):
        orders._receive(cloud.region, replace(orders.DEAR, purchase_order=f"PO-{n}"), key=f"k-{n}")
    told = [n for n in stream(before, picture(cloud.region)) if n["dynamodb"]["Keys"]["sk"]["S"].startswith("order#")]
    cloud.run(specs.PUBLISH_EVENTS, lambda: publish.handler({"Records": told}, None))


@goes_wrong("nobody has put a new year's reference rate on record")
def no_rate(cloud: Cloud) -> None:
    from functions.collections import assess_late_charges
    from tests.simulation.workflows import corrections

    corrections.late(cloud.region)
    cloud.region.now += timedelta(days=5 * 365)
    cloud.run(specs.ASSESS_LATE_CHARGES, lambda: assess_late_charges.handler(DAY, None))


@goes_wrong("documents cannot be made or sent")
def no_documents(cloud: Cloud) -> None:
    s.billed(cloud.region)
    from functions.delivery import deliver
    from functions.documents import render
    from tests.simulation.workflows.papers import _first_invoice, _told

    invoice = _first_invoice(cloud.region)
    asked = {"account_id": s.account_id(0), "invoice_id": invoice}
    letter = messages(_told("invoice.issued", "invoice_id", invoice))
    for _ in range(3):
        cloud.run(specs.DOCUMENTS, lambda: render.handler(asked, None), always_fails)
        cloud.run(specs.DELIVERY, lambda: deliver.handler(letter, None), always_fails)


@goes_wrong("the gateway's news lie on the queue for a day")
def late_news(cloud: Cloud) -> None:
    paid_at_the_gateway(cloud.region)
    cloud.region.now += timedelta(days=1)
    with cloud.hosting():
        invoke("payments.gateway_events", messages(*(body for _, body in cloud.region.queues.waiting)))


@goes_wrong("the stream is read an hour late")
def late_events(cloud: Cloud) -> None:
    from functions.events import publish

    s.billed(cloud.region)
    news = stream({}, picture(cloud.region))
    cloud.region.now += timedelta(hours=1)
    cloud.run(specs.PUBLISH_EVENTS, lambda: publish.handler({"Records": news}, None))


@goes_wrong("every card is declined on the day of the debits")
def declined(cloud: Cloud) -> None:
    from functions.payments import collect
    from tests.simulation.workflows import paying

    region = cloud.region
    s.founded(region, customers=5)
    s.bill(region, s.JAN)
    for n in range(5):
        paying.can_only_store_a_card(region, n)
    paying.hear(region)
    for n in range(5):
        paying.autopay(region).set_rule(paying.rule(region, n), s.CLERK)
    for on in (paying.ANNOUNCED_ON, paying.DEBIT_ON):
        paying.collect(region, on)
        paying.told(region)
    asked = {"entity_id": paying.ENTITY_ID, "as_of": (paying.DEBIT_ON + timedelta(days=1)).isoformat()}
    cloud.run(specs.COLLECT_PAYMENTS, lambda: collect.handler(asked, None))


@goes_wrong("a program is handed in as evidence")
def harmful(cloud: Cloud) -> None:
    from functions.uploads import examine
    from saldo.uploads.known_harm import EICAR
    from tests.simulation.workflows import uploads

    uploads.peopled(cloud.region)
    uploads.came(cloud.region, uploads.uploads(cloud.region).ask(uploads.wish()), EICAR)
    cloud.run(specs.EXAMINE_UPLOADS, lambda: examine.handler(uploads.told(cloud.region), None))
