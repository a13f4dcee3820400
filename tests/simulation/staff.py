"""A member of staff of the simulated region's seller, signed in with password and code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from functions.portal.cookies import STAFF_SESSION
from functions.staff import services
from saldo.access.model import Challenge, Origin
from saldo.access.model_staff import Post, Staff, StaffPerson, StaffRole, StaffSignedIn
from saldo.access.service import Realm
from saldo.access.staff import StaffAccess
from saldo.access.tokens import RsaTokens
from saldo.audit.model import job
from tests.functions.portal.identity import STAFF_CLIENT, STAFF_ISSUER, StaffIdentityInMemory, key_set, totp
from tests.simulation.region import Region
from tests.simulation.world import ENTITY

_EMAIL, _PASSWORD = "ana@seller.example", "correct horse battery staple"


@contextmanager
def staff_in(region: Region, *roles: StaffRole) -> Iterator[str]:
    """Within `web(region)`: the Cookie header of somebody with these roles at the seller."""
    tokens = RsaTokens(STAFF_ISSUER, STAFF_CLIENT, key_set, region.clock)
    realm, identity = Realm("eu", STAFF_ISSUER), StaffIdentityInMemory(region.clock)
    access = StaffAccess(region.store, region.sealer(), identity, tokens, realm, region.clock, lambda _seconds: None)
    posts = tuple(Post(ENTITY.id, role, region.now) for role in roles)
    with patch.object(services, "access", lambda: access), region.undisturbed():
        access.enrol(Staff("", "en", posts, region.now), StaffPerson(_EMAIL, "Ana Lotz"), _PASSWORD, job("tests"))
        asked = access.sign_in(_EMAIL, _PASSWORD, Origin())
        assert isinstance(asked, Challenge)
        begun = access.answer(asked, totp(asked.secret, region.now.timestamp()), Origin())
        assert isinstance(begun, StaffSignedIn)
    with patch.object(services, "access", lambda: access):
        yield f"{STAFF_SESSION}={begun.token}"
