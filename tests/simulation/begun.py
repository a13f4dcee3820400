"""Kinds of records that are held against no audit record of their own beginning (`saldo.insight.checks_beginnings`), by
what tells of them instead."""

from __future__ import annotations

from collections.abc import Mapping

FOLLOWS_FROM: Mapping[str, set[str]] = {
    "an entry or a history, each held against its audit records": {
        *("audit", "balance", "body", "chain", "credit_link", "entry", "guard", "invoice", "payment"),
    },
    "records that are held, of which it is a fold, a list or a pointer": {
        *("consolidated", "customer", "customer_word", "day_sums", "default_method", "disputed", "estimated", "facts"),
        *("items", "news", "note", "open_list", "open_sums", "order_owner", "payment_of", "payments", "scheduled_for"),
        *("seen", "tax_id", "work"),
    },
    "the version before, which is held": {"contract_version", "own_taxes_version", "templates", "term"},
    "a run, whose blocks of numbers are held": {
        *("aside", "attempt", "claimed", "numbered", "numbers", "plan", "ranks", "result", "run", "series"),
    },
    "usage, of which each event is counted (10, 11)": {
        *("looked_ahead", "producer", "quarantine", "usage", "usage_parts", "windows"),
    },
    "an order, a contract, a run or staff, each with records of its own": {"item", "ordering", "reference"},
    "what was sent": {"alert", "asked", "delivery", "dispute_words", "files_shown", "uploads"},
    "somebody, who is looked at by reviews of access": {
        *("api_key", "attempts", "member", "own_session", "people", "session", "sso_domain", "staff", "table_views"),
        "user",
    },
    "nothing that anybody made": {
        *("certificate_request", "clock", "did", "discrepancy", "dropped_event", "parked_event", "rate", "repeat"),
    },
}
