"""How the command line speaks: tables and progress for people on a terminal, one JSON document with `--json`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import wraps
from typing import Any, NoReturn, ParamSpec, TypeVar

import click
from rich.console import Console
from rich.table import Table

from saldo.kernel.errors import Refusal, Unavailable
from saldo.kernel.money import Money

P = ParamSpec("P")
R = TypeVar("R")
Json = Mapping[str, Any]  # a document of any shape

NEXT = {
    "not_found": "check the id",
    "invalid_id": "ids look like ent_eu_lumen or run_eu_lumen_20261101",
    "dependencies_not_met": "mend what it names, then start the run again",
}


_WIDE = 200  # a pipe has no width: lines are not folded, so that ids can be found and copied


class Voice:
    """Answers one command. With `as_json` nothing but the document goes to standard output."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else _WIDE
        self.console = Console(stderr=as_json, highlight=False, width=width)

    def answer(self, document: Json, show: Callable[[Console], None]) -> None:
        """The outcome: the document, or whatever `show` draws."""
        if self.as_json:
            click.echo(json.dumps(document, ensure_ascii=False, indent=2, default=str))
        else:
            show(self.console)

    def fail(self, code: str, message: str, **more: Any) -> NoReturn:
        """What is wrong and what to do: one line, and one for each of several problems; exit status 2."""
        if self.as_json:
            click.echo(json.dumps({"error": {"code": code, "message": message, **more}}, ensure_ascii=False))
        else:
            hint = f" → {NEXT[code]}" if code in NEXT else ""
            told = [f"{p['field']}: {p['message']}" for p in more.get("problems", ())]
            lines = [f"saldo: {message}{hint}", *(f"  {one}" for one in told)]
            if len(told) == 1:
                lines = [f"saldo: {message} ({told[0]}){hint}"]
            Console(stderr=True, highlight=False).print("\n".join(lines), markup=False, soft_wrap=True)
        sys.exit(2)


def said_dry(console: Console, done: str = "changed") -> None:
    """That a command was only tried; done: what it did not do."""
    console.print(f"This was a dry run: nothing was {done}.")


def speaks_json(command: Callable[..., R]) -> Callable[..., R]:
    """Gives a command `--json` and a `voice`, and turns refusals and outages into one line."""

    @click.option("--json", "as_json", is_flag=True, help="Answer with one JSON document.")
    @wraps(command)
    def speak(*args: Any, as_json: bool, **options: Any) -> R:
        voice = Voice(as_json)
        try:
            return command(*args, voice=voice, **options)
        except Refusal as refusal:
            problems = [p.as_dict() for p in refusal.problems]
            voice.fail(refusal.code, refusal.message, problems=problems)
        except Unavailable as outage:
            voice.fail("unavailable", f"{outage}; repeating is safe")
        except Exception as error:
            if type(error).__module__.startswith("botocore"):
                voice.fail("unavailable", f"the deployment did not answer as expected: {error}")
            raise

    return speak


def table(*columns: str, rows: Iterable[Sequence[str]], numbers: Sequence[str] = (), title: str = "") -> Table:
    """A plain table; columns named in `numbers` are set to the right."""
    drawn = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    drawn.show_header = any(columns)
    for column in columns:
        drawn.add_column(column, justify="right" if column in numbers else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*row)
    return drawn


def facts(document: Json) -> Table:
    """One thing with all that is known of it, a row each; what has parts is one row a part (`address: city`)."""
    return table("", "", rows=[(name.replace("_", " "), said(value)) for name, value in _flat(document)])


def _flat(document: Json) -> Iterator[tuple[str, object]]:
    for name, value in document.items():
        if isinstance(value, Mapping):
            yield from ((f"{name}: {part}", of_part) for part, of_part in _flat(value))
        else:
            yield name, value


def said(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "–"
    return "–" if value is None or value == "" else str(value)


def amounts(totals: Mapping[str, int]) -> str:
    """`1,234.50 EUR, 99.00 USD`"""
    return ", ".join(f"{Money(minor, code).as_decimal():,} {code}" for code, minor in sorted(totals.items())) or "–"
