"""Use cases of an account's wallet: coupons, prepaid credit, and credit that expires."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

from saldo.accounts.model import Account
from saldo.accounts.records import account_from
from saldo.audit.model import Actor, AuditRecord, job
from saldo.audit.records import audit_item
from saldo.invoicing.model import Coupon, PrepaidCredit, Wallet
from saldo.invoicing.rules_discounts import problems_of_coupon
from saldo.invoicing.wallet_records import expiring_agenda, version_of, wallet_from, wallet_key, write_wallet
from saldo.kernel.clock import Clock
from saldo.kernel.errors import NotFound, Problems, Refusal, Unavailable
from saldo.ledger.model import Entry, EntryKind, LedgerAccount, Posting, entry_for
from saldo.ledger.records import BALANCE, balance_field, post
from saldo.storage.store import Store
from saldo.storage.units import Unit

_MOST_TRIES = 8
MOST_COUPONS = MOST_CREDITS = 100


class Wallets:
    """The wallets of one region's accounts."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def of(self, account_id: str) -> Wallet:
        return wallet_from(self._store.get(*wallet_key(account_id)))

    def add_coupon(self, account_id: str, coupon: Coupon, actor: Actor) -> Wallet:
        """Give an account a coupon, taken off after those it has. Giving it the same again changes nothing.

        Refusal `invalid_coupon` naming every fault, `coupon_exists` where its id stands for another.
        """
        problems = Problems()
        problems.extend(problems_of_coupon(coupon))
        problems.refuse_if_any("the coupon is not valid", "invalid_coupon")

        def added(wallet: Wallet) -> Wallet:
            known = next((c for c in wallet.coupons if c.id == coupon.id), None)
            if known is not None and replace(known, used=coupon.used) != coupon:
                raise Refusal("coupon_exists", f"{coupon.id} is another coupon of this account")
            if known is None and len(wallet.coupons) >= MOST_COUPONS:
                raise Refusal("too_many_coupons", f"an account has at most {MOST_COUPONS}")
            return wallet if known else replace(wallet, coupons=(*wallet.coupons, coupon))

        return self._change(account_id, added, actor, "coupon.added", coupon.id)

    def remove_coupon(self, account_id: str, coupon_id: str, actor: Actor) -> Wallet:
        """Take a coupon away; invoices that it was on keep it."""

        def removed(wallet: Wallet) -> Wallet:
            return replace(wallet, coupons=tuple(c for c in wallet.coupons if c.id != coupon_id))

        return self._change(account_id, removed, actor, "coupon.removed", coupon_id)

    def grant(self, account_id: str, credit: PrepaidCredit, actor: Actor, reason: str = "") -> Wallet:
        """Give an account prepaid credit: `paid` out of cash of the customer that is not applied yet, else for nothing.

        Granting the same id again changes nothing. Refusal `invalid_credit` naming every fault, `credit_exists` where
        the id stands for another, `not_enough_cash` when less lies unapplied than the credit is.
        """
        _check_credit(credit)
        known = next((c for c in self.of(account_id).credits if c.id == credit.id), None)
        if known is not None and replace(known, balance_minor=credit.balance_minor) != credit:
            raise Refusal("credit_exists", f"{credit.id} is another credit of this account")
        if known is not None:
            return self.of(account_id)
        from_account = LedgerAccount.UNAPPLIED_CASH if credit.paid else LedgerAccount.CREDIT_GIVEN_AWAY
        for _ in range(_MOST_TRIES):
            account, wallet, read = self._read(account_id)
            if len(wallet.credits) >= MOST_CREDITS:
                raise Refusal("too_many_credits", f"an account has at most {MOST_CREDITS}")
            entry = _entry(EntryKind.CREDIT_GRANTED, account, credit, from_account, credit.granted_on)
            unit = Unit(f"grant {account_id} {credit.id}")
            when = self._cash(account, credit.balance_minor) if credit.paid else None
            post(unit, entry, when=when, correlation_id=actor.correlation_id)
            after = replace(wallet, credits=(*wallet.credits, credit))
            write_wallet(unit, account_id, account.entity_id, after, read)
            record = AuditRecord(account_id, self._clock(), actor, "credit.granted", credit.id, reason=reason)
            if self._store.write_one(unit.put(audit_item(record))) is None:
                return after
        raise Unavailable("this wallet is being changed by many at once; try again")

    def _cash(self, account: Account, minor: int) -> dict[str, int]:
        """The unapplied cash there is, so that the unit holds only while it is still there."""
        field = balance_field(account.currency, LedgerAccount.UNAPPLIED_CASH)
        there = (self._store.get(account.id, BALANCE) or {}).get(field, 0)
        if -there < minor:
            raise Refusal("not_enough_cash", f"{-there} {account.currency} lie unapplied, the credit is {minor}")
        return {field: there}

    def expire(self, entity_id: str, today: date) -> int:
        """Take credit that has expired out of the wallets of a seller; how many wallets were changed.

        today: the day of the run that asks, which may be late: what was valid on the date of an invoice pays for it.
        What was paid for is earned then; what was given away is taken back. Safe to repeat.
        """
        changed = 0
        for item in self._store.query_all(expiring_agenda(entity_id), last=today.isoformat(), agenda=True):
            changed += self._expire(item["account_id"], today)
        return changed

    def _expire(self, account_id: str, today: date) -> bool:
        for _ in range(_MOST_TRIES):
            account, wallet, read = self._read(account_id)
            gone = [c for c in wallet.credits if c.balance_minor and c.expires_on and c.expires_on <= today]
            if not gone:
                return False
            unit = Unit(f"expire {account_id}")
            post(unit, *(_expiry(account, credit, today) for credit in gone), correlation_id="")
            left = tuple(replace(c, balance_minor=0) if c in gone else c for c in wallet.credits)
            write_wallet(unit, account_id, account.entity_id, replace(wallet, credits=left), read)
            ids = " ".join(credit.id for credit in gone)
            record = AuditRecord(account_id, self._clock(), job("credit_expiry"), "credit.expired", ids)
            if self._store.write_one(unit.put(audit_item(record))) is None:
                return True
        raise Unavailable("this wallet is being changed by many at once; try again")

    def _read(self, account_id: str) -> tuple[Account, Wallet, int | None]:
        found = self._store.get_many([(account_id, "account"), wallet_key(account_id)], consistent=True)
        if (account_id, "account") not in found:
            raise NotFound("no such account")
        wallet = found.get(wallet_key(account_id))
        return account_from(found[account_id, "account"]), wallet_from(wallet), version_of(wallet)

    def _change(
        self, account_id: str, change: Callable[[Wallet], Wallet], actor: Actor, action: str, subject: str
    ) -> Wallet:
        for _ in range(_MOST_TRIES):
            account, wallet, read = self._read(account_id)
            after = change(wallet)
            if after == wallet:
                return wallet
            unit = write_wallet(Unit(f"{action} {subject}"), account_id, account.entity_id, after, read)
            record = AuditRecord(account_id, self._clock(), actor, action, subject)
            if self._store.write_one(unit.put(audit_item(record))) is None:
                return after
        raise Unavailable("this wallet is being changed by many at once; try again")


