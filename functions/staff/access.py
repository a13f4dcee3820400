"""Who may do what: reviews by an administrator, and roles for a limited time."""

from __future__ import annotations

import secrets
from typing import Any

from functions.portal.answers import Answer, see_other
from functions.portal.forms import whole
from functions.staff import rules, services
from functions.staff.endpoint import Routes, staff
from functions.staff.pages import page
from functions.staff.tables import Row, Sheet, Table, columns
from functions.staff.visit import StaffVisit
from saldo.access.model_staff import Post, Staff, StaffRole
from saldo.access.records_staff import PEOPLE, people_key, reviewed_at
from saldo.access.reviews import Said
from saldo.access.rules_staff import ELEVATION_HOURS, elevations_at, holds, is_unused, may_be_raised_to
from saldo.kernel.errors import Refusal

routes = Routes("access")


@routes.get("/staff/{entity_id}/access", staff(rules.SEE_ACCESS, ahead=(PEOPLE,)))
def access(visit: StaffVisit) -> Answer:
    """Every standing role and every role for a time, with what a review should look at."""
    t, zone, entity_id = visit.words, visit.at.time_zone, visit.at.entity_id
    here = visit.records.get(*people_key(entity_id))
    people = services.directory().of(here)
    lines = [(s, p, one) for s, p in people for one in s.posts if one.entity_id == entity_id]
    rows = [_line(visit, s, p.name, one) for s, p, one in lines]
    raised = [
        Row((p.name, t(f"staff_role.{e.role}"), t.moment(e.until, zone), e.reason))
        for s, p in people
        for e in elevations_at(s, entity_id, visit.now)
    ]
    who, role = t("staff.person"), t("staff.content.role")
    above = columns(who, role, t("staff.until"), t("staff.credit.why"))
    heads = columns(who, role, t("staff.confirmed"), t("staff.seen"), t("staff.look_at"))
    tables = (
        Table("posts", t("staff.standing"), heads, rows, t("staff.nobody")),
        Table("raised", t("staff.elevations"), above, raised, t("staff.no_elevations")),
    )
    last = reviewed_at(here)
    told = t("staff.reviewed", at=t.moment(last, zone)) if last else t("staff.never_reviewed")
    mine = visit.who.staff.id
    choices = [
        (f"{s.id} {one.role} {s.version}", f"{p.name}: {t(f'staff_role.{one.role}')}")
        for s, p, one in lines
        if s.id != mine
    ]
    view = Sheet(t("staff.nav.access"), told, tables=tables)
    people_here = sorted({(s.id, p.name) for s, p, _ in lines}, key=lambda both: both[1])
    offered = [(r.value, t(f"staff_role.{r}")) for r in StaffRole]
    values: dict[str, Any] = {"choices": choices, "people": people_here, "offered": offered}
    return page(visit, "staff_access", tab="access", view=view, request=secrets.token_hex(16), **values)


@routes.post("/staff/{entity_id}/access/grant", staff(rules.REVIEW_ACCESS))
def grant(visit: StaffVisit) -> Answer:
    """One more standing role for somebody: asked here, agreed to by another administrator."""
    role = next((r for r in StaffRole if r.value == visit.sent("role")), None)
    if role is None:
        raise Refusal("invalid_form", "not a role")
    entity_id, who, request = visit.at.entity_id, visit.sent("person")[:80], visit.sent("request")[:64]
    asked = services.access_grants().ask(who, entity_id, role, visit.sent("why"), request, visit.actor)
    return see_other(f"{visit.home}/proposals/{asked.id}")


def _line(visit: StaffVisit, who: Staff, name: str, post: Post) -> Row:
    t, zone = visit.words, visit.at.time_zone
    marks = [t("staff.lapsed")] if not holds(post, visit.now) else []
    marks += [t("staff.unused")] if is_unused(who, visit.now) else []
    marks += [t("staff.suspended")] if who.status != "active" else []
    at = (t.moment(post.confirmed_at, zone), t.moment(who.seen_at, zone))
    return Row((name, t(f"staff_role.{post.role}"), *at, ", ".join(marks)))


@routes.post("/staff/{entity_id}/access/review", staff(rules.REVIEW_ACCESS))
def review(visit: StaffVisit) -> Answer:
    """What was chosen of each role: keep or withdraw; roles of which nothing was said stay as they are."""
    said = [_said(name, values[-1]) for name, values in visit.form.items() if name.startswith("staff_")]
    services.reviews().review(visit.at.entity_id, [s for s in said if s], visit.actor)
    return see_other(f"{visit.home}/access")


def _said(name: str, choice: str) -> Said | None:
    parts = name.split(" ")
    if choice not in ("keep", "withdraw"):
        return None
    try:
        staff_id, role, version = parts
        return Said(staff_id, StaffRole(role), choice == "keep", int(version))
    except ValueError as error:
        raise Refusal("invalid_form", "the form cannot be read") from error


@routes.get("/staff/{entity_id}/elevation", staff(rules.READ))
def elevation(visit: StaffVisit) -> Answer:
    t, who = visit.words, visit.who.staff
    offered = [
        (r.value, t(f"staff_role.{r}")) for r in StaffRole if may_be_raised_to(who, visit.at.entity_id, r, visit.now)
    ]
    hours = [(str(h), t.count("consent.hours", h)) for h in ELEVATION_HOURS]
    view = Sheet(t("staff.elevation"), t("staff.elevation_lead"))
    return page(visit, "staff_elevation", view=view, offered=offered, hours=hours, request=secrets.token_hex(16))


@routes.post("/staff/{entity_id}/elevation", staff(rules.READ))
def ask(visit: StaffVisit) -> Answer:
    hours, role = whole(visit.sent("hours")), next((r for r in StaffRole if r.value == visit.sent("role")), None)
    if role is None or not hours:
        raise Refusal("invalid_form", "not a role, or not a time")
    who, request = visit.who.staff, visit.sent("request")[:64]
    asked = services.elevations().ask(who, visit.at.entity_id, role, hours, visit.sent("why"), request, visit.actor)
    return see_other(f"{visit.home}/proposals/{asked.id}")


@routes.post("/staff/{entity_id}/elevation/end", staff(rules.READ))
def end(visit: StaffVisit) -> Answer:
    services.elevations().end(visit.who.staff.id, visit.at.entity_id, visit.sent("elevation")[:80], visit.actor)
    return see_other(visit.home)
