"""The gateway on one machine and Saldo, over real sockets: from the pay page to money in the bank."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from local.gateway.book import Pace
from local.gateway.moods import Mood
from local.gateway.server import GatewayProcess
from saldo.kernel.errors import Refusal, Unavailable
from saldo.kernel.money import Money
from saldo.payments.model import Outcome, Payment, PaymentStatus
from saldo.payments.ports import Checkout, CheckoutRequest
from saldo.payments.service import Payments
from saldo.payments.simulator import SimulatedGateway, api_key
from saldo.payments.webhooks import SIGNATURE_HEADER, verified_body
from tests.contexts.conftest import FrozenClock
from tests.contexts.payments.scenes import ACCOUNT, Shop, assert_the_books_are_right, shop_in_memory

SECRET = b"a secret of the gateway"
CARD = {"number": "4242 4242 4242 4242", "expiry": "04/30", "cvc": "123"}


class _Receiver(BaseHTTPRequestHandler):
    """Saldo's webhook as the portal and its queue are: verify, then handle."""

    payments: Payments
    clock: FrozenClock
    outcomes: list[Outcome]

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        event = verified_body(raw, self.headers[SIGNATURE_HEADER], [SECRET], self.clock())
        self.outcomes.append(self.payments.handle_event(event))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@dataclass
class Street:
    """A shop whose gateway is the real simulator, with the clock in the test's hand."""

    shop: Shop
    gateway: GatewayProcess
    payments: Payments
    outcomes: list[Outcome]

    def start(self, *chosen: tuple[str, int], key: str = "form-key-1") -> Payment:
        return self.shop.start(*chosen, key=key, reason="in parts")

    def deliver(self, seconds: int) -> None:
        """Let the courier make its rounds, second by second."""
        for _ in range(seconds):
            self.shop.clock.advance(seconds=1)
            while self.gateway.courier.round():
                pass

    def payment(self, payment: Payment) -> Payment:
        return self.payments.get(ACCOUNT, payment.id)

    def send(self, verb: str, path: str, form: dict[str, str] | None = None, **headers: str) -> tuple[int, str, Any]:
        """Status, body and headers of one request to the gateway."""
        connection = http.client.HTTPConnection("localhost", urlsplit(self.gateway.url).port, timeout=5)
        body = urlencode(form) if form is not None else None
        connection.request(verb, path, body, headers)
        answer = connection.getresponse()
        found = answer.status, answer.read().decode(), answer.headers
        connection.close()
        return found

    def act(self, payment: Payment, part: str, form: dict[str, str]) -> tuple[int, str, Any]:
        return self.send("POST", f"/pay/{payment.gateway_ref}/{part}", form)


@contextmanager
def street(state: Path, mood: Mood | None = None) -> Iterator[Street]:
    with shop_in_memory() as shop:
        outcomes: list[Outcome] = []
        handler = type("Receiver", (_Receiver,), {"clock": shop.clock, "outcomes": outcomes})
        receiver = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=receiver.serve_forever, args=(0.02,), daemon=True).start()
        targets = {"eu": f"http://127.0.0.1:{receiver.server_address[1]}/webhooks/gateway"}
        with GatewayProcess(state, [SECRET], targets, pace=Pace(), mood=mood, clock=shop.clock) as gateway:
            gateway.start(deliver=False)
            shop.payments = Payments(shop.store, SimulatedGateway(gateway.url, lambda: SECRET), shop.clock)
            handler.payments = shop.payments  # type: ignore[attr-defined]
            yield Street(shop, gateway, shop.payments, outcomes)
        receiver.shutdown()
        receiver.server_close()


@pytest.fixture
def calm(tmp_path: Path) -> Iterator[Street]:
    with street(tmp_path) as opened:
        yield opened


