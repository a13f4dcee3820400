"""What staff do on their pages, and what it leaves on record."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest

from functions import services as hosted
from functions.audit import link
from functions.staff.endpoint import declared
from saldo.access.rules_proposals import LIVES
from saldo.audit.model import Actor
from saldo.audit.records import PREFIX, audit_record
from saldo.invoicing.reading import open_rows
from saldo.kernel.clock import instant_text
from saldo.kernel.errors import NotFound
from saldo.orders.model_orders import Channel, OrderRequest, Reference, ReferenceKind, RequestedLine
from saldo.orders.service import Orders
from saldo.storage.items import Item, to_attributes
from saldo.tax.own_rates import SellerTaxes
from saldo.work.rules import AGENDAS, TOLD, sellers_moved
from saldo.work.waiting import Waiting, counted
from tests.contexts.sellers import ENTITY
from tests.functions.portal import scenes
from tests.functions.portal.browser import Browser, Page
from tests.functions.portal.conftest import Portal
from tests.permissions.gate import acting

ENTITY_ROUTES = sorted((m, p) for (m, p), rule in declared.items() if rule.roles)
HOME = f"/staff/{ENTITY}"
ACCOUNT = f"{HOME}/accounts/{scenes.NORTH}"
BANK = {"bank_name": "Nordbank", "iban": "DE89 3704 0044 0532 0130 00", "bic": "COBADEFFXXX"}


def filled(path: str, entity_id: str = ENTITY, account_id: str = scenes.NORTH) -> str:
    return re.sub(r"\{(\w+)\}", "x_nothing", path.replace("{entity_id}", entity_id).replace("{account_id}", account_id))


def trail(portal: Portal, owner: str = ENTITY) -> list[str]:
    return [audit_record(i).action for i in portal.region.store.query_all(owner, prefix=PREFIX)]


def entity(portal: Portal) -> Item:
    found = portal.region.store.get(ENTITY, "entity")
    assert found is not None
    return found


def largest_invoice(portal: Portal) -> str:
    row = max(open_rows(portal.region.store, scenes.NORTH), key=lambda r: r.open_minor)
    return f"{ACCOUNT}/invoices/{row.invoice_id}"


def credit(browser: Browser, invoice: str, amount: str) -> Page:
    browser.get(invoice)
    checked = browser.post(f"{invoice}/credit/check", {"reason": "price", "amount": amount, "why": "agreed by phone"})
    assert checked.status == 200, checked.text
    return browser.post(f"{invoice}/credit", {k: v for k, v in checked.hidden().items() if k != "form_key"})


def decide(browser: Browser, page: str, verb: str, **more: str) -> Page:
    seen = browser.get(page).hidden().get("seen", "")
    return browser.post(f"{page}/{verb}", {"seen": seen, **more})


@pytest.mark.parametrize("who", scenes.STAFF)
def test_every_page_of_a_role_opens_and_says_nothing_inline(portal: Portal, who: str) -> None:
    browser, roles = portal.staff_in(who), set(scenes.STAFF[who][1])
    for method, path in ENTITY_ROUTES:
        if method == "GET" and declared[method, path].roles & roles and "x_nothing" not in filled(path):
            page = browser.get(filled(path))
            assert page.status == (404 if path.endswith("/draft") else 200), path
            assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son[a-z]+=", page.text), path


def test_customers_are_found_by_words_of_their_name_and_by_account(portal: Portal) -> None:
    browser = portal.staff_in("support")
    for wanted, found in (("sud", "Kontor Süd GmbH"), ("kontor nor", "Kontor Nord GmbH"), (scenes.OTHERS, "Fremde AG")):
        page = browser.get(f"{HOME}/customers?q={wanted.replace(' ', '+')}")
        assert found in page.text and page.text.count("/accounts/acct_") == 1, wanted
    assert "/accounts/acct_" not in browser.get(f"{HOME}/customers?q=zzz").text
    assert browser.get(f"{HOME}/customers").text.count("/accounts/acct_") == 3


def test_opening_the_contact_is_on_record_with_the_customer(portal: Portal) -> None:
    page = portal.staff_in("support").get(f"{ACCOUNT}?show=contact")
    assert "@" in page.text and "profile.viewed" in trail(portal, scenes.NORTH)


def test_a_small_credit_note_is_issued_at_once(portal: Portal) -> None:
    browser, invoice = portal.staff_in("support"), largest_invoice(portal)
    answer = credit(browser, invoice, "100.00")
    assert answer.status == 303 and "/invoices/" in answer.location
    assert "credit_note.issued" in trail(portal, scenes.NORTH)


def test_a_large_one_waits_for_a_second_person_and_comes_once(portal: Portal) -> None:
    analyst, approver, invoice = portal.staff_in("analyst"), portal.staff_in("approver"), largest_invoice(portal)
    asked = credit(analyst, invoice, "2000.00")
    assert "/proposals/prop_" in asked.location and "credit_note.issued" not in trail(portal, scenes.NORTH)
    assert "2,000.00" in approver.get(f"{HOME}/proposals").text and "prop_" in approver.page.text  # type: ignore[union-attr]
    assert decide(analyst, asked.location, "agree").status == 422  # nobody agrees to what they asked
    agreed = decide(approver, asked.location, "agree")
    assert agreed.status == 303, agreed.text
    assert "Agreed to and done" in approver.follow(agreed).text
    decide(approver, asked.location, "agree")
    assert trail(portal, scenes.NORTH).count("credit_note.issued") == 1
    assert {"proposal.asked", "proposal.agreed"} <= set(trail(portal))


def test_many_small_credits_of_one_invoice_are_a_large_one(portal: Portal) -> None:
    browser, invoice = portal.staff_in("support"), largest_invoice(portal)
    assert "/invoices/" in credit(browser, invoice, "357.00").location
    assert "/proposals/" in credit(browser, invoice, "238.00").location


def test_a_proposal_holds_for_what_was_seen_and_not_for_ever(portal: Portal) -> None:
    analyst, approver, invoice = portal.staff_in("analyst"), portal.staff_in("approver"), largest_invoice(portal)
    page = credit(analyst, invoice, "2000.00").location
    approver.get(page)
    assert approver.post(f"{page}/agree", {"seen": "0" * 64}).status == 409
    portal.clock.advance(days=LIVES.days)
    again = portal.staff_in("approver")
    assert decide(again, page, "agree").status == 422
    assert "Expired" in again.get(page).text and "prop_" not in again.get(f"{HOME}/proposals").text


def test_who_has_no_role_for_it_does_not_decide(portal: Portal) -> None:
    page = credit(portal.staff_in("analyst"), largest_invoice(portal), "2000.00").location
    for who in ("support", "admin", "auditor", "collector"):
        assert decide(portal.staff_in(who), page, "agree").status in (409, 422), who
    assert "credit_note.issued" not in trail(portal, scenes.NORTH)


def test_refusing_says_why_and_ends_it(portal: Portal) -> None:
    analyst, approver = portal.staff_in("analyst"), portal.staff_in("approver")
    page = credit(analyst, largest_invoice(portal), "2000.00").location
    assert decide(approver, page, "refuse", note="").status == 422
    assert decide(approver, page, "refuse", note="no contract says so").status == 303
    assert "no contract says so" in analyst.get(page).text
    assert decide(approver, page, "agree").status == 409 or decide(approver, page, "agree").status == 422


def test_one_takes_back_ones_own_and_nobody_elses(portal: Portal) -> None:
    analyst, approver = portal.staff_in("analyst"), portal.staff_in("approver")
    page = credit(analyst, largest_invoice(portal), "2000.00").location
    approver.get(page)
    assert approver.post(f"{page}/withdraw", {}).status == 404
    analyst.get(page)
    assert analyst.post(f"{page}/withdraw", {}).status == 303
    assert "Withdrawn" in analyst.get(page).text


def test_the_sellers_bank_changes_when_a_second_person_agrees(portal: Portal) -> None:
    analyst, approver = portal.staff_in("analyst"), portal.staff_in("approver")
    analyst.get(f"{HOME}/seller")
    wrong = analyst.post(f"{HOME}/seller/check", {**BANK, "iban": "DE89370400440532013001", "why": "x"})
    assert wrong.status == 422 and "check digits" in wrong.text
    checked = analyst.post(f"{HOME}/seller/check", {**BANK, "why": "new bank"})
    fields = {k: v for k, v in checked.hidden().items() if k != "form_key"}
    asked = analyst.post(f"{HOME}/seller/ask", fields)
    analyst.get(f"{HOME}/seller")
    assert analyst.post(f"{HOME}/seller/ask", fields).location == asked.location
    before = entity(portal)["iban"]
    assert decide(analyst, asked.location, "agree").status == 422 and entity(portal)["iban"] == before
    assert decide(approver, asked.location, "agree").status == 303
    assert entity(portal)["iban"] == "DE89370400440532013000"
    assert trail(portal).count("entity.bank_changed") == 1
    assert not any("0532013000" in str(i) for i in portal.region.store.query_all(ENTITY, prefix=PREFIX))


def test_a_role_for_a_time_shows_on_every_page_and_ends_by_itself(portal: Portal) -> None:
    support, admin = portal.staff_in("support"), portal.staff_in("admin")
    form = support.get(f"{HOME}/elevation").hidden()
    assert support.get(f"{HOME}/drafts").status == 200
    sent = {"role": "ar_analyst", "hours": "1", "why": "month end", "request": form["request"]}
    asked = support.post(f"{HOME}/elevation", sent)
    again = f"{HOME}/runs/again"
    assert support.post(again, {"as_of": "x"}).status == 404
    assert decide(support, asked.location, "agree").status == 422
    assert decide(admin, asked.location, "agree").status == 303
    assert (
        "You are AR analyst until" in support.get(HOME).text
        and "You are AR analyst" in support.get(f"{HOME}/runs").text
    )
    assert support.post(again, {"as_of": "x"}).status == 400
    for _ in range(5):
        portal.clock.advance(minutes=12)
        support.get(HOME)
    assert "You are" not in support.get(HOME).text and support.post(again, {"as_of": "x"}).status == 404
    assert {"proposal.asked", "proposal.agreed", "staff.elevated"} <= set(trail(portal))


def test_a_role_for_a_time_can_be_ended_early(portal: Portal) -> None:
    support, admin = portal.staff_in("support"), portal.staff_in("admin")
    form = support.get(f"{HOME}/elevation").hidden()
    sent = {"role": "ar_analyst", "hours": "8", "why": "month end", "request": form["request"]}
    decide(admin, support.post(f"{HOME}/elevation", sent).location, "agree")
    page = support.get(HOME)
    assert support.post(f"{HOME}/elevation/end", {"elevation": page.hidden()["elevation"]}).status == 303
    assert "You are" not in support.get(HOME).text and "staff.elevation_ended" in trail(portal)


def test_an_auditor_is_offered_no_role_that_does(portal: Portal) -> None:
    auditor = portal.staff_in("auditor")
    page = auditor.get(f"{HOME}/elevation")
    assert "<select" not in page.text
    sent = {"role": "ar_analyst", "hours": "1", "why": "x", "request": "r1"}
    assert auditor.post(f"{HOME}/elevation", sent).status in (403, 422)


def test_a_review_confirms_and_withdraws_and_is_a_record(portal: Portal) -> None:
    admin, collector = portal.staff_in("admin"), portal.staff_in("collector")
    portal.clock.advance(minutes=1)
    page = admin.get(f"{HOME}/access")
    names = re.findall(r'<select id="(staff_[^"]+)"', page.text)
    assert len(names) == len(scenes.STAFF) - 1  # not the reviewer's own
    gone = next(n for n in names if " collector " in n)
    said = {n: "withdraw" if n == gone else "keep" for n in names}
    assert admin.post(f"{HOME}/access/review", said).status == 303
    assert collector.get(HOME).status == 404
    assert admin.post(f"{HOME}/access/review", said).status in (403, 404, 409)  # seen as they were before
    assert "Last reviewed" in admin.get(f"{HOME}/access").text and "Clara" not in admin.get(f"{HOME}/access").text
    (kept,) = portal.region.store.query_all(ENTITY, prefix="access_review#")
    assert {line["confirmed"] for line in kept["lines"]} == {True, False} and "access.reviewed" in trail(portal)


def test_the_auditor_alone_exports_the_trail_and_that_is_on_it(
    portal: Portal, capsys: pytest.CaptureFixture[str]
) -> None:
    auditor = portal.staff_in("auditor")
    page = auditor.get(f"{HOME}/audit?what=entity.")
    assert "entity.registered" in page.text and "audit.csv" in page.text
    exported = auditor.get(f"{HOME}/audit.csv?account={scenes.NORTH}")
    assert exported.status == 200 and "account.opened" in exported.text
    rows = exported.text.count("\r\n") - 1
    assert rows and f'"RowsExportedByStaff": {rows}' in capsys.readouterr().out
    assert "audit.exported" in trail(portal)
    assert auditor.get(f"{HOME}/audit?account=acct_eu_nobody").status == 404
    assert portal.staff_in("admin").get(f"{HOME}/audit.csv").status == 404


def test_trying_the_set_aside_again_starts_the_days_run(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[tuple[str, str]] = []

    class Starter:
        def start(self, entity_id: str, as_of: str) -> str:
            started.append((entity_id, as_of))
            return "arn"

    monkeypatch.setattr("functions.staff.services.run_starter", Starter)
    analyst = portal.staff_in("analyst")
    analyst.get(HOME)
    assert analyst.post(f"{HOME}/runs/again", {"as_of": "2026-11-01"}).status == 303
    assert started == [(ENTITY, "2026-11-01")] and "run.asked_again" in trail(portal)


def test_what_a_page_asks_of_the_table(portal: Portal) -> None:
    """Session, staff, entity and account in one read; then one query. The start page has what was counted."""
    browser = portal.staff_in("auditor")
    calls: list[str] = []
    pages = {
        f"{HOME}/customers": 2, ACCOUNT: 2, f"{ACCOUNT}?show=timeline": 2, f"{ACCOUNT}?show=payments": 2,
        f"{HOME}/runs": 2, f"{HOME}/orders": 2, f"{HOME}/proposals": 2, f"{HOME}/drafts": 2, f"{HOME}/usage": 2,
        f"{HOME}/audit": 2, f"{HOME}/customers?q=kontor": 2, HOME: 1, f"{HOME}/tickets": 2, f"{HOME}/promises": 2,
        f"{HOME}/catalog": 2, f"{HOME}/taxes": 2,
        f"{HOME}/disputes": 2, "/styleguide": 1,
    }  # fmt: skip
    for path in pages:
        browser.get(path)  # names of staff are kept in the process
    portal.region.wire.watch = calls.append
    for path, most in pages.items():
        calls.clear()
        assert browser.get(path).status == 200
        assert len(calls) <= most, (path, calls)
    portal.region.wire.watch = None
    assert timedelta(0) < LIVES


def test_a_template_is_looked_at_as_the_documents_function_draws_it(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    from functions.documents import render
    from saldo.documents.looks import Looks
    from saldo.documents.rules_look import look_of
    from tests.contexts.sellers import CLERK

    Looks(portal.region.store, portal.clock).publish(ENTITY, "plain", look_of({"accent": "#8a1538"}), CLERK)
    made = {}

    def rendered(request: dict[str, str]) -> bytes:
        with acting("documents"):
            answer = render.handler(request, None)
        if "refused" in answer:
            raise NotFound
        made[answer["key"]] = portal.region.buckets.files["documents", answer["key"]]
        return made[answer["key"]]

    monkeypatch.setattr("functions.staff.services.rendered", rendered)
    monkeypatch.setenv("SALDO_DOCUMENTS_BUCKET", "documents")
    hosted.settings.cache_clear()
    hosted.template_previews.cache_clear()
    browser = portal.staff_in("analyst")
    assert "plain@1" in browser.get(f"{HOME}/catalog").text
    page = browser.get(f"{HOME}/templates/plain@1")
    assert page.status == 200 and page.body.startswith(b"%PDF")
    assert list(made) == [f"previews/{ENTITY}/plain@1.en.pdf"]
    assert browser.get(f"{HOME}/templates/plain@2").status == 404
    hosted.template_previews.cache_clear()


def test_own_tax_rates_are_shown_with_who_put_them_on_record_when_and_why(portal: Portal) -> None:
    browser = portal.staff_in("auditor")
    assert "The rates that come with Saldo hold alone." in browser.get(f"{HOME}/taxes").text
    sellers = SellerTaxes(portal.region.store, portal.clock)
    levy = {"rates": [{"percent": "25"}, {"name": "Levy", "per_unit": "0.10", "from_on": "2026-01-01"}]}
    sellers.put(ENTITY, levy, Actor("erika", "staff"), "the levy of this year")
    sellers.put(ENTITY, {"rates": [{"percent": "21"}]}, Actor("erika", "staff"), "no levy after all")
    now, then = browser.get(f"{HOME}/taxes").text, browser.get(f"{HOME}/taxes/1").text
    assert "21" in now and "Levy" not in now
    assert all(word in now for word in ("erika", "the levy of this year", "no levy after all", f"{HOME}/taxes/1"))
    assert all(word in then for word in ("Levy", "per_unit 0.10", "1 Jan 2026"))
    assert {browser.get(f"{HOME}/taxes/{number}").status for number in ("3", "x", "1000000", "²")} == {404}


def test_one_more_role_takes_two_administrators_and_neither_is_who_gets_it(portal: Portal) -> None:
    first, second, support = portal.staff_in("admin"), portal.staff_in("admin2"), portal.staff_in("support")
    staff_id = support.cookies["saldo-staff"].partition(".")[0]
    form = first.get(f"{HOME}/access").hidden()
    sent = {"person": staff_id, "role": "ar_analyst", "why": "joins the team", "request": form["request"]}
    asked = first.post(f"{HOME}/access/grant", sent)
    again = f"{HOME}/runs/again"
    assert decide(first, asked.location, "agree").status == 422
    support.get(HOME)
    assert support.post(again, {"as_of": "x"}).status == 404
    assert decide(second, asked.location, "agree").status == 303
    support.get(HOME)
    assert support.post(again, {"as_of": "x"}).status == 400 and "staff.granted" in trail(portal)
    first.get(f"{HOME}/access")
    assert first.post(f"{HOME}/access/grant", {**sent, "role": "auditor", "request": "r2"}).status == 422
    own = second.cookies["saldo-staff"].partition(".")[0]
    first.get(f"{HOME}/access")
    wanted = first.post(f"{HOME}/access/grant", {**sent, "person": own, "role": "support", "request": "r3"})
    assert decide(second, wanted.location, "agree").status == 422


def test_an_amount_to_credit_is_read_as_people_type_it(portal: Portal) -> None:
    browser, invoice = portal.staff_in("support"), largest_invoice(portal)
    for typed in ("1,000.50", "1000,5", "1.000,50"):
        browser.get(invoice)
        checked = browser.post(f"{invoice}/credit/check", {"reason": "price", "amount": typed, "why": "agreed"})
        assert checked.status == 200 and "€1,000.50" in checked.text, typed


def test_an_order_of_nobody_known_cannot_be_accepted_and_its_page_says_so(portal: Portal) -> None:
    lines = (RequestedLine("1", "core", Decimal(1)),)
    day, nobody = portal.clock().date(), (Reference(ReferenceKind.CUSTOMER, "4711"),)
    asked = OrderRequest("api:erp", Channel.API, "PO-3", day, nobody, lines)
    receipt = Orders(portal.region.store, portal.clock).receive(ENTITY, asked, Actor("erp", "api_key"))
    analyst, page = portal.staff_in("analyst"), f"{HOME}/orders/{receipt.order_id}"
    shown = analyst.get(page)
    assert "Accept as ordered" not in shown.text and "cannot be matched" in shown.text and "€0.00" not in shown.text
    assert "€0.00" not in analyst.get(f"{HOME}/orders").text
    sent = analyst.post(f"{page}/accept", {"note": "let it be", "version": shown.hidden()["version"]})
    assert sent.status == 422 and "cannot be matched" in sent.text and "PO-3" in sent.text
    assert analyst.post(f"{page}/refuse", {"note": "not ours", "version": shown.hidden()["version"]}).status == 303
    gone = analyst.get(f"{HOME}/orders/ord_nothing")
    assert gone.status == 404 and "Go to your work" in gone.text


def follow(portal: Portal, old: Item | None, new: Item | None) -> None:
    """What the stream's function makes of one change."""
    images = {name: to_attributes(image) for name, image in (("OldImage", old), ("NewImage", new)) if image}
    item = new or old or {}
    change = {"Keys": to_attributes({"pk": item["pk"], "sk": item["sk"]}), **images}
    verb = "MODIFY" if old and new else "INSERT" if new else "REMOVE"
    with acting("link_audit"):
        link.handler({"Records": [{"eventName": verb, "dynamodb": change}]}, None)


