"""WebAuthn Level 3 by Yubico's `fido2`: what a browser is asked, and whether what it answers holds.

Pure: values in, values out. User verification is required throughout, so a passkey is two factors at once. Attestation
is not asked for: which make of authenticator people have is theirs to choose.
"""

from __future__ import annotations

import binascii
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from saldo.access.model_passkeys import MadeKey, Passkey, Signed
from saldo.kernel.errors import Refusal
from saldo.storage.jws import decoded, encoded

if TYPE_CHECKING:
    from fido2.server import Fido2Server

_NAME = "Saldo"
_MOST_CHARACTERS = 20_000


class RelyingParty:
    """This portal, as authenticators know it: by its host alone, at its own origin alone."""

    def __init__(self, origin: str) -> None:
        self._origin, self._id = origin, urlsplit(origin).hostname or ""

    def asks(self, challenge: bytes, passkeys: Sequence[Passkey] | None = None) -> dict[str, Any]:
        """What the browser has to have signed; by any passkey of this portal, or by one of these."""
        from fido2.webauthn import UserVerificationRequirement as Verification

        known = None if passkeys is None else [_credential(p) for p in passkeys]
        options, _ = self._server().authenticate_begin(known, Verification.REQUIRED, challenge)
        return dict(dict(options)["publicKey"])

    def asks_for_new(self, challenge: bytes, user_id: str, name: str, passkeys: Sequence[Passkey]) -> dict[str, Any]:
        """What the browser has to have made: a key that is found without a name, on another device than those known."""
        from fido2.webauthn import PublicKeyCredentialUserEntity, ResidentKeyRequirement
        from fido2.webauthn import UserVerificationRequirement as Verification

        user = PublicKeyCredentialUserEntity(id=user_id.encode(), name=name, display_name=name)
        options, _ = self._server().register_begin(
            user,
            [_credential(p) for p in passkeys],
            resident_key_requirement=ResidentKeyRequirement.REQUIRED,
            user_verification=Verification.REQUIRED,
            challenge=challenge,
        )
        return dict(dict(options)["publicKey"])

    def made(self, answer: Mapping[str, Any], challenge: bytes) -> MadeKey:
        """The key that was made. Refusal `passkey_invalid`."""
        with _refused():
            _refuse_framed(answer)
            found = self._server().register_complete(_state(challenge), answer)
            credential = found.credential_data
            if credential is None or not 1 <= len(credential.credential_id) <= 1023:
                raise ValueError("no credential")
            return MadeKey(bytes(credential), bytes(credential.credential_id), found.counter, _backed_up(found))

    def signed(self, answer: Mapping[str, Any], challenge: bytes, passkey: Passkey) -> Signed:
        """What this passkey signed. Refusal `passkey_invalid`, also when its count went back: it was copied."""
        from fido2.webauthn import AuthenticationResponse

        with _refused():
            _refuse_framed(answer)
            self._server().authenticate_complete(_state(challenge), [_credential(passkey)], answer)
            told = AuthenticationResponse.from_dict(answer).response.authenticator_data
            if (told.counter or passkey.sign_count) and told.counter <= passkey.sign_count:
                raise ValueError("count went back")
            return Signed(told.counter, _backed_up(told))

    def _server(self) -> Fido2Server:
        from fido2.server import Fido2Server
        from fido2.webauthn import PublicKeyCredentialRpEntity

        is_ours: Callable[[str], bool] = lambda origin: origin == self._origin  # noqa: E731 - one comparison
        return Fido2Server(PublicKeyCredentialRpEntity(name=_NAME, id=self._id), verify_origin=is_ours)


def read(text: str) -> dict[str, Any]:
    """What a browser sent, as a document; Refusal `passkey_invalid`."""
    with _refused():
        if len(text) > _MOST_CHARACTERS:
            raise ValueError("too long")
        document = json.loads(text)
        if not isinstance(document, dict) or not isinstance(document.get("response"), dict):
            raise ValueError("not an answer")
        return document


def challenge_in(answer: Mapping[str, Any]) -> bytes:
    """The challenge that an answer says it is to. Nothing is believed yet: it only finds the record."""
    with _refused():
        return decoded(json.loads(decoded(answer["response"]["clientDataJSON"]))["challenge"])


def credential_id_in(answer: Mapping[str, Any]) -> bytes:
    with _refused():
        return decoded(answer["rawId"])


def user_in(answer: Mapping[str, Any]) -> str:
    """The user whose key it says to be, "" when it does not say."""
    with _refused():
        handle = answer["response"].get("userHandle") or ""
        return decoded(handle).decode("ascii")


def _refuse_framed(answer: Mapping[str, Any]) -> None:
    """A page of another site, with ours in a frame of it, asks nobody to sign."""
    if json.loads(decoded(answer["response"]["clientDataJSON"])).get("crossOrigin"):
        raise ValueError("framed")


def _credential(passkey: Passkey) -> Any:  # the library's own bytes type
    from fido2.webauthn import AttestedCredentialData

    return AttestedCredentialData(passkey.credential)


def _state(challenge: bytes) -> dict[str, str]:
    return {"challenge": encoded(challenge), "user_verification": "required"}


def _backed_up(told: Any) -> bool:  # the library's own bytes type
    from fido2.webauthn import AuthenticatorData

    return bool(told.flags & AuthenticatorData.FLAG.BS)


@contextmanager
def _refused() -> Iterator[None]:
    """Whatever is wrong with what came from outside reads the same."""
    try:
        yield
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, binascii.Error) as error:
        raise Refusal("passkey_invalid", "this passkey did not work") from error
    except Exception as error:
        from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

        if isinstance(error, InvalidSignature | UnsupportedAlgorithm):
            raise Refusal("passkey_invalid", "this passkey did not work") from error
        raise
