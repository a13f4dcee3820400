"""Start a payment: record the intent, open the gateway's checkout under the payment's own key, record the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from saldo.accounts.model import Account, LegalEntity
from saldo.accounts.records import account_from, entity_from
from saldo.audit.model import Actor, AuditRecord, job
from saldo.audit.records import audit_item
from saldo.invoicing.records import header_key
from saldo.kernel.clock import Clock
from saldo.kernel.errors import NotFound, Refusal, Unavailable
from saldo.kernel.ids import derived_id
from saldo.kernel.periods import local_date
from saldo.payments import news, records, records_approvals, records_methods, rules, rules_approvals
from saldo.payments.model import UNDER_WAY, Allocation, Payable, Payment, PaymentStatus, StatusChange
from saldo.payments.model_approvals import Approval, ApprovalPolicy
from saldo.payments.model_methods import StoredMethod
from saldo.payments.netting import Netting, Setting
from saldo.payments.ports import Checkout, CheckoutRequest, Gateway
from saldo.payments.reading import load, payables_from
from saldo.payments.rules_approvals import content_of
from saldo.payments.rules_netting import after as after_netting
from saldo.storage.store import Store
from saldo.storage.units import Unit

_MOST_ATTEMPTS = 5
_MOST_REASON = 200


@dataclass(frozen=True, slots=True)
class Wish:
    """What a payer asks for. `request_key`: the form's own key, one per filled-in form.

    `approval_id`: who must agree to it has (`approvals`), "" where nobody was asked. `method_id`: a stored method that
    is charged at once; "" for the gateway's page. `netting`: credit that is set off in the same unit; `allocations` are
    what it leaves to pay. `on`: the day it was wished for, where that is not the day of starting: the payment's id, by
    which the gateway knows it for ever, is the same on whichever day it starts, and starts again after a restore.
    """

    account_id: str
    allocations: tuple[Allocation, ...]
    actor: Actor
    request_key: str
    return_url: str
    reason: str
    approval_id: str = ""
    method_id: str = ""
    netting: Setting | None = None
    on: date | None = None

    @property
    def content(self) -> str:
        return content_of(self.allocations, self.reason)


@dataclass(frozen=True, slots=True)
class _Parties:
    account: Account
    seller: LegalEntity
    payables: Mapping[str, Payable]
    policy: ApprovalPolicy | None
    approval: Approval | None
    method: StoredMethod | None


def start(store: Store, gateway: Gateway, clock: Clock, wish: Wish) -> Payment:
    """The payment of this wish, with its checkout; repeating it, after a crash at any step too, yields the same one."""
    if not 8 <= len(wish.request_key) <= 200:
        raise Refusal("invalid_request_key", "the form's key must have 8 to 200 characters")
    if len(wish.reason) > _MOST_REASON:
        raise Refusal("reason_too_long", f"a reason has at most {_MOST_REASON} characters")
    known = _known(store, wish)
    if known is not None and not _lacks_checkout(known):
        return known
    parties = _read(store, wish)
    payment = known or _intend(store, gateway.name, clock, wish, parties)
    if not _lacks_checkout(payment):
        return payment
    request = _request(payment, parties, wish.return_url)
    # A payment that was known before may have a checkout whose answer was lost: ask before asking again.
    checkout = gateway.find_checkout(payment.id) if known is not None else None
    if checkout is None:
        checkout = _create(store, gateway, clock, payment, request)
    return _heard(store, clock, _record(store, payment, checkout), checkout)


def _heard(store: Store, clock: Clock, payment: Payment, checkout: Checkout) -> Payment:
    """What the gateway said of a stored method's charge in its answer counts at once; its news say the same again."""
    if checkout.said is None or checkout.said.status is payment.status:
        return payment
    news.take_report(store, clock, checkout.said, None)
    return load(store, payment.account_id, payment.id)


def _lacks_checkout(payment: Payment) -> bool:
    return not payment.checkout_url and payment.status in UNDER_WAY


def _known(store: Store, wish: Wish) -> Payment | None:
    guard = store.get(*records.request_guard_key(wish.account_id, wish.request_key))
    if guard is None:
        return None
    if guard["content"] != wish.content:
        raise Refusal("request_key_reused", "this form was sent before with other contents; start again")
    return load(store, wish.account_id, guard["payment_id"])


def _read(store: Store, wish: Wish) -> _Parties:
    account_key = (wish.account_id, "account")
    keys = [header_key(wish.account_id, a.invoice_id) for a in wish.allocations]
    policy_key = records_approvals.policy_key(wish.account_id)
    approval_key = records_approvals.approval_key(wish.account_id, wish.approval_id or "none")
    method_key = records_methods.method_key(wish.account_id, wish.method_id or "none")
    keys += [account_key, policy_key, approval_key, method_key]
    found = store.within(wish.account_id).get_many(keys, consistent=True)
    if account_key not in found:
        raise NotFound("no such account")
    account = account_from(found.pop(account_key))
    policy, asked = records_approvals.policy_from(found.pop(policy_key, None)), found.pop(approval_key, None)
    approval = records_approvals.approval_from(asked) if asked else None
    stored = found.pop(method_key, None)
    method = records_methods.method_from(stored) if stored else None
    seller = store.get(account.entity_id, "entity")
    if seller is None:
        raise NotFound("no such legal entity")
    return _Parties(account, entity_from(seller), payables_from(found.values()), policy, approval, method)


