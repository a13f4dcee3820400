"""What staff arrange at the terminal: rates, numbers, terms, certificates, where usage lies, when to remind."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from getpass import getuser

import pytest

from local.cli import site
from saldo.invoicing.rules_late_law import STATUTES
from saldo.kernel.money import Money
from saldo.payments.model import GatewayEvent, GatewayPayment, PaymentStatus
from saldo.payments.news import handle_event
from saldo.storage.items import Item
from saldo.storage.store import Store
from saldo.storage.units import Unit
from tests.founding import FOUNDER
from tests.scenarios.sites import sites
from tests.scenarios.test_command_line import ENTITY, Terminal
from tests.simulation.region import Region

ACCOUNT = "acct_eu_000000"


@pytest.fixture
def terminal() -> Terminal:
    return Terminal(*sites(2))


def refused(terminal: Terminal, *words: str) -> str:
    """The code of the refusal."""
    result = terminal.type(*words, "--json")
    assert result.exit_code == 2, result.output
    return str(json.loads(result.stdout)["error"]["code"])


def acts(terminal: Terminal, owner: str) -> list[tuple[str, str]]:
    """Who did what since the seller was founded: action, actor."""
    done = [(i["action"], i["actor"]["id"]) for i in terminal.eu.store.query_all(owner, prefix="audit#")]
    return [(action, actor) for action, actor in done if actor != FOUNDER.id]


def test_whose_rates_a_seller_books_at_is_set_and_shown(terminal: Terminal) -> None:
    assert terminal.ask("rates", "policy", "--entity", ENTITY) == {"policy": None}
    done = terminal.ask("rates", "set-policy", "--entity", ENTITY, "--most-days", "3", "--by", "user_ada")
    assert done == {"policy": {"source": "ECB", "base": "EUR", "most_days": 3, "prices_on": None, "tolerance": "0"}}
    assert terminal.ask("rates", "policy", "--entity", ENTITY) == done
    assert "at most 3 days old" in terminal.type("rates", "policy", "--entity", ENTITY).stdout
    assert acts(terminal, ENTITY) == [("rate_policy.changed", "user_ada")]
    assert refused(terminal, "rates", "set-policy", "--entity", ENTITY, "--base", "euro") == "invalid_rate_policy"
    assert refused(terminal, "rates", "set-policy", "--entity", "ent_eu_gone") == "not_found"


def test_what_is_offered_when_details_change_is_set_shown_and_refused_with_its_field(
    terminal: Terminal,
) -> None:
    seller = ("--entity", ENTITY)
    usual = {"offered": "open", "days": 90, "fields": ["address", "legal_name", "purchase_order", "tax_id"]}
    assert terminal.ask("corrections", "show", *seller) == usual
    asked = ("--offered", "recent", "--days", "30", "--field", "address", "--field", "tax_id")
    done = terminal.ask("corrections", "set", *seller, *asked, "--reason", "as agreed", "--by", "user_ada")
    assert done == {"offered": "recent", "days": 30, "fields": ["address", "tax_id"]}
    assert (
        "at most 30 days old, when one of these changes: address, tax_id"
        in terminal.type("corrections", "show", *seller).stdout
    )
    wrong = ("corrections", "set", *seller, "--days", "-1", "--field", "shoe_size", "--reason", "-")
    told = json.loads(terminal.type(*wrong, "--json").stdout)["error"]
    assert (told["code"], [p["field"] for p in told["problems"]]) == ("invalid_policy", ["days", "fields"])
    assert refused(terminal, "corrections", "set", *seller, "--reason", "-") == "invalid_input"
    nobody = ("corrections", "set", "--entity", "ent_eu_gone", "--days", "3", "--reason", "-")
    assert refused(terminal, *nobody) == "not_found"
    assert terminal.ask("corrections", "set", *seller, "--usual", "--reason", "as before") == usual
    assert acts(terminal, ENTITY) == [
        ("correction_policy.changed", "user_ada"),
        ("correction_policy.changed", getuser()),
    ]


def test_a_reference_rate_is_put_on_record_once(terminal: Terminal) -> None:
    asked = ("--from", "2026-07-01", "--until", "2027-01-01", "--region", "eu")
    assert terminal.ask("rates", "add-reference", "DE", "1.02", *asked)["percent"] == "1.02"
    terminal.ask("rates", "add-reference", "DE", "1.02", *asked)
    assert refused(terminal, "rates", "add-reference", "DE", "2", *asked) == "rate_known"
    found = terminal.ask("rates", "references", "--region", "eu")["references"]
    assert found[-1] == {"name": "DE", "from_on": "2026-07-01", "until_on": "2027-01-01", "percent": "1.02"}
    assert "1.02 %" in terminal.type("rates", "references", "--region", "eu").stdout


def test_each_rate_that_a_law_goes_by_can_be_put_on_record(terminal: Terminal) -> None:
    asked = ("--from", "2026-07-01", "--until", "2027-01-01", "--region", "eu")
    for statute in STATUTES.values():
        told = terminal.ask("rates", "add-reference", statute.reference, "3.75", *asked)
        assert told["name"] == statute.reference


def test_a_seller_is_shown_part_by_part(terminal: Terminal) -> None:
    shown = terminal.type("seller", "show", ENTITY).stdout
    assert "address: city" in shown and "{" not in shown and "datetime" not in shown


def test_numbers_are_written_by_a_rule_of_ones_own_until_it_is_unset(terminal: Terminal) -> None:
    rule = ("--type", "invoice", "--pattern", "{customer}-{year}-{n:03}")
    done = {r["type"]: r for r in terminal.ask("numbering", "set", "--entity", ENTITY, *rule)["rules"]}
    assert (done["invoice"]["pattern"], done["invoice"]["own"], done["credit_note"]["own"]) == (rule[3], True, False)
    assert "{customer}-{year}-{n:03}" in terminal.type("numbering", "show", "--entity", ENTITY).stdout
    back = {r["type"]: r for r in terminal.ask("numbering", "unset", "--entity", ENTITY, "--type", "invoice")["rules"]}
    assert not back["invoice"]["own"]
    assert [action for action, _ in acts(terminal, ENTITY)] == ["numbering.changed"] * 2
    bad = ("numbering", "set", "--entity", ENTITY, "--type", "invoice", "--pattern")
    assert refused(terminal, *bad, "{n}") == "number_would_repeat"
    assert refused(terminal, *bad, "{year}") == "invalid_number_format"


def test_a_seller_chooses_how_it_bills_and_what_it_does_not_name_stays(terminal: Terminal) -> None:
    set_ = ("choices", "set", "--entity", ENTITY)
    assert terminal.ask(*set_, "--tax-rounding", "line", "--coins", "0.05 EUR")["coins"] == "0.05 EUR half_up"
    found = terminal.ask(*set_, "--prepaid", "before_tax")
    assert (found["tax_rounding"], found["prepaid"], found["coins"]) == ("line", "before_tax", "0.05 EUR half_up")
    assert terminal.ask(*set_, "--no-coins")["coins"] is None
    assert "before_tax" in terminal.type("choices", "show", "--entity", ENTITY).stdout
    little = terminal.ask(*set_, "--tolerance", "EUR amount=0.50,percent=2", "--tolerance", "USD clerk=1")
    assert little["tolerances"] == ["EUR amount=0.50,percent=2", "USD clerk=1.00"]
    assert terminal.ask(*set_, "--tolerance", "USD amount=2")["tolerances"][1] == "USD amount=2.00"
    for wrong in ("EUR", "EUR fine=2", "EUR amount=a", "EUR percent=NaN"):
        assert refused(terminal, *set_, "--tolerance", wrong) in ("invalid_input", "invalid_tolerance")
    assert terminal.ask(*set_, "--no-tolerance")["tolerances"] == []
    assert [action for action, _ in acts(terminal, ENTITY)].count("billing_choices.changed") == 6
    assert refused(terminal, *set_, "--coins", "0 EUR") == "not_a_coin"
    assert refused(terminal, *set_, "--coins", "five") == "not_a_coin"


@pytest.mark.parametrize("typed", ["abc", "NaN", "Infinity", "1_0", "1e99"])
def test_what_is_no_number_is_refused_with_its_option(terminal: Terminal, typed: str) -> None:
    for option in ("--early-percent", "--late-percent", "--late-most"):
        result = terminal.type("account", "terms", ACCOUNT, "--late-policy", "contract", option, typed)
        assert (result.exit_code, option in result.output) == (2, True)
    assert terminal.type("wallet", "credit", ACCOUNT, "credit_1", typed, "--free", "--reason", "-").exit_code == 2
    assert terminal.type("rates", "set-policy", "--entity", ENTITY, "--tolerance", typed).exit_code == 2
    assert acts(terminal, ACCOUNT) == acts(terminal, ENTITY) == []


def test_when_to_pay_is_agreed_in_days_or_by_the_calendar(terminal: Terminal) -> None:
    terms = ("account", "terms", ACCOUNT)
    terminal.ask(*terms, "--segment", "public")
    done = terminal.ask(*terms, "--due", "days=30,then=end_of_month", "--reason", "as agreed")
    assert done["payment_terms"] == {"days": 30, "then": "end_of_month"}
    assert (done["terms"]["segment"], "payment_terms_days" in done) == ("public", False)
    assert "30 days, then end of the month" in terminal.type("account", "show", ACCOUNT).stdout
    assert terminal.ask(*terms, "--review")["payment_terms"] == {"days": 30, "then": "end_of_month"}
    assert terminal.ask(*terms, "--due", "months=1")["payment_terms"] == {"months": 1}
    assert "1 month" in terminal.type("account", "show", ACCOUNT).stdout
    assert terminal.ask(*terms, "--due", "days=14")["payment_terms_days"] == 14
    for wrong in ("soon", "days=366", "days=30,months=0", "day=20,months=0", "day=32", "from=end_of_month,days=0"):
        assert refused(terminal, *terms, "--due", wrong) == "invalid_input", wrong
    assert terminal.ask("account", "show", ACCOUNT)["payment_terms_days"] == 14


def test_terms_change_in_what_is_named_and_stay_in_the_rest(terminal: Terminal) -> None:
    terms = ("account", "terms", ACCOUNT)
    terminal.ask(*terms, "--early-percent", "2", "--early-days", "10", "--segment", "public")
    terminal.ask(*terms, "--late-policy", "contract", "--late-percent", "9.5", "--review", "--reason", "as agreed")
    now = terminal.ask("account", "show", ACCOUNT)["terms"]
    assert (now["early_discounts"][0]["percent"], now["segment"], now["review"]) == ("2", "public", True)
    assert (now["late"]["policy"], now["late"]["percent"]) == ("contract", "9.5")
    steps = terminal.ask(
        *terms, "--early-percent", "3", "--early-then", "2/14", "--early-then", "1/20", "--early-in-part"
    )["terms"]
    assert [(e["percent"], e["days"]) for e in steps["early_discounts"]] == [("3", 10), ("2", 14), ("1", 20)]
    assert steps["early_in_part"] is True
    assert refused(terminal, *terms, "--early-then", "4/20") == "invalid_terms"
    assert refused(terminal, *terms, "--early-then", "4") == "invalid_input"
    fee = "after=14,amount=5.00,every=30,times=3"
    rates = "--late-from", "2027-01-01=8", "--late-compounds", "month", "--late-most", "20", "--late-from-grace"
    late = terminal.ask(*terms, *rates, "--late-fee", fee, "--settle", "newest")["terms"]["late"]
    assert (late["later"], late["compounds"], late["most_percent"]) == ([["2027-01-01", "8"]], "month", "20")
    assert (late["fees"][0]["amount_minor"], late["fees"][0]["times"], late["percent"]) == (500, 3, "9.5")
    assert "5.00 EUR after 14 days, every 30 days" in terminal.type("account", "show", ACCOUNT).stdout
    terminal.ask(*terms, "--late-fee", "after=7,percent=1,least=5,most=40,times=3,every=30")
    told = "1 %, at least 5.00 EUR, at most 40.00 EUR after 7 days, every 30 days, at most 3 times"
    assert told in terminal.type("account", "show", ACCOUNT).stdout
    late = terminal.ask(*terms, "--late-year", "30/360", "--late-compounds", "never", "--late-daily-rounding")
    assert (late["terms"]["late"]["thirty_days"], late["terms"]["late"]["year_days"]) == (True, 360)
    assert "360 days, 30 a month" in terminal.type("account", "show", ACCOUNT).stdout
    late = terminal.ask(*terms, "--late-year", "calendar", "--late-exact", "--late-months", "begun")["terms"]["late"]
    assert (late["calendar_year"], late["thirty_days"], late["months"]) == (True, False, "begun")
    assert refused(terminal, *terms, "--late-daily-rounding") == "invalid_terms"
    assert refused(terminal, *terms, "--late-year", "12/360") == "invalid_input"
    assert refused(terminal, *terms, "--late-fee", "after=14") == "invalid_terms"
    assert refused(terminal, *terms, "--late-fee", "amount=five") == "invalid_input"
    assert refused(terminal, *terms, "--late-fee", "fine=5") == "invalid_input"
    assert refused(terminal, *terms, "--late-from", "soon=5") == "invalid_input"
    assert refused(terminal, *terms, "--late-from", "2027-01-01=NaN") == "invalid_input"
    assert refused(terminal, *terms, "--late-fee", "after=14,percent=1_0") == "invalid_input"
    for number in ("NaN", "1e99", "five"):  # which no rule can be told by
        assert refused(terminal, *terms, "--late-fee", f"percent={number}") == "invalid_input"
        told = terminal.type(*terms, "--late-most", number)
        assert (told.exit_code, f"Invalid value for '--late-most': {number!r} is not a number" in told.output) == (
            2,
            True,
        )
    plain = terminal.ask(*terms, "--late-compounds", "never", "--no-late-fees", "--settle", "as_seller")["terms"]
    assert (plain["late"]["compounds"], plain["late"]["fees"], plain["settle"]) == (None, [], None)
    assert terminal.ask(*terms, "--no-early", "--no-review")["terms"]["early_discounts"] == []
    assert [action for action, _ in acts(terminal, ACCOUNT)] == ["terms.changed"] * 9
    assert "public" in terminal.type("account", "show", ACCOUNT).stdout


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--early-percent", "2"), "invalid_input"),
        (("--early-days", "2", "--no-early"), "invalid_input"),
        (("--early-percent", "200", "--early-days", "2"), "invalid_terms"),
        (("--late-percent", "5"), "invalid_terms"),
    ],
)
def test_terms_that_nobody_could_keep_are_refused(terminal: Terminal, words: tuple[str, ...], code: str) -> None:
    assert refused(terminal, "account", "terms", ACCOUNT, *words) == code


def test_a_certificate_is_kept_sealed_listed_and_ended(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = Region().keys()
    monkeypatch.setattr(site, "keys_of", lambda _site: keys)
    add = ("certificates", "add", ACCOUNT, "--number", "NY-4711", "--from", "2026-01-01", "--until", "2027-01-01")
    where = ("--jurisdiction", "US-NY", "--id", "cert_1")
    assert terminal.ask(*add, *where)["added"] and not terminal.ask(*add, *where)["added"]
    (found,) = terminal.ask("certificates", "list", ACCOUNT)["certificates"]
    assert found["jurisdictions"] == ["US-NY"] and "NY-4711" not in repr(list(terminal.eu.store.scan()))
    ended = terminal.ask("certificates", "end", ACCOUNT, "cert_1", "--on", "2026-06-01", "--reason", "moved away")
    assert ended["until_on"] == "2026-06-01"
    assert "cert_1" in terminal.type("certificates", "list", ACCOUNT).stdout
    assert {action for action, _ in acts(terminal, ACCOUNT)} == {"certificate.added", "certificate.ended"}
    assert refused(terminal, *add, "--jurisdiction", "US-NY", "--id", "4711") == "invalid_id"
    assert (
        refused(terminal, "certificates", "end", ACCOUNT, "cert_2", "--on", "2026-06-01", "--reason", "-")
        == "not_found"
    )
    wrong = ("certificates", "add", ACCOUNT, "--number", " ", "--from", "2027-01-01", "--until", "2027-01-01")
    assert refused(terminal, *wrong, "--jurisdiction", "US-NY") == "invalid_certificate"


def test_usage_of_a_large_account_is_put_into_files_for_ever(terminal: Terminal) -> None:
    keep = ("usage", "keep-in-files", ACCOUNT, "--entity", ENTITY)
    assert [terminal.ask(*keep)["changed"] for _ in range(2)] == [True, False]
    assert "already" in terminal.type(*keep).stdout
    assert refused(terminal, "usage", "keep-in-files", "acct_eu_gone", "--entity", ENTITY) == "not_found"
    assert [action for action, _ in acts(terminal, ENTITY)] == ["usage.kept_in_files"]


def test_a_schedule_of_reminders_is_set_shown_and_tried(terminal: Terminal) -> None:
    seller = ("--entity", ENTITY)
    assert [s["name"] for s in terminal.ask("reminders", "show", *seller)["steps"]] == [
        *("upcoming", "due", "first", "second", "last")
    ]
    done = terminal.ask("reminders", "set", *seller, "--step", "firm=20", "--step", "friendly=5", "--gap", "3")
    assert done == {
        "steps": [{"name": "friendly", "days": 5}, {"name": "firm", "days": 20}],
        "segments": {},
        "gap_days": 3,
    }
    assert terminal.ask("reminders", "set", *seller, "--none", "--segment", "public")["segments"] == {"public": []}
    assert "no reminders" in terminal.type("reminders", "show", *seller).stdout
    assert terminal.ask("reminders", "set", *seller, "--unset", "--segment", "public")["segments"] == {}
    assert len(terminal.ask("reminders", "set", *seller, "--unset")["steps"]) == 5
    assert refused(terminal, "reminders", "set", *seller) == "invalid_input"
    assert refused(terminal, "reminders", "set", *seller, "--none", "--unset") == "invalid_input"
    assert refused(terminal, "reminders", "set", *seller, "--step", "soon") == "invalid_step"
    assert refused(terminal, "reminders", "set", *seller, "--step", "a b=1") == "invalid_schedule"


def test_a_day_of_reminders_is_previewed_and_what_was_sent_is_listed(terminal: Terminal) -> None:
    assert terminal.type("bill", "--entity", ENTITY, "--as-of", "2026-01-01").exit_code == 0
    found = terminal.ask("reminders", "preview", "--entity", ENTITY, "--on", "2026-02-02")
    assert {letter["account_id"] for letter in found["letters"]} | {one["account_id"] for one in found["left_out"]} == {
        *(f"acct_eu_00000{n}" for n in range(2))
    }
    assert terminal.ask("reminders", "list", ACCOUNT) == {"reminders": []}
    early = terminal.type("reminders", "preview", "--entity", ENTITY, "--on", "2026-01-10")
    assert "not now: " in early.stdout
    assert refused(terminal, "reminders", "preview", "--entity", ENTITY, "--on", "soon") == "invalid_date"


def test_what_an_accounts_people_see_is_set_with_a_reason_and_shown(terminal: Terminal) -> None:
    asked = ("account", "visibility", ACCOUNT)
    usual = terminal.ask(*asked)
    assert (usual["open_only"], usual["months"], "pay_links" in usual["actions"]) == (False, 0, False)
    now = terminal.ask(*asked, "--months", "24", "--action", "pay", "--action", "pay_links", "--reason", "as agreed")
    assert (now["months"], now["actions"], len(now["documents"])) == (24, ["pay", "pay_links"], 4)
    assert "pay_links" in terminal.type(*asked).stdout
    assert terminal.ask(*asked, "--usual", "--reason", "ends") == usual
    assert [action for action, _ in acts(terminal, ACCOUNT)] == ["visibility.set"] * 2
    assert refused(terminal, *asked, "--months", "3") == "reason_required"
    assert refused(terminal, *asked, "--usual", "--open-only", "--reason", "x") == "invalid_input"
    assert refused(terminal, *asked, "--open-only", "--months", "3", "--reason", "x") == "invalid_visibility"


def test_who_must_agree_to_payments_is_set_with_a_reason_and_shown(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = Region().keys()
    monkeypatch.setattr(site, "keys_of", lambda _site: keys)
    asked = ("account", "approvals", ACCOUNT)
    levels = ("--level", "1000.00 EUR", "--level", "10000.00 EUR:user_eu_cfo,user_eu_ceo", "--reason", "their rules")
    found = terminal.ask(*asked, *levels)["levels"]
    assert [(f["above_minor"], f["approvers"]) for f in found] == [
        (100_000, []),
        (1_000_000, ["user_eu_cfo", "user_eu_ceo"]),
    ]
    assert "any approver" in terminal.type(*asked).stdout
    assert terminal.ask(*asked, "--none", "--reason", "no longer")["levels"] == []
    assert refused(terminal, *asked, "--none") == "reason_required"
    wrong = ("--level", "9 EUR", "--level", "3 EUR", "--reason", "x")
    assert refused(terminal, *asked, *wrong) == "invalid_policy"


def test_at_which_rates_prices_are_billed_is_set_for_a_seller_and_agreed_with_a_customer(terminal: Terminal) -> None:
    done = terminal.ask("rates", "set-policy", "--entity", ENTITY, "--prices-on", "month_end")
    assert done["policy"]["prices_on"] == "month_end"
    assert "the last day of the month before the invoice" in terminal.type("rates", "policy", "--entity", ENTITY).stdout
    never = terminal.ask("rates", "set-policy", "--entity", ENTITY, "--prices-on", "never")
    assert never["policy"]["prices_on"] is None
    agreed = terminal.ask("account", "terms", ACCOUNT, "--price-rate", "1 EUR = 1.10 USD")
    assert [(r["base"], r["rate"], r["source"]) for r in agreed["terms"]["price_rates"]] == [
        ("EUR", "1.10", "contract")
    ]
    assert refused(terminal, "account", "terms", ACCOUNT, "--price-rate", "1.10") == "invalid_rate"
    assert terminal.ask("account", "terms", ACCOUNT, "--no-price-rates")["terms"]["price_rates"] == []


def test_money_at_the_bank_is_reported_and_what_the_bank_took_back(terminal: Terminal) -> None:
    came = ("payments", "receive", ACCOUNT, "--money", "11.00 USD", "--on", "2026-01-02", "--reference", "line 7")
    assert refused(terminal, *came) == "no_exchange_rate"
    told = terminal.ask(*came, "--rate", "1 EUR = 1.10 USD")
    assert (told["amount"], told["received"]) == ("10.00 EUR", "11.00 USD")
    assert told["rate"] == "1 EUR = 1.1 USD (agreed, 2026-01-02)"
    assert terminal.ask(*came, "--rate", "1 EUR = 1.10 USD") == told
    back = ("payments", "take-back", ACCOUNT, told["payment_id"], "--on", "2026-01-03", "--reason", "recalled")
    assert terminal.ask(*back)["status"] == "returned"
    assert refused(terminal, *came[:4], "11.00", *came[5:]) == "invalid_amount"


def test_news_that_fit_no_payment_are_listed_and_dropped_with_a_reason(terminal: Terminal) -> None:
    amount, at = Money(1_000, "EUR"), datetime(2026, 1, 2, 9, tzinfo=UTC)
    report = GatewayPayment("pay_20260102unknown", ACCOUNT, "chk_1", PaymentStatus.SETTLED, amount, at)
    handle_event(terminal.eu.store, lambda: at, "simulator", GatewayEvent("evt_1", at, report))
    (parked,) = terminal.ask("payments", "parked")["parked"]
    assert (parked["event_id"], parked["entity_id"], parked["reason"]) == ("evt_1", ENTITY, "unknown_payment")
    assert "pay_20260102unknown" in terminal.type("payments", "parked").stdout
    dropped = terminal.ask("payments", "drop", "evt_1", "--reason", "of our other shop", "--by", "user_ada")
    assert dropped["parked"] == [parked]
    assert terminal.ask("payments", "parked")["parked"] == []
    assert acts(terminal, ACCOUNT) == [("gateway_event.dropped", "user_ada")]
    assert refused(terminal, "payments", "drop", "evt_1", "--reason", "again") == "not_found"


def test_after_a_restore_payments_are_brought_back_from_the_spoiled_table_and_what_came_by_hand_is_named(
    terminal: Terminal,
) -> None:
    came = ("payments", "receive", ACCOUNT, "--money", "10.00 EUR", "--on", "2026-01-02", "--reference", "line 7")
    terminal.ask(*came)
    (payment,) = terminal.eu.store.query_all(ACCOUNT, prefix="payment#")
    Store(terminal.eu.client("dynamodb"), "spoiled").put_many([payment, _begun_like(payment)])
    terminal.eu.store.write_one(Unit("lose").delete((ACCOUNT, payment["sk"])))
    done = terminal.ask("payments", "bring-back", "--from", "spoiled")
    assert [one["payment_id"] for one in done["by_hand"]] == [payment["payment_id"]]
    assert [one["payment_id"] for one in done["begun"]] == ["pay_20260102begun"]
    assert "0 begun again" in terminal.type("payments", "bring-back", "--from", "spoiled").stdout
    assert refused(terminal, "payments", "bring-back", "--from", terminal.eu.store.table) == "same_table"


def _begun_like(payment: Item) -> Item:
    known = {"payment_id": "pay_20260102begun", "sk": "payment#pay_20260102begun", "gateway": "simulator"}
    return payment | known
