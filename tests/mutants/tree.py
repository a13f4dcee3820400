"""A copy of the tree in which bugs are planted one at a time; the working tree is never touched."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.mutants.model import ROOT, Mutant

_MOST_S = 900
_FAILED = re.compile(r"^(?:FAILED|ERROR) (tests/\S+?\.py)(?:::(.*?))?(?: - (.*))?$", re.MULTILINE)
_TESTS_FAILED = 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a selection: `passed`, or which test failed first and what it said; or why there is no answer."""

    passed: bool = False
    test: str = ""
    said: str = ""
    trouble: str = ""


class Tree:
    """A copy of what git knows and what is not ignored, with the same virtual environment."""

    def __init__(self, place: Path) -> None:
        self._place = place
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        )
        for name in filter(None, listed.stdout.split("\0")):
            if (ROOT / name).is_file():
                (place / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / name, place / name)
        (place / ".venv").symlink_to((ROOT / ".venv").resolve())

    @contextmanager
    def planted(self, mutant: Mutant) -> Iterator[None]:
        """The tree with this bug in it. Raises ValueError when it does not apply, SyntaxError for what is no Python."""
        file = self._place / mutant.path
        right = file.read_text()
        wrong = mutant.planted(right)
        compile(wrong, mutant.path, "exec")
        file.write_text(wrong)
        self._forget(file)
        try:
            yield
        finally:
            file.write_text(right)
            self._forget(file)

    def _forget(self, file: Path) -> None:
        """What Python compiled of it: a file of the same second and size would be taken for the same."""
        for compiled in (file.parent / "__pycache__").glob(f"{file.stem}.*.pyc"):
            compiled.unlink()

    def tested(self, selection: Sequence[str]) -> Outcome:
        """Run these tests until the first that fails."""
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-rfE", "--tb=no", "-p", "no:cacheprovider", *selection]
        environment = os.environ | {"COLUMNS": "400", "HYPOTHESIS_STORAGE_DIRECTORY": str(self._place / ".hypothesis")}
        try:
            done = subprocess.run(
                command, cwd=self._place, env=environment, capture_output=True, text=True, timeout=_MOST_S
            )
        except subprocess.TimeoutExpired:
            return Outcome(said=f"does not end within {_MOST_S} s")
        if done.returncode == 0:
            return Outcome(passed=True)
        found = _FAILED.search(done.stdout)
        if done.returncode != _TESTS_FAILED or found is None or found[2] is None:
            return Outcome(trouble=" ".join(done.stdout.split()[-40:]) or done.stderr[-300:])
        return Outcome(test=f"{found[1]}::{found[2]}", said=found[3] or "")


@contextmanager
def copied() -> Iterator[Tree]:
    with TemporaryDirectory(prefix="saldo-mutants-") as place:
        yield Tree(Path(place))
