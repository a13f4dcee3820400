"""`python -m infra.cdk`: synthesise one environment (SALDO_ENV, or context `env`; default local)."""

from __future__ import annotations

import json
import os
import sys

from infra.cdk.environments import ROOT
from infra.cdk.node import use_pinned_node


def main() -> None:
    """The CDK command line passes its context in CDK_CONTEXT_JSON and the output folder in CDK_OUTDIR.

    With context `unchecked` the rules of cdk-nag are left out: one machine synthesises at every start, and the tests
    check the same templates.
    """
    sys.path[:0] = [str(ROOT), str(ROOT / "layers" / "saldo" / "python")]
    use_pinned_node()
    from infra.cdk.application import application

    given = json.loads(os.environ.get("CDK_CONTEXT_JSON", "{}"))
    name = str(given.pop("env", "") or os.environ.get("SALDO_ENV", "") or "local")
    checked = not given.pop("unchecked", False)
    outdir = os.environ.get("CDK_OUTDIR", str(ROOT / "build" / "cdk.out" / name))
    application(name, outdir=outdir, checked=checked, extra=given).synth()


if __name__ == "__main__":
    main()
