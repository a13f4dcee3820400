"""Starting a payment: what may be paid, and once per form."""

from __future__ import annotations

import pytest

from saldo.kernel.errors import NotFound, Refusal, Unavailable
from saldo.payments.model import PaymentStatus
from tests.contexts.payments.scenes import ACCOUNT, RETURN_URL, Shop, assert_the_books_are_right, news, shop_in_memory
from tests.crashes import assert_survives_every_crash


def test_a_payment_of_two_invoices_leads_to_the_gateways_page(shop: Shop) -> None:
    payment = shop.start(("inv_1", 10_000), ("inv_2", 5_000))
    assert (payment.status, str(payment.amount)) == (PaymentStatus.STARTED, "150.00 EUR")
    assert payment.checkout_url.startswith("http://localhost:8090/pay/chk_")
    (request,) = shop.gateway.created
    assert request.description == "2 invoices: EU-inv_1, EU-inv_2"
    assert request.merchant == "Saldo Seller GmbH"
    assert request.return_url == RETURN_URL.replace("{payment_id}", payment.id)
    assert shop.payments.get(ACCOUNT, payment.id) == payment
    assert shop.payments.of_account(ACCOUNT) == [payment]


def test_the_same_form_sent_twice_is_one_payment(shop: Shop) -> None:
    first = shop.start(("inv_1", 10_000))
    shop.clock.advance(days=40)
    assert shop.start(("inv_1", 10_000)) == first
    assert len(shop.gateway.created) == 1
    assert len(shop.payments.of_account(ACCOUNT)) == 1


def test_the_same_form_with_other_contents_is_refused(shop: Shop) -> None:
    shop.start(("inv_1", 10_000))
    with pytest.raises(Refusal, match="request_key_reused"):
        shop.start(("inv_1", 9_999), reason="the rest is disputed")


def test_a_form_sent_again_after_the_payment_failed_shows_the_failed_payment(shop: Shop) -> None:
    payment = shop.start(("inv_1", 10_000))
    shop.payments.handle_event(news(payment, "failed", "evt_1"))
    again = shop.start(("inv_1", 10_000))
    assert (again.id, again.status, again.failure_code) == (payment.id, PaymentStatus.FAILED, "card_declined")
    assert len(shop.gateway.created) == 1


def test_paying_less_than_is_open_needs_a_reason_that_is_kept(shop: Shop) -> None:
    with pytest.raises(Refusal) as refused:
        shop.start(("inv_1", 4_000))
    assert [(p.field, p.code) for p in refused.value.problems] == [("reason", "reason_required")]
    assert shop.start(("inv_1", 4_000), reason="goods damaged").reason == "goods damaged"


def test_everything_wrong_with_a_choice_is_said_at_once_and_nothing_is_kept(shop: Shop) -> None:
    before = shop.everything()
    with pytest.raises(Refusal) as refused:
        shop.start(("inv_1", 10_001), ("inv_2", 0), ("inv_2", -1), ("inv_9", 5))
    found = [(p.field, p.code) for p in refused.value.problems]
    assert found == [
        ("allocations[0].minor", "over_open_balance"),
        ("allocations[1].minor", "not_above_zero"),
        ("allocations[2].invoice_id", "chosen_twice"),
        ("allocations[2].minor", "not_above_zero"),
        ("allocations[3].invoice_id", "unknown_invoice"),
    ]
    assert shop.everything() == before
    assert shop.gateway.created == []


def test_a_form_without_a_proper_key_is_refused(shop: Shop) -> None:
    for key in ("", "short", "x" * 201):
        with pytest.raises(Refusal, match="invalid_request_key"):
            shop.start(("inv_1", 10_000), key=key)


def test_a_payment_of_another_account_does_not_exist(shop: Shop) -> None:
    payment = shop.start(("inv_1", 10_000))
    with pytest.raises(NotFound):
        shop.payments.get("acct_eu_other", payment.id)


def test_a_lost_answer_is_looked_up_and_not_asked_for_twice(shop: Shop) -> None:
    shop.gateway.lose_answers = 1
    payment = shop.start(("inv_1", 10_000))
    assert payment.checkout_url
    assert len(shop.gateway.created) == 1


def test_while_the_gateway_is_silent_the_form_can_be_sent_again(shop: Shop) -> None:
    shop.gateway.silent = True
    with pytest.raises(Unavailable):
        shop.start(("inv_1", 10_000))
    shop.gateway.silent = False
    payment = shop.start(("inv_1", 10_000))
    assert payment.checkout_url
    assert len(shop.payments.of_account(ACCOUNT)) == 1


def test_what_the_gateway_refuses_has_failed(shop: Shop) -> None:
    shop.gateway.refuse = True
    with pytest.raises(Refusal, match="gateway_refused"):
        shop.start(("inv_1", 10_000))
    (payment,) = shop.payments.of_account(ACCOUNT)
    assert (payment.status, payment.failure_code) == (PaymentStatus.FAILED, "gateway_refused")
    assert_the_books_are_right(shop.store)


def test_starting_survives_a_crash_at_every_call() -> None:
    calls = assert_survives_every_crash(
        shop_in_memory,
        lambda shop: [shop.client, shop.gateway],
        lambda shop: shop.start(("inv_1", 10_000), ("inv_2", 5_000)),
        lambda shop: (shop.everything(), shop.gateway.checkouts, len(shop.gateway.created)),
    )
    assert calls == 6
