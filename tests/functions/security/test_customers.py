"""Every route of the portal against everybody it is not for, each asking for records that are really there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from functions.portal import services
from functions.portal.endpoint import Routes, Rule, declared, roles
from functions.staff.endpoint import declared as of_staff
from saldo.access.model import Grant, Role, User, UserStatus
from saldo.audit.model import Actor, job
from tests.contexts.sellers import ENTITY
from tests.functions.portal import scenes
from tests.functions.portal.browser import Browser
from tests.functions.portal.conftest import US_ORIGIN, Portal
from tests.functions.security.matrix import Case, all_faults, is_one_of, nothing_there
from tests.functions.security.samples import ABROAD, FOREIGNER, SAMPLES, SECRETS, SISTER
from tests.functions.security.town import NORTH, OTHERS, SOUTH, Town, ask, objects, parts

Enter = Callable[[Town], Browser]
Where = Callable[[Town, str], str]
Concerns = Callable[[str, str, Rule], bool]
WITH_ACCOUNT = [(m, p) for (m, p), rule in sorted(declared.items()) if rule.roles]
# Leads to the bucket's own address; a view is its user's alone, whatever their role.
ZIP, VIEW = "/accounts/{account_id}/bundles/{bundle_id}/zip", "/accounts/{account_id}/invoices/views/{view_id}"
# What a viewer may send; whatever else changes something asks for another role. A new entry is a decision.
VIEWERS_SEND = {"/help", "/help/{ticket_id}", "/help/{ticket_id}/close", "/approvals/{approval_id}/agree",
                "/approvals/{approval_id}/decline", "/bundles", "/invoices/views", "/invoices/views/{view_id}",
                "/invoices/views/{view_id}/remove"}  # fmt: skip


def of_account(_m: str, _p: str, rule: Rule) -> bool:
    return bool(rule.roles)


def person(email: str) -> Enter:
    def enter(town: Town) -> Browser:
        browser = town.portal.browser()
        assert browser.sign_in(email, scenes.PASSWORD).status == 303
        return browser

    return enter


def who(name: str) -> Enter:
    return person(scenes.PEOPLE[name].email)


def proven(town: Town) -> Browser:
    """An admin with a code a moment ago: whom nothing is asked any more."""
    return town.portal.with_codes("admin")


def newcomer(town: Town, name: str) -> tuple[User, Browser]:
    """One more colleague, an admin of both accounts, signed in."""
    grants = tuple(Grant(account_id, Role.ACCOUNT_ADMIN) for account_id in (NORTH, SOUTH))
    user = User("", scenes.ORGANISATION, f"{name}@kontor.example", name, "en", grants)
    made = town.portal.access.enrol(user, scenes.PASSWORD, job("tests"))
    return made, person(user.email)(town)


def put_out(town: Town, verb: str) -> Browser:
    """Suspended at the account, or removed from it; and signed in anew."""
    user, _ = newcomer(town, verb)
    getattr(services.colleagues(), verb)(NORTH, user.id, Actor(town.portal.user_id("admin"), "user"))
    return person(f"{verb}@kontor.example")(town)


def acting(town: Town) -> Browser:
    """Staff who look for Kontor Nord, with its consent."""
    portal, where = town.portal, f"/staff/{ENTITY}/accounts/{NORTH}/act"
    services.acting().grant(NORTH, 8, Actor(portal.user_id("admin"), "user"))
    support = portal.staff_in("support")
    support.get(where)
    assert support.post(where, {"why": "asked about an invoice"}).status == 303
    return support


def on(account_id: str) -> Where:
    return lambda town, route: town.path(route, account_id)


def with_records_of(account_id: str) -> Where:
    """Through the door of one's own account, for what lies in another."""
    return lambda town, route: town.path(route, NORTH, of=account_id)


def made_up(of: str) -> Where:
    return lambda town, route: town.made_up(route, NORTH, of)


def names_a_record(_m: str, path: str, _rule: Rule) -> bool:
    return bool(objects(path))


def names_a_record_of_its_own(_m: str, path: str, _rule: Rule) -> bool:
    """A seller's papers are for all its customers."""
    return bool(objects(path)) and path != "/accounts/{account_id}/papers/{upload_id}"


def lacks(role: Role) -> Concerns:
    return lambda _m, _p, rule: bool(rule.roles) and role not in rule.roles


def is_ahead(method: str, path: str, key: tuple[str, str]) -> bool:
    """Records of the account in the path that the route's rule reads with the session: nobody has looked at them."""
    return is_one_of(key, declared[method, path].ahead)


