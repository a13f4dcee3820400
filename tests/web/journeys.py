"""The everyday work of seven people, each written once and done in every mode (person.py)."""

from __future__ import annotations

from collections.abc import Callable

from functions.portal import services
from local.gateway.methods import CARDS
from saldo.invoicing.reading import open_rows
from saldo.payments.model_approvals import ApprovalPolicy, Level
from tests.contexts.sellers import CLERK
from tests.functions.portal import scenes
from tests.web.journeys_of_plans import keeps_a_list, planner
from tests.web.journeys_of_staff import collector, support
from tests.web.office import HOME, PASSWORD, Office, invoice
from tests.web.person import Person


def pays_at_the_provider(office: Office, somebody: Person, amount: str) -> None:
    """On the provider's own page, which hands back to ours; nothing is called paid before the provider's news."""
    somebody.presses(f"Go on to pay {amount}")
    _types_the_card(somebody, "zahlen")
    somebody.sees("is not finished")
    office.news()
    somebody.follows("Check again")
    somebody.sees(f"We have received {amount}")


def _types_the_card(somebody: Person, button: str) -> None:
    """The provider speaks the account's language."""
    for label, typed in (("Kartennummer", CARDS[0].number), ("Gültig bis", "04/30"), ("Prüfziffer", "123")):
        somebody.fills(label, typed)
    somebody.presses(button)


def viewer(office: Office) -> None:
    """Finds an invoice, takes it and the statement away as files, and asks for help."""
    vera = office.customer("viewer")
    vera.sees("You owe €20,706.77, of which €7,859.77 is overdue.")
    vera.picks_from_menu("Invoices")
    vera.does_not_see("Pay selected")
    vera.fills("Number", "27418")
    vera.presses("Filter")
    vera.follows(invoice("27418"))
    vera.sees("API calls", "Total", "39 days late")
    assert vera.downloads("Download PDF").startswith(b"%PDF-")
    _takes_the_statement_away(vera)
    _asks_for_help(vera)


def _takes_the_statement_away(vera: Person) -> None:
    vera.picks_from_menu("Statement")
    vera.fills("From", "2026-08-01")
    vera.fills("To", "2026-11-23")
    vera.presses("Show")
    vera.sees("Opening balance", "20,706.77")
    assert invoice("27418").encode() in vera.downloads("CSV")


def _asks_for_help(vera: Person) -> None:
    vera.picks_from_menu("Help")
    vera.unfolds("Can I pay only a part?")
    vera.sees("Change the amount beside the invoice and say why.")
    vera.follows("Write to the seller")
    vera.chooses("What it is about", "An invoice")
    vera.fills("Subject", "Line 2 of October")
    vera.presses("Send")
    vera.sees("Write a message")
    vera.fills("Your message", "What are these calls?")
    vera.presses("Send")
    vera.sees("Line 2 of October", "Waits for an answer")


def approver(office: Office) -> None:
    """Agrees to one payment of a colleague, declines another, names who stands in."""
    policy = ApprovalPolicy({"EUR": (Level(100_000),)})
    services.approvals().set_policy(scenes.NORTH, policy, CLERK, "the customer's rules")
    office.portal.give_codes("payer", "en")
    paul, arne = office.customer("payer"), office.customer("approver")
    for number in ("24418", "32418"):
        paul.picks_from_menu("Invoices")
        paul.follows(invoice(number))
        paul.follows("Pay €")
        paul.presses("Continue")
        paul.sees("Before this payment starts, 1 person must approve it.")
        paul.presses("Go on to pay")
        paul.sees("Waits for")
    _agrees_to_one_and_declines_the_other(arne)
    _names_a_stand_in(arne)


def _agrees_to_one_and_declines_the_other(arne: Person) -> None:
    arne.picks_from_menu("Approvals")
    arne.follows("23 Nov 2026")
    arne.presses("Agree to")
    arne.sees("Agreed")
    arne.picks_from_menu("Approvals")
    _first_waiting(arne)
    arne.fills("Why you decline", "Wrong cost centre")
    arne.presses("Decline")
    arne.sees("Declined")


def _names_a_stand_in(arne: Person) -> None:
    arne.picks_from_menu("Approvals")
    arne.chooses("Who stands in for you", "Vera Lenz")
    arne.fills("First day", "2026-11-30")
    arne.fills("Last day", "2026-11-24")
    arne.presses("Save")
    arne.sees("There is a problem")
    arne.fills("First day", "2026-11-24")
    arne.fills("Last day", "2026-11-30")
    arne.presses("Save")
    arne.sees("Vera Lenz approves in your place from 24 Nov 2026 to 30 Nov 2026.")
    arne.presses("End this")
    arne.sees("Nobody stands in for you any more.")


def _first_waiting(somebody: Person) -> None:
    rows = somebody.page.locator("main tbody tr", has_text="Waiting")
    somebody.goes(str(rows.first.get_by_role("link").get_attribute("href")))


