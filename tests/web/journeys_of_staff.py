"""The everyday work of two people of the seller."""

from __future__ import annotations

from functions.portal import services
from saldo.audit.model import Actor
from saldo.invoicing.reading import open_rows
from saldo.support.model import Topic
from saldo.support.service import Question, Support
from tests.contexts.sellers import ENTITY
from tests.functions.portal import scenes
from tests.functions.portal.conftest import Portal
from tests.web.office import HOME, Office, invoice
from tests.web.person import Person


def collector(office: Office) -> None:
    """Works a queue, finds a customer, looks for them by consent, and proposes a credit for a dispute."""
    _consents_and_disputes(office.portal)
    clara = office.clerk("collector")
    clara.sees("Disputes", "1")
    clara.picks_from_menu("Customers")
    clara.fills("Search", "kontor nor")
    clara.presses("Find")
    clara.follows("Kontor Nord GmbH")
    clara.follows("What happened")
    clara.sees("Kontor Nord GmbH")
    _looks_as_the_customer_does(clara)
    _proposes_a_credit(clara)


def _looks_as_the_customer_does(clara: Person) -> None:
    clara.follows("Look as the customer does")
    clara.fills("Why", "They asked about RW-2026-32418")
    clara.presses("Begin")
    clara.looks()
    clara.sees("You owe €20,706.77")
    clara.picks_from_menu("Invoices")
    clara.follows(invoice("32418"))
    clara.does_not_see("Pay €")
    clara.presses("Stop looking", within="body")


def _proposes_a_credit(clara: Person) -> None:
    clara.picks_from_menu("Disputes")
    clara.follows(invoice("32418"))
    clara.fills("Your message", "We look into it")
    clara.presses("Send message")
    clara.fills("Amount with tax", "2000.00")
    clara.chooses("Reason", "Wrong price")
    clara.fills("Why", "Agreed by phone")
    clara.presses("Continue")
    clara.sees("This takes a second person.", "€2,000.00")
    clara.presses("Ask a second person")
    clara.sees("Credit being agreed")


def _consents_and_disputes(portal: Portal) -> None:
    """What the customer did before."""
    browser = portal.signed_in("admin")
    browser.get(f"{HOME}/consent")
    assert browser.post(f"{HOME}/consent", {"hours": "8"}).status == 303
    row = max(open_rows(services.store(), scenes.NORTH), key=lambda r: r.open_minor)
    form = f"{HOME}/invoices/{row.invoice_id}/dispute"
    browser.get(form)
    checked = browser.post(f"{form}/check", {"reason": "price", "words": "We agreed on less"})
    hidden = {k: v for k, v in checked.hidden().items() if k != "form_key"}
    assert browser.post(form, {**hidden, "then": "show"}).status == 303


def support(office: Office) -> None:
    """Takes a ticket on, answers it, changes billing details at a customer's wish, sees what is late stand first, and
    settles feedback."""
    _asked(office, "tkt_1", Topic.INVOICE, "Which line?")
    _asked(office, "tkt_2", Topic.FEEDBACK, "A darker blue")
    susi = office.clerk("support")
    susi.picks_from_menu("Tickets")
    susi.sees("Which line?", "An invoice, normal", "A darker blue")
    _takes_on_and_answers(susi)
    susi.picks_from_menu("Tickets")
    susi.follows("A darker blue")
    susi.presses("This is settled")
    susi.does_not_see("A darker blue")
    _changes_billing_details(susi)
    desk = _asked(office, "tkt_9", Topic.PAYMENT, "Still waiting")
    office.portal.clock.advance(days=7)
    assert "tkt_9" in desk.escalate(ENTITY)
    susi = office.clerk("support")
    susi.picks_from_menu("Tickets")
    susi.sees("Still waiting", "A payment, urgent", "Late")


def _changes_billing_details(susi: Person) -> None:
    susi.goes(f"/staff/{ENTITY}/accounts/{scenes.NORTH}")
    susi.follows("Contact")
    susi.follows("Change billing details")
    susi.fills("Purchase order number", "PO-7")
    susi.marks("Only in the portal")
    susi.presses("Continue")
    susi.sees("Say why")
    susi.fills("Who asked for it, and how", "Ms Harms, by phone")
    susi.presses("Continue")
    susi.sees("PO-7", "Invoices are no longer mailed", "Ms Harms, by phone")
    susi.marks(invoice("32418"))
    susi.presses("Change the details")
    susi.sees("wie gewünscht", invoice("32418"), "Susi Sand")  # the customer's own language
    _bills_it_again(susi)


def _bills_it_again(susi: Person) -> None:
    susi.follows("Customer")
    susi.follows(invoice("32418"))
    susi.sees("Bill again with the details of now")
    susi.fills("Who asked for it, and how", "Ms Harms, by phone")
    susi.presses("See what it comes to")
    susi.sees("New invoice with tax", "This takes a second person.")


def _asked(office: Office, ticket_id: str, topic: Topic, subject: str) -> Support:
    desk = Support(services.store(), services.sealer(), services.clock)
    question = Question(ticket_id, topic, subject, "Please tell us.", f"{HOME}/invoices")
    desk.ask(scenes.NORTH, question, Actor(office.portal.user_id("payer"), "user"))
    return desk


def _takes_on_and_answers(susi: Person) -> None:
    susi.follows("Which line?")
    susi.chooses("Priority", "urgent")
    susi.presses("Take it on")
    susi.sees("urgent", "Susi Sand")
    susi.presses("Send")
    susi.sees("Write a message")
    susi.fills("Reply", "The second one.")
    susi.presses("Send")
    susi.sees("The second one.", "Answered")
