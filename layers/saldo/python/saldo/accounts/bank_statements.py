"""Signs what a seller says of its bank account, and checks what somebody says that a seller said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from saldo.accounts import rules_bank as rules
from saldo.accounts.model import LegalEntity
from saldo.kernel.clock import Clock
from saldo.storage.jws import jwk_of, parts, signed, verified
from saldo.storage.signing import SigningKey


class BankStatements:
    """Of one region's sellers. `issuer`: the origin of the region's portal, whose well-known address has the key."""

    def __init__(self, key: SigningKey, issuer: str, clock: Clock) -> None:
        self._key, self._issuer, self._clock = key, issuer, clock

    def signed(self, entity: LegalEntity, before: LegalEntity | None) -> LegalEntity:
        """The seller with a statement of the account that stands in it: the one of `before` where that says the same
        under the key of now, else a new one. What comes back is to be written in the unit that makes it true."""
        known = before.bank_statement if before is not None and rules.says_the_same(entity, before) else None
        if known is not None and parts(known.signed)[0]["kid"] == jwk_of(self._key.public())["kid"]:
            return replace(entity, bank_statement=known)
        now = self._clock()
        statement = rules.next_statement(entity, before, now)
        token = signed(self._key, rules.KIND, rules.claims(entity, statement, self._issuer, now))
        return replace(entity, bank_statement=replace(statement, signed=token))

    def key_set(self) -> dict[str, list[dict[str, str]]]:
        """The public key as a JSON Web Key Set (RFC 7517)."""
        return {"keys": [jwk_of(self._key.public())]}


def checked(token: str, keys: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What a signed statement says. Raises `saldo.storage.jws.Forged` where it does not hold."""
    return verified(token.strip(), rules.KIND, keys)
