"""One seller's world in every state of `world.py`, as its pages are walked through (test_every_page.py).

Readers are admins of all accounts, one a language; staff read as two people, since no one may have every role. A page
that needs a record of its own gets it here, or in `handed_in.py`, once, for every account.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from functions.portal import services
from functions.portal.words import LANGUAGES
from local.gateway.book import Book
from local.gateway.methods import CARDS
from saldo.access.model import Grant, Role, User
from saldo.access.model_passkeys import Passkey
from saldo.access.model_staff import Staff, StaffPerson, StaffRole
from saldo.access.model_visibility import SelfService, Visibility
from saldo.access.records_passkeys import passkey_item
from saldo.access.visibility import VisibilityRules
from saldo.accounts.model import Account
from saldo.accounts.records import account_from
from saldo.audit.model import Actor, job
from saldo.autopay.model import Rule
from saldo.catalog.model import PerUnit, Plan, PlanVersion, Product
from saldo.catalog.service import Catalog
from saldo.disputes.model import DisputeReason
from saldo.disputes.service import Wish as DisputeWish
from saldo.invoicing.approvals import approval_key, decision
from saldo.invoicing.listing import InvoiceRow
from saldo.invoicing.reading import open_rows
from saldo.invoicing.run.model import Attempt, RunState
from saldo.invoicing.run.records import attempt_item, listing_item
from saldo.orders.model_orders import Reference, ReferenceKind
from saldo.orders.service import Orders
from saldo.payments.model import Allocation
from saldo.payments.model_approvals import ApprovalPolicy, Level
from saldo.payments.opening import Wish
from saldo.payments.records_methods import methods_of
from saldo.payments.service import Payments
from saldo.payments.webhooks import event_from
from saldo.storage.store import Store
from saldo.subscriptions.model import Alignment
from saldo.subscriptions.records import subscription_item
from saldo.subscriptions.rules import billed, subscribe
from saldo.support.model import Topic
from saldo.support.service import Question, Support
from saldo.tax.own_rates import SellerTaxes
from saldo.usage.service import Usage
from tests.contexts.orders.scenes import BUYER, PARTY, SEATS, SETUP, line, request
from tests.contexts.sellers import CLERK, ENTITY, account, profile
from tests.contexts.usage.billing import usage_plan
from tests.contexts.usage.scenes import CALLS, TOKENS, row
from tests.functions.portal import scenes
from tests.functions.portal.browser import Browser
from tests.functions.portal.conftest import SECRET_32, Portal
from tests.functions.portal.identity import totp
from tests.web import handed_in
from tests.web.world import EMPTY, LONG, LONG_TEXTS, MANY, MANY_TEXTS, STATES, USUAL, USUAL_TEXTS, Texts, World

NOVEMBER, LASTING = date(2026, 11, 1), date(2030, 4, 30)
R = StaffRole
DESKS = {"desk": (R.SUPPORT, R.COLLECTOR, R.AR_ANALYST), "office": (R.ADMINISTRATOR,)}


def tell(portal: Portal, environment: Any) -> World:
    """Everything, in some seconds of work. `environment` takes setattr, as that of `conftest.build`."""
    world = World(portal)
    # The gateway's own book behind the port, so that what is stored there is charged there.
    environment.setattr(services, "payments", lambda: Payments(services.store(), portal.region.gateway, portal.clock))
    _accounts(portal)
    sold(portal)
    _readers(world)
    for account_id, texts in ((USUAL, USUAL_TEXTS), (LONG, LONG_TEXTS), (MANY, MANY_TEXTS)):
        for part in (
            sees_all,
            _invoices,
            subscribed,
            used,
            _orders,
            _pays,
            _asks,
            _disputes,
            _people,
            *handed_in.PARTS,
        ):
            part(world, account_id, texts)
    handed_in.papers(world)
    handed_in.differences(world)
    _sign_in(world)
    _seller(world)
    _links(world)
    return world


def _accounts(portal: Portal) -> None:
    for account_id, texts in ((LONG, LONG_TEXTS), (MANY, MANY_TEXTS)):
        _open(portal, account(account_id, organisation_id=scenes.ORGANISATION, name=texts.company), texts)
    nobody = account(EMPTY, organisation_id=scenes.ORGANISATION, name="Neu GmbH", entity_id=scenes.OTHER_ENTITY)
    _open(portal, nobody, USUAL_TEXTS)


def _open(portal: Portal, one: Account, texts: Texts) -> None:
    own = replace(profile(one.id), legal_name=texts.company, contact_name=texts.person, emails=(texts.email,))
    portal.accounts.open_account(one, own, CLERK)


def sold(portal: Portal) -> None:
    """What the seller sells: plans that are ordered, and a metered one; and a tax that it says itself."""
    catalog, usage = Catalog(services.store(), portal.clock), Usage(services.store(), portal.clock)
    metered = _metered()
    for version, name in (
        (SEATS, "Arbeitsplätze"),
        (SETUP, "Einrichtung"),
        (metered, "Team monthly"),
        (_fixed(), "Firm"),
    ):
        product = f"prod_{version.plan_id}"
        catalog.offer_product(Product(product, ENTITY, {"en": name}), CLERK)
        catalog.offer_plan(Plan(version.plan_id, product, ENTITY, {"en": name}), CLERK)
        catalog.publish(ENTITY, version, CLERK)
    for meter in (TOKENS, CALLS):
        usage.define_meter(meter, CLERK)
    gst = {"country": "CA", "name": "GST", "percent": "5", "from_on": "2026-01-01"}
    SellerTaxes(services.store(), portal.clock).put(ENTITY, {"rates": [gst]}, CLERK, "Kanada ab Januar")


def _metered() -> PlanVersion:
    from tests.functions.portal.test_subscriptions import TEAM

    metered = usage_plan((TOKENS.id, PerUnit(Decimal("0.50"))), (CALLS.id, PerUnit(Decimal(2))))
    return replace(metered, components=(*TEAM.components, *metered.components))


def _fixed() -> PlanVersion:
    from tests.functions.portal.test_subscriptions import FIRM

    return FIRM


def _readers(world: World) -> None:
    """In each language an admin of all accounts who signs in with a code."""
    grants = tuple(Grant(a, Role.ACCOUNT_ADMIN) for a in STATES.values())
    for language in LANGUAGES:
        email = f"{language}@kontor.example"
        user = User("", scenes.ORGANISATION, email, f"Rike Lesser {language.upper()}", language, grants, has_totp=True)
        made = world.portal.access.enrol(user, scenes.PASSWORD, job("tests"))
        world.portal.identity.people[email].secret = SECRET_32
        own = Passkey(made.id, f"pk{language}", scenes.ORGANISATION, "My notebook", b"key", 0, True, scenes.NOW)
        services.store().put_many([passkey_item(own, services.sealer())])
        handed_in.views(made.id)


def _sign_in(world: World) -> None:
    """When all is told: what an account's people may do is part of their sessions."""
    for language in LANGUAGES:
        world.browsers["customer", language] = _signed_in(world.portal, f"{language}@kontor.example")
        for who, roles in DESKS.items():
            world.browsers[who, language] = _staff_in(world.portal, who, language, roles)


