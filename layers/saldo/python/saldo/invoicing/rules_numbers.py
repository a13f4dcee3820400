"""How the numbers of a series are written and when they begin again: by seller, kind of document, year or month.

A series is named by its pattern with everything filled in but the number itself, so two series never write the same
number, and one pattern used for two kinds of document makes one common series of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from string import Formatter

from saldo.invoicing.status import DocumentKind
from saldo.kernel.errors import Problems, Refusal

FIELDS = frozenset({"prefix", "year", "month", "type", "customer", "n"})
_HOLE = "\N{NULL}"


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """A pattern such as `{prefix}-{year}-{n:06}`; `{n}` must be in it, widths fill with zeros.

    Raises Refusal `invalid_number_format` for a pattern without `{n}`, with another field or that cannot be read.
    """

    pattern: str

    def __post_init__(self) -> None:
        try:
            fields = self.fields
        except ValueError as error:
            raise Refusal("invalid_number_format", f"{self.pattern!r} cannot be read: {error}") from error
        if unknown := fields - FIELDS:
            names, known = (", ".join(f"{{{name}}}" for name in sorted(some)) for some in (unknown, FIELDS))
            raise Refusal("invalid_number_format", f"{self.pattern!r} names {names}; it may name {known}")
        if "n" not in fields:
            raise Refusal("invalid_number_format", f"{self.pattern!r} needs {{n}}, where the number goes")

    @property
    def fields(self) -> set[str]:
        return {name for _, name, _, _ in Formatter().parse(self.pattern) if name is not None}

    def number(self, n: int, **values: str | int) -> str:
        """The n-th number of a series, from 1. Refusal `invalid_number` below, or without a value it needs."""
        if n < 1:
            raise Refusal("invalid_number", f"numbers begin at 1, not at {n}")
        try:
            return self.pattern.format(n=n, **values)
        except (KeyError, ValueError) as error:
            raise Refusal("invalid_number", f"{self.pattern!r} cannot be filled: {error}") from error

    def filled(self, **values: str | int) -> str:
        """The same pattern with only `{n}` left open. Refusal `invalid_number` without a value it needs."""
        return "".join(self._part(*part, values) for part in Formatter().parse(self.pattern))

    def _part(
        self, text: str, name: str | None, spec: str | None, _: str | None, values: Mapping[str, str | int]
    ) -> str:
        text = _escaped(text)
        if name is None:
            return text
        if name == "n":
            return text + "{n" + (f":{spec}" if spec else "") + "}"
        if name not in values:
            raise Refusal("invalid_number", f"{self.pattern!r} needs a {name}")
        return text + _escaped(format(values[name], spec or ""))


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


class Restart(StrEnum):
    """When a series begins again at 1."""

    NEVER = "never"
    YEAR = "year"
    MONTH = "month"


class SeriesType(StrEnum):
    """What a series is for. ONE_OFF: invoices that staff issue by hand, where a seller keeps them apart."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    ONE_OFF = "one_off"


# What `{type}` writes.
_TYPE_CODES = {SeriesType.INVOICE: "INV", SeriesType.CREDIT_NOTE: "CRN", SeriesType.ONE_OFF: "ONE"}


@dataclass(frozen=True, slots=True)
class SeriesRule:
    """How one type of document is numbered.

    `year_begins`: the month with which a year of numbers begins (India: 4); `{year}` is the year it began in.
    `longest`: how many characters a number may have, 0 for any. Raises Refusal `invalid_number_format`, and
    `number_would_repeat` where the pattern does not write what the series restarts with.
    """

    pattern: str
    restart: Restart = Restart.YEAR
    year_begins: int = 1
    longest: int = 0

    def __post_init__(self) -> None:
        fields = NumberFormat(self.pattern).fields
        needed = {Restart.NEVER: set(), Restart.YEAR: {"year"}, Restart.MONTH: {"year", "month"}}[self.restart]
        if needed - fields:
            missing = " and ".join(sorted(needed - fields))
            raise Refusal(
                "number_would_repeat", f"{self.pattern!r} restarts each {self.restart} and names no {missing}"
            )
        if self.restart is not Restart.MONTH and "month" in fields:
            raise Refusal("number_would_repeat", f"{self.pattern!r} names the month: then it restarts each month")
        if self.restart is Restart.NEVER and "year" in fields:
            raise Refusal("number_would_repeat", f"{self.pattern!r} names the year: then it restarts each year")
        if not 1 <= self.year_begins <= 12:
            raise Refusal("invalid_number_format", "a year of numbers begins with a month from 1 to 12")


@dataclass(frozen=True, slots=True)
class Series:
    """One run of numbers. `frame`: the number with only `{n}` open; `name` is what its counter is kept under."""

    name: str
    frame: str
    longest: int = 0

    def number(self, n: int) -> str:
        """The n-th number, from 1. Refusal `invalid_number` below, or where it would be longer than allowed."""
        text = NumberFormat(self.frame).number(n)
        if self.longest and len(text) > self.longest:
            raise Refusal("invalid_number", f"{text} is longer than {self.longest} characters")
        return text


@dataclass(frozen=True, slots=True)
class Numbering:
    """A seller's rules by type of document; a type without one takes its country's."""

    rules: Mapping[SeriesType, SeriesRule] = field(default_factory=dict)

    def rule_for(self, kind: SeriesType, country: str) -> SeriesRule:
        return self.rules.get(kind) or _rule_of_country(kind, country)


