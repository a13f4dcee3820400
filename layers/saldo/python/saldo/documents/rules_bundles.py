"""Decisions on bundles: how much goes into one, what its files are called."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from saldo.documents.model_bundles import Bundle
from saldo.kernel.errors import Problems, Refusal

MOST_DOCUMENTS, MOST_A_DAY = 1000, 10
KEPT = timedelta(days=3)
_DAY = timedelta(days=1)
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")


def check_choice(count: int) -> None:
    """Refusal `invalid_bundle`."""
    problems = Problems()
    if not count:
        problems.add("from", "nothing_to_bundle", "there is no document in this choice")
    if count > MOST_DOCUMENTS:
        problems.add("from", "too_many_documents", f"at most {MOST_DOCUMENTS} documents go into one file")
    problems.refuse_if_any("this cannot be put into one file", "invalid_bundle")


def check_how_many(others: Sequence[Bundle], now: datetime) -> None:
    if sum(1 for one in others if now - one.asked_at < _DAY) >= MOST_A_DAY:
        raise Refusal("too_many_bundles", f"an account has at most {MOST_A_DAY} such files a day")


def bundle_key(account_id: str, bundle_id: str) -> str:
    """Where the file lies in the documents bucket, which forgets this folder (infra/cdk/data.py)."""
    return f"bundles/{account_id}/{bundle_id}.zip"


def entry_names(documents: Sequence[tuple[str, str]]) -> list[str]:
    """A name for each, safe on every disk; no two alike."""
    names: list[str] = []
    for _, number in documents:
        plain = _NOT_IN_NAMES.sub("-", number).strip(".-")[:80] or "document"
        again = sum(
            1 for name in names if name == f"{plain}.pdf" or re.fullmatch(rf"{re.escape(plain)}~\d+\.pdf", name)
        )
        names.append(f"{plain}~{again + 1}.pdf" if again else f"{plain}.pdf")
    return names
