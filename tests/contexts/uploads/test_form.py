"""The form against an S3 that holds it to its policy: what a browser may send, and what nobody may."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from saldo.storage.files import Files

KEY, BACK = "incoming/evidence/acct_eu_1/inv_1/upl_1", "http://localhost:8080/back?dispute=dsp_1"
FIXED = {
    "Content-Type": "application/octet-stream",
    "Content-Disposition": "attachment",
    "success_action_redirect": BACK,
}
MOST = 1000


@pytest.fixture(scope="module")
def files() -> Iterator[Files]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {**os.environ, "GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1"}
    quiet = subprocess.DEVNULL
    emulator = subprocess.Popen([sys.executable, "-m", "ministack"], env=settings, stdout=quiet, stderr=quiet)
    try:
        yield _bucket(port)
    finally:
        emulator.terminate()
        emulator.wait(20)


def _bucket(port: int) -> Files:
    config = Config(signature_version="s3v4", s3={"addressing_style": "path"}, retries={"max_attempts": 0})
    keys: Any = {"aws_access_key_id": "000000000000", "aws_secret_access_key": "local"}
    s3 = boto3.client("s3", "eu-central-1", endpoint_url=f"http://127.0.0.1:{port}", config=config, **keys)
    for _ in range(120):
        try:
            s3.create_bucket(Bucket="uploads", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
            return Files(s3, "uploads")
        except (BotoCoreError, ClientError):
            time.sleep(0.5)
    raise AssertionError("the emulator did not start")


def sent(url: str, fields: Mapping[str, str], content: bytes) -> tuple[int, str, str]:
    """As a browser sends it: the file last, under a name and type that it chose. Status, location, body."""
    parts = [f'--x\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n'.encode() for k, v in fields.items()]
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="../../evil.svg"\r\n'
    body = b"".join(parts) + head + b"Content-Type: image/svg+xml\r\n\r\n" + content + b"\r\n--x--\r\n"
    place = url.removeprefix("http://")
    connection = http.client.HTTPConnection(place.partition("/")[0], timeout=30)
    connection.request("POST", "/" + place.partition("/")[2], body, {"Content-Type": "multipart/form-data; boundary=x"})
    answer = connection.getresponse()
    return answer.status, answer.getheader("location") or "", answer.read().decode()


def test_a_browser_lays_down_its_file_and_is_led_back(files: Files) -> None:
    url, fields = files.post_form(KEY, FIXED, MOST, 900)
    status, location, _ = sent(url, fields, b"hello")
    assert status == 303 and location.startswith(f"{BACK}&bucket=uploads") and "etag=" in location
    head = files._client.head_object(Bucket="uploads", Key=KEY)
    assert head["ContentType"] == "application/octet-stream" and head["ContentDisposition"] == "attachment"


@pytest.mark.parametrize(
    ("changes", "content", "code"),
    [
        ({}, b"x" * (MOST + 1), "EntityTooLarge"),
        ({}, b"", "EntityTooSmall"),
        ({"key": "clean/evidence/acct_eu_1/inv_1/upl_1/ab"}, b"x", "AccessDenied"),
        ({"key": KEY.replace("acct_eu_1", "acct_eu_2")}, b"x", "AccessDenied"),
        ({"key": KEY + "/../upl_2"}, b"x", "AccessDenied"),
        ({"Content-Type": "text/html"}, b"x", "AccessDenied"),
        ({"Content-Disposition": "inline"}, b"x", "AccessDenied"),
        ({"success_action_redirect": "https://elsewhere.example"}, b"x", "AccessDenied"),
        ({"acl": "public-read"}, b"x", "AccessDenied"),
        ({"x-amz-server-side-encryption": "AES256"}, b"x", "AccessDenied"),
        ({"x-amz-meta-name": "x"}, b"x", "AccessDenied"),
    ],
)
def test_whatever_else_is_sent_with_it_is_refused(
    files: Files, changes: dict[str, str], content: bytes, code: str
) -> None:
    url, fields = files.post_form(KEY, FIXED, MOST, 900)
    status, _, body = sent(url, {**fields, **changes}, content)
    assert status in (400, 403) and f"<Code>{code}</Code>" in body


def test_a_form_ends_with_its_time_and_a_made_up_policy_fits_no_signature(files: Files) -> None:
    url, fields = files.post_form(KEY, FIXED, MOST, 1)
    time.sleep(2.1)
    assert "expired" in sent(url, fields, b"x")[2]
    _, larger = files.post_form(KEY, FIXED, 10 * MOST, 900)
    _, fresh = files.post_form(KEY, FIXED, MOST, 900)
    assert sent(url, {**fresh, "policy": fields["policy"]}, b"x")[0] == 403
    assert larger["policy"] != fresh["policy"]
