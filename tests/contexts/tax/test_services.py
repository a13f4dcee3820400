"""Tax services over real HTTP on loopback: right, late, failing, wrong, and asked twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from local.tax_services.faults import NO_ANSWER, Fault
from local.tax_services.spoiling import WRONG
from local.tax_services.vertex import TOKENS
from saldo.accounts.model import Exemption, TaxStatus
from saldo.kernel.errors import Refusal, Unavailable
from saldo.storage.web import WebService, json_of
from saldo.tax.breaker import Circuit
from saldo.tax.model import TaxShare, TaxTreatment
from saldo.tax.rules_service import answer_from
from saldo.tax.rules_totals import tax_totals
from saldo.tax.services import service_named
from tests.contexts.tax.scenes import (
    BROOKLYN,
    LYON,
    SELLER,
    SERVICES,
    TABLE,
    Running,
    client,
    document,
    lines,
    running,
)

DOWN = (Fault.STATUS_500, Fault.STATUS_503, Fault.STATUS_429, Fault.LOST, Fault.CUT, *NO_ANSWER)


@pytest.fixture(params=SERVICES)
def tax(request: pytest.FixtureRequest) -> Iterator[Running]:
    with running(request.param) as found:
        yield found


def test_every_jurisdiction_of_an_address_is_on_the_line_and_totals_follow_from_lines(tax: Running) -> None:
    asked = lines(10_000, 3_333, -1_000)
    answer = tax.port.quote(asked, BROOKLYN, SELLER, "USD")
    assert not answer.estimated
    assert answer.source == tax.service.name
    places = [share.jurisdiction for share in answer.lines[0].shares]
    assert places[0] == "US-NY"
    assert len(places) == 3 and all(place.startswith("US-NY-") for place in places[1:])
    assert answer.totals == tax_totals(asked, answer.lines, answer.rounding)
    assert sum(share.percent for share in answer.lines[0].shares) == Decimal("8.875")
    assert answer.tax_minor == 400 + 450 + 38 + 133 + 150 + 12 - 40 - 45 - 4


def test_what_gives_back_an_earlier_charge_bears_the_taxes_of_that_and_is_not_asked_about(tax: Running) -> None:
    then = TaxShare("US-NY", "old", TaxTreatment.STANDARD, Decimal(3))
    new, back = lines(10_000, -10_000)
    answer = tax.port.quote([new, back._replace(taxes=(then,))], BROOKLYN, SELLER, "USD")
    assert answer.lines[1].shares == (then,)
    assert {(t.name, t.base_minor, t.tax_minor) for t in answer.totals if t.base_minor < 0} == {("old", -10_000, -300)}
    assert sum(t.tax_minor for t in answer.totals if t.base_minor > 0) == 888


def test_prices_with_their_taxes_in_them_do_not_move(tax: Running) -> None:
    asked = lines(12_000, 99, inclusive=True)
    answer = tax.port.quote(asked, replace(LYON), SELLER, "EUR")
    assert [line.included_minor for line in answer.lines] == [2000, 17]
    assert [(t.jurisdiction, t.base_minor, t.tax_minor) for t in answer.totals] == [("FR", 10_082, 2_017)]


def test_currencies_without_minor_digits_are_rounded_to_whole_units(tax: Running) -> None:
    answer = tax.port.quote(lines(1_234), LYON, SELLER, "JPY")
    assert [t.tax_minor for t in answer.totals] == [247]


def test_nothing_personal_but_the_place_leaves_the_house(tax: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    ask = tax.book.answer
    monkeypatch.setattr(
        type(tax.book), "answer", lambda _, *told: (seen.append(json_of(told[3])), ask(*told))[1], raising=True
    )
    tax.port.quote(lines(100), BROOKLYN, SELLER, "USD")
    assert "11201" in seen[-1] and "acct_us_buyer" in seen[-1]
    for never in ("name", "street", "line1", "email", "streetAddress1", "city"):
        assert f'"{never}"' not in seen[-1]


@pytest.mark.parametrize("fault", [*DOWN, *sorted(WRONG)])
def test_when_a_service_fails_or_errs_the_table_answers_and_says_so(tax: Running, fault: Fault) -> None:
    tax.script.then(fault)
    answer = tax.port.quote(lines(10_000, 500), BROOKLYN, SELLER, "USD")
    assert answer.estimated
    assert answer.totals == TABLE.quote(lines(10_000, 500), BROOKLYN, SELLER).totals
    assert answer.source.startswith("table ") and tax.service.name in answer.source
    assert answer.facts is not None and answer.facts.buyer == BROOKLYN
    assert not tax.port.quote(lines(10_000, 500), BROOKLYN, SELLER, "USD").estimated, "it is asked again"


@pytest.mark.parametrize("fault", sorted(WRONG))
def test_a_wrong_answer_is_named_for_what_is_wrong(tax: Running, fault: Fault) -> None:
    tax.script.then(fault)
    asked = document(10_000, 500)
    with pytest.raises(Refusal) as refused:
        answer_from(asked, tax.service.rate(asked), "")
    assert refused.value.code == "tax_service_wrong"
    expected = {
        Fault.WRONG_SUM: "sum_differs",
        Fault.WRONG_CURRENCY: "other_currency",
        Fault.MISSING_LINE: "line_missing",
        Fault.NEGATIVE_TAX: "wrong_sign",
        Fault.WRONG_RATE: "rate_differs",
        Fault.SILENT_ZERO: "silently_zero",
        Fault.HIGH_RATE: "rate_too_high",
        Fault.OTHER_AMOUNTS: "other_amount",
        Fault.OTHER_PLACE: "other_place" if tax.service.name == "avalara" else "other_customer",
        Fault.HUGE_NUMBER: "",  # it cannot be read at all
    }[fault]
    assert {problem.code for problem in refused.value.problems} >= ({expected} if expected else set())


@pytest.mark.parametrize("name", SERVICES)
def test_a_slow_service_is_not_waited_for(name: str) -> None:
    with running(name, read_s=0.1) as tax:
        tax.script.then(Fault.SLOW)
        assert tax.port.quote(lines(100), BROOKLYN, SELLER, "USD").estimated


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_that_is_not_there_is_unavailable(name: str) -> None:
    with pytest.raises(Unavailable):
        client(name, WebService("http://127.0.0.1:9", name, connect_s=0.2)).rate(document(100))


def test_a_table_without_the_rate_refuses_rather_than_estimate_nothing(tax: Running) -> None:
    tax.script.always = Fault.STATUS_500
    with pytest.raises(Refusal, match="tax_undecidable"):
        tax.port.quote(lines(100, category="unheard_of"), BROOKLYN, SELLER, "USD")


def test_a_document_that_the_service_refuses_is_not_guessed_at(tax: Running) -> None:
    with pytest.raises(Refusal, match="tax_undecidable"):
        tax.port.quote(lines(100, category="unheard_of"), BROOKLYN, SELLER, "USD")
    assert tax.port.breaker.state.circuit is Circuit.CLOSED


def test_the_circuit_opens_after_three_failures_and_one_probe_closes_it(tax: Running) -> None:
    tax.script.then(Fault.STATUS_500, 3)
    for _ in range(5):
        assert tax.port.quote(lines(100), BROOKLYN, SELLER, "USD").estimated
    assert tax.script.calls == 3, "an open circuit does not ask"
    tax.clock.now += 10
    assert not tax.port.quote(lines(100), BROOKLYN, SELLER, "USD").estimated
    assert tax.port.breaker.state.circuit is Circuit.CLOSED


def test_many_are_asked_at_once_over_kept_connections(tax: Running) -> None:
    with ThreadPoolExecutor(tax.port.parallel) as threads:
        answers = list(threads.map(lambda n: tax.port.quote(lines(n), BROOKLYN, SELLER, "USD"), range(1, 25)))
    assert [a.totals for a in answers] == [
        tax.port.quote(lines(n), BROOKLYN, SELLER, "USD").totals for n in range(1, 25)
    ]


def test_an_invoice_is_kept_once_however_often_it_is_told(tax: Running) -> None:
    asked = document(10_000, code="inv_1")
    tax.script.then(Fault.LOST)
    with pytest.raises(Unavailable):
        tax.service.record(asked)
    assert tax.service.record(asked) == tax.service.record(asked)
    kept = tax.book.committed if hasattr(tax.book, "committed") else tax.book.journal
    assert list(kept) == ["inv_1"]


def test_a_mere_question_is_not_kept(tax: Running) -> None:
    tax.service.rate(document(10_000, code="inv_1"))
    assert not (tax.book.committed if hasattr(tax.book, "committed") else tax.book.journal)


def test_wrong_credentials_are_an_outage_and_not_a_zero() -> None:
    with running("avalara") as tax:
        tax.book.licence_key = "changed"  # type: ignore[union-attr]
        assert tax.port.quote(lines(100), BROOKLYN, SELLER, "USD").estimated
    with running("vertex") as tax:
        tax.book.client_secret = "changed"  # type: ignore[union-attr]
        assert tax.port.quote(lines(100), BROOKLYN, SELLER, "USD").estimated


@pytest.mark.parametrize("field", ["licence_key", "client_secret"])
def test_replaced_credentials_are_used_without_a_new_process(field: str) -> None:
    name = "avalara" if field == "licence_key" else "vertex"
    keys = {"account": "2000001", "licence_key": "licence", "company": "SALDO"}
    with running(name) as tax:
        if name == "vertex":
            keys = {"client_id": "saldo", "client_secret": "secret", "company": "SALDO"}
            keys["token_url"] = tax.process.url + TOKENS
        service = service_named(name, tax.process.url, lambda: json.dumps(keys))
        assert service.rate(document(100)).lines
        setattr(tax.book, field, "changed")
        keys[field] = "changed"
        if name == "vertex":
            tax.book.tokens[:] = ["another"]  # type: ignore[union-attr]
        assert service.rate(document(100)).lines


def test_a_token_that_ended_early_is_fetched_again() -> None:
    with running("vertex") as tax:
        tax.service.rate(document(100))
        tax.service.rate(document(100))
        assert len(tax.book.tokens) == 1  # type: ignore[union-attr]
        tax.book.tokens[:] = ["another"]  # type: ignore[union-attr]
        assert tax.service.rate(document(100)).lines


def test_a_certificate_exempts_while_it_is_valid_and_its_number_is_not_told(tax: Running) -> None:
    valid = Exemption("cert_1", frozenset({"US-NY"}), frozenset(), date(2026, 1, 1), date(2026, 11, 2))
    answer = tax.port.quote(lines(10_000), replace(BROOKLYN, exemptions=(valid,)), SELLER, "USD")
    assert answer.tax_minor == 0
    assert {(s.treatment, s.reason) for s in answer.lines[0].shares} == {(TaxTreatment.EXEMPT, "exemption_certificate")}
    ended = replace(valid, until_on=date(2026, 11, 1))
    assert tax.port.quote(lines(10_000), replace(BROOKLYN, exemptions=(ended,)), SELLER, "USD").tax_minor == 888


def test_what_facts_alone_decide_is_not_asked(tax: Running) -> None:
    answer = tax.port.quote(lines(100), replace(BROOKLYN, status=TaxStatus.EXEMPT), SELLER, "USD")
    assert (tax.script.calls, answer.estimated, answer.tax_minor) == (0, False, 0)
    assert answer.lines[0].shares[0].reason == "buyer_exempt"


def test_places_without_registration_bear_no_tax_and_say_why(tax: Running) -> None:
    answer = tax.port.quote(lines(100), replace(BROOKLYN, region="CA", postcode="94102"), SELLER, "USD")
    assert answer.tax_minor == 0
    assert answer.lines[0].shares[0].treatment is TaxTreatment.OUTSIDE
    assert answer.lines[0].shares[0].reason == "seller_not_registered"


@pytest.mark.parametrize("secret", ["a password made up by the deployment", "{}", '{"account": "1"}'])
@pytest.mark.parametrize("name", ["avalara", "vertex"])
def test_a_secret_that_nobody_filled_in_is_an_outage_and_told(name: str, secret: str) -> None:
    service = service_named(name, "http://127.0.0.1:9", lambda: secret)
    with pytest.raises(Unavailable, match=rf"the secret of {name} is not filled in"):
        service.rate(document(10_000))
