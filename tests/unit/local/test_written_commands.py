"""Commands as README and docs write them: each is there, takes these words, and lacks none that it needs."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from local.cli.__main__ import saldo

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def written() -> Iterator[tuple[str, str]]:
    """Lines of code that call `saldo`, each with its page; those that leave words out (` … `) are not meant to work."""
    for page in PAGES:
        for block in re.findall(r"^```(?:sh)?\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE):
            for line in block.replace("\\\n", " ").splitlines():
                if line.startswith(("saldo ", ".venv/bin/saldo ")) and " … " not in line.partition("#")[0]:
                    yield page.relative_to(ROOT).as_posix(), line


def parsed(words: list[str]) -> click.Command:
    """The command that these words call, once click has read all of them."""
    command: click.Command = saldo
    context = click.Context(command, info_name="saldo")
    while isinstance(command, click.Group):
        name, command, words = command.resolve_command(context, words)  # type: ignore[assignment]
        assert command is not None, name
        context = click.Context(command, parent=context, info_name=name)
    command.parse_args(context, words)
    return command


@pytest.mark.parametrize(("page", "line"), list(written()))
def test_a_command_works_as_it_is_written(
    page: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = shlex.split(re.sub(r"<[^>]+>", "some_id", line), comments=True)[1:]
    for word in words:
        if re.fullmatch(r"[\w-]+\.(json|csv|jwt)", word):
            Path(word).write_text("{}")
    parsed(words)


def test_the_pages_have_commands() -> None:
    assert len(list(written())) > 40
