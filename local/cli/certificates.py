"""`saldo certificates add`, `list`, `end`: why a customer is not charged a tax."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import click
from rich.console import Console

from local.cli.orders import by, clerk
from local.cli.site import Site, Sites, sealer_of, store_of
from local.cli.typed import DAY, number
from local.cli.voice import Json, Voice, speaks_json, table
from saldo.accounts.arrangements import Arrangements
from saldo.accounts.model import Exemption, ExemptionCertificate
from saldo.accounts.tax_standing import TaxStanding
from saldo.kernel.clock import system_clock
from saldo.kernel.exact import plain
from saldo.kernel.ids import check_id, new_id


@click.group(name="certificates")
def certificates_group() -> None:
    """Exemption certificates: why a customer is not charged a tax."""


@certificates_group.command()
@click.argument("account_id", metavar="ACCOUNT")
@click.option("--number", prompt=True, hide_input=True, help="What the authority gave it; asked for when left out.")
@click.option("--jurisdiction", "jurisdictions", multiple=True, required=True, help="Whose tax, such as US-NY.")
@click.option("--category", "categories", multiple=True, help="Only on this tax category (default: all).")
@click.option("--percent", type=number, default="100", help="The part of each amount that is exempt (default: all).")
@click.option("--tax", "taxes", multiple=True, help="Only from the tax of this name, such as GST (default: all).")
@click.option("--from", "from_on", type=DAY, required=True, help="First day that it covers.")
@click.option("--until", "until_on", type=DAY, required=True, help="First day after that.")
@click.option("--id", "certificate_id", default="", help="Names it for ever (cert_…): the same again changes nothing.")
@by
@click.pass_obj
@speaks_json
def add(
    sites: Sites,
    voice: Voice,
    account_id: str,
    number: str,
    jurisdictions: tuple[str, ...],
    categories: tuple[str, ...],
    percent: Decimal,
    taxes: tuple[str, ...],
    from_on: datetime,
    until_on: datetime,
    certificate_id: str,
    person: str,
) -> None:
    """Exempt an account by a certificate. Its number is sealed, and neither shown nor logged."""
    id_ = check_id(certificate_id, "cert") if certificate_id else new_id("cert", system_clock())
    days = from_on.date(), until_on.date()
    exemption = Exemption(id_, frozenset(jurisdictions), frozenset(categories), *days, percent, frozenset(taxes))
    certificate = ExemptionCertificate(account_id, number, exemption)
    added = _standing(sites.of(account_id)).add_certificate(certificate, clerk(person))
    voice.answer(
        {"added": added, **_told(exemption)},
        lambda console: console.print(f"{id_} is on record." if added else f"{id_} was on record before."),
    )


@certificates_group.command(name="list")
@click.argument("account_id", metavar="ACCOUNT")
@click.pass_obj
@speaks_json
def list_certificates(sites: Sites, voice: Voice, account_id: str) -> None:
    """List what an account is exempt from; numbers are not shown."""
    account = Arrangements(store_of(sites.of(account_id)), system_clock).account(account_id)
    found = [_told(one) for one in account.exemptions]
    voice.answer({"certificates": found}, lambda console: _show(console, found))


@certificates_group.command()
@click.argument("account_id", metavar="ACCOUNT")
@click.argument("certificate_id", metavar="CERTIFICATE")
@click.option("--on", "on", type=DAY, required=True, help="First day on which the account is taxed again.")
@click.option("--reason", required=True, help="Why, for those who look at it later.")
@by
@click.pass_obj
@speaks_json
def end(
    sites: Sites, voice: Voice, account_id: str, certificate_id: str, on: datetime, reason: str, person: str
) -> None:
    """Let a certificate end earlier. Invoices of before stay as they are."""
    standing = _standing(sites.of(account_id))
    ended = _told(standing.end_certificate(account_id, certificate_id, on.date(), clerk(person), reason))
    voice.answer(ended, lambda console: _show(console, [ended]))


def _standing(site: Site) -> TaxStanding:
    return TaxStanding(store_of(site), sealer_of(site), system_clock)


def _told(exemption: Exemption) -> Json:
    return {
        "certificate_id": exemption.id,
        "jurisdictions": sorted(exemption.jurisdictions),
        "categories": sorted(exemption.categories),
        "percent": plain(exemption.percent),
        "taxes": sorted(exemption.taxes),
        "from_on": exemption.from_on.isoformat(),
        "until_on": exemption.until_on.isoformat(),
    }


def _show(console: Console, found: list[Json]) -> None:
    rows = [
        (
            one["certificate_id"],
            ", ".join(one["jurisdictions"]),
            ", ".join(one["taxes"]) or "all",
            ", ".join(one["categories"]) or "all",
            one["percent"],
            one["from_on"],
            one["until_on"],
        )
        for one in found
    ]
    drawn = table("certificate", "tax of", "tax", "on", "%", "from", "until", rows=rows, numbers=("%",))
    console.print(drawn if rows else "No certificates.")
