"""One figure of a benchmark, and how all of them are printed and kept."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.table import Table

OUTPUT = Path("build/bench.json")


@dataclass(frozen=True, slots=True)
class Figure:
    """`bar`: the value to reach or stay within, None where there is none; `better` says in which direction."""

    name: str
    value: float
    unit: str
    bar: float | None
    better: Literal["lower", "higher"]

    @property
    def verdict(self) -> str:
        if self.bar is None:
            return ""
        kept = self.value <= self.bar if self.better == "lower" else self.value >= self.bar
        return "within" if kept else "MISSED"


def machine() -> str:
    """Which machine printed the figures."""
    model = next(
        (line.split(":", 1)[1].strip() for line in _cpuinfo() if line.startswith("model name")), platform.processor()
    )
    return f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}"


def _cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []


def report(figures: Sequence[Figure]) -> None:
    """Print the table and write `build/bench.json`."""
    table = Table(title=machine(), title_justify="left")
    for column, side in (("figure", "left"), ("value", "right"), ("unit", "left"), ("bar", "right"), ("", "left")):
        table.add_column(column, justify=side)  # type: ignore[arg-type]
    for f in figures:
        bar = "" if f.bar is None else f"{'≤' if f.better == 'lower' else '≥'} {f.bar:g}"
        table.add_row(f.name, f"{f.value:,.4g}" if f.value < 1000 else f"{f.value:,.0f}", f.unit, bar, f.verdict)
    Console(width=130).print(table)
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps([asdict(f) for f in figures], indent=1) + "\n")