def test_from_the_pay_page_to_money_in_the_bank(calm: Street) -> None:
    payment = calm.start(("inv_1", 10_000), ("inv_2", 5_000))
    status, page, headers = calm.send("GET", urlsplit(payment.checkout_url).path)
    assert status == 200
    assert "Saldo Seller GmbH" in page and "€150.00" in page and "2 invoices: EU-inv_1, EU-inv_2" in page
    assert "<script" not in page and "default-src 'none'" in headers["Content-Security-Policy"]
    assert "form-action 'self' http://localhost:8080;" in headers["Content-Security-Policy"]

    status, _, headers = calm.act(payment, "card", CARD)
    assert (status, headers["Location"]) == (303, f"http://localhost:8080/payments/{payment.id}")
    calm.deliver(1)
    assert calm.payment(payment).status is PaymentStatus.SETTLED
    calm.deliver(65)
    assert calm.outcomes == [Outcome.APPLIED] * 3
    assert calm.shop.balances() == {"bank": 15_000, "receivables": 2_000, "revenue": -17_000}
    assert_the_books_are_right(calm.shop.store)


def test_paying_twice_on_the_page_takes_the_money_once(calm: Street) -> None:
    payment = calm.start(("inv_1", 10_000))
    for _ in range(3):
        assert calm.act(payment, "card", CARD)[0] == 303
    calm.deliver(2)
    assert calm.outcomes == [Outcome.APPLIED] * 2
    assert "This payment has been made" in calm.send("GET", f"/pay/{payment.gateway_ref}")[1]


@pytest.mark.parametrize(
    ("number", "code"), [("4000000000000002", "card_declined"), ("4000000000009995", "insufficient_funds")]
)
def test_a_declined_card_fails_the_payment_with_its_reason(calm: Street, number: str, code: str) -> None:
    payment = calm.start(("inv_1", 10_000))
    assert calm.act(payment, "card", CARD | {"number": number})[0] == 303
    calm.deliver(1)
    failed = calm.payment(payment)
    assert (failed.status, failed.failure_code) == (PaymentStatus.FAILED, code)
    assert calm.shop.header("inv_1").open_minor == 10_000


@pytest.mark.parametrize(("decision", "ends"), [("approve", PaymentStatus.SETTLED), ("refuse", PaymentStatus.FAILED)])
def test_strong_authentication_decides(calm: Street, decision: str, ends: PaymentStatus) -> None:
    payment = calm.start(("inv_1", 10_000))
    _, _, headers = calm.act(payment, "card", CARD | {"number": "4000002760003184"})
    assert headers["Location"] == f"/pay/{payment.gateway_ref}"
    calm.deliver(1)
    assert calm.payment(payment).status is PaymentStatus.REQUIRES_ACTION
    assert "Confirm this payment" in calm.send("GET", headers["Location"])[1]
    assert calm.act(payment, "card", CARD)[2]["Location"] == headers["Location"]  # no way around it
    _, _, headers = calm.act(payment, "challenge", {"decision": decision})
    assert headers["Location"].startswith("http://localhost:8080/")
    calm.deliver(1)
    assert calm.payment(payment).status is ends


@pytest.mark.parametrize(
    ("iban", "ends"),
    [("DE89 3704 0044 0532 0130 00", PaymentStatus.SETTLED), ("DE62370400440532013001", PaymentStatus.FAILED)],
)
def test_a_debit_is_under_way_before_it_settles_or_comes_back(calm: Street, iban: str, ends: PaymentStatus) -> None:
    payment = calm.start(("inv_1", 10_000))
    assert calm.act(payment, "debit", {"iban": iban})[0] == 303
    calm.deliver(1)
    assert calm.payment(payment).status is PaymentStatus.PROCESSING
    calm.deliver(20)
    assert calm.payment(payment).status is ends


