"""One invoice without signing in."""

from __future__ import annotations

import pytest

from functions.delivery.letters import pay_address
from functions.portal import services
from saldo.access.links import LinkPurpose, token_of
from saldo.access.model_visibility import SelfService, Visibility
from saldo.access.visibility import VisibilityRules
from saldo.audit.model import Actor
from saldo.kernel.ids import is_id
from saldo.payments.approvals import Approvals
from saldo.payments.lately import LatestPayments
from saldo.payments.model_approvals import ApprovalPolicy, Level
from saldo.storage.units import Unit
from tests.functions.portal import scenes
from tests.functions.portal.browser import ORIGIN
from tests.functions.portal.conftest import GATEWAY, Portal

HOME = f"/accounts/{scenes.NORTH}"
STAFF = Actor("user_eu_clerk", "staff")


@pytest.fixture
def linked(portal: Portal) -> Portal:
    rules = VisibilityRules(services.store(), portal.clock)
    rules.set(scenes.NORTH, Visibility(actions=frozenset(SelfService)), STAFF, "asked for by the customer")
    return portal


def open_invoice(portal: Portal) -> dict[str, object]:
    items = portal.access._store.query_all(f"open#{scenes.NORTH}", agenda=True)
    return max(items, key=lambda i: str(i["issued_on"]))


def path_of(portal: Portal) -> str:
    return f"/pay/{services.pay_links().token(scenes.NORTH, str(open_invoice(portal)['invoice_id']))}"


def test_a_link_shows_this_invoice_alone_and_leads_to_the_gateway(linked: Portal) -> None:
    row, browser = open_invoice(linked), linked.browser()
    page = browser.get(path_of(linked))
    assert page.status == 200 and str(row["number"]) in page.text and "Plattform, Team" in page.text
    others = [
        i for i in linked.access._store.query_all(scenes.NORTH, prefix="invoice#") if i["number"] != row["number"]
    ]
    assert not any(str(i["number"]) in page.text for i in others)
    assert "Kontor" not in page.text and HOME not in page.text
    answer = browser.post(path_of(linked), page.hidden())
    assert answer.status == 303 and answer.location.startswith(f"{GATEWAY}/pay/pay_")
    (asked,) = linked.gateway.opened.values()
    assert asked.amount.minor == row["open_minor"] and asked.return_url == f"{ORIGIN}/paid"
    assert browser.get("/paid").status == 200
    again = browser.post(path_of(linked), page.hidden(), key=False)
    assert again.location == answer.location  # the same form, the same payment


def test_a_look_takes_one_read_and_its_record_and_a_link_of_before_sellers_were_named_opens_too(linked: Portal) -> None:
    path, browser, bill = path_of(linked), linked.browser(), linked.region.records.bill
    store, sealer = services.store(), services.sealer()
    (link,) = store.query(scenes.NORTH, prefix="pay_link#").items
    parts = (link["organisation_id"], LinkPurpose.PAY, scenes.NORTH, f"{link['invoice_id']}_{link['generation']}")
    for asked, most in ((path, 2), (f"/pay/{token_of(sealer, *parts)}", 3)):
        browser.get(asked)
        before = bill.calls.copy()
        assert browser.get(asked).status == 200 and (bill.calls - before).total() == most
    browser.post(path, browser.get(path).hidden())
    before = bill.calls.copy()
    assert "ist unterwegs" in browser.get(path).text and (bill.calls - before).total() == 3
    LatestPayments(store).fold(scenes.NORTH)
    before = bill.calls.copy()
    assert "ist unterwegs" in browser.get(path).text and (bill.calls - before).total() == 2


def test_a_link_opens_also_where_the_sellers_id_is_as_long_as_ids_may_be(linked: Portal) -> None:
    seller = f"ent_eu_{'x' * 61}"
    services.store().write_one(Unit("a long id").update((scenes.NORTH, "account"), set={"entity_id": seller}))
    assert is_id(seller) and linked.browser().get(path_of(linked)).status == 200


def test_a_payment_under_way_is_told_and_not_begun_twice(linked: Portal) -> None:
    first, second = linked.browser(), linked.browser()
    forms = [browser.get(path_of(linked)).hidden() for browser in (first, second)]
    first.post(path_of(linked), forms[0])
    assert second.post(path_of(linked), forms[1]).status == 422
    assert "ist unterwegs" in second.get(path_of(linked)).text and len(linked.gateway.opened) == 1


