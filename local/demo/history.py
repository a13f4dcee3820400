"""Four months of business: what was used, what was billed by real runs, what was paid and what was not."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta

from local.demo.customers import Contract, Habit
from local.stack import LocalStack
from saldo.accounts.model import Account
from saldo.audit.model import job
from saldo.exchange.service import ExchangeRates
from saldo.invoicing.records import InvoiceHeader, header_from
from saldo.invoicing.run.starter import RunStarter
from saldo.kernel.clock import Clock, instant_text
from saldo.kernel.periods import add_months
from saldo.payments.imports import already_imported, imported_settlement
from saldo.storage.store import Store
from saldo.usage.ingest_rows import UsageRow

MONTHS = 4
_RUN_LIMIT_S = 120
_BANK = job("bank_transfers")


def first_day(anchor: date) -> date:
    """The day business began: the first of the month, three months before the month of `anchor`."""
    return add_months(anchor.replace(day=1), 1 - MONTHS)


def run_days(anchor: date) -> list[date]:
    """The 1st and the 15th of each month from the first day up to `anchor`."""
    months = [add_months(first_day(anchor), n) for n in range(MONTHS)]
    return [day for month in months for day in (month, month.replace(day=15)) if day <= anchor]


def usage_rows(account: Account, contract: Contract, anchor: date) -> Iterator[UsageRow]:
    """What an account used, day by day up to the day before `anchor`; the same each time."""
    meters = {"starter": ("pages",), "team": ("pages", "exports"), "scale": ("calls",), "annual": ()}
    chance = random.Random(contract.key)  # noqa: S311 - made-up usage, the same each time
    number, day = 0, first_day(anchor)
    while day < anchor:
        weekday = day.weekday() < 5
        for meter in meters[contract.plan.split("_")[0]]:
            for _ in range(1 if meter != "exports" else chance.randint(0, 2)):
                number += 1
                value = chance.randint(10, 60) * contract.scale * (40 if meter == "calls" else 1)
                second = chance.randint(7 * 3600, 19 * 3600)
                yield _row(account, number, meter, day, second, value if weekday else value // 5)
        day += timedelta(days=1)


def _row(account: Account, number: int, meter: str, day: date, second: int, value: int) -> UsageRow:
    at = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(seconds=second)
    fields = {
        "source": "lumen-reader",
        "id": f"{meter}-{day:%Y%m%d}-{number:05d}",
        "account_id": account.id,
        "meter": meter,
        "at": instant_text(at),
        "value": str(value),
    }
    return UsageRow(number, json.dumps(fields), fields)


def bill(stack: LocalStack, entity_id: str, days: Sequence[date], clock: Clock) -> None:
    """Run the deployed state machine for each day, one after the other; RuntimeError when one fails."""
    client = stack.client("stepfunctions")
    starter = RunStarter(client, stack.state_machine_arn, clock)
    for day in days:
        arn = starter.start(entity_id, day.isoformat())
        until = time.monotonic() + _RUN_LIMIT_S
        while (told := client.describe_execution(executionArn=arn))["status"] == "RUNNING":
            if time.monotonic() > until:
                raise RuntimeError(f"the run of {entity_id} as of {day} takes more than {_RUN_LIMIT_S} s")
            time.sleep(0.1)
        if told["status"] != "SUCCEEDED":
            raise RuntimeError(f"the run of {entity_id} as of {day} failed: {told.get('cause') or told.get('error')}")


def settle(store: Store, account: Account, habit: Habit, anchor: date, clock: Clock) -> None:
    """Book the bank transfers of an account up to the day before `anchor`; what is booked already stays as it is."""
    items = store.query_all(account.id, prefix="invoice#", consistent=True)
    issued = sorted((h for h in map(header_from, items) if h.number), key=lambda h: (h.issued_on, h.number))
    rates = ExchangeRates(store)
    units = [
        imported_settlement(header, minor, on, f"transfer:{header.number}", _BANK, clock(), rates)
        for header, minor, on in _transfers(issued, habit)
        if on < anchor
    ]
    lost = [c.unit for unit in units for c in store.write([unit]) if not already_imported(c)]
    if lost:
        raise RuntimeError(f"invoices changed while their payments were booked: {', '.join(lost)}")


def _transfers(issued: Sequence[InvoiceHeader], habit: Habit) -> Iterator[tuple[InvoiceHeader, int, date]]:
    """Which invoice was paid how much on which day."""
    for i, header in enumerate(issued):
        days = {Habit.LATE: 41}.get(habit, 9)
        if habit is Habit.STOPPED and i > 0:
            return
        partly = habit is Habit.PARTLY and i == len(issued) - 2
        minor = header.total_minor * 2 // 5 if partly else header.total_minor
        if habit is Habit.PARTLY and i == len(issued) - 1:
            return
        yield header, minor, header.issued_on + timedelta(days=days)