def not_for_acting(method: str, _p: str, rule: Rule) -> bool:
    return not (rule.acting and (method == "GET" or rule.signed_in))


STRANGERS = [
    Case("another organisation", who("stranger"), of_account, on(NORTH), nothing_there, NORTH, is_ahead),
    Case("another seller's customer", person(FOREIGNER.email), of_account, on(NORTH), nothing_there, NORTH, is_ahead),
    Case("a sister account", person(SISTER.email), of_account, on(NORTH), nothing_there, NORTH, is_ahead),
    Case("us at another organisation", who("admin"), of_account, on(OTHERS), nothing_there, OTHERS, is_ahead),
    Case("us at another seller's", who("admin"), of_account, on(ABROAD), nothing_there, ABROAD, is_ahead),
    Case(
        "records of another organisation",
        proven,
        names_a_record_of_its_own,
        with_records_of(OTHERS),
        made_up(OTHERS),
        OTHERS,
    ),
    Case("records of another seller's", proven, names_a_record, with_records_of(ABROAD), made_up(ABROAD), ABROAD),
    Case(
        "records of a sister account", proven, names_a_record_of_its_own, with_records_of(SOUTH), made_up(SOUTH), SOUTH
    ),
    Case("a viewer", who("viewer"), lacks(Role.VIEWER), on(NORTH), nothing_there),
    Case("an approver", who("approver"), lacks(Role.APPROVER), on(NORTH), nothing_there),
    Case("a payer", who("payer"), lacks(Role.PAYER), on(NORTH), nothing_there),
    Case("somebody suspended", lambda t: put_out(t, "suspend"), of_account, on(NORTH), nothing_there, NORTH, is_ahead),
    Case("somebody who left", lambda t: put_out(t, "remove"), of_account, on(NORTH), nothing_there, NORTH, is_ahead),
    Case("staff who act", acting, not_for_acting, on(NORTH), on(NORTH)),
    Case("staff who act elsewhere", acting, of_account, on(SOUTH), nothing_there, SOUTH, is_ahead),
    Case("staff", lambda t: t.portal.staff_in("admin"), lambda *_: True, on(NORTH), nothing_there, NORTH, is_ahead),
]


@pytest.mark.parametrize("case", STRANGERS, ids=lambda case: case.name)
def test_what_is_not_for_somebody_is_as_good_as_not_there(town: Town, case: Case) -> None:
    """The same 404 to the letter, nothing of it looked at, nothing changed, as many calls, the same way through our
    code."""
    assert all_faults(town, case, declared) == []


def test_every_part_of_a_path_has_a_sample() -> None:
    used = {part for _, path in [*declared, *of_staff] for part in parts(path)}
    assert used <= set(SAMPLES) | SECRETS, "add what makes one to SAMPLES"
    assert not {p for p in SECRETS if any(p in parts(path) for (_, path), rule in declared.items() if not rule.anyone)}


# Pages of one record that ask the table more than twice; what is put on record and files are the most of it.
MORE = {
    **dict.fromkeys(("invoices/{invoice_id}/pdf", "payments/{payment_id}/pdf"), 5),
    **dict.fromkeys(("papers/{upload_id}", "files/{about}/{upload_id}/content", "bundles/{bundle_id}/zip"), 4),
    "disputes/{dispute_id}": 3,
}


def test_samples_are_real_to_whom_they_belong(town: Town) -> None:
    """Were they not, a 404 would show nothing: every page of every record opens for its own people, by two calls."""
    bill, wrong = town.portal.region.records.bill, list[object]()
    for account_id, browser in ((NORTH, proven(town)), (OTHERS, who("stranger")(town))):
        for (method, path), rule in declared.items():
            if method == "GET" and not rule.anyone and objects(path):
                assert browser.get(town.path(path, account_id)).status == (303 if path == ZIP else 200), path
                most = MORE.get(path.removeprefix("/accounts/{account_id}/"), 2)
                before = bill.calls.copy()
                browser.get(town.path(path, account_id))
                if (calls := bill.calls - before).total() > most:
                    wrong.append((path, calls))
    assert wrong == []
    store = services.store()
    for account_id, has in town.has.items():
        kept = [str(item) for item in store.query_all(account_id)]
        assert any(has["scheduled_id"] in item for item in kept), "it has no page of its own"


