"""What every test may ask for."""

from __future__ import annotations

import os

os.environ.setdefault("AWS_ACCESS_KEY_ID", "testing")
os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "testing")  # pragma: allowlist secret
os.environ.setdefault("AWS_DEFAULT_REGION", "eu-central-1")
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "Saldo")
os.environ.setdefault("POWERTOOLS_SERVICE_NAME", "saldo")
