"""Links that are sent by mail: signed, so that none can be made up, and nothing at rest that would open one.

A token names a record and carries its signature under the organisation's key: `<owner>.<id>.<signature>`. The record
says until when it holds and whether it was used or withdrawn; the mailer writes the token when it writes the letter.
"""

from __future__ import annotations

import base64
import re
import secrets
from dataclasses import dataclass
from enum import StrEnum

from saldo.storage.sealing import CannotOpen, Sealer

MOST_ID = 90  # characters of a link's id
_SHAPE = re.compile(rf"([a-z]{{2,8}}_[0-9a-z_]{{1,64}})\.([0-9a-z_]{{1,{MOST_ID}}})\.([A-Za-z0-9_-]{{43}})")


class LinkPurpose(StrEnum):
    """What a link is for; a signature for one purpose is none for another."""

    INVITATION = "invitation"
    SIGN_IN = "sign_in"
    PAY = "pay"
    STOP_MAIL = "stop_mail"


@dataclass(frozen=True, slots=True)
class Link:
    """A token taken apart; nothing of it is believed before `is_ours`."""

    owner_id: str
    id: str
    signature: bytes


def new_link_id() -> str:
    """128 random bits, in letters and digits."""
    return secrets.token_hex(16)


def token_of(sealer: Sealer, organisation_id: str, purpose: LinkPurpose, owner_id: str, link_id: str) -> str:
    """The token for an address. It is a secret: it goes into the letter and nowhere else."""
    signature = sealer.sign(organisation_id, f"link {purpose}", f"{owner_id}.{link_id}")
    return f"{owner_id}.{link_id}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def link_from(token: str) -> Link | None:
    """The parts of a token; None for what cannot be one."""
    found = _SHAPE.fullmatch(token)
    if found is None:
        return None
    return Link(found[1], found[2], base64.urlsafe_b64decode(found[3] + "="))


def is_ours(sealer: Sealer, organisation_id: str, purpose: LinkPurpose, link: Link) -> bool:
    """Whether we signed it; False, too, once the organisation's key is shredded."""
    try:
        return sealer.is_signed(organisation_id, f"link {purpose}", f"{link.owner_id}.{link.id}", link.signature)
    except CannotOpen:
        return False
