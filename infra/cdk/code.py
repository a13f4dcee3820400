"""What the functions' code is made of: `app.py`, `functions/`, and all of it compiled."""

from __future__ import annotations

import compileall
import shutil
import sys
from pathlib import Path
from py_compile import PycInvalidationMode

from infra.cdk.environments import ROOT

PYTHON = "3.13"
SKIPPED = shutil.ignore_patterns("__pycache__", "*.pyc", ".DS_Store", "tests", "*.dist-info.bak")
SOURCES = ROOT / "functions", ROOT / "app.py"


def write_code(out: Path, *, for_lambda: bool) -> None:
    """`app.py` and `functions/` at the root of `out`, with bytecode of their modules and templates."""
    from functions.portal.compiled import FOLDER, compile_all
    from functions.staff.pages import environment

    functions, app = SOURCES
    shutil.copytree(functions, out / "functions", ignore=SKIPPED)
    shutil.copy2(app, out / "app.py")
    compile_modules(out, for_lambda=for_lambda)
    if _compiles(for_lambda):
        compile_all(environment(), out / "functions" / "portal" / FOLDER)


def compile_modules(folder: Path, *, for_lambda: bool) -> None:
    """Bytecode that stays valid: zipping resets file times, so it is marked never to be checked."""
    if _compiles(for_lambda):
        compileall.compile_dir(
            folder, quiet=2, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH, stripdir=str(folder)
        )


def _compiles(for_lambda: bool) -> bool:
    """Bytecode belongs to one Python: for Lambda only its own version compiles; here it is the version that runs."""
    return not for_lambda or sys.version_info[:2] == tuple(int(part) for part in PYTHON.split("."))
