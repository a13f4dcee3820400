"""What there is to scan with where no anti-virus is set up. It is none: it knows the test file of EICAR and nothing
else, so that the way of a harmful file can be tried everywhere."""

from __future__ import annotations

from saldo.uploads.model import Verdict

# In two parts, so that nobody's anti-virus takes this file for the one that it knows.
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + rb"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


class KnownHarm:
    def scan(self, content: bytes) -> Verdict:
        return Verdict("Eicar-Test-Signature") if EICAR in content else Verdict()
