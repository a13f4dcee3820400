"""X12 997, functional acknowledgement: what the sender is told of each set, written from the faults that were found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from saldo.orders.x12 import Fault, Group, Interchange

ACCEPTED, REJECTED, PARTLY = "A", "R", "P"


def acknowledgement(interchange: Interchange, faults: Mapping[tuple[str, ...], Sequence[Fault]], at: datetime) -> str:
    """One interchange back to the sender, one 997 for each of its groups, with the delimiters it wrote with.

    faults: by (group control, set control). Control numbers are the sender's own, so that asking twice answers the
    same. at: the moment of writing, UTC.
    """
    sets = [_set_997(group, faults, str(nth).zfill(4)) for nth, group in enumerate(interchange.groups, 1)]
    sender, receiver = interchange.receiver, interchange.sender
    isa = ["ISA", "00", " " * 10, "00", " " * 10, sender[0], sender[1].ljust(15), receiver[0], receiver[1].ljust(15)]
    isa += [f"{at:%y%m%d}", f"{at:%H%M}", "U", interchange.version, interchange.control.rjust(9, "0")]
    isa += ["0", "T" if interchange.test else "P", interchange.component]
    first = interchange.groups[0] if interchange.groups else None
    gs = ["GS", "FA", first.receiver if first else sender[1], first.sender if first else receiver[1]]
    gs += [f"{at:%Y%m%d}", f"{at:%H%M}", interchange.control, "X", first.version if first else "004010"]
    lines = [isa, gs, *(segment for one in sets for segment in one)]
    lines += [["GE", str(len(sets)), interchange.control], ["IEA", "1", interchange.control.rjust(9, "0")]]
    return "\n".join(interchange.element.join(line) + interchange.terminator for line in lines) + "\n"


def _set_997(group: Group, faults: Mapping[tuple[str, ...], Sequence[Fault]], control: str) -> list[list[str]]:
    found = [["ST", "997", control], ["AK1", group.code, group.control]]
    good = 0
    for one in group.sets:
        wrong = list(faults.get((group.control, one.control), ()))
        good += not wrong and not group.faults
        found.append(["AK2", one.id, one.control])
        found += _segment_notes(wrong)
        codes = sorted({f.code for f in wrong if f.level == "set"})
        if any(f.level in ("segment", "element") for f in wrong):
            codes.append("5")
        found.append(["AK5", REJECTED, *codes[:5]] if wrong or group.faults else ["AK5", ACCEPTED])
    whole = ACCEPTED if good == len(group.sets) and not group.faults else PARTLY if good else REJECTED
    codes = sorted({f.code for f in group.faults})
    found.append(["AK9", whole, str(group.declared), str(len(group.sets)), str(good), *codes[:5]])
    return [*found, ["SE", str(len(found) + 1), control]]


def _segment_notes(faults: Sequence[Fault]) -> list[list[str]]:
    """AK3 per segment at fault, AK4 per element of it. What was sent is not quoted: it may be personal."""
    found: list[list[str]] = []
    segments = dict.fromkeys((f.segment, f.position) for f in faults if f.level in ("segment", "element"))
    for name, position in segments:
        here = [f for f in faults if (f.segment, f.position) == (name, position)]
        codes = [f.code for f in here if f.level == "segment"] or ["8"]
        found.append(["AK3", name, str(position), "", codes[0]])
        found += [["AK4", str(f.element), "", f.code] for f in here if f.level == "element"]
    return found
