"""Bugs at the doors: the portal, the API, what they share, and what hosts the functions."""

from __future__ import annotations

from tests.mutants.model import Mutant, planted

_PORTAL: tuple[Mutant, ...] = (
    planted(
        "a viewer pays",
        "role not checked",
        "functions/portal/endpoint.py",
        "if seat is None or seat.role not in rule.roles:",
        "if seat is None:",
        "tests/functions/portal/test_security.py::test_a_role_without_payment_meets_the_same_404_on_payment_routes",
    ),
    planted(
        "a page reads with the seller's store",
        "unscoped query",
        "functions/portal/endpoint.py",
        "store = services.store().within(seat.account_id, seat.entity_id, visit.who.user_id, sees=in_sight)",
        "store = services.store()",
        "tests/functions/portal/test_security.py::test_a_page_that_reaches_for_another_customers_records_by_mistake_finds_nothing",
    ),
    planted(
        "any form of any session will do",
        "lookup that trusts the client",
        "functions/portal/forms.py",
        'if not form_key_fits(token, form.get("form_key", [""])[-1]):',
        'if not form.get("form_key", [""])[-1]:',
        "tests/functions/portal/test_security.py::test_a_form_from_elsewhere_or_without_its_key_changes_nothing",
    ),
    planted(
        "a form sent from another site counts",
        "missing condition",
        "functions/portal/forms.py",
        "if (sent_from is not None and sent_from != own_origin) or site",
        "if site",
        "tests/functions/portal/test_security.py::test_a_form_from_elsewhere_or_without_its_key_changes_nothing",
    ),
    planted(
        "a link leads to another site after signing in",
        "lookup that trusts the client",
        "functions/portal/visit.py",
        'if _NEXT.fullmatch(path) and "//" not in path',
        'if path.startswith("/")',
        "tests/functions/portal/test_signing_in.py::test_no_other_site_can_be_the_next_page",
    ),
    planted(
        "amounts that nobody checked are paid",
        "lookup that trusts the client",
        "functions/portal/paying.py",
        "if set(wanted.chosen) != set(wanted.minors):",
        "if not wanted.chosen:",
        "tests/functions/portal/test_pages.py::test_a_confirmation_takes_checked_amounts_only",
    ),
    planted(
        "a cell of an export is a formula",
        "character forgotten",
        "functions/portal/presenters/spreadsheets.py",
        '_ACTIVE = ("=", "+", "-", "@", ',
        '_ACTIVE = ("=", "+", "-", ',
        "tests/functions/portal/test_pages.py::test_no_cell_of_an_export_is_a_formula",
    ),
    planted(
        "scripts of a page read the session's cookie",
        "attribute forgotten",
        "functions/portal/cookies.py",
        "Path=/; HttpOnly; SameSite=Lax{secure}",
        "Path=/; SameSite=Lax{secure}",
        "tests/functions/portal/test_signing_in.py::test_the_cookie_is_for_http_only_and_the_table_never_sees_its_token",
    ),
    planted(
        "who downloaded a document is not on record",
        "audit record left out",
        "functions/portal/invoices.py",
        '    note_read(visit, "invoice.downloaded", invoice_id)\n',
        "",
        "tests/functions/portal/test_pages.py::test_the_pdf_is_the_documents_function_and_its_download_is_on_record",
    ),
    planted(
        "a webhook is queued before its signature is looked at",
        "effect before its check",
        "functions/portal/public.py",
        "    try:\n        verified_body(",
        "    services.queue_gateway_event(visit.raw_body.decode())\n    try:\n        verified_body(",
        "tests/functions/portal/test_pages.py::test_a_signed_webhook_is_queued_as_it_came_and_anything_else_is_refused",
    ),
    planted(
        "a list shows drafts",
        "missing condition",
        "invoicing/reading.py",
        'return item["status"] in SHOWN',
        'return item["status"] != "void"',
        "tests/functions/portal/test_pages.py::test_a_draft_is_never_shown",
    ),
)

