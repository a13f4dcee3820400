"""Answers to what people ask, and which of them fit a question. Texts are in the catalogues, so a search is in the
reader's language."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from functions.portal.words import Words
from saldo.access.model import Role, Seat
from saldo.access.rules import PAYERS, READERS
from saldo.access.rules_people import ADMINS

MOST_FOUND = 5
_APPROVERS = frozenset({Role.APPROVER, Role.ACCOUNT_ADMIN})
# Names in the order in which they are shown; the page each leads to ("" for the help page itself), and for whom.
_ARTICLES: tuple[tuple[str, str, frozenset[Role]], ...] = (
    ("pay", "/invoices", READERS),
    ("part", "/pay", PAYERS),
    ("list", "/pay/list", PAYERS),
    ("methods", "/methods", PAYERS),
    ("autopay", "/autopay", PAYERS),
    ("wrong", "/disputes", READERS),
    ("receipt", "/payments", READERS),
    ("statement", "/statement", READERS),
    ("approve", "/approvals", _APPROVERS),
    ("plan", "/subscriptions", READERS),
    ("limits", "/usage", READERS),
    ("orders", "/orders", READERS),
    ("people", "/people", ADMINS),
    ("details", "/details", READERS),
    ("codes", "/profile", READERS),
    ("notices", "/profile/notifications", READERS),
)
_OF_THE_USER = ("codes", "notices")
# Words shorter than this are compared whole; longer ones by their first letters, as languages bend the ends.
_STEM = 5


@dataclass(frozen=True, slots=True)
class Article:
    """`href`: where it is done, "" where the reader's role leads nowhere."""

    title: str
    text: str
    href: str


def articles_for(seat: Seat, home: str, words: Words) -> tuple[Article, ...]:
    """All of them: who may not do a thing still learns how it goes."""

    def href(name: str, path: str, roles: frozenset[Role]) -> str:
        if seat.role not in roles or not path:
            return ""
        return path if name in _OF_THE_USER else home + path

    return tuple(
        Article(words(f"help.article.{name}"), words(f"help.article.{name}.text"), href(name, path, roles))
        for name, path, roles in _ARTICLES
    )


def matching(sought: str, articles: Sequence[Article]) -> tuple[Article, ...]:
    """Those with words of the question, best first. A word counts the more the fewer articles have it, and more in a
    title; one that stands in many says nothing."""
    bags = [(_stems(article.title), _stems(article.text)) for article in articles]
    spread = Counter(stem for title, text in bags for stem in title | text)
    telling = {stem for stem in _stems(sought) if spread[stem] <= len(articles) // 3}
    points = [
        sum((3 * (s in title) + (s in text)) * 60 // spread[s] for s in telling if spread[s]) for title, text in bags
    ]
    best = sorted(range(len(articles)), key=lambda i: -points[i])
    return tuple(articles[i] for i in best if points[i])[:MOST_FOUND]


def _stems(text: str) -> set[str]:
    """Beginnings of its words, without accents and capitals."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return {word[:_STEM] for word in re.findall(r"[a-z0-9]{3,}", plain)}
