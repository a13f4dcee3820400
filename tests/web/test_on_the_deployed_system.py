"""The deployed templates in a real browser: pages by API Gateway, the gateway's own pay page, signed news, mail."""

from __future__ import annotations

import base64
import hmac
import re
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from local.cli.watching import _sent
from local.demo import seed
from local.demo.seeding import PASSWORD
from saldo.insight.invariants import check_all
from saldo.storage.store import Store
from tests.web.looking import overflow, violations

if TYPE_CHECKING:
    from local.stack import LocalStack

pytestmark = [pytest.mark.stack, pytest.mark.web]

PAYER = "camille.roche@corvin.example"
PAYERS_ACCOUNTS = ("acct_eu_corvin_lyon", "acct_eu_corvin_paris")
_ACCOUNTS = re.compile(r"/accounts(/|\?|$)")


@dataclass
class Desk:
    """Somebody at a browser, before the portal of one region."""

    page: Any
    origin: str

    def sign_in(self, email: str) -> None:
        self.page.goto(f"{self.origin}/sign-in?lang=en")
        self.page.fill("#email", email)
        self.page.fill("#password", PASSWORD)
        self.page.click("main button")
        self.page.wait_for_url(_ACCOUNTS)

    def go(self, path: str) -> None:
        self.page.goto(self.origin + path)

    def words(self) -> str:
        """What the page says, apart from its frame."""
        return str(self.page.inner_text("main"))

    def to_the_gateway(self, path: str) -> None:
        """From a choice of invoices over the check page to the gateway."""
        self.go(path)
        self.page.click("text=Continue")
        self.page.click("text=Go on to pay")
        self.page.wait_for_url("**/pay/chk_*")

    def pay_by_card(self, number: str) -> None:
        self.page.fill("#number", number)
        self.page.fill("#expiry", "12/40")
        self.page.fill("#cvc", "123")
        self.page.locator("form[action$='/card'] button").click()


@pytest.fixture
def desks(stacks: dict[str, LocalStack], chromium: Any) -> Iterator[dict[str, Desk]]:
    """One browser of its own per region, on the seeded demo."""
    seed(stacks)
    contexts = {code: chromium.new_context(locale="en-GB", bypass_csp=True) for code in stacks}
    yield {code: Desk(contexts[code].new_page(), stack.portal_origin) for code, stack in stacks.items()}
    for context in contexts.values():
        context.close()


