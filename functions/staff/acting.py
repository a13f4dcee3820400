"""Looking at an account as its customer does, with the customer's consent: begins a session of the portal."""

from __future__ import annotations

from functions.portal.answers import Answer, see_other
from functions.portal.cookies import SESSION, Cookies
from functions.staff import rules, services
from functions.staff.endpoint import Routes, staff
from functions.staff.pages import page
from functions.staff.tables import Sheet
from functions.staff.visit import StaffVisit

routes = Routes("acting")
_ACT = "/staff/{entity_id}/accounts/{account_id}/act"


@routes.get(_ACT, staff(rules.ACT_FOR_CUSTOMERS))
def look(visit: StaffVisit) -> Answer:
    t, given = visit.words, services.acting().consent(visit.customer["pk"])
    told = t("staff.consent_until", until=t.moment(given.until, visit.at.time_zone)) if given else t("staff.no_consent")
    view = Sheet(t("staff.act"), t("staff.act_lead"), ((visit.customer["name"], visit.account_home),), told=(told,))
    return page(visit, "staff_act", tab="customers", view=view, consent=given)


@routes.post(_ACT, staff(rules.ACT_FOR_CUSTOMERS))
def begin(visit: StaffVisit) -> Answer:
    entity = visit.who.found[visit.at.entity_id, "entity"]
    why, language = visit.sent("why"), visit.words.language
    begun = services.acting().begin(visit.customer, entity, language, visit.actor, why, visit.origin)
    cookie = Cookies(services.settings().origin).kept(SESSION, begun.token)
    return see_other(f"/accounts/{visit.customer['pk']}", cookie)
