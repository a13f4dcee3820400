"""`saldo corrections`: what is offered when billing details change. `saldo account details`: those of one account."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click
from rich.console import Console

from functions.portal.words import LANGUAGES
from local.cli.accounts import account_group
from local.cli.orders import by, clerk
from local.cli.site import Sites, sealer_of, store_of
from local.cli.voice import Voice, facts, said_dry, speaks_json, table
from saldo.accounts.model import Address, BillingProfile, TaxStatus
from saldo.accounts.rules_details import Sending
from saldo.audit.model import AuditRecord
from saldo.audit.records import audit_item
from saldo.invoicing.offered_corrections import OfferedCorrections
from saldo.invoicing.records_corrections import policy_fields
from saldo.invoicing.rules_corrections import CorrectionPolicy, Offered
from saldo.kernel.clock import system_clock
from saldo.kernel.errors import Refusal
from saldo.kernel.money import Money
from saldo.support.details import Details, DetailsDesk, DetailsWish, Effect

_entity = click.option("--entity", "entity_id", required=True, help="Legal entity whose invoices they are.")


@click.group(name="corrections")
def corrections_group() -> None:
    """What is offered for invoices that are out when a customer's billing details change."""


@corrections_group.command(name="show")
@_entity
@click.pass_obj
@speaks_json
def show(sites: Sites, voice: Voice, entity_id: str) -> None:
    """Show what a seller offers."""
    _answer_policy(voice, OfferedCorrections(store_of(sites.of(entity_id)), system_clock).policy(entity_id))


@corrections_group.command(name="set")
@_entity
@click.option("--offered", type=click.Choice([o.value for o in Offered]), help="Open: still owed; recent: paid, too.")
@click.option("--days", type=int, help="How old a paid invoice may be (--offered recent).")
@click.option("--field", "fields", multiple=True, help="Named: only a change of these is worth another document.")
@click.option("--usual", is_flag=True, help="As every seller begins.")
@click.option("--reason", required=True)
@by
@click.pass_obj
@speaks_json
def set_policy(sites: Sites, voice: Voice, entity_id: str, usual: bool, reason: str, person: str, **asked: Any) -> None:
    """Offer this from now on; what is not named stays."""
    desk = OfferedCorrections(store_of(sites.of(entity_id)), system_clock)
    given = {name: value for name, value in asked.items() if value not in (None, ())}
    if bool(given) is usual:
        raise Refusal("invalid_input", "say either --usual or what is offered")
    if "offered" in given:
        given["offered"] = Offered(given["offered"])
    if "fields" in given:
        given["fields"] = frozenset(given["fields"])
    policy = CorrectionPolicy() if usual else replace(desk.policy(entity_id), **given)
    desk.set_policy(entity_id, policy, clerk(person), reason)
    _answer_policy(voice, desk.policy(entity_id))


_OFFERS = {
    Offered.NONE: "None: changes hold for invoices from then on.",
    Offered.OPEN: "Invoices that are still owed, when one of these changes: {fields}.",
    Offered.RECENT: "Invoices that are still owed or at most {days} days old, when one of these changes: {fields}.",
}


def _answer_policy(voice: Voice, policy: CorrectionPolicy) -> None:
    told = policy_fields(policy)
    words = _OFFERS[policy.offered].format(days=policy.days, fields=", ".join(sorted(policy.fields)))
    voice.answer(told, lambda console: console.print(words))