def payer(office: Office) -> None:
    """Pays one, several, a part with a reason, from a list, later, by a rule; disputes a line and pays the rest."""
    office.portal.give_codes("payer", "en")
    paul = office.customer("payer")
    _pays_one(office, paul)
    _pays_several_and_a_part(office, paul)
    _disputes_a_line_and_pays_the_rest(office, paul)
    _stores_a_method(office, paul)
    _has_it_collected(paul)
    _pays_later(paul)
    _pays_from_a_list(paul)


def _pays_one(office: Office, paul: Person) -> None:
    paul.picks_from_menu("Invoices")
    paul.follows(invoice("28318"))
    paul.follows("Pay €239.00")
    paul.presses("Continue")
    paul.sees("Check before you pay", "Nothing has been paid yet.")
    pays_at_the_provider(office, paul, "€239.00")
    assert paul.downloads("Download receipt").startswith(b"%PDF-")


def _pays_several_and_a_part(office: Office, paul: Person) -> None:
    paul.picks_from_menu("Invoices")
    for number in ("25318", "24418"):
        paul.marks(f"Select {invoice(number)}")
    if paul.mode.script:
        paul.sees("2 invoices · €2,900.70")
    paul.presses("Pay selected")
    paul.fills(f"Amount to pay of {invoice('24418')} in EUR", "1000.00")
    paul.presses("Continue")
    paul.sees("Say why you pay less than is open")
    paul.fills("Reason for paying less", "Goods came damaged")
    paul.presses("Continue")
    paul.sees("then still open: 1,660.70", "Goods came damaged")
    paul.presses("Change")
    paul.presses("Continue")
    pays_at_the_provider(office, paul, "€1,240.00")
    paul.sees("Goods came damaged", invoice("24418"))


def _disputes_a_line_and_pays_the_rest(office: Office, paul: Person) -> None:
    paul.picks_from_menu("Invoices")
    paul.follows(invoice("27418"))
    paul.follows("Dispute")
    paul.presses("Continue")
    paul.sees("Say what is wrong.")
    paul.chooses("Reason", "Price")
    paul.marks("Dispute Platform, team plan")
    paul.fills("What is wrong", "We agreed on less")
    paul.presses("Continue")
    paul.sees("Nothing has been sent yet.", "We agreed on less")
    paul.presses("Send and pay")
    paul.presses("Continue")
    pays_at_the_provider(office, paul, "€1,862.94")
    paul.picks_from_menu("Invoices")
    paul.follows("Disputes")
    paul.follows(invoice("27418"))
    paul.sees("With the seller")


def _stores_a_method(office: Office, paul: Person) -> None:
    paul.picks_from_menu("Payments")
    paul.follows("Payment methods")
    paul.sees("No payment method is stored.")
    paul.follows("Add a payment method")
    paul.presses("Go on to the payment provider")
    _types_the_card(paul, "Karte hinterlegen")
    office.news()
    paul.picks_from_menu("Payments")
    paul.follows("Payment methods")
    paul.sees("Visa •••• 4242", "Default")


def _has_it_collected(paul: Person) -> None:
    paul.picks_from_menu("Payments")
    paul.follows("Autopay")
    paul.follows("Set up autopay")
    paul.marks("Some days before the due date")
    paul.fills("Days before the due date", "99")
    paul.presses("Continue")
    paul.sees("Enter 1 to 60 days before the due date")
    paul.fills("Days before the due date", "3")
    paul.presses("Continue")
    paul.sees("Each invoice is collected 3 days before its due date from Visa •••• 4242.")
    paul.presses("Collect by this rule")
    paul.sees("Autopay follows this rule from now on.")
    paul.follows("What comes next")
    paul.sees("17 Dec 2026", invoice("32418"), "It is disputed.")


def _pays_later(paul: Person) -> None:
    paul.picks_from_menu("Invoices")
    paul.follows(invoice("22218"))
    paul.follows("Pay €241.00")
    paul.presses("Continue")
    paul.marks("Visa •••• 4242")
    paul.fills("Pay on a later day", "2026-12-01")
    paul.presses("Pay €241.00")
    paul.sees("The payment is scheduled.", "1 Dec 2026")
    paul.presses("Cancel")
    paul.sees("The payment will not start.")


def _pays_from_a_list(paul: Person) -> None:
    paul.picks_from_menu("Invoices")
    paul.follows(invoice("22218"))
    paul.follows("Pay €241.00")
    paul.follows("Pay from a list")
    paul.fills("Rows as CSV", "RW-2026-1,100,EUR")
    paul.presses("Continue")
    paul.sees("1 row cannot be paid as it is. Nothing has been paid.")
    paul.fills("Rows as CSV", f"{invoice('22218')},241.00,EUR")
    paul.presses("Continue")
    paul.sees(invoice("22218"), "1 invoice · €241.00" if paul.mode.script else "Open invoices")
    paul.presses("Continue")
    paul.sees("Check before you pay", "Total €241.00")


