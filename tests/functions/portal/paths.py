"""Paths of the portal's routes, with ids that name nothing."""

from __future__ import annotations

import re

PREFIXES = {"invoice": "inv", "payment": "pay", "approval": "appr", "subscription": "sub"}


def filled(path: str, account_id: str) -> str:
    """The path with this account, and ids that name nothing."""

    def sample(found: re.Match[str]) -> str:
        name = found[1].removesuffix("_id")
        return account_id if name == "account" else f"{PREFIXES.get(name, name)}_eu_abc"

    return re.sub(r"{(\w+)}", sample, path)
