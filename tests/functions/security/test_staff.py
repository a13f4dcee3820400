"""Every route of staff against everybody it is not for, each asking for records that are really there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from functions.staff.endpoint import PUBLIC, Routes, StaffRule, declared, staff
from saldo.access.model import UserStatus
from saldo.access.model_staff import Staff, StaffPerson, StaffRole
from saldo.access.rules_staff import ALL
from saldo.audit.model import job
from saldo.kernel.errors import Refusal
from tests.contexts.sellers import ENTITY
from tests.functions.portal import scenes
from tests.functions.portal.browser import Browser
from tests.functions.portal.conftest import Portal
from tests.functions.security.matrix import Case, all_faults, is_one_of
from tests.functions.security.samples import ABROAD
from tests.functions.security.town import NO_ENTITY, NOBODYS, NORTH, OTHERS, Town, ask, objects

AT_ENTITY = [(m, p) for (m, p), rule in sorted(declared.items()) if rule.roles]
# What every role may send, an auditor's included: to ask, and to decide where the second person's role is looked at.
ALL_SEND = {
    "/elevation",
    "/elevation/end",
    *(f"/proposals/{{proposal_id}}/{verb}" for verb in ("agree", "refuse", "withdraw")),
}
Where = Callable[[Town, str], str]


def member(name: str) -> Callable[[Town], Browser]:
    return lambda town: town.portal.staff_in(name)


def of_role(name: str) -> Callable[[str, str, StaffRule], bool]:
    return lambda _m, _p, rule: bool(rule.roles & set(scenes.STAFF[name][1]))


def lacks(name: str) -> Callable[[str, str, StaffRule], bool]:
    return lambda _m, _p, rule: bool(rule.roles) and not rule.roles & set(scenes.STAFF[name][1])


def both(*conditions: Callable[[str, str, StaffRule], bool]) -> Callable[[str, str, StaffRule], bool]:
    return lambda m, p, rule: all(holds(m, p, rule) for holds in conditions)


def with_account(_m: str, path: str, _rule: StaffRule) -> bool:
    return "{account_id}" in path


def names_a_record(_m: str, path: str, _rule: StaffRule) -> bool:
    return bool(objects(path)) and "{template}" not in path


def in_account(_m: str, path: str, _rule: StaffRule) -> bool:
    return bool(objects(path)) and "{account_id}" in path


def with_roles(_m: str, _p: str, rule: StaffRule) -> bool:
    return bool(rule.roles)


def here(town: Town, route: str) -> str:
    return town.path(route, NORTH)


def there(town: Town, route: str) -> str:
    """At another seller, with its customer and its records."""
    return town.path(route, ABROAD)


def no_entity(town: Town, route: str) -> str:
    return town.path(route, NORTH, entity_id=NO_ENTITY, account_id=NOBODYS)


def their_customer(town: Town, route: str) -> str:
    """At our own seller, with another seller's customer."""
    return town.path(route, ABROAD, entity_id=ENTITY)


def no_customer(town: Town, route: str) -> str:
    return town.path(route, NORTH, account_id=NOBODYS)


def records_of(account_id: str) -> Where:
    return lambda town, route: town.path(route, NORTH, of=account_id)


def made_up(of: str) -> Where:
    return lambda town, route: town.made_up(route, NORTH, of)


def decides(method: str, path: str, key: tuple[str, str]) -> bool:
    """The legal entity and the account in the path are read with the session: they say whether it is theirs. So is what
    the rule reads ahead, at which nobody has looked."""
    ahead = (*declared[method, path].ahead, *declared[method, path].customers)
    return is_one_of(key, ("entity", "account", *ahead))


def foreign_clerk(town: Town) -> Browser:
    """An administrator of the other seller, and nobody here."""
    person = StaffPerson("otto@other.example", "Otto Fern")
    posts = scenes.posts(StaffRole.ADMINISTRATOR, entity_id=scenes.OTHER_ENTITY)
    town.portal.staff.enrol(Staff("", "en", posts, scenes.NOW), person, scenes.PASSWORD, job("tests"))
    scenes.STAFF["foreign"] = (person, (StaffRole.ADMINISTRATOR,))
    try:
        return town.portal.staff_in("foreign")
    finally:
        del scenes.STAFF["foreign"]


def without_posts(town: Town) -> Browser:
    """Signed in a moment ago, and since then relieved of every role."""
    browser = town.portal.staff_in("analyst")
    staff_id = browser.cookies["saldo-staff"].partition(".")[0]
    town.portal.staff.register(Staff(staff_id, "en", (), scenes.NOW), scenes.STAFF["analyst"][0], job("tests"))
    return browser


ROLES = list(scenes.STAFF)
STRANGERS = [
    Case("another seller's administrator", foreign_clerk, with_roles, here, no_entity, NORTH, decides),
    Case("staff without a post", without_posts, with_roles, here, no_entity, NORTH, decides),
    Case("a customer", lambda t: t.portal.signed_in("admin"), lambda *_: True, here, no_entity, NORTH),
    *(Case(f"{name} without the role", member(name), lacks(name), here, no_entity, same_way=False) for name in ROLES),
    *(Case(f"{name} at another seller", member(name), of_role(name), there, no_entity, ABROAD, decides)
      for name in ROLES),
    *(Case(f"{name} with another seller's customer", member(name), both(of_role(name), with_account), their_customer,
           no_customer, ABROAD, decides) for name in ROLES),
    *(Case(f"{name} with another seller's records", member(name), both(of_role(name), names_a_record),
           records_of(ABROAD), made_up(ABROAD), ABROAD) for name in ROLES),
    *(Case(f"{name} with another customer's records", member(name), both(of_role(name), in_account),
           records_of(OTHERS), made_up(OTHERS), OTHERS) for name in ROLES),
]  # fmt: skip