def _code(secret: str, at: float) -> str:
    """A one-time code as an authenticator app shows it (RFC 6238: SHA-1, 30 seconds, six digits)."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.digest(key, struct.pack(">Q", int(at) // 30), "sha1")
    at_byte = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[at_byte : at_byte + 4])[0] & 0x7FFFFFFF) % 10**6:06d}"


def test_a_payer_pays_at_the_gateway_and_has_the_receipt_in_the_portal_and_by_mail(
    desks: dict[str, Desk], stacks: dict[str, LocalStack], axe: str
) -> None:
    desk = desks["eu"]
    store = Store(stacks["eu"].client("dynamodb"), stacks["eu"].table)
    home = next(f"/accounts/{a}" for a in PAYERS_ACCOUNTS if store.query(f"open#{a}", agenda=True).items)
    desk.sign_in(PAYER)
    desk.go(home)
    assert "You owe" in desk.words() and not violations(desk.page, axe)
    mails = len(_sent(stacks["eu"].aws_url))
    desk.to_the_gateway(f"{home}/pay?all=open")
    assert not violations(desk.page, axe) and overflow(desk.page) <= 0
    desk.pay_by_card("4000002760003184")
    desk.page.click("button[value=approve]")
    desk.page.wait_for_selector("text=We have received", timeout=30_000)
    assert not violations(desk.page, axe)
    receipt = re.search(r"R-\d{8}-\w+", desk.page.inner_text("main"))
    assert receipt
    with desk.page.expect_download() as download:
        desk.page.click("a[href$='/pdf']")
    assert download.value.suggested_filename.endswith(".pdf")
    assert download.value.path().read_bytes().startswith(b"%PDF-")
    desk.go(home)
    assert "You owe nothing" in desk.words()
    new = _mail_after(stacks["eu"], mails, receipt[0])
    assert any(PAYER in str(mail["to"]) for mail in new)
    assert check_all(store).violations == []


def _mail_after(stack: LocalStack, count: int, words: str) -> list[dict[str, Any]]:
    for _ in range(180):
        new = [m for m in _sent(stack.aws_url)[count:] if words in str(m)]
        if new:
            return new
        time.sleep(0.5)
    raise AssertionError(f"no mail speaks of {words}")


def test_a_declined_card_leaves_the_debt_and_says_so(desks: dict[str, Desk]) -> None:
    desk = desks["us"]
    desk.sign_in("ana.delgado@cobaltridge.example")
    home = "/accounts/acct_us_cobaltridge_austin"
    desk.go(home)
    owed = re.search(r"You owe [^.]*\.\d\d", desk.words())
    desk.to_the_gateway(f"{home}/pay?all=open")
    desk.pay_by_card("4000000000000002")
    desk.page.wait_for_url(f"{desk.origin}/**")
    desk.page.wait_for_selector("text=No money was taken", timeout=30_000)
    desk.go(home)
    assert owed and owed[0] in desk.words()


def test_an_account_of_the_other_region_is_asked_for_there_and_nothing_is_told_here(desks: dict[str, Desk]) -> None:
    desk = desks["eu"]
    desk.sign_in(PAYER)
    answer = desk.page.context.request.get(
        f"{desk.origin}/accounts/acct_us_cobaltridge_austin/invoices", max_redirects=0
    )
    assert answer.status == 307
    assert answer.headers["location"] == f"{desks['us'].origin}/accounts/acct_us_cobaltridge_austin/invoices"
    assert "set-cookie" not in answer.headers and len(answer.body()) == 0
    desk.go("/accounts/acct_us_cobaltridge_austin")
    assert desk.page.url.startswith(f"{desks['us'].origin}/sign-in")


def test_another_customers_account_reads_like_one_that_does_not_exist(desks: dict[str, Desk]) -> None:
    desk = desks["eu"]
    desk.sign_in(PAYER)
    request = desk.page.context.request
    others = request.get(f"{desk.origin}/accounts/acct_eu_vela_kobenhavn/invoices")
    nobodys = request.get(f"{desk.origin}/accounts/acct_eu_nobody/invoices")
    assert (others.status, nobodys.status) == (404, 404)
    without_reference = [re.sub(r"[0-9a-f-]{36}", "", answer.text()) for answer in (others, nobodys)]
    assert without_reference[0] == without_reference[1]


def test_one_time_codes_are_set_up_and_then_asked_for_at_sign_in(desks: dict[str, Desk], axe: str) -> None:
    desk = desks["eu"]
    email = "freja.holm@vela.example"
    desk.sign_in(email)
    desk.go("/profile/codes")
    assert not violations(desk.page, axe)
    desk.page.fill("input[type=password]", PASSWORD)
    desk.page.click("main form button")
    secret = str(desk.page.inner_text("code")).replace(" ", "")
    assert not violations(desk.page, axe)
    desk.page.fill("#code", _code(secret, time.time()))
    desk.page.click("main form button")
    desk.page.wait_for_url("**/profile?done=totp")
    desk.page.click("text=Sign out")
    desk.go("/sign-in")
    desk.page.fill("#email", email)
    desk.page.fill("#password", PASSWORD)
    desk.page.click("main button")
    assert not violations(desk.page, axe)
    desk.page.fill("#reply", "000000")
    desk.page.click("main button")
    assert "/accounts" not in desk.page.url
    desk.page.fill("#reply", _code(secret, time.time() + 30))
    desk.page.click("main button")
    desk.page.wait_for_url(_ACCOUNTS)
