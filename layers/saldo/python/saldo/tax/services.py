"""The tax service that a deployment names."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import lru_cache

from saldo.kernel.errors import Refusal
from saldo.storage.web import WebService
from saldo.tax.ports import TaxService

NAMES = ("avalara", "vertex")


def service_named(name: str, url: str, secret: Callable[[], str]) -> TaxService:
    """secret: fetches JSON text with the fields of AvaTaxKey or VertexKey, when first needed.

    Refusal `unknown_tax_service` for a name that is none of NAMES.
    """
    known = lru_cache(maxsize=1)(lambda: json.loads(secret()))
    web = WebService(url, name)
    if name == "avalara":
        from saldo.tax.avalara import AvaTax, AvaTaxKey

        return AvaTax(web, lambda: AvaTaxKey(**known()))
    if name == "vertex":
        from saldo.tax.vertex import Vertex, VertexKey

        return Vertex(web, lambda: VertexKey(**known()), clock=time.monotonic)
    raise Refusal("unknown_tax_service", f"{name!r} is none of {', '.join(NAMES)}")