def admin(office: Office) -> None:
    """Looks after people, limits, a subscription and the pay link, and reads what happened."""
    office.portal.give_codes("admin")
    rieke = office.customer("admin")
    rieke.goes(HOME)
    keeps_a_list(rieke)
    rieke.picks_from_menu("People")
    rieke.follows("Invite a colleague")
    rieke.fills("Name", "Lena Falk")
    rieke.fills("E-mail address", "lena@kontor.example")
    rieke.marks("Payer")
    rieke.presses("Continue")
    rieke.presses("Send the invitation")
    rieke.sees("The invitation is on its way.", "Lena Falk")
    _changes_a_role_and_says_who_she_is(office, rieke)
    _sets_a_limit(rieke)
    _changes_the_subscription(rieke)
    _moves_the_company(rieke)
    _takes_the_pay_link_back(rieke)
    _allows_the_seller_to_look(rieke)
    rieke.goes(HOME)
    rieke.picks_from_menu("Activity")
    rieke.sees(
        "Invitation sent",
        "Role of a colleague changed",
        "Limit set",
        "Pay link revoked",
        "Subscription changed",
        "Billing details changed",
        "Message to the seller",
    )
    rieke.does_not_see("Another change")
    assert b"Invitation sent" in rieke.downloads("CSV")


def _takes_the_pay_link_back(rieke: Person) -> None:
    newest = max(open_rows(services.store(), scenes.NORTH), key=lambda r: r.open_minor)
    assert services.pay_links().token(scenes.NORTH, newest.invoice_id)  # as the mail of the invoice carries it
    rieke.picks_from_menu("Invoices")
    rieke.follows(newest.number)
    rieke.presses("Revoke the link")
    rieke.presses("Allow a new link")


def _allows_the_seller_to_look(rieke: Person) -> None:
    rieke.follows("Profile", within="header")
    rieke.follows("Open")
    rieke.chooses("For how long", "8 hours")
    rieke.presses("Allow")
    rieke.sees("Allowed until")


def _changes_a_role_and_says_who_she_is(office: Office, rieke: Person) -> None:
    office.portal.clock.advance(minutes=6)
    rieke.follows("Vera Lenz")
    rieke.presses("Continue")
    rieke.sees("Choose what should change")
    rieke.marks("Payer")
    rieke.presses("Continue")
    rieke.fills("Password", PASSWORD)
    rieke.fills("6-digit code", "000000")
    rieke.presses("Change")
    rieke.fills("Password", PASSWORD)
    rieke.fills("6-digit code", office.portal.code())
    rieke.presses("Change")
    rieke.sees("Saved.")


def _sets_a_limit(rieke: Person) -> None:
    rieke.picks_from_menu("Usage")
    rieke.fills("Limit", "much")
    rieke.presses("Continue")
    rieke.sees("Enter an amount")
    rieke.fills("Limit", "600")
    rieke.presses("Continue")
    rieke.presses("Set this limit")
    rieke.sees("The limit is set.", "Next invoice before tax: €600.00")


def _changes_the_subscription(rieke: Person) -> None:
    """What it costs is told to the cent before."""
    rieke.picks_from_menu("Subscriptions")
    rieke.follows("Team monthly")
    rieke.fills("Seats", "8")
    rieke.marks("From today")
    rieke.presses("See what it costs")
    rieke.sees("Check the change", "€8.00")
    rieke.presses("Confirm the change")
    rieke.sees("The change is on record.")


def _moves_the_company(rieke: Person) -> None:
    """What it does is told before, and an invoice that is out is to be corrected."""
    rieke.picks_from_menu("Billing details")
    rieke.follows("Change billing details")
    rieke.fills("Town or city", "")
    rieke.fills("Tax number", "DE123456789")
    rieke.presses("Continue")
    rieke.sees("Fill in “Town or city”", "This is not a tax number of this country")
    rieke.fills("Street and number", "Elbchaussee 1\nHinterhaus")
    rieke.fills("Town or city", "Hamburg")
    rieke.fills("Tax number", "DE136695976")
    rieke.presses("Continue")
    rieke.sees(
        "Elbchaussee 1, Hinterhaus", "Open and paid invoices stay as they are.", "checked with the public register"
    )
    rieke.marks(invoice("32418"))
    rieke.presses("Change the details")
    rieke.sees("the seller has your wish for corrections", "Tax number not checked yet")


JOURNEYS: dict[str, Callable[[Office], None]] = {
    "viewer": viewer,
    "approver": approver,
    "payer": payer,
    "admin": admin,
    "collector": collector,
    "support": support,
    "planner": planner,
}