def _intend(store: Store, gateway: str, clock: Clock, wish: Wish, parties: _Parties) -> Payment:
    """Put the intent on record, or find that someone did so a moment ago."""
    payment = _new_payment(gateway, clock, wish, parties)
    amount = payment.amount
    if wish.method_id:
        today = local_date(payment.started_at, parties.account.time_zone)
        if parties.method is None or not parties.method.pays(amount.currency, today):
            raise Refusal("method_unusable", "this payment method cannot be charged; choose another one")
    unit = Unit(f"start {payment.id}")
    if rules_approvals.levels_for(parties.policy, amount.currency, _basis(wish, amount.minor, parties)):
        rules_approvals.check_startable(parties.approval, wish.content, wish.actor.id, clock())
    if parties.approval is not None:
        records_approvals.started(unit, parties.approval, payment.id)
    unit.insert(records.request_guard(wish.account_id, wish.request_key, payment.id, wish.content))
    records.insert_payment(unit, payment)
    if wish.netting is not None:
        Netting(store, clock).write(unit, wish.netting, wish.actor)
    after = {"amount_minor": amount.minor, "currency": amount.currency, "invoices": len(wish.allocations)}
    at, reason = payment.started_at, payment.reason
    action = AuditRecord(wish.account_id, at, wish.actor, "payment.started", payment.id, after=after, reason=reason)
    unit.put(audit_item(action))
    if store.write_one(unit) is None:
        return payment
    known = _known(store, wish)
    if known is None:
        raise Unavailable("the payment could not be recorded; try again")
    return known


def basis_minor(minor: int, allocations: Sequence[Allocation], payables: Mapping[str, Payable]) -> int:
    """What limits look at: what is paid, or all that is open on the chosen invoices when that is more."""
    return max(minor, sum(payables[a.invoice_id].open_minor for a in allocations))


def _basis(wish: Wish, minor: int, parties: _Parties) -> int:
    return basis_minor(minor, wish.allocations, parties.payables)


def _new_payment(gateway: str, clock: Clock, wish: Wish, parties: _Parties) -> Payment:
    at, payables = clock(), parties.payables
    if wish.netting is not None:
        payables = after_netting(payables, wish.netting.found.netted)
    return Payment(
        account_id=wish.account_id,
        id=derived_id("pay", wish.on or at.date(), wish.account_id, wish.request_key),
        entity_id=parties.account.entity_id,
        booking_zone=parties.seller.time_zone,
        status=PaymentStatus.STARTED,
        amount=rules.validated(wish.allocations, payables, wish.reason, local_date(at, parties.seller.time_zone)),
        allocations=rules.numbered(wish.allocations, parties.payables),
        reason=wish.reason.strip(),
        gateway=gateway,
        started_at=at,
        history=(StatusChange(at, PaymentStatus.STARTED),),
        correlation_id=wish.actor.correlation_id,
        method_id=wish.method_id,
        own_currency=rules.own_currency_of(parties.payables[a.invoice_id] for a in wish.allocations),
    )


def _request(payment: Payment, parties: _Parties, return_url: str) -> CheckoutRequest:
    chosen = [parties.payables[a.invoice_id] for a in payment.allocations if a.invoice_id in parties.payables]
    return CheckoutRequest(
        payment_id=payment.id,
        account_id=payment.account_id,
        amount=payment.amount,
        description=rules.description_of(chosen, parties.account.language),
        merchant=parties.seller.name,
        language=parties.account.language,
        return_url=return_url.replace("{payment_id}", payment.id),
        token=parties.method.token if parties.method is not None else "",
    )


def _create(store: Store, gateway: Gateway, clock: Clock, payment: Payment, request: CheckoutRequest) -> Checkout:
    """Open it; or the one that this id opened once: the answer got lost, or records were, and it was for another
    amount then. What it brings counts."""
    try:
        return gateway.create_checkout(request)
    except (Unavailable, Refusal) as failure:
        checkout = gateway.find_checkout(payment.id)
        if checkout is not None:
            return checkout
        if isinstance(failure, Refusal):
            _record_refusal(store, clock, payment, failure)
        raise


def _record_refusal(store: Store, clock: Clock, payment: Payment, refusal: Refusal) -> None:
    """A payment the gateway will not take has failed; if it moved on meanwhile, that news stands."""
    at = clock()
    failed = replace(
        payment,
        status=PaymentStatus.FAILED,
        failure_code=refusal.code,
        history=(*payment.history, StatusChange(at, PaymentStatus.FAILED)),
        version=payment.version + 1,
    )
    unit, before = records.rewrite(Unit(f"refused {payment.id}"), payment, failed), {"status": payment.status.value}
    after = {"status": failed.status.value, "failure_code": refusal.code}
    actor = job("open_payment", payment.correlation_id)
    record = AuditRecord(payment.account_id, at, actor, "payment.failed", payment.id, before, after)
    store.write_one(unit.put(audit_item(record)))


def _record(store: Store, payment: Payment, checkout: Checkout) -> Payment:
    for _ in range(_MOST_ATTEMPTS):
        new = replace(payment, gateway_ref=checkout.ref, checkout_url=checkout.url, version=payment.version + 1)
        if store.write_one(records.rewrite(Unit(f"checkout {payment.id}"), payment, new)) is None:
            return new
        payment = load(store, payment.account_id, payment.id)
        if not _lacks_checkout(payment):
            return payment
    raise Unavailable("the payment is being changed by others; try again")
