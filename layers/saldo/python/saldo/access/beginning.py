"""How a session begins, whatever the proof: grants as they are now, the risk of it, and who is told; and how it goes on
under another token once somebody proved again who they are."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from saldo.access import records, rules, rules_risk
from saldo.access.model import Failures, Grant, Origin, Proof, Seat, Session, SessionSummary, SignedIn, UserStatus
from saldo.access.notes import Note, NoteKind, add_note, new_note_id
from saldo.access.records_sso import connection_key, require_standing
from saldo.access.records_views import views_among
from saldo.access.rules_risk import Assessment, Signals, SignInBlocked, Verdict
from saldo.access.rules_views import Views
from saldo.access.rules_visibility import visibility_text
from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.kernel.clock import Clock, instant_text
from saldo.kernel.errors import Refusal
from saldo.kernel.periods import zone_named
from saldo.storage.items import Item
from saldo.storage.sealing import Sealer
from saldo.storage.store import Store
from saldo.storage.units import Conflict, Unit

_MOST_TRIES = 3
_MOST_BROWSERS = 20
_MOST_SEATS_CHECKED = 40
_TOLD_FOR = timedelta(days=2)
_ONCE = frozenset({"challenge"})  # sort keys of what is used up by signing in


class ProofByMail(Refusal):
    """Unusual enough to ask for more than a password of somebody without one-time codes: a link from their mailbox."""

    def __init__(self, user_id: str) -> None:
        super().__init__("proof_by_mail", "open the link that was mailed")
        self.user_id = user_id


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody whose proof holds. `also`: what else the unit of the session's beginning writes."""

    user_id: str
    origin: Origin
    proof: Proof
    failures: Failures
    old_token: str = ""
    also: Callable[[Unit], Unit] = lambda unit: unit


@dataclass(frozen=True, slots=True)
class _Known:
    """The user's record, living sessions newest first, browsers signed in with before, and saved views."""

    user: Item
    living: tuple[SessionSummary, ...]
    browsers: tuple[Item, ...]
    views: Views

    def surplus(self, origin: Origin) -> list[Item]:
        """Browsers to forget so that, with this one, not more are kept than every sign-in can read."""
        others = [item for item in self.browsers if item["sk"] != records.KNOWN_BROWSERS + origin.browser[:32]]
        others.sort(key=lambda item: str(item["last_at"]), reverse=True)
        return others[_MOST_BROWSERS - 1 :][:_MOST_BROWSERS]


