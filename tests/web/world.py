"""The world that pages are walked through in: whose it is, and in which states a page is looked at.

A state is an account: `usual` has a bit of everything, `empty` nothing, `long` the longest names, numbers and amounts
there may be, `many` a hundred of each.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from saldo.audit.model import Actor
from tests.contexts.sellers import ENTITY
from tests.functions.portal import scenes
from tests.functions.portal.browser import Browser
from tests.functions.portal.conftest import Portal

USUAL, EMPTY, LONG, MANY = scenes.NORTH, "acct_eu_leer", "acct_eu_lang", "acct_eu_viele"
STATES = {"usual": USUAL, "empty": EMPTY, "long": LONG, "many": MANY}
ENTITIES = {"usual": ENTITY, "empty": scenes.OTHER_ENTITY, "long": ENTITY, "many": ENTITY}


@dataclass(frozen=True)
class Texts:
    """What people of an account wrote, and how much there is of everything."""

    company: str
    person: str
    email: str
    subject: str
    words: str
    order: str
    largest_minor: int
    times: int = 1


USUAL_TEXTS = Texts(
    "Kontor Nord GmbH", "Lena Falk", "lena@kontor.example", "A charge we do not know",
    "What is line 3?\nWe never ordered it.", "PO-4711", 1_284_700,
)  # fmt: skip
LONG_TEXTS = Texts(
    "Donaudampfschifffahrtsgesellschaft Vermögensverwaltungs- und Beteiligungsgesellschaft mbH & Co. KG",
    "Maximiliane-Friederike von Hohenlohe-Langenburg-Schillingsfürst",
    "maximiliane-friederike.vonhohenlohe-langenburg@donaudampfschifffahrtsgesellschaft.example",
    "Umsatzsteuervoranmeldungszeitraumüberschreitung der Rechtsschutzversicherungsgesellschaften im Quartal",
    "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz " * 6,
    "PO-" + "4711-2026-BESCHAFFUNGSMASSNAHME-" * 2,
    999_999_999_999,
)  # fmt: skip
MANY_TEXTS = replace(USUAL_TEXTS, company="Viele & Söhne OHG", order="PO-9", times=100)


@dataclass
class World:
    """The portal with everything told. `browsers`: signed-in readers by (who, language); their cookies are anyone's.

    `paths`: pages for whoever has the link, by route; `mailed`: addresses within an account that only a mail leads to.
    """

    portal: Portal
    browsers: dict[tuple[str, str], Browser] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)
    mailed: dict[str, list[str]] = field(default_factory=dict)

    @property
    def admin(self) -> Actor:
        return Actor(self.portal.user_id("admin"), "user")

    def clerk(self) -> Actor:
        return Actor("staff_eu_clerk", "staff")
