"""Signing in through one's organisation: from the page to its provider and back, and everything that must not work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from functions.portal import services
from local.provider.model import FAULTS, HEAD_FAULTS
from saldo.access.model import Role, UserStatus
from saldo.access.model_sso import Joining, SsoProtocol
from saldo.access.rules_sso import check_registration
from saldo.audit.model import job
from saldo.kernel.errors import NotFound, Refusal
from tests.functions.portal import scenes
from tests.functions.portal.browser import ORIGIN, Browser, Page
from tests.functions.portal.conftest import Portal
from tests.functions.portal.organisations import (
    OPERATOR,
    PROOF,
    WHY,
    Pool,
    Users,
    federated,
    leads_to,
    registration,
    user_pool,
)

ADMIN, VIEWER, STRANGER = (scenes.PEOPLE[who] for who in ("admin", "viewer", "stranger"))
NEW = "neu@kontor.example"
NO = "did not work. Begin again here"


@pytest.fixture(scope="module")
def users() -> Iterator[Users]:
    with user_pool() as made:
        yield made


@pytest.fixture
def pool(portal: Portal, users: Users, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pool]:
    with federated(portal, users, monkeypatch) as made:
        made.knows(ADMIN.email, VIEWER.email, NEW)
        yield made


def audit(pool: Pool, owner: str) -> list[dict[str, Any]]:
    return list(pool.portal.access._store.query_all(owner, prefix="audit#"))


def test_a_colleague_comes_in_through_the_organisation_as_who_they_were(pool: Pool) -> None:
    pool.connect()
    browser, page = pool.sign_in(ADMIN.email)
    assert (page.status, page.location) == (303, "/accounts") and "Rieke Harms" in browser.get("/profile").text
    began = [a for a in audit(pool, pool.portal.user_id("admin")) if a["action"] == "session.began"]
    assert began[-1]["after"]["proof"] == "sso"
    assert browser.get(f"/accounts/{scenes.NORTH}/people").status == 200


def test_the_domain_alone_leads_on_and_says_nothing_of_who_is_known(pool: Pool) -> None:
    pool.connect()
    known, unknown = (pool.left(pool.portal.browser(), e) for e in (ADMIN.email, "nobody@kontor.example"))
    assert known.partition("&state=")[0] == unknown.partition("&state=")[0] != ""
    asked = dict(p.partition("=")[::2] for p in known.partition("?")[2].split("&"))
    assert asked["code_challenge_method"] == "S256" and asked["nonce"] and asked["response_type"] == "code"
    browser = pool.portal.browser()
    browser.get("/sign-in/organisation")
    pages = [browser.post("/sign-in/organisation", {"email": e}) for e in ("a@other.example", "no address", "")]
    assert [p.status for p in pages] == [422] * 3 and all("No organisation is known" in p.text for p in pages)


def test_a_token_that_is_not_right_opens_nothing(pool: Pool) -> None:
    pool.connect()
    for fault in sorted([*FAULTS, *HEAD_FAULTS]):
        pool.provider.fault = fault
        browser, page = pool.sign_in(ADMIN.email)
        if fault == "a_little_ahead":  # clocks differ by half a minute
            assert page.status == 303
        else:
            assert page.status == 422 and NO in page.text and "saldo" not in browser.cookies, fault


def test_somebody_of_another_provider_or_of_the_pool_itself_is_nobody(pool: Pool) -> None:
    pool.connect()
    for changes in (
        {"identities": []},
        {"identities": "idp"},
        {"identities": [{"userId": "x", "providerName": "another"}]},
        {"cognito:username": "rieke@kontor.example"},
        {"email": None},
        {"email": "rieke@kontor.example@evil.example"},
        {"email": "rieke@fremde.example"},
    ):
        pool.knows(ADMIN.email, **changes)
        browser, page = pool.sign_in(ADMIN.email)
        assert page.status == 422 and "saldo" not in browser.cookies, changes


def test_what_a_saml_provider_says_besides_the_address_means_nothing(pool: Pool) -> None:
    pool.protocol = "SAML"
    given = {"protocol": SsoProtocol.SAML, "issuer": "", "client_id": "", "client_secret": ""}
    pool.connect(**given, metadata="https://login.kontor.example/metadata")
    pool.knows(
        VIEWER.email,
        **{
            "custom:role": "account_admin",
            "custom:organisation": scenes.OTHER_ORGANISATION,
            "cognito:groups": ["admins"],
        },
    )
    browser, page = pool.sign_in(VIEWER.email)
    assert page.status == 303 and browser.get(f"/accounts/{scenes.NORTH}").status == 200
    assert browser.get(f"/accounts/{scenes.NORTH}/people").status == 404
    made = pool.cognito.describe_identity_provider(UserPoolId=pool.pool_id, ProviderName=pool.broker)[
        "IdentityProvider"
    ]
    assert made["ProviderType"] == "SAML" and made["ProviderDetails"]["IDPInit"] == "false"
    assert set(made["AttributeMapping"]) == {"email", "name"}


def test_a_new_key_counts_within_a_minute_and_the_withdrawn_one_no_more(pool: Pool) -> None:
    pool.connect()
    assert pool.sign_in(ADMIN.email)[1].status == 303
    old = pool.provider.keys
    pool.provider.rotate()
    assert pool.sign_in(ADMIN.email)[1].status == 422  # the set was fetched a moment ago
    pool.portal.clock.advance(minutes=1)
    assert pool.sign_in(ADMIN.email)[1].status == 303
    new, pool.provider.keys = pool.provider.keys, old
    assert new != old and pool.sign_in(ADMIN.email)[1].status == 422


def test_coming_back_works_once_in_the_browser_that_left_and_not_late(pool: Pool) -> None:
    pool.connect()
    browser, other = pool.portal.browser(), pool.portal.browser()
    url = pool.back(pool.left(browser, ADMIN.email), ADMIN.email)
    other.get("/sign-in")
    assert NO in other.get(url).text  # who is lured to it: somebody else's sign-in
    assert browser.get(url).status == 303
    browser.get("/sign-in")
    assert NO in browser.get(url).text
    for altered in (url.replace("code=", "code=x"), url.replace("state=", "state=x"), services.SSO_BACK):
        assert browser.get(altered).status == 422
    late = pool.back(pool.left(browser, ADMIN.email), ADMIN.email)
    pool.portal.clock.advance(minutes=10)
    assert NO in browser.get(late).text


def test_a_code_is_worth_nothing_without_the_cookie_it_was_asked_with(pool: Pool) -> None:
    """PKCE: the verifier follows from the cookie, so a code read on its way cannot be used."""
    pool.connect()
    browser, thief = pool.portal.browser(), pool.portal.browser()
    stolen = pool.back(pool.left(browser, ADMIN.email), ADMIN.email)
    own = pool.back(pool.left(thief, VIEWER.email), VIEWER.email)
    code, state = stolen.partition("code=")[2].partition("&")[0], own.partition("state=")[2]
    assert NO in thief.get(f"{services.SSO_BACK}?code={code}&state={state}").text
    assert "saldo" not in thief.cookies


def test_nobody_comes_in_uninvited_unless_the_organisation_says_as_what(pool: Pool) -> None:
    pool.connect()
    browser, page = pool.sign_in(NEW)
    assert page.status == 422 and "no access here yet" in page.text
    pool.connect(joining=Joining(Role.VIEWER, (scenes.NORTH,)))
    browser, page = pool.sign_in(NEW)
    assert page.status == 303 and browser.get(f"/accounts/{scenes.NORTH}").status == 200
    assert browser.get(f"/accounts/{scenes.NORTH}/pay").status == 404
    assert browser.get(f"/accounts/{scenes.SOUTH}").status == 404
    assert [a for a in audit(pool, scenes.NORTH) if a["action"] == "member.joined_by_sso"]
    assert pool.sign_in(NEW)[1].status == 303


def test_who_was_removed_suspended_or_disabled_stays_out(pool: Pool) -> None:
    pool.connect(joining=Joining(Role.VIEWER, (scenes.NORTH,)))
    assert pool.sign_in(VIEWER.email)[1].status == 303
    user_id = pool.portal.user_id("viewer")
    for changes in ({"status": UserStatus.SUSPENDED}, {"grants": ()}):
        pool.portal.access.register(replace(VIEWER, id=user_id, **changes), job("tests"))
        browser, page = pool.sign_in(VIEWER.email)
        assert page.status == 422 and "saldo" not in browser.cookies
    pool.portal.access.register(replace(VIEWER, id=user_id), job("tests"))
    pool.portal.identity.people.pop(VIEWER.email)  # disabled in the user pool
    assert pool.sign_in(VIEWER.email)[1].status == 422


def test_an_address_given_to_somebody_else_does_not_take_over_the_access(pool: Pool) -> None:
    pool.connect()
    assert pool.sign_in(VIEWER.email)[1].status == 303
    told = {"userId": "idp-another-person", "providerName": pool.broker}
    pool.knows(VIEWER.email, identities=[told], **{"cognito:username": f"{pool.broker}_idp-another-person"})
    assert NO in pool.sign_in(VIEWER.email)[1].text


def invited(pool: Pool, email: str) -> str:
    colleagues, actor = services.colleagues(), OPERATOR
    colleagues.invite(scenes.NORTH, email, "Neu", Role.PAYER, "en", actor, "asked for")
    return pool.portal.mail("invitation")[-1].url.removeprefix(ORIGIN)


def test_an_invitation_is_taken_up_through_the_organisation_by_whom_it_is_for(pool: Pool) -> None:
    pool.connect()
    path = invited(pool, NEW)

    def accept(as_whom: str) -> tuple[Browser, Page]:
        browser = pool.portal.browser()
        assert "no password is needed" in browser.get(path).text
        url = leads_to(browser.post(path, {"by": "organisation"}))
        return browser, browser.get(pool.back(url, as_whom))

    pool.knows("andere@kontor.example")
    assert "no access here yet" in accept("andere@kontor.example")[1].text
    browser, page = accept(NEW)
    assert page.status == 303 and browser.get(f"/accounts/{scenes.NORTH}/pay").status == 200
    assert "has been used" in pool.portal.browser().get(path).text


def test_who_is_known_takes_up_an_invitation_to_another_account_as_well(pool: Pool) -> None:
    pool.connect()
    assert pool.sign_in(VIEWER.email)[1].status == 303
    services.colleagues().invite(scenes.SOUTH, VIEWER.email, "Vera", Role.VIEWER, "en", OPERATOR, "asked for")
    path = pool.portal.mail("invitation")[-1].url.removeprefix(ORIGIN)
    browser = pool.portal.browser()
    browser.get(path)
    url = leads_to(browser.post(path, {"by": "organisation"}))
    assert browser.get(pool.back(url, VIEWER.email)).status == 303
    assert [browser.get(f"/accounts/{a}").status for a in (scenes.NORTH, scenes.SOUTH)] == [200, 200]


def test_where_it_is_the_only_way_password_link_and_recovery_lead_to_it(pool: Pool) -> None:
    pool.connect()
    before = pool.portal.signed_in("viewer")
    pool.sso.require(scenes.ORGANISATION, True, OPERATOR, WHY)
    browser = pool.portal.browser()
    for email in (VIEWER.email, "nobody@kontor.example"):
        assert leads_to(browser.sign_in(email, scenes.PASSWORD))
        for path in ("/sign-in/link", "/forgot-password"):
            browser.get(path)
            assert leads_to(browser.post(path, {"email": email}))
    assert pool.portal.identity.mailed == {} and pool.portal.mail("sign_in_link") == []
    pool.portal.clock.advance(minutes=6)
    assert before.get("/profile").location.startswith("/sign-in")  # a session that began by password
    assert pool.sign_in(VIEWER.email)[1].status == 303


def test_whoever_is_of_the_organisation_by_another_address_gets_in_no_other_way_either(pool: Pool) -> None:
    outside = replace(VIEWER, email="steuer@berater.example", name="Thea Berg")
    pool.portal.access.enrol(outside, scenes.PASSWORD, job("tests"))
    pool.connect()
    assert pool.portal.browser().sign_in(outside.email, scenes.PASSWORD).status == 303
    pool.sso.require(scenes.ORGANISATION, True, OPERATOR, WHY)
    page = pool.portal.browser().sign_in(outside.email, scenes.PASSWORD)
    assert page.status == 422 and "is not right" in page.text
    assert pool.portal.browser().sign_in(STRANGER.email, scenes.PASSWORD).status == 303


def test_sessions_end_with_the_connection_and_after_four_hours(pool: Pool) -> None:
    pool.connect()
    browser, _ = pool.sign_in(ADMIN.email)
    for _ in range(11):
        pool.portal.clock.advance(minutes=20)
        assert browser.get("/profile").status == 200
    pool.portal.clock.advance(minutes=20)
    assert browser.get("/profile").location.startswith("/sign-in")
    browser, _ = pool.sign_in(ADMIN.email)
    pool.sso.disconnect(scenes.ORGANISATION, OPERATOR, WHY)
    pool.portal.clock.advance(minutes=6)
    assert browser.get("/profile").location.startswith("/sign-in")
    assert pool.left(browser, ADMIN.email) == ""
    assert pool.cognito.list_user_pool_clients(UserPoolId=pool.pool_id, MaxResults=10)["UserPoolClients"] == []


def test_a_domain_is_one_organisations_and_a_provider_speaks_for_no_other(pool: Pool) -> None:
    pool.connect()
    with pytest.raises(Refusal) as refused:
        pool.connect(organisation_id=scenes.OTHER_ORGANISATION)
    assert refused.value.code == "domain_taken"
    pool.connect(organisation_id=scenes.OTHER_ORGANISATION, domains=("fremde.example",))
    pool.knows(STRANGER.email, email=ADMIN.email)  # their provider says it is somebody of ours
    _, page = pool.sign_in(STRANGER.email)
    assert "not one of its own" in page.text
    made = pool.connect()  # anew: another client, the one before is gone
    clients = pool.cognito.list_user_pool_clients(UserPoolId=pool.pool_id, MaxResults=10)["UserPoolClients"]
    assert len(clients) == 2 and made.client.id in {c["ClientId"] for c in clients}


def test_what_cannot_be_connected_is_refused_by_name() -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"domains": ("gmail.com",)}, "domain_of_everybody"),
        ({"domains": ()}, "invalid_domain"),
        ({"domains": ("kontor",)}, "invalid_domain"),
        ({"domains": ("Kontor.example",)}, "invalid_domain"),
        ({"issuer": "http://login.kontor.example"}, "invalid_issuer"),
        ({"issuer": "https://login.microsoftonline.com/common/v2.0"}, "many_tenants"),
        ({"client_secret": ""}, "missing"),
        ({"joining": Joining(Role.ACCOUNT_ADMIN, (scenes.NORTH,))}, "not_by_itself"),
        ({"joining": Joining(Role.VIEWER, ())}, "missing"),
        ({"protocol": SsoProtocol.SAML, "metadata": "<html/>"}, "invalid_metadata"),
        ({"protocol": SsoProtocol.SAML, "metadata": "ftp://x.example"}, "invalid_metadata"),
    ]
    for changes, code in cases:
        with pytest.raises(Refusal) as refused:
            check_registration(registration(**changes))
        assert refused.value.code == "invalid_sso" and code in {p.code for p in refused.value.problems}, changes
    check_registration(registration(issuer="http://localhost:8095"))


def test_connecting_is_on_the_trail_with_reason_and_proof_and_no_secret_is_at_rest(pool: Pool) -> None:
    made = pool.connect()
    with pytest.raises(NotFound):
        pool.connect(joining=Joining(Role.VIEWER, (scenes.OTHERS,)))
    with pytest.raises(Refusal):
        pool.sso.connect(registration(), PROOF, OPERATOR, " ")
    (told,) = [a for a in audit(pool, scenes.ORGANISATION) if a["action"] == "sso.connected"]
    assert (told["reason"], told["after"]["domains_proven_by"]) == (WHY, PROOF)
    pool.sign_in(ADMIN.email)
    everything = repr(list(pool.portal.access._store.scan()))
    for secret in (made.client.secret, "of the organisation", ADMIN.email):
        assert secret not in everything
