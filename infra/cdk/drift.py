"""In what environments differ, and whether they were meant to.

Staging proves production only where both are the same. Everything they may differ in stands in INTENDED, with its
reason; any other difference is drift: of configuration (cdk.json), of templates (a branch in the code of the stacks),
or of what is deployed (someone's hand in the console).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from infra.cdk.environments import Environment

# One machine is no stage of a release: it runs the templates of `local`, and tests/stack prove them there.
STAGES = ("sandbox", "staging", "production")


@dataclass(frozen=True, slots=True)
class Intended:
    """`path`: a pattern over the path of a setting, such as `regions.eu.portal_origin`."""

    path: str
    reason: str


INTENDED = (
    Intended(r"name", "what an environment is"),
    Intended(r"account", "each environment is an AWS account of its own: nothing reaches from one into another"),
    Intended(r"alarm_mail", "who is woken"),
    Intended(r"mail_from", "a sandbox must not write in the seller's name"),
    Intended(r"gateway_url", "test and live payments are two services"),
    Intended(r"tax_url", "AvaTax has a sandbox of its own"),
    Intended(r"run_concurrency", "a sandbox's account has small quotas; staging runs as wide as production"),
    Intended(r"audit_retention_days", "what is locked in a sandbox cannot be cleaned up for as long"),
    Intended(r"month_end_invoices", "month ends are made ready, and paid, for what is billed there"),
    Intended(r"daily_cost_usd", "what a day may cost follows what is billed there"),
    Intended(r"regions\.\w+\.(portal_origin|zone\.(id|name))", "host names"),
)
# Of these, staging and production are nevertheless to be the same.
SAME_IN = {"run_concurrency": ("staging", "production"), "audit_retention_days": ("staging", "production")}

# Types of resources at which CloudFormation cannot look, each with how a change by hand of one shows otherwise. Of what
# is not named here, not looked at is not clean: the first look at a deployment tells what belongs here.
UNSEEN: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Difference:
    """`reason`: why it is meant, "" for drift."""

    path: str
    here: str
    there: str
    reason: str

    @property
    def is_drift(self) -> bool:
        return not self.reason


def configuration(env: Environment) -> dict[str, str]:
    """Every setting by its path, as text; regions by their code, entities by their id."""
    plain = asdict(env)
    plain["regions"] = {region["code"]: region for region in plain["regions"]}
    for region in plain["regions"].values():
        region["entities"] = {entity["id"]: entity for entity in region["entities"]}
    return dict(_flat(plain, ""))


def compare(here: Environment, there: Environment) -> list[Difference]:
    """Settings that are not the same, by path."""
    ours, theirs = configuration(here), configuration(there)
    return [
        Difference(path, ours.get(path, ""), theirs.get(path, ""), _reason(path, here.name, there.name))
        for path in sorted(ours.keys() | theirs.keys())
        if ours.get(path, "") != theirs.get(path, "")
    ]


def compare_templates(
    ours: Mapping[str, Any], theirs: Mapping[str, Any], here: Environment, there: Environment
) -> list[Difference]:
    """Places of two synthesised templates that differ although the settings they were made from are put aside."""
    texts = _neutral(ours, here), _neutral(theirs, there)
    known = _words(texts[0]) & _words(texts[1])
    left, right = (_places(_without_hashes(t, known), e) for t, e in zip(texts, (here, there), strict=True))
    paths = sorted(left.keys() | right.keys())
    return [Difference(p, left.get(p, ""), right.get(p, ""), "") for p in paths if left.get(p, "") != right.get(p, "")]


def _reason(path: str, *names: str) -> str:
    if set(SAME_IN.get(path, ("",))) == set(names):
        return ""
    return next((one.reason for one in INTENDED if re.fullmatch(one.path, path)), "")


def _flat(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _flat(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from _flat(inner, f"{path}[{number}]")
    else:
        yield path, "" if value is None else str(value)


# What says nothing, and what month ends are made ready by: an environment has it or not (`month_end_invoices`).
_LEFT_OUT = re.compile(r"\.Metadata\.|AliasScaling|\.WarmThroughput\.|\.ReservedConcurrentExecutions$")
# What CDK makes unique, by hashes over a construct's path, which begins with the environment's name, or over versions.
_WORD = re.compile(r"[\w<>-]+")
_HASH = re.compile(r"[0-9a-f]{32}|[0-9A-F]{8}")


def _without_hashes(text: str, known: frozenset[str]) -> str:
    """Hashes are left out of those words that the other template does not have."""
    return _WORD.sub(lambda m: m[0] if m[0] in known else _HASH.sub("", m[0]), text)


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text))


def _neutral(template: Mapping[str, Any], env: Environment) -> str:
    """The template with every intended setting's value replaced by its name."""
    text = json.dumps(template, sort_keys=True)
    for path, value in sorted(_texts(env), key=lambda pair: -len(pair[1])):
        text = text.replace(value, f"<{path}>")
    return text.replace(env.name, "<name>")


def _places(text: str, env: Environment) -> dict[str, str]:
    """Every value by its path."""
    flat = dict(_flat(json.loads(text), ""))
    return {path: _named(path, value, env) for path, value in flat.items() if not _LEFT_OUT.search(path)}


def _named(path: str, value: str, env: Environment) -> str:
    """Numbers that are meant to differ, where they stand."""
    if path.endswith("DefaultRetention.Days") and value == str(env.audit_retention_days):
        return "<audit_retention_days>"
    return value.replace(f'"MaxConcurrency":{env.run_concurrency}}}', '"MaxConcurrency":<run_concurrency>}')


def _texts(env: Environment) -> Iterable[tuple[str, str]]:
    """Intended settings that appear as text, with the domain of the mail address by itself."""
    yield "mail_domain", env.mail_from.rpartition("@")[2]
    for path, value in configuration(env).items():
        if len(value) > 8 and any(re.fullmatch(one.path, path) for one in INTENDED):
            yield path, value
