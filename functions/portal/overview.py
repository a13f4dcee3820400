"""All accounts together, and the overview of one."""

from __future__ import annotations

from functions.portal import services
from functions.portal.answers import Answer, see_other
from functions.portal.endpoint import LOOKING_TOO, Routes, roles
from functions.portal.pages import page
from functions.portal.presenters.overview import overview, together
from functions.portal.presenters.overview_across import MOST_ACCOUNTS, across
from functions.portal.presenters.tour import tour_of
from functions.portal.visit import Visit
from saldo.access.rules import READERS
from saldo.invoicing import open_list
from saldo.invoicing.open_sums import OPEN_SUMS, standing, standing_of
from saldo.invoicing.records import OPEN_LIST
from saldo.ledger.records import BALANCE, balances_from
from saldo.payments.lately import latest
from saldo.payments.records import PAYMENTS
from saldo.promises.reading import promises_by_id, promises_of

routes = Routes("overview")


@routes.get("/accounts", LOOKING_TOO)
def accounts(visit: Visit) -> Answer:
    seats = visit.who.seats
    if len(seats) == 1 and not visit.asked("all"):
        return see_other(f"/accounts/{seats[0].account_id}")
    store = services.store().within(*(s.account_id for s in seats))
    found = store.get_many([(s.account_id, BALANCE) for s in seats])
    balances = {key[0]: balances_from(item) for key, item in found.items()}
    return page(visit, "accounts", view=together(seats, balances, visit.words))


@routes.get("/invoices", LOOKING_TOO)
def invoices(visit: Visit) -> Answer:
    """What is open in all of the reader's accounts, of a bounded number of them. What is open is always in sight."""
    seats = sorted(visit.who.seats, key=lambda seat: seat.name.casefold())
    ids = [seat.account_id for seat in seats[:MOST_ACCOUNTS]]
    owed = open_list.of_accounts(services.store().within(*ids), ids)
    found = [(seat, owed[seat.account_id]) for seat in seats[:MOST_ACCOUNTS]]
    view = across(found, len(seats) - len(found), visit.asked("status") == "overdue", visit.now, visit.words)
    return page(visit, "invoices_across", view=view)


@routes.get("/accounts/{account_id}", roles(READERS, ahead=(BALANCE, OPEN_LIST, OPEN_SUMS, PAYMENTS)))
def account(visit: Visit) -> Answer:
    seat, store = visit.account, visit.records.remembering()
    paid = latest(store, seat.account_id)
    kept = open_list.kept_of(store, seat.account_id)
    owed = standing(store, seat.account_id, visit.today) if kept is None else standing_of(kept, visit.today)
    known = owed.promised
    promised = promises_of(store, seat.account_id) if known is None else promises_by_id(store, seat.account_id, known)
    view = overview(owed, paid, promised, visit.home, visit.today, seat.time_zone, visit.words)
    tour = None if visit.who.acting else tour_of(visit.asked("tour"), seat, visit.who.toured, visit.home, visit.words)
    return page(visit, "overview", view=view, tour=tour, tab="overview")