def test_what_waits_is_counted_when_it_comes_and_when_it_goes_and_says_as_of_when(portal: Portal) -> None:
    hosted.waiting.cache_clear()
    browser, store = portal.staff_in("auditor"), portal.region.store

    def said() -> str:
        return browser.get(HOME).text.split("<main")[1]

    assert "Counted 23 Nov 2026" in said() and "Disputes" not in said()
    place = {"agenda_pk": f"disputes#{ENTITY}", "agenda_on": "2026-11-23T10:00:00.000Z"}
    there: Item = {"pk": scenes.NORTH, "sk": "dispute#dsp_1", "kind": "dispute"}
    store.put_many([there | place])
    assert "Disputes" not in said(), "the stream has told nothing yet"
    follow(portal, None, there | place)
    assert re.search(r"Disputes.*?>1<", said(), re.DOTALL)
    store.put_many([there])
    follow(portal, there | place, there)
    assert "Disputes" not in said()
    row: Item = {"pk": ENTITY, "sk": "quarantine#f#1", "kind": "quarantine"}
    store.put_many([row])
    follow(portal, None, row)
    assert "Usage that was not accepted" in said()
    hosted.waiting.cache_clear()


def test_the_stream_tells_of_whatever_waits(portal: Portal) -> None:
    """A record that is on a list which is counted has a key that the stream's function hears of."""
    lists = {f"{name}#{ENTITY}" for name in AGENDAS}
    for item in portal.region.store.scan():
        assert item.get("agenda_pk") not in lists or item["sk"].startswith(TOLD), item["sk"]
    assert {"difference#", "approval", "run#"} <= set(TOLD)