class Beginning:
    """Begins sessions of one region."""

    def __init__(self, store: Store, sealer: Sealer, clock: Clock) -> None:
        self._store, self._sealer, self._clock = store, sealer, clock

    def begin(self, arrival: Arrival) -> SignedIn:
        """Refusal `sign_in_failed` (also SignInBlocked), ProofByMail, `link_invalid` when `also` does not hold."""
        for _ in range(_MOST_TRIES):
            known, now = self._known(arrival.user_id), self._clock()
            seats = self._seats(records.grants_from(known.user)) if known else ()
            if known is None or known.user["status"] != UserStatus.ACTIVE or not seats:
                break
            risk = rules_risk.assess(_signals(arrival, known, seats[0].time_zone, now))
            self._refuse_when_risky(arrival, risk, now)
            token = secrets.token_urlsafe(32)
            session = _session(token, arrival, known, seats, now)
            conflict = self._store.write_one(self._unit(session, arrival, known, risk))
            if conflict is None:
                return SignedIn(token, session)
            _refuse_when_over(conflict, known.user["organisation_id"])
        raise Refusal("sign_in_failed", "e-mail address or password is not right")

    def renew(self, session: Session, also: Callable[[Unit], Unit] = lambda unit: unit, **learned: bool) -> SignedIn:
        """The session of somebody who proved again who they are, under another token and with their rights of now: with
        the old token, whoever else knew it has nothing. learned: facts of the user that hold from now on.

        Refusal `not_signed_in` when it is over, or `also` does not hold.
        """
        for _ in range(_MOST_TRIES):
            old, known = self._store.get(*records.session_key(session.digest)), self._known(session.user_id)
            seats = self._seats(records.grants_from(known.user)) if known else ()
            if old is None or known is None or known.user["status"] != UserStatus.ACTIVE or not seats:
                break
            token = secrets.token_urlsafe(32)
            renewed = _renewed(token, records.session_from(old), session.form_key, known, seats, learned, self._clock())
            unit = self._renewal(session, renewed, records.renewed_item(renewed, old), known, learned)
            if self._store.write_one(also(unit)) is None:
                return SignedIn(token, renewed)
        raise Refusal("not_signed_in", "sign in first")

    def _renewal(
        self, session: Session, renewed: Session, item: Item, known: _Known, learned: Mapping[str, bool]
    ) -> Unit:
        unit = Unit(f"renew {session.digest}").insert(item).put(records.own_session_item(renewed))
        _hold(unit, renewed, known, learned)
        unit.delete(records.session_key(session.digest), when={"user_id": session.user_id})
        unit.delete(records.own_session_key(session.user_id, session.digest))
        actor, after = Actor(session.user_id, "user", address=session.origin.address), {"was": session.digest[:16]}
        record = AuditRecord(session.user_id, self._clock(), actor, "session.renewed", renewed.digest[:16], after=after)
        require_standing(unit, session.organisation_id, renewed.proof is Proof.SSO)
        return unit.put(audit_item(record))

    def _known(self, user_id: str) -> _Known | None:
        last = records.user_key(user_id)[1]
        items = list(self._store.query_all(user_id, first=records.OWN_SESSIONS, last=last, consistent=True))
        user = next((i for i in items if i["sk"] == last), None)
        if user is None:
            return None
        found = [records.summary_from(i) for i in items if i["kind"] == "own_session"]
        living = [s for s in found if self._clock() - s.began_at < rules.ABSOLUTE]
        living.sort(key=lambda s: s.began_at, reverse=True)
        browsers = tuple(i for i in items if i["kind"] == "known_browser")
        return _Known(user, tuple(living), browsers, views_among(items)[0])

    def _refuse_when_risky(self, arrival: Arrival, risk: Assessment, now: datetime) -> None:
        if risk.verdict is Verdict.BLOCK:
            actor = Actor(arrival.user_id, "user", address=arrival.origin.address)
            after = {"score": risk.score, "reasons": list(risk.reasons)}
            record = AuditRecord(arrival.user_id, now, actor, "sign_in.blocked", arrival.user_id, after=after)
            self._store.put_many([audit_item(record)])
            raise SignInBlocked
        if risk.verdict is Verdict.STEP_UP and arrival.proof is Proof.PASSWORD:
            raise ProofByMail(arrival.user_id)

    def _unit(self, session: Session, arrival: Arrival, known: _Known, risk: Assessment) -> Unit:
        """The session, the user's list of it, the end of the one it follows, the browser, and the audit: one unit.

        It holds only while grants and visibility are those that were read: a change meanwhile must not be outlived.
        """
        now, user = session.began_at, known.user
        unit = Unit(f"begin {session.digest}").insert(records.session_item(session))
        _hold(unit.put(records.own_session_item(session)), session, known, {})
        old = self._old(arrival.old_token)
        if old is not None:
            records.end_session(unit, old["user_id"], rules.digest_of(arrival.old_token))
        if session.origin.browser:
            unit.put(records.known_browser_item(session.user_id, session.origin, now))
            for item in known.surplus(session.origin):
                unit.delete((item["pk"], item["sk"]))
        if known.browsers and not _is_known(session.origin, known):
            add_note(unit, self._note(session, user), self._sealer)
        actor = Actor(session.user_id, "user", address=session.origin.address)
        after = {"proof": arrival.proof.value} | ({"risk": list(risk.reasons)} if risk.reasons else {})
        record = AuditRecord(session.user_id, now, actor, "session.began", session.user_id, after=after)
        require_standing(unit, session.organisation_id, arrival.proof is Proof.SSO)
        return arrival.also(unit.put(audit_item(record)))

    def _old(self, token: str) -> Item | None:
        return self._store.get(*records.session_key(rules.digest_of(token))) if token else None

    def _note(self, session: Session, user: Item) -> Note:
        """Tells the user of a sign-in from a browser that was not seen before."""
        seat, now = session.seats[0], session.began_at
        at = now.astimezone(zone_named(seat.time_zone))
        values = {"device": session.origin.device, "network": session.origin.address, "at": f"{at:%Y-%m-%d %H:%M %Z}"}
        return Note(
            account_id=seat.account_id,
            id=new_note_id(now),
            kind=NoteKind.NEW_DEVICE,
            organisation_id=session.organisation_id,
            entity_id=seat.entity_id,
            language=session.language,
            email=records.user_from(user, self._sealer).email,
            written_at=now,
            until=now + _TOLD_FOR,
            values=values,
            user_id=session.user_id,
        )

    def _seats(self, grants: Sequence[Grant]) -> tuple[Seat, ...]:
        granted = [g for g in grants if not g.suspended]
        found = self._store.get_many([(g.account_id, "account") for g in granted])
        return tuple(
            records.seat_from(grant.role, found[grant.account_id, "account"])
            for grant in granted
            if (grant.account_id, "account") in found
        )


