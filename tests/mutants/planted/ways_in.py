"""Bugs in the ways in: passkeys and organisations' own identity providers."""

from __future__ import annotations

from tests.mutants.model import Mutant, planted

_SSO = "tests/functions/portal/test_single_sign_on.py"
_KEYS = "tests/functions/portal/test_passkeys.py"
_FROM_WHERE = "tests/functions/portal/test_countries.py"

_RENEWAL = "tests/functions/portal/test_renewal.py"

_RENEWALS: tuple[Mutant, ...] = (
    planted(
        "the token from before a proof still opens the session",
        "missing write",
        "access/beginning.py",
        'unit.delete(records.session_key(session.digest), when={"user_id": session.user_id})',
        'unit.require(records.session_key(session.digest), when={"user_id": session.user_id})',
        f"{_RENEWAL}::test_a_proof_by_code_ends_the_token_that_was_known_before_it",
    ),
    planted(
        "a proof renews rights that went meanwhile",
        "missing condition",
        "access/beginning.py",
        'if old is None or known is None or known.user["status"] != UserStatus.ACTIVE or not seats:',
        'if old is None or known is None or known.user["status"] != UserStatus.ACTIVE:',
        f"{_RENEWAL}::test_rights_that_went_meanwhile_are_not_renewed",
    ),
    planted(
        "a new token is told only where all went well",
        "lost answer",
        "functions/portal/endpoint.py",
        "return _renewed(seen, failures.failed(seen, error))",
        "return failures.failed(seen, error)",
        f"{_RENEWAL}::test_the_token_is_told_even_when_what_was_asked_for_is_refused",
    ),
)

_PROVIDERS: tuple[Mutant, ...] = (
    planted(
        "a token asked for by somebody else signs in",
        "claim not checked",
        "access/tokens.py",
        'if nonce and not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):',
        'if nonce and not str(claims.get("nonce", "")).encode():',
        f"{_SSO}::test_a_token_that_is_not_right_opens_nothing",
    ),
    planted(
        "a provider speaks for any domain",
        "claim not checked",
        "access/rules_sso.py",
        'if not isinstance(email, str) or email.count("@") != 1 or domain_of(email) not in connection.domains:',
        'if not isinstance(email, str) or email.count("@") != 1:',
        f"{_SSO}::test_a_domain_is_one_organisations_and_a_provider_speaks_for_no_other",
    ),
    planted(
        "whoever has the address takes the link home",
        "lookup that trusts the client",
        "access/sso_sign_in.py",
        "if flow is None or not browser_token or flow.browser != rules.digest_of(browser_token):",
        "if flow is None or not browser_token:",
        f"{_SSO}::test_coming_back_works_once_in_the_browser_that_left_and_not_late",
    ),
    planted(
        "a password goes round the only way in",
        "missing condition",
        "access/records_sso.py",
        'return unit.require(connection_key(organisation_id), when={"only": None}, exists=None)',
        "return unit",
        f"{_SSO}::test_whoever_is_of_the_organisation_by_another_address_gets_in_no_other_way_either",
    ),
    planted(
        "an address given to somebody else takes over",
        "missing guard",
        "access/records_sso.py",
        'return unit.insert(kept | {"subject": sk})',
        'return unit.put(kept | {"subject": sk})',
        f"{_SSO}::test_an_address_given_to_somebody_else_does_not_take_over_the_access",
    ),
)
_PASSKEYS: tuple[Mutant, ...] = (
    planted(
        "a copied key opens",
        "< for <=",
        "access/webauthn.py",
        "if (told.counter or passkey.sign_count) and told.counter <= passkey.sign_count:",
        "if (told.counter or passkey.sign_count) and told.counter < passkey.sign_count:",
        f"{_KEYS}::test_a_key_whose_count_goes_back_was_copied",
    ),
    planted(
        "a challenge may be answered for twice its time",
        "boundary",
        "access/passkeys.py",
        'if self._clock() >= instant_from(item["until"]):',
        'if self._clock() >= instant_from(item["until"]) + CHALLENGE_HOLDS:',
        f"{_KEYS}::test_a_challenge_works_once_for_who_asked_for_what_and_not_late",
    ),
    planted(
        "a challenge for one thing serves another",
        "claim not checked",
        "access/passkeys.py",
        'if item is None or (item["purpose"], item["holder"]) != (purpose.value, holder):',
        'if item is None or item["holder"] != holder:',
        f"{_KEYS}::test_a_challenge_is_worth_nothing_for_anything_else",
    ),
    planted(
        "a key is made without a proof",
        "check left out",
        "functions/portal/passkeys.py",
        "if problem := first_proof_problem(visit):",
        'if problem := "":',
        f"{_KEYS}::test_a_key_is_made_only_after_a_proof_and_found_without_a_name",
    ),
)
_COUNTRIES: tuple[Mutant, ...] = (
    planted(
        "a client says itself which country it is in",
        "claim not checked",
        "functions/http/requests.py",
        "said = headers if through_cloudfront else {}",
        "said = headers",
        f"{_FROM_WHERE}::test_where_callers_reach_us_directly_headers_of_their_own_say_nothing",
    ),
    planted(
        "a country stays new",
        "missing write",
        "access/beginning.py",
        'learned = {"countries": records.countries_item(countries)} if countries else {}',
        "learned: dict[str, object] = {}",
        f"{_FROM_WHERE}::test_a_country_not_seen_before_asks_for_more_than_a_password_and_is_then_known",
    ),
)
MUTANTS = _PROVIDERS + _PASSKEYS + _RENEWALS + _COUNTRIES
