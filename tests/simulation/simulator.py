"""Months of billing in a world that misbehaves: the real use cases, a virtual clock, and faults at any call.

A month is a list of steps, made from the seed alone: usage that comes in time, late and twice, changes, items, coupons
and credit, runs, payments with their news late, doubled and out of order, sweeps, corrections, letters that bounce, a
tax table that is slow to answer, a clock that is a little off. Each step is done as the world would do it: tried, and
when it fails, tried again later by a new process. What the steps wrote is told by the table's stream, to the functions
that make events, chains and sums of it. After each, the invariants hold; at rest, all that follows has followed.
Faults are drawn by step and try, so that leaving one out leaves the others where they are: that is how a failure is
made short (tests/simulation/shrink.py).
"""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from hashlib import sha256
from random import Random
from typing import Any
from unittest.mock import patch

from botocore.exceptions import BotoCoreError, ClientError

from functions.delivery.reminder_letters import ReminderLetters
from local.gateway.methods import CARDS, IBANS
from local.gateway.moods import Mood
from saldo.accounts.service import Accounts
from saldo.catalog.service import PlanVersions
from saldo.collections.service import Reminders
from saldo.delivery.model import Letter
from saldo.delivery.readers import ChoosingReaders
from saldo.delivery.service import Deliveries
from saldo.delivery.ses import SesMailer
from saldo.insight.invariants import Violation
from saldo.invoicing.corrections import Corrections, CreditRequest
from saldo.invoicing.model import Coupon, PrepaidCredit
from saldo.invoicing.rules_corrections import Reason
from saldo.invoicing.run.bill import Billing, bill_accounts
from saldo.invoicing.run.close import close_run, reconcile_run
from saldo.invoicing.run.issue import issue_invoices
from saldo.invoicing.run.number import number_invoices
from saldo.invoicing.run.open import open_run
from saldo.invoicing.wallets import Wallets
from saldo.kernel.errors import Refusal, Unavailable
from saldo.kernel.periods import add_months
from saldo.orders.model import Item, WaitingItem
from saldo.orders.records import add_item
from saldo.payments.model import Allocation
from saldo.payments.queue import handle_messages
from saldo.payments.service import Payments
from saldo.storage.items import Key, from_attributes
from saldo.storage.units import Unit
from saldo.subscriptions.model import Change, ChangeKind
from saldo.subscriptions.service import Subscriptions
from saldo.tax.table import TableTax, shipped_table
from saldo.usage.accept import AcceptUsage, take_in
from saldo.usage.batch_queue import SqsBatches
from saldo.usage.ingest import Ingest
from saldo.usage.service import UsageTotals
from tests.crashes import Kind
from tests.permissions.gate import acting
from tests.simulation import following
from tests.simulation.auditing import StepAuditor
from tests.simulation.dynamodb import Crash
from tests.simulation.following import left_to_follow
from tests.simulation.promising import Promising
from tests.simulation.region import ENTITY_ID, Region, uncollected
from tests.simulation.streaming import Stream
from tests.simulation.workflows.scenes import CLERK, offer, offer_cycles, open_account, sell
from tests.simulation.world import ADDS_UP, METER, SAVES, VERSION

