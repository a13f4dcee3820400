"""A restored copy is proven, told what it missed without paying twice, and thrown away."""

from __future__ import annotations

from datetime import timedelta

import pytest

from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.insight.invariants import check_all
from saldo.kernel.errors import Refusal
from saldo.recovery.copies import Copies
from saldo.recovery.model import DrillReport
from saldo.storage.store import Store
from saldo.storage.units import Unit
from tests.contexts.conftest import Region
from tests.contexts.payments.scenes import ACCOUNT, ENTITY, news, payout_of
from tests.contexts.recovery.scenes import Disaster, disaster


@pytest.fixture
def scene(region: Region) -> Disaster:
    return disaster(region)


def checks(report: DrillReport) -> list[str]:
    return [finding.check for finding in report.findings]


def test_a_copy_that_holds_is_told_with_its_totals_and_thrown_away(scene: Disaster) -> None:
    at = scene.backup()
    live = scene.shop.everything()
    report = scene.drill(at)
    assert report.findings == []
    (total,) = report.totals
    assert (total.entity_id, total.currency, total.entries) == (ENTITY, "EUR", 3)
    assert (total.turnover_minor, total.receivables_minor) == (17_000, 17_000)
    assert (report.sealed.keys_from, report.sealed.opened, report.sealed.erased) == ("backup", 2, 0)
    assert set(report.seconds) == {"restore", "keys", "invariants", "sealed fields", "compare", "replay"}
    assert scene.copies() == [] and scene.shop.everything() == live


def test_what_came_after_the_instant_is_no_loss_and_what_came_before_it_is(scene: Disaster) -> None:
    payment = scene.shop.start(("inv_1", 10_000))
    at = scene.backup()
    scene.shop.payments.handle_event(news(payment, "settled", "evt_1"))
    report = scene.drill(at)
    assert (report.findings, report.lost) == ([], 0)
    assert report.rpo_s == 300, "the newest change in the copy is the start of the payment, five minutes before"
    later = scene.drill(None)
    assert later.lost == 1, "the settlement came after the newest backup"
    assert later.findings == []


def test_events_told_again_pay_once_in_the_copy_and_never_in_the_live_table(scene: Disaster) -> None:
    shop = scene.shop
    first, second = shop.start(("inv_1", 10_000)), shop.start(("inv_2", 5_000), key="form-key-2")
    shop.payments.handle_event(news(first, "settled", "evt_0"))
    at = scene.backup()
    shop.payments.handle_event(news(second, "settled", "evt_1"))
    shop.payments.handle_event(payout_of(first, second))
    shop.payments.handle_event(news(first, "settled", "evt_2", minor=1))  # fits no payment, so it is parked
    live = shop.everything()
    report = scene.drill(at, keep=True)
    assert report.findings == []
    assert report.replayed.first["applied"] == 3, "one settlement, two payments paid out"
    assert "applied" not in report.replayed.again
    assert shop.everything() == live
    copy = Store(scene.region.dynamodb, report.table)
    assert check_all(copy).violations == []
    assert copy.get(ACCOUNT, f"payment#{second.id}")["settled_minor"] == 5_000  # type: ignore[index]
    assert sorted(scene.copies()) == sorted(report.kept)


def test_money_for_a_payment_begun_after_the_instant_is_parked_in_the_copy(scene: Disaster) -> None:
    at = scene.backup()
    payment = scene.shop.start(("inv_1", 10_000))
    scene.shop.payments.handle_event(news(payment, "settled", "evt_1"))
    report = scene.drill(at)
    assert (report.findings, dict(report.replayed.first)) == ([], {"parked": 1})


def test_a_copy_with_a_broken_invariant_is_found(scene: Disaster) -> None:
    at = scene.backup()
    scene.backups.spoil = lambda copy: copy.write_one(
        Unit("spoil").update((ACCOUNT, "invoice#inv_1"), set={"open_minor": 1})
    )
    assert "invariant 14" in checks(scene.drill(at))


def test_an_entry_lost_or_changed_is_found(scene: Disaster) -> None:
    at = scene.backup()
    entries = [i for i in scene.shop.everything() if i["kind"] == "entry"]
    key = entries[0]["pk"], entries[0]["sk"]
    scene.backups.spoil = lambda copy: copy.write_one(Unit("lose").delete(key))
    found = checks(scene.drill(at))
    assert "journal" in found and "totals" in found
    scene.backups.spoil = lambda copy: copy.write_one(Unit("edit").update(key, set={"source_id": "inv_x"}))
    assert "journal" in checks(scene.drill(at))


def test_a_change_that_the_backups_should_hold_is_found_where_the_copy_lacks_it(scene: Disaster) -> None:
    scene.shop.start(("inv_1", 10_000))
    at = scene.backup()
    (change,) = [i for i in scene.shop.everything() if i["kind"] == "audit" and i["action"] == "payment.started"]
    scene.backups.spoil = lambda copy: copy.write_one(Unit("lose").delete((change["pk"], change["sk"])))
    report = scene.drill(at)
    assert report.lost == 1
    assert [f.message.partition(" ")[0] for f in report.findings if f.check == "changes"] == [change["sk"]]


def test_a_look_that_the_stream_put_on_record_after_the_instant_is_no_finding(scene: Disaster) -> None:
    asked = scene.shop.clock() - timedelta(minutes=5)
    at = scene.backup()
    looked = AuditRecord(ACCOUNT, asked, Actor("user_eu_one", "user"), "invoice.viewed", "inv_1")
    scene.region.store.put_many([audit_item(looked)])
    report = scene.drill(at)
    assert (report.lost, report.findings) == (1, [])


def test_what_was_removed_from_the_live_journal_is_found(scene: Disaster) -> None:
    at = scene.backup()
    entry = next(i for i in scene.shop.everything() if i["kind"] == "entry")
    scene.region.store.write_one(Unit("remove").delete((entry["pk"], entry["sk"])))
    assert any("no longer in the live table" in f.message for f in scene.drill(at).findings)


def test_an_instant_out_of_reach_is_refused_and_nothing_is_restored(scene: Disaster) -> None:
    at = scene.backup()
    with pytest.raises(Refusal, match="out_of_reach"):
        scene.drill(at + timedelta(days=1))
    off = {"PointInTimeRecoveryEnabled": False}
    scene.region.dynamodb.update_continuous_backups(TableName="records", PointInTimeRecoverySpecification=off)
    with pytest.raises(Refusal, match="no_backups"):
        scene.drill(at)
    assert scene.copies() == []


def test_a_drill_that_breaks_leaves_no_copy_behind(scene: Disaster) -> None:
    at = scene.backup()

    def burst(_copy: Store) -> None:
        raise RuntimeError("the machine is gone")

    scene.backups.spoil = burst
    with pytest.raises(RuntimeError):
        scene.drill(at)
    assert scene.copies() == []


def test_nothing_but_a_copy_is_ever_deleted(scene: Disaster) -> None:
    with pytest.raises(AssertionError, match="only copies"):
        Copies(scene.region.dynamodb).drop("records")
    assert "records" in scene.region.dynamodb.list_tables()["TableNames"]
