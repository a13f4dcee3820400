"""Code and layers as assets, built on this machine without Docker.

Code: `app.py` and `functions/`. Layer `saldo`: the product itself. Layers `runtime` and `documents`: third-party
packages for Lambda's arm64 machines, trimmed and compiled. An environment with `bundle_layers: false` (one machine)
leaves the third-party layers out: the emulator runs functions on this machine's own Python, whose virtual
environment has the same pinned packages for this machine's processor.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import jsii
from aws_cdk import AssetHashType, BundlingOptions, DockerImage, ILocalBundling
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3_assets as s3_assets

from infra.cdk.code import PYTHON, SKIPPED, SOURCES, compile_modules, write_code
from infra.cdk.environments import ROOT

_PLATFORMS = ("manylinux2014_aarch64", "manylinux_2_28_aarch64")
# The AWS services whose models botocore needs; the rest (most of its 26 MB) is left behind.
_SERVICES = frozenset(
    [
        "cognito-idp",
        "dynamodb",
        "events",
        "kms",
        "lambda",
        "s3",
        "secretsmanager",
        "sesv2",
        "sqs",
        "sso",
        "sso-oidc",
        "stepfunctions",
        "sts",
    ]
)
Build = Callable[[Path], None]


@jsii.implements(ILocalBundling)
class _OnThisMachine:
    """Runs a build into the asset's folder; CDK's Docker image is never used."""

    def __init__(self, build: Build) -> None:
        self._build = build

    def try_bundle(self, output_dir: str, *_args: object, **_options: object) -> bool:
        self._build(Path(output_dir))
        return True


def _fingerprint(*sources: Path) -> str:
    """A hash of names and bytes, so that an asset changes with its sources and only then."""
    digest = hashlib.sha256(sys.version.encode())
    for source in sources:
        files = [source] if source.is_file() else sorted(p for p in source.rglob("*") if p.is_file())
        for file in files:
            if "__pycache__" not in file.parts:
                digest.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def _asset(build: Build, *sources: Path) -> s3_assets.AssetOptions:
    return s3_assets.AssetOptions(
        asset_hash=_fingerprint(Path(__file__), Path(__file__).with_name("code.py"), *sources),
        asset_hash_type=AssetHashType.CUSTOM,
        bundling=BundlingOptions(image=DockerImage.from_registry("unused"), local=_OnThisMachine(build)),
    )


def _code_asset(build: Build, *sources: Path) -> lambda_.Code:
    options = _asset(build, *sources)
    return lambda_.Code.from_asset(
        str(sources[0] if sources[0].is_dir() else sources[0].parent),
        asset_hash=options.asset_hash,
        asset_hash_type=options.asset_hash_type,
        bundling=options.bundling,
    )


def handler_code(*, for_lambda: bool) -> lambda_.Code:
    """`app.py` and `functions/`, at the root of the function's code. The lock says which Jinja2 compiles templates."""
    lock = ROOT / "layers" / "runtime" / "requirements.txt"
    return _code_asset(partial(write_code, for_lambda=for_lambda), *SOURCES, lock)


def saldo_layer(*, for_lambda: bool) -> lambda_.Code:
    """The rooms of `saldo`, importable by every function."""
    source = ROOT / "layers" / "saldo" / "python"

    def build(out: Path) -> None:
        shutil.copytree(source, out / "python", ignore=SKIPPED)
        compile_modules(out / "python", for_lambda=for_lambda)

    return _code_asset(build, source)


def packages_layer(name: str) -> lambda_.Code:
    """The pinned packages of layers/<name>/requirements.txt, for Lambda's arm64 Python."""
    folder = ROOT / "layers" / name

    def build(out: Path) -> None:
        target = out / "python"
        _install(folder / "requirements.txt", target)
        _trim(target)
        compile_modules(target, for_lambda=True)

    return _code_asset(build, folder)


def _install(requirements: Path, target: Path) -> None:
    """Wheels only, hashes checked, no resolving: the lock names every package of the layer."""
    platforms = [word for platform in _PLATFORMS for word in ("--platform", platform)]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--require-hashes", "--only-binary=:all:", "--python-version", PYTHON, "--implementation", "cp"]
    command += [*platforms, "--target", str(target), "--requirement", str(requirements)]
    subprocess.run(command, check=True)  # noqa: S603 - our own interpreter, our own lock


def _trim(target: Path) -> None:
    """What no function uses: models of other AWS services, tests, console scripts, caches."""
    models = target / "botocore" / "data"
    if models.is_dir():
        for folder in models.iterdir():
            if folder.is_dir() and folder.name not in _SERVICES:
                shutil.rmtree(folder)
    for folder in [target / "bin", *target.rglob("__pycache__"), *target.glob("*/tests")]:
        shutil.rmtree(folder, ignore_errors=True)
