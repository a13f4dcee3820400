"""Who may come in and who must agree: colleagues, approval chains, pay links, and the mail to single people."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import date

from saldo.access.colleagues import Colleagues
from saldo.access.model import Grant, Role, User
from saldo.access.model_notices import NoticeKind, Way
from saldo.access.model_visibility import SelfService, Visibility
from saldo.access.notice_choices import ChosenNotices
from saldo.access.records import user_item
from saldo.access.records_people import write_members
from saldo.access.visibility import VisibilityRules
from saldo.audit.model import Actor
from saldo.kernel.errors import NotFound, Refusal
from saldo.payments import records_approvals
from saldo.payments.approvals import Approvals
from saldo.payments.model import Allocation
from saldo.payments.model_approvals import ApprovalPolicy, Decider, Delegation, Level
from saldo.payments.opening import Wish
from saldo.payments.pay_links import PayLinks
from saldo.payments.service import Payments
from saldo.storage.units import Unit
from tests.simulation.region import Region
from tests.simulation.workflows import invoke, messages, workflow
from tests.simulation.workflows.scenes import CLERK, account_id, billed, open_invoices

HERE = account_id(0)
ROLES = {"admin": Role.ACCOUNT_ADMIN, "payer": Role.PAYER, "one": Role.APPROVER, "two": Role.APPROVER}
POLICY = ApprovalPolicy({"EUR": (Level(0), Level(1))})


def user_id(name: str) -> str:
    return f"user_eu_{name}"


def actor(name: str) -> Actor:
    return Actor(user_id(name), "user")


def approvals(region: Region) -> Approvals:
    return Approvals(region.store, region.sealer(), region.clock)


def peopled(region: Region) -> None:
    """January is billed, and the first customer has people."""
    billed(region)
    sealer = region.sealer()
    for name, role in ROLES.items():
        grants = (Grant(HERE, role),)
        user = User(user_id(name), "org_eu_000000", f"{name}@customer.example", name.title(), "en", grants)
        unit = Unit(f"register {name}").put(user_item(user, sealer, region.now))
        region.store.write_one(write_members(unit, (), user, sealer))


@workflow("let in: change colleagues", prepare=peopled)
def change_colleagues(region: Region) -> None:
    colleagues = Colleagues(region.store, region.sealer(), region.clock)
    colleagues.change_role(HERE, user_id("payer"), Role.ACCOUNT_ADMIN, actor("admin"))
    colleagues.suspend(HERE, user_id("one"), actor("admin"))
    with suppress(NotFound):  # gone already
        colleagues.remove(HERE, user_id("admin"), actor("payer"))


def limited(region: Region) -> None:
    peopled(region)
    approvals(region).set_policy(HERE, POLICY, CLERK, "the customer's rules")


def wish(region: Region) -> Wish:
    wanted = tuple(Allocation(invoice_id, minor) for invoice_id, minor in open_invoices(region, 0))
    return Wish(HERE, wanted, actor("payer"), "form-key-1", "", "")


@workflow("approve: set the rules", prepare=peopled)
def set_rules(region: Region) -> None:
    key = records_approvals.policy_key(HERE)
    if records_approvals.policy_from(region.store.get(*key)) != POLICY:  # a person looks before doing it again
        approvals(region).set_policy(HERE, POLICY, CLERK, "the customer's rules")


@workflow("approve: a chain, then the payment", prepare=limited)
def chain(region: Region) -> None:
    asked = approvals(region).ask(wish(region))
    for name in ("one", "two"):
        with suppress(Refusal):  # has agreed already
            approvals(region).agree(HERE, asked.id, Decider(user_id(name), True), actor(name))
    payments = Payments(region.store, region.gateway, region.clock)
    approvals(region).start(payments, HERE, asked.id, actor("payer"), "http://localhost/{payment_id}")


@workflow("approve: somebody stands in, and comes back", prepare=limited)
def stand_in(region: Region) -> None:
    absence = Delegation(user_id("one"), user_id("admin"), date(2026, 1, 2), date(2026, 1, 9))
    approvals(region).stand_in(HERE, absence, actor("one"))
    approvals(region).come_back(HERE, user_id("one"), actor("one"))


def asked(region: Region) -> None:
    limited(region)
    approvals(region).ask(wish(region))


@workflow("deliver: mail to single people", prepare=asked)
def deliver_notes(region: Region) -> None:
    with region.undisturbed():
        notes = sorted(i["note_id"] for i in region.store.query_all(HERE, prefix="note#", consistent=True))
    for note_id in notes:
        detail = {"account_id": HERE, "correlation_id": note_id, "note_id": note_id}
        invoke("delivery.deliver", messages(json.dumps({"detail-type": "note.written", "detail": detail})))


def copying(region: Region) -> None:
    peopled(region)
    chosen = ChosenNotices(region.store, region.sealer(), region.clock)
    for name in ("payer", "one"):
        chosen.choose(user_id(name), {(NoticeKind.INVOICE_READY, Way.EMAIL): True}, actor(name))


@workflow("deliver: an invoice, and copies to who chose them", prepare=copying)
def deliver_copies(region: Region) -> None:
    invoice_id, _ = open_invoices(region, 0)[0]
    detail = {"account_id": HERE, "correlation_id": invoice_id, "invoice_id": invoice_id}
    invoke("delivery.deliver", messages(json.dumps({"detail-type": "invoice.issued", "detail": detail})))


def linking(region: Region) -> None:
    peopled(region)
    everything = Visibility(actions=frozenset(SelfService))
    VisibilityRules(region.store, region.clock).set(HERE, everything, CLERK, "asked for")


@workflow("pay: by a link, which is then revoked", prepare=linking)
def by_link(region: Region) -> None:
    links = PayLinks(region.store, region.sealer(), region.clock)
    invoice_id, _ = open_invoices(region, 0)[0]
    token = links.token(HERE, invoice_id)
    if token:  # not revoked yet
        links.note_opened(links.look(token), Actor("pay_link", "link"))
    links.revoke(HERE, invoice_id, actor("admin"))
