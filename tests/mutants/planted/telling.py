"""Bugs in who is told of what: notices of the portal, and mail that people chose or ended."""

from __future__ import annotations

from tests.mutants.model import Mutant, planted

_DAY = "tests/functions/test_daily.py"
_WORK = "tests/functions/staff/test_work.py"
_DIFFERENCES = "tests/unit/reconciliation/test_difference_rules.py"
_RULES, _MAIL = "tests/unit/notices/test_rules.py", "tests/contexts/delivery/test_choices.py"
_CHOICES = "tests/unit/access/test_notices.py"

MUTANTS: tuple[Mutant, ...] = (
    planted(
        "news of a reader's own access end where a range does",
        "page forgotten",
        "notices/centre.py",
        "if read.cursor:",
        "if read.cursor and own:",
        "tests/functions/portal/test_notifications.py::"
        "test_own_news_are_told_whatever_else_lies_between_them_and_what_was_chosen",
    ),
    planted(
        "everybody is told what admins are told",
        "role not checked",
        "notices/rules.py",
        "return reader.role in RULES[kind].roles and (",
        "return bool(reader.role) and (",
        f"{_RULES}::test_the_role_decides_who_is_told",
    ),
    planted(
        "a payment out of sight is told",
        "filter left out",
        "notices/rules.py",
        "if kind in _PAYMENTS and is_seen and not is_seen(as_payment):",
        "if kind in _PAYMENTS and is_seen and is_seen is None:",
        f"{_RULES}::test_what_the_account_does_not_show_is_not_told_either",
    ),
    planted(
        "what is paid is called overdue",
        "< for <=",
        "notices/rules.py",
        "if one.is_credit_note or one.asked_minor <= 0:",
        "if one.is_credit_note or one.asked_minor < 0:",
        f"{_RULES}::test_nobody_is_told_to_pay_what_is_paid_in_dispute_or_given_back",
    ),
    planted(
        "mail on security is switched off",
        "check left out",
        "access/rules_notices.py",
        "return usual if rule.must else choices.chosen.get((kind, way), usual)",
        "return choices.chosen.get((kind, way), usual)",
        f"{_CHOICES}::test_security_and_what_the_law_asks_for_cannot_be_switched_off",
    ),
    planted(
        "reading goes back",
        "missing condition",
        "access/notice_choices.py",
        "if known is None or at > known:",
        "if known is None or at != known:",
        "tests/functions/portal/test_notifications.py::test_all_is_read_at_once_or_up_to_one_and_what_comes_later_stays_new",
    ),
    planted(
        "a link of one kind ends another",
        "lookup that trusts the client",
        "access/notice_choices.py",
        'if user and is_ours(self._sealer, user["organisation_id"], LinkPurpose.STOP_MAIL, link):',
        "if user:",
        "tests/functions/portal/test_notifications.py::test_a_link_that_is_not_ours_ends_nothing",
    ),
    planted(
        "a viewer's copy pays by itself",
        "wrong address",
        "delivery/service.py",
        "reader_id=copy.reader_id, url=letter.page or letter.url)",
        "reader_id=copy.reader_id)",
        f"{_MAIL}::test_a_copy_never_pays_without_signing_in",
    ),
    planted(
        "a copy goes to who was suspended",
        "missing condition",
        "delivery/readers.py",
        "able = [m for m in people if m.email and not m.suspended]",
        "able = [m for m in people if m.email]",
        f"{_MAIL}::test_copies_go_only_to_who_is_there_and_may_take_the_document_away",
    ),
    planted(
        "the last part of a day is not handed out",
        "off by one",
        "functions/daily.py",
        "    if part:\n        yield tuple(part)",
        "    if len(part) >= at_once:\n        yield tuple(part)",
        f"{_DAY}::test_what_does_not_fit_is_sent_whole_and_an_account_is_never_cut",
    ),
    planted(
        "parts that the queue did not take are forgotten",
        "failure swallowed",
        "functions/daily.py",
        'if answer.get("Failed"):',
        "if not answer:",
        f"{_DAY}::test_a_queue_that_takes_some_only_has_the_day_asked_for_again",
    ),
    planted(
        "each part of a day does all of it",
        "unscoped query",
        "functions/collections/issue_reminders.py",
        "report = reminders().remind(part.entity_id, part.as_of, part.keys)",
        "report = reminders().remind(part.entity_id, part.as_of)",
        f"{_DAY}::test_letters_of_a_day_in_parts_are_those_of_a_day_in_one",
    ),
    planted(
        "an account's payments of a day come in several parts",
        "lost order",
        "functions/payments/collect.py",
        "return sorted({*collecting().due(entity_id, on), *keeping().due(entity_id)})",
        "return [*collecting().due(entity_id, on), *keeping().due(entity_id)]",
        f"{_DAY}::test_an_accounts_payments_are_listed_together",
    ),
    planted(
        "cards that expire lie on the list of credit that expires",
        "one key for two things",
        "payments/rules_methods.py",
        'return f"expiring_methods#{entity_id}"',
        'return f"expiring#{entity_id}"',
        "tests/simulation/test_expiring.py",
    ),
    planted(
        "a difference that came again keeps its old day and the one who looked into it then",
        "state not reset",
        "reconciliation/rules.py",
        "if known.state is DifferenceState.GONE:\n        return replace(new",
        "if known.state is DifferenceState.GONE:\n        return replace(known, state=new.state",
        f"{_DIFFERENCES}::test_one_that_was_gone_begins_anew",
    ),
    planted(
        "a difference is closed by hand",
        "check left out",
        "reconciliation/rules.py",
        "if known.state is DifferenceState.GONE:\n        raise",
        "if not known.what:\n        raise",
        f"{_DIFFERENCES}::test_what_is_gone_is_nobodys_to_look_into_and_a_note_has_an_end",
    ),
    planted(
        "a look ends every seller's differences",
        "unscoped query",
        "reconciliation/service.py",
        "agendas = map(records.differences_agenda, entity_ids)",
        "agendas = map(records.differences_agenda, list(entity_ids)[:0])",
        "tests/functions/staff/test_differences.py",
    ),
    planted(
        "what was settled once and paid in the clearing of another seller is not seen",
        "grouped too coarsely",
        "insight/checks_across.py",
        'share.clearing[item["entity_id"], item["currency"]] += leg["minor"]',
        'share.clearing["", item["currency"]] += leg["minor"]',
        "tests/simulation/test_invariants.py::test_what_lies_in_one_sellers_clearing_does_not_make_up_for_anothers",
    ),
    planted(
        "proposals that ran out are still counted as waiting",
        "clock left out",
        "work/waiting.py",
        'sum(instant_from(until) >= now for until in item["proposals_until"])',
        'len(item["proposals_until"])',
        f"{_WORK}::test_proposals_that_ran_out_since_they_were_counted_are_left_out",
    ),
    planted(
        "what was counted before overwrites what was counted later",
        "missing condition",
        "work/waiting.py",
        'unit = Unit(f"work of {entity_id}").put(made, when={"version": version})',
        'unit = Unit(f"work of {entity_id}").put(made)',
        f"{_WORK}::test_what_was_counted_later_is_not_overwritten_by_what_was_counted_before",
    ),
    planted(
        "what is wrong with a seller's own records is nobody's task",
        "forgotten entity",
        "reconciliation/rules.py",
        'return first if first.startswith("ent_") else sellers.get(first, "")',
        'return sellers.get(first, "")',
        f"{_DIFFERENCES}::test_whose_books_an_owners_records_are_in",
    ),
)
