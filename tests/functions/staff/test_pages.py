"""What every page of staff asks of the table, where there is one of everything."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from functions.staff.endpoint import declared
from tests.functions.security.town import NORTH, Town, furnished

# What takes more than two calls, once it was looked at before, and why.
_A_FILE = "a file: what is on record of it, the note that it was read, and what the documents function reads"
_HERE = "/staff/{entity_id}"
_THEIRS = _HERE + "/accounts/{account_id}"
MORE = {
    f"{_HERE}/access": (4, "people are a range, their records are named by it, the last review is a range of its own"),
    f"{_HERE}/audit.csv": (3, _A_FILE),
    f"{_HERE}/audit.xlsx": (3, _A_FILE),
    f"{_HERE}/files/paper/{{upload_id}}/content": (3, _A_FILE),
    f"{_HERE}/proposals": (3, "the index names those that wait, the records say what they are"),
    f"{_HERE}/runs/{{run_id}}": (3, "attempt and results lie with the run, apart; which of them the query says"),
    f"{_HERE}/tickets": (3, "the index names those that wait, the records say what they are"),
    f"{_THEIRS}/details/change": (3, "the account names the version of its profile; that it was opened is a write"),
    f"{_THEIRS}/files/{{about}}/{{upload_id}}/content": (3, _A_FILE),
    f"{_THEIRS}/invoices/{{invoice_id}}/pdf": (3, _A_FILE),
}
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
    for route in sorted(routes):
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
    assert not wrong and set(MORE) <= seen == routes - APART
