"""An account's billing details as people change them: seen, tried, and changed with the corrections that are asked for.

Customers in the portal, staff on their pages and at the command line all come through here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from saldo.accounts.model import Account, BillingProfile, Exemption
from saldo.accounts.rules_details import Sending, changed_fields, check_details, ended, with_details
from saldo.accounts.service import Accounts
from saldo.audit.model import Actor
from saldo.invoicing.offered_corrections import OfferedCorrections
from saldo.invoicing.records import InvoiceHeader
from saldo.kernel.clock import Clock
from saldo.kernel.errors import Problem, Refusal
from saldo.kernel.periods import local_date
from saldo.storage.sealing import Sealer
from saldo.storage.store import Store
from saldo.storage.units import Unit
from saldo.support.service import Question, Support


@dataclass(frozen=True, slots=True)
class Details:
    """An account, and the profile that its next invoice is addressed to."""

    account: Account
    profile: BillingProfile

    @property
    def sending(self) -> Sending:
        return Sending(self.account.language, self.account.deliver_by_email)


@dataclass(frozen=True, slots=True)
class Effect:
    """What a change would do. `account`: as it would be, what is known of its tax id aside; `changed`: fields of the
    profile that differ; `offers`: invoices that are out and could be corrected, by the seller's policy, oldest first;
    `ended`: exemption certificates that end by it, as they would be; `stays`: the address moves to another country, and
    the account is taxed where it was, for the seller taxes it elsewhere than at its address."""

    account: Account
    changed: frozenset[str]
    offers: tuple[InvoiceHeader, ...] = ()
    ended: tuple[Exemption, ...] = ()
    stays: bool = False


@dataclass(frozen=True, slots=True)
class DetailsWish:
    """What is to be. `seen`: the version that was looked at. `correct`: ids of invoices to be corrected, of those
    offered; `question`: makes the message to the seller out of their numbers."""

    profile: BillingProfile
    sending: Sending
    seen: int
    actor: Actor
    reason: str = ""
    correct: Collection[str] = field(default_factory=tuple)
    question: Callable[[list[str]], Question] | None = None


class DetailsDesk:
    """Asks no register, for no page waits for one: the next round of questions (`ask_again`) has a new tax id."""

    def __init__(self, store: Store, sealer: Sealer, clock: Clock) -> None:
        self._store, self._sealer, self._clock = store, sealer, clock
        self._accounts = Accounts(store, sealer, clock)

    def now(self, account_id: str, account: Account | None = None) -> Details:
        """As it is; `account` where it was read already. Refusal NotFound."""
        account = account or self._accounts.account(account_id)
        return Details(account, self._accounts.current_profile(account.id))

    def check(self, now: Details, profile: BillingProfile, sending: Sending) -> None:
        """Refusal `invalid_details` naming every field at fault, or the first with `nothing_changes`."""
        check_details(now.account, now.profile, profile, sending)
        if not changed_fields(now.profile, profile) and sending == now.sending:
            same = Problem("legal_name", "nothing_changes", "nothing differs from what is there now")
            raise Refusal("invalid_details", "these billing details are there already", [same])

    def effect(self, now: Details, profile: BillingProfile, sending: Sending) -> Effect:
        """What the change would do; nothing is written. Refusals as of `check`."""
        self.check(now, profile, sending)
        changed = changed_fields(now.profile, profile)
        today = local_date(self._clock(), now.account.time_zone)
        after = with_details(now.account, now.profile, profile, sending, today)
        abroad = profile.address.country != now.profile.address.country
        stays = abroad and after.country == now.account.country
        return Effect(after, changed, self._offers(now, changed), ended(now.account, after), stays)

    def change(self, now: Details, wish: DetailsWish) -> list[InvoiceHeader]:
        """Change them, with the message to the seller in the same unit: no change without its wish, no wish without its
        change. Answers what correction was asked for. Refusals as of `Accounts.change_profile`.
        """
        changed = changed_fields(now.profile, wish.profile) if wish.correct else frozenset[str]()
        ticked = [header for header in self._offers(now, changed) if header.invoice_id in wish.correct]

        def ask(unit: Unit) -> None:
            if ticked and wish.question:
                asked = wish.question([header.number for header in ticked])
                Support(self._store, self._sealer, self._clock).ask_in(unit, now.account.id, asked, wish.actor)

        self._accounts.change_profile(
            wish.profile, wish.actor, wish.reason, sending=wish.sending, seen=wish.seen, beside=ask
        )
        return ticked

    def _offers(self, now: Details, changed: frozenset[str]) -> tuple[InvoiceHeader, ...]:
        if not changed:
            return ()
        desk = OfferedCorrections(self._store, self._clock)
        return tuple(desk.after_change(now.account, changed, now.profile.version + 1))
