"""One customer of each region pays an invoice by card, as payers do: our page, the gateway's page, its news."""

from __future__ import annotations

import time
import urllib.error
import urllib.parse
import urllib.request

from local.stack import LocalStack
from saldo.audit.model import Actor
from saldo.invoicing.records import header_from
from saldo.kernel.clock import Clock
from saldo.payments.model import UNDER_WAY, Allocation, Payment
from saldo.payments.service import Payments
from saldo.payments.simulator import SimulatedGateway
from saldo.storage.store import Store

_CARD = {"number": "4242 4242 4242 4242", "expiry": "12/34", "cvc": "123"}
_WAIT_S = 30


def pay_oldest_by_card(stack: LocalStack, store: Store, account_id: str, payer: Actor, clock: Clock) -> None:
    """Pay what is open on the account's oldest invoice; once, however often this is repeated.

    Waits until the gateway's news has arrived through webhook, queue and function; RuntimeError when it has not.
    """
    payments = Payments(store, SimulatedGateway(stack.gateway_url, lambda: _secret(stack)), clock)
    done = payments.of_account(account_id)
    card = next((p for p in done if p.gateway == SimulatedGateway.name), None) or _start(
        payments, store, account_id, payer, stack.portal_origin
    )
    if card is None:
        return
    if card.status in UNDER_WAY:
        _fill_in(card.checkout_url)
    _await(payments, card)


def _start(payments: Payments, store: Store, account_id: str, payer: Actor, origin: str) -> Payment | None:
    items = store.query_all(account_id, prefix="invoice#", consistent=True)
    oldest = next((h for h in map(header_from, items) if h.number and h.open_minor), None)
    if oldest is None:
        return None
    wanted = [Allocation(oldest.invoice_id, oldest.open_minor)]
    return payments.start(account_id, wanted, payer, f"demo-{oldest.invoice_id}", f"{origin}/payments/{{payment_id}}")


def _fill_in(checkout_url: str) -> None:
    """Send the pay page's card form; its answer leads back to the portal, which needs no visit."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: object) -> None:
            return None

    form = urllib.parse.urlencode(_CARD).encode()
    try:
        urllib.request.build_opener(Stay).open(f"{checkout_url}/card", form, timeout=10).close()
    except urllib.error.HTTPError as answer:
        if answer.code not in (302, 303):
            raise


def _await(payments: Payments, card: Payment) -> None:
    until = time.monotonic() + _WAIT_S
    while payments.get(card.account_id, card.id).status in UNDER_WAY:
        if time.monotonic() > until:
            raise RuntimeError(f"the gateway's news of {card.id} did not arrive within {_WAIT_S} s")
        time.sleep(0.2)


def _secret(stack: LocalStack) -> bytes:
    held = stack.client("secretsmanager").get_secret_value(SecretId=stack.gateway_secret_arn)
    return str(held["SecretString"]).split("\n", 1)[0].strip().encode()
