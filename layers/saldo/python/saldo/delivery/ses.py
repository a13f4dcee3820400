"""The mailer on Amazon SES (API v2): one call a message, no retry inside, answers told apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from saldo.delivery.mail import message
from saldo.delivery.model import Letter
from saldo.delivery.ports import AnswerLost, NotAccepted, Rejected
from saldo.kernel.errors import Refusal

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client

# What repeating will not mend. Everything else that SES says no with (limits, a paused or unverified sender) may
# pass, or is for the operator to mend: it is tried again and ends in the dead-letter queue's alarm.
_FOR_GOOD = {"MessageRejected", "BadRequestException"}


def ses_client() -> SESV2Client:
    """A client that never repeats a call by itself: a second call is a second message."""
    from botocore.config import Config

    from saldo.storage.clients import session

    once: Any = {"total_max_attempts": 1, "mode": "standard"}
    return session().client("sesv2", config=Config(retries=once, connect_timeout=3, read_timeout=25))


class SesMailer:
    """Implements `saldo.delivery.ports.Mailer`. `mail_from` is a verified address."""

    def __init__(self, client: SESV2Client, mail_from: str) -> None:
        self._client, self._mail_from = client, mail_from

    def send(self, letter: Letter, recipients: Sequence[str], document_id: str) -> str:
        from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, EndpointConnectionError

        try:
            raw = message(letter, recipients, self._mail_from, document_id)
        except Refusal as refusal:
            raise Rejected(refusal.code) from None
        try:
            answer = self._client.send_email(
                FromEmailAddress=self._mail_from,
                Destination={"ToAddresses": list(recipients)},
                Content={"Raw": {"Data": raw}},
            )
        except ClientError as error:
            raise _meaning(error.response) from None
        except (ConnectTimeoutError, EndpointConnectionError):
            raise NotAccepted("unreachable") from None
        except BotoCoreError:
            raise AnswerLost from None
        return answer["MessageId"]


def _meaning(response: Any) -> Exception:
    """What an error answer means. Its text may quote an address, so only the code goes on."""
    code = str(response["Error"]["Code"])
    if response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400) >= 500:
        return AnswerLost()
    return Rejected(code) if code in _FOR_GOOD else NotAccepted(code)
