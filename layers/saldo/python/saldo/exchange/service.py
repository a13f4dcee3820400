"""Use cases of exchange rates: import a file, and the rate that a document of a day is booked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.exchange import records
from saldo.exchange.model import DayRate, PriceDay, RatePolicy
from saldo.exchange.reading import rates_in
from saldo.exchange.rules import check_policy, quoted_first, rate_between
from saldo.kernel.clock import Clock
from saldo.kernel.errors import NotFound, Problems, Refusal
from saldo.kernel.exact import plain
from saldo.kernel.exchange import ExchangeRate
from saldo.kernel.ids import is_double
from saldo.storage.store import Store
from saldo.storage.units import Unit

_AT_ONCE = 90
_ANY_AGE = 20_000  # in days: nobody publishes the rates of next year, where doubles live


class RateImport:
    """Brings in rates of one region."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def import_file(self, source: str, content: bytes, actor: Actor) -> int:
        """Put every rate of a file on record; how many are new. The same file again changes nothing.

        Refusal `invalid_rates` for a file that cannot be read, `rate_differs` naming every rate that is on record with
        another value: then nothing of the file is taken.
        """
        found = {(rate.currency, rate.on): rate for rate in rates_in(content)}
        fresh = self._fresh(source, list(found.values()))
        if fresh:
            owner, at = records.rates_owner(source), self._clock()
            last = max(rate.on for rate in fresh).isoformat()
            record = AuditRecord(owner, at, actor, "rates.imported", last, after={"rates": len(fresh), "last": last})
            self._store.write_one(Unit(f"rates {source}").put(audit_item(record)))
        # The audit record first, so that no rate is ever on record without one. Rates are inserted as new or found the
        # same: a crash in between leaves rates that are right, and the rest comes again.
        for i in range(0, len(fresh), _AT_ONCE):
            self._store.put_many([records.rate_item(source, rate) for rate in fresh[i : i + _AT_ONCE]])
        return len(fresh)

    def _fresh(self, source: str, rates: Sequence[DayRate]) -> list[DayRate]:
        known = self._store.get_many([records.rate_key(source, r.currency, r.on) for r in rates], consistent=True)
        problems, fresh = Problems(), []
        for rate in rates:
            item = known.get(records.rate_key(source, rate.currency, rate.on))
            if item is None:
                fresh.append(rate)
            elif records.rate_from(item).rate != rate.rate:
                problems.add(f"{rate.on} {rate.currency}", "differs", f"on record as {item['rate']}, here {rate.rate}")
        problems.refuse_if_any("published rates do not change", "rate_differs")
        return fresh

    def policy(self, entity_id: str) -> RatePolicy | None:
        """Whose rates a seller books at; None for one that has not said."""
        return records.policy_from(self._store.get(*records.policy_key(entity_id)))

    def set_policy(self, entity_id: str, policy: RatePolicy, actor: Actor) -> None:
        """Whose rates a seller books at from now on. Refusal `invalid_rate_policy` naming every problem."""
        check_policy(policy)
        if self._store.get(entity_id, "entity") is None:
            raise NotFound(f"no such legal entity: {entity_id}")
        after: dict[str, object] = {"source": policy.source, "base": policy.base, "most_days": policy.most_days}
        after |= {"prices_on": policy.prices_on.value} if policy.prices_on else {}
        after |= {"tolerance": plain(policy.tolerance)} if policy.tolerance else {}
        record = AuditRecord(entity_id, self._clock(), actor, "rate_policy.changed", entity_id, after=after)
        unit = Unit(f"rate policy {entity_id}").put(records.policy_item(entity_id, policy))
        self._store.write_one(unit.put(audit_item(record)))


class ExchangeRates:
    """The rates that documents are booked at, and prices converted at. Made anew for each batch: what it read it keeps.

    ahead: for looks at days to come, whose rates nobody knows: the last there is stands for them.
    """

    def __init__(self, store: Store, *, ahead: bool = False) -> None:
        self._store, self._ahead = store, ahead
        self._policies: dict[str, RatePolicy | None] = {}
        self._rates: dict[tuple[RatePolicy, str, date], DayRate | None] = {}

    def rate_for(self, entity_id: str, own: str, currency: str, on: date) -> ExchangeRate | None:
        """What a document or payment in a currency is booked at on a day; None where that is the seller's `own`, and
        for a seller that has not said whose rates it books at (`RateImport.set_policy`).

        One read a currency for all accounts of a batch. Refusal `no_exchange_rate` without a rate that is young enough.
        """
        policy = self._policy(entity_id) if currency != own else None
        return self._between(policy, own, currency, on) if policy else None

    def prices_on(self, entity_id: str) -> PriceDay | None:
        """At the rate of which day the seller converts prices; None where it converts none."""
        policy = self._policy(entity_id)
        return policy.prices_on if policy else None

    def price_rate(self, entity_id: str, priced_in: str, invoiced_in: str, on: date) -> ExchangeRate:
        """The rate between a price's currency and the invoice's, as published where it can be (`quoted_first`).

        Refusal `no_exchange_rate` without a rate that is young enough, and for a seller that converts no prices.
        """
        policy = self._policy(entity_id)
        if policy is None:
            raise Refusal("no_exchange_rate", f"{entity_id} has not said whose exchange rates it goes by")
        return self._between(policy, *quoted_first(policy, invoiced_in, priced_in), on)

    def tolerance(self, entity_id: str) -> Decimal:
        """By how many per cent money in another currency may miss what it is to pay (`RatePolicy`)."""
        policy = self._policy(entity_id)
        return policy.tolerance if policy else Decimal(0)

    def _between(self, policy: RatePolicy, own: str, foreign: str, on: date) -> ExchangeRate:
        found = {code: self._last(policy, code, on) for code in (own, foreign)}
        return rate_between(own, foreign, found, policy, on)

    def known_rate_for(self, entity_id: str, own: str, currency: str, on: date) -> ExchangeRate | None:
        """The same for what nobody refuses for want of a rate, as money that came: None where there is none."""
        try:
            return self.rate_for(entity_id, own, currency, on)
        except Refusal as refusal:
            if refusal.code != "no_exchange_rate":
                raise
            return None

    def _policy(self, entity_id: str) -> RatePolicy | None:
        if entity_id not in self._policies:
            item = self._store.get(*records.policy_key(entity_id), consistent=False)
            found = records.policy_from(item)
            if found and (self._ahead or is_double(entity_id)):
                found = replace(found, most_days=_ANY_AGE)
            self._policies[entity_id] = found
        return self._policies[entity_id]

    def _last(self, policy: RatePolicy, currency: str, on: date) -> DayRate | None:
        if currency == policy.base:
            return None
        key = policy, currency, on
        if key not in self._rates:
            first, last = records.bounds(currency, on, max(policy.most_days, 60))
            owner = records.rates_owner(policy.source)
            page = self._store.query(owner, first=first, last=last, newest_first=True, limit=1)
            self._rates[key] = records.rate_from(page.items[0]) if page.items else None
        return self._rates[key]
