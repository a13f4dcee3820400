"""Feature flags: what is new goes to some regions and segments of customers first, and can be taken back at once.

`flags.json` is the one list: why, owner, the day by which it must be gone, and whom it is on for (rules in the words of
Powertools' feature flags; conditions see `region` and `segment`). It is deployed through AppConfig and carried in the
layer: where AppConfig is not, or does not answer, the last known list holds, and before that the carried one.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.feature_flags.base import StoreProvider

PROFILE = "flags"
FRESH_S = 60
Listed = Mapping[str, Mapping[str, Any]]  # the JSON of flags.json
Fetch = Callable[[], Listed]


def carried() -> dict[str, dict[str, Any]]:
    """The list that came with this code."""
    return dict(json.loads(Path(__file__).with_name("flags.json").read_text()))


def is_on(flags: Listed, name: str, region: str, segment: str) -> bool:
    """Pure. KeyError for a flag that is not on the list: a misspelt one is never quietly off."""
    from aws_lambda_powertools.utilities.feature_flags import FeatureFlags

    known = flags[name]
    rules = FeatureFlags(store=_listed({name: dict(known)}))
    context = {"region": region, "segment": segment}
    return bool(rules.evaluate(name=name, context=context, default=bool(known["default"])))


class Flags:
    """The flags of one region. `fetch`: asks AppConfig; None where there is none. Asked once a minute at most."""

    def __init__(self, region: str, fetch: Fetch | None = None, now: Callable[[], float] = time.monotonic) -> None:
        self._region, self._fetch, self._now = region, fetch, now
        self._flags: Listed = carried()
        self._asked_at: float | None = None

    def on(self, name: str, segment: str = "") -> bool:
        return is_on(self._current(), name, self._region, segment)

    def _current(self) -> Listed:
        due = self._asked_at is None or self._now() - self._asked_at >= FRESH_S
        if self._fetch and due:
            self._asked_at = self._now()
            self._flags = {**self._flags, **self._fetched(self._fetch)}
        return self._flags

    def _fetched(self, fetch: Fetch) -> Listed:
        """Nothing new when it does not answer or answers nonsense: a flag must not stop what it only steers."""
        from aws_lambda_powertools.utilities.feature_flags.exceptions import (
            ConfigurationStoreError,
            SchemaValidationError,
        )
        from aws_lambda_powertools.utilities.feature_flags.schema import SchemaValidator

        try:
            found = dict(fetch())
            SchemaValidator(found).validate()
        except (ConfigurationStoreError, SchemaValidationError):
            return {}
        return found


def from_appconfig(application: str, environment: str) -> Fetch:
    """The list as AppConfig last deployed it."""
    from aws_lambda_powertools.utilities.feature_flags import AppConfigStore

    from saldo.storage.clients import client

    store = AppConfigStore(environment, application, PROFILE, max_age=FRESH_S, boto3_client=client("appconfigdata"))
    return store.get_configuration


def _listed(flags: dict[str, Any]) -> StoreProvider:
    from aws_lambda_powertools.utilities.feature_flags.base import StoreProvider

    class Given(StoreProvider):
        @property
        def get_raw_configuration(self) -> dict[str, Any]:
            return flags

        def get_configuration(self) -> dict[str, Any]:
            return flags

    return Given()