_API: tuple[Mutant, ...] = (
    planted(
        "any key opens any route",
        "scope not checked",
        "functions/api/endpoint.py",
        "if rule.scope not in call.key.scopes:",
        "if rule.scope is None:",
        "tests/functions/api/test_security.py::test_a_key_with_every_scope_but_the_routes_own_is_refused",
    ),
    planted(
        "one name of two routes is one request",
        "key without its route",
        "functions/api/repeating.py",
        "fingerprint(call.path, name)",
        "fingerprint(name)",
        "tests/functions/api/test_api.py::test_another_request_under_the_key_is_refused",
    ),
    planted(
        "a refusal is remembered for a day",
        "guard kept without its effect",
        "functions/api/repeating.py",
        "        services.repeats().forget(claim)\n",
        "",
        "tests/functions/api/test_api.py::test_a_refusal_is_not_remembered",
    ),
    planted(
        "another seller's invoice can be read by its id",
        "unscoped query",
        "invoicing/reading_seller.py",
        "if customer not in found.others or found.header.entity_id != entity_id:",
        "if not found.header.entity_id:",
        "tests/functions/api/test_security.py::test_another_sellers_account_is_as_good_as_none",
    ),
    planted(
        "a body of any size is read",
        "missing limit",
        "functions/api/endpoint.py",
        "if len(call.raw_body) > rule.most_bytes:",
        "if len(call.raw_body) > rule.most_bytes > 1_000_000:",
        "tests/functions/api/test_security.py::test_a_body_that_is_too_large_is_refused_before_it_is_read",
    ),
    planted(
        "the last page's cursor opens another list",
        "lookup that trusts the client",
        "invoicing/reading_seller.py",
        'if wish.account_id and began not in ("", wish.account_id):',
        "if wish.account_id and not began and cursor:",
        "tests/functions/api/test_api.py::test_a_cursor_of_one_accounts_list_is_none_of_anothers",
    ),
)

_HOSTED: tuple[Mutant, ...] = (
    planted(
        "what a failure says is in the log",
        "personal field in a log",
        "functions/observed.py",
        'return "\\n".join(places(ei[1], ei[2]))',
        'return "\\n".join([*places(ei[1], ei[2]), str(ei[1])])',
        "tests/functions/test_observed.py",
    ),
    planted(
        "an address one field down is in the log",
        "personal field in a log",
        "functions/observed.py",
        "return {k: _HIDDEN if k in PERSONAL else discreet(v) for k, v in value.items()}",
        "return {k: _HIDDEN if k in PERSONAL else v for k, v in value.items()}",
        "tests/functions/test_observed.py",
    ),
    planted(
        "events that the bus did not take are gone",
        "swallowed failure",
        "functions/events/publish.py",
        "if any(e.id in refused for e in events)]",
        "if all(e.id in refused for e in events) and not published]",
        "tests/functions/test_publish.py",
    ),
    planted(
        "an outage reads like a mistake of the caller",
        "wrong status",
        "functions/http/failures.py",
        "return 503 if isinstance(error, Unavailable) else 500",
        "return 422 if isinstance(error, Unavailable) else 500",
        "tests/functions/api/test_leaks.py",
        "tests/functions/api/test_security.py::test_an_outage_is_told_as_one_that_may_be_tried_again",
    ),
)

_SUPPORT: tuple[Mutant, ...] = (
    planted(
        "each message of a customer pushes the answer back",
        "clock started anew",
        "support/rules.py",
        "None if message.by_staff else waiting or due_at",
        "None if message.by_staff else due_at",
        "tests/unit/support/test_tickets.py",
    ),
    planted(
        "support works on Saturdays",
        "off-by-one day",
        "support/rules.py",
        "_SATURDAY = 5",
        "_SATURDAY = 6",
        "tests/unit/support/test_tickets.py",
    ),
    planted(
        "a message sent twice is there twice",
        "missing look",
        "support/service.py",
        "if there and (there[0].author_id, there[0].text) == (actor.id, text.strip()):",
        "if there and (there[0].author_id, there[0].text) == (actor.id, text.strip() + seen * ' '):",
        "tests/functions/staff/test_tickets.py::test_a_form_sent_twice_asks_and_answers_once",
    ),
)

MUTANTS: tuple[Mutant, ...] = (*_PORTAL, *_API, *_HOSTED, *_SUPPORT)
