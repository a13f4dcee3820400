"""How the choice of templates lies in the table: `<entity>` / `templates`, rules and the versions in use."""

from __future__ import annotations

from saldo.invoicing.rules_templates import TemplateChoice, TemplateRule
from saldo.storage.items import Item, Key

_FIELDS = ("template", "contract", "jurisdiction", "segment")


def templates_key(entity_id: str) -> Key:
    return entity_id, "templates"


def choice_item(entity_id: str, choice: TemplateChoice) -> Item:
    pk, sk = templates_key(entity_id)
    rules = [[getattr(rule, name) for name in _FIELDS] for rule in choice.rules]
    return {"pk": pk, "sk": sk, "kind": "templates", "rules": rules, "versions": dict(choice.versions)}


def choice_from(item: Item | None) -> TemplateChoice:
    if item is None:
        return TemplateChoice()
    return TemplateChoice(tuple(TemplateRule(*row) for row in item["rules"]), item["versions"])
