"""What a user's saved views may be."""

from __future__ import annotations

from dataclasses import replace

from saldo.access.model_views import SavedView
from saldo.kernel.errors import NotFound, Problems, Refusal

MOST_VIEWS, MOST_NAME, MOST_QUERY = 50, 40, 300
Views = tuple[SavedView, ...]


def with_view(views: Views, view: SavedView) -> Views:
    """The views with this one added, or in place of the one with its id; a default takes that from the others.

    Refusal `invalid_view` names every field at fault; `too_many_views`.
    """
    known, name = any(v.id == view.id for v in views), " ".join(view.name.split())
    _check(views, replace(view, name=name))
    if not known and len(views) >= MOST_VIEWS:
        raise Refusal("too_many_views", f"there are {MOST_VIEWS} views already; remove one first")
    others = [_no_default(v) if view.is_default and v.account_id == view.account_id else v for v in views]
    placed = [replace(view, name=name) if v.id == view.id else v for v in others]
    return tuple(placed if known else [*placed, replace(view, name=name)])


def _check(views: Views, view: SavedView) -> None:
    problems = Problems()
    others = {v.name.casefold() for v in views if v.account_id == view.account_id and v.id != view.id}
    if not 0 < len(view.name) <= MOST_NAME or not view.name.isprintable():
        problems.add("name", "view_name", f"a name has 1 to {MOST_NAME} characters")
    elif view.name.casefold() in others:
        problems.add("name", "view_name_taken", "another view has this name")
    if not 0 < len(view.query) <= MOST_QUERY:
        problems.add("query", "view_query", "there is nothing to save, or too much")
    problems.refuse_if_any("this view cannot be saved", "invalid_view")


def _no_default(view: SavedView) -> SavedView:
    return replace(view, is_default=False)


def without_view(views: Views, view_id: str, account_id: str) -> Views:
    """NotFound when this account has no such view."""
    view_of(views, view_id, account_id)
    return tuple(v for v in views if v.id != view_id)


def view_of(views: Views, view_id: str, account_id: str) -> SavedView:
    """NotFound when this account has no such view."""
    found = next((v for v in views if (v.id, v.account_id) == (view_id, account_id)), None)
    if found is None:
        raise NotFound("no such view")
    return found


def default_view(views: Views, account_id: str) -> SavedView | None:
    return next((v for v in views if v.account_id == account_id and v.is_default), None)
