"""Templates that were compiled when the code was bundled (infra/cdk/code.py): compiling them took a third of the first
page of a process.

Jinja2 takes what lies here for a template where it was made of this very text and by this version of Python; otherwise,
and on a developer's machine, it compiles the template as ever.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import BytecodeCache

if TYPE_CHECKING:
    from jinja2 import Environment
    from jinja2.bccache import Bucket

FOLDER = "compiled_templates"


class Compiled(BytecodeCache):
    """Files by the names of templates. `writes`: what is compiled is kept; a function cannot write to its code."""

    def __init__(self, folder: Path, *, writes: bool = False) -> None:
        self._folder, self._writes = folder, writes

    def get_cache_key(self, name: str, filename: str | None = None) -> str:
        return name.replace("/", ".")

    def load_bytecode(self, bucket: Bucket) -> None:
        file = self._folder / bucket.key
        if file.exists():
            with file.open("rb") as kept:
                bucket.load_bytecode(kept)

    def dump_bytecode(self, bucket: Bucket) -> None:
        if self._writes:
            (self._folder / bucket.key).write_bytes(bucket.bytecode_to_string())


def compile_all(environment: Environment, folder: Path) -> None:
    """Every template that the environment finds, compiled into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    writing = environment.overlay(bytecode_cache=Compiled(folder, writes=True), cache_size=0)
    for name in writing.list_templates(extensions=["html"]):
        writing.get_template(name)
