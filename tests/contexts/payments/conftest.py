"""Fixtures of the payments tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contexts.payments.scenes import Shop
from tests.contexts.payments.scenes import shop as open_shop


@pytest.fixture
def shop() -> Iterator[Shop]:
    with open_shop() as opened:
        yield opened
