"""What the synthesised templates grant: policies of each function, and the names and keys of what they speak of."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from infra.cdk.functions import ALL
from tests.assembly import CONCERNS, ENV, assembly
from tests.permissions.iam import Statement

Template = dict[str, Any]
ACCOUNT, REGION = "111111111111", "eu-central-1"
_PSEUDO = {
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::NoValue": "",
}
# Type of a resource: kind of ours, the property that names it, the property path of its key.
_KINDS = {
    "AWS::DynamoDB::Table": ("table", "TableName", ("SSESpecification", "KMSMasterKeyId")),
    "AWS::S3::Bucket": ("bucket", "BucketName", ()),
    "AWS::SQS::Queue": ("queue", "QueueName", ("KmsMasterKeyId",)),
    "AWS::KMS::Key": ("key", "", ()),
    "AWS::Events::EventBus": ("bus", "Name", ()),
    "AWS::StepFunctions::StateMachine": (
        "machine",
        "StateMachineName",
        ("EncryptionConfiguration", "KmsKeyId"),
    ),
    "AWS::SecretsManager::Secret": ("secret", "Name", ("KmsKeyId",)),
    "AWS::Lambda::Function": ("function", "FunctionName", ()),
    "AWS::Cognito::UserPool": ("pool", "UserPoolName", ()),
    "AWS::SNS::Topic": ("topic", "TopicName", ("KmsMasterKeyId",)),
    "AWS::Logs::LogGroup": ("log", "LogGroupName", ()),
}
_ARNS = {
    "table": "dynamodb:{region}:{account}:table/{name}",
    "bucket": "s3:::{name}",
    "queue": "sqs:{region}:{account}:{name}",
    "key": "kms:{region}:{account}:key/{name}",
    "bus": "events:{region}:{account}:event-bus/{name}",
    "machine": "states:{region}:{account}:stateMachine:{name}",
    "secret": "secretsmanager:{region}:{account}:secret:{name}",
    "function": "lambda:{region}:{account}:function:{name}",
    "pool": "cognito-idp:{region}:{account}:userpool/{name}",
    "topic": "sns:{region}:{account}:{name}",
    "log": "logs:{region}:{account}:log-group:{name}",
    "role": "iam::{account}:role/{name}",
    "mail": "ses:{region}:{account}:identity/{name}",
}
# Settings by which functions know what they call, and its kind.
_SETTINGS = {
    **{f"SALDO_{name}": "table" for name in ("TABLE", "KEYS_TABLE")},
    **{f"SALDO_{name}_BUCKET": "bucket" for name in ("DOCUMENTS", "IMPORTS", "USAGE", "UPLOADS", "AUDIT", "WORK")},
    **{f"SALDO_{name}_QUEUE_URL": "queue" for name in ("GATEWAY", "USAGE")},
    **{f"SALDO_{name}_SECRET_ARN": "secret" for name in ("GATEWAY", "TAX")},
    **{f"SALDO_{name}_FUNCTION": "function" for name in ("DOCUMENTS", "COUNT_USAGE")},
    "SALDO_KMS_KEY_ID": "key",
    "SALDO_DETAILS_KEY_ID": "key",
    "SALDO_DOCUMENTS_KEY_ID": "key",
    "SALDO_BUS": "bus",
    "SALDO_STATE_MACHINE_ARN": "machine",
    "SALDO_USER_POOL_ID": "pool",
    "SALDO_MAIL_FROM": "mail",
    "SALDO_CUSTOMER_ROLE_ARN": "role",
}
# What each function that has the setting has of its own.
_OWN = {"SALDO_PARTS_QUEUE_URL": "queue"}
Aliases = Mapping[tuple[str, str], str]


@dataclass(frozen=True)
class Names:
    """Names as a test gives them, told as the deployment has them.

    `aliases`: (kind, a test's name) to the deployed ARN; `keys`: ARN to that of the key it is kept under; `own`: the
    aliases that mean something else to each function.
    """

    aliases: Aliases
    keys: Mapping[str, str]
    region: str = REGION
    own: Mapping[str, Aliases] = field(default_factory=dict)

    def to(self, function: str) -> Names:
        """As this function has them."""
        return replace(self, aliases={**self.aliases, **self.own[function]}) if function in self.own else self

    def arn(self, kind: str, name: str) -> str:
        """Of the deployed thing; of one that nobody deployed, what its ARN would be."""
        return self.aliases.get((kind, _plain(kind, name))) or _arn(kind, name)

    def key_of(self, arn: str) -> str:
        """The customer-managed key it is kept under, "" for none."""
        return self.keys.get(arn, "")

    def execution(self, arn: str) -> str:
        return arn if arn.startswith("arn:") else _arn("machine", arn).replace("stateMachine", "execution")


@dataclass(frozen=True)
class Deployed:
    """Region eu of the environment that tests synthesise.

    `statements`: by function, and by name of the roles that functions assume.
    """

    templates: Mapping[str, Template]
    statements: Mapping[str, tuple[Statement, ...]] = field(default_factory=dict)
    settings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # of each function, resolved
    keys: Mapping[str, str] = field(default_factory=dict)

    def names(self, environment: Mapping[str, str]) -> Names:
        """For tests that run functions with these settings instead of the deployed ones."""
        there = next(iter(self.settings.values())) | self.settings["portal"]
        aliases = {
            (kind, _plain(kind, environment[name])): _arn(kind, _plain(kind, there[name]))
            for name, kind in _SETTINGS.items()
            if environment.get(name) and there.get(name)
        }
        own = {function: self._own(environment, settings) for function, settings in self.settings.items()}
        return Names(aliases, self.keys, own={function: names for function, names in own.items() if names})

    def _own(self, environment: Mapping[str, str], settings: Mapping[str, str]) -> Aliases:
        return {
            (kind, _plain(kind, environment[name])): _arn(kind, _plain(kind, settings[name]))
            for name, kind in _OWN.items()
            if environment.get(name) and settings.get(name)
        }


def deployed() -> Deployed:
    """Read once from the assembly of the tests."""
    folder = assembly().folder
    return read({c: json.loads((folder / f"saldo-{ENV}-eu-{c}.template.json").read_text()) for c in CONCERNS})


def read(templates: Mapping[str, Template]) -> Deployed:
    resolve = _Resolver(templates)
    statements, settings = {}, {}
    by_name = {f"saldo-{ENV}-{spec.name.replace('_', '-')}": spec.name for spec in ALL}
    for concern, function in _of_type(templates, "AWS::Lambda::Function"):
        name = by_name[function["Properties"]["FunctionName"]]
        statements[name] = tuple(_statements(templates[concern], function, resolve.within(concern), name))
        variables = function["Properties"]["Environment"]["Variables"]
        settings[name] = {k: str(resolve.within(concern).value(v)) for k, v in variables.items()}
    for concern, role in _of_type(templates, "AWS::IAM::Role"):
        if "RoleName" in role["Properties"]:
            named = str(resolve.within(concern).value(role["Properties"]["RoleName"]))
            statements[named] = tuple(_inline(role, resolve.within(concern), named))
    return Deployed(templates, statements, settings, dict(_keys(templates, resolve)))


def _inline(role: Any, resolve: _Resolver, name: str) -> Iterator[Statement]:
    for policy in role["Properties"]["Policies"]:
        for number, raw in enumerate(policy["PolicyDocument"]["Statement"]):
            yield Statement.of(resolve.value(raw), f"{name}/{policy['PolicyName']}[{number}]")


def _statements(template: Template, function: Any, resolve: _Resolver, name: str) -> Iterator[Statement]:
    role = function["Properties"]["Role"]["Fn::GetAtt"][0]
    assert "ManagedPolicyArns" not in template["Resources"][role]["Properties"], f"{name} has managed policies"
    documents = [
        (one["PolicyDocument"], f"{name}/{logical}")
        for logical, resource in template["Resources"].items()
        if resource["Type"] in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy")
        for one in [resource["Properties"]]
        if {"Ref": role} in one.get("Roles", [])
    ]
    assert documents, f"no policy for {name}"
    for document, where in documents:
        for number, raw in enumerate(document["Statement"]):
            yield Statement.of(resolve.value(raw), f"{where}[{number}]")


def _keys(templates: Mapping[str, Template], resolve: _Resolver) -> Iterator[tuple[str, str]]:
    for concern, template in templates.items():
        for logical, resource in template["Resources"].items():
            kind, _, path = _KINDS.get(resource["Type"], ("", "", ()))
            found = _bucket_key(resource) if kind == "bucket" else _at(resource["Properties"], path) if path else None
            if found is not None:
                here = resolve.within(concern)
                yield here.value({"Fn::GetAtt": [logical, "Arn"]}), here.value(found)


def _bucket_key(bucket: Any) -> Any:
    rules = bucket["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    return rules[0]["ServerSideEncryptionByDefault"].get("KMSMasterKeyID")


def _at(value: Any, path: tuple[str, ...]) -> Any:
    for step in path:
        value = value.get(step, {}) if isinstance(value, dict) else {}
    return value or None


def _of_type(templates: Mapping[str, Template], kind: str) -> Iterator[tuple[str, Any]]:
    for concern, template in templates.items():
        for resource in template["Resources"].values():
            if resource["Type"] == kind:
                yield concern, resource


def _arn(kind: str, name: str) -> str:
    if name.startswith("arn:"):
        return name
    return "arn:aws:" + _ARNS[kind].format(region=REGION, account=ACCOUNT, name=_plain(kind, name))


def _plain(kind: str, name: str) -> str:
    """A queue is known by its URL, a mail identity by an address of its domain."""
    if kind == "queue":
        return name.rpartition("/")[2]
    return name.rpartition("@")[2] if kind == "mail" else name


class _Resolver:
    """CloudFormation's functions, as far as policies and settings use them; any other raises."""

    def __init__(self, templates: Mapping[str, Template], concern: str = "") -> None:
        self._templates, self._concern = templates, concern

    def within(self, concern: str) -> _Resolver:
        return _Resolver(self._templates, concern)

    def value(self, expression: Any) -> Any:
        if isinstance(expression, list):
            return [self.value(one) for one in expression]
        if not isinstance(expression, dict):
            return expression
        if len(expression) == 1:
            name, argument = next(iter(expression.items()))
            if name == "Ref" or name.startswith("Fn::"):
                return self._call(name, argument)
        return {key: self.value(one) for key, one in expression.items()}

    def _call(self, function: str, argument: Any) -> Any:
        if function == "Ref":
            return self._ref(argument)
        if function == "Fn::GetAtt":
            return self._attribute(*argument)
        if function == "Fn::Join":
            return argument[0].join(str(self.value(part)) for part in argument[1])
        if function == "Fn::Select":
            return self.value(argument[1])[argument[0]]
        if function == "Fn::Split":
            return str(self.value(argument[1])).split(argument[0])
        if function == "Fn::ImportValue":
            return self._imported(argument)
        raise NotImplementedError(function)

    def _ref(self, name: str) -> str:
        if name in _PSEUDO:
            return _PSEUDO[name]
        parameters = self._templates[self._concern].get("Parameters", {})
        if name in parameters:
            return str(parameters[name].get("Default", name))
        kind, named = self._named(name)
        if kind == "queue":
            return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{named}"
        return _arn(kind, named) if kind in ("secret", "topic", "machine") else named

    def _attribute(self, name: str, attribute: str) -> str:
        kind, named = self._named(name)
        if kind and attribute == "Arn":
            return _arn(kind, named) + (":*" if kind == "log" else "")
        return f"{named}.{attribute}"

    def _named(self, name: str) -> tuple[str, str]:
        resource = self._templates[self._concern]["Resources"][name]
        kind, naming, _ = _KINDS.get(resource["Type"], ("", "", ()))
        return kind, str(self.value(resource["Properties"].get(naming, name)))

    def _imported(self, exported: str) -> Any:
        for concern, template in self._templates.items():
            for output in template.get("Outputs", {}).values():
                if output.get("Export", {}).get("Name") == exported:
                    return self.within(concern).value(output["Value"])
        raise KeyError(exported)