def _signed_in(portal: Portal, email: str) -> Browser:
    browser = portal.browser()
    browser.sign_in(email, scenes.PASSWORD)
    asked = browser.page.hidden() if browser.page else {}
    answer = browser.post("/sign-in/answer", {**asked, "reply": portal.code()}, key=False)
    assert answer.status == 303, answer.text
    return browser


def _staff_in(portal: Portal, who: str, language: str, roles: tuple[StaffRole, ...]) -> Browser:
    member = StaffPerson(f"{who}.{language}@rechenwerk.example", f"{who.title()} {language.upper()}")
    posts = tuple(p for e in (ENTITY, scenes.OTHER_ENTITY) for p in scenes.posts(*roles, entity_id=e))
    portal.staff.enrol(Staff("", language, posts, scenes.NOW), member, scenes.PASSWORD, job("tests"))
    browser = portal.browser()
    form = browser.get("/staff/sign-in").hidden()
    asked = browser.post("/staff/sign-in", {**form, "email": member.email, "password": scenes.PASSWORD}, key=False)
    hidden = asked.hidden()
    reply = totp(hidden["secret"], portal.clock().timestamp())
    answer = browser.post("/staff/sign-in/answer", {**hidden, "reply": reply}, key=False)
    assert answer.status == 303, answer.text
    return browser


def sees_all(world: World, account_id: str, _texts: Texts) -> None:
    rules = VisibilityRules(services.store(), world.portal.clock)
    rules.set(account_id, Visibility(actions=frozenset(SelfService)), CLERK, "asked for by the customer")


