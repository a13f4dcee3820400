"""Sessions, step-up, form keys."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from saldo.access import rules
from saldo.access.model import Origin, Session
from saldo.kernel.money import Money

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SESSION = Session("digest", "user_eu_x", "org_eu_x", (), "en", True, NOW, NOW, NOW, Origin())


def test_a_session_lives_thirty_minutes_unused_and_twelve_hours_at_most() -> None:
    assert rules.is_alive(SESSION, NOW + timedelta(minutes=29, seconds=59))
    assert not rules.is_alive(SESSION, NOW + timedelta(minutes=30))
    busy = replace(SESSION, seen_at=NOW + timedelta(hours=11, minutes=50))
    assert rules.is_alive(busy, NOW + timedelta(hours=11, minutes=59))
    assert not rules.is_alive(busy, NOW + timedelta(hours=12))


def test_large_payments_ask_for_a_fresh_code_of_those_who_have_one() -> None:
    large, small = Money(1_000_000, "EUR"), Money(999_999, "EUR")
    later = NOW + timedelta(minutes=5, seconds=1)
    assert not rules.needs_step_up(SESSION, large, NOW + timedelta(minutes=5))
    assert rules.needs_step_up(SESSION, large, later)
    assert not rules.needs_step_up(SESSION, small, later)
    assert rules.needs_step_up(replace(SESSION, verified_at=None), large, NOW)
    assert not rules.needs_step_up(replace(SESSION, has_totp=False), large, later)
    assert rules.needs_step_up(SESSION, Money(1, "JPY"), later)


def test_a_form_key_is_that_of_its_own_token_only() -> None:
    key = rules.form_key("token")
    assert rules.form_key_fits(key, rules.form_key("token"))
    assert not rules.form_key_fits(rules.form_key("other"), key)
    assert not rules.form_key_fits(rules.form_key(""), "")
    assert not rules.form_key_fits(key, "ä")


def test_attempts_are_counted_by_window_whatever_the_case_of_the_address() -> None:
    first = rules.attempt_keys(" Rieke@Kontor.example", "10.0.0.0/24", NOW)
    assert first == rules.attempt_keys("rieke@kontor.example", "10.0.0.0/24", NOW + timedelta(minutes=14))
    assert first != rules.attempt_keys("rieke@kontor.example", "10.0.0.0/24", NOW + timedelta(minutes=15))


def test_a_user_is_their_providers_subject_in_one_region() -> None:
    one = rules.user_id_of("eu", "issuer", "subject")
    assert one == rules.user_id_of("eu", "issuer", "subject") and one.startswith("user_eu_")
    assert len({one, rules.user_id_of("eu", "issuer2", "subject"), rules.user_id_of("eu", "issuer", "s2")}) == 3