def test_a_cancelled_payment_leads_back_and_an_abandoned_one_expires(calm: Street) -> None:
    cancelled, abandoned = calm.start(("inv_1", 1), key="form-key-1"), calm.start(("inv_1", 1), key="form-key-2")
    _, _, headers = calm.act(cancelled, "cancel", {})
    assert headers["Location"].endswith(cancelled.id)
    calm.shop.clock.advance(hours=24)
    calm.deliver(1)
    assert [calm.payment(p).status for p in (cancelled, abandoned)] == [PaymentStatus.CANCELLED] * 2
    assert "was cancelled" in calm.send("GET", f"/pay/{abandoned.gateway_ref}")[1]


def test_a_form_filled_in_wrongly_names_every_problem_and_keeps_no_security_code(calm: Street) -> None:
    payment = calm.start(("inv_1", 10_000))
    wrong = {"number": "4242 4242 4242 4241", "expiry": "13/30", "cvc": "98765"}
    status, page, _ = calm.act(payment, "card", wrong)
    assert status == 422
    for text in ("Enter the number on the card", "Enter the expiry date", "Enter the 3 or 4 digits"):
        assert page.count(text) == 2  # in the summary and at the field
    assert 'href="#cvc"' in page and "98765" not in page
    assert "This card has expired" in calm.act(payment, "card", CARD | {"expiry": "10/26"})[1]
    assert "real cards are not accepted" in calm.act(payment, "card", CARD | {"number": "4012888888881881"})[1]
    assert "Enter a valid IBAN" in calm.act(payment, "debit", {"iban": "DE00 1234"})[1]


def test_no_card_number_and_no_iban_is_ever_kept(calm: Street, tmp_path: Path) -> None:
    one, two = calm.start(("inv_1", 1), key="form-key-1"), calm.start(("inv_1", 1), key="form-key-2")
    calm.act(one, "card", CARD)
    calm.act(two, "debit", {"iban": "DE89370400440532013000"})
    calm.deliver(30)
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"4242424242424242" not in kept and b"DE89370400440532013000" not in kept and b"4242 4242" not in kept
    assert "4242" in calm.payment(one).method


def test_markup_in_what_a_merchant_says_stays_text(calm: Street) -> None:
    request = _request(description="<script>alert(1)</script>", merchant='"><b>x')
    url = SimulatedGateway(calm.gateway.url, lambda: SECRET).create_checkout(request).url
    page = calm.send("GET", urlsplit(url).path)[1]
    assert "<script" not in page and "<b>x" not in page


def _request(**changes: Any) -> CheckoutRequest:
    fields: dict[str, Any] = {
        "payment_id": "pay_1",
        "account_id": ACCOUNT,
        "amount": Money(100, "EUR"),
        "description": "Rechnung 1",
        "merchant": "Saldo",
        "language": "de",
        "return_url": "http://localhost:8080/",
    }
    return CheckoutRequest(**(fields | changes))


def test_the_page_speaks_german_and_offers_no_debit_outside_the_euro(calm: Street) -> None:
    client = SimulatedGateway(calm.gateway.url, lambda: SECRET)
    german = client.create_checkout(_request(amount=Money(123_456, "EUR")))
    page = calm.send("GET", urlsplit(german.url).path)[1]
    assert "1.234,56\xa0€" in page and "Mit Karte zahlen" in page and '<html lang="de">' in page and "IBAN" in page
    dollars = client.create_checkout(_request(payment_id="pay_2", amount=Money(100, "USD")))
    assert "IBAN" not in calm.send("GET", urlsplit(dollars.url).path)[1]


def test_a_payment_id_opens_one_checkout_for_ever_and_for_nothing_else(calm: Street) -> None:
    client = SimulatedGateway(calm.gateway.url, lambda: SECRET)
    assert client.find_checkout("pay_1") is None
    assert client.look_up("chk_unknown") is None
    opened = client.create_checkout(_request())
    calm.shop.clock.advance(days=1000)
    assert client.create_checkout(_request(return_url="http://localhost:8080/other")) == opened
    assert client.find_checkout("pay_1") == opened
    with pytest.raises(Refusal, match="gateway_refused"):
        client.create_checkout(_request(amount=Money(101, "EUR")))


