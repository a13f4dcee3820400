"""Small wrongs, planted in Saldo one at a time: the auditor tells of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any  # planted functions take whatever the right ones take

import pytest

import saldo.invoicing.rules as invoicing
import saldo.invoicing.rules_accounts as accounts
import saldo.invoicing.rules_discounts as discounts
import saldo.invoicing.rules_history as history
import saldo.invoicing.rules_lines as lines
import saldo.invoicing.rules_prepaid as prepaid
import saldo.invoicing.rules_tallies as tallies
import saldo.kernel.exact as exact
import saldo.kernel.periods as periods
import saldo.rating.rules.included as included
import saldo.rating.rules.proration as proration
import saldo.rating.rules.registry as registry
import saldo.subscriptions.rules_changes as changes
import saldo.tax.table as table
import saldo.usage.rules as counting
from saldo.catalog.model import Graduated, Included, Package, Ramp, Tier, Timing
from saldo.kernel.rounding import Rounding, rounded_ratio
from saldo.rating.model import Share
from saldo.subscriptions.rules import cycle_of
from saldo.tax.model import TaxRounding
from tests.decade.audit import audited
from tests.decade.world import history_of

Plant = Callable[[pytest.MonkeyPatch], None]
DAY = timedelta(days=1)
ACCOUNTS, MONTHS, SEED = 112, 30, 7


def a_day_too_many(patch: pytest.MonkeyPatch) -> None:
    right = proration.counted

    def counted(*args: Any) -> Share:
        share = right(*args)
        return Share(min(share.days + 1, share.of), share.of)

    patch.setattr(proration, "counted", counted)


def rounded_twice(patch: pytest.MonkeyPatch) -> None:
    right = lines.rate

    def rate(model: Any, quantity: Any, currency: str, part: Share, *more: Any) -> Any:
        rated = right(model, quantity, currency, Share(), *more)
        net = exact.minor_of_share(Decimal(rated.net_minor), (part.days, part.of), "JPY")
        return right(model, quantity, currency, part, *more)._replace(net_minor=net)

    patch.setattr(lines, "rate", rate)


def half_to_even(patch: pytest.MonkeyPatch) -> None:
    even = {Rounding.HALF_UP: Rounding.HALF_EVEN}
    patch.setattr(exact, "rounded_ratio", lambda n, d, mode=Rounding.HALF_UP: rounded_ratio(n, d, even.get(mode, mode)))


def no_credit(patch: pytest.MonkeyPatch) -> None:
    right = changes.charges_of
    patch.setattr(changes, "charges_of", lambda *args: (c for c in right(*args) if c.sign > 0))


def never_settled(patch: pytest.MonkeyPatch) -> None:
    right = invoicing.moved_on

    def moved_on(*args: Any) -> Any:
        after = right(*args)
        return replace(after, changes=tuple(replace(c, settled=False) for c in after.changes))

    patch.setattr(invoicing, "moved_on", moved_on)


def a_tier_ends_a_unit_early(patch: pytest.MonkeyPatch) -> None:
    right = registry.RULES[Graduated]

    def priced(model: Graduated, ask: Any) -> Any:
        early = tuple(t if t.up_to is None else replace(t, up_to=t.up_to - 1) for t in model.tiers)
        return right(replace(model, tiers=early), ask)

    patch.setitem(registry.RULES, Graduated, priced)  # type: ignore[arg-type]


def flats_of_tiers_never_entered(patch: pytest.MonkeyPatch) -> None:
    right = registry.RULES[Graduated]

    def priced(model: Graduated, ask: Any) -> Any:
        free = Tier(model.tiers[0].up_to, model.tiers[0].unit_price, Decimal(1), model.tiers[0].size)
        return right(replace(model, tiers=(free, *model.tiers[1:]), flat_at_zero=True), ask)

    patch.setitem(registry.RULES, Graduated, priced)  # type: ignore[arg-type]


def packages_begun_are_not_charged(patch: pytest.MonkeyPatch) -> None:
    right = registry.RULES[Package]

    def priced(model: Package, ask: Any) -> Any:
        return right(model, ask._replace(quantity=ask.quantity // model.size * model.size))

    patch.setitem(registry.RULES, Package, priced)  # type: ignore[arg-type]


def allowances_do_not_shrink(patch: pytest.MonkeyPatch) -> None:
    right = registry.NESTED_RULES[Included]

    def priced(model: Included, ask: Any, price_of: Any) -> Any:
        return right(model, ask._replace(days=1, of=1), price_of)

    patch.setitem(registry.NESTED_RULES, Included, priced)  # type: ignore[arg-type]


def a_ramp_begins_late(patch: pytest.MonkeyPatch) -> None:
    right = lines.cycle_number
    patch.setattr(lines, "cycle_number", lambda *args: max(right(*args) - 1, 0))


def taxed_by_the_day_of_the_invoice(patch: pytest.MonkeyPatch) -> None:
    right = invoicing.taxable_lines

    def taxable_lines(found: Any, issued_on: Any, currency: str = "EUR") -> Any:
        return [line._replace(supplied_on=issued_on) for line in right(found, issued_on, currency)]

    patch.setattr(invoicing, "taxable_lines", taxable_lines)


def tax_rounded_line_by_line(patch: pytest.MonkeyPatch) -> None:
    right = table.tax_totals
    patch.setattr(table, "tax_totals", lambda ln, tx, _rounding, mode: right(ln, tx, TaxRounding.LINE, mode))


def days_of_utc(patch: pytest.MonkeyPatch) -> None:
    right = periods.local_midnight
    patch.setattr(periods, "local_midnight", lambda day, _zone: right(day, "UTC"))


def months_of_at_most_29_days(patch: pytest.MonkeyPatch) -> None:
    right = periods.add_months
    patch.setattr(periods, "add_months", lambda day, months, *more: right(day.replace(day=min(day.day, 29)), months))


def coupons_never_used_up(patch: pytest.MonkeyPatch) -> None:
    right = accounts.wallet_after
    patch.setattr(accounts, "wallet_after", lambda wallet, body: replace(right(wallet, body), coupons=wallet.coupons))


def expired_credit_pays(patch: pytest.MonkeyPatch) -> None:
    right = prepaid.in_draw_order
    patch.setattr(prepaid, "in_draw_order", lambda found, on: right(found, on - 30 * DAY))


def credit_drawn_from_the_wrong_end(patch: pytest.MonkeyPatch) -> None:
    right = prepaid.in_draw_order
    patch.setattr(prepaid, "in_draw_order", lambda found, on: right(found, on)[::-1])


def limited_credit_pays_for_all(patch: pytest.MonkeyPatch) -> None:
    right = prepaid.in_draw_order
    anything = frozenset[str]()
    patch.setattr(
        prepaid, "in_draw_order", lambda found, on: [replace(c, components=anything) for c in right(found, on)]
    )


def repeats_counted(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("saldo.usage.rules.first_of_each", list)


def minimum_forgotten(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(tallies.Tallies, "true_ups", lambda _self: iter(()))


def a_minimum_is_not_for_its_days(patch: pytest.MonkeyPatch) -> None:
    """What is charged before a change of plan counts towards the minimum after it."""
    right = tallies.Tallies.count

    def count(self: Any, place: Any, net_minor: int) -> None:
        right(self, place._replace(part=place.part and place.part[:7] + "-01"), net_minor)

    patch.setattr(tallies.Tallies, "count", count)


def a_pool_ends_where_it_is_raised(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("saldo.catalog.model.PlanVersion.pools_minimum", property(lambda _self: False))


def nothing_more_beyond_a_minimum(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(tallies, "owed_minor", lambda tally: max(-tally.beyond_minor, 0) if tally.days else 0)


def an_early_end_owes_but_its_part(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(changes._Maker, "_is_owed_whole", lambda _self: False)


def each_year_costs_what_the_first_does(patch: pytest.MonkeyPatch) -> None:
    right = lines.rated_charge

    def first(case: Any, item: Any, charged: Any) -> Any:
        price = charged.component.price
        if charged.component.id == "minimum" and isinstance(price, Ramp):
            charged = charged._replace(component=replace(charged.component, price=price.steps[0].price))
        return right(case, item, charged)

    patch.setattr(lines, "rated_charge", first)


def a_term_is_cancelled_like_a_month(patch: pytest.MonkeyPatch) -> None:
    def cancelled_from(sold: Any, version: Any, on: Any) -> Any:
        return cycle_of(sold, version).period_at(max(on, sold.billed_from)).end

    patch.setattr("saldo.subscriptions.rules_timeline.cancelled_from", cancelled_from)


def whole_days_count_a_day_late(patch: pytest.MonkeyPatch) -> None:
    right = counting.local_date
    patch.setattr(counting, "local_date", lambda at, zone: right(at, zone) + DAY)


def paid_by_both_timings(patch: pytest.MonkeyPatch) -> None:
    """What is in arrears is charged as if it were ahead."""
    right = changes._Maker._charge

    def charge(self: Any, full: Any, days: Any, due: Any, sign: int = 1, leg: bool = False) -> Any:
        late = self.run.component.timing is Timing.ARREARS
        return right(self, full, days, full.end if late else due, sign, leg)

    patch.setattr(changes._Maker, "_charge", charge)


def credited_before_discounts(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(invoicing, "taken_off", lambda _case, _lines: ([], ()))


def credited_by_the_rate_of_the_day(patch: pytest.MonkeyPatch) -> None:
    right = invoicing.taxable_lines

    def taxable_lines(found: Any, issued_on: Any, currency: str = "EUR") -> Any:
        today = [line._replace(supplied_on=None) for line in found]
        return right(today, issued_on, currency)

    patch.setattr(invoicing, "taxable_lines", taxable_lines)


def coupons_of_now_off_what_is_given_back(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(discounts, "_concerned", lambda _coupon, found: [line for line in found if not line.of])


def a_coupon_is_off_charges_alone(patch: pytest.MonkeyPatch) -> None:
    right = discounts.spread
    patch.setattr(discounts, "spread", lambda off, on, left: right(off, on, [max(minor, 0) for minor in left]))


def odd_cents_go_line_by_line(patch: pytest.MonkeyPatch) -> None:
    """To the largest remainders of all lines, whatever their rates."""
    right = discounts.spread
    patch.setattr(
        discounts, "spread", lambda off, on, left: right(off, [o._replace(tax_category="") for o in on], left)
    )


def returned_credit_is_lost(patch: pytest.MonkeyPatch) -> None:
    right = prepaid.drawn_from
    patch.setattr(
        accounts, "drawn_from", lambda found, use, on: tuple(found) if use.minor < 0 else right(found, use, on)
    )


def each_cycle_has_tiers_of_its_own(patch: pytest.MonkeyPatch) -> None:
    right = lines.taken_over
    patch.setattr(lines, "taken_over", lambda *args: right(*args)._replace(before=None))


def what_is_due_with_no_usage_is_due_in_each_cycle(patch: pytest.MonkeyPatch) -> None:
    right = lines.taken_over

    def taken_over(*args: Any) -> Any:
        found = right(*args)
        return found._replace(before=found.before or None)

    patch.setattr(lines, "taken_over", taken_over)


def cycles_that_add_up_never_begin_anew(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("saldo.catalog.model.PlanVersion.cycles_of", lambda _self, length: 1000 * length.count)


def leftovers_last_a_cycle_longer(patch: pytest.MonkeyPatch) -> None:
    right = history.rolled_over

    def rolled_over(model: Included, earlier: Any) -> Decimal:
        assert model.rollover is not None
        longer = replace(model.rollover, cycles=model.rollover.cycles + 1)
        return right(replace(model, rollover=longer), earlier)

    patch.setattr(history, "rolled_over", rolled_over)


def leftovers_have_no_bound(patch: pytest.MonkeyPatch) -> None:
    right = history.rolled_over

    def rolled_over(model: Included, earlier: Any) -> Decimal:
        assert model.rollover is not None
        return right(replace(model, rollover=replace(model.rollover, most=None)), earlier)

    patch.setattr(history, "rolled_over", rolled_over)


def leftovers_are_used_last(patch: pytest.MonkeyPatch) -> None:
    """The newest goes first, so that the oldest lapses."""
    right = included._taken
    patch.setattr(included, "_taken", lambda there, units: right([*there][::-1], units)[::-1])


def a_short_first_cycle_leaves_a_whole_allowance_over(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(history, "_part_of", lambda *_args: Share())


def leftovers_of_moments_go_by_days(patch: pytest.MonkeyPatch) -> None:
    def earlier(self: Any, full: Any) -> Any:
        return changes.earlier_cycles(self.run.component, self.run.version, self.run.cycle, self.run.start, full)

    patch.setattr(changes._Maker, "_earlier", earlier)


def another_price_goes_on_where_the_last_one_ended(patch: pytest.MonkeyPatch) -> None:
    def earlier(self: Any, full: Any) -> Any:
        since = self.subscription.billed_from
        return changes.earlier_cycles(self.run.component, self.run.version, self.run.cycle, since, full)

    patch.setattr(changes._Maker, "_earlier", earlier)


def an_amount_that_is_free_is_whole_in_a_short_cycle(patch: pytest.MonkeyPatch) -> None:
    right = registry.NESTED_RULES[Included]

    def priced(model: Included, ask: Any, price_of: Any) -> Any:
        return right(model, ask if model.amount is None else ask._replace(days=1, of=1), price_of)

    patch.setitem(registry.NESTED_RULES, Included, priced)  # type: ignore[arg-type]


def packages_in_part_are_begun_ones(patch: pytest.MonkeyPatch) -> None:
    right = registry.RULES[Package]
    patch.setitem(registry.RULES, Package, lambda model, ask: right(replace(model, whole=True), ask))  # type: ignore[arg-type]


def half_months_of_fifteen_days(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(periods, "_add_half_months", lambda day, halves: day + 15 * halves * DAY)


def bonds_count_as_billing_systems_do(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(proration, "_DAYS_360", {})


PLANTS: list[Plant] = [
    each_cycle_has_tiers_of_its_own,
    what_is_due_with_no_usage_is_due_in_each_cycle,
    cycles_that_add_up_never_begin_anew,
    leftovers_last_a_cycle_longer,
    leftovers_have_no_bound,
    leftovers_are_used_last,
    a_short_first_cycle_leaves_a_whole_allowance_over,
    leftovers_of_moments_go_by_days,
    another_price_goes_on_where_the_last_one_ended,
    an_amount_that_is_free_is_whole_in_a_short_cycle,
    packages_in_part_are_begun_ones,
    half_months_of_fifteen_days,
    bonds_count_as_billing_systems_do,
    credited_before_discounts,
    credited_by_the_rate_of_the_day,
    coupons_of_now_off_what_is_given_back,
    a_coupon_is_off_charges_alone,
    odd_cents_go_line_by_line,
    returned_credit_is_lost,
    a_day_too_many,
    rounded_twice,
    half_to_even,
    no_credit,
    never_settled,
    a_tier_ends_a_unit_early,
    flats_of_tiers_never_entered,
    packages_begun_are_not_charged,
    allowances_do_not_shrink,
    a_ramp_begins_late,
    taxed_by_the_day_of_the_invoice,
    tax_rounded_line_by_line,
    days_of_utc,
    months_of_at_most_29_days,
    coupons_never_used_up,
    expired_credit_pays,
    credit_drawn_from_the_wrong_end,
    limited_credit_pays_for_all,
    repeats_counted,
    minimum_forgotten,
    a_minimum_is_not_for_its_days,
    a_pool_ends_where_it_is_raised,
    nothing_more_beyond_a_minimum,
    an_early_end_owes_but_its_part,
    each_year_costs_what_the_first_does,
    a_term_is_cancelled_like_a_month,
    whole_days_count_a_day_late,
    paid_by_both_timings,
]


# What shows on few accounts only is looked for where it does: seed, from which account on, and for how many months.
WHERE: dict[Plant, tuple[int, int, int]] = {
    what_is_due_with_no_usage_is_due_in_each_cycle: (SEED, 245, 60),
    leftovers_have_no_bound: (SEED, 32, MONTHS),
    leftovers_last_a_cycle_longer: (SEED, 34, MONTHS),
    leftovers_of_moments_go_by_days: (1, 107, 60),
    an_amount_that_is_free_is_whole_in_a_short_cycle: (SEED, 16, MONTHS),
    bonds_count_as_billing_systems_do: (2, 53, MONTHS),
    credited_by_the_rate_of_the_day: (SEED, 59, MONTHS),
    a_coupon_is_off_charges_alone: (SEED, 110, MONTHS),
    whole_days_count_a_day_late: (SEED, 23, MONTHS),
}


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.__name__)
def test_the_auditor_notices(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    monkeypatch.setattr("tests.decade.drive.problems_of", lambda _body: ())  # the auditor alone is to notice
    seed, first, months = WHERE.get(plant, (SEED, 0, MONTHS))
    accounts = range(first, max(ACCOUNTS, first + 1))
    found = next((n for n in accounts if audited([history_of(n, seed, months)]).findings), None)
    assert found is not None, f"accounts from {first} on in {months} months, and nobody noticed"
    monkeypatch.undo()
    assert not audited([history_of(found, seed, months)]).findings
