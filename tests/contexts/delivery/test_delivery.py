"""A document goes out once, and what is not known is said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from email import message_from_bytes
from email.message import EmailMessage, Message
from email.policy import default
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.ses.models import ses_backends

from saldo.access.model_visibility import SelfService, Visibility
from saldo.access.visibility import VisibilityRules
from saldo.delivery.model import DeliveryStatus, Letter
from saldo.delivery.ports import AnswerLost, NotAccepted, Rejected
from saldo.delivery.rules import LEASE
from saldo.delivery.service import Deliveries
from saldo.delivery.ses import SesMailer
from saldo.kernel.errors import Unavailable
from saldo.payments.pay_links import PayLinks
from saldo.storage.store import Store
from saldo.storage.units import Unit
from tests.contexts import sellers
from tests.contexts.conftest import Region
from tests.contexts.documents.scenes import INVOICE, PAYMENT, Scene, scene
from tests.contexts.sellers import ACCOUNT

FROM = "billing@saldo.example"


class Crash(Exception):  # noqa: N818 - not an error of the program
    """The process ends here."""


@dataclass
class Post:
    """A mailer that takes everything, after doing what `mood` says."""

    taken: list[str] = field(default_factory=list)
    mood: Callable[[], None] = lambda: None

    def send(self, letter: Letter, recipients: Sequence[str], document_id: str) -> str:
        self.mood()
        self.taken.append(document_id)
        return f"message-{len(self.taken)}"


def _deliveries(s: Scene, mailer: Any, store: Store | None = None) -> Deliveries:
    region = s.region
    return Deliveries(store or region.store, s.accounts, s.letters, mailer, region.clock, s.readers)


def _raise(error: Exception) -> Callable[[], None]:
    def mood() -> None:
        raise error

    return mood


def _ses() -> tuple[Any, Callable[[], Message]]:
    client = boto3.client("sesv2", region_name="eu-central-1")
    client.create_email_identity(EmailIdentity=FROM)

    def last() -> Message:
        sent: Any = ses_backends[DEFAULT_ACCOUNT_ID]["eu-central-1"].sent_messages[-1]
        raw = sent.raw_data
        return message_from_bytes(raw if isinstance(raw, bytes) else raw.encode(), policy=default)

    return client, last


def test_the_mail_has_text_html_and_the_pdf_in_the_accounts_language_and_no_tracking(region: Region) -> None:
    s = scene(region)
    client, last = _ses()
    delivery = _deliveries(s, SesMailer(client, FROM)).deliver(ACCOUNT, "invoice", INVOICE)
    assert delivery is not None and delivery.status is DeliveryStatus.SENT and delivery.message_id
    mail = last()
    assert isinstance(mail, EmailMessage)
    assert mail["Subject"] == "Rechnung RW-2026-000001 über 119,00 €"
    assert mail["From"] == f"Rechenwerk GmbH <{FROM}>" and mail["To"] == "ap@kontor.example"
    assert mail["Reply-To"] == "billing@rechenwerk.example" and mail["X-Saldo-Document"] == INVOICE
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None and html is not None
    assert "119,00\xa0€" in text.get_content() and "Bitte bezahlen Sie bis zum" in text.get_content()
    assert '<html lang="de">' in html.get_content() and "<img" not in html.get_content()
    (attachment,) = mail.iter_attachments()
    assert attachment.get_filename() == "Rechnung-RW-2026-000001.pdf"
    assert attachment.get_content().startswith(b"%PDF-")


def test_a_settled_payment_brings_its_receipt(region: Region) -> None:
    s = scene(region)
    client, last = _ses()
    _deliveries(s, SesMailer(client, FROM)).deliver(ACCOUNT, "receipt", PAYMENT)
    assert last()["Subject"] == "Zahlungsbestätigung R-20261101-ABC über 119,00 €"


def test_an_event_that_comes_again_sends_nothing_again(region: Region) -> None:
    s, post = scene(region), Post()
    first = _deliveries(s, post).deliver(ACCOUNT, "invoice", INVOICE)
    again = _deliveries(s, post).deliver(ACCOUNT, "invoice", INVOICE)
    assert post.taken == [INVOICE] and again == first


def test_an_account_that_wants_no_mail_gets_none_and_no_record_is_kept(region: Region) -> None:
    s, post = scene(region), Post()
    region.store.write_one(Unit("off").update((ACCOUNT, "account"), set={"deliver_by_email": False}))
    deliveries = _deliveries(s, post)
    assert deliveries.deliver(ACCOUNT, "invoice", INVOICE) is None
    assert post.taken == [] and deliveries.of_account(ACCOUNT) == []


def test_no_record_of_a_delivery_holds_an_address(region: Region) -> None:
    s = scene(region)
    _deliveries(s, Post()).deliver(ACCOUNT, "invoice", INVOICE, "run_1")
    kept = [i for i in region.store.scan() if i["sk"].startswith(("delivery#", "audit#"))]
    assert any(i.get("action") == "invoice.sent" for i in kept)
    assert "kontor" not in repr(kept).lower().replace("kontor nord", "")


def test_what_was_certainly_not_taken_is_tried_again_and_then_sent_once(region: Region) -> None:
    s, post = scene(region), Post(mood=_raise(NotAccepted("TooManyRequestsException")))
    deliveries = _deliveries(s, post)
    with pytest.raises(Unavailable):
        deliveries.deliver(ACCOUNT, "invoice", INVOICE)
    waiting = deliveries.find(ACCOUNT, INVOICE)
    assert waiting is not None and waiting.status is DeliveryStatus.FAILED and not waiting.permanent
    post.mood = lambda: None
    sent = deliveries.deliver(ACCOUNT, "invoice", INVOICE)
    assert sent is not None and sent.status is DeliveryStatus.SENT and sent.attempts == 2
    assert post.taken == [INVOICE]


def test_a_rejected_message_is_failed_for_good_and_says_why(region: Region) -> None:
    s, post = scene(region), Post(mood=_raise(Rejected("MessageRejected")))
    deliveries = _deliveries(s, post)
    failed = deliveries.deliver(ACCOUNT, "invoice", INVOICE)
    assert failed is not None and (failed.status, failed.failure_code) == (DeliveryStatus.FAILED, "MessageRejected")
    post.mood = lambda: None
    assert deliveries.deliver(ACCOUNT, "invoice", INVOICE) == failed and post.taken == []


def test_a_lost_answer_reads_unknown_is_tried_once_more_and_then_left_to_people(region: Region) -> None:
    s, post = scene(region), Post(mood=_raise(AnswerLost()))
    deliveries = _deliveries(s, post)
    with pytest.raises(Unavailable):
        deliveries.deliver(ACCOUNT, "invoice", INVOICE)
    unknown = deliveries.find(ACCOUNT, INVOICE)
    assert unknown is not None and unknown.status is DeliveryStatus.UNKNOWN
    given_up = deliveries.deliver(ACCOUNT, "invoice", INVOICE)
    assert given_up is not None and given_up.permanent and given_up.failure_code == "answer_lost"
    assert deliveries.deliver(ACCOUNT, "invoice", INVOICE) == given_up


def test_a_sender_that_crashed_in_between_is_noticed_when_its_time_is_over(region: Region) -> None:
    s, post = scene(region), Post(mood=_raise(Crash()))
    deliveries = _deliveries(s, post)
    with pytest.raises(Crash):
        deliveries.deliver(ACCOUNT, "invoice", INVOICE)
    post.mood = lambda: None
    with pytest.raises(Unavailable, match="another sender"):
        deliveries.deliver(ACCOUNT, "invoice", INVOICE)
    region.clock.advance(seconds=LEASE.total_seconds())
    sent = deliveries.deliver(ACCOUNT, "invoice", INVOICE)
    assert sent is not None and sent.status is DeliveryStatus.SENT and sent.lost_answers == 1
    assert [h.status.value for h in sent.history] == ["queued", "unknown", "queued", "sent"]


def test_a_profile_without_an_address_is_a_failure_people_can_mend(region: Region) -> None:
    s, post = scene(region), Post()
    s.accounts.change_profile(replace(sellers.profile(), emails=()), sellers.CLERK)
    failed = _deliveries(s, post).deliver(ACCOUNT, "invoice", INVOICE)
    assert failed is not None and failed.failure_code == "no_recipient" and post.taken == []


def test_of_two_senders_of_one_letter_one_sends(region: Region) -> None:
    """Both see that it failed before; the one who comes second to writing that it begins leaves it to the other."""
    s, post = scene(region), Post(mood=_raise(NotAccepted("TooManyRequestsException")))
    with pytest.raises(Unavailable):
        _deliveries(s, post).deliver(ACCOUNT, "invoice", INVOICE)
    post.mood = lambda: None

    class Overtaken:
        """A store through which somebody else is a moment faster."""

        def __getattr__(self, name: str) -> Any:
            return getattr(region.store, name)

        def write_one(self, unit: Unit) -> Any:
            _deliveries(s, post).deliver(ACCOUNT, "invoice", INVOICE)
            return region.store.write_one(unit)

    slow: Any = Overtaken()
    with pytest.raises(Unavailable, match="another sender"):
        _deliveries(s, post, slow).deliver(ACCOUNT, "invoice", INVOICE)
    assert post.taken == [INVOICE]


class Stopping:
    """A store that ends the process before or after its n-th write."""

    def __init__(self, store: Store, at: int, after: bool) -> None:
        self._store, self._at, self._after, self._writes = store, at, after, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def write_one(self, unit: Unit) -> Any:
        self._writes += 1
        if self._writes == self._at and not self._after:
            raise Crash
        answer = self._store.write_one(unit)
        if self._writes == self._at:
            raise Crash
        return answer


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", [1, 2])
def test_stopped_at_any_write_and_repeated_a_document_ends_as_sent(region: Region, at: int, after: bool) -> None:
    s, post = scene(region), Post()
    stopping: Any = Stopping(region.store, at, after)
    with pytest.raises(Crash):
        _deliveries(s, post, stopping).deliver(ACCOUNT, "invoice", INVOICE)
    region.clock.advance(minutes=10)
    sent = _deliveries(s, post).deliver(ACCOUNT, "invoice", INVOICE)
    assert sent is not None and sent.status is DeliveryStatus.SENT
    handed_over_unrecorded = at == 2 and not after
    assert len(post.taken) == (2 if handed_over_unrecorded else 1)
    assert sent.lost_answers == (1 if (at == 1 and after) or handed_over_unrecorded else 0)


class Answering:
    """An SES client that answers every call with one error."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def send_email(self, **_: Any) -> Any:
        raise self.error


