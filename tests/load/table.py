"""The table in a process of its own, so that what the functions take is theirs alone: memory, CPU and calls.

It is the table of the simulator (`tests/simulation/dynamodb.py`), shown equal to an independent emulator on random
operations. An emulator over HTTP would spend most of the machine on HTTP; this one costs a pickle a call.
"""

from __future__ import annotations

import time
from datetime import date
from multiprocessing.connection import Client, Connection, Listener
from threading import Thread
from typing import Any

from botocore.exceptions import ClientError

from saldo.storage import schema
from saldo.storage.store import Store
from tests.simulation.dynamodb import Bill, MemoryDynamoDB
from tests.simulation.world import founding_items

_ASIDE = {"found", "take_bill", "stop"}


class Table:
    """What the process of the table does: DynamoDB's calls, and a few that nobody is billed for."""

    def __init__(self) -> None:
        self.records = MemoryDynamoDB(schema.AGENDA_FIELDS)

    def found(self, accounts: int, started_on: date) -> None:
        """A seller with so many customers."""
        Store(self.records, "records").put_many(list(founding_items(accounts, started_on)))  # type: ignore[arg-type]
        self.take_bill()

    def take_bill(self) -> tuple[Bill, float]:
        """What was called since this was last asked, and the CPU seconds of this process so far."""
        bill, self.records.bill = self.records.bill, Bill()
        self.records.changed.clear()
        return bill, time.process_time()


def serve(path: str) -> None:
    """Answer until somebody says stop."""
    table = Table()
    with Listener(path, "AF_UNIX") as listener:
        while True:
            caller = listener.accept()
            Thread(target=_answer, args=(table, caller, listener), daemon=True).start()


def _answer(table: Table, caller: Connection, listener: Listener) -> None:
    while True:
        try:
            operation, arguments = caller.recv()
        except EOFError:
            return
        target = table if operation in _ASIDE else table.records
        try:
            caller.send((getattr(target, operation)(**arguments), None))
        except ClientError as error:
            caller.send((None, (error.response, error.operation_name)))


class RemoteTable:
    """The table as a process of functions has it: boto3's client, as far as `Store` uses it."""

    exceptions = MemoryDynamoDB.exceptions

    def __init__(self, path: str) -> None:
        self._line = Client(path, "AF_UNIX")

    def __getattr__(self, operation: str) -> Any:
        def call(**arguments: Any) -> Any:
            self._line.send((operation, arguments))
            answer, refused = self._line.recv()
            if refused:
                raise ClientError(*refused)
            return answer

        return call
