"""How templates are put onto one machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.deployment import DeploymentFailedError, without_dropped, zipped
from local.lock import LAYERS, ROOT, layer_lock
from local.place import Place

ASSOCIATION = {"Type": "AWS::WAFv2::WebACLAssociation", "Properties": {"ResourceArn": {"Ref": "Api"}}}


def test_named_types_are_left_out_with_what_depends_on_them() -> None:
    template = {
        "Resources": {"Api": {"Type": "AWS::ApiGateway::RestApi", "DependsOn": ["Guard"]}, "Guard": ASSOCIATION},
        "Parameters": {"BootstrapVersion": {}, "GatewayUrl": {}},
        "Outputs": {"Guard": {"Value": {"Ref": "Guard"}}, "Api": {"Value": {"Ref": "Api"}}},
        "Rules": {"CheckBootstrapVersion": {}},
    }
    left = without_dropped(template)
    assert left["Resources"] == {"Api": {"Type": "AWS::ApiGateway::RestApi", "DependsOn": []}}
    assert set(left["Parameters"]) == {"GatewayUrl"}
    assert set(left["Outputs"]) == {"Api"}
    assert "Rules" not in left


def test_alarms_on_expressions_are_left_out_and_others_are_not() -> None:
    plain = {"Type": "AWS::CloudWatch::Alarm", "Properties": {"MetricName": "Errors"}}
    math = {"Type": "AWS::CloudWatch::Alarm", "Properties": {"Metrics": [{"Id": "e", "Expression": "a+b"}]}}
    assert set(without_dropped({"Resources": {"Plain": plain, "Math": math}})["Resources"]) == {"Plain"}


def test_nothing_may_refer_to_what_is_left_out() -> None:
    user = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Fn::GetAtt": ["Guard", "Name"]}}}
    with pytest.raises(DeploymentFailedError, match="Topic refers to"):
        without_dropped({"Resources": {"Guard": ASSOCIATION, "Topic": user}})


def test_the_same_code_makes_the_same_zip(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder / "sub").mkdir(parents=True)
        (tmp_path / folder / "sub" / "file.py").write_text("x = 1\n")
    assert zipped(tmp_path / "one") == zipped(tmp_path / "two")


def test_an_instance_lives_where_its_environment_says(tmp_path: Path) -> None:
    place = Place.from_environment({"SALDO_PORT_BASE": "9000", "SALDO_STATE_DIR": str(tmp_path)})
    assert place.portal_origins == {"eu": "http://localhost:9000", "us": "http://localhost:9001"}
    assert (place.gateway_port, place.aws_port) == (9002, 9003)
    assert place.state == tmp_path


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_carries_exactly_the_pins_that_are_tested(layer: str) -> None:
    assert (ROOT / "layers" / layer / "requirements.txt").read_text() == layer_lock(layer)
