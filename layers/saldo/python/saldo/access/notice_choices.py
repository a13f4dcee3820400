"""What people chose to be told of, and how far they have read. `<user>` / `notices`, one item a person.

Nothing in it is personal: kinds of notices, yes or no, and an instant.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from saldo.access.links import LinkPurpose, is_ours, link_from, token_of
from saldo.access.model_notices import NoticeChoices, NoticeKind, Way
from saldo.access.records import user_key
from saldo.access.rules_notices import can_choose
from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.kernel.clock import Clock, instant_from, instant_text
from saldo.kernel.errors import Refusal
from saldo.storage.items import Item, Key
from saldo.storage.sealing import Sealer
from saldo.storage.store import Store
from saldo.storage.units import Unit

_NAMES = {f"{way}_{kind}": (kind, way) for kind in NoticeKind for way in Way if can_choose(kind, way)}


def choices_key(user_id: str) -> Key:
    return user_id, "notices"


def choices_from(item: Item | None) -> NoticeChoices:
    if item is None:
        return NoticeChoices()
    chosen = {what: bool(item[name]) for name, what in _NAMES.items() if name in item}
    return NoticeChoices(chosen, instant_from(item["read_until"]) if "read_until" in item else None)


class ChosenNotices:
    """Choices of a region's people. `store` is the region's."""

    def __init__(self, store: Store, sealer: Sealer, clock: Clock) -> None:
        self._store, self._sealer, self._clock = store, sealer, clock

    def of(self, user_id: str) -> NoticeChoices:
        return choices_from(self._store.get(*choices_key(user_id)))

    def of_many(self, user_ids: Iterable[str]) -> dict[str, NoticeChoices]:
        """By user; one call for a hundred."""
        keys = [choices_key(user_id) for user_id in user_ids]
        found = self._store.get_many(keys)
        return {key[0]: choices_from(found.get(key)) for key in keys}

    def choose(self, user_id: str, chosen: Mapping[tuple[NoticeKind, Way], bool], actor: Actor) -> None:
        """Put these on record, leave others as they are. Refusal `notice_required` for what cannot be switched."""
        if not all(can_choose(*what) for what in chosen):
            raise Refusal("notice_required", "this notice cannot be switched off")
        fields = {f"{way}_{kind}": wanted for (kind, way), wanted in chosen.items()}
        unit = Unit(f"notices of {user_id}").update(choices_key(user_id), set={"kind": "notices", **fields})
        record = AuditRecord(user_id, self._clock(), actor, "notices.chosen", user_id, after=fields)
        self._store.write_one(unit.put(audit_item(record)))

    def read_until(self, user_id: str, at: datetime) -> None:
        """Everything up to then has been read; never less than before."""
        known = self.of(user_id).read_until
        if known is None or at > known:
            fields = {"kind": "notices", "read_until": instant_text(at)}
            self._store.write_one(Unit(f"read of {user_id}").update(choices_key(user_id), set=fields))

    # -- the link that switches one kind of mail off ----------------------------------------------------------------

    def stop_token(self, organisation_id: str, user_id: str, kind: NoticeKind) -> str:
        """For the address in a mail: works without signing in, for this person and this kind of mail alone."""
        return token_of(self._sealer, organisation_id, LinkPurpose.STOP_MAIL, user_id, kind.value)

    def stopped_by(self, token: str) -> tuple[str, NoticeKind]:
        """Whose mail of which kind a token stops; changes nothing. Refusal `link_invalid`."""
        link = link_from(token)
        kind = next((k for k in NoticeKind if link and k.value == link.id), None)
        if link is not None and kind is not None and can_choose(kind, Way.EMAIL):
            user = self._store.get(*user_key(link.owner_id))
            if user and is_ours(self._sealer, user["organisation_id"], LinkPurpose.STOP_MAIL, link):
                return link.owner_id, kind
        raise Refusal("link_invalid", "this link does not work")

    def stop(self, token: str, correlation_id: str = "", address: str = "") -> NoticeKind:
        """Switch that kind of mail off, and nothing else; again and again comes to the same. Refusal `link_invalid`."""
        user_id, kind = self.stopped_by(token)
        self.choose(user_id, {(kind, Way.EMAIL): False}, Actor(user_id, "user", correlation_id, address))
        return kind
