"""What scanners say, and when that is enough."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

CLEAN, FOUND, NOT_CHECKED = 0, 1, 2


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """`where`: a file with its line, or a package with its version. `rule`: the scanner's own word for it."""

    scanner: str
    rule: str
    where: str
    says: str


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A finding that stands, and why. `where`: a pattern over the file or package, without line or version."""

    scanner: str
    rule: str
    where: str
    reason: str

    def covers(self, finding: Finding) -> bool:
        place = re.split(r":\d+$|==", finding.where)[0]
        return (self.scanner, self.rule) == (finding.scanner, finding.rule) and re.fullmatch(
            self.where, place
        ) is not None


@dataclass(frozen=True, slots=True)
class Scan:
    """`checked`: how many of what was to be checked; `unchecked`: what was not, each with the reason."""

    scanner: str
    checked: int
    of_what: str
    findings: tuple[Finding, ...] = ()
    unchecked: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """All scans against what is acknowledged. `stale`: acknowledgements that cover nothing any more."""

    scans: tuple[Scan, ...]
    open: tuple[Finding, ...]
    stale: tuple[Acknowledged, ...]
    unchecked: tuple[str, ...] = field(default=())

    @property
    def exit_code(self) -> int:
        """0 clean, 1 something is found, 2 something could not be checked, whatever else is found."""
        if self.unchecked:
            return NOT_CHECKED
        return FOUND if self.open or self.stale else CLEAN


def verdict(scans: Sequence[Scan], acknowledged: Iterable[Acknowledged]) -> Verdict:
    """Nothing is clean that was not looked at: a scan of nothing is one that was not made."""
    known = tuple(acknowledged)
    found = sorted({finding for scan in scans for finding in scan.findings})
    still_open = tuple(f for f in found if not any(a.covers(f) for a in known))
    complete = {scan.scanner for scan in scans if not scan.unchecked}
    stale = tuple(a for a in known if a.scanner in complete and not any(a.covers(f) for f in found))
    return Verdict(tuple(scans), still_open, stale, tuple(_unchecked(scans)))


def _unchecked(scans: Sequence[Scan]) -> Iterator[str]:
    for scan in scans:
        yield from (f"{scan.scanner}: {one}" for one in scan.unchecked)
        if not scan.checked:
            yield f"{scan.scanner}: no {scan.of_what} was checked"
