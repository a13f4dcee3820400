"""Use cases of delivery: send a document once, and tell how far it got.

Exactly once, as far as the mail service allows: the intent is recorded before the message is handed over, the answer
after it. A copy found in between belongs to a sender that is still at it (wait), or that crashed (its answer is lost:
`unknown`). The mail service cannot be asked whether it took a message, so an unknown copy is sent once more, marked
with the same document id; a second lost answer is left to people.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from saldo.access.model_notices import NoticeKind
from saldo.accounts.model import Account, AccountStatus, BillingProfile
from saldo.accounts.service import Accounts
from saldo.audit.model import AuditRecord, job
from saldo.audit.records import audit_item
from saldo.delivery import records, rules
from saldo.delivery.model import Channel, Delivery, DeliveryStatus, Letter, Reader
from saldo.delivery.ports import AnswerLost, Letters, Mailer, NotAccepted, Readers, Rejected
from saldo.kernel.clock import Clock
from saldo.kernel.errors import Refusal, Unavailable
from saldo.storage.store import Store
from saldo.storage.units import Unit

# Mail that somebody asked for (an invitation, a link to sign in, an alert): not what an account may do without.
ASKED_FOR = ("note", "alert")
# What the documents of an account are to those of its people who want copies of their own.
COPIED: Mapping[str, tuple[NoticeKind, ...]] = {
    "invoice": (NoticeKind.INVOICE_READY,),
    "credit_note": (NoticeKind.INVOICE_READY,),
    "receipt": (NoticeKind.PAYMENT_SUCCEEDED,),
    "reminder": (NoticeKind.DUE_SOON, NoticeKind.OVERDUE),
    "alert": (NoticeKind.LIMIT_REACHED,),
}


@dataclass(frozen=True, slots=True)
class _Copy:
    """What is to be sent: the document and whom it concerns. `reader`: whose own copy it is, None for the account's."""

    account: Account
    kind: str
    document_id: str
    correlation_id: str
    reader: Reader | None = None

    @property
    def reader_id(self) -> str:
        return self.reader.user_id if self.reader else ""


