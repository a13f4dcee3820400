"""Every hour: files that nobody looked at to the end, and files whose time is over."""

from __future__ import annotations

from typing import Any

from functions.observed import observed
from functions.services import upload_work
from saldo.kernel.errors import Unavailable


@observed("KeepUploads")
def handler(_event: dict[str, Any], _context: object) -> dict[str, int]:
    """{} → how many came out how. Safe to repeat. Unavailable when some could not be done, after all others were."""
    done = upload_work().keep()
    if done["failed"]:
        raise Unavailable(f"{done['failed']} uploads could not be looked at")
    return dict(done)
