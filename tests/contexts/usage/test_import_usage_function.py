"""The function that imports usage from the bucket."""

from __future__ import annotations

import json

import boto3
import pytest

from saldo.storage.files import Files
from saldo.usage.ingest_import import UsageImport
from saldo.usage.model import Aggregation, Meter
from saldo.usage.service import Usage
from tests.contexts.conftest import Region
from tests.contexts.sellers import ACCOUNT, CLERK, ENTITY, register
from tests.contexts.usage.scenes import HEADER

FILE = f"""{HEADER}
gateway,e1,{ACCOUNT},calls,2026-10-05T10:00:00Z,
gateway,e2,{ACCOUNT},steps,2026-10-05T10:00:00Z,1
"""


@pytest.fixture
def bucket(region: Region, monkeypatch: pytest.MonkeyPatch) -> Files:
    import_usage = pytest.importorskip("functions.usage.import_usage")
    s3 = boto3.client("s3", region_name="us-east-1")
    s3.create_bucket(Bucket="imports")
    files = Files(s3, "imports")
    monkeypatch.setattr(import_usage, "usage_import", lambda: UsageImport(region.store, files, region.clock))
    register(region.store, region.sealer, region.clock)
    Usage(region.store, region.clock).define_meter(
        Meter("calls", ENTITY, Aggregation.COUNT, {"en": "Calls"}, {}), CLERK
    )
    return files


def test_it_answers_with_figures_and_leaves_the_report_beside_the_file(bucket: Files) -> None:
    from functions.usage.import_usage import handler

    bucket.put("usage/october.csv", FILE.encode(), "text/csv")
    answer = handler({"entity_id": ENTITY, "key": "usage/october.csv"}, None)
    assert {k: answer[k] for k in ("rows", "accepted", "duplicates", "rejected", "repeated")} == {
        "rows": 2,
        "accepted": 1,
        "duplicates": 0,
        "rejected": 1,
        "repeated": False,
    }
    (line,) = bucket.get(answer["report_key"]).splitlines()
    assert [p["code"] for p in json.loads(line)["problems"]] == ["unknown_meter"]
    assert handler({"entity_id": ENTITY, "key": "usage/october.csv"}, None)["repeated"] is True


def test_a_file_it_cannot_read_is_refused_in_words(bucket: Files) -> None:
    from functions.usage.import_usage import handler

    bucket.put("usage/none.csv", b"a,b\n", "text/csv")
    refused = handler({"entity_id": ENTITY, "key": "usage/none.csv"}, None)["refused"]
    assert refused["code"] == "invalid_header"
    assert len(refused["problems"]) == 8
    gone = handler({"entity_id": ENTITY, "key": "usage/gone.csv"}, None)
    assert gone["refused"]["code"] == "not_found"


def test_thresholds_of_the_accounts_in_a_file_are_looked_at_once(
    bucket: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    from functions.usage import watching
    from functions.usage.import_usage import handler

    looked_at: list[list[str]] = []
    watchers = type("Watchers", (), {"check": lambda _, accounts: looked_at.append(list(accounts)) or []})
    monkeypatch.setattr(watching, "thresholds", watchers)
    bucket.put("usage/october.csv", FILE.encode(), "text/csv")
    answers = [handler({"entity_id": ENTITY, "key": "usage/october.csv"}, None) for _ in range(2)]
    assert [a["repeated"] for a in answers] == [False, True]
    assert looked_at == [[ACCOUNT]]
    assert not any("accounts" in a for a in answers)
