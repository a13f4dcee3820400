"""Bugs in what is agreed for longer than a cycle, and in other currencies than the invoice's."""

from __future__ import annotations

from tests.mutants.model import Mutant, planted

_TERMS: tuple[Mutant, ...] = (
    planted(
        "a cancellation on the last day of notice comes too late",
        "off-by-one day",
        "subscriptions/rules_terms.py",
        "while on > last_day_to_cancel(term, end):",
        "while on >= last_day_to_cancel(term, end):",
        "tests/unit/subscriptions/test_terms.py",
    ),
    planted(
        "terms are counted from the first day of the trial",
        "wrong day",
        "subscriptions/rules_terms.py",
        "return cycle_of(subscription, sold).times(times, subscription.billed_from)",
        "return cycle_of(subscription, sold).times(times, subscription.started_on)",
        "tests/unit/subscriptions/test_terms.py",
    ),
    planted(
        "who has cancelled is told of a renewal",
        "missing condition",
        "renewals/service.py",
        "                if not ends:\n                    self._prepare(",
        "                if found:\n                    self._prepare(",
        "tests/simulation/test_renewals.py",
    ),
    planted(
        "a renewal raises the price of whoever has agreed on another since",
        "missing condition",
        "subscriptions/rules_renewals.py",
        "plan_version_id=after.id, only_from=version.id)",
        "plan_version_id=after.id)",
        "tests/unit/subscriptions/test_terms.py",
        "tests/simulation/test_renewals.py",
    ),
    planted(
        "a renewal is told as soon as the term begins",
        "wrong sign",
        "subscriptions/rules_terms.py",
        "return end - timedelta(days=term.announce_days)",
        "return end - timedelta(days=12 * term.announce_days)",
        "tests/simulation/test_renewals.py",
    ),
    planted(
        "a double's terms are looked at only on their last days",
        "missing case",
        "renewals/doubles.py",
        "return one.looked_at_on, one.ends_on - timedelta(days=1), one.ends_on",
        "return (one.ends_on,)",
        "tests/contexts/invoicing/test_clocks.py",
    ),
    planted(
        "an invoice is billed again to other details than were agreed to",
        "missing condition",
        "invoicing/staff_credits.py",
        '"bills_minor": new.total_minor, "buyer_profile": new.buyer_profile}',
        '"bills_minor": new.total_minor}',
        "tests/functions/staff/test_details.py",
    ),
)
_COMMITMENTS: tuple[Mutant, ...] = (
    planted(
        "a minimum that a change took back is owed still",
        "missing condition",
        "invoicing/rules_tallies.py",
        "(-bound_minor if over.taken_back else bound_minor)",
        "bound_minor",
        "tests/unit/invoicing/test_commitments.py",
        "tests/property/test_commitment_properties.py",
        "tests/simulation/test_late_usage.py",
    ),
    planted(
        "what goes beyond a commitment costs its factor besides what it was billed at",
        "counted twice",
        "invoicing/rules_tallies.py",
        "(Fraction(tally.overage_factor) - 1)",
        "Fraction(tally.overage_factor)",
        "tests/unit/invoicing/test_commitments.py",
    ),
)
_CURRENCIES: tuple[Mutant, ...] = (
    planted(
        "a price is converted at the day's rate whatever the contract says",
        "missing condition",
        "invoicing/rules_conversion.py",
        "    if agreed is not None:\n        return agreed\n",
        "",
        "tests/unit/invoicing/test_price_currencies.py",
    ),
    planted(
        "a line is rounded before it is converted and once more after",
        "rounding twice",
        "invoicing/rules_conversion.py",
        "minor_of_share(line.exact, moved.part",
        "minor_of_share(round(line.exact, 2), moved.part",
        "tests/unit/invoicing/test_price_currencies.py",
        "tests/property/test_price_currency_properties.py",
    ),
)
_METERS: tuple[Mutant, ...] = (
    planted(
        "whoever begins on the day on which another ends is refused",
        "off-by-one day",
        "subscriptions/rules_meters.py",
        "(until is None or since < until)\n",
        "(until is None or since <= until)\n",
        "tests/contexts/subscriptions/test_meters.py",
        "tests/property/test_meter_claims.py",
    ),
    planted(
        "what is paused keeps its meters",
        "missing condition",
        "subscriptions/rules_meters.py",
        "if terms.running and (until is None",
        "if (until is None",
        "tests/contexts/subscriptions/test_meters.py",
        "tests/property/test_meter_claims.py",
    ),
    planted(
        "an agreed end frees no meter",
        "missing condition",
        "subscriptions/rules_meters.py",
        "last = subscription.cancelled_on",
        "last = None",
        "tests/contexts/subscriptions/test_meters.py",
    ),
    planted(
        "a plan may be moved to whatever its meters",
        "check forgotten",
        "subscriptions/service.py",
        "        problems.extend(claims.problems(after, versions, subscription, field))\n",
        "",
        "tests/contexts/subscriptions/test_meters.py",
    ),
    planted(
        "two that begin in one unit do not see each other",
        "not kept",
        "subscriptions/service.py",
        "    claims.add(new, versions)\n",
        "",
        "tests/contexts/orders/test_contracts.py",
    ),
    planted(
        "what clashed before the rule cannot be changed any more",
        "missing condition",
        "subscriptions/rules_meters.py",
        "    return [c for c in found if not any(c.other_id == t.other_id and c.claim.within(t.claim) for t in there)]",
        "    return list(found)",
        "tests/contexts/subscriptions/test_meters.py",
    ),
)
MUTANTS = (*_TERMS, *_COMMITMENTS, *_CURRENCIES, *_METERS)
