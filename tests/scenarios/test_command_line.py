"""The command line: what it answers, in words and in JSON, and with which exit status."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import CliRunner, Result

from local.cli.__main__ import saldo
from local.cli.site import Sites
from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.invoicing.codec import body_from_bytes
from saldo.orders.records import waiting_item_from
from saldo.storage.units import Unit
from tests.in_process_aws import in_process_aws
from tests.scenarios.sites import MemorySite, nowhere, sites
from tests.streams import chain_all

ENTITY = "ent_eu_seller"
RUN = "run_eu_seller_20260101"


@dataclass
class Terminal:
    """A person at a terminal with this deployment at hand."""

    sites: Sites
    eu: MemorySite

    def type(self, *words: str) -> Result:
        return CliRunner().invoke(saldo, list(words), obj=self.sites, env={"COLUMNS": "200"}, catch_exceptions=False)

    def ask(self, *words: str) -> Any:
        """The JSON document of a command that succeeds."""
        result = self.type(*words, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    def break_account(self, account_id: str) -> None:
        """Its subscription names a plan that is not there."""
        key = (account_id, f"subscription#sub_{account_id[-6:]}")
        self.eu.store.write_one(Unit("break").update(key, set={"plan_version_id": "gone"}))

    def mend_account(self, account_id: str) -> None:
        key = (account_id, f"subscription#sub_{account_id[-6:]}")
        self.eu.store.write_one(Unit("mend").update(key, set={"plan_version_id": "core_v1"}))


@pytest.fixture
def terminal() -> Terminal:
    return Terminal(*sites())


def test_a_run_is_started_followed_and_told(terminal: Terminal) -> None:
    result = terminal.type("bill", "--entity", ENTITY, "--as-of", "2026-01-01")
    assert result.exit_code == 0
    assert f"{RUN} (run, attempt 1) is closed" in result.stdout
    assert "RW-2026-000001 to RW-2026-000003" in result.stdout
    told = terminal.ask("run", "show", RUN)
    assert (told["run"]["invoices"], told["run"]["status"], told["set_aside"]) == (3, "closed", [])
    assert [r["run_id"] for r in terminal.ask("runs")["runs"]] == [RUN]
    assert terminal.ask("runs", "--entity", ENTITY) == terminal.ask("runs")


def test_billing_the_same_day_again_issues_nothing_new(terminal: Terminal) -> None:
    first = terminal.ask("bill", "--entity", ENTITY, "--as-of", "2026-01-01")
    assert terminal.ask("bill", "--entity", ENTITY, "--as-of", "2026-01-01") == first


def test_a_dry_run_issues_nothing_and_shows_what_would_change(terminal: Terminal) -> None:
    told = terminal.ask("bill", "--entity", ENTITY, "--as-of", "2026-01-01", "--dry-run")
    assert told["run"]["dry_run"] and told["run"]["invoices"] == 3
    assert [d["before_minor"] for d in told["run"]["differences"]] == [0, 0, 0]
    assert terminal.ask("runs") == {"runs": []}
    words = terminal.type("bill", "--entity", ENTITY, "--as-of", "2026-01-01", "--dry-run").stdout
    assert "Against the last run" in words and "This was a dry run: nothing was issued." in words


def test_a_set_aside_account_is_named_and_billed_by_a_retry(terminal: Terminal) -> None:
    terminal.break_account("acct_eu_000001")
    words = terminal.type("bill", "--entity", ENTITY, "--as-of", "2026-01-01").stdout
    assert "acct_eu_000001" in words and "plan_version_missing" in words and f"saldo run retry {RUN}" in words
    terminal.mend_account("acct_eu_000001")
    told = terminal.ask("run", "retry", RUN)
    assert (told["run"]["attempt"], told["run"]["invoices"], told["set_aside"]) == (2, 1, [])


def test_a_run_that_cannot_start_says_why_in_one_line(terminal: Terminal) -> None:
    result = terminal.type("bill", "--entity", ENTITY, "--as-of", "2030-01-01")
    assert result.exit_code == 2
    assert "in_the_future" in result.stderr or "has not begun" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("bill", "--entity", ENTITY, "--as-of", "tomorrow"), "invalid_date"),
        (("bill", "--entity", "Lumen", "--as-of", "2026-01-01"), "invalid_id"),
        (("bill", "--entity", "ent_eu_gone", "--as-of", "2026-01-01"), "run_failed"),
        (("run", "show", "run_eu_seller_20200101"), "not_found"),
        (("run", "retry", "run_eu_seller_20200101"), "not_found"),
        (("run", "show", "42"), "invalid_id"),
    ],
)
def test_every_no_has_a_code_in_json_and_exit_status_2(terminal: Terminal, words: tuple[str, ...], code: str) -> None:
    result = terminal.type(*words, "--json")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["error"]["code"] == code


@pytest.mark.parametrize("words", [("check",), ("runs",), ("bill", "--entity", ENTITY, "--as-of", "2026-01-01")])
def test_where_nothing_runs_it_says_how_to_start_it(words: tuple[str, ...]) -> None:
    result = CliRunner().invoke(saldo, list(words), obj=Sites(nowhere))
    assert result.exit_code == 2
    assert "make up" in result.stderr


def test_check_passes_on_sound_books_and_fails_on_tampered_ones(terminal: Terminal) -> None:
    terminal.ask("bill", "--entity", ENTITY, "--as-of", "2026-01-01")
    chain_all(terminal.eu.store, lambda: datetime.now(UTC))
    assert terminal.ask("check")["violations"] == []
    terminal.eu.store.write_one(Unit("tamper").update(("acct_eu_000000", "balance"), add={"EUR receivables": 1}))
    result = terminal.type("check")
    assert result.exit_code == 1
    assert "acct_eu_000000" in result.stdout and "stored balance" in result.stdout
    told = json.loads(terminal.type("check", "--json").stdout)
    assert [v["invariant"] for v in told["violations"]] == [3]


USAGE = """source,id,account_id,meter,at,value
gw,e1,acct_eu_000001,tokens,2026-01-20T10:00:00Z,12
gw,e2,acct_eu_000001,tokens,2026-01-20T10:00:00Z,-5
gw,e3,acct_eu_gone,tokens,2027-01-01T10:00:00Z,7
"""


def test_a_usage_file_is_told_row_by_row(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "usage.csv"
    file.write_text(USAGE)
    words = terminal.type("usage", "import", str(file), "--entity", ENTITY).stdout
    assert "1 of 3 rows accepted (1 tokens), 0 duplicates, 2 rejected" in words
    for told in ("-5 is below zero", "has not come yet", "no account acct_eu_gone of this seller"):
        assert told in words
    again = terminal.ask("usage", "import", str(file), "--entity", ENTITY)
    assert again["repeated"] and [e["row"] for e in again["errors"]] == [3, 4]


def test_a_usage_file_that_cannot_be_read_is_refused_with_its_problems(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "usage.csv"
    file.write_text("a,b\n")
    result = terminal.type("usage", "import", str(file), "--entity", ENTITY, "--json")
    assert result.exit_code == 2
    error = json.loads(result.stdout)["error"]
    assert error["code"] == "invalid_header" and len(error["problems"]) == 8
    assert terminal.type("usage", "import", str(tmp_path / "none.csv"), "--entity", ENTITY).exit_code == 2


def test_a_key_of_the_api_is_shown_once_listed_and_revoked(terminal: Terminal) -> None:
    words = ("--entity", ENTITY, "--scopes", "quotes:write,usage:write", "--name", "warehouse")
    made = terminal.ask("api-keys", "create", *words)
    assert made["token"].startswith("sk_eu_") and made["scopes"] == ["quotes:write", "usage:write"]
    listed = terminal.type("api-keys", "list", "--entity", ENTITY).stdout
    assert made["id"] in listed and "alive" in listed and made["token"] not in listed
    assert terminal.ask("api-keys", "revoke", made["id"], "--reason", "leaked")["status"] == "revoked"
    assert [k["status"] for k in terminal.ask("api-keys", "list", "--entity", ENTITY)["keys"]] == ["revoked"]
    assert "sk_eu_" in terminal.type("api-keys", "create", *words).stdout


def test_a_key_with_unknown_scopes_is_not_made(terminal: Terminal) -> None:
    words = ("--entity", ENTITY, "--scopes", "everything", "--name", "x", "--days", "9999")
    result = terminal.type("api-keys", "create", *words, "--json")
    assert result.exit_code == 2
    assert [p["code"] for p in json.loads(result.stdout)["error"]["problems"]] == ["unknown_scope", "out_of_range"]
    assert terminal.type("api-keys", "revoke", "key_eu_gone").exit_code == 2


@pytest.fixture
def post_office(terminal: Terminal) -> Iterator[None]:
    def letter(at: float, to: str, subject: str) -> dict[str, Any]:
        return {"Timestamp": at, "Source": "billing@s.example", "To": [to], "Subject": subject, "BodyText": "Hello"}

    sent = [
        letter(1.8e9, "a@x.example", "=?utf-8?q?Rechnung_=C3=BCber_5_=E2=82=AC?="),
        letter(1.7e9, "b@x.example", "Hi"),
    ]

    class Office(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"messages": {"000000000000": sent}}).encode())

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Office)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    terminal.eu.aws_url = f"http://127.0.0.1:{server.server_port}"
    yield
    server.shutdown()
    server.server_close()


@pytest.mark.usefixtures("post_office")
def test_mail_lists_what_was_sent_the_newest_last(terminal: Terminal) -> None:
    assert [m["subject"] for m in terminal.ask("mail")["mail"]] == ["Hi", "Rechnung über 5 €"]
    assert [m["to"] for m in terminal.ask("mail", "--to", "b@x.example")["mail"]] == [["b@x.example"]]
    assert "Rechnung über 5 €" in terminal.type("mail", "--last", "1").stdout


def test_mail_of_a_deployment_that_is_down_says_how_to_start_it(terminal: Terminal) -> None:
    assert "make up" in terminal.type("mail").stderr


def test_a_subscription_is_changed_and_a_wallet_filled_from_the_command_line(terminal: Terminal) -> None:
    account = "acct_eu_000000"
    words = ("subscription", "change", account, "sub_000000", "--kind", "quantity", "--on", "2026-01-17")
    changed = terminal.ask(*words, "--quantity", "seats=+2", "--id", "ch_1")
    assert changed["changes"][0]["added"] == {"seats": "2"}
    assert terminal.ask(*words, "--quantity", "seats=+2", "--id", "ch_1") == changed
    assert "ch_1" in terminal.type(*words, "--quantity", "seats=9", "--id", "ch_1").stderr
    terminal.ask("wallet", "coupon", account, "half", "--name", "Half", "--percent", "50")
    terminal.ask("wallet", "credit", account, "gift", "20.00", "--free")
    shown = terminal.ask("wallet", "show", account)["rows"]
    assert [(row["kind"], row["worth"]) for row in shown] == [
        ("coupon", "50 %"),
        ("credit", "20.00 EUR"),
        ("credit notes", "0.00 EUR"),
    ]
    assert "unapplied" in terminal.type("wallet", "credit", account, "paid", "20.00").stderr
    assert terminal.ask("subscription", "list", account)["data"][0]["id"] == "sub_000000"


def test_accounts_of_two_organisations_do_not_share_an_invoice(terminal: Terminal) -> None:
    refused = terminal.type("account", "consolidate", "acct_eu_000001", "--into", "acct_eu_000000")
    assert refused.exit_code == 2 and "own organisation" in refused.stderr
    assert terminal.ask("account", "split", "acct_eu_000001", "--by", "both")["invoice_split"] == "both"


def test_staff_invoice_credit_and_bill_again_from_the_terminal(terminal: Terminal) -> None:
    account = "acct_eu_000000"
    asked = ("invoice", account, "--item", "Visit on site=250", "--tax-category", "digital_service", "--request", "r1")
    terminal.eu.store.put_many(
        [i | {"agenda_on": "2099-01-01"} for i in terminal.eu.store.scan() if i["kind"] == "subscription"]
    )
    first = terminal.ask(*asked)
    assert len(first["invoices"]) == 1 and terminal.ask(*asked) == first
    split = ("invoice", account, "--item", "Visit=1", "--tax-category", "digital_service", "--purchase-order", "PO-7")
    assert terminal.ask(*split, "--cost-centre", "CC-1")["invoices"]
    sold = [waiting_item_from(i).item for i in terminal.eu.store.scan() if i["kind"] == "item"]
    assert ("PO-7", "CC-1") in [(item.purchase_order, item.cost_centre) for item in sold]
    invoice_id = first["invoices"][0]
    credit = ("credit", account, invoice_id, "--reason", "price", "--total", "11.90", "--request", "c1")
    (note,) = terminal.ask(*credit)["data"]
    assert (note["document"], note["total_minor"], note["of_invoice"]) == ("credit_note", -1190, invoice_id)
    assert terminal.ask(*credit)["data"] == [note]
    result = terminal.type("rebill", account, invoice_id, "--reason", "master_data")
    assert result.exit_code == 2 and "credit notes already" in result.stderr


def test_the_terminal_asks_the_tax_service_that_is_deployed_and_estimates_while_it_is_silent(
    terminal: Terminal,
) -> None:
    nobody = {"SERVICE": "avalara", "URL": "http://127.0.0.1:9", "SECRET_ARN": "tax"}
    terminal.eu.settings |= {f"SALDO_TAX_{name}": value for name, value in nobody.items()}
    account = "acct_eu_000000"
    asked = ("invoice", account, "--item", "Visit on site=250", "--tax-category", "digital_service")
    (invoice_id,) = terminal.ask(*asked)["invoices"]
    body = terminal.eu.store.get(account, f"body#{invoice_id}")
    assert body and body_from_bytes(body["body"]).tax_estimated


def test_what_cannot_be_invoiced_is_told_with_what_waits_and_is_taken_back(terminal: Terminal) -> None:
    account = "acct_eu_000000"
    said = terminal.type("invoice", account, "--item", "Visit=10", "--tax-category", "unheard_of", "--request", "r7")
    assert "Not invoiced: tax_undecidable: no rate" in said.stdout and "oneoff-r7-1" in said.stdout
    assert [w["id"] for w in terminal.ask("items", "list", account)["items"]] == ["oneoff-r7-1"]
    assert terminal.ask("items", "withdraw", account, "oneoff-r7-1", "--reason", "typed wrong") == {"items": []}
    bad = terminal.type("credit", account, "inv_1", "--reason", "price", "--line", "1")
    assert bad.exit_code == 2 and bad.stderr.startswith("saldo: ")


def test_several_problems_are_told_line_by_line(terminal: Terminal, tmp_path: Path) -> None:
    document = tmp_path / "quote.json"
    document.write_text('{"billing": {"on": "soon"}, "items": [{"unit_price": "ten"}]}')
    told = terminal.type("quote", str(document))
    assert told.stderr.splitlines() == [
        "saldo: the quote cannot be read",
        "  billing.on: must be a date such as 2026-01-31",
        "  items[0].unit_price: must be a number such as 0.05",
    ]


def test_how_fast_a_producer_may_send_is_set_from_the_terminal(terminal: Terminal) -> None:
    words = ("usage", "producer", "gateway", "--entity", ENTITY, "--per-second", "5", "--at-once", "50")
    assert terminal.ask(*words) == {"producer": "gateway", "per_second": 5, "at_once": 50}
    assert terminal.type("usage", "producer", "No Such", *words[3:]).exit_code == 2


def test_proposals_late_charges_and_rates_are_told(terminal: Terminal, tmp_path: Path) -> None:
    assert terminal.ask("draft", "list", "--entity", ENTITY) == {"data": []}
    assert terminal.ask("late-charges", "--entity", ENTITY) == {"added": [], "left_out": []}
    rates = tmp_path / "rates.csv"
    rates.write_text("Date,USD\n2026-01-02,1.1721\n")
    assert terminal.ask("rates", "import", str(rates), "--region", "eu") == {"rates": 1}
    assert "0 new rates" in terminal.type("rates", "import", str(rates), "--region", "eu").stdout
    bad = terminal.type("rates", "import", str(Path(__file__)), "--region", "eu")
    assert bad.exit_code == 2 and "Date" in bad.stderr


def test_a_click_is_traced_through_records_and_logs(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    actor = Actor("user_eu_payer", "user", "request-7")
    record = AuditRecord("acct_eu_000000", datetime(2026, 1, 2, tzinfo=UTC), actor, "payment.started", "pay_1")
    terminal.eu.store.write_one(Unit("click").put(audit_item(record)))
    with in_process_aws():
        logs = boto3.client("logs", region_name="eu-central-1")
        logs.create_log_group(logGroupName="/aws/lambda/portal")
        logs.create_log_stream(logGroupName="/aws/lambda/portal", logStreamName="s")
        line = {"message": "request", "route": "/pay", "status": 303}
        said = [line | {"correlation_id": f"request-{n}"} for n in (6, 7)]
        at = int(time.time() * 1000)
        events = [{"timestamp": at + n, "message": f"INFO {json.dumps(one)}"} for n, one in enumerate(said)]
        logs.put_log_events(logGroupName="/aws/lambda/portal", logStreamName="s", logEvents=events)
        clients = {"logs": logs}
        monkeypatch.setattr(MemorySite, "client", lambda site, service: clients.get(service, site.dynamodb))
        told = terminal.ask("trace", "request-7")["trace"]
        assert [(m["kind"], m["what"], m["region"]) for m in told if m["kind"] == "audit"] == [
            ("audit", "payment.started", "eu")
        ]
        assert {m["facts"]["status"] for m in told if m["kind"] == "log"} == {303}
        assert len({m["where"] for m in told if m["kind"] == "log"}) == 1
        assert terminal.type("trace", "request-9").exit_code == 1
