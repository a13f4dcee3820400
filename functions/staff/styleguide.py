"""The living page of the design system: every part in every state. For the seller's people only."""

from __future__ import annotations

from functions.portal.answers import Answer
from functions.portal.presenters.styleguide import samples
from functions.staff.endpoint import ANY_STAFF, Routes
from functions.staff.pages import page
from functions.staff.visit import StaffVisit

routes = Routes("styleguide")


@routes.get("/styleguide", ANY_STAFF)
def styleguide(visit: StaffVisit) -> Answer:
    wrong = [("sg-amount", visit.words("problem.invalid_amount")), ("sg-file", visit.words("styleguide.file_wrong"))]
    return page(visit, "styleguide", view=samples(visit.words), problems=wrong, notice=visit.words("styleguide.saved"))
