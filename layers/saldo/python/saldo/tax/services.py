"""The tax service that a deployment names, and whom it asks for taxes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import TypeVar

from saldo.kernel.errors import Refusal, Unavailable
from saldo.storage.web import WebService
from saldo.tax.ports import TaxPort, TaxService

NAMES = ("avalara", "vertex")

_Key = TypeVar("_Key")


def _known(name: str, secret: Callable[[], str], key: Callable[..., _Key]) -> Callable[[], _Key]:
    """What the service knows the seller by, as the secret has it now."""

    def known() -> _Key:
        try:
            return key(**json.loads(secret()))
        except (ValueError, TypeError) as error:
            raise Unavailable(f"the secret of {name} is not filled in as infra/cdk/README.md says") from error

    return known


def service_named(name: str, url: str, secret: Callable[[], str]) -> TaxService:
    """secret: JSON text with the fields of AvaTaxKey or VertexKey, asked at each use: it may be replaced.

    Refusal `unknown_tax_service` for a name that is none of NAMES. A secret that was not filled in is as an outage of
    the service: what cannot be asked is estimated, and told.
    """
    web = WebService(url, name)
    if name == "avalara":
        from saldo.tax.avalara import AvaTax, AvaTaxKey

        return AvaTax(web, _known(name, secret, AvaTaxKey))
    if name == "vertex":
        from saldo.tax.vertex import Vertex, VertexKey

        return Vertex(web, _known(name, secret, VertexKey), clock=time.monotonic)
    raise Refusal("unknown_tax_service", f"{name!r} is none of {', '.join(NAMES)}")


def tax_port(name: str, url: str, secret: Callable[[], str], told: Callable[[], None] = lambda: None) -> TaxPort:
    """Whom a deployment asks for taxes: the table, or the service that it names, with the table for when that does not
    answer; told: called for each estimate."""
    from saldo.tax.table import TableTax, shipped_table

    table = TableTax(shipped_table())
    if not name:
        return table
    from saldo.tax.breaker import Breaker
    from saldo.tax.fallback import ServiceTax

    return ServiceTax(service_named(name, url, secret), table, Breaker(time.monotonic), told=told)
