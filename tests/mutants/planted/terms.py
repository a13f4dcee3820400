"""Bugs in what is agreed on paying: discounts in steps and what credit notes give back of them, which invoices money
settles, what paying late costs."""

from __future__ import annotations

from tests.mutants.model import Mutant, planted

_STORY = "tests/simulation/test_early_discounts.py"
_LATE = "tests/simulation/test_late_terms.py"
_SETTLING = "tests/contexts/payments/test_settling.py"

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
        "parts of a discount are rounded up and come to more than the whole",
        "rounded the other way",
        "invoicing/rules_early.py",
        "offer.of(offer.minor * open_minor // total_minor)",
        "offer.of(-(-offer.minor * open_minor // total_minor) + 1)",
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
        "what the seller chose goes before what is agreed with the account",
        "the wrong one of two",
        "payments/receiving.py",
        "return account.terms.settle or choices_of(self.store, account.entity_id).settle",
        "return choices_of(self.store, account.entity_id).settle or account.terms.settle",
        _SETTLING,
    ),
    planted(
        "money for several invoices takes no discount but the last",
        "case forgotten",
        "invoicing/rules_settling.py",
        "([one.settled_by(on) for one in owed], [one.open_minor for one in owed])",
        "([one.open_minor for one in owed],)",
        _SETTLING,
    ),
    planted(
        "the newest and the largest change places",
        "order turned round",
        "invoicing/rules_settling.py",
        "reverse=how is Settle.LARGEST)",
        "reverse=how is Settle.SMALLEST)",
        _SETTLING,
    ),
    planted(
        "each charge for lateness may reach the most by itself",
        "sum not kept",
        "invoicing/rules_late_payment.py",
        "        most -= minor\n",
        "        most -= 0\n",
        _LATE,
    ),
    planted(
        "interest that was agreed to compound is simple on record",
        "case forgotten",
        "invoicing/rules_late_payment.py",
        "later=terms.later, compounds=terms.compounds)",
        "later=terms.later)",
        _LATE,
    ),
    planted(
        "a year of interest on record has 365 days whatever was agreed",
        "case forgotten",
        "invoicing/rules_late_payment.py",
        "        year_days=terms.days_of_year,\n",
        "",
        _LATE,
    ),
    planted(
        "what a day of interest costs is rounded with all days",
        "rounded later",
        "invoicing/rules_interest.py",
        "    if not rule.daily_rounding:\n",
        "    if True:\n",
        _LATE,
    ),
    planted(
        "a leap year's days cost what those of the year before did",
        "case forgotten",
        "invoicing/rules_interest.py",
        "if rule.daily_rounding and rule.year_days is None:",
        "if False:",
        _LATE,
    ),
    planted(
        "late fees of one month read alike",
        "the wrong one of two",
        "invoicing/late_charges.py",
        '"day": charge.month, "days": charge.days_late}',
        '"day": charge.month and charge.month.replace(day=1), "days": 0}',
        _LATE,
    ),
    planted(
        "an agreed fee comes again each month",
        "id without its day",
        "invoicing/rules_late_payment.py",
        'fee_id = f"latefee-{debt.invoice_id}-{day:%Y%m%d}"',
        'fee_id = f"latefee-{debt.invoice_id}-{debt.due_on:%Y%m%d}"',
        _LATE,
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
