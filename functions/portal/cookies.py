"""The cookies: `saldo` carries a customer's session, `saldo-staff` one of staff; `saldo-start` ties sign-in forms to
the browser, `saldo-browser` lets a browser be known again, so that sign-ins from others are told of."""

from __future__ import annotations

from dataclasses import dataclass

# Sessions of customers, of staff, and of sign-in forms.
SESSION, STAFF_SESSION, START = "saldo", "saldo-staff", "saldo-start"


@dataclass(frozen=True, slots=True)
class Cookies:
    """Names and attributes for an origin: `__Host-` and Secure everywhere but on plain http://localhost."""

    origin: str

    @property
    def _plain(self) -> bool:
        return self.origin.startswith(("http://localhost", "http://127.0.0.1"))

    def name(self, base: str) -> str:
        return base if self._plain else f"__Host-{base}"

    def kept(self, base: str, value: str) -> str:
        """A Set-Cookie value that lasts as long as the browser is open; the server ends it sooner."""
        secure = "" if self._plain else "; Secure"
        return f"{self.name(base)}={value}; Path=/; HttpOnly; SameSite=Lax{secure}"

    def lasting(self, base: str, value: str) -> str:
        """A Set-Cookie value by which a browser is known again for half a year; it opens nothing."""
        return f"{self.kept(base, value)}; Max-Age={180 * 86_400}"

    def dropped(self, base: str) -> str:
        return f"{self.kept(base, '')}; Max-Age=0"

    def read(self, base: str, header: str) -> str:
        """The value in a Cookie header, "" when there is none; the first of several with the name counts."""
        wanted = self.name(base)
        for pair in header.split(";"):
            name, _, value = pair.strip().partition("=")
            if name == wanted:
                return value
        return ""
