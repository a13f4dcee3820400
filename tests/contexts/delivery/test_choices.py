"""Mail obeys what people chose: copies of their own, no mail of a kind, and a link in it that ends that kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from urllib.parse import urlsplit

import pytest

from saldo.access.model import Grant, Role, User
from saldo.access.model_notices import NoticeKind, Way
from saldo.access.model_visibility import Document, SelfService, Visibility
from saldo.access.notes import News, NoteKind, add_news
from saldo.access.notice_choices import ChosenNotices
from saldo.access.records import user_item
from saldo.access.records_people import member_key, write_members
from saldo.access.visibility import VisibilityRules
from saldo.delivery.mail import message
from saldo.delivery.model import DeliveryStatus, Letter
from saldo.delivery.ports import NotAccepted
from saldo.delivery.service import Deliveries
from saldo.kernel.errors import Unavailable
from saldo.storage.units import Unit
from tests.contexts.conftest import Region
from tests.contexts.documents.scenes import INVOICE, PAYMENT, Scene, scene
from tests.contexts.sellers import ACCOUNT, CLERK, ORGANISATION

VERA, PAUL = "user_vera", "user_paul"
NOTE = "note_1"


@dataclass
class Post:
    """Keeps the letters it carries; refuses those for whoever is named."""

    taken: list[tuple[Letter, tuple[str, ...]]] = field(default_factory=list)
    refuses: str = ""

    def send(self, letter: Letter, recipients: Sequence[str], document_id: str) -> str:
        if self.refuses in recipients:
            raise NotAccepted("busy")
        self.taken.append((letter, tuple(recipients)))
        return f"message-{len(self.taken)}"

    @property
    def to(self) -> list[str]:
        return [address for _, recipients in self.taken for address in recipients]


@dataclass
class Office:
    scene: Scene
    post: Post
    deliveries: Deliveries
    chosen: ChosenNotices

    def copies(self, kind: str = "invoice", document_id: str = INVOICE) -> list[str]:
        self.deliveries.deliver_copies(ACCOUNT, kind, document_id)
        return self.post.to


@pytest.fixture
def office(region: Region) -> Office:
    s, post = scene(region), Post()
    for user_id, email in ((VERA, "vera@kontor.example"), (PAUL, "paul@kontor.example")):
        user = User(user_id, ORGANISATION, email, "Somebody", "en", (Grant(ACCOUNT, Role.VIEWER),))
        unit = write_members(Unit(user_id), (), user, region.sealer)
        region.store.write_one(unit.put(user_item(user, region.sealer, region.clock())))
    deliveries = Deliveries(region.store, s.accounts, s.letters, post, region.clock, s.readers)
    return Office(s, post, deliveries, ChosenNotices(region.store, region.sealer, region.clock))


def choose(office: Office, user_id: str, kind: NoticeKind, wanted: bool = True) -> None:
    office.chosen.choose(user_id, {(kind, Way.EMAIL): wanted}, CLERK)


def test_nobody_gets_copies_who_did_not_choose_them(office: Office) -> None:
    assert office.copies() == [] and office.copies("receipt", PAYMENT) == []


def test_who_chose_copies_gets_each_document_once_in_a_mail_of_their_own(office: Office) -> None:
    choose(office, VERA, NoticeKind.INVOICE_READY)
    office.deliveries.deliver(ACCOUNT, "invoice", INVOICE)
    assert office.copies() == ["ap@kontor.example", "vera@kontor.example"] == office.copies()
    kept = office.deliveries.find(ACCOUNT, INVOICE, reader_id=VERA)
    assert kept and kept.status is DeliveryStatus.SENT and len(office.deliveries.of_account(ACCOUNT)) == 2
    assert office.copies("receipt", PAYMENT)[2:] == [], "a choice is for one kind"


def test_a_copy_that_fails_holds_up_no_other_and_is_tried_again_alone(office: Office) -> None:
    for user_id in (PAUL, VERA):
        choose(office, user_id, NoticeKind.INVOICE_READY)
    office.post.refuses = "paul@kontor.example"
    with pytest.raises(Unavailable):
        office.copies()
    assert office.post.to == ["vera@kontor.example"]
    office.post.refuses = ""
    assert office.copies() == ["vera@kontor.example", "paul@kontor.example"]


def test_who_gets_the_accounts_own_mail_gets_no_second(office: Office, region: Region) -> None:
    billing = User(VERA, ORGANISATION, "AP@kontor.example", "Vera", "en", (Grant(ACCOUNT, Role.VIEWER),))
    region.store.write_one(write_members(Unit("same"), (), billing, region.sealer))
    choose(office, VERA, NoticeKind.INVOICE_READY)
    assert office.copies() == []


def test_a_copy_never_pays_without_signing_in(office: Office, region: Region) -> None:
    actions = frozenset({SelfService.PAY, SelfService.PAY_LINKS})
    VisibilityRules(region.store, region.clock).set(ACCOUNT, Visibility(actions=actions), CLERK, "a test")
    choose(office, VERA, NoticeKind.INVOICE_READY)
    office.deliveries.deliver(ACCOUNT, "invoice", INVOICE)
    office.copies()
    (to_all, _), (to_vera, _) = office.post.taken
    assert "/pay/" in to_all.url and "/pay/" not in to_vera.url and to_vera.url.endswith(f"/invoices/{INVOICE}")
    assert not to_all.stop_url, "the account's own mail is not ended by one who reads it"


def test_copies_go_only_to_who_is_there_and_may_take_the_document_away(office: Office, region: Region) -> None:
    choose(office, VERA, NoticeKind.INVOICE_READY)
    choose(office, PAUL, NoticeKind.INVOICE_READY)
    suspended = Unit("suspended").update(member_key(ACCOUNT, PAUL), set={"suspended": True})
    region.store.write_one(suspended)
    seen = Visibility(documents=frozenset(Document) - {Document.INVOICE})
    VisibilityRules(region.store, region.clock).set(ACCOUNT, seen, CLERK, "a test")
    assert office.copies() == []
    VisibilityRules(region.store, region.clock).set(ACCOUNT, Visibility(), CLERK, "a test")
    assert office.copies() == ["vera@kontor.example"]


def test_an_account_without_mail_sends_no_copies_either(office: Office, region: Region) -> None:
    choose(office, VERA, NoticeKind.INVOICE_READY)
    region.store.write_one(Unit("off").update((ACCOUNT, "account"), set={"deliver_by_email": False}))
    assert office.copies() == []


def write_note(region: Region, kind: NoteKind) -> None:
    now = region.clock()
    news = News(NOTE, kind, f"/accounts/{ACCOUNT}/help/tkt_1", now, now + timedelta(days=2))
    region.store.write_one(add_news(Unit("news"), ACCOUNT, VERA, news, region.store, region.sealer))


def test_a_note_of_a_kind_that_was_switched_off_is_not_sent(office: Office, region: Region) -> None:
    write_note(region, NoteKind.TICKET_ANSWERED)
    choose(office, VERA, NoticeKind.TICKET_ANSWERED, wanted=False)
    assert office.deliveries.deliver(ACCOUNT, "note", NOTE) is None and office.post.taken == []
    choose(office, VERA, NoticeKind.TICKET_ANSWERED, wanted=True)
    assert office.deliveries.deliver(ACCOUNT, "note", NOTE) and office.post.to == ["vera@kontor.example"]


def test_what_nobody_wants_has_not_failed(office: Office, region: Region) -> None:
    write_note(region, NoteKind.TICKET_ANSWERED)
    choose(office, VERA, NoticeKind.TICKET_ANSWERED, wanted=False)
    profile = office.scene.accounts.profile(ACCOUNT, 1)
    office.scene.accounts.change_profile(replace(profile, emails=()), CLERK)
    assert office.deliveries.deliver(ACCOUNT, "note", NOTE) is None and office.deliveries.of_account(ACCOUNT) == []


def test_the_mail_says_how_it_is_ended_by_one_click_and_the_link_ends_it(office: Office, region: Region) -> None:
    write_note(region, NoteKind.TICKET_ANSWERED)
    office.deliveries.deliver(ACCOUNT, "note", NOTE)
    letter = office.post.taken[0][0]
    raw = message(letter, ["vera@kontor.example"], "billing@saldo.example", NOTE)
    assert f"List-Unsubscribe: <{letter.stop_url}>\r\n".encode() in raw.replace(b"\r\n ", b" ")
    mail = message_from_bytes(raw, policy=default)
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text and html and letter.stop_url in text.get_content() and "Stop mail of this kind" in html.get_content()
    token = urlsplit(letter.stop_url).path.rpartition("/")[2]
    assert office.chosen.stop(token) is NoticeKind.TICKET_ANSWERED
    region.store.write_one(Unit("again").delete((ACCOUNT, f"delivery#{NOTE}#email")))
    assert office.deliveries.deliver(ACCOUNT, "note", NOTE) is None and len(office.post.taken) == 1


def test_mail_on_security_is_sent_whatever_is_on_record_and_has_no_such_link(office: Office, region: Region) -> None:
    write_note(region, NoteKind.PASSKEY_ADDED)
    forced = Unit("forced").update((VERA, "notices"), set={"kind": "notices", "email_security": False})
    region.store.write_one(forced)
    office.deliveries.deliver(ACCOUNT, "note", NOTE)
    ((letter, _),) = office.post.taken
    assert not letter.stop_url
    raw = message(replace(letter, to=""), ["vera@kontor.example"], "billing@saldo.example", NOTE)
    assert b"List-Unsubscribe" not in raw and b"Stop mail" not in raw
