"""A town of its own for each test: it takes a few hundredths of a second."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.functions.security.town import Town, furnished


@pytest.fixture
def town() -> Iterator[Town]:
    with furnished() as made:
        yield made
