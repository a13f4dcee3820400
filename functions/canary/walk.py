"""The canary's walk: sign in, be billed, pay, be credited; each step timed, the first that breaks ends the walk.

Signing in and paying go through the portal's own pages and the gateway's own page, as a customer's do. Nothing is
remembered between walks: the next one pays whatever invoice is open and reverses whatever is not reversed, so what a
broken walk left behind is gone after the next that holds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from functions.canary.books import Books, Names
from functions.canary.browser import FORM, Browser, Send
from saldo.kernel.clock import Clock
from saldo.kernel.errors import Refusal

# The card of the gateway's sandbox that always pays (local/gateway/methods.py).
_CARD = "number=4242424242424242&expiry=12%2F{year}&cvc=123"
_WAITS_S = (1, 1, 2, 3, 5, 8, 10, 15)  # for the gateway's news, three quarters of a minute in all


@dataclass(slots=True)
class Walked:
    """took_ms: of each step that was gone, the broken one too. broken: its name, "" when the walk held; why: a code."""

    took_ms: dict[str, int] = field(default_factory=dict)
    broken: str = ""
    why: str = ""


class Canary:
    """One region's canary. `send` carries its requests; `pause` waits so many seconds."""

    def __init__(
        self, books: Books, names: Names, origin: str, password: Callable[[], str], clock: Clock,
        send: Send, pause: Callable[[float], None] = time.sleep,
    ) -> None:  # fmt: skip
        self._books, self._names, self._password = books, names, password
        self._clock, self._send, self._pause = clock, send, pause
        known = dict.fromkeys(("saldo-browser", "__Host-saldo-browser"), "the canary, always the same")
        self._browser = Browser(origin, send, known)  # so that no walk is told of as a new browser

    def walk(self) -> Walked:
        """Go all steps. Whatever a step raises breaks it and is told by its code or class, never by its text."""
        walked, now = Walked(), self._clock()
        request = f"c{now:%Y%m%d%H%M%S}"
        steps: dict[str, Callable[[], None]] = {
            "SignIn": self._sign_in,
            "Bill": lambda: self._books.bill(self._names, request),
            "Pay": lambda: self._pay(now),
            "Reverse": lambda: self._reverse(request),
        }
        for name, step in steps.items():
            began = time.monotonic()
            try:
                step()
            except Exception as error:
                walked.broken, walked.why = name, getattr(error, "code", type(error).__name__)
            walked.took_ms[name] = round((time.monotonic() - began) * 1000)
            if walked.broken:
                break
        return walked

    def _sign_in(self) -> None:
        password = self._password()
        self._books.found(self._names, password)
        known = {"email": self._names.email, "password": password}
        form = [pair for pair in self._browser.get("/sign-in").fields() if pair[0] not in known]
        page = self._browser.post("/sign-in", [*form, *known.items()])
        _held(page.status == 303 and page.location.startswith("/accounts"), "not_signed_in")

    def _pay(self, now: datetime) -> None:
        """Choose all that is open, check, confirm, type a card at the gateway, and wait until the invoice knows."""
        home = f"/accounts/{self._names.account_id}"
        form = self._browser.get(f"{home}/pay?all=open")
        _held(form.status == 200, "not_offered")
        check = self._browser.post(f"{home}/pay/check", form.fields())
        _held(check.status == 200 and check.has("request_key"), "not_checked")
        confirmed = self._browser.post(f"{home}/pay/confirm", check.fields())
        _held(confirmed.status == 303 and "/pay/" in confirmed.location, "no_checkout")
        card = _CARD.format(year=(now.year + 1) % 100).encode()
        paid = self._send("POST", f"{confirmed.location}/card", {"content-type": FORM}, card)
        _held(paid.status == 303, "card_refused")
        for wait_s in _WAITS_S:
            if self._books.open_minor(self._names) == 0:
                return
            self._pause(wait_s)
        _held(self._books.open_minor(self._names) == 0, "payment_not_applied")

    def _reverse(self, request: str) -> None:
        self._books.reverse(self._names, request)
        _held(self._books.nets_to_zero(self._names), "does_not_net_to_zero")


def _held(true: bool, code: str) -> None:
    if not true:
        raise Refusal(code, "the canary's walk broke here")
