"""The living page of the design system: every part in every state."""

from __future__ import annotations

from functions.portal import services
from functions.portal.answers import Answer
from functions.portal.endpoint import ANY_USER, Routes
from functions.portal.pages import page
from functions.portal.presenters.styleguide import samples
from functions.portal.visit import Visit
from saldo.kernel.errors import NotFound

routes = Routes("styleguide")
# Meant for staff. Until staff have roles of their own it is there only where no customer is: this list is then `()`,
# and the rule of the route the staff's.
_ENVIRONMENTS = ("local", "test", "sandbox")


@routes.get("/styleguide", ANY_USER)
def styleguide(visit: Visit) -> Answer:
    if services.settings().env not in _ENVIRONMENTS:
        raise NotFound("the style guide is not for customers")
    wrong = [("sg-amount", visit.words("problem.invalid_amount")), ("sg-file", visit.words("styleguide.file_wrong"))]
    return page(visit, "styleguide", view=samples(visit.words), problems=wrong, notice=visit.words("styleguide.saved"))
