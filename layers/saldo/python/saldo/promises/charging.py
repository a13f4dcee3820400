"""Charges of instalments: payments of a later day (`payments.scheduled`), each under a key of its instalment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from saldo.audit.model import Actor
from saldo.kernel.errors import NotFound, Refusal
from saldo.payments.opening import Wish
from saldo.payments.scheduled import ScheduledPayments, ScheduledState, scheduled_id
from saldo.promises.model import Due, Promise, Stands
from saldo.promises.rules import spread

if TYPE_CHECKING:
    from saldo.payments.scheduled import Scheduled

REASON = "promise"


def announce_charge(
    scheduled: ScheduledPayments, promise: Promise, one: Stands, dues: Sequence[Due], on: date
) -> Scheduled:
    """Have an instalment charged on a day, in the name of who promised; however often, once. Refusals as of
    `ScheduledPayments.schedule`."""
    actor = Actor(promise.made_by, "user", promise.id)
    key, chosen = promise.charge_key(one.number), spread(one.left_minor, dues)
    wish = Wish(promise.account_id, chosen, actor, key, "", REASON, method_id=promise.method_id)
    return scheduled.schedule(wish, on)


def stop_charges(scheduled: ScheduledPayments, promise: Promise, actor: Actor) -> None:
    """Cancel those that were announced and have not started."""
    if not promise.method_id:
        return
    for number in range(1, promise.told + 2):  # one may be announced, and not yet on record as told
        id_ = scheduled_id(promise.account_id, promise.charge_key(number))
        try:
            if scheduled.get(promise.account_id, id_).state is ScheduledState.WAITING:
                scheduled.cancel(promise.account_id, id_, actor)
        except NotFound:
            continue  # its payer was asked instead
        except Refusal:
            continue  # it is just starting: what it brings counts
