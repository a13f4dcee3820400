"""Which functions of the product write, found in its source, and which of them no workflow has to go through.

Found by their calls of what writes: the clients' own methods, and those of the ports that stand before them. So that a
new one cannot be forgotten: it must run in a workflow (tests/simulation/workflows), or stand here with the reason why
not. That nothing is missing from what writes is seen by the workflows themselves: whatever they write by is found here.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PRODUCT, FUNCTIONS = ROOT / "layers/saldo/python", ROOT / "functions"
# Methods whose name says enough: of the clients, of the store, of ports.
WRITES = frozenset(
    {
        *("put_item", "update_item", "delete_item", "batch_write_item", "transact_write_items"),
        *("put_object", "delete_object", "send_email", "send_message", "send_message_batch", "put_events"),
        *("start_execution", "write_one", "put_many", "update_one", "put_new", "put_from", "put_report"),
        *("create_checkout", "create_setup", "claim_all", "follow_all", "give_back", "keep_parts", "drop_parts"),
    }
)
# And those that have to be called on something that is named so.
WRITES_ON = {
    "write": ("store",),
    "change": ("store",),
    "put": ("files", "bucket", "queue", "report", "batches"),
    "delete": ("files", "bucket"),
    "erase": ("files",),
    "record": ("service",),
    "forget": ("gateway", "keys", "repeats"),
    "invoke": ("client", "functions"),
}
# Operations on the wire that change nothing.
READS = frozenset(
    {
        *("GetItem", "BatchGetItem", "Query", "Scan", "DescribeTable", "GetObject", "ListObjectVersions"),
        *("Decrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "GetPublicKey", "Sign", "AssumeRole"),
        *("AskRegister", "RateTax", "QuoteTax", "FindCheckout", "FindSetup", "LookUp", "LookUpSetup"),
    }
)
BY_WHAT_OTHERS_WRITE = ("saldo.storage.store.", "saldo.storage.files.", "saldo.storage.claims.")

_SESSION = "a session's, which keeps no money: what was lost means signing in again (tests/functions/portal)"
_ATTEMPT = "counts attempts to sign in; one more or less by a crash is none that anybody relies on"
_READ = "one record of who looked, written before the page is shown; whoever asks again is another reading"
_SSO = "asks an identity provider that is not on this wire; the first sign-in comes again (tests/functions/portal)"

# By full name, each with its reason.
NOT_IN_WORKFLOWS: dict[str, str] = {
    "functions.api.v1.invoices.get_invoice": _READ,
    "functions.portal.records_of_reading.note_read": _READ,
    "functions.staff.reading.note_read": _READ,
    "functions.canary.books.Books.found": "each walk makes another invoice, on purpose (test_canary.py)",
    "functions.portal.services.queue_gateway_event": "one message; the gateway sends until it is answered",
    "functions.portal.services.rendered": "asks the documents function, which is in workflows itself, for one file",
    "saldo.access.attempts.Attempts._count": _ATTEMPT,
    "saldo.access.beginning.Beginning._refuse_when_risky": _SESSION,
    "saldo.access.beginning.Beginning.begin": _SESSION,
    "saldo.access.beginning.Beginning.renew": _SESSION,
    "saldo.access.joining.Joining._taken_up": "grant and end of the invitation are one unit, and its link is asked for",
    "saldo.access.joining.Joining.by_sso": _SSO,
    "saldo.access.passkeys.Passkeys._challenge": _SESSION,
    "saldo.access.sessions.Sessions._remember": _SESSION,
    "saldo.access.sessions.Sessions._touched": _SESSION,
    "saldo.access.sessions.Sessions.count_download": _SESSION,
    "saldo.access.sessions.Sessions.end": _SESSION,
    "saldo.access.sessions.Sessions.end_others": _SESSION,
    "saldo.access.sessions.Sessions.of_token": _SESSION,
    "saldo.access.sessions.Sessions.recount": _SESSION,
    "saldo.access.sign_in_links.SignInLinks.send": _SESSION,
    "saldo.access.sso_sign_in.SsoSignIn._taken": _SSO,
    "saldo.access.sso_sign_in.SsoSignIn._user": _SSO,
    "saldo.access.sso_sign_in.SsoSignIn.begin": _SSO,
    "saldo.access.staff.StaffAccess._begin": _SESSION,
    "saldo.access.staff.StaffSessions.choose_language": _SESSION,
    "saldo.access.staff.StaffSessions.end": _SESSION,
    "saldo.access.staff.StaffSessions.present": _SESSION,
    "saldo.invoicing.clocks.Doubles._copy_catalog": "each call makes another double, on purpose; none is in real books",
    "saldo.invoicing.clocks.Doubles.create": "each call makes another double, on purpose; none is in real books",
    "saldo.recovery.dead_letters.DeadLetters._call": "stopped and done twice in tests/functions/test_dead_letters.py",
    "saldo.recovery.dead_letters.DeadLetters._into": "stopped and done twice in tests/functions/test_dead_letters.py",
    "saldo.usage.partitions_remote.CountedElsewhere._answer": "asks count_usage, which counts and writes nothing",
}
_LOOKS = "looks, and then does one thing, which is in workflows itself"
# Of those that call more than one thing by whose name something is changed somewhere.
CHAINS_NOT_IN_WORKFLOWS = {
    "functions.api.endpoint._admitted": "lets in, which is in workflows itself; the rest is a metric",
    "functions.canary.books.Books.found": "each walk makes another invoice, on purpose (test_canary.py)",
    "functions.canary.browser.Browser._ask": "asks a page",
    "functions.http.edge.EdgeRoutes.register": "keeps what routes there are",
    "functions.portal.approvals.stand_in": "reads a form, and then does one thing, which is in workflows itself",
    "functions.portal.autopay.set_rule": _LOOKS,
    "functions.portal.details._problems": "reads a form",
    "functions.portal.notifications.choose": "the second is a count in the session, which is counted again by itself",
    "functions.portal.notifications.read": "the second is a count in the session, which is counted again by itself",
    "functions.portal.pay_link.look": "tells, after it has looked, that the link was opened: in workflows itself",
    "functions.portal.pay_link.pay": _LOOKS,
    "functions.portal.paying._scheduled": "the one or the other",
    "functions.portal.plans.make": _LOOKS,
    "functions.portal.presenters.details.Typed.profile": "reads a form",
    "functions.portal.presenters.spreadsheets._write_instant": "writes into a sheet in memory",
    "functions.portal.signing_in.answer": _SESSION,
    "functions.staff.signing_in.answer": _SESSION,
    "functions.portal.records_of_reading.note_read": "counts a download in the session, then tells of it: see above",
    "functions.portal.terms.ask": _LOOKS,
    "functions.staff.details.change": _LOOKS,
    "functions.staff.details._problems": "reads a form",
}
HANDLERS_NOT_IN_WORKFLOWS = {
    "functions.operations.canary": "each walk makes another invoice, on purpose; broken at each step in test_canary.py",
    "functions.operations.create_double": "each call makes another double, on purpose",
}


def writers() -> set[str]:
    """Full names of the functions that write, but of those by which the others do."""
    found = {name for path in sorted(PRODUCT.rglob("*.py")) for name in _in_module(path, PRODUCT)}
    found |= {name for path in sorted(FUNCTIONS.rglob("*.py")) for name in _in_module(path, ROOT)}
    return {name for name in found if not name.startswith(BY_WHAT_OTHERS_WRITE)}


def handlers() -> set[str]:
    """Modules of `functions` that Lambda calls; the portal and the API are one each, tested in tests/functions."""
    found = set()
    for path in sorted(FUNCTIONS.rglob("*.py")):
        names = {n.name for n in ast.parse(path.read_text()).body if isinstance(n, ast.FunctionDef)}
        if "handler" in names:
            found.add(".".join(path.relative_to(ROOT).with_suffix("").parts))
    return found


def chains(writing: Iterable[str]) -> dict[str, set[str]]:
    """Functions in `functions` that call more than one thing which changes something, and what: whoever dies between
    them has done the one and not the other. writing: full names of the product's functions that do, in the end."""
    names = {name.rpartition(".")[2] for name in writing if name.startswith("saldo.")}
    names = {name for name in names if not name.startswith("_")}
    found = {}
    for path in sorted(FUNCTIONS.rglob("*.py")):
        for name, function in _functions(path, ROOT):
            called = {n.func.attr for n in ast.walk(function) if _calls(n, names)}  # type: ignore[attr-defined]
            if len(called) > 1:
                found[name] = called
    return found