@pytest.mark.parametrize("case", STRANGERS, ids=lambda case: case.name)
def test_what_is_not_for_somebody_is_as_good_as_not_there(town: Town, case: Case) -> None:
    """The same 404 to the letter, nothing of it read, nothing changed, as many calls, the same way through our code."""
    assert all_faults(town, case, declared) == []


def test_every_page_of_every_record_opens_for_who_may(town: Town) -> None:
    """The other half of the matrix; an account without a draft to judge has no page for it."""
    answers = Counter[tuple[str, int]]()
    for name in ROLES:
        browser = town.portal.staff_in(name)
        for method, path in AT_ENTITY:
            if method == "GET" and of_role(name)(method, path, declared[method, path]) and "{template}" not in path:
                answers[path, browser.get(town.path(path, NORTH)).status] += 1
    wrong = {asked for asked in answers if asked[1] != 200}
    assert wrong == {("/staff/{entity_id}/accounts/{account_id}/draft", 404)} and answers.total() > 100


def test_nobody_is_sent_to_sign_in_for_nothing_read(town: Town) -> None:
    browser, old = town.portal.browser(), town.portal.browser()
    old.cookies["saldo-staff"] = "staff_eu_somebody." + "x" * 43
    for (method, path), rule in declared.items():
        if not rule.anyone:
            for asker in (browser, old):
                with town.watch() as watch:
                    page = ask(asker, method, town.path(path, NORTH))
                assert page.location.startswith("/staff/sign-in") and not watch.written, path
                assert watch.calls.total() == (0 if asker is browser else 1), path


def test_ids_of_another_region_are_not_here_for_nothing_read(town: Town) -> None:
    browser = town.portal.staff_in("analyst")
    for method, path in AT_ENTITY:
        for elsewhere in ({"entity_id": "ent_us_seller"}, {"account_id": "acct_us_someone"}):
            if set(elsewhere) <= {part for part in ("entity_id", "account_id") if part in path}:
                with town.watch() as watch:
                    page = ask(browser, method, town.path(path, NORTH, **elsewhere))
                assert page.status == 404 and not watch.calls, path


def test_a_token_in_the_other_cookie_opens_nothing(town: Town) -> None:
    customer, clerk = town.portal.signed_in("admin"), town.portal.staff_in("admin")
    swapped = Browser(
        town.portal.app, {"saldo-staff": customer.cookies["saldo"], "saldo": clerk.cookies["saldo-staff"]}
    )
    assert swapped.get(f"/staff/{ENTITY}").status == 404
    assert swapped.get(f"/accounts/{NORTH}").status == 404


def test_whoever_left_is_out_with_the_next_page_and_does_not_come_in_again(town: Town) -> None:
    for status in (UserStatus.SUSPENDED,):
        browser, person = town.portal.staff_in("collector"), scenes.STAFF["collector"][0]
        staff_id = browser.cookies["saldo-staff"].partition(".")[0]
        gone = Staff(staff_id, "en", scenes.posts(StaffRole.COLLECTOR), scenes.NOW, status=status)
        town.portal.staff.register(gone, person, job("tests"))
        assert browser.get(f"/staff/{ENTITY}").status in (303, 404)
        assert _comes_in(town.portal, person.email) is False


def _comes_in(portal: Portal, email: str) -> bool:
    from tests.functions.portal.identity import totp

    browser = portal.browser()
    form = browser.get("/staff/sign-in").hidden()
    asked = browser.post("/staff/sign-in", {**form, "email": email, "password": scenes.PASSWORD}, key=False)
    reply = totp(portal.staff_identity.people[email].secret, portal.clock().timestamp())
    browser.post("/staff/sign-in/answer", {**asked.hidden(), "reply": reply}, key=False)
    return "saldo-staff" in browser.cookies


@pytest.mark.parametrize("rule", [StaffRule(), staff(frozenset())])
def test_a_route_that_allows_nobody_fails_at_import(rule: StaffRule) -> None:
    with pytest.raises(TypeError, match="who may use it"):
        Routes("planted").get("/staff/planted", rule)


@pytest.mark.parametrize("rule", [StaffRule(signed_in=True), PUBLIC])
def test_a_route_that_forgets_its_roles_fails_at_import(rule: StaffRule) -> None:
    with pytest.raises(TypeError, match="roles and a legal entity"):
        Routes("planted").get("/staff/{entity_id}/planted", rule)


def test_the_pages_of_signing_in_are_all_that_is_open() -> None:
    assert {p for (_, p), rule in declared.items() if rule.anyone} == {"/staff/sign-in", "/staff/sign-in/answer"}


def test_what_every_role_may_send_is_named() -> None:
    sends = {
        p.removeprefix("/staff/{entity_id}") for (m, p), rule in declared.items() if m == "POST" and rule.roles == ALL
    }
    assert sends == ALL_SEND


def test_roles_that_must_be_two_peoples_cannot_be_ones(town: Town) -> None:
    posts = scenes.posts(StaffRole.ADMINISTRATOR, StaffRole.FINANCE_APPROVER)
    two = replace(Staff("", "en", (), scenes.NOW), posts=posts)
    with pytest.raises(Refusal, match="roles_apart"):
        town.portal.staff.enrol(two, StaffPerson("x@y.example", "X"), "p", job("tests"))
