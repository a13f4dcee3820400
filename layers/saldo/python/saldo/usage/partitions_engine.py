"""DuckDB, as Saldo uses it: one connection for one piece of work, in one folder, with bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True, slots=True)
class Engine:
    """`threads`: 0 leaves it to the engine. What does not fit into `memory_mb` goes to the folder's disk."""

    threads: int = 0
    memory_mb: int = 768

    @contextmanager
    def at_work(self) -> Iterator[tuple[DuckDBPyConnection, Path]]:
        """A connection that reads and writes one folder and nothing else; both are gone afterwards."""
        import duckdb  # heavy, and only for accounts whose usage lies in files

        with TemporaryDirectory(prefix="saldo-usage-") as name:
            folder = Path(name)
            connection = duckdb.connect(config=self._settings(folder))
            try:
                connection.execute("SET allowed_directories = [?]", [f"{folder}/"])
                connection.execute("SET enable_external_access = false")
                connection.execute("SET lock_configuration = true")
                yield connection, folder
            finally:
                connection.close()

    def _settings(self, folder: Path) -> dict[str, str | bool | int | float | list[str]]:
        settings: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": f"{self.memory_mb}MB",
            "temp_directory": str(folder / "spilled"),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        return settings | ({"threads": self.threads} if self.threads else {})
