"""Style and script, served under names that carry a hash of what is in them, so that browsers keep them for a year."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from functions.portal.answers import Answer
from saldo.kernel.errors import NotFound

FOLDER = Path(__file__).parent / "static"
_KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
}


@lru_cache(maxsize=1)
def _files() -> Mapping[str, tuple[str, str]]:
    """Name with hash → (media type, text)."""
    found = {}
    for path in sorted(FOLDER.iterdir()):
        if path.suffix in _KINDS:
            text = path.read_text(encoding="utf-8")
            digest = sha256(text.encode()).hexdigest()[:12]
            found[f"{path.stem}.{digest}{path.suffix}"] = (_KINDS[path.suffix], text)
    return found


@lru_cache(maxsize=1)
def addresses() -> Mapping[str, str]:
    """Plain name (`saldo.css`) → address."""
    plain = {f"{name.split('.')[0]}.{name.rsplit('.', 1)[1]}": name for name in _files()}
    return {short: f"/static/{name}" for short, name in plain.items()}


def static_file(name: str) -> Answer:
    """One file by its hashed name; NotFound for anything else."""
    if name not in _files():
        raise NotFound("no such file")
    kind, text = _files()[name]
    return Answer(text, kind=kind, headers={"Cache-Control": "public, max-age=31536000, immutable"})