def _hold(unit: Unit, session: Session, known: _Known, learned: Mapping[str, bool]) -> None:
    """Only while grants and visibility are those that were read."""
    when = {"registered_at": known.user["registered_at"], "signed_in_at": known.user.get("signed_in_at")}
    now = {"signed_in_at": instant_text(session.seen_at), **learned}
    unit.update(records.user_key(session.user_id), set=now, when=when)
    for seat in session.seats[:_MOST_SEATS_CHECKED]:
        unit.require((seat.account_id, "account"), when={"visibility": visibility_text(seat.visibility)})


def _refuse_when_over(conflict: Conflict, organisation_id: str) -> None:
    """What else was to be written does not hold: a link or a challenge was used meanwhile, or the organisation lets
    nobody in this way. Other conflicts are tried again."""
    if any(sk.startswith(records.SIGN_IN_LINKS) for _, sk in conflict.keys):
        raise Refusal("link_invalid", "this link has been used or has expired")
    if connection_key(organisation_id) in conflict.keys or any(sk in _ONCE for _, sk in conflict.keys):
        raise Refusal("sign_in_failed", "e-mail address or password is not right")


def _session(token: str, arrival: Arrival, known: _Known, seats: tuple[Seat, ...], now: datetime) -> Session:
    user = known.user
    old = rules.digest_of(arrival.old_token) if arrival.old_token else ""
    others = [s for s in known.living if s.digest != old]
    return Session(
        digest=rules.digest_of(token),
        user_id=arrival.user_id,
        organisation_id=user["organisation_id"],
        seats=seats,
        language=user["language"],
        has_totp=user["has_totp"] or arrival.proof is Proof.CODE,
        began_at=now,
        seen_at=now,
        verified_at=now if arrival.proof.is_strong else None,
        origin=arrival.origin,
        elsewhere=(others[0].origin.device or "?") if others else "",
        has_passkey=user.get("has_passkey", False),
        proof=arrival.proof,
        views=known.views,
        toured=user.get("toured", False),
    )


def _renewed(
    token: str,
    was: Session,
    form_key: str,
    known: _Known,
    seats: tuple[Seat, ...],
    learned: Mapping[str, bool],
    now: datetime,
) -> Session:
    return replace(
        was,
        digest=rules.digest_of(token),
        seats=seats,
        seen_at=now,
        verified_at=now,
        has_totp=learned.get("has_totp", was.has_totp),
        has_passkey=learned.get("has_passkey", was.has_passkey),
        views=known.views,
        form_key=form_key,
    )


def _signals(arrival: Arrival, known: _Known, zone: str, now: datetime) -> Signals:
    networks = {item["address"] for item in known.browsers}
    return Signals(
        is_first=not known.browsers,
        new_browser=not _is_known(arrival.origin, known),
        new_network=arrival.origin.address not in networks,
        sign_ins=sum(now - s.began_at < timedelta(hours=1) for s in known.living),
        failures=arrival.failures.of_user,
        hour=now.astimezone(zone_named(zone)).hour,
    )


def _is_known(origin: Origin, known: _Known) -> bool:
    mark = records.KNOWN_BROWSERS + origin.browser[:32]
    return any(item["sk"] == mark for item in known.browsers)
