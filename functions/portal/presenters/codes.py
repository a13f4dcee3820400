"""What an authenticator is shown: the key as a picture and in writing."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class SetupPicture:
    """`path` draws the code's dark modules in a square of `size` units, quiet zone included."""

    path: str
    size: int
    written: str


def setup_picture(secret: str, email: str) -> SetupPicture:
    """The otpauth address (Google's Key URI format) as a QR code, and the key in groups of four."""
    import segno

    label = quote(f"Saldo:{email}")
    code = segno.make(f"otpauth://totp/{label}?secret={secret}&issuer=Saldo", error="m")
    rows = [bytes(row) for row in code.matrix]
    dark = "".join(f"M{x + 4} {y + 4}h1v1h-1z" for y, row in enumerate(rows) for x, cell in enumerate(row) if cell)
    groups = [secret[i : i + 4] for i in range(0, len(secret), 4)]
    return SetupPicture(dark, len(rows) + 8, " ".join(groups))
