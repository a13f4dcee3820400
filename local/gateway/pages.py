"""The hosted pay page: plain HTML, no script, readable by everyone."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from babel.numbers import format_currency
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from local.gateway.methods import CARDS, IBANS
from local.gateway.words import WORDS
from saldo.kernel.errors import Problem
from saldo.kernel.money import Money

_TEMPLATES = Path(__file__).parent / "templates"


@lru_cache(maxsize=1)
def _environment() -> Environment:
    loader = FileSystemLoader(_TEMPLATES)
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def stylesheet() -> bytes:
    return (_TEMPLATES / "pay.css").read_bytes()


def pay_page(row: sqlite3.Row, typed: Mapping[str, str] | None = None, problems: Sequence[Problem] = ()) -> str:
    """The choice of methods. typed: what was typed before (the code is never kept); problems: what is wrong with it."""
    kept = {name: (typed or {}).get(name, "") for name in ("number", "expiry", "iban")}
    return _page(
        "pay.html",
        row,
        typed=kept,
        problems=problems,
        by_field={p.field: p.message for p in problems},
        cards=CARDS,
        ibans=IBANS if row["currency"] == "EUR" else (),
    )


def challenge_page(row: sqlite3.Row) -> str:
    return _page("challenge.html", row)


def over_page(row: sqlite3.Row) -> str:
    return _page("over.html", row)


def missing_page() -> str:
    return _environment().get_template("missing.html").render(t=WORDS["en"], language="en")


def _page(template: str, row: sqlite3.Row, **more: Any) -> str:
    """A page of a checkout, or of a method to be stored: that has no amount, and words of its own."""
    language = row["language"] if row["language"] in WORDS else "en"
    said, amount, at = dict(WORDS[language]), "", f"/pay/{row['ref']}"
    if "amount_minor" in row.keys():  # noqa: SIM118 - a row is no mapping
        money = Money(row["amount_minor"], row["currency"])
        amount = format_currency(money.as_decimal(), money.currency, locale=language)
    else:
        at = f"/save/{row['ref']}"
        said |= {name.removeprefix("save_"): text for name, text in said.items() if name.startswith("save_")}
    words = {n: t.replace("{amount}", amount).replace("{merchant}", row["merchant"]) for n, t in said.items()}
    page = _environment().get_template(template)
    return page.render(t=words, language=language, checkout=row, amount=amount, at=at, **more)
