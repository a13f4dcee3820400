"""Letters of promises: an instalment comes, was missed, the promise is broken; and what the seller decided."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from saldo.access.notes import News, NoteKind, add_news
from saldo.access.telling import TellPayers, Values
from saldo.documents.wording import wording
from saldo.kernel.clock import Clock
from saldo.kernel.ids import fingerprint
from saldo.promises.model import Promise, Stands
from saldo.storage.sealing import Sealer
from saldo.storage.store import Store
from saldo.storage.units import Unit

_NEWS_FOR = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Telling:
    """Adds letters to the units of what they tell of."""

    store: Store
    sealer: Sealer
    clock: Clock

    def decided(self, unit: Unit, promise: Promise) -> None:
        """To who asked: that there is an answer."""
        now, note_id = self.clock(), f"note_{fingerprint(promise.id, promise.state.value)}"
        news = News(note_id, NoteKind.PROMISE_DECIDED, _path(promise, whole=True), now, now + _NEWS_FOR)
        add_news(unit, promise.account_id, promise.made_by, news, self.store, self.sealer)

    def coming(self, unit: Unit, promise: Promise, one: Stands, on: date) -> None:
        """To all who pay; `on`: the day by which it is to come, or is charged."""
        kind = NoteKind.INSTALMENT_CHARGED if promise.method_id else NoteKind.INSTALMENT_DUE
        self._add(unit, promise, kind, str(one.number), _of(promise, one.left_minor, on))

    def missed(self, unit: Unit, promise: Promise, one: Stands) -> None:
        """With the day until which it can still come."""
        until = one.on + timedelta(days=promise.grace_days)
        self._add(unit, promise, NoteKind.INSTALMENT_MISSED, str(one.number), _of(promise, one.left_minor, until))

    def broken(self, unit: Unit, promise: Promise, left_minor: int) -> None:
        at = promise.history[-1].at.date()
        self._add(unit, promise, NoteKind.PROMISE_BROKEN, "", _of(promise, left_minor, at))

    def _add(self, unit: Unit, promise: Promise, kind: NoteKind, key: str, values: Values) -> None:
        tell, account_id = TellPayers(self.store, self.sealer, self.clock), promise.account_id
        tell.add(unit, account_id, kind, f"{promise.id}/{key}", _path(promise), values)


def _path(promise: Promise, *, whole: bool = False) -> str:
    return f"/accounts/{promise.account_id}/plans/{promise.id}" if whole else f"plans/{promise.id}"


def _of(promise: Promise, minor: int, on: date) -> Values:
    def values(language: str, country: str) -> dict[str, str]:
        words = wording(language, country)
        return {"amount": words.money(minor, promise.currency), "at": words.day(on)}

    return values
