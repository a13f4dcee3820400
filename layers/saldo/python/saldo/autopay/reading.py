"""What an account's people have set about paying, and all that deciding about it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from saldo.autopay import records
from saldo.autopay.model import Case, Debit, Owed, Rule
from saldo.invoicing.reading import open_rows
from saldo.invoicing.records import header_from, header_key
from saldo.payments.model_methods import Methods, StoredMethod
from saldo.payments.records_methods import methods_from
from saldo.storage.items import Item
from saldo.storage.store import Store


@dataclass(frozen=True, slots=True)
class Paying:
    """The range of an account that tells how it pays: one call."""

    rule: Rule | None
    debits: tuple[Debit, ...]
    methods: Methods

    @property
    def method(self) -> StoredMethod | None:
        """What the rule charges: the one it names, while it is there, else the default."""
        named = self.methods.find(self.rule.method_id) if self.rule else None
        return named or self.methods.default


def paying_from(items: list[Item]) -> Paying:
    rules_found = [records.rule_from(i) for i in items if i["kind"] == "autopay_rule"]
    debits = [records.debit_from(i) for i in items if i["kind"] == "debit"]
    methods = methods_from(i for i in items if i["kind"] in ("payment_method", "default_method"))
    return Paying(rules_found[0] if rules_found else None, tuple(debits), methods)


def paying_of(store: Store, account_id: str) -> Paying:
    return paying_from(list(store.query_all(account_id, prefix=records.PREFIX, consistent=True)))


def case_of(store: Store, paying: Paying, held: Mapping[str, str], today: date) -> Case:
    """All that deciding about an account with a rule needs; a call more where early discounts are taken."""
    rule = paying.rule
    assert rule is not None, "only an account with a rule is decided about"
    rows = open_rows(store, rule.account_id)
    early: dict[str, tuple[tuple[date, int], ...]] = {}
    if rule.takes_discounts and rows:
        keys = [header_key(rule.account_id, row.invoice_id) for row in rows]
        for header in map(header_from, store.get_many(keys, consistent=True).values()):
            early[header.invoice_id] = tuple((o.until_on, header.open_minor - o.minor) for o in header.early_now)
    invoices = tuple(
        Owed(r.invoice_id, r.number, r.currency, r.issued_on, r.due_on, r.open_minor, early.get(r.invoice_id, ()))
        for r in rows
    )
    method, promised = paying.method, {r.invoice_id: "promised" for r in rows if r.promise_id}
    disputed = {r.invoice_id: "disputed" for r in rows if r.disputed_minor}
    held = {**promised, **disputed, **held}
    return Case(rule, invoices, paying.debits, held, method is not None and method.pays(rule.currency, today))
