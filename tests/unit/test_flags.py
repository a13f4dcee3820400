"""Feature flags: one list, whom each is on for, and what holds when AppConfig does not answer."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from aws_lambda_powertools.utilities.feature_flags.exceptions import ConfigurationStoreError
from botocore.response import StreamingBody
from botocore.stub import Stubber

from local.place import ROOT
from saldo.storage.flags import FRESH_S, Flags, carried, from_appconfig, is_on

USED = re.compile(r'\.on\(\s*"([a-z_]+)"')


def _when(value: bool, **conditions: str) -> dict[str, Any]:
    asked = [{"action": "EQUALS", "key": key, "value": wanted} for key, wanted in conditions.items()]
    return {"when_match": value, "conditions": asked}


PHASED = {"new": {"default": False, "rules": {"first": _when(True, region="eu", segment="trade")}}}


def test_every_flag_says_why_whose_and_until_when_and_is_not_past_its_day() -> None:
    today = datetime.now(UTC).date()
    for name, flag in carried().items():
        assert len(flag["why"]) > 30, name
        assert flag["owner"], name
        assert isinstance(flag["default"], bool), name
        assert today <= date.fromisoformat(flag["remove_by"]), (
            f"{name} was to be gone by {flag['remove_by']}: take it out"
        )


def test_every_flag_is_used_and_every_flag_in_use_is_on_the_list() -> None:
    sources = [*(ROOT / "functions").rglob("*.py"), *(ROOT / "layers/saldo").rglob("*.py")]
    used = {name for source in sources for name in USED.findall(source.read_text())}
    assert used == set(carried())


def test_a_flag_is_on_for_the_regions_and_segments_that_its_rules_name() -> None:
    assert is_on(PHASED, "new", "eu", "trade")
    assert not is_on(PHASED, "new", "us", "trade")
    assert not is_on(PHASED, "new", "eu", "")


def test_a_flag_that_is_not_on_the_list_is_an_error() -> None:
    with pytest.raises(KeyError):
        Flags("eu").on("late_chargez")


def test_a_region_can_be_held_back_without_a_deployment_of_code() -> None:
    held = {"late_charges": {"default": True, "rules": {"not in the us yet": _when(False, region="us")}}}
    assert Flags("eu", lambda: held).on("late_charges")
    assert not Flags("us", lambda: held).on("late_charges")


class Service:
    """AppConfig: what it answers, and how often it was asked."""

    def __init__(self) -> None:
        self.answer: Any = {"late_charges": {"default": False}}
        self.asked = 0

    def __call__(self) -> Mapping[str, Any]:
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return dict(self.answer)


def test_it_is_asked_once_a_minute_and_what_it_said_last_holds_while_it_is_silent() -> None:
    service, now = Service(), [0.0]
    flags = Flags("eu", service, lambda: now[0])
    assert [flags.on("late_charges") for _ in range(50)] == [False] * 50
    assert service.asked == 1
    service.answer, now[0] = ConfigurationStoreError("no answer"), now[0] + FRESH_S
    assert [flags.on("late_charges") for _ in range(50)] == [False] * 50
    assert service.asked == 2


@pytest.mark.parametrize("answer", [ConfigurationStoreError("no answer"), {"late_charges": "yes"}])
def test_before_it_ever_answered_sense_the_carried_list_holds(answer: Any) -> None:
    service = Service()
    service.answer = answer
    assert Flags("eu", service).on("late_charges") is carried()["late_charges"]["default"]


def test_the_list_is_read_from_appconfig_by_name() -> None:
    client = boto3.client("appconfigdata", region_name="eu-central-1")
    with Stubber(client) as stub, patch("saldo.storage.clients.client", lambda _service: client):
        asked = {
            "ConfigurationProfileIdentifier": "flags",
            "ApplicationIdentifier": "a",
            "EnvironmentIdentifier": "all",
        }
        stub.add_response("start_configuration_session", {"InitialConfigurationToken": "t"}, asked)
        listed = json.dumps({"late_charges": {"default": False}}).encode()
        content = StreamingBody(io.BytesIO(listed), len(listed))
        answer: Any = {"NextPollConfigurationToken": "u", "Configuration": content, "NextPollIntervalInSeconds": 60}
        stub.add_response("get_latest_configuration", answer, {"ConfigurationToken": "t"})
        assert not Flags("eu", from_appconfig("a", "all")).on("late_charges")
