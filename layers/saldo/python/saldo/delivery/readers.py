"""Implements `ports.Readers` on an account's people and what each of them chose."""

from __future__ import annotations

from collections.abc import Sequence

from saldo.access.model_notices import NoticeKind, Way
from saldo.access.model_people import Member
from saldo.access.model_visibility import Document, Visibility
from saldo.access.notice_choices import ChosenNotices
from saldo.access.records_people import people_of
from saldo.access.rules_notices import RULES, can_choose, wants
from saldo.access.rules_visibility import visibility_from
from saldo.delivery.model import Reader
from saldo.kernel.clock import Clock
from saldo.storage.sealing import Sealer
from saldo.storage.store import Store

STOP_PATH = "/unsubscribe/"
# A copy carries the document, so it goes only where people may take that away.
_CARRIES = {NoticeKind.INVOICE_READY: Document.INVOICE, NoticeKind.PAYMENT_SUCCEEDED: Document.RECEIPT}


class ChoosingReaders:
    """`origin`: the portal's own."""

    def __init__(self, store: Store, sealer: Sealer, clock: Clock, origin: str) -> None:
        self._store, self._sealer, self._clock, self._origin = store, sealer, clock, origin
        self._chosen = ChosenNotices(store, sealer, clock)

    def of(self, account_id: str, kinds: Sequence[NoticeKind]) -> Sequence[Reader]:
        """Three calls: the account, its people, what they chose."""
        account = self._store.get(account_id, "account")
        visibility = visibility_from(account.get("visibility")) if account else None
        people = people_of(self._store, self._sealer, account_id, self._clock()).members
        able = [m for m in people if m.email and not m.suspended]
        chosen = self._chosen.of_many(m.user_id for m in able)

        def wanted(member: Member, seen: Visibility) -> frozenset[NoticeKind]:
            choices = chosen[member.user_id]
            fit = (k for k in kinds if member.role in RULES[k].roles and wants(choices, k, Way.EMAIL))
            return frozenset(k for k in fit if k not in _CARRIES or seen.allows(_CARRIES[k]))

        found = [(m, wanted(m, visibility)) for m in able] if visibility else []
        return [Reader(m.user_id, m.email, theirs) for m, theirs in found if theirs]

    def wants(self, reader_id: str, kind: NoticeKind) -> bool:
        return wants(self._chosen.of(reader_id), kind, Way.EMAIL)

    def stop_url(self, account_id: str, reader_id: str, kind: NoticeKind) -> str:
        if not can_choose(kind, Way.EMAIL):
            return ""
        account = self._store.get(account_id, "account")
        organisation_id = account["organisation_id"] if account else ""
        return f"{self._origin}{STOP_PATH}{self._chosen.stop_token(organisation_id, reader_id, kind)}"
