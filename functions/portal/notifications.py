"""What a user is told of, over all their accounts; what they choose to be told; the link that ends a kind of mail."""

from __future__ import annotations

from functions.portal import services
from functions.portal.answers import Answer, see_other
from functions.portal.endpoint import ANY_USER, FORM, SIGNED, Routes
from functions.portal.pages import page
from functions.portal.presenters.notifications import Wish, centre_view, choice_rows
from functions.portal.visit import Visit
from saldo.access.model_notices import NoticeKind, Way
from saldo.access.rules_notices import can_choose, kinds_for
from saldo.kernel.clock import instant_from, instant_text
from saldo.kernel.errors import Refusal

routes = Routes("notifications")
# Mail programs send either (RFC 8058).
_ONE_CLICK = [FORM, "multipart/form-data"]


@routes.get("/notifications", ANY_USER)
def notifications(visit: Visit) -> Answer:
    wish = _wish(visit)
    told = services.notification_centre().told(visit.who, wish.account_id)
    view = centre_view(told, wish, visit.who.seats, visit.words)
    notice = visit.words("notifications.done.read") if visit.asked("done") == "read" else ""
    return page(visit, "notifications", view=view, wish=wish, until=instant_text(visit.now), notice=notice)


@routes.post("/notifications/read", ANY_USER)
def read(visit: Visit) -> Answer:
    """Everything up to an instant that the page showed; never what came after."""
    try:
        until = min(instant_from(visit.sent("until")[:40]), visit.now)
    except ValueError as error:
        raise Refusal("invalid_form", "the form cannot be read") from error
    services.chosen_notices().read_until(visit.who.user_id, until)
    services.sessions().recount(visit.who)
    return see_other("/notifications?done=read")


@routes.get("/profile/notifications", ANY_USER)
def choices(visit: Visit) -> Answer:
    chosen = services.chosen_notices().of(visit.who.user_id)
    rows = choice_rows(_kinds(visit), chosen, visit.words)
    notice = visit.words("notifications.done.chosen") if visit.asked("done") == "chosen" else ""
    return page(visit, "notification_choices", rows=rows, notice=notice)


@routes.post("/profile/notifications", ANY_USER)
def choose(visit: Visit) -> Answer:
    offered = [(kind, way) for kind in _kinds(visit) for way in Way if can_choose(kind, way)]
    chosen = {(kind, way): way.value in visit.form.get(kind.value, []) for kind, way in offered}
    services.chosen_notices().choose(visit.who.user_id, chosen, visit.actor)
    services.sessions().recount(visit.who)
    return see_other("/profile/notifications?done=chosen")


@routes.get("/unsubscribe/{token}", SIGNED)
def ask_to_stop(visit: Visit) -> Answer:
    """Asks, and changes nothing: programs that look into mails follow links."""
    _, kind = services.chosen_notices().stopped_by(visit.params["token"])
    return page(visit, "unsubscribe", token=visit.params["token"], name=visit.words(f"notice.kind.{kind}"), done=False)


@routes.register("POST", "/unsubscribe/{token}", SIGNED, _ONE_CLICK)
def stop(visit: Visit) -> Answer:
    """By the button of that page or of a mail program. The token is the proof: it knows one person and one kind."""
    token = visit.params["token"]
    kind = services.chosen_notices().stop(token, visit.correlation_id, visit.origin.address)
    return page(visit, "unsubscribe", token=token, name=visit.words(f"notice.kind.{kind}"), done=True)


def _kinds(visit: Visit) -> tuple[NoticeKind, ...]:
    return kinds_for(seat.role for seat in visit.who.seats)


def _wish(visit: Visit) -> Wish:
    """What is asked for that there is; anything else is as good as not asked."""
    account_id, kind, number = visit.asked("account"), visit.asked("kind"), visit.asked("page")
    known = {seat.account_id for seat in visit.who.seats}
    return Wish(
        account_id if account_id in known else "",
        NoticeKind(kind) if kind in {k.value for k in NoticeKind} else None,
        int(number) if number.isascii() and number.isdigit() and len(number) < 4 else 1,
    )
