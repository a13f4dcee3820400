"""Use cases of templates: look at one, publish a version, say which documents get it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from saldo.accounts.model import Address, LegalEntity
from saldo.accounts.records import entity_from
from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.documents import records
from saldo.documents.model import BuyerView, InvoiceView, LineView, Look, TaxView
from saldo.documents.rules import seller_view
from saldo.documents.rules_look import check_name
from saldo.invoicing.records_templates import choice_from, choice_item, templates_key
from saldo.invoicing.rules_templates import TemplateChoice, TemplateRule
from saldo.kernel.clock import Clock
from saldo.kernel.errors import NotFound, Problems, Refusal
from saldo.kernel.periods import Period, local_date
from saldo.storage.items import Item
from saldo.storage.store import Store
from saldo.storage.units import Unit


class Looks:
    """Templates of one region's sellers. What was issued keeps the version it was issued with."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def choice(self, entity_id: str) -> TemplateChoice:
        return choice_from(self._store.get(*templates_key(entity_id)))

    def publish(self, entity_id: str, name: str, look: Look, actor: Actor) -> str:
        """The next version of a template, in use for documents issued from now on; `<name>@<version>`."""
        check_name(name)
        known = self._store.get(*templates_key(entity_id))
        choice = choice_from(known)
        version = choice.versions.get(name, 0) + 1
        template = f"{name}@{version}"
        unit = Unit(f"publish {entity_id} {template}").insert(records.look_item(entity_id, template, look))
        new = replace(choice, versions={**choice.versions, name: version})
        return self._change(unit, entity_id, known, new, "template.published", template, actor)

    def choose(self, entity_id: str, rules: Sequence[TemplateRule], actor: Actor) -> None:
        """Which accounts' documents get which template. Refusal `unknown_template` naming each that is none."""
        known = self._store.get(*templates_key(entity_id))
        choice, problems = choice_from(known), Problems()
        for i, rule in enumerate(rules):
            if rule.template not in choice.versions:
                problems.add(f"rules[{i}].template", "unknown", f"{rule.template!r} was not published")
        problems.refuse_if_any("these templates cannot be chosen", "unknown_template")
        new = replace(choice, rules=tuple(rules))
        self._change(Unit(f"choose {entity_id}"), entity_id, known, new, "templates.chosen", entity_id, actor)

    def preview(self, entity_id: str, look: Look, language: str = "en", country: str = "DE") -> bytes:
        """A PDF of made-up charges in a template that need not be published; nothing is stored."""
        from saldo.documents.render import pdf_of

        item = self._store.get(entity_id, "entity")
        if item is None:
            raise NotFound("no such legal entity")
        entity = entity_from(item)
        view = _sample(entity, local_date(self._clock(), entity.time_zone), language, country)
        return pdf_of(replace(view, look=look))

    def _change(
        self,
        unit: Unit,
        entity_id: str,
        known: Item | None,
        new: TemplateChoice,
        action: str,
        subject: str,
        actor: Actor,
    ) -> str:
        unit.put(choice_item(entity_id, new) | {"count": (known or {}).get("count", 0) + 1}, when=_unchanged(known))
        after = {"versions": dict(new.versions), "rules": len(new.rules)}
        record = AuditRecord(entity_id, self._clock(), actor, action, subject, after=after)
        if self._store.write_one(unit.put(audit_item(record))):
            raise Refusal("changed_meanwhile", "the templates were changed by someone else; look at them again")
        return subject


def _unchanged(known: Item | None) -> dict[str, object]:
    return {"count": known["count"] if known else None}


def _sample(entity: LegalEntity, on: date, language: str, country: str) -> InvoiceView:
    address = Address(("1 Sample Street",), "10115", "Sampletown", country)
    month = Period(on.replace(day=1), on.replace(day=1) + timedelta(days=28))
    lines = (
        LineView("Sample plan", month, Decimal(1), "", Decimal(490), Decimal(19), 49000),
        LineView("Sample seats", month, Decimal(12), "seats", Decimal("18.5"), Decimal(19), 22200),
    )
    return InvoiceView(
        number="SAMPLE",
        issued_on=on,
        due_on=on + timedelta(days=14),
        currency=entity.currency,
        language=language,
        seller=seller_view(entity, on),
        buyer=BuyerView("Sample Customer Ltd", "", address, "", "PO-1", "acct_sample", country),
        lines=lines,
        taxes=(TaxView("S", Decimal(19), "VAT", country, 71200, 13528),),
        net_minor=71200,
        tax_minor=13528,
        total_minor=84728,
        portal_url="",
    )
