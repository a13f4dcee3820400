"""From where somebody signs in: believed of CloudFront alone, remembered by country, counted and told."""

from __future__ import annotations

import json

import pytest

from functions.portal import services
from saldo.access.records import user_key
from saldo.notices.latest import LatestNews
from tests.functions.portal import scenes
from tests.functions.portal.browser import ORIGIN, Browser, Page
from tests.functions.portal.conftest import Portal

VIEWER = scenes.PEOPLE["viewer"]
_FROM = {"DE": "198.51.100.10:46532", "FR": "2001:db8:7::1:443"}


@pytest.fixture
def fronted(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> Portal:
    """The same portal where nothing but CloudFront reaches it."""
    monkeypatch.setenv("SALDO_FRONT", "cloudfront")
    services.settings.cache_clear()
    return portal


def coming_from(portal: Portal, browser: Browser, country: str) -> Page:
    """A minute later. What CloudFront adds, under the names that it overwrites whatever a client sends."""
    portal.clock.advance(minutes=1)
    browser.headers = {
        "CloudFront-Viewer-Country": country,
        "CloudFront-Viewer-Address": _FROM.get(country.upper(), "203.0.113.5:1"),
        "X-Amz-Cf-Id": "cf-request",
    }
    return browser.sign_in(VIEWER.email, scenes.PASSWORD)


def by_mail(portal: Portal, browser: Browser) -> Page:
    path = portal.mail("sign_in_link")[-1].url.removeprefix(ORIGIN)
    browser.get(path)
    return browser.post(path, {})


def risks(portal: Portal) -> list[list[str]]:
    """What counted at each of the viewer's sign-ins, in their order."""
    told = portal.access._store.query_all(portal.user_id("viewer"), prefix="audit#")
    return [item["after"].get("risk", []) for item in told if item["action"] == "session.began"]


def test_a_country_not_seen_before_asks_for_more_than_a_password_and_is_then_known(fronted: Portal) -> None:
    browser = fronted.browser()
    assert coming_from(fronted, browser, "DE").status == 303
    page = coming_from(fronted, browser, "FR")
    assert page.status == 200 and "This sign-in is unusual" in page.text
    assert by_mail(fronted, browser).status == 303
    assert risks(fronted) == [[], ["new_network 20", "new_country 30"]]
    assert coming_from(fronted, browser, "DE").status == 303 and coming_from(fronted, browser, "FR").status == 303
    assert risks(fronted)[2:] == [["new_network 20"], ["new_network 20"]]
    user = fronted.access._store.get(*user_key(fronted.user_id("viewer")))
    assert user is not None and set(user["countries"]) == {"DE", "FR"}


def test_the_user_sees_the_country_in_the_list_of_sessions_in_the_news_and_in_the_mail(fronted: Portal) -> None:
    browser = fronted.browser()
    coming_from(fronted, browser, "DE")
    coming_from(fronted, browser, "FR")
    by_mail(fronted, browser)
    (letter,) = fronted.mail("new_device")
    assert ("Country", "France") in letter.facts and ("Network", "2001:db8:7::/48") in letter.facts
    assert "2001:db8:7::/48 · FR" in browser.get("/profile").text
    trail = list(services.store().query_all(fronted.user_id("viewer"), prefix="audit#"))
    LatestNews(services.store(), fronted.clock).fold(trail)  # as the stream's function does
    assert "from a new country" in browser.get("/notifications").text


@pytest.mark.parametrize("said", ["fr", "FRA", "F1", "<b>", "", "FR\n"])
def test_what_is_no_country_is_none_and_case_does_not_matter(fronted: Portal, said: str) -> None:
    browser = fronted.browser()
    coming_from(fronted, browser, "DE")
    page = coming_from(fronted, browser, said)
    asked_again = page.status == 200
    assert asked_again is (said.strip().upper() == "FR")


def test_where_callers_reach_us_directly_headers_of_their_own_say_nothing(
    portal: Portal, capsys: pytest.CaptureFixture[str]
) -> None:
    browser = portal.browser()
    assert coming_from(portal, browser, "DE").status == 303
    assert coming_from(portal, browser, "FR").status == 303
    user = portal.access._store.get(*user_key(portal.user_id("viewer")))
    assert user is not None and "countries" not in user
    assert risks(portal) == [[], []] and "198.51.100" not in browser.get("/profile").text
    assert "cf-request" not in capsys.readouterr().out


def test_through_cloudfront_the_network_is_the_callers_and_the_log_line_names_cloudfronts_request(
    fronted: Portal, capsys: pytest.CaptureFixture[str]
) -> None:
    browser = fronted.browser()
    coming_from(fronted, browser, "DE")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"request"' in line]
    assert {line["cloudfront_id"] for line in lines} == {"cf-request"}
    assert not any("198.51" in json.dumps(line) for line in lines)
    assert "198.51.100.0/24 · DE" in browser.get("/profile").text
    forwarded = {"X_Forwarded_For": "192.0.2.1", "Forwarded": "for=192.0.2.1"}
    assert "192.0.2" not in browser.get("/profile", **forwarded).text
