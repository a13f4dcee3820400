"""Bugs in stored methods, scheduled payments and autopay."""

from __future__ import annotations

from tests.mutants.model import Mutant, fire, planted

_PAGES = "tests/functions/portal/test_autopay.py::"
_RULES = "tests/unit/autopay/test_autopay_rules.py"

_EXCHANGE = "tests/property/test_exchange_properties.py"
_MONEY = "tests/simulation/test_money_in_other_currencies.py::"

MUTANTS: tuple[Mutant, ...] = (
    planted(
        "a gain is booked as a loss",
        "sign",
        "payments/rules_entries.py",
        "a.booked_minor - share for a, share",
        "share - a.booked_minor for a, share",
        _EXCHANGE,
    ),
    planted(
        "parts of a payment are each rounded for themselves",
        "rounded apart",
        "kernel/exchange.py",
        "return self.convert(after).minor - self.convert(before).minor",
        "return self.convert(part).minor",
        _EXCHANGE,
    ),
    planted(
        "the last of an invoice leaves a cent booked",
        "remainder dropped",
        "kernel/exchange.py",
        "return self.minor if minor == open_.minor else",
        "return self.minor if not minor else",
        _EXCHANGE,
        "tests/property/test_receivable_properties.py",
    ),
    planted(
        "money without a rate is never valued",
        "off the agenda",
        "payments/rules.py",
        'return ("unrated", payment.settled_at + ASKED_AFTER) if payment.awaits_rate else None',
        "return None",
        "tests/simulation/test_exchange_differences.py",
    ),
    planted(
        "a payout told first leaves the bank without what it has",
        "order assumed",
        "payments/rules_entries.py",
        "if payment.paid_out_at is not None and value:",
        "if False:",
        "tests/simulation/test_exchange_differences.py",
    ),
    planted(
        "a difference is booked and nobody counts it again",
        "check left out",
        "insight/checks_exchange.py",
        "        if found != expected:",
        "        if False:",
        "tests/simulation/test_invariants.py",
    ),
    planted(
        "a removed card can still be charged",
        "state not asked for",
        "payments/model_methods.py",
        "return self.status is MethodStatus.ACTIVE and self.currency",
        "return bool(self.token) and self.currency",
        "tests/unit/payments/test_method_rules.py",
    ),
    planted(
        "news of a removed method bring it back",
        "a move too many",
        "payments/model_methods.py",
        "    _S.REMOVED: frozenset(),",
        "    _S.REMOVED: frozenset({_S.ACTIVE}),",
        "tests/contexts/payments/test_methods.py",
    ),
    planted(
        "a scheduled payment starts without being claimed",
        "claim left out",
        "payments/scheduled.py",
        '            if not self._change(one, claimed, job(_JOB, one.correlation_id), "payment.schedule_taken_up"):',
        "            if False:",
        "tests/contexts/payments/test_methods.py",
    ),
    planted(
        "a debit is taken by what was announced, whatever changed",
        "decision not asked again",
        "autopay/rules.py",
        "        code = _against(case, line.invoice_id) if invoice else",
        '        code = "" if invoice else',
        _RULES,
    ),
    planted(
        "a debit comes without its notice",
        "day forgotten",
        "autopay/rules.py",
        "    earliest = on + timedelta(days=rule.notice_days)\n    last",
        "    earliest = on\n    last",
        _RULES,
    ),
    planted(
        "every failure is tried again",
        "reason not asked for",
        "autopay/rules.py",
        "waits = RETRIES.get(debit.code, ())",
        "waits = RETRIES.get(debit.code, (3, 7))",
        _RULES,
    ),
    planted(
        "an attempt is announced without its guard",
        "guard left out",
        "autopay/records.py",
        '        unit.insert({"pk": pk, "sk": sk, "kind": "guard", "debit_id": debit.id})',
        "        assert pk and sk",
        *fire("pay: a day announces"),
    ),
    planted(
        "what a debit takes is reckoned anew at each try",
        "claim without its content",
        "autopay/service.py",
        "claimed = self._moved(replace(debit, charged=charge), DebitState.STARTING, job(_JOB))",
        "claimed = self._moved(debit, DebitState.STARTING, job(_JOB))",
        _PAGES + "test_the_run_announces_what_the_preview_said_and_collects_it_on_its_day",
    ),
    planted(
        "only the one who set the rule hears of a debit",
        "recipients mixed up",
        "access/telling.py",
        "told = [m for m in people.members if m.role in PAYERS and not m.suspended]",
        "told = [m for m in people.members if m.role in PAYERS and not m.suspended][:1]",
        _PAGES + "test_everyone_who_pays_is_told_before_with_one_link_to_cancel",
    ),
    planted(
        "money is exchanged at the rate of the day whatever was agreed",
        "the wrong one of two",
        "payments/receiving.py",
        "rate = came.rate or rates.price_rate(",
        "rate = rates.price_rate(",
        _MONEY + "test_a_rate_that_was_agreed_wins_or_loses_what_the_day_says_otherwise",
    ),
    planted(
        "a loss by exchange is a gain",
        "sign",
        "payments/rules_receiving.py",
        "Posting(DIFFERENCE, 0, base_minor=value - at_bank)",
        "Posting(DIFFERENCE, 0, base_minor=at_bank - value)",
        "tests/property/test_money_received_properties.py",
    ),
    planted(
        "what was used since is taken back all the same",
        "guard not asked",
        "payments/receiving.py",
        "if -(there or 0) < payment.unapplied_minor:",
        "if False:",
        _MONEY + "test_money_that_was_used_otherwise_since_is_not_taken_back",
    ),
)
