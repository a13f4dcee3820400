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


@dataclass(slots=True)
class Engine:
    """`threads`: 0 leaves it to the engine. What does not fit into `memory_mb` goes to the folder's disk.

    Starting one takes as long as reading ten thousand lines, so it is kept for the next piece of work until one fails.
    """

    threads: int = 0
    memory_mb: int = 768
    _kept: tuple[DuckDBPyConnection, TemporaryDirectory[str]] | None = None

    @contextmanager
    def at_work(self) -> Iterator[tuple[DuckDBPyConnection, Path]]:
        """A connection that reads and writes one folder and nothing else; the folder and all that the connection made
        are gone afterwards."""
        kept, self._kept = self._kept or self._started(), None  # nobody else's while it works
        engine, place = kept
        connection = engine.cursor()
        try:
            with TemporaryDirectory(dir=place.name) as name:
                yield connection, Path(name)
        except BaseException:
            engine.close()
            place.cleanup()
            raise
        finally:
            connection.close()
        self._kept = kept

    def _started(self) -> tuple[DuckDBPyConnection, TemporaryDirectory[str]]:
        import duckdb  # heavy, and only for accounts whose usage lies in files

        place = TemporaryDirectory(prefix="saldo-usage-")
        engine = duckdb.connect(config=self._settings(Path(place.name)))
        engine.execute("SET allowed_directories = [?]", [f"{place.name}/"])
        engine.execute("SET enable_external_access = false")
        engine.execute("SET lock_configuration = true")
        return engine, place

    def _settings(self, folder: Path) -> dict[str, str | bool | int | float | list[str]]:
        settings: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": f"{self.memory_mb}MB",
            "temp_directory": str(folder / "spilled"),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        return settings | ({"threads": self.threads} if self.threads else {})
