"""Tax ids by their digits and by the register; exemption certificates that begin and end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from local.tax_services.faults import Fault
from local.tax_services.server import ServiceProcess
from local.tax_services.vies import ViesBook
from local.vendors.vies import VIES
from saldo.accounts.model import Exemption, ExemptionCertificate, TaxIdStatus
from saldo.accounts.records import account_from
from saldo.accounts.service import Accounts
from saldo.accounts.tax_ids import tax_id_of
from saldo.accounts.tax_standing import TaxStanding
from saldo.accounts.vies import Vies
from saldo.kernel.errors import NotFound, Refusal
from saldo.storage.units import Unit
from saldo.storage.web import WebService
from tests.contexts.conftest import Region
from tests.contexts.sellers import ACCOUNT, CLERK, ENTITY, account, profile, register
from tests.contracts.held import answering

KNOWN = "DE136695976"
UNKNOWN = "DE111111125"


@pytest.mark.parametrize(
    ("text", "country", "right"),
    [
        ("DE136695976", "DE", True),
        ("de 136 695 976", "DE", True),
        ("DE136695977", "DE", False),  # check digit
        ("FR40303265045", "DE", False),  # another country's
        ("136695976", "DE", False),  # without its prefix
        ("EL094259216", "GR", True),  # Greece has a prefix of its own
        ("GR094259216", "GR", True),
        ("GB980780684", "GB", True),
        ("GB802311781", "GB", False),
        ("11-4087729", "US", True),  # no rule known: taken at its word
        ("12", "FR", False),
    ],
)
def test_the_form_of_a_tax_id_is_its_own_countrys(text: str, country: str, right: bool) -> None:
    assert (tax_id_of(text, country) is not None) == right


@pytest.fixture
def vies() -> Iterator[tuple[ServiceProcess, ViesBook]]:
    book = ViesBook({KNOWN})
    with answering(book, VIES) as process:
        yield process, book


def accounts_of(region: Region, process: ServiceProcess) -> tuple[Accounts, TaxStanding]:
    known = Vies(WebService(process.url, "VIES", read_s=1))
    register(region.store, region.sealer, region.clock)
    return (
        Accounts(region.store, region.sealer, region.clock, known),
        TaxStanding(region.store, region.sealer, region.clock, known),
    )


def status(accounts: Accounts) -> tuple[bool, TaxIdStatus]:
    found = accounts.account(ACCOUNT)
    assert found.tax_id_check is not None
    return found.has_tax_id, found.tax_id_check.status


def test_a_tax_id_that_cannot_be_one_is_refused_and_named_in_no_message(
    region: Region, vies: tuple[ServiceProcess, ViesBook]
) -> None:
    accounts, _ = accounts_of(region, vies[0])
    with pytest.raises(Refusal) as refused:
        accounts.change_profile(replace(profile(), tax_id="DE123456789"), CLERK)
    assert [(p.field, p.code) for p in refused.value.problems] == [("tax_id", "invalid_tax_id")]
    assert "123456789" not in str(refused.value)
    assert accounts.account(ACCOUNT).profile_version == 1, "nothing half done"


def test_the_registers_word_decides_and_none_is_none(region: Region, vies: tuple[ServiceProcess, ViesBook]) -> None:
    accounts, _ = accounts_of(region, vies[0])
    accounts.change_profile(replace(profile(), tax_id=KNOWN), CLERK)
    assert status(accounts) == (True, TaxIdStatus.VALID)
    accounts.change_profile(replace(profile(), tax_id=UNKNOWN), CLERK)
    assert status(accounts) == (False, TaxIdStatus.INVALID)
    accounts.change_profile(replace(profile(), tax_id=""), CLERK)
    assert status(accounts) == (False, TaxIdStatus.NONE)


@pytest.mark.parametrize("why", ["member state away", Fault.STATUS_503, Fault.LOST])
def test_an_id_the_register_is_silent_about_counts_until_it_speaks(
    region: Region, vies: tuple[ServiceProcess, ViesBook], why: str
) -> None:
    process, book = vies
    accounts, standing = accounts_of(region, process)
    book.away |= {"DE"} if why == "member state away" else set()
    process.script.always = Fault.NONE if book.away else Fault(why)
    accounts.change_profile(replace(profile(), tax_id=UNKNOWN), CLERK)
    assert status(accounts) == (True, TaxIdStatus.UNCHECKED)
    assert standing.ask_again(ENTITY) == {"unchecked": 1}
    assert standing.ask_again(ENTITY) == {}, "not before the next day"
    book.away.clear()
    process.script.always = Fault.NONE
    region.clock.advance(days=1)
    assert standing.ask_again(ENTITY) == {"invalid": 1}
    assert status(accounts) == (False, TaxIdStatus.INVALID)
    region.clock.advance(days=1)
    assert standing.ask_again(ENTITY) == {}


def test_no_log_line_names_the_id_that_the_register_is_silent_about(
    region: Region, vies: tuple[ServiceProcess, ViesBook], caplog: pytest.LogCaptureFixture
) -> None:
    process, _ = vies
    accounts, _ = accounts_of(region, process)
    process.script.always = Fault.STATUS_503
    with caplog.at_level("DEBUG", "saldo"):
        accounts.change_profile(replace(profile(), tax_id=KNOWN), CLERK)
    lines = [str(vars(record)) for record in caplog.records if record.name.startswith("saldo.")]
    assert any("stays unchecked" in line for line in lines)
    assert not any(KNOWN in line or KNOWN.removeprefix("DE") in line for line in lines)


def certificate(**changes: object) -> ExemptionCertificate:
    fields: dict[str, object] = {
        "id": "cert_1",
        "jurisdictions": frozenset({"US-NY"}),
        "categories": frozenset(),
        "from_on": date(2026, 1, 1),
        "until_on": date(2027, 1, 1),
    }
    number = str(changes.pop("number", "NY-ST-121-0042"))
    return ExemptionCertificate(ACCOUNT, number, Exemption(**(fields | changes)))  # type: ignore[arg-type]


@pytest.fixture
def standing(region: Region) -> TaxStanding:
    register(region.store, region.sealer, region.clock, account(country="DE"))
    return TaxStanding(region.store, region.sealer, region.clock)


def test_an_account_holds_several_certificates_and_each_once(standing: TaxStanding, region: Region) -> None:
    assert standing.add_certificate(certificate(), CLERK)
    assert standing.add_certificate(certificate(id="cert_2", jurisdictions=frozenset({"US-TX"})), CLERK)
    assert not standing.add_certificate(certificate(), CLERK)
    item = region.store.get(ACCOUNT, "account")
    assert item is not None
    assert [e.id for e in account_from(item).exemptions] == ["cert_1", "cert_2"]
    assert standing.certificate(ACCOUNT, "cert_1") == certificate()


def test_of_two_certificates_at_one_moment_none_is_lost(region: Region, standing: TaxStanding) -> None:
    other = certificate(id="cert_2", jurisdictions=frozenset({"US-WA"}))

    class Overtaken:
        """A store through which somebody else is a moment faster."""

        def __getattr__(self, name: str) -> Any:
            return getattr(region.store, name)

        def write_one(self, unit: Unit) -> Any:
            assert standing.add_certificate(other, CLERK)
            return region.store.write_one(unit)

    slow: Any = Overtaken()
    with pytest.raises(Refusal, match="changed_meanwhile"):
        replace(standing, store=slow).add_certificate(certificate(), CLERK)
    assert standing.add_certificate(certificate(), CLERK)
    found = Accounts(region.store, region.sealer, region.clock).account(ACCOUNT).exemptions
    assert [exemption.id for exemption in found] == ["cert_2", "cert_1"]


def test_a_certificates_number_lies_sealed_and_in_no_audit_record(standing: TaxStanding, region: Region) -> None:
    standing.add_certificate(certificate(), CLERK)
    assert "NY-ST-121-0042" not in repr(list(region.store.scan()))
    assert "certificate.added" in [i["action"] for i in region.store.query_all(ACCOUNT, prefix="audit#")]


def test_a_certificate_can_end_early_and_not_be_made_longer(standing: TaxStanding) -> None:
    standing.add_certificate(certificate(), CLERK)
    standing.end_certificate(ACCOUNT, "cert_1", date(2026, 6, 1), CLERK, "revoked by the authority")
    assert standing.certificate(ACCOUNT, "cert_1").exemption.until_on == date(2026, 6, 1)
    with pytest.raises(Refusal, match="invalid_certificate"):
        standing.end_certificate(ACCOUNT, "cert_1", date(2026, 7, 1), CLERK, "")
    with pytest.raises(NotFound):
        standing.end_certificate(ACCOUNT, "cert_9", date(2026, 6, 1), CLERK, "")


def test_every_problem_of_a_certificate_is_named(standing: TaxStanding) -> None:
    bad = certificate(number=" ", jurisdictions=frozenset(), until_on=date(2026, 1, 1))
    with pytest.raises(Refusal) as refused:
        standing.add_certificate(bad, CLERK)
    assert [p.field for p in refused.value.problems] == ["number", "jurisdictions", "until_on"]
