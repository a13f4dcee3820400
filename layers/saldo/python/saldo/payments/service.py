"""Use cases of payments: start, take news, sweep, read, import."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from saldo.audit.model import Actor
from saldo.exchange.service import ExchangeRates
from saldo.invoicing.records import header_from, header_key
from saldo.kernel.clock import Clock
from saldo.kernel.errors import NotFound
from saldo.payments import imports, news, opening, records, rules, sweeping
from saldo.payments.methods import PaymentMethods
from saldo.payments.model import Allocation, GatewayEvent, Outcome, Payment, Receipt, SweepReport
from saldo.payments.netting import Netting, Setting
from saldo.payments.ports import Gateway
from saldo.payments.reading import headers_of, load
from saldo.storage.store import Store
from saldo.storage.units import Unit


class Payments:
    """Payments of one region through one gateway. `store` is the region's, not narrowed to a customer.

    told: hears of every report of the gateway that fits a payment, and what became of it.
    """

    def __init__(self, store: Store, gateway: Gateway, clock: Clock, told: news.Told = news.silent) -> None:
        self._store, self._gateway, self._clock, self._told = store, gateway, clock, told

    @property
    def methods(self) -> PaymentMethods:
        """Stored methods at the same gateway."""
        return PaymentMethods(self._store, self._gateway, self._clock)

    def start(
        self,
        account_id: str,
        allocations: Sequence[Allocation],
        actor: Actor,
        request_key: str,
        return_url: str,
        reason: str = "",
        approval_id: str = "",
        method_id: str = "",
        netting: Setting | None = None,
        on: date | None = None,
    ) -> Payment:
        """Start a payment of these invoices and open its checkout; send the payer to `checkout_url`.

        request_key: the form's own key (8 to 200 characters); the same key and contents always yield the same payment,
        also after a crash at any step. return_url: where the pay page leads back to; `{payment_id}` in it is
        replaced. reason: required when an invoice is paid in part.
        method_id: a stored method to charge at once; where its bank wants to hear from the payer the payment comes back
        as `requires_action`, and `checkout_url` is where they go.
        netting: credit that is set off in the unit that starts the payment; `allocations` are what it leaves to pay.
        on: the day it was wished for, where it does not start by the click of today; part of the payment's id.
        A known payment that is over (settled, failed, cancelled) is returned as it is, without being paid again.
        Refusal: invalid_allocations (with every problem), request_key_reused, invalid_request_key, reason_too_long,
        gateway_refused, method_unusable, approval_needed, approval_void (the account's own rules: `approvals`).
        Unavailable: the gateway did not answer; repeating with the same key is safe.
        """
        wish = opening.Wish(
            account_id, tuple(allocations), actor, request_key, return_url, reason, approval_id, method_id, netting, on
        )
        return opening.start(self._store, self._gateway, self._clock, wish)

    @property
    def netting(self) -> Netting:
        """What accounts have to their credit, set off against their invoices."""
        return Netting(self._store, self._clock)

    def get(self, account_id: str, payment_id: str) -> Payment:
        """One payment of this account; NotFound for another's as for none."""
        return load(self._store, account_id, payment_id)

    def of_account(self, account_id: str, limit: int = 50) -> list[Payment]:
        """The account's latest payments, newest first."""
        page = self._store.query(account_id, prefix=records.PREFIX, limit=limit, newest_first=True, consistent=True)
        found = [records.payment_from(item) for item in page.items]
        return sorted(found, key=lambda p: (p.started_at, p.id), reverse=True)

    def receipt(self, account_id: str, payment_id: str) -> Receipt:
        """The receipt of a settled payment; Refusal `not_settled` before, NotFound for no payment."""
        payment = load(self._store, account_id, payment_id)
        headers = headers_of(self._store, account_id, payment.applied)
        return rules.receipt_of(payment, {i: h.number for i, h in headers.items()})

    def handle_event(self, event: GatewayEvent) -> Outcome:
        """Apply one event of the gateway; any order, any number of times. PARKED: it fits no payment and is kept."""
        return news.handle_event(self._store, self._clock, self._gateway.name, event, self._told)

    def sweep(self) -> SweepReport:
        """Ask the gateway about payments and stored methods that have waited too long for news, and converge."""
        report = sweeping.sweep(self._store, self._gateway, self._clock)
        asked, changed, unanswered = self.methods.sweep(rules.ASKED_AFTER)
        report.asked, report.changed = report.asked + asked, report.changed + changed
        report.unanswered += unanswered
        return report

    def record_imported_settlement(
        self, account_id: str, invoice_id: str, minor: int, settled_on: date, source_id: str, actor: Actor
    ) -> Unit:
        """The unit that books one past settlement (see `imports.imported_settlement`, which takes a header at hand).

        The caller writes it; a conflict for which `imports.already_imported` holds was imported before.
        """
        item = self._store.get(*header_key(account_id, invoice_id))
        if item is None:
            raise NotFound("no such invoice")
        rates = ExchangeRates(self._store)
        return imports.imported_settlement(header_from(item), minor, settled_on, source_id, actor, self._clock(), rates)
