"""How templates lie in the table: `<entity>` / `template#<name>@<version>`, each version once and for ever; and
`<entity>` / `signing_certificate`, under which its documents are signed.
"""

from __future__ import annotations

from saldo.documents.model import Look
from saldo.storage.items import Item, Key


def look_key(entity_id: str, template: str) -> Key:
    """template: `<name>@<version>`, as a document names it."""
    return entity_id, f"template#{template}"


def look_item(entity_id: str, template: str, look: Look) -> Item:
    pk, sk = look_key(entity_id, template)
    clauses = {language: list(texts) for language, texts in look.clauses.items()}
    fields = {"logo": look.logo, "accent": look.accent, "clauses": clauses, "footer": dict(look.footer)}
    return {"pk": pk, "sk": sk, "kind": "template", "steps": look.steps, **fields}


def look_from(item: Item) -> Look:
    clauses = {language: tuple(texts) for language, texts in item["clauses"].items()}
    return Look(item["logo"], item["accent"], clauses, item["footer"], item["steps"])


def certificate_key(entity_id: str) -> Key:
    return entity_id, "signing_certificate"


def certificate_item(entity_id: str, certificate: bytes) -> Item:
    """certificate: in DER."""
    pk, sk = certificate_key(entity_id)
    return {"pk": pk, "sk": sk, "kind": "signing_certificate", "certificate": certificate}
