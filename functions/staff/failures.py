"""How every failure reads on a page of staff: the same words as in the portal."""

from __future__ import annotations

from dataclasses import replace

from functions.http.failures import code_of, status_of
from functions.portal.answers import Answer, problem
from functions.portal.failures import SHOWN, wants_page
from functions.staff.pages import page
from functions.staff.visit import StaffVisit


def failed(visit: StaffVisit, error: Exception) -> Answer:
    """A page, or problem+json for programs, that says nothing of who may do what: what is not for the reader is not
    there."""
    status, code = status_of(error), code_of(error)
    shown = status if status in SHOWN else 422
    title = visit.words(f"failure.{shown}.title")
    if not wants_page(visit):
        return problem(status, code, title, visit.correlation_id)
    text = visit.words.known(f"refusal.{code}", f"failure.{shown}.text")
    if status == 404:
        visit = replace(visit, presence=None, desk=None, account=None)
    return page(visit, "failure", status=status, title=title, text=text, home="/staff")
