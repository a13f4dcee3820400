"""What the API is made of, each built when first asked for, once per process."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

from functions.services import settings as settings
from functions.services import store as store
from saldo.access.api_keys import ApiKeys
from saldo.kernel.clock import Clock, system_clock
from saldo.storage.repeats import Repeats
from saldo.usage.service import Usage

_clock: Clock = system_clock


def clock() -> datetime:
    return _clock()


@lru_cache(maxsize=1)
def api_keys() -> ApiKeys:
    return ApiKeys(store(), clock)


@lru_cache(maxsize=1)
def repeats() -> Repeats:
    return Repeats(store(), clock)


@lru_cache(maxsize=1)
def usage() -> Usage:
    return Usage(store(), clock)
