"""Use cases of saved views: a user keeps a list's address under a name, per account, in all sessions they have."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from saldo.access import records, rules
from saldo.access.model import Session
from saldo.access.model_views import SavedView
from saldo.access.records_views import table_views_item, view_items, views_among
from saldo.access.rules_views import Views, view_of, with_view, without_view
from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.kernel.clock import Clock, instant_from
from saldo.kernel.errors import Refusal
from saldo.storage.items import Item
from saldo.storage.store import Store
from saldo.storage.units import Unit

_MOST_TRIES = 4
# Sessions that hear of a change at once; of more, the oldest know it when they begin anew.
_MOST_SESSIONS = 40
_MARGIN = timedelta(minutes=1)


class SavedViews:
    """Of one region's users. `store` is the region's, not narrowed to a customer."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def save(self, session: Session, view: SavedView) -> None:
        """Add the view, or change the one with its id. Refusal `invalid_view`, `too_many_views`."""
        self._change(session, view.account_id, view.id, "view.saved", lambda views: with_view(views, view))

    def remove(self, session: Session, account_id: str, view_id: str) -> None:
        """NotFound when there is no such view."""
        self._change(
            session, account_id, view_id, "view.removed", lambda views: without_view(views, view_id, account_id)
        )

    def get(self, session: Session, account_id: str, view_id: str) -> SavedView:
        return view_of(session.views, view_id, account_id)

    def _change(
        self, session: Session, account_id: str, view_id: str, action: str, changed: Callable[[Views], Views]
    ) -> None:
        """The user's views and those in their sessions, in one unit. Refusal `not_found`, `changed_meanwhile`."""
        for _ in range(_MOST_TRIES):
            last = records.user_key(session.user_id)[1]
            items = list(self._store.query_all(session.user_id, first=records.OWN_SESSIONS, last=last, consistent=True))
            views, revision = views_among(items)
            new = changed(views)
            made = table_views_item(session.user_id, new, revision + 1)
            unit = Unit(f"views of {session.user_id}")
            unit = unit.put(made, when={"revision": revision}) if revision else unit.insert(made)
            for digest in self._living(items):
                unit.update(records.session_key(digest), set={"views": view_items(new)}, exists=True)
            actor = Actor(session.user_id, "user", address=session.origin.address)
            after = {"account_id": account_id, "views": len(new)}
            told = AuditRecord(session.user_id, self._clock(), actor, action, view_id, after=after)
            if self._store.write_one(unit.put(audit_item(told))) is None:
                return
        raise Refusal("changed_meanwhile", "the views were changed at the same time; try again")

    def _living(self, items: list[Item]) -> list[str]:
        """Digests of the user's latest sessions; those about to be over are left out, as they may vanish any moment."""
        since = self._clock() - rules.ABSOLUTE + _MARGIN
        own = [i for i in items if i["kind"] == "own_session" and instant_from(i["began_at"]) > since]
        own.sort(key=lambda i: str(i["began_at"]), reverse=True)
        return [records.summary_from(i).digest for i in own[:_MOST_SESSIONS]]
