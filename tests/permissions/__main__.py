"""`make permissions`: runs every workflow under the deployed policies and prints what is granted and never used."""

from __future__ import annotations

import sys
from collections import defaultdict

from tests import conftest  # noqa: F401 - the environment that functions are tested in
from tests.permissions.unused import unused
from tests.simulation import matrix
from tests.simulation.region import enforced, quiet
from tests.simulation.workflows import workflows


def main() -> int:
    gate = enforced()
    with quiet():
        for flow in workflows():
            matrix.undisturbed(flow)
    ran = {function for function, *_ in gate.used}
    print(f"{sum(gate.used.values()):,} calls of {len(ran)} functions, all allowed by the policies of their roles\n")
    print("granted and used by no workflow:")
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for one in unused(gate.policies, gate.used):
        if one.function in ran:
            found[one.function, one.resource].append(one.action + (" (wildcard)" if one.is_wild else ""))
    for (function, resource), actions in sorted(found.items()):
        print(f"  {function:20} {resource.rpartition(':')[2]:44} {', '.join(sorted(actions))}")
    print(f"\nin no workflow (tests/functions run them): {', '.join(sorted(set(gate.policies) - ran))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
