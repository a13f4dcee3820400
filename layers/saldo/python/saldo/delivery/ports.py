"""What delivery needs from outside: someone who writes the letter, and someone who carries it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from saldo.access.model_notices import NoticeKind
from saldo.delivery.model import Letter, Reader


class Letters(Protocol):
    def letter(self, account_id: str, document_kind: str, document_id: str) -> Letter | None:
        """The letter with its document (kind: invoice, credit_note, receipt, reminder or note); None where there is
        nothing to say any more. Refusal where there is no such document."""
        ...


class Readers(Protocol):
    """The people of an account, and what they chose to be mailed."""

    def of(self, account_id: str, kinds: Sequence[NoticeKind]) -> Sequence[Reader]:
        """Those who want copies of their own of documents of one of these kinds."""
        ...

    def wants(self, reader_id: str, kind: NoticeKind) -> bool:
        """Whether a user wants mail of this kind."""
        ...

    def stop_url(self, account_id: str, reader_id: str, kind: NoticeKind) -> str:
        """Where mail of this kind is ended without signing in, "" for what cannot be ended."""
        ...


class Rejected(Exception):  # noqa: N818 - an answer of the channel, not a failure of the program
    """The channel will not carry this message, now or later. `code` says why, without quoting the message."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class NotAccepted(Rejected):
    """The channel certainly did not take the message this time; later it may."""


class AnswerLost(Exception):  # noqa: N818 - a state of knowledge
    """The message was handed over and no answer came: it may or may not have been taken."""


class Mailer(Protocol):
    def send(self, letter: Letter, recipients: Sequence[str], document_id: str) -> str:
        """Hand the letter over once, with no retry inside; the channel's message id.

        Raises Rejected, NotAccepted or AnswerLost.
        """
        ...
