"""The contracts with others' services: what the adapters send, what the simulators tell, and when to look again.

Every other test that speaks to a tax service or to VIES is held to the same contracts (`held.answering`).
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any  # parsed JSON is of any shape

import pytest

from local.place import ROOT
from local.scanning import vendors
from local.tax_services.server import ServiceProcess
from local.tax_services.vies import ViesBook
from local.vendors import CONTRACTS
from local.vendors.model import Change
from local.vendors.vies import VIES
from saldo.accounts.model import Exemption
from saldo.accounts.vies import Vies
from saldo.kernel.errors import Refusal, Unavailable
from saldo.storage.web import WebService
from saldo.tax.avalara import rated_from as rated_by_avatax
from saldo.tax.model_services import TaxDocument
from saldo.tax.vertex import rated_from as rated_by_vertex
from tests.contexts.tax.scenes import BROOKLYN, DAY, LYON, SERVICES, client, document, simulated
from tests.contracts.held import Held


def asked() -> list[TaxDocument]:
    """Documents of every kind that is asked about."""
    certificate = Exemption("cert_1", frozenset({"US-NY"}), frozenset(), date(2026, 1, 1), date(2027, 1, 1))
    plain = document(10_000, 3_333, -1_000)
    early, *others = plain.lines
    return [
        plain,
        replace(plain, lines=(early._replace(supplied_on=DAY - timedelta(days=40)), *others)),
        replace(plain, decided={"2": "buyer_exempt"}),
        document(10_000, buyer=replace(BROOKLYN, exemptions=(certificate,))),
        document(10_000, buyer=replace(BROOKLYN, region="CA", postcode="94102")),
        document(12_000, 99, buyer=LYON, inclusive=True),
        document(500, buyer=replace(BROOKLYN, code="")),
    ]


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_tax_service_is_asked_and_its_simulator_tells_is_what_the_vendor_documents(name: str) -> None:
    held = Held(*simulated(name))
    with ServiceProcess(held) as process:
        service = client(name, WebService(process.url, name))
        for question in asked():
            service.rate(question)
        invoice = document(10_000, code="inv_202611017f3k2m9q4c")
        assert service.record(invoice) == service.record(invoice)
        with pytest.raises(Refusal, match="tax_undecidable"):
            service.rate(document(100, category="unheard_of"))
    assert not held.breaches, "\n".join(held.breaches)
    assert {path for _, path, _ in held.met} == {call.path for call in held.contract.calls}


def test_a_tax_id_is_asked_about_and_answered_as_the_register_documents() -> None:
    held = Held(ViesBook({"DE811907980"}, away={"ES"}), VIES)
    with ServiceProcess(held) as process:
        register = Vies(WebService(process.url, "VIES"))
        assert register.knows("DE", "811907980") and not register.knows("FR", "83404833048")
        assert not register.knows("FR", "no number")
        with pytest.raises(Unavailable):
            register.knows("ES", "A58818501")
    assert not held.breaches, "\n".join(held.breaches)
    assert {status for _, _, status in held.met} == {200, 400}


def test_what_is_sent_beyond_the_contract_is_named() -> None:
    held = Held(ViesBook(), VIES)
    held.answer("POST", VIES.calls[0].path, {}, {"countryCode": "DE", "vatNumber": "1", "name": "Ada"})
    assert len(held.breaches) == 1 and "'name' was unexpected" in held.breaches[0]
    held.answer("GET", "/somewhere", {}, None)
    assert held.breaches[-1] == "GET /somewhere is in no contract"


def test_a_look_up_that_asks_for_lines_alone_is_told_no_taxes() -> None:
    held = Held(*simulated("avalara"))
    with ServiceProcess(held) as process:
        web = WebService(process.url, "avalara")
        client("avalara", web).record(document(10_000, code="inv_1"))
        key = {"Authorization": "Basic " + base64.b64encode(b"2000001:licence").decode()}
        told = web.get("/api/v2/companies/SALDO/transactions/inv_1?$include=Lines", key)
    assert told.status == 200 and "details" not in told.document["lines"][0]
    assert any("another query" in breach for breach in held.breaches)
    assert any("'details' is a required property" in breach for breach in held.breaches)


def answer(vendor: str) -> Any:
    return json.loads((Path(__file__).parent / f"{vendor}.json").read_text(), parse_float=Decimal)


def test_whole_answers_as_the_vendors_document_them_are_read() -> None:
    """With the fields that a vendor tells and we do not read."""
    found = rated_by_avatax(answer("avatax"), "US-NY")
    assert (found.tax, found.lines[0].taxes[0].jurisdiction) == (4, "US-NY")
    found = rated_by_vertex(answer("vertex")["data"], "US-NY")
    assert (found.tax, found.lines[0].taxes[0].jurisdiction) == (4, "US-NY")


def test_every_tax_service_and_register_has_a_contract_with_its_adapter() -> None:
    room = ROOT / "layers/saldo/python/saldo"
    speaking = {
        ".".join(path.relative_to(room.parent).with_suffix("").parts)
        for path in room.rglob("*.py")
        if re.search(r"self\.web\.(get|post)\(", path.read_text())
    }
    assert speaking == {known.adapter for known in CONTRACTS}
    for known in CONTRACTS:
        assert import_module(known.adapter)
        assert known.sources and known.read_on < known.look_again_by <= known.read_on + timedelta(days=190)


def test_the_audit_tells_who_was_not_looked_at_in_time_and_what_came_unnoticed() -> None:
    assert not vendors.scan(max(known.read_on for known in CONTRACTS)).findings
    late = vendors.scan(max(known.look_again_by for known in CONTRACTS) + timedelta(days=1)).findings
    assert {finding.where for finding in late} == {known.vendor for known in CONTRACTS}
    change = Change(date(2027, 1, 1), "fields are gone")
    unmet = replace(VIES, changes=(change,))
    assert not list(unmet.overdue(date(2026, 12, 31)))
    assert list(unmet.overdue(date(2027, 1, 1))) == ["2027-01-01: fields are gone; nothing was done about it"]


def test_the_calendar_in_the_docs_is_the_contracts() -> None:
    page = (ROOT / "docs" / "vendors.md").read_text()
    for known in CONTRACTS:
        assert f"| {known.vendor} | {known.version} | {known.read_on} | {known.look_again_by} |" in page
        assert known.announced_at in page
        for change in known.changes:
            assert f"| {change.on} | {known.vendor} | {change.what} | {change.done} |" in page
