"""How a seller's own tax rates lie in the table: `<entity>` / `taxes`, those of now, and `taxes#<version>`, each for
ever: an invoice names the version that it was taxed by.

They lie as they were written, and are read again by the one reader that there is for rates.
"""

from __future__ import annotations

import json
from datetime import datetime
from functools import lru_cache
from typing import Any

from saldo.kernel.clock import instant_from, instant_text
from saldo.kernel.exact import plain
from saldo.kernel.reading import read
from saldo.storage.items import Item, Key
from saldo.tax.model import OwnRates, OwnRatesVersion
from saldo.tax.reading import rates_from

VERSIONS = "taxes#"
# Of a version all but the rates themselves.
TOLD = ("version", "currency", "number_of_rates", "since", "by", "reason")


def own_rates_key(entity_id: str) -> Key:
    return entity_id, "taxes"


def version_key(entity_id: str, version: int) -> Key:
    return entity_id, f"{VERSIONS}{version:06}"


def own_rates_items(entity_id: str, version: OwnRatesVersion, written: str) -> tuple[Item, Item]:
    """The item of now and that of the version. written: the rates, as `written_rates` makes them."""
    told = {
        "kind": "own_taxes",
        "version": version.version,
        "currency": version.currency,
        "rates": written,
        "number_of_rates": version.number_of_rates,
        "since": instant_text(version.since),
        "by": version.by,
        "reason": version.reason,
    }
    now, then = own_rates_key(entity_id), version_key(entity_id, version.version)
    return {"pk": now[0], "sk": now[1], **told}, {"pk": then[0], "sk": then[1], **told, "kind": "own_taxes_version"}


def written_rates(rates: list[dict[str, Any]]) -> str:
    """The same text for the same rates, whatever the order of their fields; numbers digit by digit."""
    return json.dumps(rates, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=plain)


def rates_as_written(written: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(written)
    return found


def own_rates_from(item: Item | None) -> OwnRates | None:
    """What holds over the carried rates; None for a seller that has said nothing."""
    return None if item is None else _read(int(item["version"]), item["currency"], item["rates"])


@lru_cache(maxsize=100)
def _read(version: int, currency: str, written: str) -> OwnRates:
    """Once for all batches that read the same: what was decided by these rates is kept under them."""
    document = {"rates": rates_as_written(written)}
    rates = read(document, lambda fields: rates_from(fields, "", currency), "a seller's tax rates cannot be read")
    return OwnRates(version, currency, rates)


def version_from(item: Item) -> OwnRatesVersion:
    since: datetime = instant_from(item["since"])
    count = int(item["number_of_rates"])
    return OwnRatesVersion(int(item["version"]), item["currency"], count, since, item["by"], item["reason"])