class Deliveries:
    """Deliveries of one region by e-mail."""

    def __init__(
        self, store: Store, accounts: Accounts, letters: Letters, mailer: Mailer, clock: Clock, readers: Readers
    ) -> None:
        self._store, self._accounts, self._letters = store, accounts, letters
        self._mailer, self._clock, self._readers = mailer, clock, readers

    def deliver(self, account_id: str, kind: str, document_id: str, correlation_id: str = "") -> Delivery | None:
        """Send a document (kind as `Letters` has it) to its account's addresses, unless it was sent already.

        None where the account does not want mail, or there is nothing to say any more. Raises Unavailable when it
        should be tried again later: another sender is at it, what it says has changed at this moment, the mail service
        did not take it, or its answer was lost.
        """
        account = self._accounts.account(account_id)
        if kind not in ASKED_FOR and not _takes_mail(account):
            return None
        return self._deliver(_Copy(account, kind, document_id, correlation_id))

    def deliver_copies(self, account_id: str, kind: str, document_id: str, correlation_id: str = "") -> list[Delivery]:
        """Send a document of the account to those of its people who want copies of their own, unless they have them.

        Each copy is sent, recorded and tried again by itself. Raises Unavailable as `deliver` does, after all of them.
        """
        account = self._accounts.account(account_id)
        if kind not in COPIED or not _takes_mail(account):
            return []
        sent, outage = list[Delivery](), None
        for reader in self._readers.of(account_id, COPIED[kind]):
            try:
                delivery = self._deliver(_Copy(account, kind, document_id, correlation_id, reader))
            except Unavailable as later:
                outage = later
            else:
                sent += [delivery] if delivery else []
        if outage:
            raise outage
        return sent

    def _deliver(self, copy: _Copy) -> Delivery | None:
        found = self.find(copy.account.id, copy.document_id, reader_id=copy.reader_id)
        old = self._settle_crash(copy, found)
        step = rules.next_step(old)
        if step is rules.Step.WAIT:
            raise Unavailable("another sender is at this document")
        return old if step is rules.Step.DONE else self._send(copy, old)

    def find(
        self, account_id: str, document_id: str, channel: Channel = Channel.EMAIL, *, reader_id: str = ""
    ) -> Delivery | None:
        """How far a document got over a channel, or a user's own copy; None when it was never to be sent."""
        item = self._store.get(*records.delivery_key(account_id, document_id, channel, reader_id))
        return records.delivery_from(item) if item else None

    def of_account(self, account_id: str) -> list[Delivery]:
        """Every copy of an account's documents, by document."""
        return [records.delivery_from(i) for i in self._store.query_all(account_id, prefix=records.PREFIX)]

    def _settle_crash(self, copy: _Copy, old: Delivery | None) -> Delivery | None:
        """A copy whose sender crashed becomes unknown before anything else is decided."""
        if old is None or not rules.crashed(old, self._clock()):
            return old
        return self._record(copy, old, rules.lost(old, self._clock()))

    def _send(self, copy: _Copy, old: Delivery | None) -> Delivery | None:
        profile = self._accounts.profile(copy.account.id, copy.account.profile_version)
        letter, no = self._written(copy, profile)
        recipients = (letter.to,) if letter and letter.to else profile.emails
        begun = rules.begun(
            old,
            account_id=copy.account.id,
            document_id=copy.document_id,
            document_kind=copy.kind,
            recipients=len(recipients),
            profile_version=profile.version,
            now=self._clock(),
            reader_id=copy.reader_id,
        )
        if no:
            return self._record(copy, old, rules.failed(begun, no, self._clock(), permanent=True))
        if letter is None:
            return self._let_be(copy, old)
        self._record(copy, old, begun, letter)
        return self._hand_over(copy, begun, letter, recipients)

    def _written(self, copy: _Copy, profile: BillingProfile) -> tuple[Letter | None, str]:
        """The letter, and why there can be none."""
        try:
            letter = self._letters.letter(copy.account.id, copy.kind, copy.document_id)
        except Refusal as refusal:
            return None, refusal.code
        if letter and (letter := self._addressed(letter, copy, profile)) is None:
            return None, ""
        if not profile.emails and not (letter and letter.to):
            return None, "no_recipient"
        return letter, ""

    def _addressed(self, letter: Letter, copy: _Copy, profile: BillingProfile) -> Letter | None:
        """The one place where a notice finds its people: the letter as it goes to a person, with the way to end such
        mail; None where they do not want it. A copy leads to the portal and pays nothing by itself."""
        if copy.reader:
            known = {email.strip().casefold() for email in profile.emails}
            if letter.notice not in copy.reader.kinds or copy.reader.email.casefold() in known:
                return None  # who gets the account's mail needs no second
            letter = replace(letter, to=copy.reader.email, reader_id=copy.reader_id, url=letter.page or letter.url)
        if not letter.reader_id or letter.notice is None:
            return letter
        if not self._readers.wants(letter.reader_id, letter.notice):
            return None
        return replace(letter, stop_url=self._readers.stop_url(copy.account.id, letter.reader_id, letter.notice))

    def _let_be(self, copy: _Copy, old: Delivery | None) -> Delivery | None:
        """Nothing is to be said any more: a copy that may have gone out before stays as far as it came."""
        settled = rules.not_wanted_any_more(old, self._clock()) if old else None
        return self._record(copy, old, settled) if settled and settled != old else old

    def _hand_over(self, copy: _Copy, begun: Delivery, letter: Letter, recipients: Sequence[str]) -> Delivery:
        try:
            message_id = self._mailer.send(letter, recipients, copy.document_id)
        except NotAccepted as answer:
            self._record(copy, begun, rules.failed(begun, answer.code, self._clock(), permanent=False))
            raise Unavailable("the mail service did not take the message") from None
        except Rejected as answer:
            return self._record(copy, begun, rules.failed(begun, answer.code, self._clock(), permanent=True))
        except AnswerLost:
            unknown = self._record(copy, begun, rules.lost(begun, self._clock()))
            if unknown.permanent:
                return unknown
            raise Unavailable("the mail service's answer was lost") from None
        return self._record(copy, begun, rules.sent(begun, message_id, self._clock()))

    def _record(self, copy: _Copy, old: Delivery | None, new: Delivery, letter: Letter | None = None) -> Delivery:
        """Write the state with its audit record; Unavailable when another sender was faster, or `letter` outdated."""
        unit = records.change(Unit(f"delivery {new.document_id}"), old, new, letter)
        if new.status is not DeliveryStatus.QUEUED:
            unit.put(audit_item(self._audit(copy, new)))
        if self._store.write_one(unit):
            raise Unavailable("another sender was faster, or what the letter says has changed")
        return new

    def _audit(self, copy: _Copy, new: Delivery) -> AuditRecord:
        after = {"status": new.status.value, "channel": new.channel.value, "recipients": new.recipients}
        after |= {"profile_version": new.profile_version, "attempt": new.attempts}
        return AuditRecord(
            owner_id=copy.account.id,
            at=self._clock(),
            actor=job("delivery", copy.correlation_id),
            action=f"{copy.kind}.{new.status.value}",
            subject_id=copy.document_id,
            after=after | ({"reader_id": copy.reader_id} if copy.reader_id else {}),
            reason=new.failure_code,
        )


def _takes_mail(account: Account) -> bool:
    return account.deliver_by_email and account.status is not AccountStatus.CLOSED
