"""Every route is declared before a test looks at them: by themselves, parts are loaded only when first asked for."""

from __future__ import annotations

from app import app as pages
from functions.api.v1.app import app as api

pages.checked()
api.checked()