@account_group.command(name="details")
@click.argument("account_id", metavar="ACCOUNT")
@click.option("--legal-name")
@click.option("--contact-name", help="Attention of; '' for nobody.")
@click.option("--line", "lines", multiple=True, help="Street and number, one each; they replace those of now.")
@click.option("--postcode")
@click.option("--city")
@click.option("--country", help="Its code, such as FR: whose tax is due on invoices from now on.")
@click.option("--region", help="State or province, where tax depends on it.")
@click.option("--tax-id", help="'' where there is none any more.")
@click.option("--email", "emails", multiple=True, help="Where invoices are mailed to; they replace those of now.")
@click.option("--purchase-order", help="'' for none.")
@click.option("--language", type=click.Choice(LANGUAGES), help="Of documents.")
@click.option("--by-email/--by-portal", "by_email", default=None, help="Whether invoices are mailed.")
@click.option("--dry-run", is_flag=True, help="Tell what it would do, and do nothing.")
@click.option("--reason", default="", help="At whose wish; a change needs it.")
@by
@click.pass_obj
@speaks_json
def details(sites: Sites, voice: Voice, account_id: str, dry_run: bool, reason: str, person: str, **asked: Any) -> None:
    """Change an account's billing details for invoices from now on; what is not named stays. Without options they are
    shown, which is on record with the account."""
    site, actor = sites.of(account_id), clerk(person)
    store = store_of(site)
    desk = DetailsDesk(store, sealer_of(site), system_clock)
    now = desk.now(account_id)
    given = {name: value for name, value in asked.items() if value not in (None, ())}
    subject = f"profile {now.profile.version}"
    store.put_many([audit_item(AuditRecord(account_id, system_clock(), actor, "profile.viewed", subject))])
    if not given:
        return voice.answer(told(now), lambda console: console.print(facts(told(now))))
    profile, sending = _wished(now, given)
    effect = desk.effect(now, profile, sending)
    after = Details(effect.account, profile)
    if not dry_run:
        if not reason.strip():
            raise Refusal("reason_required", "say at whose wish")
        desk.change(now, DetailsWish(profile, sending, now.profile.version, actor, reason))
        after = desk.now(account_id)
    document = told(after) | {"dry_run": dry_run, "changed": sorted(effect.changed), "offered": _offered(effect)}
    document["certificates_ended"] = [one.id for one in effect.ended]
    document["exempt_from_all_tax"] = effect.account.tax_status is TaxStatus.EXEMPT
    return voice.answer(document, lambda console: _show_effect(console, after, effect, dry_run))


def _wished(now: Details, given: dict[str, Any]) -> tuple[BillingProfile, Sending]:
    names = "lines", "postcode", "city", "country", "region"
    where = {name: given.pop(name) for name in names if name in given}
    if "country" in where:  # the state that is left is none of the new country's
        where = {"region": "", **where, "country": where["country"].upper()}
    sending = Sending(given.pop("language", now.sending.language), given.pop("by_email", now.sending.by_email))
    address: Address = replace(now.profile.address, **where)
    return replace(now.profile, address=address, **given), sending


def told(now: Details) -> dict[str, Any]:
    """Of an account what its invoices carry, and where they go."""
    profile, address, check = now.profile, now.profile.address, now.account.tax_id_check
    return {
        "account_id": now.account.id,
        "version": profile.version,
        "legal_name": profile.legal_name,
        "contact_name": profile.contact_name,
        "lines": list(address.lines),
        "postcode": address.postcode,
        "city": address.city,
        "region": address.region,
        "country": address.country,
        "tax_country": now.account.country,
        "tax_region": now.account.tax_region,
        "tax_id": profile.tax_id,
        "tax_id_status": check.status.value if check else "",
        "emails": list(profile.emails),
        "purchase_order": profile.purchase_order,
        "language": now.sending.language,
        "by_email": now.sending.by_email,
    }


def _offered(effect: Effect) -> list[dict[str, Any]]:
    names = ("invoice_id", "number", "currency", "total_minor", "open_minor")
    return [{name: getattr(header, name) for name in names} for header in effect.offers]


def _show_effect(console: Console, after: Details, effect: Effect, dry_run: bool) -> None:
    console.print(facts(told(after)))
    if dry_run:
        said_dry(console)
    else:
        console.print("Invoices from now on carry it; those that are out do not.")
    for one in effect.ended:
        console.print(f"The exemption certificate {one.id} ends on {one.until_on}.")
    if not effect.offers:
        return
    rows = [(h.number, h.invoice_id, str(Money(h.total_minor, h.currency))) for h in effect.offers]
    console.print(table("could be corrected", "", "total", rows=rows, numbers=("total",)))
    console.print(f"saldo rebill {after.account.id} INVOICE --reason master_data takes one back and issues it again.")
