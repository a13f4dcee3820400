"""Every example of docs/api.md is run with curl, and answers what the page says."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from functions.api.endpoint import declared
from tests.functions.api.serving import served

PAGE = (Path(__file__).parents[3] / "docs" / "api.md").read_text("utf-8")
EXAMPLES = re.findall(r"```sh\n(.*?)```\s*```json\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def place() -> Iterator[dict[str, str]]:
    patch = pytest.MonkeyPatch()
    with served(patch) as (origin, token):
        yield {"API": origin, "KEY": token, "PATH": os.environ["PATH"]}
    patch.undo()


@pytest.mark.parametrize(("script", "said"), EXAMPLES)
def test_an_example_answers_what_the_page_says(place: dict[str, str], tmp_path: Path, script: str, said: str) -> None:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], env=place, cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert holds(json.loads(done.stdout), json.loads(said)), done.stdout


def holds(answer: Any, said: Any) -> bool:
    """The page may leave out fields; those it shows must be so, and lists must be as long."""
    if isinstance(said, dict):
        return all(name in answer and holds(answer[name], value) for name, value in said.items())
    if isinstance(said, list):
        return len(answer) == len(said) and all(map(holds, answer, said))
    return bool(answer == said)


def test_the_page_has_examples_and_names_every_route_and_scope() -> None:
    assert len(EXAMPLES) == 16
    for (_, path), rule in declared.items():
        plain = re.sub(r"\{(\w+)_id\}", r"{\1}", path)
        assert plain in PAGE
        assert rule.scope is None or rule.scope.value in PAGE
