"""A seller, its price list, a customer and a subscription by the command line, from the documents of docs/."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from click.testing import CliRunner

from local.cli.__main__ import saldo
from local.cli.site import Sites, bank_statements_of, sealer_of
from saldo.accounts.reading import seller_from_json
from saldo.accounts.service import Accounts
from saldo.kernel.clock import system_clock
from saldo.storage.store import Store
from saldo.subscriptions.service import Subscriptions
from tests.contexts.sellers import CLERK
from tests.simulation.region import Region

DOCUMENTS = (Path(__file__).parents[2] / "docs" / "catalog.md").read_text("utf-8")
SELLER, PRICES, TAXES, CUSTOMER = (json.loads(text) for text in re.findall(r"```json\n(.*?)```", DOCUMENTS, re.DOTALL))
ENTITY, ACCOUNT = "ent_eu_acme", "acct_eu_kontor"


@dataclass
class MemorySite:
    """A deployment that is one region in memory."""

    region: Region
    table: str = "records"
    keys_table: str = "keys"
    kms_key_id: str = "key-1"
    details_key_id: str = "key-details"
    portal_origin: str = "https://pay.example"
    region_code: str = "eu"

    def client(self, service: str) -> Any:
        return self.region.client(service)


@dataclass
class Terminal:
    site: MemorySite
    folder: Path

    def say(self, *words: Any, status: int = 0) -> Any:
        """What a command answers with --json; documents among the words are written to files first."""
        typed = [self.file(word) if isinstance(word, dict) else word for word in words]
        sites = Sites(lambda _code: self.site)  # type: ignore[arg-type, return-value]
        result = CliRunner().invoke(saldo, [*typed, "--json"], obj=sites)
        assert result.exit_code == status, result.output
        return json.loads(result.stdout)

    def words(self, *words: Any) -> str:
        """What a command that does its work says to people."""
        typed = [self.file(word) if isinstance(word, dict) else word for word in words]
        sites = Sites(lambda _code: self.site)  # type: ignore[arg-type, return-value]
        result = CliRunner().invoke(saldo, typed, obj=sites)
        assert result.exit_code == 0, result.output
        return result.stdout

    def file(self, document: Any) -> str:
        path = self.folder / "document.json"
        path.write_text(json.dumps(document))
        return str(path)

    @property
    def store(self) -> Store:
        return Store(self.site.client("dynamodb"), "records")


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(MemorySite(Region(datetime(2026, 11, 1, 9, tzinfo=UTC))), tmp_path)


@pytest.fixture
def selling(terminal: Terminal) -> Terminal:
    terminal.say("seller", "put", SELLER)
    terminal.say("catalog", "put", PRICES, "--entity", ENTITY)
    terminal.say("customer", "open", CUSTOMER)
    return terminal


def problems(answer: Any) -> dict[str, str]:
    return {p["field"]: p["code"] for p in answer["error"]["problems"]}


def test_four_documents_lead_from_nothing_to_a_subscription_that_a_run_bills(selling: Terminal) -> None:
    words = (
        "subscription",
        "start",
        ACCOUNT,
        "team-2026",
        "--on",
        "2026-11-01",
        "--quantity",
        "seats=5",
        "--id",
        "sub_1",
    )
    assert selling.say(*words)["started"] is True
    assert selling.say(*words)["started"] is False
    (sold,) = Subscriptions(selling.store, lambda: datetime(2026, 11, 1, tzinfo=UTC)).of_account(ACCOUNT)
    assert (sold.entity_id, sold.next_bill_on, sold.plan_version_id) == (ENTITY, date(2026, 11, 1), "team-2026")
    shown = selling.say("account", "show", ACCOUNT)
    assert shown["account_id"] == ACCOUNT or shown


def test_tax_depends_on_the_region_of_the_address_where_the_account_names_no_other(selling: Terminal) -> None:
    account = CUSTOMER["accounts"][0]
    address = {"lines": ["1 Main"], "postcode": "11201", "city": "Brooklyn", "country": "DE", "region": "NY"}
    profile = account["profile"] | {"address": address}
    accounts = [
        account | {"id": "acct_eu_a", "profile": profile},
        account | {"id": "acct_eu_b", "profile": profile, "tax_region": "TX"},
        account | {"id": "acct_eu_c", "profile": profile | {"address": address | {"country": "US"}}},
    ]
    selling.say("customer", "open", CUSTOMER | {"accounts": accounts})
    shown = [selling.say("account", "show", a["id"])["tax_region"] for a in accounts]
    assert shown == ["NY", "TX", ""], "the third is taxed in another country than where it gets its mail"


def test_the_same_documents_again_change_nothing(selling: Terminal) -> None:
    assert selling.say("seller", "put", SELLER)["changed"] is False
    states = {e["state"] for e in selling.say("catalog", "put", PRICES, "--entity", ENTITY)["entries"]}
    assert states == {"unchanged"}
    assert [a["opened"] for a in selling.say("customer", "open", CUSTOMER)["accounts"]] == [False]


def test_what_is_shown_can_be_put_again(selling: Terminal) -> None:
    shown = selling.say("catalog", "show", ENTITY)
    assert {e["state"] for e in selling.say("catalog", "put", shown, "--entity", ENTITY)["entries"]} == {"unchanged"}
    assert selling.say("seller", "show", ENTITY)["number_prefix"] == "AC"


def test_a_dry_run_says_what_would_change_and_changes_nothing(terminal: Terminal) -> None:
    terminal.say("seller", "put", SELLER)
    answer = terminal.say("catalog", "put", PRICES, "--entity", ENTITY, "--dry-run")
    assert [(e["kind"], e["state"]) for e in answer["entries"]] == [
        ("meter", "new"), ("product", "new"), ("plan", "new"), ("version", "new"), ("version", "new")
    ]  # fmt: skip
    assert terminal.say("catalog", "show", ENTITY) == {"products": [], "plans": [], "meters": []}
    rates = {"rates": [{"percent": "21", "country": "NL", "from_on": "2026-01-01"}]}
    for words in (("catalog", "put", PRICES, "--entity", ENTITY), ("seller", "taxes", "put", ENTITY, rates)):
        assert "This was a dry run: nothing was changed." in terminal.words(*words, "--dry-run")
    assert terminal.say("seller", "taxes", "show", ENTITY)["version"] == 0


def test_published_prices_and_ways_of_counting_stay_and_the_whole_list_is_refused(selling: Terminal) -> None:
    dearer = json.loads(json.dumps(PRICES))
    dearer["plans"][0]["components"][0]["price"]["amount"] = "99"
    dearer["products"][0]["names"]["en"] = "Acme Two"
    answer = selling.say("catalog", "put", dearer, "--entity", ENTITY, status=2)
    assert problems(answer) == {"plans[0].id": "version_is_frozen"}
    summed = PRICES | {"meters": [PRICES["meters"][0] | {"aggregation": "sum"}]}
    assert problems(selling.say("catalog", "put", summed, "--entity", ENTITY, status=2)) == {
        "meters[0].id": "meter_is_fixed"
    }
    assert selling.say("catalog", "show", ENTITY)["products"][0]["names"]["en"] == "Acme"


def test_every_problem_of_a_list_is_named_with_its_path(terminal: Terminal) -> None:
    terminal.say("seller", "put", SELLER)
    wrong = {
        "products": [{"id": "p", "trigger": "payment"}],
        "plans": [
            {"id": "a", "components": []},
            {
                "id": "b",
                "countries": ["Austria"],
                "components": [{"id": "x", "price": {"kind": "flat", "amount": "-"}}],
            },
        ],
        "meters": [{"id": "Calls"}, {"id": "people", "aggregation": "unique"}],
        "price": 1,
    }
    found = problems(terminal.say("catalog", "put", wrong, "--entity", ENTITY, status=2))
    assert found["products[0].trigger"] == "unknown_choice"
    assert found["plans[0].components"] == "empty"
    assert found["plans[1].components[0].price.amount"] == "not_a_number"
    assert found["meters[1].unique_by"] == "missing" and found["price"]


def test_a_plan_that_no_product_names_and_a_meter_with_a_wrong_id_are_refused(terminal: Terminal) -> None:
    terminal.say("seller", "put", SELLER)
    alone = {"plans": PRICES["plans"]}
    assert (
        problems(terminal.say("catalog", "put", alone, "--entity", ENTITY, status=2))["plans[0].plan_id"]
        == "unknown_plan"
    )
    assert terminal.say("catalog", "put", {"meters": [{"id": "Calls"}]}, "--entity", ENTITY, status=2)["error"]["code"]


def test_a_country_with_prices_of_its_own_is_sold_those_alone(selling: Terminal) -> None:
    answer = selling.say("subscription", "start", ACCOUNT, "team-2026-ch", "--on", "2026-11-01", status=2)
    assert problems(answer) == {"plan_version_id": "not_sold_there"}


def test_bank_details_are_not_changed_by_one_person_with_a_file(selling: Terminal) -> None:
    moved = SELLER | {"bank": SELLER["bank"] | {"iban": "DE02120300000000202051"}}
    assert selling.say("seller", "put", moved, status=2)["error"]["code"] == "second_person_needed"
    renamed = selling.say("seller", "put", SELLER | {"name": "Acme SE"})
    assert renamed["changed"] is True and selling.say("seller", "show", ENTITY)["name"] == "Acme SE"


def test_every_problem_of_a_seller_and_of_a_customer_is_named(terminal: Terminal) -> None:
    seller = SELLER | {
        "id": "acme",
        "time_zone": "Berlin",
        "bank": {"name": "B", "iban": "DE00", "bic": "X"},
        "email": "no",
    }
    found = problems(terminal.say("seller", "put", seller, status=2))
    assert found == {
        "id": "invalid_id",
        "time_zone": "unknown_time_zone",
        "bank.iban": "invalid_iban",
        "email": "invalid_email",
    }
    account = CUSTOMER["accounts"][0]
    wrong = CUSTOMER | {"accounts": [account | {"payment_terms_days": 900, "profile": {"emails": ["x"]}}, account]}
    found = problems(terminal.say("customer", "open", wrong, status=2))
    assert found["accounts[0].payment_terms_days"] == "out_of_range"
    both = account | {"payment_terms_days": 30, "payment_terms": {"from": "end_of_month"}}
    found_both = problems(terminal.say("customer", "open", CUSTOMER | {"accounts": [both]}, status=2))
    assert found_both == {"accounts[0].payment_terms_days": "one_of", "accounts[0].payment_terms.days": "missing"}
    assert found["accounts[0].profile.emails[0]"] == "invalid_email" and found["accounts[1].id"] == "not_unique"
    assert found["accounts[0].profile.address"] == "missing"


def test_a_customer_of_a_seller_who_is_not_there_is_not_opened(terminal: Terminal) -> None:
    assert terminal.say("customer", "open", CUSTOMER, status=2)["error"]["code"] == "not_found"


def test_a_subscription_is_sold_for_a_term_that_renews_itself(selling: Terminal) -> None:
    sold = ("subscription", "start", ACCOUNT, "team-2026", "--on", "2026-11-01", "--term", "12", "month")
    answer = selling.say(*sold, "--notice-days", "90", status=2)
    assert problems(answer) == {"term.announce_days": "told_too_late"}, "whoever is told 30 days ahead"
    split = ("--purchase-order", "PO-7", "--cost-centre", "CC-1")
    answer = selling.say(*sold, *split, "--notice-days", "90", "--announce-days", "120", "--uplift", "3")
    assert (answer["started"], answer["purchase_order"], answer["cost_centre"]) == (True, "PO-7", "CC-1")
    assert answer["term"] == {
        "unit": "month",
        "count": 12,
        "notice_days": 90,
        "announce_days": 120,
        "uplift_percent": "3",
        "newest_price": False,
    }


def test_billing_details_are_shown_tried_and_changed_with_a_reason_and_leave_their_trail(selling: Terminal) -> None:
    now = selling.say("account", "details", ACCOUNT)
    assert (now["version"], now["lines"], now["tax_id"]) == (1, ["Speicherstadt 3"], "DE136695976")
    moved = ("--line", "Elbchaussee 1", "--line", "Hinterhaus", "--postcode", "22765", "--purchase-order", "PO-7")
    tried = selling.say("account", "details", ACCOUNT, *moved, "--dry-run")
    assert (tried["changed"], tried["offered"]) == (["address", "purchase_order"], [])
    assert selling.say("account", "details", ACCOUNT, *moved, status=2)["error"]["code"] == "reason_required"
    assert selling.say("account", "details", ACCOUNT)["version"] == 1
    said = ("--by-portal", "--reason", "asked by phone", "--by", "staff_ada")
    done = selling.say("account", "details", ACCOUNT, *moved, *said)
    assert (done["version"], done["lines"], done["city"]) == (2, ["Elbchaussee 1", "Hinterhaus"], "Hamburg")
    assert (done["purchase_order"], done["by_email"], done["dry_run"]) == ("PO-7", False, False)
    (record,) = [i for i in selling.store.query_all(ACCOUNT, prefix="audit#") if i["action"] == "profile.changed"]
    assert (record["actor"]["id"], record["reason"]) == ("staff_ada", "asked by phone")
    wrong = ("--city", "", "--tax-id", "DE123456789", "--email", "nobody", "--reason", "-")
    answer = selling.say("account", "details", ACCOUNT, *wrong, status=2)
    assert set(problems(answer)) == {"city", "tax_id", "emails"} and "DE123456789" not in repr(answer)
    assert selling.say("account", "details", ACCOUNT, "--city", "Hamburg", "--reason", "-", status=2)
    answer = selling.say("account", "details", ACCOUNT, "--country", "at", "--city", "Wien", "--reason", "-", status=2)
    assert problems(answer) == {"tax_id": "of_other_country"}
    abroad = ("--country", "at", "--city", "Wien", "--tax-id", "ATU13585627", "--reason", "moved")
    moved = selling.say("account", "details", ACCOUNT, *abroad)
    assert (moved["country"], moved["tax_country"], moved["tax_id_status"]) == ("AT", "AT", "unchecked")


def test_signed_bank_details_are_verified_against_the_published_keys(selling: Terminal) -> None:
    seller = accounts_of(selling).entity(ENTITY)
    assert seller.bank_statement is not None
    assert selling.say("seller", "put", SELLER)["changed"] is False, "nothing is signed twice"
    file, keys = selling.folder / "details.jwt", selling.folder / "jwks.json"
    file.write_text(seller.bank_statement.signed + "\n")
    keys.write_text(json.dumps(bank_statements_of(cast(Any, selling.site)).key_set()))
    told = selling.say("seller", "verify", str(file), "--keys", str(keys))
    assert (told["holds"], told["bank"]["iban"], told["statement"]) == (True, "DE89370400440532013000", 1)
    file.write_text(seller.bank_statement.signed[:-6] + "AAAAAA")
    wrong = selling.say("seller", "verify", str(file), "--keys", str(keys), status=2)
    assert wrong["error"]["code"] == "signature_wrong"
    keys.write_text("[]")
    for where, code in ((str(keys), "no_key_set"), ("http://pay.example/jwks", "not_encrypted"), ("gone", "not_found")):
        assert selling.say("seller", "verify", str(file), "--keys", where, status=2)["error"]["code"] == code


def test_a_seller_of_before_is_signed_for_when_it_is_put_again(terminal: Terminal) -> None:
    accounts_of(terminal).register_entity(seller_from_json(SELLER), CLERK)
    assert terminal.say("seller", "put", SELLER)["changed"] is True
    assert accounts_of(terminal).entity(ENTITY).bank_statement is not None


def accounts_of(terminal: Terminal) -> Accounts:
    site = cast(Any, terminal.site)
    return Accounts(terminal.store, sealer_of(site), system_clock)


def test_own_taxes_are_tried_put_on_record_and_shown_as_they_can_be_put_again(selling: Terminal) -> None:
    tried = selling.say("seller", "taxes", "put", ENTITY, TAXES, "--dry-run")
    assert (tried["changed"], tried["version"], len(tried["new"]), tried["not_charged"]) == (
        True,
        0,
        4,
        ["CA", "CA-QC"],
    )
    assert selling.say("seller", "taxes", "show", ENTITY)["document"] == {"rates": []}
    assert selling.say("seller", "taxes", "put", ENTITY, TAXES, status=2)["error"]["code"] == "reason_required"
    words = ("--reason", "Canada from November", "--by", "erika")
    assert selling.say("seller", "taxes", "put", ENTITY, TAXES, *words)["version"] == 1
    shown = selling.say("seller", "taxes", "show", ENTITY)
    assert [(v["version"], v["by"], v["reason"]) for v in shown["versions"]] == [(1, "erika", "Canada from November")]
    assert selling.say("seller", "taxes", "put", ENTITY, shown["document"], *words)["changed"] is False
    gone = selling.say("seller", "taxes", "put", ENTITY, {"rates": TAXES["rates"][:2]}, *words)
    assert [rate["name"] for rate in gone["gone"]] == ["GST", "QST"]
    assert len(selling.say("seller", "taxes", "show", ENTITY, "--version", "1")["document"]["rates"]) == 4


def test_own_taxes_with_faults_are_refused_with_all_of_them(selling: Terminal) -> None:
    answer = selling.say("seller", "taxes", "put", ENTITY, {"rates": [{"percent": "x"}, {"once": "-1"}]}, status=2)
    assert problems(answer) == {"rates[0].percent": "not_a_number", "rates[1].once": "negative"}


def test_own_taxes_are_drawn_for_people(selling: Terminal) -> None:
    selling.say("seller", "taxes", "put", ENTITY, TAXES, "--reason", "why")
    sites = Sites(lambda _code: selling.site)  # type: ignore[arg-type, return-value]
    drawn = CliRunner().invoke(saldo, ["seller", "taxes", "show", ENTITY], obj=sites).output
    assert all(word in drawn for word in ("CA-QC", "QST", "9.975", "per_unit 0.15", "Version 1, amounts in EUR"))
