"""Bugs in discounts for paying early, in steps, and in what credit notes give back of them."""

from __future__ import annotations

from tests.mutants.model import Mutant, planted

_STORY = "tests/simulation/test_early_discounts.py"

MUTANTS: tuple[Mutant, ...] = (
    planted(
        "a discount is had a day too long",
        "off by one",
        "invoicing/rules_early.py",
        "next((offer for offer in offers if on <= offer.until_on), None)",
        "next((offer for offer in offers if (on - offer.until_on).days <= 1), None)",
        _STORY,
    ),
    planted(
        "the last step is the one that holds",
        "the wrong one of two",
        "invoicing/rules_early.py",
        "next((offer for offer in offers if on <= offer.until_on), None)",
        "next((offer for offer in reversed(offers) if on <= offer.until_on), None)",
        _STORY,
    ),
    planted(
        "what is paid short is discount however much it is",
        "missing limit",
        "invoicing/rules_early.py",
        "    if 0 < left <= offer.minor:",
        "    if 0 < left:",
        _STORY,
    ),
    planted(
        "a credit note gives back more than was paid",
        "effect left out",
        "invoicing/corrections.py",
        "_keep(unit, found, bodies, -note.payable_minor - lowered - used - minor_of(returned))",
        "_keep(unit, found, bodies, -note.payable_minor - lowered - used)",
        _STORY,
    ),
    planted(
        "the tax of a discount stays with the state when its invoice is taken back",
        "posting to the wrong account",
        "invoicing/rules_credit_notes.py",
        "legs = (Posting(account, -minor, tag=tag or None) for account, tag, minor in back)",
        "legs = (Posting(LedgerAccount.EARLY_DISCOUNT, -minor, tag=tag or None) for _, tag, minor in back)",
        _STORY,
    ),
    planted(
        "an invoice forgets the discount that settled it",
        "record left out",
        "invoicing/records.py",
        "discounted = with_discount(header.discounted, discount)",
        "discounted = header.discounted",
        _STORY,
    ),
    planted(
        "discounts in steps may rise",
        "check left out",
        "accounts/rules.py",
        "if before and one.percent >= before.percent:",
        "if before and one.percent > 100:",
        _STORY,
    ),
)
