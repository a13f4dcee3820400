"""Thresholds and spend caps of accounts: set, looked at after usage came in, told once per period."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection

from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.invoicing.forecast import Forecasts
from saldo.invoicing.model_forecast import NextInvoice
from saldo.invoicing.rules_thresholds import reached
from saldo.kernel.clock import Clock
from saldo.kernel.errors import NotFound, Problems, Refusal
from saldo.kernel.exact import plain
from saldo.kernel.ids import fingerprint
from saldo.storage.store import Store
from saldo.storage.units import Unit
from saldo.usage import records_thresholds as records
from saldo.usage.model_thresholds import Alert, Measure, OwnThreshold, Then, Threshold

MOST_THRESHOLDS = 20
_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")

log = logging.getLogger(__name__)


class Thresholds:
    """What accounts of one region watch."""

    def __init__(self, store: Store, forecasts: Forecasts, clock: Clock) -> None:
        self._store, self._forecasts, self._clock = store, forecasts, clock

    def of_account(self, account_id: str) -> list[Threshold]:
        return records.thresholds_from(self._store.get(*records.thresholds_key(account_id)))

    def put(self, account_id: str, threshold: Threshold, actor: Actor) -> None:
        """Set a threshold, or change the one of its id. Raises Refusal `invalid_threshold` with every fault, NotFound
        without the account, `changed_meanwhile` when someone else was faster."""
        _check(threshold)
        if self._store.get(account_id, "account") is None:
            raise NotFound(f"no such account: {account_id}")
        self._change(account_id, threshold.id, threshold, actor)

    def put_own(self, account_id: str, wanted: OwnThreshold, actor: Actor) -> None:
        """As `put`, for the customer: one for each measure, meter and consequence; another one takes its place."""
        measure = Measure.QUANTITY if wanted.meter_id else Measure.COST
        own_id = f"own-{fingerprint(measure.value, wanted.meter_id, wanted.then.value)[:16]}"
        self.put(account_id, Threshold(own_id, measure, wanted.at, wanted.meter_id, wanted.then, True), actor)

    def remove(self, account_id: str, threshold_id: str, actor: Actor) -> None:
        """It is watched no more; nothing happens where there is none."""
        self._change(account_id, threshold_id, None, actor)

    def remove_own(self, account_id: str, threshold_id: str, actor: Actor) -> None:
        """As `remove`, for the customer. NotFound: there is none of this id that the customer set."""
        if not any(t.own and t.id == threshold_id for t in self.of_account(account_id)):
            raise NotFound("no such threshold")
        self.remove(account_id, threshold_id, actor)

    def check(self, account_ids: Collection[str]) -> list[Alert]:
        """Look at the accounts that have thresholds; the alerts that are new. Each is raised once per period, however
        often and wherever this is called. An account whose next invoice cannot be reckoned is passed over."""
        keys = [records.thresholds_key(account_id) for account_id in sorted(account_ids)]
        watched = self._store.get_many(keys)
        found = [alert for (account_id, _), item in watched.items() for alert in self._reached(account_id, item)]
        units = [Unit("/".join(records.alert_key(a))).insert(records.alert_item(a)) for a in found]
        told = {conflict.unit for conflict in self._store.write(units)}
        return [a for a in found if "/".join(records.alert_key(a)) not in told]

    def blocks(self, account_id: str, ahead: NextInvoice | None = None) -> list[Alert]:
        """Alerts of the periods still open that ask for the service to stop; none once these are billed."""
        try:
            ahead = ahead or self._forecasts.next_invoice(account_id)
        except Refusal:
            return []
        now = {ahead.due_on.isoformat(), *(key.period.as_text() for key, _ in ahead.prices)}
        there = records.alerts_of(self._store, account_id)
        return [a for a in there if a.threshold.then is Then.BLOCK and a.period in now]

    def _reached(self, account_id: str, item: dict[str, object]) -> list[Alert]:
        thresholds = records.thresholds_from(item)
        if not thresholds:
            return []
        try:
            return reached(self._forecasts.next_invoice(account_id), thresholds, self._clock())
        except Refusal as refusal:
            log.warning("thresholds cannot be looked at", extra={"account_id": account_id, "code": refusal.code})
            return []

    def _change(self, account_id: str, threshold_id: str, threshold: Threshold | None, actor: Actor) -> None:
        item = self._store.get(*records.thresholds_key(account_id))
        version = records.version_of(item)
        kept = [t for t in records.thresholds_from(item) if t.id != threshold_id]
        wanted = [*kept, *([threshold] if threshold else [])]
        if len(wanted) > MOST_THRESHOLDS:
            raise Refusal("too_many_thresholds", f"an account has at most {MOST_THRESHOLDS}")
        after = {"at": plain(threshold.at), "measure": threshold.measure.value} if threshold else {}
        action = "threshold.set" if threshold else "threshold.removed"
        audit = AuditRecord(account_id, self._clock(), actor, action, threshold_id, after=after)
        unit = Unit(f"thresholds {account_id}").put(audit_item(audit))
        unit.put(records.thresholds_item(account_id, wanted, (version or 0) + 1), when={"version": version})
        if self._store.write_one(unit) is not None:
            raise Refusal("changed_meanwhile", "someone else changed the thresholds of this account; look again")


def _check(threshold: Threshold) -> None:
    problems = Problems()
    if not _ID.fullmatch(threshold.id):
        problems.add("id", "invalid_id", "lower-case letters, digits, dashes and lines, at most 40")
    if not threshold.at.is_finite() or threshold.at <= 0:
        problems.add("at", "not_above_zero", "a threshold is above zero")
    if (threshold.measure is Measure.COST) == bool(threshold.meter_id):
        problems.add("meter_id", "invalid_meter", "quantity and percent are of a meter, cost is of the whole invoice")
    problems.refuse_if_any("the threshold is not valid", "invalid_threshold")
