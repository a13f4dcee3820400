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
        disputes,
        drafts,
        orders,
        papers,
        proposals,
        runs,
        seller,
        selling,
        signing_in,
        styleguide,
        tickets,
        uploads,
        work,
    )

    return (
        *(signing_in, work, customers, credits, runs, drafts, orders, proposals, seller, selling, audit, access),
        *(disputes, uploads, papers, certificates, tickets, acting, styleguide),
    )
