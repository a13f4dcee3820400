"""Reading ANSI X12: delimiters from the ISA, envelopes checked, every fault with its segment and element.

Source: ASC X12.5 (interchange) and X12.6 (application control structure), as used since release 004010. Codes of faults
are those of X12 997 (elements 718, 720, 723, 716), so that an acknowledgement can be written from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from saldo.kernel.errors import Refusal

_ISA_LENGTHS = (2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1, 1)


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment. `position`: in its transaction set, the ST being 1. elements[0] is its first element."""

    position: int
    id: str
    elements: tuple[str, ...]

    def get(self, number: int) -> str:
        """Element of this number (from 1), "" when it is not there."""
        return self.elements[number - 1].strip() if number <= len(self.elements) else ""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong, where: segment, its position in the set, element number (0: the whole segment).

    level: "segment" and "element" faults carry code 720 or 723; "set" faults 718; "group" faults 716.
    """

    segment: str
    position: int
    element: int
    code: str
    message: str
    level: str = "element"

    def __str__(self) -> str:
        at = f"{self.segment}{self.element:02d}" if self.element else self.segment
        return f"segment {self.position} {at}: {self.message}"


@dataclass(frozen=True, slots=True)
class TransactionSet:
    """ST to SE. `segments` without these two."""

    id: str
    control: str
    segments: tuple[Segment, ...]
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """GS to GE. `code`: PO for orders. `declared`: how many sets GE says there are."""

    code: str
    control: str
    version: str
    sender: str
    receiver: str
    sets: tuple[TransactionSet, ...]
    declared: int
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class Interchange:
    """ISA to IEA. Sender and receiver as qualifier/id, blanks cut off."""

    sender: tuple[str, str]
    receiver: tuple[str, str]
    version: str
    control: str
    test: bool
    element: str
    component: str
    terminator: str
    groups: tuple[Group, ...]


@dataclass(slots=True)
class _Reading:
    segments: Sequence[Segment]
    at: int = 0
    faults: list[Fault] = field(default_factory=list)

    @property
    def here(self) -> Segment | None:
        return self.segments[self.at] if self.at < len(self.segments) else None

    def take(self) -> Segment:
        self.at += 1
        return self.segments[self.at - 1]


def read_interchanges(text: str) -> list[Interchange]:
    """Every interchange of a file, which may have several after each other.

    Faults inside a set or group are collected with them. Raises Refusal `not_x12`, `broken_isa` or `broken_envelope`
    when what holds them together cannot be read: then nothing of the file counts.
    """
    found = []
    rest = text.removeprefix("\ufeff").lstrip()
    while rest:
        interchange, rest = _interchange(rest)
        found.append(interchange)
        rest = rest.lstrip()
    if not found:
        raise Refusal("not_x12", "the file is empty")
    return found


def _interchange(text: str) -> tuple[Interchange, str]:
    element, component, terminator = _delimiters(text)
    raw, rest = _until_end(text, element, terminator)
    segments = [_segment(one, element) for one in raw]
    reading = _Reading(segments)
    isa = reading.take()
    groups = []
    while reading.here is not None and reading.here.id == "GS":
        groups.append(_group(reading))
    iea = reading.here
    if iea is None or iea.id != "IEA":
        raise Refusal(
            "broken_envelope", f"segment {reading.at + 1}: expected GS or IEA, found {iea.id if iea else 'the end'}"
        )
    if iea.get(2) != isa.get(13):
        raise Refusal("broken_envelope", f"IEA02 is {iea.get(2)}, ISA13 {isa.get(13)}")
    if iea.get(1) != str(len(groups)) and _number(iea.get(1)) != len(groups):
        raise Refusal("broken_envelope", f"IEA01 says {iea.get(1)} groups, there are {len(groups)}")
    return (
        Interchange(
            (isa.get(5), isa.get(6)),
            (isa.get(7), isa.get(8)),
            isa.get(12),
            isa.get(13),
            isa.get(15) == "T",
            element,
            component,
            terminator,
            tuple(groups),
        ),
        rest,
    )


def _delimiters(text: str) -> tuple[str, str, str]:
    """Element separator: the character after ISA. Component separator: ISA16. Terminator: the character after that.

    A file whose ISA has fields of other lengths than the standard's is read too, as partners do send such.
    """
    if not text.startswith("ISA") or len(text) < 4 or text[3].isalnum():
        raise Refusal("not_x12", "an X12 file begins with ISA")
    element = text[3]
    parts = text[:400].split(element, 16)
    if len(parts) < 17 or len(parts[16]) < 2:
        raise Refusal("broken_isa", "ISA has 16 elements and a segment terminator")
    component, terminator = parts[16][0], parts[16][1]
    if len({element, component, terminator}) < 3 or terminator.isalnum() or component.isalnum():
        raise Refusal("broken_isa", "the three delimiters differ and are neither letters nor digits")
    for i, length in enumerate(_ISA_LENGTHS[:15], 1):
        if len(parts[i]) > length:
            raise Refusal("broken_isa", f"ISA{i:02d} is longer than {length}")
    return element, component, terminator


def _until_end(text: str, element: str, terminator: str) -> tuple[list[str], str]:
    """The raw segments up to IEA, and what comes after it. Line breaks after a terminator are for people only."""
    found: list[str] = []
    while text:
        one, ended, text = text.partition(terminator)
        one = one.strip("\r\n\t ")
        if not one and not ended:
            break
        if one:
            found.append(one)
        if one.startswith("IEA" + element):
            return found, text
    raise Refusal("broken_envelope", "the file ends before IEA")


def _segment(raw: str, element: str) -> Segment:
    name, *elements = raw.split(element)
    return Segment(0, name.strip(), tuple(elements))


def _group(reading: _Reading) -> Group:
    gs = reading.take()
    sets, faults = [], []
    while reading.here is not None and reading.here.id == "ST":
        sets.append(_set(reading))
    ge = reading.here
    if ge is None or ge.id != "GE":
        raise Refusal(
            "broken_envelope", f"segment {reading.at + 1}: expected ST or GE, found {ge.id if ge else 'the end'}"
        )
    reading.take()
    if ge.get(2) != gs.get(6):
        faults.append(Fault("GE", 0, 2, "4", f"{ge.get(2)} where GS06 is {gs.get(6)}", "group"))
    if _number(ge.get(1)) != len(sets):
        faults.append(Fault("GE", 0, 1, "5", f"says {ge.get(1)} sets, there are {len(sets)}", "group"))
    declared = _number(ge.get(1))
    return Group(
        gs.get(1),
        gs.get(6),
        gs.get(8),
        gs.get(2),
        gs.get(3),
        tuple(sets),
        len(sets) if declared is None else declared,
        tuple(faults),
    )


def _set(reading: _Reading) -> TransactionSet:
    """One set; its SE must be there, with the right count and control number."""
    st = reading.take()
    body: list[Segment] = []
    while reading.here is not None and reading.here.id not in ("SE", "ST", "GE", "GS", "IEA"):
        one = reading.take()
        body.append(Segment(len(body) + 2, one.id, one.elements))
    faults: list[Fault] = []
    end, position = reading.here, len(body) + 2
    if end is None or end.id != "SE":
        faults.append(Fault("SE", position, 0, "2", "is missing", "set"))
        return TransactionSet(st.get(1), st.get(2), tuple(body), tuple(faults))
    reading.take()
    if end.get(2) != st.get(2):
        faults.append(Fault("SE", position, 2, "3", f"{end.get(2)} where ST02 is {st.get(2)}", "set"))
    if _number(end.get(1)) != position:
        faults.append(Fault("SE", position, 1, "4", f"says {end.get(1)} segments, there are {position}", "set"))
    return TransactionSet(st.get(1), st.get(2), tuple(body), tuple(faults))


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None
