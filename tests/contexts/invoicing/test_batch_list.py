"""The names of a run's batches lie in a file: what the workflow carries does not grow with them."""

from __future__ import annotations

import json

from saldo.invoicing.run.batch_list import lay_down
from saldo.invoicing.run.model import batch_name
from saldo.storage.files import Files
from tests.simulation.region import Buckets, Wire

RUN = "run_eu_seller_20260101"


def test_of_millions_of_invoices_the_workflow_is_told_a_count_and_a_file() -> None:
    buckets = Buckets(Wire())
    names = [batch_name(n) for n in range(100_000)]
    told = lay_down(Files(buckets, "work"), RUN, 1, names)  # type: ignore[arg-type]
    assert len(json.dumps(told)) < 200 and told["count"] == 100_000
    assert [item["batch"] for item in json.loads(buckets.files["work", told["key"]])] == names


def test_nobody_reads_a_list_that_another_execution_wrote_over() -> None:
    """One that numbered what came late has more to issue; the other still reads its own."""
    buckets = Buckets(Wire())
    files = Files(buckets, "work")  # type: ignore[arg-type]
    first = lay_down(files, RUN, 1, ["a.0.1"])
    more = lay_down(files, RUN, 1, ["a.0.1", "b.0.201"])
    assert lay_down(files, RUN, 1, ["a.0.1"]) == first and first["key"] != more["key"]
    assert json.loads(buckets.files["work", first["key"]]) == [{"batch": "a.0.1"}]


def test_where_there_is_nothing_to_do_there_is_no_list() -> None:
    buckets = Buckets(Wire())
    assert lay_down(Files(buckets, "work"), RUN, 1, [])["count"] == 0  # type: ignore[arg-type]
    assert buckets.files == {}
