"""`saldo account visibility` and `saldo account approvals`: what people see of an account, and who agrees to pay."""

from __future__ import annotations

from typing import Any

import click

from local.cli.accounts import account_group, staff
from local.cli.site import Sites, sealer_of, store_of
from local.cli.voice import Voice, facts, speaks_json, table
from saldo.access.model_visibility import USUAL_ACTIONS, Document, SelfService, Visibility
from saldo.access.visibility import VisibilityRules
from saldo.kernel.clock import system_clock
from saldo.kernel.errors import Refusal
from saldo.kernel.money import Money
from saldo.payments import records_approvals
from saldo.payments.approvals import Approvals
from saldo.payments.model_approvals import ApprovalPolicy, Level


@account_group.command(name="visibility")
@click.argument("account_id")
@click.option("--usual", is_flag=True, help="Everything again, as every account begins.")
@click.option("--open-only", is_flag=True, help="Only what is owed.")
@click.option("--months", type=int, default=0, help="Settled things of so many months back; 0: all.")
@click.option("--document", multiple=True, type=click.Choice([d.value for d in Document]), help="Named: only these.")
@click.option("--action", multiple=True, type=click.Choice([a.value for a in SelfService]), help="Named: only these.")
@click.option("--reason", default="")
@click.pass_obj
@speaks_json
def visibility(sites: Sites, voice: Voice, account_id: str, reason: str, **asked: Any) -> None:
    """What an account's people see and do themselves; without options it is shown. Setting it ends their sessions."""
    rules = VisibilityRules(store_of(sites.of(account_id)), system_clock)
    if any(asked.values()):
        wanted = Visibility(
            asked["open_only"],
            asked["months"],
            frozenset(map(Document, asked["document"])) or frozenset(Document),
            frozenset(map(SelfService, asked["action"])) or USUAL_ACTIONS,
        )
        if asked["usual"] and wanted != Visibility():
            raise Refusal("invalid_input", "say either --usual or what is to be seen")
        rules.set(account_id, wanted, staff(), reason)
    now = rules.of(account_id)
    document: dict[str, Any] = {"account_id": account_id, "open_only": now.open_only, "months": now.months}
    document |= {"documents": sorted(now.documents), "actions": sorted(now.actions)}
    voice.answer(document, lambda console: console.print(facts(document)))


@account_group.command(name="approvals")
@click.argument("account_id")
@click.option("--level", multiple=True, metavar="AMOUNT CURRENCY[:USER,…]", help="One more person above this amount.")
@click.option("--none", "nobody", is_flag=True, help="Payments need nobody's approval.")
@click.option("--reason", default="")
@click.pass_obj
@speaks_json
def approvals(sites: Sites, voice: Voice, account_id: str, level: tuple[str, ...], nobody: bool, reason: str) -> None:
    """Who must agree before a payment of this account starts; without options it is shown."""
    site = sites.of(account_id)
    store = store_of(site)
    if level or nobody:
        if not reason.strip():
            raise Refusal("reason_required", "say at whose wish")
        use_case = Approvals(store, sealer_of(site), system_clock)
        use_case.set_policy(account_id, ApprovalPolicy({} if nobody else _levels(level)), staff(), reason)
    policy = records_approvals.policy_from(store.get(*records_approvals.policy_key(account_id)))
    found: list[dict[str, Any]] = [
        {"currency": currency, "above_minor": one.above_minor, "approvers": list(one.approvers)}
        for currency, levels in (policy.levels if policy else {}).items()
        for one in levels
    ]
    rows = [(str(Money(f["above_minor"], f["currency"])), ", ".join(f["approvers"]) or "any approver") for f in found]
    document = {"account_id": account_id, "levels": found}
    voice.answer(document, lambda console: console.print(table("above", "who agrees", rows=rows)))


def _levels(texts: tuple[str, ...]) -> dict[str, tuple[Level, ...]]:
    """`10000.00 EUR`, or `10000.00 EUR:user_eu_a,user_eu_b`."""
    found: dict[str, tuple[Level, ...]] = {}
    for text in texts:
        limit, _, users = text.partition(":")
        amount, _, currency = limit.strip().partition(" ")
        money = Money.parse(amount, currency.strip())
        who = tuple(u.strip() for u in users.split(",") if u.strip())
        found[money.currency] = (*found.get(money.currency, ()), Level(money.minor, who))
    return found
