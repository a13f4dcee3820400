"""Bugs in what a seller says of taxes itself."""

from __future__ import annotations

from tests.mutants.model import Mutant, planted

_OWN = "tests/unit/tax/test_own_rates.py"
_OWN_RUNS = "tests/simulation/test_own_taxes.py"
MUTANTS: tuple[Mutant, ...] = (
    planted(
        "a tax that a seller says itself is charged beside the carried one",
        "charged twice",
        "tax/rules_own.py",
        "_without((_span(rate),), said.get((rate.jurisdiction, category), ()))",
        "_without((_span(rate),), said.get((rate.name, category), ()))",
        _OWN,
    ),
    planted(
        "a carried tax ends for good where own rates hold for a time",
        "silently zero",
        "tax/rules_own.py",
        "    for begins, ends in others:\n",
        "    for begins, ends in ((first, date.max) for first, _ in others):\n",
        _OWN,
    ),
    planted(
        "a levy of its own does away with the tax beside it",
        "silently zero",
        "tax/rules_own.py",
        "named.get((*where, rate.name), ())",
        "said.get(where, ())",
        _OWN,
    ),
    planted(
        "cents of one currency are charged as cents of another",
        "currency mixed up",
        "tax/table.py",
        "if own is None or currency == own.currency:",
        "if own is None or currency:",
        _OWN,
    ),
    planted(
        "one seller's customers are taxed by another's rates",
        "key too short",
        "tax/table.py",
        "key = (line.category, line.supplied_on, *kind, seller)",
        "key = (line.category, line.supplied_on, *kind, seller.registrations)",
        _OWN,
    ),
    planted(
        "a buyer without a region pays nothing of what its region charges",
        "silently zero",
        "tax/rules.py",
        "if ((only_regions and there) or besides) and not buyer.region:",
        "if only_regions and there and not buyer.region:",
        _OWN,
    ),
    planted(
        "an export asks for the buyer's state",
        "wrong condition",
        "tax/rules.py",
        "if ((only_regions and there) or besides) and not buyer.region:",
        "if (only_regions or besides) and not buyer.region:",
        "tests/unit/tax/test_own_rates.py",
    ),
    planted(
        "usage at a part of a cent is taxed by unit, that is not at all",
        "wrong condition",
        "tax/rules_totals.py",
        "units and (self.net / units).denominator == 1",
        "units",
        "tests/unit/tax/test_tax_rules.py",
    ),
    planted(
        "a run does not look at the seller's own tax rates",
        "lost field",
        "invoicing/run/bill.py",
        "        own_rates=own_rates_from(found.get(taxes_key)),\n",
        "",
        f"{_OWN_RUNS}::test_a_run_bills_by_own_rates_and_the_invoice_says_by_which_version",
    ),
    planted(
        "what a run will tax is foreseen untaxed by it",
        "lost field",
        "invoicing/forecast.py",
        "price_rates=rates, own_rates=own_rates)",
        "price_rates=rates)",
        f"{_OWN_RUNS}::test_the_next_invoice_is_foreseen_with_the_taxes_that_its_run_then_bills",
    ),
    planted(
        "an invoice billed again forgets the seller's own tax rates",
        "lost field",
        "invoicing/corrections.py",
        "mode=body.tax_mode, own_rates=found.own_rates)",
        "mode=body.tax_mode)",
        f"{_OWN_RUNS}::test_what_is_billed_again_bears_the_taxes_that_are_now_on_record_for_its_day",
    ),
    planted(
        "an estimate is made by the carried rates alone",
        "lost field",
        "tax/fallback.py",
        "self.table.quote(lines, facts.buyer, seller, currency)",
        "self.table.quote(lines, facts.buyer, facts.seller, currency)",
        f"{_OWN_RUNS}::test_own_rates_stand_in_for_a_tax_service_that_does_not_answer",
    ),
    planted(
        "a version of own tax rates is written over by another",
        "missing condition on a write",
        "tax/own_rates.py",
        ".insert(kept).put(current)",
        ".put(kept).put(current)",
        f"{_OWN_RUNS}::test_of_two_people_who_change_them_at_once_one_is_told",
    ),
    planted(
        "a rate moves with its seller to another country",
        "lost field",
        "tax/own_rates.py",
        '[{**row, "country": row.get("country") or entity.country} for row in document["rates"]]',
        'list(document["rates"])',
        f"{_OWN_RUNS}::test_a_rate_keeps_the_country_in_which_its_seller_sat",
    ),
)
