"""The portal's own world: staff and customers live in one application."""

from tests.functions.portal.conftest import portal

__all__ = ["portal"]
