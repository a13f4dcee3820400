"""What customers of a simulated world promise, what the seller's people say to it, and the days of their promises."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from saldo.ledger.records import BALANCE
from saldo.payments.model import Allocation, Payment
from saldo.payments.scheduled import ScheduledPayments
from saldo.payments.service import Payments
from saldo.promises.keeping import Keeping
from saldo.promises.model import Every, PromiseState, Wanted, WhyNot
from saldo.promises.reading import promises_of
from saldo.promises.records import current_agenda
from saldo.promises.service import Promises, Wish
from saldo.promises.telling import Telling
from tests.permissions.gate import acting
from tests.simulation.region import ENTITY_ID, Region
from tests.simulation.workflows.scenes import CLERK, account_id


@dataclass(frozen=True, slots=True)
class Promising:
    """One process's use cases."""

    region: Region
    clock: Callable[[], datetime]
    payments: Payments

    @property
    def desk(self) -> Promises:
        scheduled = ScheduledPayments(self.region.store, self.clock, self.payments)
        return Promises(
            self.region.store, self.clock, Telling(self.region.store, self.region.sealer(), self.clock), scheduled
        )

    def promise(self, owner_id: str, key: str, dice: Random) -> None:
        """Some of what is open, on one day or several; within the limits or beyond them. Or what was promised is given
        up."""
        known = [p for p in promises_of(self.region.store, owner_id) if p.state is PromiseState.CURRENT]
        if known and dice.random() < 0.2:
            self.desk.cancel(owner_id, known[0].id, known[0].revision, CLERK)
            return
        found = self.region.store.query_all(f"open#{owner_id}", agenda=True)
        owed = [i for i in found if i["open_minor"] > 0 and not i.get("promise_id")][-dice.randint(1, 3) :]
        if not owed:
            return
        first_on = self.clock().date() + timedelta(days=dice.randint(2, 20))
        ids = tuple(i["invoice_id"] for i in owed)
        wanted = Wanted(ids, first_on, dice.choice([1, 1, 2, 3, 6]), dice.choice(list(Every)))
        minor = sum(i["open_minor"] - i.get("disputed_minor", 0) for i in owed)
        with acting("portal"):
            self.desk.make(Wish(owner_id, wanted, key, minor, CLERK))

    def decide(self, dice: Random) -> None:
        """Requests are agreed to, or refused."""
        rows = list(self.region.store.query_all(f"requests#{ENTITY_ID}", agenda=True))
        for row in rows[:3]:
            (one,) = [p for p in promises_of(self.region.store, row["pk"]) if p.id == row["sk"].partition("#")[2]]
            if one.state is not PromiseState.ASKED:
                continue
            with acting("portal"):
                if dice.random() < 0.7:
                    self.desk.agree(one.account_id, one.id, one.revision, CLERK)
                else:
                    self.desk.refuse(one.account_id, one.id, one.revision, WhyNot.HISTORY, CLERK)

    def day(self) -> None:
        with acting("collect_payments"):
            Keeping(self.desk).run(ENTITY_ID, self.clock().date())

    def somebody(self, accounts: int, dice: Random) -> str:
        """A customer who promised something, whom a credit note left something, or whose money belongs to no invoice;
        "" for none."""
        if dice.random() < 0.5:
            promised = [i["pk"] for i in self.region.store.query_all(current_agenda(ENTITY_ID), agenda=True)]
            return str(dice.choice(promised)) if promised else ""
        ids = [account_id(n) for n in range(accounts)]
        found = self.region.store.get_many([(i, sk) for i in ids for sk in ("wallet", BALANCE)], consistent=True)
        notes = [i for i in ids if found.get((i, "wallet"), {}).get("credit_note_minor", 0) > 0]
        cash = [i for i in ids if found.get((i, BALANCE), {}).get("EUR unapplied_cash", 0) < 0]
        return dice.choice([*notes, *cash]) if notes or cash else ""

    def pay_with_credit(
        self, owner_id: str, wanted: list[Allocation], key: str, back: str, reason: str
    ) -> Payment | None:
        """A payment of what credit does not pay; None where it pays for all."""
        netting, setting = self.payments.netting, None
        rest = netting.known(owner_id, key)
        if rest is None:
            setting = netting.prepare(owner_id, wanted, reason, key)
            rest = setting.found.rest
            setting = setting if setting.found.minor else None
            if not rest and setting:
                netting.settle(setting, CLERK)
        if not rest:
            return None
        return self.payments.start(owner_id, rest, CLERK, key, back, reason, netting=setting)