def _calls(node: ast.AST, names: set[str]) -> bool:
    is_method = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    return is_method and (node.func.attr in names or writes(node))  # type: ignore[attr-defined]


def _in_module(path: Path, root: Path) -> Iterator[str]:
    for name, function in _functions(path, root):
        if any(writes(node) for node in ast.walk(function)):
            yield name


def _functions(path: Path, root: Path) -> Iterator[tuple[str, ast.FunctionDef]]:
    module = ".".join(path.relative_to(root).with_suffix("").parts)
    yield from _in(ast.parse(path.read_text()), module)


def _in(node: ast.AST, name: str) -> Iterator[tuple[str, ast.FunctionDef]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef):
            yield f"{name}.{child.name}", child
        elif isinstance(child, ast.ClassDef):
            yield from _in(child, f"{name}.{child.name}")


def writes(node: ast.AST) -> bool:
    """Whether it is a call that changes something outside."""
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Name):
        return node.func.id in WRITES
    if not isinstance(node.func, ast.Attribute):
        return False
    return node.func.attr in WRITES or _called_on(node.func.value).endswith(WRITES_ON.get(node.func.attr, ()))


def _called_on(node: ast.AST) -> str:
    """The last word of what a method is called on: `files` of `self._work.files`, `bucket` of `bucket()`."""
    if isinstance(node, ast.Call):
        return _called_on(node.func)
    if isinstance(node, ast.Attribute):
        return node.attr.lower()
    return node.id.lower() if isinstance(node, ast.Name) else ""
