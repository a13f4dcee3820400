"""What billing one account writes: as one unit where that holds it, else in parts that are all written, or none."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from saldo.accounts.model import Account
from saldo.invoicing import approvals
from saldo.invoicing.codec import body_to_bytes
from saldo.invoicing.model import BilledAccount, InvoiceBody
from saldo.invoicing.rules_late import windows_of
from saldo.invoicing.run import records
from saldo.invoicing.run.cases import AccountCase
from saldo.invoicing.run.due import place_after
from saldo.invoicing.run.in_parts import InParts
from saldo.invoicing.run.model import Attempt
from saldo.invoicing.tally_records import write_tally
from saldo.invoicing.wallet_records import BillingIs, write_wallet
from saldo.kernel.errors import Refusal
from saldo.orders.model import ItemStatus
from saldo.orders.records import close_item
from saldo.storage.claims import Claim, in_parts
from saldo.storage.items import Item
from saldo.storage.units import MOST_WRITES, Unit
from saldo.subscriptions.records import move_on
from saldo.usage.model_windows import Closings, Window
from saldo.usage.records_windows import forget_late, is_done_with_late
from saldo.usage.totals import close_windows

# An invoice lies in one record of at most 400 kB, packed; that of so few lines always does.
_SURELY_SHORT = 500
_MOST_BYTES = 390_000


def writes_of(attempt: Attempt, found: AccountCase, billed: BilledAccount, under_way: str) -> Unit | InParts | None:
    """All that billing one account moves: subscriptions and items that are thereby done, windows of usage, the wallet.

    None for nothing. That makes drafts of the bodies which these records name and which are there already. Refusal
    `invoice_too_long` for one that no record holds.
    """
    _check_length(billed.bodies)
    unit = Unit(f"bill {found.case.account.id}", most=sys.maxsize)
    _write_windows(unit, found, billed)
    named = _write_charges(unit, attempt, found, billed)
    # Late usage alone moves nothing that says what billed it: then the wallet does, for a repeat to find.
    if billed.wallet != found.case.wallet or (billed.bodies and not named):
        write_wallet(unit, *_owner(found), billed.wallet, found.wallet_read, **_mark(attempt, found, billed))
    if not attempt.dry_run:
        approvals.consume(unit, found.case.account, billed.bodies)
    if len(unit.writes) > MOST_WRITES:
        return _in_parts(attempt, found, billed, under_way)
    return unit if unit.writes else None


def _in_parts(attempt: Attempt, found: AccountCase, billed: BilledAccount, under_way: str) -> InParts:
    """The same writes in parts. That something came late is forgotten by itself, last: more may be told meanwhile."""
    account, last = found.case.account, Unit("forget", most=sys.maxsize)
    unit = Unit(f"bill {account.id}", most=sys.maxsize)
    _write_windows(unit, found, billed, forgetting=last)
    _write_charges(unit, attempt, found, billed)
    parts = [*in_parts(unit), *in_parts(last)]
    claim = Claim.of(account.id, parts, records.billed_by(attempt), repr(billed.wallet))
    decision = partial(_decision, attempt, found, billed)
    return InParts(account.entity_id, claim, parts, found.wallet_read, decision, under_way)


def _decision(attempt: Attempt, found: AccountCase, billed: BilledAccount, wallet_read: int) -> Unit:
    """The unit that decides: it names the invoices, and is what is left in the wallet."""
    unit, mark = Unit(f"decide {found.case.account.id}"), _mark(attempt, found, billed)
    write_wallet(unit, *_owner(found), billed.wallet, wallet_read, billing_is=BillingIs.DECIDED.value, **mark)
    approvals.consume(unit, found.case.account, billed.bodies)
    return unit


def _write_charges(unit: Unit, attempt: Attempt, found: AccountCase, billed: BilledAccount) -> bool:
    """Move on subscriptions, items and minimums; whether any of them says what billed it."""
    case, mark, invoices = found.case, _mark(attempt, found, billed), _invoices(billed)
    before = {due.subscription.id: due.subscription for due in case.due}
    moved_on = [moved for moved in billed.subscriptions if moved != before[moved.id]]
    for moved in moved_on:
        place = place_after(attempt, before[moved.id], moved)
        move_on(unit, before[moved.id], moved, place=place, **mark)
    for waiting, sold in zip(found.items, case.items, strict=True):
        close_item(unit, waiting, ItemStatus.BILLED, invoice_id=invoices.get(sold.identity, ""), **mark)
    for part in billed.tallies:
        write_tally(unit, part)
    return bool(moved_on or found.items)


def _write_windows(unit: Unit, found: AccountCase, billed: BilledAccount, forgetting: Unit | None = None) -> None:
    """Close windows of each account. forgetting: where that late usage was told of is forgotten, where not there."""
    accounts: dict[str, Account] = {account.id: account for account in (found.case.account, *found.members)}
    for account_id, windows in windows_of(found.case, found.usage, _invoices(billed)).items():
        usage = found.usage[account_id]
        if forgetting is not None:
            usage = replace(usage, closings=_nothing_late(forgetting, account_id, found, windows))
        close_windows(unit, accounts[account_id], usage, windows)


def _nothing_late(forgetting: Unit, account_id: str, found: AccountCase, windows: Sequence[Window]) -> Closings:
    closings = found.usage[account_id].closings
    if is_done_with_late(closings, windows):
        forget_late(forgetting, account_id, closings)
    return replace(closings, late=())


def _owner(found: AccountCase) -> tuple[str, str]:
    return found.case.account.id, found.case.entity.id


def _invoices(billed: BilledAccount) -> dict[str, str]:
    """On which invoice each charge is."""
    return {charge: body.id for body in billed.bodies for charge in body.charges}


def _mark(attempt: Attempt, found: AccountCase, billed: BilledAccount) -> Item:
    """What records say of what billed them."""
    invoice_ids = sorted({*found.before, *(body.id for body in billed.bodies)})
    return {"billed_by": records.billed_by(attempt), "invoice_ids": invoice_ids}


def _check_length(bodies: Sequence[InvoiceBody]) -> None:
    for body in bodies:
        if len(body.lines) > _SURELY_SHORT and len(body_to_bytes(body)) > _MOST_BYTES:
            message = (
                f"{len(body.lines)} lines are more than one invoice holds; let fewer accounts share it, or split it"
            )
            raise Refusal("invoice_too_long", f"{message} by purchase order or cost centre")