def test_what_changed_and_waits_where_it_waited_is_not_counted_again() -> None:
    place = {"agenda_pk": {"S": f"tickets#{ENTITY}"}, "agenda_on": {"S": "a"}}
    keys = {"pk": {"S": scenes.NORTH}, "sk": {"S": "ticket#t"}}
    assert sellers_moved({"Keys": keys, "OldImage": place, "NewImage": place}) == set()
    assert sellers_moved({"Keys": keys, "NewImage": place}) == {ENTITY}
    assert sellers_moved({"Keys": keys, "OldImage": place, "NewImage": {}}) == {ENTITY}
    payers_own = {"agenda_pk": {"S": f"proposals#{scenes.NORTH}"}, "agenda_on": {"S": "a"}}
    assert sellers_moved({"Keys": keys, "NewImage": payers_own}) == set()


def test_proposals_that_ran_out_since_they_were_counted_are_left_out(portal: Portal) -> None:
    store, waits = portal.region.store, Waiting(portal.region.store, portal.clock)
    on = instant_text(portal.clock() + timedelta(hours=1))
    waiting: Item = {"agenda_pk": f"proposals#{ENTITY}", "agenda_on": f"{on}#prp_1"}
    store.put_many([{"pk": ENTITY, "sk": "proposal#prp_1", "kind": "proposal"} | waiting])
    assert waits.count(ENTITY).numbers["proposals"] == 1
    portal.clock.advance(hours=2)
    found = counted(store, portal.clock, ENTITY)
    assert found.numbers["proposals"] == 0 and found.at == scenes.NOW


def test_what_was_counted_later_is_not_overwritten_by_what_was_counted_before(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, waits = portal.region.store, Waiting(portal.region.store, portal.clock)
    item = Waiting._item

    def slowly(self: Waiting, entity_id: str) -> Item:
        found = item(self, entity_id)
        monkeypatch.undo()
        row: Item = {"pk": ENTITY, "sk": "discrepancy#ord_1", "kind": "discrepancy"}
        store.put_many([row])
        assert Waiting(store, portal.clock).count(ENTITY).numbers["orders"] == 1
        return found

    monkeypatch.setattr(Waiting, "_item", slowly)
    assert waits.count(ENTITY).numbers["orders"] == 1
    assert counted(store, portal.clock, ENTITY).numbers["orders"] == 1
