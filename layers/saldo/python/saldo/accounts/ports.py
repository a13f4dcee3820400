"""What this room needs from outside."""

from __future__ import annotations

from typing import Protocol


class TaxIdRegister(Protocol):
    """A public register of tax ids of the European Union."""

    def knows(self, country: str, number: str) -> bool:
        """Whether the id is in force today. country: of two letters as the register has them (`EL` for Greece);
        number: without it. Raises Unavailable when the register, or the member state's part of it, does not answer."""
        ...
