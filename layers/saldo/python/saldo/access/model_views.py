"""Saved views: a list as somebody likes it, under a name of their own."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SavedView:
    """A name for the query of a list's address. `is_default`: what the list opens with; one of an account at most."""

    id: str
    account_id: str
    name: str
    query: str
    is_default: bool = False
