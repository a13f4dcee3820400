"""Templates: the most specific rule goes, versions stay, and a document keeps what it was issued with."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pypdfium2
import pytest

from saldo.accounts.model import Account, Terms
from saldo.accounts.records import (
    account_from,
    account_item,
    entity_from,
    entity_item,
    facts_item,
    facts_key,
    facts_print,
)
from saldo.audit.model import Actor
from saldo.documents.layout import page_of
from saldo.documents.looks import Looks
from saldo.documents.model import Look
from saldo.documents.records import look_from, look_key
from saldo.documents.rules_look import contrast_with_white, look_of
from saldo.invoicing.codec import body_from_bytes
from saldo.invoicing.rules_templates import TemplateChoice, TemplateRule
from saldo.kernel.errors import Refusal
from tests.contexts import sellers
from tests.simulation.world import ENTITY, World
from tests.unit.documents.samples import invoice

CLERK = Actor("user_eu_clerk", "staff")
JAN, FEB = date(2026, 1, 1), date(2026, 2, 1)
PLAIN = look_of({"logo": "RHEINWERK", "accent": "#8a1538", "clauses": {"": ["Terms of 2026 apply."]}, "steps": False})


def account(country: str = "DE", segment: str = "", contract: str = "") -> Account:
    return sellers.account(country=country, terms=Terms(segment=segment, contract=contract))


def test_the_most_specific_rule_goes_and_contract_before_place_before_segment() -> None:
    rules = (
        TemplateRule("german", jurisdiction="DE"),
        TemplateRule("key", segment="key"),
        TemplateRule("frame", contract="frame"),
        TemplateRule("german-key", jurisdiction="DE", segment="key"),
        TemplateRule("unpublished", contract="frame", jurisdiction="DE", segment="key"),
    )
    names = ("standard", "german", "key", "frame", "german-key")
    choice = TemplateChoice(rules, dict.fromkeys(names, 3))
    assert choice.of(account("FR")) == "standard@3"
    assert choice.of(account()) == "german@3"
    assert choice.of(account("FR", "key")) == "key@3"
    assert choice.of(account("DE", "", "frame")) == "frame@3"
    assert choice.of(account("DE", "key")) == "german-key@3"
    assert choice.of(account("DE", "key", "frame")) == "german-key@3", (
        "two that fit go before one, and what is published"
    )
    assert TemplateChoice().of(account()) == ""


def test_a_template_that_nobody_could_read_is_refused_with_every_fault() -> None:
    with pytest.raises(Refusal, match="invalid_template") as refused:
        look_of({"accent": "#ffee88", "logo": "x" * 61, "clauses": {"de": ["x" * 601, 7]}, "steps": 1, "font": "Comic"})
    assert {p.field for p in refused.value.problems} == {
        "accent",
        "logo",
        "clauses.de[0]",
        "clauses.de[1]",
        "steps",
        "font",
    }
    assert contrast_with_white("#000000") == pytest.approx(21) and contrast_with_white("#ffffff") == pytest.approx(1)


def test_a_template_comes_back_as_it_went_in_and_versions_stay() -> None:
    world = World()
    world.found(0)
    looks = Looks(world.store, world.clock)
    assert [looks.publish(ENTITY.id, "standard", look, CLERK) for look in (PLAIN, Look())] == [
        "standard@1",
        "standard@2",
    ]
    item = world.store.get(*look_key(ENTITY.id, "standard@1"))
    assert item is not None and look_from(item) == PLAIN
    with pytest.raises(Refusal, match="unknown_template"):
        looks.choose(ENTITY.id, [TemplateRule("none")], CLERK)
    with pytest.raises(Refusal, match="invalid_template"):
        looks.publish(ENTITY.id, "Über", Look(), CLERK)


def test_an_invoice_keeps_the_template_and_the_seller_it_was_issued_with() -> None:
    world = World()
    (account_id,) = world.found(1, started_on=JAN)
    looks = Looks(world.store, world.clock)
    looks.publish(ENTITY.id, "key", PLAIN, CLERK)
    looks.choose(ENTITY.id, [TemplateRule("key", segment="key")], CLERK)
    customer = account_from(world.store.get(account_id, "account") or {})
    world.store.put_many([account_item(replace(customer, terms=Terms(segment="key")))])
    world.run(JAN)
    moved = replace(ENTITY, name="Rheinwerk SE", iban="DE02120300000000202051")
    world.store.put_many([entity_item(moved), facts_item(moved)])
    looks.publish(ENTITY.id, "key", Look(), CLERK)
    world.now = datetime(2026, 2, 1, 4, tzinfo=UTC)
    world.run(FEB)
    found = [body_from_bytes(i["body"]) for i in world.store.scan() if i["kind"] == "body"]
    first, second = sorted(found, key=lambda b: b.issued_on)
    assert (first.template, second.template) == ("key@1", "key@2")
    assert (first.seller_facts, second.seller_facts) == (facts_print(ENTITY), facts_print(moved))
    then = world.store.get(*facts_key(ENTITY.id, first.seller_facts))
    assert then is not None and entity_from(then | {"pk": ENTITY.id}) == ENTITY


def test_a_template_shows_on_the_page() -> None:
    page = page_of(invoice(look=replace(PLAIN, footer={"de": "Geschäftsführerin: Ada Muster"})))
    assert (page["logo"], page["accent"], page["footnote"]) == ("RHEINWERK", "#8a1538", "Geschäftsführerin: Ada Muster")
    assert page["notes"][-1] == "Terms of 2026 apply." and not any(row["steps"] for row in page["rows"])


def test_a_preview_is_a_pdf_and_stores_nothing() -> None:
    world = World()
    world.found(0)
    before = list(world.store.scan())
    pdf = Looks(world.store, world.clock).preview(ENTITY.id, PLAIN, "de")
    text = pypdfium2.PdfDocument(pdf)[0].get_textpage().get_text_range()
    assert "RHEINWERK" in text and "Terms of 2026 apply." in text and "847,28" in text
    assert list(world.store.scan()) == before
