"""Work that a copy of this process does, so that each piece of it finds as new what was made ready once."""

from __future__ import annotations

import gc
import traceback
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import TypeVar, cast

T = TypeVar("T")

_LIMIT_S = 300
_FORK = get_context("fork")


def in_a_fork(work: Callable[[], T]) -> T:
    """What the work answers, of which nothing else stays. The answer must be one that can be pickled.

    Raises AssertionError with what the work raised, or when it did not answer in five minutes. No threads may be at
    work here that it waits for: a copy has none but the one that calls this.
    """
    here, there = _FORK.Pipe(duplex=False)
    copy = _FORK.Process(target=_tell, args=(work, there), daemon=True)
    copy.start()
    there.close()
    try:
        assert here.poll(_LIMIT_S), f"a copy of the process did not answer in {_LIMIT_S} s"
        failed, answer = here.recv()
    except EOFError:
        raise AssertionError("a copy of the process ended without an answer") from None
    finally:
        copy.kill()
        copy.join()
        here.close()
    assert not failed, failed
    return cast(T, answer)


def _tell(work: Callable[[], object], there: Connection) -> None:
    gc.disable()  # it would look through, and so copy, all that there is
    try:
        answer = work()
    except BaseException:
        there.send((traceback.format_exc(), None))
    else:
        there.send(("", answer))
