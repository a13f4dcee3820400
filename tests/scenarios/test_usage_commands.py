"""`saldo usage …`: rejected rows mended at the terminal, and what became of every event."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from saldo.usage.records_windows import pack_windows, packed_windows
from tests.scenarios.sites import sites
from tests.scenarios.test_command_line import ENTITY, Terminal

ACCOUNT = "acct_eu_000000"


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    """Three events came in a file, of which one speaks of a meter that is not there."""
    found = Terminal(*sites())
    lines = ["source,id,account_id,meter,at,value"]
    for number, meter in enumerate(("tokens", "tokens", "tokenz"), 1):
        lines.append(f"gw,e{number},{ACCOUNT},{meter},2026-01-1{number}T12:00:00Z,100")
    file = tmp_path / "usage.csv"
    file.write_text("\n".join(lines) + "\n")
    found.ask("usage", "import", str(file), "--entity", ENTITY)
    return found


def test_a_row_is_listed_repaired_and_replayed(terminal: Terminal) -> None:
    (held,) = terminal.ask("usage", "quarantine", "--entity", ENTITY)["rows"]
    assert [p["code"] for p in held["problems"]] == ["unknown_meter"]
    where = (held["origin"], str(held["row"]))
    assert terminal.ask("usage", "repair", "--entity", ENTITY, *where, "--set", "meter=tokens")["repairs"] == 1
    done = terminal.ask("usage", "replay", "--entity", ENTITY)
    assert (done["tried"], done["accepted"], done["left"], done["rejected"]) == (1, 1, 1, [])
    assert terminal.ask("usage", "replay", "--entity", ENTITY)["tried"] == 0
    assert "No rows." in terminal.type("usage", "quarantine", "--entity", ENTITY).stdout


def test_the_report_says_where_every_event_is(terminal: Terminal) -> None:
    assert terminal.type("bill", "--entity", ENTITY, "--as-of", "2026-01-01").exit_code == 0
    assert terminal.type("bill", "--entity", ENTITY, "--as-of", "2026-02-01").exit_code == 0
    found = terminal.ask("usage", "report", ACCOUNT)
    meter, nobodys = found["meters"]
    (window,) = meter["windows"]
    assert found["balanced"] and (meter["rejected"], meter["open"], nobodys["rejected"]) == (0, 0, 1)
    assert (window["period"], window["accepted"], window["billed"]) == ("2026-01-01/2026-02-01", 2, 2)
    shown = terminal.type("usage", "report", ENTITY)
    assert shown.exit_code == 0 and "2026-01-01/2026-02-01" in shown.stdout


def test_a_report_that_does_not_add_up_says_so_with_its_exit_status(terminal: Terminal) -> None:
    for day in ("2026-01-01", "2026-02-01"):
        terminal.type("bill", "--entity", ENTITY, "--as-of", day)
    (chunk,) = [i for i in terminal.eu.store.scan() if i["kind"] == "usage"]
    (item,) = [i for i in terminal.eu.store.scan() if i["kind"] == "windows" and i["pk"] == ACCOUNT]
    (window,), put_away = packed_windows(ACCOUNT, item["packed"])
    told = replace(window, billed=(replace(window.billed[0], arrivals=3),))
    terminal.eu.store.put_many([item | {"packed": pack_windows([told], put_away)}])
    assert terminal.type("usage", "report", ACCOUNT).exit_code == 1
    assert chunk["count"] == 2


def test_usage_so_far_and_the_next_invoice_are_told(terminal: Terminal) -> None:
    terminal.type("bill", "--entity", ENTITY, "--as-of", "2026-01-01")
    found = terminal.ask("usage", "live", ACCOUNT, "--at", "2026-01-16 11:00:00")
    (meter,) = found["meters"]
    assert (found["on"], meter["so_far"], meter["method"]) == ("2026-02-01", "200", "straight_line")
    assert found["expected"]["net_minor"] > found["so_far"]["net_minor"]
    assert "Next invoice on 2026-02-01" in terminal.type("usage", "live", ACCOUNT, "--at", "2026-01-16").stdout
