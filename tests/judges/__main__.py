"""`make judges`: schemathesis holds the API against its own description, wapiti attacks the pages, both over HTTP.

They run in a virtual environment of their own (requirements-judges.txt), against the applications of this process.
Fails when either finds something. EXAMPLES: how many requests schemathesis makes of each route, SEED: which;
LIMIT_S: how long wapiti may look around.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from functions.api.v1.app import app as api_app
from local.place import ROOT
from tests.functions.api.conftest import OWN_ACCOUNT
from tests.functions.api.conftest import build as build_api
from tests.functions.security.town import NORTH, furnished
from tests.web.serving import served

HOME = ROOT / "build" / "judges"
# Each event of a batch is answered for itself, so a batch with wrong events is taken in. No schema can say that a time
# zone exists or a cursor is ours: what fits the schema may be refused.
CONFIGURATION = """
[checks]
positive_data_acceptance.enabled = false

[[operations]]
include-path = "/api/v1/usage-events"
checks.negative_data_rejection.enabled = false

[parameters]
"""
# Of wapiti's modules those that make sense without a name, a certificate and known products; as little of the rest of
# the network is asked as can be: nothing.
MODULES = (
    *("backup", "crlf", "csrf", "exec", "file", "htaccess", "http_headers", "cookieflags", "csp", "ldap", "methods"),
    *("permanentxss", "redirect", "sql", "ssrf", "xss", "xxe"),
)
# What would end the session that it looks with, and files that are made anew for each request.
OUT = ("/sign-out", "/profile/sessions/end", "/profile/sessions/end-others", "/profile/language", "/*/pdf")


# wapiti knows by name which field of a form is to prove where the form is from, and changes it to see whether anybody
# minds. Ours is told to it.
WAPITI = """
import sys
from wapitiCore.attack.mod_csrf import ModuleCsrf
from wapitiCore.main.wapiti import wapiti_asyncio_wrapper
ModuleCsrf.TOKEN_FORM_STRINGS.append("form_key")
sys.exit(wapiti_asyncio_wrapper())
"""
ACKNOWLEDGED = {
    # Read out of saldo.js, without the form that it sends; without its key the answer is 403 (test_forms).
    ("Cross Site Request Forgery", "POST", "/session/extend"),
}


def main() -> int:
    """0 when neither found anything."""
    failed = [name for name, judge in (("schemathesis", schemathesis), ("wapiti", wapiti)) if judge() != 0]
    sys.stdout.write(f"\n  found something: {', '.join(failed) or 'nobody'}\n")
    return 1 if failed else 0


def schemathesis() -> int:
    """The API's own description, its examples, its borders, and what chance makes of it."""
    with _quiet(), pytest.MonkeyPatch.context() as environment:
        api = build_api(environment)
        with served(api_app.checked(), 0) as origin:
            known = {**api.has[OWN_ACCOUNT], "batch_id": "batch_x"}
            lines = [f'"path.{name}" = {json.dumps(id_)}\n' for name, id_ in sorted(known.items())]
            config = HOME / "schemathesis.toml"
            config.write_text(CONFIGURATION + "".join(lines))
            token = api.token(rate=6000)
            command = [HOME / "bin" / "schemathesis", "--config-file", config, "run", f"{origin}/api/v1/openapi.json"]
            more = ["--max-examples", os.environ.get("EXAMPLES", "50"), "--seed", os.environ.get("SEED", "7")]
            more += [
                "--phases",
                os.environ.get("PHASES", "examples,coverage,fuzzing"),
                "--generation-database",
                "none",
                "--no-color",
            ]
            return subprocess.run(
                [*command, "-H", f"Authorization: Bearer {token}", *more], check=False, cwd=HOME
            ).returncode


def wapiti() -> int:
    """The pages of a customer who is signed in, each with one of everything."""
    report = HOME / "wapiti.json"
    with _quiet(), furnished() as town:
        browser = town.portal.signed_in("admin")
        with served(town.portal.app, 8080) as origin:
            cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
            command = [
                HOME / "bin" / "python",
                "-c",
                WAPITI,
                "-u",
                f"{origin}/accounts/{NORTH}",
                "--scope",
                "domain",
                "-m",
                ",".join(MODULES),
            ]
            command += [part for path in OUT for part in ("-x", f"{origin}{path}")]
            command += [
                "-H",
                f"Cookie: {cookies}",
                "--max-scan-time",
                os.environ.get("LIMIT_S", "900"),
                "--no-bugreport",
            ]
            command += ["-f", "json", "-o", report, "--flush-session", "-v", "0", "--max-parameters", "20"]
            command += ["-d", "3", "--max-links-per-page", "60", "-r", "lang", "-r", "order", "--max-attack-time", "90"]
            done = subprocess.run(command, check=False, cwd=HOME, env={**os.environ, "HOME": str(HOME)})
    return done.returncode or told(report)


def told(report: Path) -> int:
    """How many flaws a report of wapiti names; each is printed."""
    written = json.loads(report.read_text("utf-8"))
    told_of = (kinds for part in ("vulnerabilities", "anomalies") for kinds in written[part].items())
    found = [(kind, one) for kind, all_of_it in told_of for one in all_of_it]
    found = [(kind, one) for kind, one in found if (kind, one["method"], one["path"]) not in ACKNOWLEDGED]
    for kind, one in found:
        sys.stdout.write(f"  {kind}: {one['method']} {one['path']} {one.get('parameter') or ''}: {one['info']}\n")
    sys.stdout.write(f"  wapiti looked at {written['infos'].get('crawled_pages_nbr', '?')} pages: {len(found)} flaws\n")
    return len(found)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the log lines of the applications, which are thousands."""
    from functions.http import telemetry

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(telemetry, "_write", lambda _line: None)
        os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "Saldo")
        yield


if __name__ == "__main__":
    sys.exit(main())
