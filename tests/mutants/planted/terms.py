"""Bugs in what is agreed on paying: discounts in steps and what credit notes give back of them, which invoices money
settles, what paying late costs."""

from __future__ import annotations

from tests.mutants.model import Mutant, planted

_STORY = "tests/simulation/test_early_discounts.py"
_LATE = "tests/simulation/test_late_terms.py"
_DUE = "tests/property/test_payment_terms_properties.py"
_SETTLING = "tests/contexts/payments/test_settling.py"

MUTANTS: tuple[Mutant, ...] = (
    planted(
        "days end of month are counted from the month's end",
        "the wrong one of two",
        "accounts/model_payment_terms.py",
        "start = add_months(issued_on, 0, MONTH_END) if self.from_month_end else issued_on",
        "start = add_months(issued_on, 0, MONTH_END) if self.from_month_end or self.day == MONTH_END else issued_on",
        _DUE,
    ),
    planted(
        "who is invoiced on the day of the cut-off pays a month later",
        "off by one",
        "accounts/model_payment_terms.py",
        "self.cut_off is not None and reached.day > self.cut_off",
        "self.cut_off is not None and reached.day >= self.cut_off",
        _DUE,
    ),
    planted(
        "terms of more than days are forgotten when they lie on record",
        "effect left out",
        "accounts/records_payment_terms.py",
        'return payment_terms_stored(json.loads(text)) if text else PaymentTerms(item["payment_terms_days"])',
        'return PaymentTerms(item["payment_terms_days"])',
        "tests/simulation/test_payment_terms.py",
    ),
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