def _entry(kind: EntryKind, account: Account, credit: PrepaidCredit, other: LedgerAccount, on: date) -> Entry:
    """Credit granted (below zero on its account) against where it comes from; the same turned round when it expires."""
    sign = 1 if kind is EntryKind.CREDIT_EXPIRED else -1
    minor = sign * credit.balance_minor
    return entry_for(
        kind,
        booked_on=on,
        entity_id=account.entity_id,
        account_id=account.id,
        currency=account.currency,
        source_id=f"{account.id} {credit.id}",
        postings=(Posting(LedgerAccount.PREPAID_CREDIT, minor, tag=credit.id), Posting(other, -minor)),
    )


def _expiry(account: Account, credit: PrepaidCredit, on: date) -> Entry:
    earned = LedgerAccount.REVENUE if credit.paid else LedgerAccount.CREDIT_GIVEN_AWAY
    return _entry(EntryKind.CREDIT_EXPIRED, account, credit, earned, on)


def _check_credit(credit: PrepaidCredit) -> None:
    problems = Problems()
    if credit.balance_minor <= 0:
        problems.add("balance_minor", "not_positive", "must be above zero")
    if credit.expires_on is not None and credit.expires_on <= credit.granted_on:
        problems.add("expires_on", "before_it_is_granted", "must be after the day on which it is granted")
    problems.refuse_if_any("the credit is not valid", "invalid_credit")
