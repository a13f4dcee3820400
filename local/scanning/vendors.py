"""Whether somebody looked in time at what others' services announced."""

from __future__ import annotations

from datetime import date

from local.scanning.model import Finding, Scan
from local.vendors import CONTRACTS


def scan(today: date) -> Scan:
    overdue = [(known.vendor, what) for known in CONTRACTS for what in known.overdue(today)]
    findings = tuple(Finding("vendors", "overdue", vendor, what) for vendor, what in overdue)
    return Scan("vendors", len(CONTRACTS), "contract", findings)
