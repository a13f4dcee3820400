"""What a look over all records makes of the differences that were known before it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from saldo.kernel.errors import Problems, Refusal
from saldo.kernel.ids import fingerprint
from saldo.reconciliation.model import MOST_TOLD, MOST_WORDS, Difference, DifferenceState

# What a look found: the invariant, whose records, and what is wrong with them.
Found = tuple[int, str, str]


def gathered(found: Iterable[Found]) -> dict[tuple[int, str], tuple[str, ...]]:
    """By invariant and owner, so that one cause with a hundred lines is one task."""
    told: dict[tuple[int, str], list[str]] = {}
    for invariant, owner_id, what in found:
        told.setdefault((invariant, owner_id), []).append(what)
    return {key: tuple(sorted(set(lines))[:MOST_TOLD]) for key, lines in told.items()}


def difference_id(invariant: int, owner_id: str) -> str:
    """The same for ever: a difference that comes again is the same one."""
    return "dif_" + fingerprint("difference", str(invariant), owner_id)


def seen_again(known: Difference | None, new: Difference) -> Difference:
    """As it stands now that a look found it. One that was gone begins anew, without the one who looked into it then."""
    if known is None:
        return new
    if known.state is DifferenceState.GONE:
        return replace(new, version=known.version + 1)
    return known if known.what == new.what else replace(known, what=new.what, version=known.version + 1)


def gone(known: Difference, at: datetime) -> Difference:
    return replace(known, state=DifferenceState.GONE, gone_at=at, version=known.version + 1)


def taken(known: Difference, by: str, note: str) -> Difference:
    """Somebody looks into it. Refusal `invalid_note`, `difference_gone`."""
    problems, note = Problems(), note.strip()
    if len(note) > MOST_WORDS:
        problems.add("note", "note_too_long", f"at most {MOST_WORDS} characters")
    problems.refuse_if_any("this note cannot be kept", "invalid_note")
    if known.state is DifferenceState.GONE:
        raise Refusal("difference_gone", "the last look no longer found this difference")
    after = replace(known, taken_by=by, note=note)
    return known if after == known else replace(after, version=known.version + 1)


def seller_of(owner_id: str, sellers: Mapping[str, str]) -> str:
    """Whose books an owner's records are in; "" for records of no seller. sellers: by account, and by run.

    What spans an owner's records may name more than the owner: `<seller> <series>`.
    """
    first = owner_id.partition(" ")[0]
    return first if first.startswith("ent_") else sellers.get(first, "")