def test_who_may_reaches_every_page_with_its_role(town: Town) -> None:
    """The other half of the matrix: a refusal of everything would pass all else."""
    answers = Counter[tuple[str, int]]()
    for name, role in (("viewer", Role.VIEWER), ("approver", Role.APPROVER), ("payer", Role.PAYER)):
        browser = who(name)(town)
        for method, path in WITH_ACCOUNT:
            if method == "GET" and role in declared[method, path].roles:
                answers[path, browser.get(town.path(path, NORTH)).status] += 1
    assert {asked for asked in answers if asked[1] != 200} == {(ZIP, 303), (VIEW, 404)} and answers.total() > 60


def test_nobody_is_sent_to_sign_in_for_nothing_read_and_programs_are_told(town: Town) -> None:
    kept, old = town.portal.browser(), who("viewer")(town)
    old.cookies["saldo"] = "x" * 43
    kept.headers["authorization"] = "Bearer sk_eu_0000000000000000_" + "f" * 64
    for (method, path), rule in declared.items():
        if rule.anyone:
            continue
        for browser, reads in ((kept, 0), (old, 1)):
            with town.watch() as watch:
                page = ask(browser, method, town.path(path, NORTH), path)
            assert page.location.startswith("/sign-in") and not watch.written, path
            assert watch.calls.total() == reads, path
        told = kept.get(town.path(path, NORTH), accept="application/json") if method == "GET" else None
        assert told is None or (told.status, told.headers["content-type"]) == (401, "application/problem+json")


def test_ids_of_another_region_are_sent_home_without_cookie_query_or_reading(town: Town) -> None:
    browser = who("admin")(town)
    for method, path in WITH_ACCOUNT:
        home = town.path(path, NORTH, account_id="acct_us_someone")
        with town.watch() as watch:
            page = ask(browser, method, home + ("?text=Harms" if method == "GET" else ""))
        assert (page.status, page.location, page.text, page.cookies_set) == (307, US_ORIGIN + home, "", [])
        assert not watch.calls and not watch.written


def test_a_session_ends_at_once_for_who_is_suspended_removed_or_made_something_else(town: Town) -> None:
    admin = Actor(town.portal.user_id("admin"), "user")
    for name, change in (
        ("suspended", lambda user: services.colleagues().suspend(NORTH, user.id, admin)),
        ("removed", lambda user: services.colleagues().remove(NORTH, user.id, admin)),
        ("changed", lambda user: services.colleagues().change_role(NORTH, user.id, Role.VIEWER, admin)),
        ("offboarded", lambda user: _offboarded(town.portal, user)),
    ):
        user, browser = newcomer(town, name)
        assert browser.get(f"/accounts/{NORTH}").status == 200
        change(user)
        assert browser.get(f"/accounts/{NORTH}").location.startswith("/sign-in"), name


def _offboarded(portal: Portal, user: User) -> None:
    portal.access.register(replace(user, status=UserStatus.SUSPENDED), job("tests"))


def test_whom_the_organisation_put_out_does_not_come_in_again(town: Town) -> None:
    user, _ = newcomer(town, "gone")
    _offboarded(town.portal, user)
    page = town.portal.browser().sign_in(user.email, scenes.PASSWORD)
    wrong = town.portal.browser().sign_in(user.email, "another password")
    assert (page.status, wrong.status) == (422, 422) and "saldo" not in page.headers.get("set-cookie", "")


@pytest.mark.parametrize("rule", [Rule(), roles(frozenset())])
def test_a_route_that_allows_nobody_fails_at_import(rule: Rule) -> None:
    with pytest.raises(TypeError, match="who may use it"):
        Routes("planted").get("/planted", rule)


@pytest.mark.parametrize("rule", [Rule(signed_in=True), Rule(anyone=True)])
def test_a_route_that_forgets_its_roles_fails_at_import(rule: Rule) -> None:
    with pytest.raises(TypeError, match="roles and an account"):
        Routes("planted").get("/accounts/{account_id}/planted", rule)


def test_every_route_of_the_application_names_who_may_use_it(town: Town) -> None:
    served = {(m, p) for p, methods in town.portal.app.routes.items() for m in methods}
    assert served == set(declared) | set(of_staff)
    assert not set(declared) & set(of_staff)


def test_a_viewer_sends_nothing_but_words() -> None:
    sends = {p.removeprefix("/accounts/{account_id}") for (m, p), rule in declared.items()
             if m == "POST" and Role.VIEWER in rule.roles}  # fmt: skip
    assert sends == VIEWERS_SEND
