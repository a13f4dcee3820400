"""The templates of the environment `staging`, rules checked; see tests/assembly.py."""

from __future__ import annotations

import pytest

from tests.assembly import Assembly
from tests.assembly import assembly as made


@pytest.fixture(scope="session")
def assembly() -> Assembly:
    return made()
