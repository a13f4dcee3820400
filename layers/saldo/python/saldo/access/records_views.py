"""How saved views lie in the table: `<user>` / `table_views`, all of a user's, and a copy in each of their sessions.

The sort key lies between `session#` and `user`, so that the range which begins a session has it.
"""

from __future__ import annotations

from collections.abc import Iterable

from saldo.access.model_views import SavedView
from saldo.access.rules_views import Views
from saldo.storage.items import Item, Key

TABLE_VIEWS = "table_views"


def table_views_key(user_id: str) -> Key:
    return user_id, TABLE_VIEWS


def table_views_item(user_id: str, views: Views, revision: int) -> Item:
    pk, sk = table_views_key(user_id)
    return {"pk": pk, "sk": sk, "kind": TABLE_VIEWS, "revision": revision, "views": view_items(views)}


def view_items(views: Views) -> list[Item]:
    return [{name: getattr(view, name) for name in SavedView.__dataclass_fields__} for view in views]


def views_from(items: Iterable[Item]) -> Views:
    return tuple(SavedView(**item) for item in items)


def views_among(items: Iterable[Item]) -> tuple[Views, int]:
    """The views in a range of a user's records, and their revision; 0 when there never were any."""
    found = next((item for item in items if item["sk"] == TABLE_VIEWS), None)
    return (views_from(found["views"]), found["revision"]) if found else ((), 0)