def _invoices(world: World, account_id: str, texts: Texts) -> None:
    """As many as of everything else; half of them paid. Kontor Nord has a year of its own."""
    if account_id == USUAL:
        return
    for n in range(max(6, texts.times + 10)):
        header = scenes.invoice(
            services.store(), account_id, scenes.TODAY - timedelta(days=n), texts.largest_minor - n, 14
        )
        if n % 2:
            scenes.pay(services.store(), header, None, scenes.TODAY, 0 if n % 4 == 1 else header.total_minor // 3)


def subscribed(world: World, account_id: str, texts: Texts) -> None:
    """One of a plan that is metered, others of one that is not: no two may count by the same meter."""
    for n in range(max(2, texts.times)):
        version = _fixed() if n else _metered()
        begun = subscribe(
            f"sub_{account_id[8:]}{n}", account_id=account_id, entity_id=ENTITY, plan_version=version,
            started_on=NOVEMBER, alignment=Alignment.CALENDAR, quantities={"seats": Decimal(5)},
        )  # fmt: skip
        services.store().put_many([subscription_item(billed(begun, version, NOVEMBER))])


def used(world: World, account_id: str, texts: Texts) -> None:
    usage = Usage(services.store(), world.portal.clock)
    value = str(texts.largest_minor)
    report = usage.ingest(ENTITY, [row(1, account_id=account_id, value=value)], origin=f"of {account_id}")
    assert report.accepted == 1, report
    usage.ingest(ENTITY, [row(2, account_id=account_id, value="many")], origin=f"wrong of {account_id}")


def _orders(world: World, account_id: str, texts: Texts) -> None:
    orders = Orders(services.store(), world.portal.clock)
    orders.set_policy(account_id, CLERK, trusted=frozenset({PARTY}))
    named = (Reference(ReferenceKind.ACCOUNT, account_id),)
    for n in range(texts.times):
        asked = request(line(), line("2", "plan_setup", 1), references=named, order_on=scenes.TODAY)
        party = PARTY if n % 2 == 0 else "api:stranger"
        orders.receive(ENTITY, replace(asked, party=party, purchase_order=f"{texts.order[:56]}-{n}"), BUYER)
    waits = replace(request(line(), references=named, order_on=scenes.TODAY), party="api:stranger")
    orders.receive(ENTITY, replace(waits, purchase_order=texts.order[:60]), BUYER)


def _pays(world: World, account_id: str, texts: Texts) -> None:
    """Methods, a rule with an announced debit, payments of later days, and one that others must agree to."""
    payments, admin = services.payments(), world.admin
    for n, (card, until) in enumerate(((0, LASTING), (1, date(2026, 12, 10)))):
        made = payments.methods.begin(account_id, admin, f"method {n} of {account_id}", "http://localhost/back")
        world.portal.region.book.save(made.url.rpartition("/")[2], "card", CARDS[card], scenes.NOW, expires_on=until)
    hear(world.portal.region.book, scenes.NOW)
    services.autopay().set_rule(Rule(account_id, ENTITY, "EUR", cap_minor=texts.largest_minor, version=0), admin)
    method = next(m.id for m in methods_of(services.store(), account_id).active if m.expires_on == LASTING)
    rows = sorted(open_rows(services.store(), account_id), key=lambda r: r.open_minor)
    for n in range(min(texts.times, len(rows))):
        services.scheduled().schedule(
            _wish(world, account_id, rows[n], f"later {n}", method), scenes.TODAY + timedelta(days=n % 40 + 1)
        )
    services.autopay().run(ENTITY, scenes.TODAY, "http://localhost/{account_id}/{payment_id}")
    policy = ApprovalPolicy({"EUR": (Level(0), Level(1_000_000))})
    services.approvals().set_policy(account_id, policy, world.clerk(), "the customer's procurement rules")
    for n in range(texts.times):
        services.approvals().ask(_wish(world, account_id, rows[n % len(rows)], f"approval {n}"))


def _wish(world: World, account_id: str, owed: InvoiceRow, key: str, method: str = "") -> Wish:
    whole = (Allocation(owed.invoice_id, owed.open_minor, owed.number),)
    return Wish(
        account_id, whole, Actor(world.portal.user_id("payer"), "user"), f"form of {key}", "", "", method_id=method
    )


def hear(book: Book, now: datetime) -> None:
    """What the gateway has to tell."""
    for delivery in book.due_deliveries(now, 1000):
        book.delivered(delivery, now, None)
        services.payments().handle_event(event_from(delivery.body))


def _asks(world: World, account_id: str, texts: Texts) -> None:
    desk = Support(services.store(), services.sealer(), services.clock)
    for n in range(texts.times):
        ticket_id = f"tkt_{n:03d}{account_id[8:]}"
        about = f"/accounts/{account_id}/invoices"
        desk.ask(account_id, Question(ticket_id, Topic.INVOICE, texts.subject, texts.words, about), world.admin)
        if n % 3 == 0:
            desk.write(account_id, ticket_id, texts.words, world.clerk(), by_staff=True, seen=1)


def _disputes(world: World, account_id: str, texts: Texts) -> None:
    disputes = services.disputes(services.store())
    for n, owed in enumerate(open_rows(services.store(), account_id)[: max(2, texts.times)]):
        minor = max(1, owed.open_minor // 2)
        wish = DisputeWish(account_id, owed.invoice_id, DisputeReason.PRICE, texts.words[:1900], f"dispute {n}",
                           world.admin, amount_minor=minor)  # fmt: skip
        made = disputes.open(wish)
        if n % 2 == 0:
            disputes.refuse(account_id, made.id, made.revision, texts.words[:900], world.clerk())


def _people(world: World, account_id: str, texts: Texts) -> None:
    services.colleagues().invite(account_id, texts.email, texts.person, Role.PAYER, "de", world.admin)
    services.acting().grant(account_id, 8, world.admin)
    for n in range(texts.times if texts.times > 1 else 0):
        many = User(
            "", scenes.ORGANISATION, f"p{n}@kontor.example", f"Person {n}", "de", (Grant(account_id, Role.VIEWER),)
        )
        world.portal.access.enrol(many, scenes.PASSWORD, job("tests"))


def _seller(world: World) -> None:
    """Runs, a draft that is looked at before it is issued, and a credit that waits for a second person."""
    store = services.store()
    for n, state in enumerate((RunState.CLOSED, RunState.FAILED)):
        on = NOVEMBER + timedelta(days=n)
        run = Attempt(
            f"run_{ENTITY.removeprefix('ent_')}_{on}", 1, ENTITY, on, state, "p1", 12_345, False,
            "2026-11-01T04:00:00.000Z", "2026-11-01T04:09:00.000Z", invoices=12_340, set_aside=5,
            totals={"EUR": 1_234_567_890}, first_number="RW-2026-000001", last_number="RW-2026-012340",
        )  # fmt: skip
        store.put_many([attempt_item(run), listing_item(run)])
    _drafts(store, run)
    for language in LANGUAGES:
        _proposes(world.browsers["desk", language], USUAL)


def _drafts(store: Store, run: Attempt) -> None:
    for account_id in (USUAL, LONG, MANY):
        item = store.get(account_id, "account")
        assert item is not None
        found = account_from(item)
        body = scenes.body_of(scenes.header_of(account_id, scenes.TODAY, 4_711_00, 14))
        decision(store, run, replace(found, terms=replace(found.terms, review=True)), [body])
        assert store.get(*approval_key(account_id))


def _proposes(clerk: Browser, account_id: str) -> None:
    """A credit that is too large for one."""
    owed = max(open_rows(services.store(), account_id), key=lambda r: r.open_minor)
    invoice = f"/staff/{ENTITY}/accounts/{account_id}/invoices/{owed.invoice_id}"
    clerk.get(invoice)
    asked = {"reason": "price", "amount": "2000.00", "why": "agreed by phone"}
    checked = clerk.post(f"{invoice}/credit/check", asked)
    clerk.post(f"{invoice}/credit", {k: v for k, v in checked.hidden().items() if k != "form_key"})


def _links(world: World) -> None:
    """Pages that only a mail leads to."""
    (letter, *_) = world.portal.mail("invitation")
    owed = max(open_rows(services.store(), USUAL), key=lambda r: r.open_minor)
    token = services.pay_links().token(USUAL, owed.invoice_id)
    world.paths = {
        "/invitation/{token}": re.sub(r"^https?://[^/]+", "", letter.url),
        "/pay/{token}": f"/pay/{token}",
        "/sign-in/link/{token}": "/sign-in/link/none",
        "/unsubscribe/{token}": handed_in.stop_link(world),
    }
