"""Pages of the seller's people."""

from __future__ import annotations

from types import ModuleType


def pages_of_staff() -> tuple[ModuleType, ...]:
    """Every part that has routes."""
    from functions.staff import (
        access,
        acting,
        audit,
        certificates,
        credits,
        customers,
        details,
        differences,
        disputes,
        drafts,
        orders,
        papers,
        promises,
        proposals,
        runs,
        seller,
        selling,
        signing_in,
        styleguide,
        taxes,
        terms,
        tickets,
        uploads,
        work,
    )

    return (
        *(signing_in, work, customers, credits, runs, drafts, orders, proposals, seller, selling, audit, access),
        *(disputes, promises, terms, uploads, papers, certificates, tickets, differences, acting, styleguide),
        *(details, taxes),
    )
