"""What we promise: `infra/slo.toml`, read and checked, every fault of it named at once. Knows nothing of CDK."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.cdk.environments import ROOT
from infra.cdk.functions import ALL

FILE = ROOT / "infra" / "slo.toml"
_FIELDS = {"name": str, "says": str, "percent": float, "days": int, "bad": list, "total": list, "least_bad": int,
           "runbook": str}  # fmt: skip
_MOST_METRICS = 10  # CloudWatch: of one alarm on an expression
_OWNERS = {"own": {spec.service for spec in ALL}, "lambda": {spec.name for spec in ALL}}


@dataclass(frozen=True, slots=True)
class Counted:
    """One metric: `own` is counted by functions under their service, `lambda` by AWS under the function's name."""

    source: str
    owner: str
    metric: str


@dataclass(frozen=True, slots=True)
class Objective:
    """A promise: of all events in `days`, `percent` are good. `bad` and `total` are sums of metrics."""

    name: str
    says: str
    percent: float
    days: int
    bad: tuple[Counted, ...]
    total: tuple[Counted, ...]
    least_bad: int
    runbook: str

    @property
    def budget(self) -> float:
        """The share of events that may be bad."""
        return round((100 - self.percent) / 100, 6)

    @property
    def title(self) -> str:
        return self.name.replace("_", " ").capitalize()


def objectives(file: Path = FILE) -> tuple[Objective, ...]:
    """All promises, in the file's order; ValueError names every fault."""
    raw = tomllib.loads(file.read_text()).get("objective", [])
    faults = [f"{each.get('name', number)}: {what}" for number, each in enumerate(raw, 1) for what in _faults(each)]
    names = [each.get("name") for each in raw]
    faults += [f"{name}: promised twice" for name in sorted({str(n) for n in names if names.count(n) > 1})]
    if faults or not raw:
        raise ValueError("\n".join([f"{file.name} promises nothing that can be measured:", *faults]))
    return tuple(_objective(each) for each in raw)


def _faults(raw: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"{name} is missing" for name in _FIELDS.keys() - raw.keys())
    yield from (f"{name} is not known" for name in raw.keys() - _FIELDS.keys())
    wrong = {name for name, kind in _FIELDS.items() if name in raw and not isinstance(raw[name], kind)}
    yield from (f"{name} is not a {_FIELDS[name].__name__}" for name in sorted(wrong))
    if wrong or _FIELDS.keys() != raw.keys():
        return
    if not re.fullmatch("[a-z][a-z_]*", raw["name"]):
        yield "name is not snake_case"
    if not 50 <= raw["percent"] < 100:
        yield "percent lies outside [50, 100): a promise of everything leaves no budget"
    if not 7 <= raw["days"] <= 90 or raw["least_bad"] < 1:
        yield "days lie outside 7 to 90, or least_bad below 1"
    if not raw["bad"] or not raw["total"] or len({*raw["bad"], *raw["total"]}) > _MOST_METRICS:
        yield f"an alarm takes 1 to {_MOST_METRICS} metrics"
    yield from (f"{text!r} is no metric" for text in [*raw["bad"], *raw["total"]] if not _is_metric(text))
    if not (ROOT / "docs" / "runbooks" / f"{raw['runbook']}.md").exists():
        yield f"there is no runbook {raw['runbook']}"


def _is_metric(text: str) -> bool:
    source, _, rest = text.partition("/")
    owner, _, metric = rest.partition("/")
    return owner in _OWNERS.get(source, ()) and metric.isalnum()


def _objective(raw: Mapping[str, Any]) -> Objective:
    metrics = {name: tuple(Counted(*text.split("/")) for text in raw[name]) for name in ("bad", "total")}
    return Objective(**{**raw, **metrics})


def promises_table(promised: tuple[Objective, ...]) -> str:
    """The table of docs/promises.md."""
    head = "| promise | kept for | may fail in 28 days of steady traffic | if not |\n|---|---|---|---|\n"
    rows = (
        f"| **{o.title}.** {o.says} | {o.percent:g} % over {o.days} days | {_minutes(o)} "
        f"| [{o.runbook}](runbooks/{o.runbook}.md) |\n"
        for o in promised
    )
    return head + "".join(rows)


def _minutes(objective: Objective) -> str:
    minutes = round(objective.budget * 28 * 24 * 60)
    return f"{minutes // 60} h {minutes % 60:02} min"
