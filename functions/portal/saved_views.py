"""Saved views of the list of invoices: a name for its address, kept per user and account."""

from __future__ import annotations

from urllib.parse import parse_qs

from functions.portal import services
from functions.portal.answers import Answer, see_other
from functions.portal.endpoint import Routes, roles
from functions.portal.pages import page
from functions.portal.presenters.invoice_lists import query_of, wish_from
from functions.portal.visit import Visit
from saldo.access.model_views import SavedView
from saldo.access.rules import READERS
from saldo.access.rules_views import MOST_NAME, view_of
from saldo.kernel.errors import Refusal
from saldo.kernel.ids import check_id, new_id

routes = Routes("saved_views")
_ALL = "/accounts/{account_id}/invoices/views"
_ONE = _ALL + "/{view_id}"


@routes.get(_ALL + "/new", roles(READERS))
def new(visit: Visit) -> Answer:
    """The query of this address is what will be saved."""
    return _form(visit, SavedView("", visit.account.account_id, "", query_of(wish_from(visit.query))))


@routes.post(_ALL, roles(READERS))
def add(visit: Visit) -> Answer:
    query = query_of(wish_from(parse_qs(visit.sent("query")[:1000])))
    return _saved(visit, new_id("view", visit.now), query)


@routes.get(_ONE, roles(READERS))
def change(visit: Visit) -> Answer:
    return _form(visit, _view(visit))


@routes.post(_ONE, roles(READERS))
def save(visit: Visit) -> Answer:
    view = _view(visit)
    return _saved(visit, view.id, view.query)


@routes.post(_ONE + "/remove", roles(READERS))
def remove(visit: Visit) -> Answer:
    services.saved_views().remove(visit.who, visit.account.account_id, _view(visit).id)
    return see_other(f"{visit.home}/invoices?all=1")


def _view(visit: Visit) -> SavedView:
    return view_of(visit.who.views, check_id(visit.params["view_id"], "view"), visit.account.account_id)


def _saved(visit: Visit, view_id: str, query: str) -> Answer:
    view = SavedView(view_id, visit.account.account_id, visit.sent("name"), query, bool(visit.sent("default")))
    try:
        services.saved_views().save(visit.who, view)
    except Refusal as refusal:
        if refusal.code == "too_many_views":
            return _form(visit, view, [("name", visit.words("problem.too_many_views"))])
        if not refusal.problems:
            raise
        return _form(visit, view, [(p.field, visit.words(f"problem.{p.code}")) for p in refusal.problems])
    return see_other(f"{visit.home}/invoices?{query}")


def _form(visit: Visit, view: SavedView, problems: list[tuple[str, str]] | None = None) -> Answer:
    known = any(v.id == view.id for v in visit.who.views)
    values = {"view": view, "known": known, "most": MOST_NAME, "problems": problems or [], "tab": "invoices"}
    return page(visit, "saved_view", status=422 if problems else 200, **values)
