"""What Saldo relies on of others' services: a contract for each, pinned to the version of its API, and when to look
again.

A contract says which fields we send (no others) and which we read of an answer (there may be others), in our own words
after the vendor's documentation. The adapters and the simulators of the services are both held to it (tests/contracts),
so that a simulator cannot agree with a mistake of the adapter's. `make audit` fails when a day to look again is past,
or a change of a vendor's has come for which nothing was done; docs/vendors.md is the calendar.
"""

from __future__ import annotations

from local.vendors.avatax import AVATAX
from local.vendors.model import Contract
from local.vendors.vertex import VERTEX
from local.vendors.vies import VIES

CONTRACTS: tuple[Contract, ...] = (AVATAX, VERTEX, VIES)