def test_what_the_gateway_knows_survives_its_restart(tmp_path: Path) -> None:
    with street(tmp_path) as first:
        payment = first.start(("inv_1", 10_000))
        first.act(payment, "card", CARD)
    with street(tmp_path) as second:  # the news was not delivered yet; the new process delivers it
        client = SimulatedGateway(second.gateway.url, lambda: SECRET)
        known = client.look_up(payment.gateway_ref)
        assert known is not None and known.status is PaymentStatus.SETTLED
        second.deliver(1)
        assert second.outcomes == [Outcome.PARKED] * 2  # this shop's books know nothing of it


def test_a_new_secret_changes_no_checkout_that_is_known(tmp_path: Path) -> None:
    def opened(secrets: list[bytes]) -> Checkout:
        with GatewayProcess(tmp_path, secrets, {}, public_url="http://localhost:1").start(deliver=False) as gateway:
            where = f"http://localhost:{gateway.port}"
            return SimulatedGateway(where, lambda: secrets[-1]).create_checkout(_request())

    assert opened([b"the old one"]) == opened([b"the new one", b"the old one"]) == opened([b"the new one"])


def test_strangers_get_nothing_from_the_api(calm: Street) -> None:
    payment = calm.start(("inv_1", 10_000))
    for token in ("", "Bearer ", "Bearer " + api_key(b"guess"), "Bearer \xff"):
        status, body, _ = calm.send("GET", f"/v1/checkouts/{payment.gateway_ref}", Authorization=token)
        assert (status, json.loads(body)["error"]["code"]) == (401, "unauthorised")
    with pytest.raises(Refusal, match="bearer token"):
        SimulatedGateway(calm.gateway.url, lambda: b"guess").look_up(payment.gateway_ref)


def test_bad_input_is_refused_with_every_problem(calm: Street) -> None:
    token = f"Bearer {api_key(SECRET)}"
    status, body, _ = calm.send("POST", "/v1/checkouts", {}, Authorization=token)
    error = json.loads(body)["error"]
    assert (status, error["code"]) == (422, "invalid_checkout")
    fields = {p["field"] for p in error["problems"]}
    assert {"payment_id", "account_id", "amount_minor", "currency", "return_url", "merchant"} <= fields
    assert calm.send("GET", "/v1/nothing", Authorization=token)[0] == 404
    assert calm.send("GET", "/pay/../etc/passwd")[0] == 404
    assert calm.send("POST", "/pay/chk_unknown/card", CARD)[0] == 404


def test_a_gateway_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        SimulatedGateway("http://127.0.0.1:9", lambda: SECRET, timeout_s=0.5).look_up("chk_1")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_on_a_bad_day_everything_still_ends_as_on_a_good_one(tmp_path: Path, seed: int) -> None:
    bad = Mood(seed=seed, late=0.6, twice=0.5, fail=0.5, lose=0.4, late_s=40)
    with street(tmp_path, bad) as s:
        ways = [CARD, CARD | {"number": "4000000000000002"}, {"iban": "DE89370400440532013000"}]
        payments = []
        for n in range(9):
            payments.append(payment := s.start(("inv_1", 1_000), key=f"form-key-{n}"))
            way = ways[n % 3]
            assert s.act(payment, "debit" if "iban" in way else "card", way)[0] == 303
            s.deliver(3)
        s.deliver(240)
        ends = [s.payment(p).status for p in payments]
        assert ends == [PaymentStatus.SETTLED, PaymentStatus.FAILED, PaymentStatus.SETTLED] * 3
        assert s.shop.balances() == {"bank": 6_000, "receivables": 11_000, "revenue": -17_000}
        assert Outcome.DUPLICATE in s.outcomes and Outcome.OUTDATED in s.outcomes
        assert_the_books_are_right(s.shop.store)
