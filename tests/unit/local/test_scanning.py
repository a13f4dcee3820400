"""The audit of dependencies, code and secrets: what is found is told, and what was not looked at is never clean."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from local.place import ROOT
from local.scanning import dependencies
from local.scanning.__main__ import told
from local.scanning.acknowledged import ACKNOWLEDGED
from local.scanning.model import CLEAN, FOUND, NOT_CHECKED, Acknowledged, Finding, Scan, verdict

LEAK = Finding("bandit", "B105", "functions/x.py:7", "a password")
KNOWN = Acknowledged("bandit", "B105", r"functions/x\.py", "a label")


def _bandit(*findings: Finding, checked: int = 3, unchecked: tuple[str, ...] = ()) -> Scan:
    return Scan("bandit", checked, "file", findings, unchecked)


def test_what_is_found_is_open_until_it_is_acknowledged_with_its_place() -> None:
    assert verdict([_bandit(LEAK)], []).exit_code == FOUND
    assert verdict([_bandit(LEAK)], [KNOWN]).exit_code == CLEAN
    elsewhere = Finding("bandit", "B105", "functions/y.py:7", "a password")
    assert verdict([_bandit(LEAK, elsewhere)], [KNOWN]).open == (elsewhere,)


def test_a_scanner_that_looked_at_nothing_is_not_clean() -> None:
    found = verdict([_bandit(checked=0)], [])
    assert found.exit_code == NOT_CHECKED
    assert "no file was checked" in "\n".join(told(found))


def test_one_file_that_was_skipped_outweighs_any_finding() -> None:
    found = verdict([_bandit(LEAK, unchecked=("functions/z.py was skipped",))], [])
    assert found.exit_code == NOT_CHECKED
    assert "functions/z.py was skipped" in "\n".join(told(found))


def test_an_acknowledgement_that_covers_nothing_any_more_must_go() -> None:
    assert verdict([_bandit()], [KNOWN]).stale == (KNOWN,)
    assert verdict([_bandit(unchecked=("x",))], [KNOWN]).stale == (), "who could not look cannot say it is gone"


def test_every_acknowledgement_gives_a_reason() -> None:
    assert all(len(known.reason) > 15 for known in ACKNOWLEDGED)


def test_every_lock_is_audited_and_each_pin_of_this_python_is_expected() -> None:
    assert {str(lock.relative_to(ROOT)) for lock in dependencies.locks(ROOT)} == {
        *("requirements.txt", "requirements-dev.txt", "requirements-judges.txt"),
        *(str(lock.relative_to(ROOT)) for lock in (ROOT / "layers").glob("*/requirements.txt")),
    }
    for lock in dependencies.locks(ROOT):
        assert dependencies.pins(lock), lock


def test_a_pin_for_another_system_is_not_expected(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.txt"
    lock.write_text('a==1 \\\n  --hash=x\nb==2 ; sys_platform == "win32" \\\n  --hash=x\nc-d==3\n')
    assert dependencies.pins(lock) == {"a": "1", "c-d": "3"}


class _Osv(BaseHTTPRequestHandler):
    """The database of known flaws, as far as pip-audit asks it; one package of ours is in it."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        flaw = {
            "id": "GHSA-test",
            "aliases": [],
            "summary": "it leaks",
            "affected": [{"package": {"name": "duckdb", "ecosystem": "PyPI"}, "ranges": []}],
        }
        body = json.dumps({"vulns": [flaw]} if asked["package"]["name"] == "duckdb" else {}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def database() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Osv)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1/query"
    server.shutdown()


@pytest.fixture
def one_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pip_audit", reason="the scanners are not installed: make setup")
    monkeypatch.setattr(dependencies, "locks", lambda root: [root / "layers" / "usage" / "requirements.txt"])


@pytest.mark.usefixtures("one_lock")
def test_a_known_flaw_of_a_pinned_package_is_found(database: str) -> None:
    scan = dependencies.scan(ROOT, database)
    assert not scan.unchecked
    assert scan.checked == len(dependencies.pins(dependencies.locks(ROOT)[0]))
    assert [(f.rule, f.where.partition("==")[0]) for f in scan.findings] == [("GHSA-test", "duckdb")]


@pytest.mark.usefixtures("one_lock")
def test_a_database_that_does_not_answer_is_told_loudly() -> None:
    found = verdict([dependencies.scan(ROOT, "http://127.0.0.1:9/v1/query")], [])
    assert found.exit_code == NOT_CHECKED
    assert "layers/usage/requirements.txt" in found.unchecked[0]
