"""Putting off what cannot be paid now, and a list of invoices as somebody likes it."""

from __future__ import annotations

from datetime import timedelta

from tests.functions.portal import scenes
from tests.web.office import Office, invoice
from tests.web.person import Person

FIRST = (scenes.TODAY + timedelta(days=10)).isoformat()


def planner(office: Office) -> None:
    """Asks for a plan that the seller has to agree to, takes it back, promises a shorter one and cancels that."""
    office.portal.give_codes("payer", "en")
    paul = office.customer("payer")
    _asks_for_a_plan(paul)
    _promises_and_cancels(paul)
    keeps_a_list(paul)


def _asks_for_a_plan(paul: Person) -> None:
    paul.picks_from_menu("Invoices")
    paul.follows("Promises and plans")
    paul.sees("Nothing is promised.")
    paul.follows("Promise a payment")
    paul.marks(f"Promise invoice {invoice('27418')}")
    paul.fills("First day", FIRST)
    paul.fills("Instalments", "0")
    paul.presses("Continue")
    paul.sees("There is a problem")
    paul.fills("Instalments", "4")
    paul.presses("Continue")
    paul.sees("Nothing has been promised yet.", "The seller has to agree to this:")
    paul.presses("Ask the seller")
    paul.sees("Plan of 4 instalments", "The seller has to decide.")
    paul.presses("Take back the request")
    paul.sees("It was taken back.")


def _promises_and_cancels(paul: Person) -> None:
    paul.picks_from_menu("Invoices")
    paul.follows(invoice("32418"))
    paul.follows("Promise to pay later")
    paul.fills("First day", FIRST)
    paul.fills("Instalments", "3")
    paul.chooses("How far apart", "A week")
    paul.presses("Continue")
    paul.sees("3 Dec 2026", "17 Dec 2026", "Total €12,847.00")
    paul.presses("Change")
    paul.presses("Continue")
    paul.presses("Promise payment")
    paul.sees("Plan of 3 instalments", "Nobody reminds you of these invoices while it is kept.")
    paul.follows(invoice("32418"))
    paul.sees("Nobody reminds you of it until then.")
    paul.follows("Show the promise")
    paul.presses("Cancel the promise")
    paul.picks_from_menu("Invoices")
    paul.follows("Promises and plans")
    paul.sees("Cancelled")


def keeps_a_list(somebody: Person) -> None:
    """What is ticked goes along into other lists and is added up; a list is kept under a name."""
    somebody.picks_from_menu("Invoices")
    somebody.chooses("Status", "Overdue")
    somebody.presses("Filter")
    somebody.marks(f"Select {invoice('24418')}")
    if not somebody.mode.script:
        somebody.presses("Add up")
    somebody.sees("1 invoice · €2,660.70")
    somebody.follows("Open", within="thead")
    assert "sort=open_minor" in somebody.page.url
    somebody.sees("1 invoice · €2,660.70")
    somebody.chooses("Status", "Paid")
    somebody.presses("Filter")
    somebody.does_not_see(invoice("24418"))
    somebody.sees("1 invoice · €2,660.70")
    somebody.follows("Save this view")
    somebody.fills("Name", "Paid ones")
    somebody.presses("Save")
    somebody.sees("Paid ones")
    somebody.follows("Change this view")
    somebody.presses("Remove this view")
    somebody.does_not_see("Paid ones")