BEGIN = date(2026, 1, 1)
FAULTS = 0.02
MOST_TRIES = 400
# A part of the accounts is tried again alone, as its message is.
REMINDED_AT_ONCE = 20
_FAILURES = (Crash, Unavailable, ClientError, BotoCoreError)
TAX = TableTax(shipped_table())


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: in which try of which step, at which of its calls, and what."""

    step: str
    attempt: int
    call: int
    kind: Kind


class Broken(AssertionError):  # noqa: N818 - what the simulation says of the world
    """The world is not as it must be. `step`: after which."""

    def __init__(self, step: str, what: str) -> None:
        super().__init__(f"{step}: {what}")
        self.step = step


class SlowTax:
    """The tax table behind a wire: it may not answer."""

    parallel = 1

    def __init__(self, region: Region) -> None:
        self._region = region

    def quote(self, lines: Any, buyer: Any, seller: Any, currency: str = "") -> Any:
        try:
            return self._region.wire.call("QuoteTax", lambda _part: TAX.quote(lines, buyer, seller, currency))
        except (ClientError, BotoCoreError) as error:
            raise Unavailable("the tax service did not answer") from error


class PlainLetters:
    """Letters without a document: what is sent is not looked at here, only how often. Reminders are the real ones,
    which may have nothing to say any more."""

    def __init__(self, reminders: ReminderLetters) -> None:
        self._reminders = reminders

    def letter(self, account_id: str, document_kind: str, document_id: str) -> Letter | None:
        if document_kind == "reminder":
            return self._reminders.letter(account_id, document_id)
        texts = (
            "en",
            "Rheinwerk",
            "billing@rheinwerk.example",
            f"{document_kind} {document_id}",
            "Hello",
            "Please see",
        )
        rest = ((), "Look", "http://localhost:8080/", "Questions?", "Regards", "document.pdf", b"%PDF-")
        return Letter(*texts, *rest)


@dataclass(slots=True)
class Told:
    """What a simulation has done so far."""

    months: int = 0
    steps: int = 0
    calls: int = 0
    failures: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    invoices: int = 0

    def add(self, other: Told) -> None:
        for name in ("months", "steps", "calls", "failures", "invoices"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.faults.update(other.faults)
        self.refusals.update(other.refusals)


class Simulation:
    """One world from one seed. only: the faults that happen (None: as they are drawn); without: steps left out; until:
    the last step of a month that is looked at, after which all ends where it is."""

    def __init__(
        self,
        seed: int,
        subscriptions: int = 100,
        rate: float = FAULTS,
        only: frozenset[Fault] | None = None,
        without: frozenset[str] = frozenset(),
        until: str = "",
    ) -> None:
        self.seed, self.subscriptions, self.rate = seed, subscriptions, rate
        self.only, self.without, self.until = only, without, until
        self.struck: list[Fault] = []
        self.done: list[str] = []
        self.told = Told()
        mood = Mood(seed=seed, late=0.2, twice=0.2, fail=0.2, late_s=3 * 86_400)
        self.region = Region(datetime(2026, 1, 1, 1, tzinfo=UTC), str(seed), mood)
        self._auditor, self._stream = StepAuditor(self.region), Stream(self.region)
        self._step, self._attempt, self._call = "", 0, 0
        self._chance = Random()
        self._skew = timedelta(0)
        self._versions: PlanVersions | None = None

    def run(self, months: int, progress: Callable[[Told], None] | None = None) -> Told:
        """So many months, then rest. Raises Broken at the first step after which the world is not as it must be."""
        with ExitStack() as stack:
            stack.enter_context(self.region.serving())
            stack.enter_context(uncollected())
            for folded in ("saldo.ledger.daily_sums.LONG", "saldo.invoicing.open_sums.LONG"):
                stack.enter_context(patch(folded, following.LONG))
            self._found()
            for month in range(months):
                if not self._month(add_months(BEGIN, month)):
                    return self.told
                self.told.months += 1
                if progress:
                    progress(self.told)
            self._come_to_rest(add_months(BEGIN, months))
        return self.told

    @property
    def print(self) -> str:
        """Of every record and of every call: the same for the same seed."""
        digest = sha256(self.region.wire.print.encode())
        with self.region.undisturbed():
            for item in self.region.store.scan():
                digest.update(repr(sorted(item.items())).encode())
        return digest.hexdigest()

    # -- the month ---------------------------------------------------------------------------------------------------

    def _found(self) -> None:
        offer(self.region)
        offer_cycles(self.region)
        for n in range(self.subscriptions):
            open_account(self.region, n)
            sell(self.region, n, version=(VERSION, ADDS_UP, SAVES)[n % 3])
        self.region.mail.bouncing |= {f"ap{n}@customer.example" for n in range(0, self.subscriptions, 17)}

    def _month(self, first: date) -> bool:
        """Steps of a month, by their day; those of one day in an order drawn from the seed. Whether it goes on."""
        dice = self._dice(f"{first}")
        planned: list[tuple[date, float, str, Callable[[Random], object]]] = []

        def plan(day: int, name: str, act: Callable[[Random], object]) -> None:
            on = first + timedelta(days=day)
            planned.append((on, dice.random(), f"{on} {name}", act))

        for day in (0, dice.randint(8, 20)):
            plan(day, "run", lambda _dice, day=day: self._bill(first + timedelta(days=day)))  # type: ignore[misc]
        for n in range(3):
            plan(dice.randint(1, 27), f"usage {n}", self._use)
        plan(dice.randint(2, 9), "late usage", lambda d: self._use(d, late=True))
        for n in range(2):
            plan(dice.randint(1, 27), f"change {n}", self._change)
        for name, act in (("item", self._sell_item), ("coupon", self._give_coupon), ("credit", self._give_credit)):
            plan(dice.randint(1, 27), name, act)
        for n in range(max(1, self.subscriptions // 8)):
            plan(dice.randint(1, 27), f"pay {n}", self._pay)
        for day in range(1, 28, 3):
            plan(day, "usage queue", self._take_usage_in)
            plan(day, "news", self._take_news)
        for day in (5, 15, 25):
            plan(day, "sweep", self._sweep)
        plan(dice.randint(3, 27), "correction", self._correct)
        for n in range(2):
            plan(dice.randint(1, 27), f"letter {n}", self._deliver)
        for day in (5, 9, 13, 20):
            plan(day, "reminders", self._remind)
        for n in range(max(1, self.subscriptions // 10)):
            plan(dice.randint(1, 27), f"promise {n}", self._promise)
        for day in range(2, 28, 5):
            plan(day, "requests", lambda d: self._promising().decide(d))
        for day in range(1, 28, 2):
            plan(day, "promises", lambda _dice: self._promising().day())
        for on, _, name, act in sorted(planned, key=lambda p: (p[0], p[1], p[2])):
            self._go_to(on)
            self._do(name, act)
            if name == self.until:
                return False
        return True

    def _come_to_rest(self, after: date) -> None:
        """Faults stop; queues, news, sweeps and letters run dry, and everything is as it must be."""
        rate, self.rate = self.rate, 0.0
        only, self.only = self.only, frozenset()
        for n in range(4):
            self._go_to(after + timedelta(days=2 + 9 * n))
            self._do(f"rest {n} usage", self._take_usage_in)
            self._do(f"rest {n} news", self._take_news)
            self._do(f"rest {n} sweep", self._sweep)
            self._do(f"rest {n} letters", self._deliver_rest)
            self._do(f"rest {n} run", lambda _dice: self._bill(self.region.now.date()))
        self._tell(everything=True)
        self.rate, self.only = rate, only
        undone = [*self._auditor.look(at_rest=True), *self._left_waiting(), *left_to_follow(self.region)]
        if undone:
            raise Broken("rest", "; ".join(f"{v.invariant} {v.owner_id}: {v.message}" for v in undone[:5]))

    def _left_waiting(self) -> list[Violation]:
        found = [Violation(25, "queue", f"{len(self.region.queues.waiting)} wait")] * bool(self.region.queues.waiting)
        with self.region.undisturbed():
            late = list(self.region.store.query_all(f"late#{ENTITY_ID}", agenda=True))
            items = self._all_of("parked_event")
        found += [Violation(25, item["pk"], "late usage waits for an invoice") for item in late]
        return found + [Violation(25, item["pk"], f"{item['sk']} is parked") for item in items]

    # -- steps, and how they fail --------------------------------------------------------------------------------------

    def _do(self, name: str, act: Callable[[Random], object]) -> None:
        """A step: tried until it is done, each time by a new process, a while later."""
        if name in self.without:
            return
        self._try(name, act)
        if self._stream.is_due():
            self._tell()

    def _tell(self, *, everything: bool = False) -> None:
        """What the steps until now wrote is told to whoever reads the stream."""
        name = f"{self._step} told"
        if everything or name not in self.without:
            self._try(name, lambda dice: self._stream.hand_out(dice, everything=everything))

    def _try(self, name: str, act: Callable[[Random], object]) -> None:
        self.done.append(name)
        self._step = name
        for attempt in range(MOST_TRIES):
            self._begin(attempt)
            self.region.wire.fault = self._fault
            try:
                act(self._dice(name))
            except _FAILURES:
                self.told.failures += 1
                self.region.restart()
                self.region.now += timedelta(seconds=self._chance.uniform(1, 90))
                self._audit(name)
                continue
            except Refusal as refusal:
                self.told.refusals[refusal.code] += 1
            finally:
                self.region.wire.fault = None
            break
        else:
            raise Broken(name, f"does not get through in {MOST_TRIES} tries")
        self.told.steps += 1
        self._audit(name)

    def _begin(self, attempt: int) -> None:
        self._attempt, self._call = attempt, 0
        self._chance = Random(zlib.crc32(f"{self.seed}/{self._step}/{attempt}".encode()))
        self._skew = timedelta(seconds=self._chance.uniform(-2, 2))
        self._versions = None

    def _fault(self, _number: int, operation: str, when: str) -> object:
        """Whether this call fails, and how: drawn by step, try and call."""
        if when == "before":
            self._call += 1
            self.told.calls += 1
            self._kind = self._drawn(operation)
        kind = self._kind
        if kind is None or kind.side != when:
            return None
        self._kind = None
        self.struck.append(Fault(self._step, self._attempt, self._call, kind))
        self.told.faults[kind.value] += 1
        return kind.strike(operation)

    def _drawn(self, operation: str) -> Kind | None:
        # Trouble passes: a step that reads hundreds of accounts would not get through at the same rate for ever.
        if self.only is None and self._chance.random() >= self.rate / 2 ** (self._attempt // 3):
            return None
        if self.only is not None:
            here = (f for f in self.only if (f.step, f.attempt, f.call) == (self._step, self._attempt, self._call))
            return next((f.kind for f in here), None)
        return self._chance.choice([kind for kind in Kind if kind.happens_to(operation)])

    def _audit(self, name: str) -> None:
        wrong = self._auditor.look()
        if wrong:
            raise Broken(name, "; ".join(f"{v.invariant} {v.owner_id}: {v.message}" for v in wrong[:5]))

    def _dice(self, name: str) -> Random:
        """The step's own chance, which no fault changes."""
        return Random(f"{self.seed}/{name}")

    def _go_to(self, on: date) -> None:
        """The first hour of a day; what was written before has been told by then."""
        then = datetime(on.year, on.month, on.day, 4, tzinfo=UTC)
        if then > self.region.now:
            self._tell()
            self.region.now = then

    def _clock(self) -> datetime:
        return self.region.now + self._skew

    def _account(self, dice: Random) -> tuple[str, str]:
        n = dice.randrange(self.subscriptions)
        return f"acct_eu_{n:06d}", f"sub_{n:06d}"

    # -- what is done --------------------------------------------------------------------------------------------------

    def _billing(self) -> Billing:
        store = self.region.store
        self._versions = self._versions or PlanVersions(store)
        return Billing(store, self._versions, UsageTotals(store), SlowTax(self.region))

    def _bill(self, on: date) -> None:
        """The state machine's execution; a step that fails is repeated alone, as Step Functions does."""
        store, clock = self.region.store, self._clock
        attempt = self._stubborn("open_run", lambda: open_run(store, clock, ENTITY_ID, on.isoformat()))
        run_id, number = attempt.run_id, attempt.number
        for batch in attempt.batches:
            self._stubborn("bill_accounts", partial(self._bill_batch, run_id, number, batch))
        batches = self._stubborn("number_invoices", lambda: number_invoices(store, clock, run_id, number))
        for batch in batches:
            self._stubborn("issue_invoices", partial(issue_invoices, store, clock, run_id, number, batch))
        self._stubborn("reconcile_run", lambda: reconcile_run(store, run_id, number))
        closed = self._stubborn("close_run", lambda: close_run(store, clock, run_id, number))
        self.told.invoices += closed.invoices

    def _bill_batch(self, run_id: str, number: int, batch: int) -> object:
        return bill_accounts(self._billing(), run_id, number, batch)

    def _stubborn(self, step: str, act: Callable[[], Any]) -> Any:
        """Three tries under the step's role, then the execution dies, and the step begins anew."""
        for _ in range(2):
            try:
                with acting(step):
                    return act()
            except _FAILURES:
                self.told.failures += 1
                self._versions = None
                self._audit(self._step)
        with acting(step):
            return act()

    def _use(self, dice: Random, *, late: bool = False) -> None:
        """A batch for some customers, in time or of the month before; parts of it come again in later batches."""
        today = self.region.now.date()
        events = []
        for n in range(dice.randint(1, max(2, self.subscriptions // 4))):
            account_id, _ = self._account(dice)
            day = add_months(date(today.year, today.month, 1), -1 if late else 0)
            at = datetime(day.year, day.month, dice.randint(1, 27) if late else dice.randint(1, today.day), tzinfo=UTC)
            at = max(at, datetime(2026, 1, 1, tzinfo=UTC))
            fields = {"specversion": "1.0", "source": "app", "id": f"{self._step}/{n}", "type": "usage"}
            said = {"meter": METER.id, "value": dice.randint(1, 900)}
            events.append(
                fields | {"id": fields["id"].replace(" ", "_"), "subject": account_id, "time": at.isoformat()}
            )
            events[-1]["data"] = said
        if dice.random() < 0.2:
            events.append({**events[0], "id": f"bad_{len(events)}", "subject": "acct_eu_nobody"})
        queue = SqsBatches(self.region.client("sqs"), "usage")
        accepting = AcceptUsage(self.region.store, queue, self._clock)
        with acting("accept_usage"):
            accepting.accept_batch(ENTITY_ID, "app", json.dumps(events + events[:1]))

    def _take_usage_in(self, dice: Random) -> None:
        """The queue hands batches out in any order, some twice; what fails stays on it."""
        waiting = [body for queue, body in self.region.queues.waiting if queue == "usage"]
        dice.shuffle(waiting)
        ingest = Ingest(self.region.store, self._clock)
        for body in waiting:
            for _ in range(2 if dice.random() < 0.2 else 1):
                with acting("ingest_usage"):
                    take_in(ingest, json.loads(body))
            self.region.queues.waiting.remove(("usage", body))

    def _change(self, dice: Random) -> None:
        account_id, subscription_id = self._account(dice)
        on = self.region.now.date() + timedelta(days=dice.randint(-20, 20))
        name = self._step.replace(" ", "_")
        change = Change(name, ChangeKind.QUANTITY, on, quantities={"seats": Decimal(dice.randint(1, 20))})
        kind = dice.random()
        if kind < 0.1:
            change = Change(name, ChangeKind.CANCEL, on)
        elif kind < 0.3:  # cycles that go on begin anew
            change = Change(name, dice.choice([ChangeKind.PAUSE, ChangeKind.RESUME, ChangeKind.RESUME]), on)
        Subscriptions(self.region.store, self._clock).change(account_id, subscription_id, change, CLERK)

    def _sell_item(self, dice: Random) -> None:
        account_id, _ = self._account(dice)
        price = Decimal(dice.randint(-2000, 20000)) / 100
        item = Item(f"i{self._step.replace(' ', '_')}", {"en": "Work"}, price, tax_category="digital_service")
        waiting = WaitingItem(account_id, ENTITY_ID, item, self.region.now.date(), "staff")
        self.region.store.write_one(add_item(Unit("sell"), waiting))

    def _give_coupon(self, dice: Random) -> None:
        account_id, _ = self._account(dice)
        percent = Decimal(dice.choice([5, 10, 33]))
        coupon = Coupon(f"c{self._step.replace(' ', '_')}", {"en": "Thanks"}, percent=percent)
        Wallets(self.region.store, self._clock).add_coupon(account_id, coupon, CLERK)

    def _give_credit(self, dice: Random) -> None:
        account_id, _ = self._account(dice)
        on = self.region.now.date()
        ends = on + timedelta(days=dice.randint(1, 60)) if dice.random() < 0.5 else None
        name = f"p{self._step.replace(' ', '_')}"
        credit = PrepaidCredit(name, dice.randint(1, 9000), on, expires_on=ends, paid=dice.random() < 0.2)
        Wallets(self.region.store, self._clock).grant(account_id, credit, CLERK)

    def _payments(self) -> Payments:
        return Payments(self.region.store, self.region.gateway, self._clock)

    def _pay(self, dice: Random) -> None:
        """A payer pays all or a part, by card or debit; what the form sends may be sent again."""
        account_id, _ = self._account(dice)
        if dice.random() < 0.6:
            account_id = self._promising().somebody(self.subscriptions, dice) or account_id
        found = self.region.store.query_all(f"open#{account_id}", agenda=True)
        owed = [(i["invoice_id"], i["open_minor"]) for i in found if i["open_minor"] > 0]
        key, method = f"form {self._step}", dice.choice([*CARDS, *IBANS])
        if not owed:
            return
        part = dice.random() < 0.2
        wanted = [Allocation(i, max(1, minor // 2) if part else minor) for i, minor in owed[:4]]
        known = self.region.store.get(account_id, "account")
        assert known is not None
        reason = "the rest is disputed" if part else ""
        with acting("portal"):
            payment = self._promising().pay_with_credit(
                account_id, wanted, key, "http://localhost/{payment_id}", reason
            )
        if payment and payment.gateway_ref:
            if method in IBANS:
                self.region.book.pay_by_debit(payment.gateway_ref, method, self.region.now)
            else:
                self.region.book.pay_by_card(payment.gateway_ref, method, self.region.now)

    def _promising(self) -> Promising:
        return Promising(self.region, self._clock, self._payments())

    def _promise(self, dice: Random) -> None:
        self._promising().promise(self._account(dice)[0], f"form {self._step}", dice)

    def _take_news(self, dice: Random) -> None:
        """Webhooks as the gateway's mood has them: late, lost, twice; and the queue behind them in any order."""
        book, now = self.region.book, self.region.now
        book.let_time_pass(now)
        for delivery in book.due_deliveries(now, 500):
            if delivery.lost > 0:
                book.not_delivered(delivery, now + timedelta(hours=6) if delivery.tries < 3 else None)
                continue
            again = now + timedelta(days=1) if delivery.copies > 0 else None
            self.region.queues.waiting.append(("gateway", delivery.body.decode()))
            book.delivered(delivery, now, again)
        bodies = [body for queue, body in self.region.queues.waiting if queue == "gateway"]
        dice.shuffle(bodies)
        for body in bodies:
            with acting("gateway_events"):
                handled = handle_messages(self._payments(), [{"messageId": "m", "body": body}], now)
            if handled.again:
                raise Unavailable("handed back")
            self.region.queues.waiting.remove(("gateway", body))

    def _sweep(self, _dice: Random) -> None:
        with acting("sweep_payments"):
            self._payments().sweep()

    def _correct(self, dice: Random) -> None:
        """Staff take back some of an invoice."""
        account_id, _ = self._account(dice)
        found = self.region.store.query_all(account_id, prefix="invoice#", consistent=True)
        issued = [i for i in found if i["number"] and i["document"] == "invoice" and i["total_minor"] > 100]
        if not issued:
            return
        one = dice.choice(issued)
        asked = CreditRequest(
            account_id,
            one["invoice_id"],
            "".join(c for c in self._step if c.isalnum()),
            Reason.PRICE,
            CLERK,
            net_minor=dice.randint(1, max(1, one["net_minor"] // 2)),
        )
        Corrections(self.region.store, self._clock, SlowTax(self.region)).credit(asked)

    def _deliveries(self) -> Deliveries:
        store = self.region.store
        mailer = SesMailer(self.region.client("sesv2"), "billing@rheinwerk.example")
        there = Accounts(store, self.region.sealer(), self._clock)
        reminding = ReminderLetters(Reminders(store, self._clock), there, self._clock, "http://localhost:8080")
        letters = PlainLetters(reminding)
        readers = ChoosingReaders(store, self.region.sealer(), self._clock, "http://localhost:8080")
        return Deliveries(store, there, letters, mailer, self._clock, readers)

    def _deliver(self, dice: Random) -> None:
        account_id, _ = self._account(dice)
        found = self.region.store.query_all(account_id, prefix="invoice#", consistent=True)
        issued = [i["invoice_id"] for i in found if i["number"]]
        if issued:
            self._send(account_id, issued[-1])

    def _all_of(self, kind: str) -> list[dict[str, Any]]:
        """Every record of a kind. One look at the table, of which only these are read."""
        stored = self.region.records.scan(TableName="records")["Items"]
        return [from_attributes(one) for one in stored if one["kind"]["S"] == kind]

    def _remind(self, dice: Random) -> None:
        """The letters of a day; some events of them come late or twice, when what they ask for may be paid."""
        reminders = Reminders(self.region.store, self._clock)

        def everybody() -> list[Key]:
            return list(reminders.due(ENTITY_ID, reminders.day(ENTITY_ID)))

        due = self._stubborn("issue_reminders", everybody)
        for n in range(0, len(due), REMINDED_AT_ONCE):
            part = due[n : n + REMINDED_AT_ONCE]
            self._stubborn("issue_reminders", partial(reminders.remind, ENTITY_ID, "", part))
        for _ in range(2):
            account_id, _ = self._account(dice)
            for item in self.region.store.query(account_id, prefix="reminder#", newest_first=True, limit=1).items:
                self._send(account_id, item["reminder_id"], "reminder")

    def _send(self, account_id: str, document_id: str, kind: str = "invoice") -> None:
        try:
            with acting("delivery"):
                self._deliveries().deliver(account_id, kind, document_id)
        except Unavailable:
            self.region.now += timedelta(minutes=20)  # the queue waits before it hands the message out again
            raise

    def _deliver_rest(self, _dice: Random) -> None:
        with self.region.undisturbed():
            items = self._all_of("delivery")
        for item in items:
            if item["status"] in ("queued", "unknown"):
                self.region.now += timedelta(minutes=20)
                self._send(item["account_id"], item["document_id"], item["document_kind"])
