"""What customers see, and how few reads it takes."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from functions.portal import services
from functions.portal.endpoint import declared
from functions.portal.presenters.invoices import tax_sum
from functions.portal.presenters.paying import typed_amount
from functions.portal.presenters.spreadsheets import csv_text
from functions.portal.presenters.statements import described
from functions.portal.words import Words
from saldo.accounts.model import EarlyDiscount
from saldo.invoicing.codec import body_from_bytes, body_to_bytes
from saldo.invoicing.reading import open_rows
from saldo.invoicing.records import body_item, body_key, header_from, header_item
from saldo.invoicing.rules_early import EarlyOffer
from saldo.invoicing.rules_terms import early_offers
from saldo.kernel.errors import Refusal
from saldo.ledger.model import EntryKind, LedgerAccount
from saldo.ledger.model_statement import Line
from saldo.payments.webhooks import signed
from saldo.storage.held_secrets import HeldSecret
from saldo.tax.model import TaxTotal, TaxTreatment
from tests.functions.portal import scenes
from tests.functions.portal.conftest import SECRET, Portal
from tests.functions.portal.paths import filled

FUNCTIONS = Path(services.__file__).parents[1]
HOME = f"/accounts/{scenes.NORTH}"
VARIANTS = {
    "/accounts": ("/accounts?all=1",),
    "/accounts/{account_id}/invoices": (
        "/accounts/{account_id}/invoices?status=overdue&sort=open_minor",
        "/accounts/{account_id}/invoices?text=RW&sort=number",
    ),
    "/accounts/{account_id}/pay": ("/accounts/{account_id}/pay?all=open",),
    "/accounts/{account_id}/statement": ("/accounts/{account_id}/statement?from=2026-01-01&to=2026-11-23",),
}
# Pages that ask for more than the session and one thing, and why; a file leaves a count and a record besides.
MORE = {
    "/accounts/{account_id}/activity.csv": (4, "a file"),
    "/accounts/{account_id}/activity.xlsx": (4, "a file"),
    "/accounts/{account_id}/invoices.csv": (4, "a file"),
    "/accounts/{account_id}/invoices.xlsx": (4, "a file"),
    "/accounts/{account_id}/methods/transfer/signed": (4, "a file"),
    "/accounts/{account_id}/payments.csv": (4, "a file"),
    "/accounts/{account_id}/payments.xlsx": (4, "a file"),
    "/accounts/{account_id}/statement.csv": (4, "a file"),
    "/accounts/{account_id}/statement.xlsx": (4, "a file"),
}


def first_of(page_text: str, kind: str) -> str:
    found = re.search(rf"/{kind}s/((?:inv|pay)_[0-9a-z]+)", page_text)
    assert found is not None
    return found.group(1)


def test_a_page_asks_the_table_twice_unless_it_says_why(portal: Portal) -> None:
    """Every page there is, by the table of routes, once it was looked at before."""
    browser = portal.signed_in()
    known = {
        "{invoice_id}": first_of(browser.get(f"{HOME}/invoices").text, "invoice"),
        "{payment_id}": first_of(browser.get(f"{HOME}/payments").text, "payment"),
        "{user_id}": portal.user_id("payer"),
    }
    bill, wrong = portal.region.records.bill, []
    for route in sorted(path for method, path in declared if method == "GET"):
        for asked in (route, *VARIANTS.get(route, ())):
            for name, value in known.items():
                asked = asked.replace(name, value)
            browser.get(filled(asked, scenes.NORTH))
            before = bill.calls.copy()
            browser.get(filled(asked, scenes.NORTH))
            calls = bill.calls - before
            if calls.total() > MORE.get(route, (2, ""))[0]:
                wrong.append((asked, calls))
    assert not wrong and set(MORE) <= {path for _, path in declared}


def test_the_overview_says_in_one_sentence_what_is_owed_and_overdue(portal: Portal) -> None:
    text = portal.signed_in().get(HOME).text
    assert "You owe €20,706.77, of which €7,859.77 is overdue." in text
    assert text.count('class="s') >= 5 and "6 invoices are overdue" in text
    german = portal.signed_in("payer").get(HOME).text
    assert "Offen sind 20.706,77\u00a0€, davon 7.859,77\u00a0€ überfällig." in german


def test_all_accounts_together_add_up_per_currency(portal: Portal) -> None:
    text = portal.signed_in().get("/accounts?all=1").text
    assert "€23,205.77" in text and "Kontor Süd GmbH" in text and "Fremde" not in text


def test_one_account_needs_no_choosing(portal: Portal) -> None:
    assert portal.signed_in("viewer").get("/accounts").location == HOME


def test_the_list_filters_sorts_and_pages(portal: Portal) -> None:
    browser = portal.signed_in()
    late = browser.get(f"{HOME}/invoices?status=overdue&sort=due_on&order=asc").text
    assert "6 invoices" in late
    dues = re.findall(r'data-label="Due">([^<]+?)(?: <|<)', late)
    assert dues[0] == "15 Aug 2026" and len(dues) == 6
    assert 'aria-sort="ascending"' in late
    assert "27 invoices" in browser.get(f"{HOME}/invoices?text=rw-20&sort=total_minor").text
    july = browser.get(f"{HOME}/invoices?from=2026-07-01&to=2026-07-31").text
    assert july.count("<tr>") == 3
    assert "No invoice fits" in browser.get(f"{HOME}/invoices?text=nothing").text
    wrong = browser.get(f"{HOME}/invoices?from=yesterday&to=2026-13-01")
    assert wrong.status == 422 and wrong.text.count("Enter a date") == 4


def test_the_export_holds_all_rows_and_no_formula(portal: Portal) -> None:
    page = portal.signed_in().get(f"{HOME}/invoices.csv?status=open")
    lines = page.text.lstrip("\ufeff").split("\r\n")
    assert lines[0] == "Number,Issued,Due,Status,Currency,Total,Open" and len(lines) == 1 + 7 + 1
    assert ",EUR,12847.00,12847.00" in lines[1]
    assert page.headers["content-disposition"].startswith("attachment;")


@pytest.mark.parametrize(
    "cell", ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "=cmd|' /C calc'!A0", "|x", "%0A"]
)
def test_no_cell_of_an_export_is_a_formula(cell: str) -> None:
    assert csv_text([[cell]]).lstrip("\ufeff").lstrip('"').startswith("'")


def test_numbers_stay_numbers_in_exports() -> None:
    assert csv_text([["-12.50", "12", "a,b"]]) == '\ufeff-12.50,12,"a,b"\r\n'


def test_an_invoice_explains_how_its_price_came_about(portal: Portal) -> None:
    browser = portal.signed_in()
    number = first_of(browser.get(f"{HOME}/invoices?status=part_paid").text, "invoice")
    text = browser.get(f"{HOME}/invoices/{number}").text
    assert "Up to 1,000: 1,000 × €0.02 = €20.00" in text and "Charged for 15 of 30 days" in text
    assert "VAT 19%" in text and "Still open" in text and "DE02 1203 0000" in text
    portal.followed()
    seen = [i for i in services.store().query_all(scenes.NORTH, prefix="audit#") if i["action"] == "invoice.viewed"]
    assert seen[-1]["subject_id"] == number and seen[-1]["actor"]["id"].startswith("user_eu_")


def test_an_invoice_that_was_split_off_names_its_purchase_order(portal: Portal) -> None:
    browser, store = portal.signed_in(), portal.region.store
    number = first_of(browser.get(f"{HOME}/invoices?status=part_paid").text, "invoice")
    assert "Purchase order" not in browser.get(f"{HOME}/invoices/{number}").text
    item = store.get(*body_key(scenes.NORTH, number))
    assert item
    body = replace(body_from_bytes(item["body"]), purchase_order="PO-77", cost_centre="CC-1")
    store.put_many([body_item(scenes.NORTH, number, body_to_bytes(body))])
    assert "PO-77 / CC-1" in browser.get(f"{HOME}/invoices/{number}").text


def test_a_tax_is_called_as_readers_call_it_and_none_says_why() -> None:
    def said(language: str, name: str, treatment: TaxTreatment, percent: int, reason: str = "") -> tuple[str, str]:
        total = TaxTotal("DE", name, treatment, Decimal(percent), 10000, 100 * percent, reason)
        return tax_sum(total, "EUR", Words(language))[:2]

    assert said("de", "VAT", TaxTreatment.STANDARD, 19) == ("Umsatzsteuer 19\xa0%", "auf 100,00")
    assert said("fr", "VAT", TaxTreatment.REDUCED, 7)[0].startswith("TVA 7")
    assert said("en", "MwSt", TaxTreatment.STANDARD, 8)[0] == "MwSt 8%"
    reverse = said("en", "", TaxTreatment.REVERSE_CHARGE, 0, "buyer_accounts_for_tax")
    assert reverse == ("Tax", "Reverse charge: the buyer owes the tax")
    assert said("en", "", TaxTreatment.OUTSIDE, 0, "export")[1] == "Not subject to this tax"
    assert said("es", "VAT", TaxTreatment.EXEMPT, 0, "exemption_certificate")[0] == "IVA"
    levy = TaxTotal("DE", "Levy", TaxTreatment.STANDARD, Decimal(0), 10000, 25, levy_minor=Decimal(25))
    assert tax_sum(levy, "EUR", Words("en"))[:3] == ("Levy", "", "0.25"), "an amount per unit is a tax"


def test_a_draft_is_never_shown(portal: Portal) -> None:
    from saldo.invoicing.model import InvoiceStatus

    header = scenes.header_of(scenes.NORTH, scenes.TODAY, 4711, 14)
    draft = replace(header, status=InvoiceStatus.DRAFT, number="", history=())
    services.store().put_many([header_item(draft)])
    browser = portal.signed_in()
    assert draft.invoice_id not in browser.get(f"{HOME}/invoices").text
    assert browser.get(f"{HOME}/invoices/{draft.invoice_id}").status == 404


def test_a_payment_with_the_early_discount_is_checked_as_one_that_settles(portal: Portal) -> None:
    row = min(open_rows(portal.region.store, scenes.NORTH), key=lambda r: r.open_minor)
    item = portal.region.store.get(scenes.NORTH, f"invoice#{row.invoice_id}")
    assert item and row.open_minor > 200
    offer = EarlyOffer(portal.clock().date(), ((LedgerAccount.EARLY_DISCOUNT, "", 200),))
    portal.region.store.put_many([header_item(replace(header_from(item), early=(offer,)))])
    browser = portal.signed_in()
    seen = list[int]()
    for less, said in ((200, "settles it with the early-payment discount of 2.00, if paid by 23 Nov 2026"), (0, "")):
        paid = {"pay": row.invoice_id, f"amount.{row.invoice_id}": f"{(row.open_minor - less) / 100:.2f}"}
        browser.get(f"{HOME}/pay")
        before = portal.region.records.bill.calls.copy()
        text = browser.post(f"{HOME}/pay/check", paid).text
        calls = portal.region.records.bill.calls - before
        assert "Check before you pay" in text and said in text and "then still open" not in text
        seen.append(calls.total())
    assert seen[0] == seen[1] + 1, "what paying early takes off is read once"


def test_a_part_paid_early_is_checked_with_its_part_of_the_discount(portal: Portal) -> None:
    row = min(open_rows(portal.region.store, scenes.NORTH), key=lambda r: r.open_minor)
    item = portal.region.store.get(scenes.NORTH, f"invoice#{row.invoice_id}")
    offer = EarlyOffer(portal.clock().date(), ((LedgerAccount.EARLY_DISCOUNT, "", row.total_minor // 50),))
    header = replace(header_from(item or {}), early=(offer,), early_in_part=True)
    portal.region.store.put_many([header_item(header)])
    half = header.open_minor // 2
    browser = portal.signed_in()
    paid = {"pay": row.invoice_id, f"amount.{row.invoice_id}": f"{half / 100:.2f}"}
    browser.get(f"{HOME}/pay")
    assert browser.post(f"{HOME}/pay/check", paid).status == 422, "a part needs a reason all the same"
    browser.get(f"{HOME}/pay")
    text = browser.post(f"{HOME}/pay/check", {**paid, "reason": "half of it"}).text
    assert f"with {half // 49 / 100:.2f} early-payment discount" in text and "then still open" in text


def test_the_page_of_an_invoice_names_each_discount_that_can_still_be_had(portal: Portal) -> None:
    row = min(open_rows(portal.region.store, scenes.NORTH), key=lambda r: r.open_minor)
    key = scenes.NORTH, f"body#{row.invoice_id}"
    items = portal.region.store.get_many([key, (scenes.NORTH, f"invoice#{row.invoice_id}")])
    issued = body_from_bytes(items[key]["body"])
    age = (portal.clock().date() - issued.issued_on).days
    steps = tuple(EarlyDiscount(Decimal(4 - n), age + days) for n, days in enumerate((-1, 0, 7)))
    body = replace(issued, early_discounts=steps)
    header = replace(header_from(items[key[0], f"invoice#{row.invoice_id}"]), early=early_offers(body))
    portal.region.store.put_many([header_item(header), body_item(scenes.NORTH, body.id, body_to_bytes(body))])
    text = portal.signed_in().get(f"{HOME}/invoices/{row.invoice_id}").text
    assert "by 23 Nov 2026 and 3% early-payment discount" in text and "by 30 Nov 2026 still gives 2%." in text
    assert "4%" not in text


def test_the_pdf_is_the_documents_function_and_its_download_is_on_record(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "document", lambda account, subject: b"%PDF-1.7 " + str(subject).encode())
    browser = portal.signed_in()
    number = first_of(browser.get(f"{HOME}/invoices").text, "invoice")
    page = browser.get(f"{HOME}/invoices/{number}/pdf", accept="*/*")
    assert page.body.startswith(b"%PDF") and page.headers["content-type"] == "application/pdf"
    actions = [i["action"] for i in services.store().query_all(scenes.NORTH, prefix="audit#")]
    assert "invoice.downloaded" in actions


def test_a_statement_runs_from_the_opening_balance_to_what_is_owed_now(portal: Portal) -> None:
    browser = portal.signed_in()
    text = browser.get(f"{HOME}/statement?from=2026-08-01&to=2026-11-23").text
    assert "Opening balance" in text and "20,706.77" in text and "R-20260813-" in text
    earlier = browser.get(f"{HOME}/statement?from=2026-08-10&to=2026-08-12").text
    assert "2,527.00" in earlier and "2,768.00" in earlier
    wrong = browser.get(f"{HOME}/statement?from=2026-08-10&to=2026-08-01")
    assert wrong.status == 422 and "lies before" in wrong.text


def test_a_discount_for_paying_early_is_called_so_on_a_statement() -> None:
    line = Line("2026-11-26", "EUR", EntryKind.EARLY_DISCOUNT_TAKEN, "pay_eu_1/0", -315, "")
    assert described(line, {}, HOME, Words("de")) == ("Skonto", f"{HOME}/payments/pay_eu_1")


def chosen(portal: Portal, browser: Any, count: int = 2) -> list[str]:
    page = browser.get(f"{HOME}/pay")
    return re.findall(r'name="pay" value="([^"]+)"', page.text)[:count]


def test_paying_goes_from_choice_to_check_to_the_gateway_and_back(portal: Portal) -> None:
    browser = portal.signed_in("payer")
    invoices = chosen(portal, browser)
    check = browser.post(f"{HOME}/pay/check", [("pay", i) for i in invoices])
    assert check.status == 200 and "Vor dem Bezahlen prüfen" in check.text and not portal.gateway.opened
    pairs = re.findall(r'type="hidden" name="((?:pay|minor\.|reason|request_key)[^"]*)" value="([^"]*)"', check.text)
    answer = browser.post(f"{HOME}/pay/confirm", pairs)
    request = next(iter(portal.gateway.opened.values()))
    assert answer.status == 303 and answer.location.endswith(request.payment_id)
    assert request.return_url.endswith(f"{HOME}/payments/{request.payment_id}")
    again = browser.post(f"{HOME}/pay/confirm", [*pairs, ("form_key", check.hidden()["form_key"])], key=False)
    assert again.location == answer.location and len(portal.gateway.opened) == 1
    page = browser.get(f"{HOME}/payments/{request.payment_id}")
    assert "nicht abgeschlossen" in page.text and "data-refresh" in page.text


def test_a_part_needs_a_reason_and_every_problem_is_named_at_once(portal: Portal) -> None:
    browser = portal.signed_in("payer")
    one, two = chosen(portal, browser)
    fields = [("pay", one), ("pay", two), (f"amount.{one}", "1,50"), (f"amount.{two}", "99.999,00")]
    page = browser.post(f"{HOME}/pay/check", fields)
    assert page.status == 422 and "Nennen Sie den Grund" in page.text and "höchstens den offenen" in page.text
    page = browser.post(f"{HOME}/pay/check", [("pay", one), (f"amount.{one}", "1,50"), ("reason", "Gutschrift folgt")])
    assert page.status == 200 and "1,50" in page.text and "Gutschrift folgt" in page.text
    back = browser.post(f"{HOME}/pay/change", [("pay", one), (f"minor.{one}", "150"), ("reason", "Gutschrift folgt")])
    assert back.status == 200 and "checked" in back.text and 'value="1,50"' in back.text
    nothing = browser.post(f"{HOME}/pay/check", [])
    assert nothing.status == 422 and "mindestens eine Rechnung" in nothing.text


def test_a_confirmation_takes_checked_amounts_only(portal: Portal) -> None:
    browser = portal.signed_in("payer")
    one, two = chosen(portal, browser)
    key = ("request_key", "a-key-of-this-form")
    for fields in (
        [("pay", one)],
        [("pay", one), (f"amount.{one}", "10")],
        [("pay", one), (f"minor.{one}", "-5")],
        [("pay", one), (f"minor.{one}", "1e3")],
        [("pay", one), (f"minor.{two}", "100")],
    ):
        browser.get(f"{HOME}/pay")
        assert browser.post(f"{HOME}/pay/confirm", [*fields, key]).status == 400
    browser.get(f"{HOME}/pay")
    part = browser.post(f"{HOME}/pay/confirm", [("pay", one), (f"minor.{one}", "100"), key])
    assert part.status == 422 and "Nennen Sie den Grund" in part.text and not portal.gateway.opened


def test_a_form_sent_again_after_the_payment_came_in_shows_that_payment(portal: Portal) -> None:
    from saldo.kernel.money import Money
    from saldo.payments.model import GatewayEvent, GatewayPayment, PaymentStatus

    browser = portal.signed_in("payer")
    check = browser.post(f"{HOME}/pay/check", [("pay", i) for i in chosen(portal, browser)])
    pairs = re.findall(
        r'type="hidden" name="((?:pay|minor\.|reason|request_key|form_key)[^"]*)" value="([^"]*)"', check.text
    )
    browser.post(f"{HOME}/pay/confirm", pairs, key=False)
    request = next(iter(portal.gateway.opened.values()))
    amount = Money(request.amount.minor, request.amount.currency)
    status, ref = PaymentStatus.SETTLED, f"ref_{request.payment_id}"
    news = GatewayPayment(request.payment_id, request.account_id, ref, status, amount, scenes.NOW)
    services.payments().handle_event(GatewayEvent("evt_1", scenes.NOW, news))
    again = browser.post(f"{HOME}/pay/confirm", pairs, key=False)
    assert (again.status, again.location) == (303, f"{HOME}/payments/{request.payment_id}")
    assert len(portal.gateway.opened) == 1


def test_another_accounts_invoice_cannot_be_paid_here(portal: Portal) -> None:
    browser = portal.signed_in("admin")
    foreign = re.findall(r'name="pay" value="([^"]+)"', browser.get(f"/accounts/{scenes.SOUTH}/pay").text)[0]
    page = browser.post(f"{HOME}/pay/check", [("pay", foreign)])
    assert page.status == 422 and not portal.gateway.opened


def test_large_payments_ask_for_a_code_again_of_those_who_have_one(portal: Portal) -> None:
    from tests.functions.portal.identity import totp
    from tests.functions.portal.test_signing_in import _switched_on

    browser = portal.signed_in()
    secret = _switched_on(portal, browser)
    portal.clock.advance(minutes=6)
    page = browser.get(f"{HOME}/pay?all=open")
    pays = re.findall(r'name="pay" value="([^"]+)"', page.text)
    check = browser.post(f"{HOME}/pay/check", [("pay", i) for i in pays])
    pairs = re.findall(
        r'type="hidden" name="((?:pay|minor\.|reason|request_key|form_key)[^"]*)" value="([^"]*)"', check.text
    )
    assert "Confirm that it is you" in check.text
    refused = browser.post(
        f"{HOME}/pay/confirm", [*pairs, ("password", scenes.PASSWORD), ("code", "000000")], key=False
    )
    assert refused.status == 422 and not portal.gateway.opened
    code = totp(secret, portal.clock().timestamp())
    answer = browser.post(f"{HOME}/pay/confirm", [*pairs, ("password", scenes.PASSWORD), ("code", code)], key=False)
    assert answer.status == 303 and len(portal.gateway.opened) == 1


@pytest.mark.parametrize(
    ("text", "language", "minor"),
    [
        ("1,234.56", "en", 123456), ("1.234,56", "de", 123456), ("1234.56", "de", 123456), ("1234,56", "en", 123456),
        ("1,234", "en", 123400), ("1.234", "de", 123400), ("1 234,5", "de", 123450), ("0.5", "en", 50),
        ("1,234,567.89", "en", 123456789), ("12", "de", 1200),
    ],
)  # fmt: skip
def test_amounts_are_read_as_people_type_them(text: str, language: str, minor: int) -> None:
    assert typed_amount(text, "EUR", language) == minor


@pytest.mark.parametrize("text", ["ten", "1,2,3.4.5", "NaN", "1e", "--5", "1.005", "€5"])
def test_anything_else_is_no_amount(text: str) -> None:
    with pytest.raises(Refusal):
        typed_amount(text, "EUR", "de" if text != "1.005" else "en")


BODY = (
    b'{"id":"evt_1","type":"payment.processing","occurred_at":"2026-11-23T09:30:00.000Z","payment":{"id":"pay_1abc",'
    b'"account_id":"acct_eu_x","ref":"r1","status":"processing","amount_minor":1,"currency":"EUR",'
    b'"happened_at":"2026-11-23T09:30:00.000Z"}}'
)


def _webhook(portal: Portal, signature: str) -> int:
    headers = {"content-type": "application/json", "saldo-gateway-signature": signature}
    return portal.browser()._send("POST", "/webhooks/gateway", BODY, headers).status


def test_a_signed_webhook_is_queued_as_it_came_and_anything_else_is_refused(portal: Portal) -> None:
    assert _webhook(portal, signed(BODY, SECRET, scenes.NOW)) == 200
    assert _webhook(portal, signed(BODY, b"another", scenes.NOW)) == 400
    assert _webhook(portal, signed(BODY, SECRET, scenes.NOW - timedelta(minutes=6))) == 400
    assert _webhook(portal, "") == 400
    assert portal.region.queues.waiting == [("gateway-events", BODY.decode())]


def test_while_the_gateways_secret_is_replaced_both_verify_and_the_old_one_counts_no_longer_when_it_is_gone(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    lies, reads = [SECRET.decode()], []

    def read() -> str:
        reads.append(lies[0])
        return lies[0]

    secret = HeldSecret(read, portal.clock)
    monkeypatch.setattr(services, "gateway_secret", lambda: secret)

    def sent(by: bytes) -> int:
        return _webhook(portal, signed(BODY, by, portal.clock()))

    assert (sent(SECRET), sent(b"new")) == (200, 400)
    lies[0] = f"new\n{SECRET.decode()}\n"
    portal.clock.advance(minutes=1)
    assert (sent(b"new"), sent(SECRET), len(reads)) == (200, 200, 2)
    assert ([sent(b"forged") for _ in range(20)], len(reads)) == ([400] * 20, 2)
    lies[0] = "new"
    portal.clock.advance(minutes=5)
    assert (sent(SECRET), sent(b"new")) == (400, 200)


def test_no_link_names_itself_a_download() -> None:
    """The answer says that it is a file. A link that does asks without an Accept header in Chromium, and a gateway then
    hands on base64 in place of the file."""
    templates = [page for kind in ("portal", "staff") for page in (FUNCTIONS / kind / "templates").rglob("*.html")]
    links = [link for page in templates for link in re.findall("<a [^>]*>", page.read_text())]
    assert len(links) > 100
    assert [link for link in links if re.search(r"\sdownload[\s=>]", link)] == []
