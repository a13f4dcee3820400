"""Lets time pass and delivers webhooks: signed, with patience, and as badly as the mood says."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from random import Random
from threading import Event, Thread
from urllib.parse import urlsplit

from local.gateway.book import Book, Delivery
from saldo.kernel.clock import Clock
from saldo.payments.webhooks import SIGNATURE_HEADER, signed_with_each

_MOST_TRIES = 40
_LONGEST_WAIT_S = 600
_TIMEOUT_S = 10.0
_TICK_S = 1.0


class Courier:
    """One thread that delivers what is due. `targets`: region code → webhook address."""

    def __init__(self, book: Book, targets: Mapping[str, str], secrets: Sequence[bytes], clock: Clock) -> None:
        self._book, self._targets, self._secrets, self._clock = book, dict(targets), list(secrets), clock
        self._wake, self._over = Event(), Event()
        self._thread = Thread(target=self._work, name="courier", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout=_TIMEOUT_S + 1)

    def wake(self) -> None:
        """There is news: deliver it now rather than at the next tick."""
        self._wake.set()

    def _work(self) -> None:
        while not self._over.is_set():
            try:
                busy = self.round() > 0
            except Exception as error:  # the courier must outlive a bad moment of the disk
                print(f"gateway: {type(error).__name__} in the courier; trying again", flush=True)
                time.sleep(_TICK_S)
                busy = False
            if not busy:
                self._wake.wait(_TICK_S)
                self._wake.clear()

    def round(self) -> int:
        """Let time pass, then try each delivery that is due once; returns how many were tried."""
        self._book.let_time_pass(self._clock())
        due = self._book.due_deliveries(self._clock())
        for delivery in due:
            if self._over.is_set():
                break
            self._deliver(delivery)
        return len(due)

    def _deliver(self, delivery: Delivery) -> None:
        now = self._clock()
        if delivery.lost == 0 and self._accepted(delivery, now):
            again = now + timedelta(seconds=_jitter(delivery)) if delivery.copies > 0 else None
            self._book.delivered(delivery, now, again)
            return
        wait = min(2.0**delivery.tries, _LONGEST_WAIT_S)
        self._book.not_delivered(delivery, now + timedelta(seconds=wait) if delivery.tries < _MOST_TRIES else None)

    def _accepted(self, delivery: Delivery, now: datetime) -> bool:
        target = urlsplit(self._targets.get(delivery.region, ""))
        if not target.hostname:
            return False
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            SIGNATURE_HEADER: signed_with_each(delivery.body, self._secrets, now),
        }
        make = HTTPSConnection if target.scheme == "https" else HTTPConnection
        connection = make(target.hostname, target.port, timeout=_TIMEOUT_S)
        try:
            connection.request("POST", target.path or "/", delivery.body, headers)
            answer = connection.getresponse()
            answer.read(10_000)
            return 200 <= answer.status < 300
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()


def _jitter(delivery: Delivery) -> float:
    """Seconds until an event is delivered once more; follows from the event, so that a bad day can be had again."""
    return Random(delivery.number * 10 + delivery.copies).uniform(0.1, 3.0)  # noqa: S311 - moods, not secrets