def test_only_what_was_shown_is_paid(linked: Portal) -> None:
    browser = linked.browser()
    form = browser.get(path_of(linked)).hidden()
    assert browser.post(path_of(linked), form | {"minor": "1"}).status == 422
    assert not linked.gateway.opened


def test_no_reason_why_a_link_opens_nothing_is_told(linked: Portal) -> None:
    path, browser, said = path_of(linked), linked.browser(), set()
    row = open_invoice(linked)
    forged = [
        path[:-2] + "AA",
        path.replace(scenes.NORTH, scenes.OTHERS),
        path.replace("_1_ent", "_2_ent"),
        path.replace("_ent_eu_", "_ent_eu_x"),
        "/pay/x",
    ]
    said |= {(p.status, p.text) for p in map(browser.get, forged)}
    services.pay_links().revoke(scenes.NORTH, str(row["invoice_id"]), STAFF, "leaked")
    said |= {(browser.get(path).status, browser.get(path).text)}
    services.pay_links().allow_again(scenes.NORTH, str(row["invoice_id"]), STAFF)
    said |= {(browser.get(path).status, browser.get(path).text)}
    fresh = path_of(linked)
    assert fresh != path and browser.get(fresh).status == 200
    linked.clock.advance(days=120)
    said |= {(browser.get(fresh).status, browser.get(fresh).text)}
    assert len(said) == 1 and next(iter(said))[0] == 404


def test_where_the_account_does_without_there_is_no_link_and_old_ones_open_nothing(linked: Portal) -> None:
    path = path_of(linked)
    VisibilityRules(services.store(), linked.clock).set(scenes.NORTH, Visibility(), STAFF, "no longer wanted")
    assert linked.browser().get(path).status == 404
    assert services.pay_links().token(scenes.NORTH, str(open_invoice(linked)["invoice_id"])) == ""


def test_an_admin_revokes_the_link_on_the_invoices_page_and_others_cannot(linked: Portal) -> None:
    path, invoice_id = path_of(linked), open_invoice(linked)["invoice_id"]
    place = f"{HOME}/invoices/{invoice_id}"
    payer = linked.signed_in("payer")
    assert "pay-link" not in payer.get(place).text
    assert payer.post(f"{place}/pay-link/revoke", {}).status == 404
    admin = linked.signed_in()
    assert "Revoke the link" in admin.get(place).text
    assert admin.post(f"{place}/pay-link/revoke", {}).location == place
    assert linked.browser().get(path).status == 404 and "revoked" in admin.get(place).text
    told = {i["action"] for i in linked.access._store.query_all(scenes.NORTH, prefix="audit#")}
    assert {"pay_link.revoked"} <= told


def test_opening_and_paying_are_on_record_and_the_token_is_in_no_line_nor_record(
    linked: Portal, capsys: pytest.CaptureFixture[str]
) -> None:
    path, browser = path_of(linked), linked.browser()
    browser.post(path, browser.get(path).hidden())
    told = [i for i in linked.access._store.query_all(scenes.NORTH, prefix="audit#") if i["actor"]["kind"] == "link"]
    assert {i["action"] for i in told} == {"pay_link.opened", "payment.started"}
    signature = path.rpartition(".")[2]
    logged = capsys.readouterr().out
    assert '"route": "/pay/{token}"' in logged and signature not in logged
    assert signature not in str(list(linked.access._store.scan())) + str(linked.gateway.opened)


def test_a_link_does_not_go_round_the_accounts_approvals(linked: Portal) -> None:
    policy = ApprovalPolicy({"EUR": (Level(0),)})
    Approvals(services.store(), services.sealer(), linked.clock).set_policy(scenes.NORTH, policy, STAFF, "asked")
    browser = linked.browser()
    page = browser.post(path_of(linked), browser.get(path_of(linked)).hidden())
    assert page.status == 422 and "verlangt eine Freigabe" in page.text and not linked.gateway.opened


def test_a_letter_leads_to_the_link_at_the_portals_origin() -> None:
    assert pay_address("https://pay.example/accounts/a/invoices/i", "a.b.c") == "https://pay.example/pay/a.b.c"
