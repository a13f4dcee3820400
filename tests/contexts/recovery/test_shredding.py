"""A customer's personal fields go for ever, also from backups, and the money stays right."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader

from saldo.access.model import Grant, Role, User, UserStatus
from saldo.access.records import user_from, user_item
from saldo.accounts.model import ERASED, Organisation
from saldo.accounts.service import Accounts
from saldo.accounts.shredding import Shredding
from saldo.accounts.tax_standing import TaxStanding
from saldo.delivery.model import DeliveryStatus
from saldo.delivery.service import Deliveries
from saldo.insight.invariants import check_all
from saldo.kernel.errors import NotFound, Refusal, Unavailable
from saldo.storage.sealing import Erased, KeyRing, Sealer
from saldo.storage.units import Unit
from tests.contexts import sellers
from tests.contexts.conftest import Region
from tests.contexts.documents.scenes import INVOICE
from tests.contexts.documents.scenes import scene as documents_scene
from tests.contexts.recovery.scenes import disaster
from tests.contexts.sellers import ACCOUNT, CLERK, ORGANISATION
from tests.crashes import assert_survives_every_crash

WHY = "the customer asked for it"


class Silent:
    """A register of tax ids that does not answer."""

    def knows(self, _country: str, _number: str) -> bool:
        raise Unavailable("no answer")


def fresh(region: Region, table: str = "keys") -> Sealer:
    """As a process that was just started sees things."""
    key_id = region.keys.current_wrapper()
    return Sealer(KeyRing(region.kms, region.dynamodb, table=table, kms_key_id=key_id, region_code="eu"), "records")


def test_sealed_fields_are_gone_from_the_live_table_and_from_a_restored_copy_and_totals_reconcile(
    region: Region,
) -> None:
    scene = disaster(region)
    at = scene.backup()
    assert scene.drill(at).sealed.opened == 2
    live = {(i["pk"], i["sk"]): i for i in scene.shop.everything()}
    scene.shredding().shred(ORGANISATION, CLERK, WHY)
    report = scene.drill(at, keep=True)
    found = report.sealed
    assert (found.keys_from, found.shredded_again, found.opened, found.erased, found.unreadable) == (
        *("backup", 1),
        *(0, 2, 0),
    )
    assert report.findings == [] and report.totals[0].receivables_minor == 17_000
    for keys in ("keys", report.kept[1]):
        for sk in ("profile#000001", "profile"):
            with pytest.raises(Erased):
                fresh(region, keys).open(ORGANISATION, (ACCOUNT, sk), "profile/1", live[ACCOUNT, sk]["sealed"])
    now = {(i["pk"], i["sk"]): i for i in scene.shop.everything()}
    assert {key: now[key] for key in live} == live, "no record of before is touched"
    assert check_all(region.store).violations == []


def test_where_backups_of_keys_do_not_reach_the_live_keys_are_used_and_a_shredded_one_is_not_among_them(
    region: Region,
) -> None:
    scene = disaster(region)
    at = scene.backup()
    scene.backups.first["keys"] = at + timedelta(seconds=1)
    assert (scene.drill(at).sealed.keys_from, scene.drill(at).sealed.opened) == ("live", 2)
    scene.shredding().shred(ORGANISATION, CLERK, WHY)
    found = scene.drill(at).sealed
    assert (found.keys_from, found.opened, found.erased, found.shredded_again) == ("live", 0, 2, 0)


def test_a_key_lost_without_being_shredded_is_a_finding(region: Region) -> None:
    scene = disaster(region)
    at = scene.backup()
    scene.backups.kept[-1][1]["keys"].clear()
    report = scene.drill(at)
    assert [f.check for f in report.findings] == ["sealed fields"] * 2 and report.sealed.unreadable == 2


def test_documents_and_mail_say_that_the_name_is_erased(region: Region) -> None:
    s = documents_scene(region)
    Shredding(region.store, region.keys, region.clock).shred(ORGANISATION, CLERK, WHY)
    pages = PdfReader(BytesIO(s.documents.invoice_pdf(ACCOUNT, INVOICE))).pages
    text = "\n".join(page.extract_text() for page in pages).replace("\xa0", " ")
    assert ERASED in text and "119,00 €" in text
    assert not [said for said in ("Kontor Nord", "Rieke Harms", "DE111111125") if said in text]

    class NoMail:
        def send(self, *_: Any) -> str:
            raise AssertionError("nobody is left to write to")

    deliveries = Deliveries(region.store, s.accounts, s.letters, NoMail(), region.clock, s.readers)
    delivery = deliveries.deliver(ACCOUNT, "invoice", INVOICE)
    assert delivery and (delivery.status, delivery.failure_code) == (DeliveryStatus.FAILED, "no_recipient")


def test_users_read_as_erased_and_nothing_new_is_sealed_for_the_customer(region: Region) -> None:
    accounts = sellers.register(region.store, region.sealer, region.clock)
    grants = (Grant(ACCOUNT, next(iter(Role))),)
    user = User("user_eu_ada", ORGANISATION, "ada@kontor.example", "Ada", "de", grants, False, UserStatus.ACTIVE)
    item = user_item(user, region.sealer, region.clock())
    Shredding(region.store, region.keys, region.clock).shred(ORGANISATION, CLERK, WHY)
    read = user_from(item, fresh(region))
    assert (read.email, read.name, read.grants) == ("", ERASED, grants)
    for known in (accounts, Accounts(region.store, fresh(region), region.clock)):
        with pytest.raises(Refusal, match="erased"):
            known.change_profile(replace(sellers.profile(), legal_name="Kontor Neu"), CLERK)
    assert accounts.profile(ACCOUNT, 1).legal_name == ERASED


def test_a_tax_id_that_is_erased_is_asked_about_no_more_and_its_standing_stays(region: Region) -> None:
    silent = Silent()
    accounts = Accounts(region.store, region.sealer, region.clock, silent)
    accounts.register_entity(sellers.entity(), CLERK)
    accounts.register_organisation(Organisation(ORGANISATION, "Kontor Nord", "DE"), CLERK)
    accounts.open_account(sellers.account(country="FR"), replace(sellers.profile(), tax_id="FR40303265045"), CLERK)
    standing = TaxStanding(region.store, region.sealer, region.clock, silent)
    assert standing.ask_again(sellers.ENTITY) == {"unchecked": 1}
    before = accounts.account(ACCOUNT)
    Shredding(region.store, region.keys, region.clock).shred(ORGANISATION, CLERK, WHY)
    region.clock.advance(days=2)
    assert standing.ask_again(sellers.ENTITY) == {"erased": 1}
    assert standing.ask_again(sellers.ENTITY) == {}
    assert accounts.account(ACCOUNT) == before and before.has_tax_id


def test_it_takes_a_reason_an_organisation_and_no_legal_hold(region: Region) -> None:
    sellers.register(region.store, region.sealer, region.clock)
    shredding = Shredding(region.store, region.keys, region.clock)
    with pytest.raises(Refusal, match="reason_missing"):
        shredding.shred(ORGANISATION, CLERK, "  ")
    with pytest.raises(NotFound):
        shredding.shred("org_eu_nobody", CLERK, WHY)
    shredding.hold(ORGANISATION, True, CLERK, "a court said so")
    with pytest.raises(Refusal, match="legal_hold"):
        shredding.shred(ORGANISATION, CLERK, WHY)
    assert fresh(region)._keys.data_keys(ORGANISATION)
    region.clock.advance(hours=1)
    shredding.hold(ORGANISATION, False, CLERK, "the case is closed")
    region.clock.advance(hours=1)
    at = shredding.shred(ORGANISATION, CLERK, WHY)
    region.clock.advance(hours=1)
    assert shredding.shred(ORGANISATION, CLERK, WHY) == at, "it is gone since the first time"
    audited = list(region.store.query_all(ORGANISATION, prefix="audit#"))
    assert [(i["action"], i["reason"]) for i in audited][1:] == [
        ("organisation.held", "a court said so"),
        ("organisation.released", "the case is closed"),
        ("organisation.shredded", WHY),
    ]


def test_a_hold_put_while_a_shredding_is_under_way_stops_it(region: Region) -> None:
    sellers.register(region.store, region.sealer, region.clock)
    shredding = Shredding(region.store, region.keys, region.clock)
    look = region.store.write_one

    def held_just_before(unit: Unit) -> object:
        if unit.name.startswith("shred"):
            region.store.write_one = look  # type: ignore[method-assign]
            shredding.hold(ORGANISATION, True, CLERK, "a court said so")
        return look(unit)

    region.store.write_one = held_just_before  # type: ignore[method-assign, assignment]
    with pytest.raises(Refusal, match="legal_hold"):
        shredding.shred(ORGANISATION, CLERK, WHY)
    assert fresh(region)._keys.data_keys(ORGANISATION), "the key lives"


def test_stopped_at_any_call_and_repeated_the_key_is_gone_and_said_once() -> None:
    from tests.contexts.conftest import region as region_fixture

    @contextmanager
    def scene() -> Iterator[Region]:
        made = region_fixture.__wrapped__()  # type: ignore[attr-defined]  # the fixture's own generator
        region = next(made)
        sellers.register(region.store, region.sealer, region.clock)
        yield region
        next(made, None)

    def end_state(region: Region) -> Any:
        kept = region.keys.wrapped_keys.find(ORGANISATION)
        said = [i["action"] for i in region.store.query_all(ORGANISATION, prefix="audit#")]
        return kept, said

    calls = assert_survives_every_crash(
        scene,
        lambda region: [region.dynamodb],
        lambda region: Shredding(region.store, region.keys, region.clock).shred(ORGANISATION, CLERK, WHY),
        end_state,
    )
    assert calls == 5
