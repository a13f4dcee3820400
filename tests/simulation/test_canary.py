"""The canary walks on a simulated region, breaks at every step in turn, and leaves nothing behind once it holds."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from functions.canary.books import Books, Names
from functions.canary.walk import Canary, Walked
from saldo.accounts.service import Accounts
from saldo.catalog.service import PlanVersions
from saldo.insight.invariants import check_all
from saldo.invoicing.codec import body_from_bytes
from saldo.invoicing.run.cases import Billing
from saldo.kernel.ids import is_canary
from saldo.tax.table import TableTax, shipped_table
from saldo.usage.service import UsageTotals
from tests.permissions.gate import acting
from tests.simulation.portal import GATEWAY, PORTAL, Web, web
from tests.simulation.region import Region, quiet
from tests.simulation.workflows.scenes import billed

NAMES = Names("eu")


@contextmanager
def walking() -> Iterator[tuple[Region, Web, Callable[[], Canary]]]:
    """A region with a real seller whose month was billed, and a canary that starts anew with each call."""
    region = Region()
    with region.serving(), quiet():
        billed(region)
        with web(region) as net:

            def pause(seconds: float) -> None:
                region.now += timedelta(seconds=seconds)
                if not net.silent:
                    net.tell()

            def canary() -> Canary:
                region.now += timedelta(minutes=15)
                store = region.store
                usage = UsageTotals(store)
                own = Billing(store, PlanVersions(store), usage, TableTax(shipped_table()))
                books = Books(store, Accounts(store, region.sealer(), region.clock), net.access, own, region.clock)
                return Canary(books, NAMES, PORTAL, lambda: "Canary-Pass-1", region.clock, net.send, pause)

            yield region, net, canary


def walk(canary: Canary) -> Walked:
    """As the hosted function does it, under the policies of its role."""
    with acting("canary"):
        return canary.walk()


def real_books(region: Region) -> list[tuple[str, str, int]]:
    """Invoices of the real seller: number, day, total."""
    items = [i for i in region.store.scan() if i["kind"] == "invoice" and i["entity_id"] != NAMES.entity_id]
    return sorted((i["number"], i["issued_on"], i["total_minor"]) for i in items)


def at_rest(region: Region, net: Web) -> list[str]:
    """After the payout: what is not as it should be."""
    region.now += timedelta(days=3)
    net.tell()
    net.tell()
    return [str(v) for v in check_all(region.store, at_rest=True).violations]


def test_a_walk_signs_in_is_billed_pays_and_is_credited_and_the_ledger_nets_to_zero() -> None:
    with walking() as (region, net, canary):
        before = real_books(region)
        for _ in range(3):
            walked = walk(canary())
            assert (walked.broken, walked.why) == ("", "")
            assert list(walked.took_ms) == ["SignIn", "Bill", "Pay", "Reverse"]
        assert real_books(region) == before
        own = [i for i in region.store.scan() if i["kind"] == "invoice" and i["entity_id"] == NAMES.entity_id]
        assert all(i["number"].startswith("CANARY") for i in own)
        assert len(own) == 6  # three invoices, three credit notes
        bodies = [body_from_bytes(i["body"]) for i in region.store.scan() if i["kind"] == "body"]
        assert all(b.tax_facts is None for b in bodies if b.entity_id == NAMES.entity_id)  # no tax service hears of it
        assert not [to for to, _ in region.mail.taken]
        assert is_canary(NAMES.entity_id) and not is_canary("ent_eu_seller")
        assert at_rest(region, net) == []
        kept = region.store.get(NAMES.account_id, "balance")
        assert kept is not None
        assert not any(minor for name, minor in kept.items() if " " in name)


def _away(host: str) -> Callable[[Web], None]:
    return lambda net: net.down.add(host)


def _records_away(within: str) -> Callable[[Web], None]:
    """The table does not answer while that function of the canary is at work."""

    def arm(net: Web) -> None:
        def fault(_number: int, operation: str, _when: str) -> None:
            frame: Any = sys._getframe(1)
            while frame is not None:
                if frame.f_code.co_name == within and frame.f_globals["__name__"].startswith("functions.canary"):
                    raise ClientError({"Error": {"Code": "InternalServerError"}}, operation)
                frame = frame.f_back

        net.region.wire.fault = fault

    return arm


def _no_news(net: Web) -> None:
    net.silent = True


def _mended(net: Web) -> None:
    net.region.wire.fault, net.silent = None, False
    net.down.clear()
    net.region.restart()


TROUBLES = {
    "the portal does not answer": (_away(PORTAL), "SignIn", "Unavailable"),
    "nobody can be found": (_records_away("_sign_in"), "SignIn", "ClientError"),
    "nothing can be billed": (_records_away("bill"), "Bill", "ClientError"),
    "the gateway does not answer": (_away(GATEWAY), "Pay", "Unavailable"),
    "the portal cannot read": (_records_away("_pay"), "Pay", "not_offered"),
    "the gateway's news do not come": (_no_news, "Pay", "payment_not_applied"),
    "nothing can be credited": (_records_away("reverse"), "Reverse", "ClientError"),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_walk_that_breaks_says_where_and_the_next_one_leaves_nothing_behind(trouble: str) -> None:
    breaks, step, why = TROUBLES[trouble]
    with walking() as (region, net, canary):
        before = real_books(region)
        breaks(net)
        broken = walk(canary())
        assert (broken.broken, broken.why) == (step, why)
        assert list(broken.took_ms)[-1] == step
        _mended(net)
        net.tell()
        assert walk(canary()).broken == ""
        assert real_books(region) == before
        assert at_rest(region, net) == []
