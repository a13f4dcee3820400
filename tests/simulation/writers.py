"""Which functions of the product write, found in its source, and which of them no workflow has to go through.

Found by their calls of what writes: units, batches, files, mail, queues, events, a gateway's checkouts. So that a new
one cannot be forgotten: it must run in a workflow (tests/simulation/workflows), or stand here with the reason why not.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PRODUCT, FUNCTIONS = ROOT / "layers/saldo/python", ROOT / "functions"
WRITES = frozenset(
    {
        *("write_one", "put_many", "update_one", "put_item", "update_item", "delete_item"),
        *("put_object", "send_email", "send_message", "put_events", "start_execution", "create_checkout"),
    }
)
_SESSIONS = "sign-in keeps no money; a lost write means signing in again (tests/contexts/access)"

# Full names, or the beginnings of them that end in a dot.
NOT_IN_WORKFLOWS = {
    "saldo.access.": _SESSIONS,
    "saldo.storage.": "what the others write by",
    "saldo.recovery.dead_letters.": "moves messages; stopped and done twice in tests/functions/test_dead_letters.py",
    "saldo.invoicing.clocks.Doubles.": "each call makes another double, on purpose, and none is among real books",
}
HANDLERS_NOT_IN_WORKFLOWS = {
    "functions.operations.canary": "each walk makes another invoice, on purpose; broken at each step in test_canary.py",
    "functions.operations.create_double": "each call makes another double, on purpose",
}


def writers() -> set[str]:
    """Full names of the product's functions that write."""
    return {name for path in sorted(PRODUCT.rglob("*.py")) for name in _in_module(path)}


def handlers() -> set[str]:
    """Modules of `functions` that Lambda calls; the portal and the API are one each, tested in tests/functions."""
    found = set()
    for path in sorted(FUNCTIONS.rglob("*.py")):
        names = {n.name for n in ast.parse(path.read_text()).body if isinstance(n, ast.FunctionDef)}
        if "handler" in names:
            found.add(".".join(path.relative_to(ROOT).with_suffix("").parts))
    return found


def excused(name: str, excuses: dict[str, str]) -> bool:
    return any(name == known or (known.endswith(".") and name.startswith(known)) for known in excuses)


def _in_module(path: Path) -> Iterator[str]:
    module = ".".join(path.relative_to(PRODUCT).with_suffix("").parts)
    yield from _in(ast.parse(path.read_text()), module)


def _in(node: ast.AST, name: str) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef | ast.FunctionDef):
            inner = f"{name}.{child.name}"
            if isinstance(child, ast.FunctionDef) and any(_writes(n) for n in ast.walk(child)):
                yield inner
            if isinstance(child, ast.ClassDef):
                yield from _in(child, inner)


def _writes(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    if node.func.attr == "write":
        return ast.unparse(node.func.value).endswith("store")
    return node.func.attr in WRITES