_EU = SeriesRule("{prefix}-{year}-{n:06}")
_EU_CREDIT = SeriesRule("{prefix}-CN-{year}-{n:06}")
_WITH_CREDIT = {SeriesType.INVOICE: _EU, SeriesType.CREDIT_NOTE: _EU_CREDIT}

# What a seller of a country has unless it says otherwise. All series are gapless here, whether the law asks it or not.
# EU: directive 2006/112/EC, article 226(2): "a sequential number, based on one or more series".
# DE: § 14 (4) 4 UStG, UStAE 14.5 (10); a corrected invoice is a "Rechnungskorrektur", never "Gutschrift" (§ 14 (2) 2).
# ES: Real Decreto 1619/2012, article 6.1 a: no gaps in a series; corrections need a series of their own.
# FR: CGI annexe II, article 242 nonies A, I 7°: unique, chronological and continuous.
# GB: VAT Regulations 1995, regulation 14(1)(a). IT: DPR 633/1972, article 21, 2 b.
# IN: CGST Rules 2017, rule 46(b): at most 16 characters, unique for a financial year, which begins in April.
# PT: Decreto-Lei 28/2019, article 6: by type of document; its validation code (ATCUD) is not made by Saldo.
# US: no law on the form of numbers.
COUNTRY_DEFAULTS: Mapping[str, Mapping[SeriesType, SeriesRule]] = {
    "DE": {SeriesType.INVOICE: _EU, SeriesType.CREDIT_NOTE: SeriesRule("{prefix}-RK-{year}-{n:06}")},
    "ES": {SeriesType.INVOICE: _EU, SeriesType.CREDIT_NOTE: SeriesRule("{prefix}-R-{year}-{n:06}")},
    "FR": {SeriesType.INVOICE: _EU, SeriesType.CREDIT_NOTE: SeriesRule("{prefix}-AV-{year}-{n:06}")},
    "IT": {
        SeriesType.INVOICE: SeriesRule("{prefix}/{n}/{year}"),
        SeriesType.CREDIT_NOTE: SeriesRule("{prefix}/NC/{n}/{year}"),
    },
    "IN": {
        SeriesType.INVOICE: SeriesRule("{prefix}/{year}/{n:05}", year_begins=4, longest=16),
        SeriesType.CREDIT_NOTE: SeriesRule("{prefix}/C/{year}/{n:05}", year_begins=4, longest=16),
    },
    "PT": {
        SeriesType.INVOICE: SeriesRule("FT {prefix}{year}/{n}"),
        SeriesType.CREDIT_NOTE: SeriesRule("NC {prefix}{year}/{n}"),
    },
}


def _rule_of_country(kind: SeriesType, country: str) -> SeriesRule:
    rules = COUNTRY_DEFAULTS.get(country, _WITH_CREDIT)
    return rules[SeriesType.CREDIT_NOTE if kind is SeriesType.CREDIT_NOTE else SeriesType.INVOICE]


@dataclass(frozen=True, slots=True)
class Seller:
    """What numbers need to know of a legal entity."""

    country: str
    prefix: str
    numbering: Numbering = Numbering()

    def series(self, kind: SeriesType, on: date, customer: str = "") -> Series:
        """The series of a document issued on a date. Refusal `ambiguous_number` where other digits touch the number.

        One-off invoices share the series of invoices unless they have a rule of their own.
        """
        if kind is SeriesType.ONE_OFF and kind not in self.numbering.rules:
            kind = SeriesType.INVOICE
        rule = self.numbering.rule_for(kind, self.country)
        year = on.year if on.month >= rule.year_begins else on.year - 1
        values: dict[str, str | int] = {
            "prefix": self.prefix,
            "year": year,
            "month": f"{on.month:02}",
            "type": _TYPE_CODES[kind],
        }
        frame = NumberFormat(rule.pattern).filled(**values, customer=customer.rpartition("_")[2].upper())
        frame = frame if self.prefix else frame.lstrip("-/. ")
        return Series(_name_of(frame), frame, rule.longest)


def _name_of(frame: str) -> str:
    """`RW-2026-{n:06}` is the series `RW-2026`; a number that is not at the end leaves a `*` in its place."""
    name = "".join(text + (_HOLE if field else "") for text, field, _, _ in Formatter().parse(frame))
    before, _, after = name.partition(_HOLE)
    if before[-1:].isdigit() or after[:1].isdigit():
        raise Refusal("ambiguous_number", f"{frame}: a sign must part the number from the digits beside it")
    return name.removesuffix(_HOLE).rstrip("-") if not after else name.replace(_HOLE, "*")


def series_type(kind: DocumentKind, *, one_off: bool = False) -> SeriesType:
    """Which series a document goes into. `one_off`: staff issued it by hand."""
    if kind is DocumentKind.CREDIT_NOTE:
        return SeriesType.CREDIT_NOTE
    return SeriesType.ONE_OFF if one_off else SeriesType.INVOICE


def check_numbering(seller: Seller, on: date) -> None:
    """Refusal `invalid_numbering` naming every type whose numbers could not be written, or would be ambiguous."""
    problems = Problems()
    for kind in SeriesType:
        try:
            seller.series(kind, on, "acct_eu_0").number(1)
        except Refusal as refusal:
            problems.add(kind.value, refusal.code, refusal.message)
    problems.refuse_if_any("these numbers cannot be written", "invalid_numbering")
