"""Functions run under the policies that get deployed: an over-reach is refused, a policy too narrow stops the work."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.cdk.functions import ALL
from tests.permissions.gate import Gate, acting
from tests.permissions.iam import Statement
from tests.permissions.unused import Granted, granted, unused
from tests.simulation import matrix
from tests.simulation.region import Region, enforced, quiet
from tests.simulation.workflows import FAILURES, workflows
from tests.simulation.workflows.scenes import FEB, JAN, account_id, bill, billed, sell
from tests.simulation.workflows.usage import import_large_file, with_large_file

FLOWS = {flow.name: flow for flow in workflows()}
# A workflow for each kind of thing that is granted, the function that does it, and the word it cannot do without.
NEEDED = (
    ("run: first", "bill_accounts", "dynamodb:BatchGetItem"),
    ("run: first", "issue_invoices", "dynamodb:PutItem"),
    ("run: first", "number_invoices", "dynamodb:UpdateItem"),
    ("run: watch", "watch_runs", "states:StartExecution"),
    ("deliver: invoice", "delivery", "ses:SendEmail"),
    ("deliver: invoice", "delivery", "s3:PutObject"),
    ("render: invoice", "documents", "kms:Decrypt"),
    ("publish: events of the stream", "publish_events", "events:PutEvents"),
    ("usage: accept", "accept_usage", "sqs:SendMessage"),
    ("pay: parked news", "sweep_payments", "dynamodb:DeleteItem"),
    ("audit: anchor", "anchor_audit", "dynamodb:Scan"),
)
# Wildcards that no workflow needs, each with the reason why it stands.
WILD_AND_UNUSED = {
    ("anchor_audit", "s3:GetObject"): "roots are read in versions; the plain right answers 404 for a day without one",
    ("assess_late_charges", "appconfig:StartConfigurationSession"): "flags come from the carried list here",
    ("assess_late_charges", "appconfig:GetLatestConfiguration"): "flags come from the carried list here",
    ("import_invoices", "s3:PutObject"): "the report of a file with rejected rows, tests/contexts/integration",
    ("import_orders", "s3:PutObject"): "reports and EDI acknowledgements, tests/contexts/orders",
}


def _calls(region: Region) -> Iterator[tuple[str, Any]]:
    """Reaching too far, each by a client as the function has it."""
    table, queue, files = region.client("dynamodb"), region.client("sqs"), region.client("s3")
    yield "portal", lambda: table.scan(TableName="records")
    yield "bill_accounts", lambda: table.scan(TableName="records")
    yield "close_run", lambda: table.get_item(TableName="others", Key={"pk": {"S": "a"}, "sk": {"S": "b"}})
    yield "open_run", lambda: table.get_item(TableName="keys", Key={"pk": {"S": "org_eu_1"}})
    yield "accept_usage", lambda: queue.send_message(QueueUrl="gateway-of-others", MessageBody="{}")
    yield "gateway_events", lambda: queue.send_message(QueueUrl="usage", MessageBody="{}")
    yield "documents", lambda: files.get_object(Bucket="imports", Key="open.csv")
    yield "import_usage", lambda: files.put_object(Bucket="usage", Key="other/part", Body=b"", ContentType="")
    yield "import_invoices", lambda: files.put_object(Bucket="imports", Key="open.csv", Body=b"", ContentType="")
    yield "record_tax", lambda: table.put_item(TableName="records", Item={"pk": {"S": "a"}, "sk": {"S": "b"}})
    yield (
        "issue_invoices",
        lambda: table.transact_write_items(
            TransactItems=[{"Delete": {"TableName": "records", "Key": {"pk": {"S": "a"}, "sk": {"S": "b"}}}}]
        ),
    )
    purpose = {"organisation": "org_eu_1", "region": "eu", "purpose": "backup"}
    yield "delivery", lambda: region.client("kms").decrypt(KeyId="key-1", CiphertextBlob=b"", EncryptionContext=purpose)
    keys = region.client("kms")
    plain = {"KeyId": "key-details", "Message": b"", "MessageType": "RAW", "SigningAlgorithm": "ECDSA_SHA_256"}
    for other in ("api_v1", "documents", "delivery", "make_bundles", "canary", "issue_invoices"):
        yield other, lambda: keys.sign(**plain)
    for other in ("portal", "api_v1", "canary", "issue_invoices"):
        yield other, lambda: keys.sign(**plain | {"KeyId": "key-documents"})
    yield "portal", lambda: keys.sign(**plain | {"MessageType": "DIGEST"})
    yield "portal", lambda: keys.sign(**plain | {"KeyId": "key-1"})
    yield (
        "publish_events",
        lambda: region.client("events").put_events(Entries=[{"EventBusName": "default", "Source": "saldo"}]),
    )
    yield "portal", lambda: region.client("lambda").invoke(FunctionName="count_usage", Payload=b"{}")


@pytest.mark.parametrize("number", range(len(list(_calls(Region())))))
def test_what_reaches_too_far_is_refused_as_aws_refuses_it(number: int) -> None:
    region = Region()
    function, call = list(_calls(region))[number]
    with region.serving(), acting(function), pytest.raises(ClientError, match="not authorized") as refused:
        call()
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
    assert region.wire.calls == 0, "nothing was carried out"


@pytest.mark.parametrize(("name", "function", "action"), NEEDED)
def test_a_policy_that_lacks_one_word_stops_the_work(name: str, function: str, action: str) -> None:
    region, flow = Region(), FLOWS[name]
    with region.serving(), quiet():
        flow.prepare(region)
        region.restart()
        deployed = enforced()
        region.gate = Gate(
            {**deployed.policies, function: _without(deployed.policies[function], action)}, deployed.names
        )
        with pytest.raises(Exception):  # noqa: B017 - of what class, the function's own handler says
            _work_until_done(region, flow.work)
        assert any(role == function and ask.action == action for role, ask in region.gate.refused)


def _work_until_done(region: Region, work: Any) -> None:
    for _ in range(2):  # a queue hands back what failed
        try:
            work(region)
            return
        except FAILURES:
            region.restart()
    raise AssertionError("it never gets done")


def _without(statements: Sequence[Statement], action: str) -> list[Statement]:
    return [
        replace(s, actions=tuple(a for a in s.actions if a != action)) if s.effect == "Allow" else s for s in statements
    ]


def test_another_customers_partition_is_refused_to_a_session_that_names_its_own() -> None:
    region, deployed = Region(), enforced()
    own = {"dynamodb:LeadingKeys": [account_id(0)]}
    narrowed = Statement.of(
        {
            "Effect": "Allow",
            "Action": ["dynamodb:GetItem", "dynamodb:Query", "kms:Decrypt"],
            "Resource": "*",
            "Condition": {"ForAllValues:StringEquals": own},
        }
    )
    region.gate = Gate(deployed.policies, deployed.names, {"portal": [narrowed]})
    with region.serving():
        billed(region)
        with acting("portal"):
            assert region.store.get(account_id(0), "account")
            with pytest.raises(ClientError, match="not authorized"):
                region.store.get(account_id(1), "account")


def test_a_large_accounts_usage_is_counted_by_the_function_that_may_read_the_files() -> None:
    region, before = Region(), enforced().used.copy()
    with region.serving(), quiet():
        with_large_file(region)
        import_large_file(region)
        sell(region, 7, started_on=JAN)
        bill(region, FEB)
    used = {(function, action) for function, _, action, _ in enforced().used - before}
    assert ("bill_accounts", "lambda:InvokeFunction") in used
    assert ("count_usage", "s3:GetObject") in used


@lru_cache(maxsize=1)
def _all_workflows() -> tuple[frozenset[str], tuple[Granted, ...]]:
    """Functions that workflows run, and what is granted to them and never used."""
    gate = enforced()
    gate.refused.clear()
    gate.used.clear()  # of what other tests of this process did
    with quiet():
        for flow in FLOWS.values():
            matrix.undisturbed(flow)
    assert not gate.refused
    ran = frozenset(function for function, *_ in gate.used)
    return ran, tuple(one for one in unused(gate.policies, gate.used) if one.function in ran)


def test_every_workflow_gets_through_under_the_deployed_policies() -> None:
    ran, _ = _all_workflows()
    elsewhere = {"portal", "api_v1", "canary"}  # tests/functions, tests/simulation/test_canary.py
    assert {spec.name for spec in ALL} - ran == {*elsewhere, "create_double"}


def test_no_wildcard_is_granted_that_nothing_needs() -> None:
    _, idle = _all_workflows()
    wild = {(one.function, one.action) for one in idle if one.is_wild}
    assert wild == set(WILD_AND_UNUSED)


def test_no_function_may_delete_records_that_never_does_in_any_workflow() -> None:
    """A grant of its own, because what is posted does not change: whoever deletes must need to."""
    _, idle = _all_workflows()
    found = {one.function for one in idle if one.action == "dynamodb:DeleteItem"}
    allowed = {
        "advance_clock": "it bills as a run does, which uses approvals up",
        "import_orders": "an order whose customer became known leaves the queue",
    }
    assert found == set(allowed)


def test_the_report_names_what_is_planted() -> None:
    deployed = enforced()
    planted = Statement("planted", "Allow", ("s3:DeleteObject",), ("arn:aws:s3:::*",))
    policies = {**deployed.policies, "close_run": [*deployed.policies["close_run"], planted]}
    found = [one for one in unused(policies, deployed.used) if one.statement == "planted"]
    assert [(one.function, one.action, one.is_wild) for one in found] == [("close_run", "s3:DeleteObject", True)]
    assert len(list(granted(policies))) == len(list(granted(deployed.policies))) + 1
