"""A letter as an e-mail message: text, HTML and the PDF. No pictures, no tracking, no links but the portal's."""

from __future__ import annotations

from collections.abc import Sequence
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from html import escape
from pathlib import Path
from string import Template

from saldo.delivery.model import Letter
from saldo.kernel.errors import Refusal

# An address that is longer than 78 characters would be written as an encoded word, which no mail program follows.
_UNFOLDED = SMTP.clone(max_line_length=998)
_HTML = Path(__file__).parent / "templates" / "letter.html"


def message(letter: Letter, recipients: Sequence[str], mail_from: str, document_id: str) -> bytes:
    """The message as it goes over the wire (RFC 5322). `mail_from` is the bare address that mail is sent from.

    Refusal `invalid_recipient` for an address that is none.
    """
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = _one_line(letter.subject)
    mail["From"] = Address(_one_line(letter.sender), addr_spec=mail_from)
    mail["To"] = [_address(recipient) for recipient in recipients]
    if letter.reply_to:
        mail["Reply-To"] = _address(letter.reply_to)
    mail["Content-Language"] = letter.language
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Saldo-Document"] = document_id
    if letter.stop_url:
        mail["List-Unsubscribe"] = f"<{letter.stop_url}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content(text_part(letter))
    mail.add_alternative(html_part(letter), subtype="html")
    if letter.pdf:
        mail.add_attachment(letter.pdf, maintype="application", subtype="pdf", filename=letter.file_name)
    return mail.as_bytes(policy=_UNFOLDED)


def text_part(letter: Letter) -> str:
    facts = "\n".join(f"{name}: {value}" for name, value in letter.facts)
    warning = [letter.warning] if letter.warning else []
    parts = [letter.greeting, letter.intro, facts, *warning, f"{letter.button}:\n{letter.url}", letter.questions]
    end = [f"{letter.stop}:\n{letter.stop_url}"] if letter.stop_url else []
    return "\n\n".join([*parts, f"{letter.closing}\n{letter.sender}", *end]) + "\n"


def html_part(letter: Letter) -> str:
    row = '<tr><th scope="row">{}</th><td>{}</td></tr>'
    facts = "".join(row.format(escape(name), escape(value)) for name, value in letter.facts)
    names = ("language", "subject", "greeting", "intro", "button", "url", "questions", "closing", "sender")
    values = {name: escape(getattr(letter, name)) for name in names}
    stop = f'<p class="quiet"><a href="{escape(letter.stop_url)}">{escape(letter.stop)}</a></p>'
    warning = f'<p class="warning">{escape(letter.warning)}</p>' if letter.warning else ""
    parts = {"facts": facts, "warning": warning, "stop": stop if letter.stop_url else ""}
    return Template(_HTML.read_text(encoding="utf-8")).substitute(values, **parts)


def _address(text: str) -> Address:
    try:
        return Address(addr_spec=text.strip())
    except (ValueError, IndexError) as error:
        raise Refusal("invalid_recipient", "an e-mail address of the profile is not valid") from error


def _one_line(text: str) -> str:
    return " ".join(text.split())
