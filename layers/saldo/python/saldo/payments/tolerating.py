"""What payments leave of invoices within the seller's tolerance: written off in the unit that applies the money.

Apart from `news`, for few payments leave anything, and only those need the seller's choices.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from saldo.audit.model import AuditRecord, job
from saldo.audit.records import audit_item
from saldo.invoicing.choices import choices_of
from saldo.invoicing.rules_tolerance import Tolerance, tolerated
from saldo.payments.model import Allocation, Payable, Payment
from saldo.storage.store import Store
from saldo.storage.units import Unit

_WITHIN = "what was left is within the seller's tolerance"


def left_small(
    applied: Sequence[Allocation], payables: Mapping[str, Payable], settled: Collection[str], tolerance: Tolerance
) -> dict[str, int]:
    """What these leave of invoices, by id, where that is tolerated. settled: those whose discount for paying early says
    already what becomes of the rest."""
    of = ((a, payables[a.invoice_id]) for a in applied if a.invoice_id not in settled)
    found = ((p.invoice_id, tolerated(tolerance, p.open_minor, a.minor, p.disputed_minor)) for a, p in of)
    return {invoice_id: minor for invoice_id, minor in found if minor}


def write_off_small(
    store: Store,
    unit: Unit,
    payment: Payment,
    applied: Sequence[Allocation],
    payables: Mapping[str, Payable],
    settled: Collection[str],
) -> dict[str, int]:
    """`left_small` of the next part of a payment by its seller's choice, with an audit record of it in the unit."""
    assert payment.settled_at is not None, "only money that arrived is applied"
    tolerance = choices_of(store, payment.entity_id).tolerance_in(payment.amount.currency)
    left = left_small(applied, payables, settled, tolerance)
    if left:
        actor, action = job("tolerance", payment.correlation_id), "difference.written_off"
        subject = f"{payment.id}/{payment.parts_applied}"
        where = payment.account_id, payment.settled_at
        unit.put(audit_item(AuditRecord(*where, actor, action, subject, after=dict(left), reason=_WITHIN)))
    return left
