"""Which template a document gets. Values in, values out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from saldo.accounts.model import Account

STANDARD = "standard"


@dataclass(frozen=True, slots=True)
class TemplateRule:
    """Documents of accounts that fit all that is named here ("" fits any) get this template.

    `jurisdiction` is the buyer's country, `segment` and `contract` are those of its terms.
    """

    template: str
    contract: str = ""
    jurisdiction: str = ""
    segment: str = ""

    @property
    def weight(self) -> tuple[int, bool, bool, bool]:
        """How specific: by how much is named; of equals the contract goes before the place, that before the segment."""
        named = bool(self.contract), bool(self.jurisdiction), bool(self.segment)
        return (sum(named), *named)

    def fits(self, account: Account) -> bool:
        wanted = (self.contract, account.terms.contract), (self.jurisdiction, account.country)
        return all(not asked or asked == has for asked, has in (*wanted, (self.segment, account.terms.segment)))


@dataclass(frozen=True, slots=True)
class TemplateChoice:
    """A seller's rules, and the version of each template that is in use. Without any, documents are Saldo's own."""

    rules: Sequence[TemplateRule] = ()
    versions: Mapping[str, int] = field(default_factory=dict)

    def of(self, account: Account) -> str:
        """`<template>@<version>` for an account, "" for Saldo's own. Of equally specific rules the first goes."""
        fitting = [rule for rule in self.rules if rule.fits(account) and rule.template in self.versions]
        best = max(fitting, key=lambda rule: rule.weight, default=None)
        name = best.template if best else STANDARD
        return f"{name}@{self.versions[name]}" if name in self.versions else ""
