"""The everyday work of six people, each written once and done in every mode (person.py)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from functions.portal import services
from local.gateway.methods import CARDS
from local.gateway.server import GatewayProcess
from saldo.audit.model import Actor
from saldo.invoicing.reading import open_rows
from saldo.payments.model_approvals import ApprovalPolicy, Level
from saldo.payments.webhooks import event_from
from saldo.support.model import Topic
from saldo.support.service import Question, Support
from tests.contexts.sellers import CLERK, ENTITY
from tests.functions.portal import scenes
from tests.functions.portal.conftest import Portal
from tests.functions.portal.identity import totp
from tests.web.looking import Mode
from tests.web.person import Person

HOME = f"/accounts/{scenes.NORTH}"
PASSWORD = scenes.PASSWORD


@dataclass
class Office:
    """Where they meet: the portal, its gateway, and a browser. Each person has a window of their own."""

    url: str
    portal: Portal
    chromium: Any
    axe: str
    mode: Mode
    provider: GatewayProcess
    people: list[Person] = field(default_factory=list)

    def person(self, name: str) -> Person:
        context = self.chromium.new_context(locale="en-US", bypass_csp=True, **self.mode.context)
        page = context.new_page()
        made = Person(page, self.url, self.mode, self.axe, name)
        self.people.append(made)
        return made

    def customer(self, who: str) -> Person:
        """Somebody of Kontor Nord, signed in with all they have."""
        somebody, known = self.person(who), self.portal.identity.people[scenes.PEOPLE[who].email]
        somebody.goes("/sign-in")
        somebody.fills("E-mail address", scenes.PEOPLE[who].email)
        somebody.fills("Password", PASSWORD)
        somebody.presses("Sign in")
        if known.secret:
            somebody.fills("6-digit code", self.portal.code())
            somebody.presses("Continue")
        return somebody

    def clerk(self, who: str) -> Person:
        """Somebody of the seller: password and code, whose key the first sign-in tells."""
        somebody = self.person(f"staff {who}")
        somebody.goes("/staff/sign-in")
        somebody.fills("E-mail address", scenes.STAFF[who][0].email)
        somebody.fills("Password", PASSWORD)
        somebody.presses("Sign in")
        secret = somebody.page.locator("input[name=secret]").get_attribute("value")
        secret = secret or self.portal.staff_identity.people[scenes.STAFF[who][0].email].secret
        somebody.fills("6-digit code", totp(secret, self.portal.clock().timestamp()))
        somebody.presses("Continue")
        return somebody

    def news(self) -> None:
        """What the provider has to tell arrives."""
        book, now = self.provider.book, self.portal.clock()
        for delivery in book.due_deliveries(now, 100):
            book.delivered(delivery, now, None)
            services.payments().handle_event(event_from(delivery.body))


def invoice(number: str) -> str:
    """The number of one of Kontor Nord's invoices, by the end of it."""
    return f"RW-2026-{number}"


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
    vera.picks_from_menu("Statement")
    vera.fills("From", "2026-08-01")
    vera.fills("To", "2026-11-23")
    vera.presses("Show")
    vera.sees("Opening balance", "20,706.77")
    assert invoice("27418").encode() in vera.downloads("Download CSV")
    vera.picks_from_menu("Help")
    vera.unfolds("Can I pay only a part?")
    vera.sees("Change the amount beside the invoice and say why.")
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
    arne.picks_from_menu("Approvals")
    arne.follows("23 Nov 2026")
    arne.presses("Agree to")
    arne.sees("Agreed")
    arne.picks_from_menu("Approvals")
    _first_waiting(arne)
    arne.fills("Why you decline", "Wrong cost centre")
    arne.presses("Decline")
    arne.sees("Declined")
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
    newest = max(open_rows(services.store(), scenes.NORTH), key=lambda r: r.open_minor)
    assert services.pay_links().token(scenes.NORTH, newest.invoice_id)  # as the mail of the invoice carries it
    rieke.picks_from_menu("Invoices")
    rieke.follows(newest.number)
    rieke.presses("Revoke the link")
    rieke.presses("Allow a new link")
    rieke.follows("Profile", within="header")
    rieke.follows("Open")
    rieke.chooses("For how long", "8 hours")
    rieke.presses("Allow")
    rieke.sees("Allowed until")
    rieke.goes(HOME)
    rieke.picks_from_menu("Activity")
    rieke.sees(
        "Invitation sent", "Role of a colleague changed", "Limit set", "Pay link revoked", "Subscription changed"
    )
    rieke.does_not_see("Another change")
    assert b"Invitation sent" in rieke.downloads("Export as CSV")


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
    clara.follows("Look as the customer does")
    clara.fills("Why", "They asked about RW-2026-32418")
    clara.presses("Begin")
    clara.sees("You owe €20,706.77")
    clara.picks_from_menu("Invoices")
    clara.follows(invoice("32418"))
    clara.does_not_see("Pay €")
    clara.presses("Stop looking", within="body")
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
    """Takes a ticket on, answers it, sees what is late stand first, and settles feedback."""
    desk = Support(services.store(), services.sealer(), services.clock)
    asks = office.portal.user_id("payer")
    for n, (topic, subject) in enumerate(((Topic.INVOICE, "Which line?"), (Topic.FEEDBACK, "A darker blue"))):
        question = Question(f"tkt_{n}", topic, subject, "Please tell us.", f"{HOME}/invoices")
        desk.ask(scenes.NORTH, question, Actor(asks, "user"))
    susi = office.clerk("support")
    susi.picks_from_menu("Tickets")
    susi.sees("Which line?", "An invoice, normal", "A darker blue")
    susi.follows("Which line?")
    susi.chooses("Priority", "urgent")
    susi.presses("Take it on")
    susi.sees("urgent", "Susi Sand")
    susi.presses("Send")
    susi.sees("Write a message")
    susi.fills("Reply", "The second one.")
    susi.presses("Send")
    susi.sees("The second one.", "Answered")
    susi.picks_from_menu("Tickets")
    susi.follows("A darker blue")
    susi.presses("This is settled")
    susi.does_not_see("A darker blue")
    desk.ask(scenes.NORTH, Question("tkt_9", Topic.PAYMENT, "Still waiting", "Hello?"), Actor(asks, "user"))
    office.portal.clock.advance(days=7)
    assert desk.escalate(ENTITY) == ["tkt_9"]
    susi = office.clerk("support")
    susi.picks_from_menu("Tickets")
    susi.sees("Still waiting", "A payment, urgent", "Late")


JOURNEYS: dict[str, Callable[[Office], None]] = {
    "viewer": viewer,
    "approver": approver,
    "payer": payer,
    "admin": admin,
    "collector": collector,
    "support": support,
}
