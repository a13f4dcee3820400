"""Amazon Cognito as identity provider: passwords reach it through the portal's function, never from a browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from saldo.access.model import Challenge, ChallengeKind, Tokens
from saldo.kernel.errors import Refusal, Unavailable

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient

_KINDS = {
    "SOFTWARE_TOKEN_MFA": ChallengeKind.TOTP,
    "MFA_SETUP": ChallengeKind.TOTP_SETUP,
    "NEW_PASSWORD_REQUIRED": ChallengeKind.NEW_PASSWORD,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}
_BUSY = {"TooManyRequestsException", "InternalErrorException", "ThrottlingException", "ServiceUnavailableException"}
_CODE = {"CodeMismatchException", "ExpiredCodeException", "EnableSoftwareTokenMFAException"}
_PASSWORD = {"InvalidPasswordException", "PasswordHistoryPolicyViolationException"}
_LIMIT = {"LimitExceededException", "TooManyFailedAttemptsException"}
_NOBODY = {
    *("NotAuthorizedException", "UserNotFoundException", "UserNotConfirmedException"),
    *("PasswordResetRequiredException", "InvalidParameterException"),
}


@contextmanager
def _in_our_words() -> Iterator[None]:
    """Translate the provider's errors. Whatever says that a user is unknown becomes `sign_in_failed`."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        raise _refusal(error.response["Error"]["Code"], error) from error
    except BotoCoreError as error:
        raise Unavailable("signing in does not work at the moment") from error


def _refusal(code: str, error: Exception) -> Exception:
    if code in _BUSY:
        return Unavailable("signing in does not work at the moment")
    if code in _CODE:
        return Refusal("code_wrong", "the code is not right, or no longer valid")
    if code in _PASSWORD:
        return Refusal("password_weak", "the password does not meet the rules")
    if code in _LIMIT:
        return Refusal("too_many_attempts", "too many attempts; try again later")
    if code in _NOBODY:
        return Refusal("sign_in_failed", "e-mail address or password is not right")
    return error


def _subject(attributes: Any) -> str:
    return str(next(a["Value"] for a in attributes if a["Name"] == "sub"))


class CognitoIdentity:
    """One user pool and the portal's client in it."""

    def __init__(self, client: CognitoIdentityProviderClient, pool_id: str, client_id: str) -> None:
        self._client, self._pool_id, self._client_id = client, pool_id, client_id

    @property
    def issuer(self) -> str:
        """The `iss` of the pool's tokens."""
        return f"https://cognito-idp.{self._pool_id.split('_')[0]}.amazonaws.com/{self._pool_id}"

    def key_set(self) -> bytes:
        """The pool's JSON Web Key Set, read from the endpoint that the client talks to."""
        import urllib.request

        url = f"{self._client.meta.endpoint_url}/{self._pool_id}/.well-known/jwks.json"
        try:
            with urllib.request.urlopen(url, timeout=3) as answer:  # noqa: S310 - the client's own endpoint
                return bytes(answer.read(100_000))
        except OSError as error:
            raise Unavailable("signing in does not work at the moment") from error

    def enrol(self, email: str, password: str) -> str:
        names: Any = [{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}]
        pool = self._pool_id
        with _in_our_words():
            with suppress(self._client.exceptions.UsernameExistsException):
                self._client.admin_create_user(
                    UserPoolId=pool, Username=email, UserAttributes=names, MessageAction="SUPPRESS"
                )
            self._client.admin_set_user_password(UserPoolId=pool, Username=email, Password=password, Permanent=True)
            user = self._client.admin_get_user(UserPoolId=pool, Username=email)
        return _subject(user["UserAttributes"])

    def find(self, email: str) -> str:
        try:
            with _in_our_words():
                user = self._client.admin_get_user(UserPoolId=self._pool_id, Username=email)
        except Refusal:
            return ""
        return _subject(user["UserAttributes"]) if user.get("Enabled", True) else ""

    def sign_in(self, email: str, password: str) -> Tokens | Challenge:
        with _in_our_words():
            answer = self._client.admin_initiate_auth(
                UserPoolId=self._pool_id,
                ClientId=self._client_id,
                AuthFlow="ADMIN_USER_PASSWORD_AUTH",
                AuthParameters={"USERNAME": email, "PASSWORD": password},
            )
        return self._outcome(email, answer)

    def answer_totp(self, challenge: Challenge, code: str) -> Tokens | Challenge:
        return self._respond(challenge, {"SOFTWARE_TOKEN_MFA_CODE": code})

    def answer_new_password(self, challenge: Challenge, password: str) -> Tokens | Challenge:
        return self._respond(challenge, {"NEW_PASSWORD": password})

    def answer_totp_setup(self, challenge: Challenge, code: str) -> Tokens | Challenge:
        with _in_our_words():
            answer = self._client.verify_software_token(Session=challenge.state, UserCode=code)
        confirmed = Challenge(challenge.kind, challenge.email, answer.get("Session", challenge.state))
        return self._respond(confirmed, {})

    def _respond(self, challenge: Challenge, responses: dict[str, str]) -> Tokens | Challenge:
        name: Any = _NAMES[challenge.kind]
        with _in_our_words():
            answer = self._client.admin_respond_to_auth_challenge(
                UserPoolId=self._pool_id,
                ClientId=self._client_id,
                ChallengeName=name,
                ChallengeResponses={"USERNAME": challenge.email, **responses},
                Session=challenge.state,
            )
        return self._outcome(challenge.email, answer)

    def _outcome(self, email: str, answer: Any) -> Tokens | Challenge:
        if "ChallengeName" not in answer:
            result = answer["AuthenticationResult"]
            return Tokens(result["IdToken"], result["AccessToken"])
        kind = _KINDS.get(answer["ChallengeName"])
        if kind is None:
            raise Refusal("sign_in_failed", "e-mail address or password is not right")
        if kind is not ChallengeKind.TOTP_SETUP:
            return Challenge(kind, email, answer["Session"])
        with _in_our_words():
            setup = self._client.associate_software_token(Session=answer["Session"])
        return Challenge(kind, email, setup["Session"], setup["SecretCode"])

    def start_totp_setup(self, access_token: str) -> str:
        with _in_our_words():
            return self._client.associate_software_token(AccessToken=access_token)["SecretCode"]

    def confirm_totp(self, access_token: str, code: str) -> None:
        with _in_our_words():
            self._client.verify_software_token(AccessToken=access_token, UserCode=code)
            self._client.set_user_mfa_preference(
                AccessToken=access_token, SoftwareTokenMfaSettings={"Enabled": True, "PreferredMfa": True}
            )

    def forgot_password(self, email: str) -> None:
        try:
            with _in_our_words():
                self._client.forgot_password(ClientId=self._client_id, Username=email)
        except Refusal:
            return  # an unknown address, a user without a verified one, too many codes: quiet, all the same

    def confirm_forgot(self, email: str, code: str, password: str) -> None:
        try:
            with _in_our_words():
                self._client.confirm_forgot_password(
                    ClientId=self._client_id, Username=email, ConfirmationCode=code, Password=password
                )
        except Refusal as refusal:
            if refusal.code == "sign_in_failed":
                raise Refusal("code_wrong", "the code is not right, or no longer valid") from refusal
            raise
