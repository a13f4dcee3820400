"""What is folded: sums of the days of a long journal, the latest payments, what is open, what makes notices."""

from __future__ import annotations

from datetime import timedelta

from saldo.access.model import Origin, Role, Seat, Session
from saldo.audit.model import AuditRecord
from saldo.audit.records import audit_item
from saldo.invoicing import habits, open_list
from saldo.ledger.daily_sums import DailySums
from saldo.ledger.model import EntryKind, LedgerAccount, Posting, entry_for
from saldo.ledger.model_statement import LONG
from saldo.ledger.records import BALANCE, ENTRIES, post
from saldo.ledger.statements import sums_now
from saldo.notices.centre import NotificationCentre
from saldo.payments.lately import LatestPayments, latest
from saldo.payments.records import PAYMENTS
from saldo.storage.units import Unit
from saldo.subscriptions.claimed import claims_of_account
from tests.simulation.region import ENTITY_ID, Region
from tests.simulation.workflows import invoke, workflow
from tests.simulation.workflows.auditing import LINKS
from tests.simulation.workflows.papers import stream_of
from tests.simulation.workflows.scenes import CLERK, JAN, account_id, billed, pay

_AT_ONCE = 90


def long(region: Region) -> None:
    """One customer with a journal of over five hundred entries, of which the stream has told nothing yet."""
    billed(region)
    for start in range(0, LONG, _AT_ONCE):
        entries = [
            entry_for(
                EntryKind.INVOICE_IMPORTED,
                booked_on=JAN + timedelta(days=n % 20),
                entity_id=ENTITY_ID,
                account_id=account_id(1),
                currency="EUR",
                source_id=f"inv_old_{n}",
                # Without an invoice: these belong to no open item.
                postings=(Posting(LedgerAccount.UNAPPLIED_CASH, -1), Posting(LedgerAccount.OPENING_BALANCE, 1)),
            )
            for n in range(start, start + _AT_ONCE)
        ]
        unit = post(Unit(f"old {start}"), *entries, correlation_id="")
        those = " ".join(entry.source_id for entry in entries)
        unit.put(audit_item(AuditRecord(account_id(1), region.now, CLERK, "invoice.imported", those)))
        region.store.write_one(unit)


@workflow("journal: sums", prepare=long)
def sums(region: Region) -> None:
    news = [one for one in stream_of(region) if one["dynamodb"]["Keys"]["sk"]["S"] == "balance"]
    invoke("audit.link", {"Records": [{"eventName": "MODIFY", **one} for one in news]})
    with region.undisturbed():
        before = region.records.calls
        sums_now(region.store, account_id(1), region.now.date())
        assert region.records.calls == before + 1, "the sums do not hold every entry"


def uncounted(region: Region) -> None:
    """As it was before entries were counted."""
    long(region)
    region.store.write_one(Unit("uncounted").update((account_id(1), BALANCE), set={ENTRIES: 3}))


@workflow("journal: rebuild", prepare=uncounted, apart={"open_list": "it counts how often it was told to forget"})
def rebuild(region: Region) -> None:
    assert DailySums(region.store).rebuild(account_id(1)) > LONG
    LatestPayments(region.store).rebuild(account_id(1))
    habits.rebuild(region.store, account_id(1))
    open_list.forget(region.store, account_id(1))


def counted(region: Region) -> None:
    """Payments were started, and what the record of an account's latest payments says is from before."""
    billed(region)
    latest(region.store, account_id(1))
    pay(region, 0, "form-key-1")


@workflow("journal: latest payments", prepare=counted)
def folded(region: Region) -> None:
    told = [one for one in stream_of(region) if one["dynamodb"]["Keys"]["sk"]["S"] == PAYMENTS]
    invoke("audit.link", {"Records": [{"eventName": "MODIFY", **one} for one in told]})
    with region.undisturbed():
        before = region.records.calls
        account_ids = {one["dynamodb"]["Keys"]["pk"]["S"] for one in told}
        found = [latest(region.store, account) for account in account_ids]
        assert any(found), "no payment was started"
        assert region.records.calls == before + len(account_ids), "what was folded is not believed"


def seated(region: Region) -> Session:
    """Somebody who looks at the first customer."""
    seat = Seat(account_id(1), Role.VIEWER, "Customer 1", "EUR", ENTITY_ID, "Europe/Berlin")
    now = region.now
    return Session("1" * 64, "user_eu_1", "org_eu_1", (seat,), "en", False, now, now, None, Origin())


@workflow("journal: what is open, and news", prepare=billed, apart=LINKS | {"news": "it counts how often it was read"})
def looked_at(region: Region) -> None:
    centre, asked = NotificationCentre(region.store, region.clock), seated(region)
    centre.told(asked)
    pay(region, 0, "form-key-1")
    news = [one for one in stream_of(region) if one["dynamodb"]["NewImage"]["kind"]["S"] == "audit"]
    invoke("audit.link", {"Records": [{"eventName": "INSERT", **one} for one in news]})
    with region.undisturbed():
        whole = centre.told(asked)
        before = region.records.calls
        assert centre.told(asked) == whole and whole.notices and region.records.calls == before + 1


@workflow("journal: who counts which meter", prepare=billed)
def claimed(region: Region) -> None:
    found = claims_of_account(region.store, account_id(1), ENTITY_ID)
    with region.undisturbed():
        before = region.records.calls
        assert claims_of_account(region.store, account_id(1), ENTITY_ID) == found and found
        assert region.records.calls == before + 1, "what was kept is not believed"
