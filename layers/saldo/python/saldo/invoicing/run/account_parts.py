"""Very many accounts, a part after the other, so that what is held of each in memory does not grow with them."""

from __future__ import annotations

import zlib
from collections.abc import Callable

# Of so many accounts a sum each is held at once: some 140 MB.
HELD_AT_ONCE = 1_000_000

Part = Callable[[str], bool]  # whether an account, by its id, is in it


def parts_of(accounts: int) -> list[Part]:
    """Parts for so many accounts: each account is in one, and about as many are in each; none for none."""
    count = -(-accounts // HELD_AT_ONCE)
    return [_part(n, count) for n in range(count)]


def _part(number: int, count: int) -> Part:
    if count == 1:
        return lambda _account_id: True
    return lambda account_id: zlib.crc32(account_id.encode()) % count == number
