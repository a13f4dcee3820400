"""What every page of staff asks of the table, where there is one of everything."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from functions.staff.customers import TABS
from functions.staff.endpoint import declared
from tests.functions.security.town import NORTH, Town, furnished

# What takes more than two calls, once it was looked at before, and why.
_A_FILE = "a file: what is on record of it, the note that it was read, and what the documents function reads"
_HERE = "/staff/{entity_id}"
_THEIRS = _HERE + "/accounts/{account_id}"
MORE = {
    f"{_HERE}/audit.csv": (3, _A_FILE),
    f"{_HERE}/audit.xlsx": (3, _A_FILE),
    f"{_HERE}/files/paper/{{upload_id}}/content": (3, _A_FILE),
    f"{_THEIRS}/files/{{about}}/{{upload_id}}/content": (3, _A_FILE),
    f"{_THEIRS}/invoices/{{invoice_id}}/pdf": (3, _A_FILE),
}
# Other subjects of an account's page, each a view of its own.
VIEWS = [f"{_THEIRS}?show={subject}" for subject in TABS]
# A redirect, and what the scenes have none of.
APART = {"/staff", f"{_THEIRS}/draft", f"{_HERE}/templates/{{template}}"}


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    with furnished() as made:
        yield made


def test_a_page_of_staff_asks_the_table_twice_unless_it_says_why(town: Town) -> None:
    bill, wrong, seen = town.portal.region.records.bill, [], set()
    browsers = [town.portal.staff_in(who) for who in ("analyst", "admin", "auditor", "support")]
    routes = {path for method, path in declared if method == "GET"}
    for route in [*sorted(routes), *VIEWS]:
        path = town.path(route, NORTH)
        browser = next((one for one in browsers if one.get(path).status == 200), None)
        if browser is None:
            continue
        seen.add(route)
        before = bill.calls.copy()
        browser.get(path)
        calls = bill.calls - before
        if calls.total() > MORE.get(route, (2, ""))[0]:
            wrong.append((route, calls))
    assert not wrong and set(MORE) <= seen == {*routes, *VIEWS} - APART
