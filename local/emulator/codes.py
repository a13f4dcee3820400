"""One-time codes that a user pool asks of everyone: who has none sets one up before the first tokens, as in Cognito.

The emulator lets such users in without any, and forgets whose a secret is that was asked for before there were tokens.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable
from typing import Any

User = dict[str, Any]  # the emulator's own record
Handler = Callable[[dict[str, Any]], Any]
_setting_up: dict[str, User] = {}  # by session, until the first code was right


def install() -> None:
    from ministack.services import cognito

    from local.emulator.replace import around

    around(cognito, "_mfa_challenge_for_user", _asked_for)
    around(cognito, "_associate_software_token", _associated)
    around(cognito, "_verify_software_token", _verified)


def _asked_for(old: Callable[..., Any]) -> Callable[..., Any]:
    def challenge(pool: dict[str, Any], user: User, pool_id: str, username: str) -> Any:
        asked = old(pool, user, pool_id, username)
        if asked is not None or pool.get("MfaConfiguration") != "ON":
            return asked
        parameters = {"USER_ID_FOR_SRP": username, "MFAS_CAN_SETUP": '["SOFTWARE_TOKEN_MFA"]'}
        return {"ChallengeName": "MFA_SETUP", "Session": _begun(user), "ChallengeParameters": parameters}

    return challenge


def _associated(old: Handler) -> Handler:
    def associate(data: dict[str, Any]) -> Any:
        from ministack.services import cognito

        user = _setting_up.pop(data.get("Session", ""), None)
        if user is None:
            return old(data)
        user["_totp_pending_secret"] = base64.b32encode(secrets.token_bytes(20)).decode()
        return cognito.json_response({"SecretCode": user["_totp_pending_secret"], "Session": _begun(user)})

    return associate


def _verified(old: Handler) -> Handler:
    def verify(data: dict[str, Any]) -> Any:
        from ministack.services import cognito

        user = _setting_up.get(data.get("Session", ""))
        if user is None:
            return old(data)
        if not cognito._totp_matches(user.get("_totp_pending_secret", ""), data.get("UserCode", "")):
            return cognito.error_response_json("EnableSoftwareTokenMFAException", "Code mismatch", 400)
        del _setting_up[data["Session"]]
        user["_totp_secret"] = user.pop("_totp_pending_secret")
        user["_preferred_mfa"] = "SOFTWARE_TOKEN_MFA"
        user.setdefault("_mfa_enabled", []).append("SOFTWARE_TOKEN_MFA")
        return cognito.json_response({"Status": "SUCCESS", "Session": _begun({})})

    return verify


def _begun(user: User) -> str:
    session = base64.b64encode(secrets.token_bytes(32)).decode()
    if user:
        _setting_up[session] = user
    return session