def _client_error(code: str, status: int) -> ClientError:
    answer: Any = {
        "Error": {"Code": code, "Message": "ada@example.com is not verified"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(answer, "SendEmail")


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (_client_error("MessageRejected", 400), Rejected),
        (_client_error("TooManyRequestsException", 429), NotAccepted),
        (_client_error("MailFromDomainNotVerifiedException", 400), NotAccepted),
        (_client_error("InternalFailure", 500), AnswerLost),
        (ReadTimeoutError(endpoint_url="https://email"), AnswerLost),
        (ConnectTimeoutError(endpoint_url="https://email"), NotAccepted),
    ],
)
def test_the_mail_services_answers_are_told_apart_and_never_quoted(error: Exception, meaning: type) -> None:
    letter = Letter("en", "Seller", "", "s", "g", "i", (), "b", "https://x", "q", "c", "f.pdf", b"%PDF-")
    client: Any = Answering(error)
    with pytest.raises(meaning) as raised:
        SesMailer(client, FROM).send(letter, ["ada@example.com"], "inv_1")
    assert raised.type is meaning and "ada@" not in str(raised.value)


def test_an_address_that_is_none_is_refused_before_anything_is_sent() -> None:
    letter = Letter("en", "Se\nller", "", "a\r\nBcc: x@y.example", "g", "i", (), "b", "https://x", "q", "c", "f", b"%")
    client: Any = Answering(AssertionError("nothing may be sent"))
    with pytest.raises(Rejected, match="invalid_recipient"):
        SesMailer(client, FROM).send(letter, ["not an address"], "inv_1")


@pytest.mark.parametrize("allowed", [True, False])
def test_the_mail_of_an_invoice_leads_to_its_payment_where_the_account_allows_it(region: Region, allowed: bool) -> None:
    s = scene(region)
    if allowed:
        everything = Visibility(actions=frozenset(SelfService))
        VisibilityRules(region.store, region.clock).set(sellers.ACCOUNT, everything, sellers.CLERK, "asked for")
    letter = s.letters.letter(sellers.ACCOUNT, "invoice", INVOICE)
    assert letter is not None and letter.url.startswith("https://portal.example/pay/acct_") == allowed
    if allowed:
        seen = PayLinks(region.store, region.sealer, region.clock).look(letter.url.rpartition("/")[2])
        assert seen.invoice.header.invoice_id == INVOICE
        again = s.letters.letter(sellers.ACCOUNT, "invoice", INVOICE)
        assert again is not None and again.url == letter.url
