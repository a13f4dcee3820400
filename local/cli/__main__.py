"""`python -m local.cli`, installed as `saldo`."""

from __future__ import annotations

import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [p for p in (str(_ROOT), str(_ROOT / "layers" / "saldo" / "python")) if p not in sys.path]

import click  # noqa: E402 - the product's own folders come first

import local.cli.customers_rules  # noqa: E402 - adds its commands to `account`
import local.cli.own_taxes  # noqa: E402 - adds its commands to `seller`
import local.cli.signing  # noqa: E402, F401 - adds its commands to `seller`
from local.cli.access import access_group  # noqa: E402
from local.cli.accounts import account_group, subscription_group, wallet_group  # noqa: E402
from local.cli.api_keys import api_keys_group  # noqa: E402
from local.cli.audit import audit_group  # noqa: E402
from local.cli.certificates import certificates_group  # noqa: E402
from local.cli.choices import choices_group  # noqa: E402
from local.cli.clock import clock_group  # noqa: E402
from local.cli.contracts import contracts_group  # noqa: E402
from local.cli.details import corrections_group  # noqa: E402
from local.cli.documents import (  # noqa: E402
    credit,
    draft_group,
    invoice,
    items_group,
    late_charges,
    rebill,
    template_group,
)
from local.cli.drift import drift  # noqa: E402
from local.cli.imports import import_group  # noqa: E402
from local.cli.journal import journal_group  # noqa: E402
from local.cli.numbering import numbering_group  # noqa: E402
from local.cli.orders import orders_group  # noqa: E402
from local.cli.payments import payments_group  # noqa: E402
from local.cli.promises import promises_group  # noqa: E402
from local.cli.quote import quote  # noqa: E402
from local.cli.rates import rates_group  # noqa: E402
from local.cli.recovery import customer_group, drill_group, keys_group, queues_group  # noqa: E402
from local.cli.reminders import reminders_group  # noqa: E402
from local.cli.runs import bill, run_group, runs  # noqa: E402
from local.cli.selling import catalog_group, seller_group  # noqa: E402
from local.cli.site import Sites, deployed_here  # noqa: E402
from local.cli.staff import code, staff_group  # noqa: E402
from local.cli.support import support_group  # noqa: E402
from local.cli.tax import tax_group  # noqa: E402
from local.cli.usage import usage_group  # noqa: E402
from local.cli.watching import check, mail, trace  # noqa: E402


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.pass_context
def saldo(context: click.Context) -> None:
    """Billing and receivables: run invoices, import, look, check. Every command takes --json."""
    if context.obj is None:
        context.obj = Sites(deployed_here)


for command in (
    bill,
    usage_group,
    import_group,
    payments_group,
    mail,
    check,
    trace,
    runs,
    run_group,
    quote,
    seller_group,
    catalog_group,
    account_group,
    subscription_group,
    wallet_group,
    orders_group,
    contracts_group,
    invoice,
    items_group,
    credit,
    rebill,
    draft_group,
    late_charges,
    promises_group,
    reminders_group,
    corrections_group,
    rates_group,
    template_group,
    choices_group,
    numbering_group,
    certificates_group,
    tax_group,
    api_keys_group,
    clock_group,
    audit_group,
    journal_group,
    drill_group,
    keys_group,
    customer_group,
    queues_group,
    staff_group,
    access_group,
    support_group,
    code,
    drift,
):
    saldo.add_command(command)

if __name__ == "__main__":
    saldo(prog_name="saldo")
