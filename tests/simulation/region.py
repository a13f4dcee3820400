"""One region in memory: the services that Saldo calls, behind one wire on which anything can go wrong.

The hosted functions themselves run on it (`serving`): their settings, clients and clock are this region's, and nothing
else of them is replaced. Chance is drawn from one seed, so that the same seed always gives the same bytes.
"""

from __future__ import annotations

import gc
import importlib
import io
import json
import logging
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, redirect_stdout
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, TypeVar
from unittest.mock import patch

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from infra.cdk.functions import ALL
from local.gateway.book import Book, Pace
from local.gateway.moods import Mood
from local.gateway.reports import report, setup_report
from saldo.kernel.errors import Refusal, Unavailable
from saldo.payments.model import GatewayPayment
from saldo.payments.model_methods import MethodReport
from saldo.payments.ports import Checkout, CheckoutRequest, SetupRequest
from saldo.storage import schema
from saldo.storage.sealing import KeyRing, Sealer
from saldo.storage.store import Store
from saldo.tax.model_services import Rated, TaxDocument
from saldo.tax.ports import TaxService
from tests.permissions.gate import Gate, Guarded, acting, deployed_gate
from tests.simulation.dynamodb import DOUBLED, PART, Fault, MemoryDynamoDB
from tests.simulation.writers import BY_WHAT_OTHERS_WRITE, READS

T = TypeVar("T")
SECRET = b"shared with the gateway"
ENTITY_ID = "ent_eu_seller"
PARTS = "parts"  # the queue of whichever daily function sends to it
ENVIRONMENT = {
    "SALDO_ENV": "test",
    "SALDO_REGION_CODE": "eu",
    "SALDO_TABLE": "records",
    "SALDO_KEYS_TABLE": "keys",
    "SALDO_KMS_KEY_ID": "key-1",
    "SALDO_DETAILS_KEY_ID": "key-details",
    "SALDO_DOCUMENTS_KEY_ID": "key-documents",
    "SALDO_DOCUMENTS_BUCKET": "documents",
    "SALDO_IMPORTS_BUCKET": "imports",
    "SALDO_AUDIT_BUCKET": "audit",
    "SALDO_WORK_BUCKET": "work",
    "SALDO_USAGE_BUCKET": "usage",
    "SALDO_UPLOADS_BUCKET": "uploads",
    "SALDO_BUS": "bus",
    "SALDO_GATEWAY_URL": "http://gateway.invalid",
    "SALDO_GATEWAY_SECRET_ARN": "secret",
    "SALDO_USAGE_QUEUE_URL": "usage",
    "SALDO_GATEWAY_QUEUE_URL": "gateway-events",
    "SALDO_PARTS_QUEUE_URL": PARTS,
    "SALDO_MAIL_FROM": "billing@rheinwerk.example",
    "SALDO_STATE_MACHINE_ARN": "runs",
    "SALDO_COUNT_USAGE_FUNCTION": "count_usage",
    "SALDO_DOCUMENTS_FUNCTION": "documents",
    "SALDO_CUSTOMER_ROLE_ARN": "customer",
    "SALDO_PORTAL_ORIGINS": json.dumps({"eu": "http://localhost:8080"}),
    "SALDO_ENTITIES": json.dumps([{"entity_id": ENTITY_ID, "time_zone": "Europe/Berlin", "hour": 4}]),
}
HANDLERS = {spec.name: spec.handler for spec in ALL}
PACE = Pace(debit=timedelta(days=3), expiry=timedelta(days=1), payout=timedelta(days=2))


class Wire:
    """Every outside call of a region: numbered, kept in a running print, and failed as `fault` says."""

    def __init__(self) -> None:
        self.calls = 0
        self.fault: Fault | None = None
        self.watch: Callable[[str], None] | None = None
        self._print = sha256()

    def at(self, _number: int, operation: str, when: str) -> object:
        """As the table in memory asks; the number is the wire's own."""
        if when == "before":
            self.calls += 1
            if self.watch:
                self.watch(operation)
        self._print.update(_printed(operation, when))
        return self.fault(self.calls, operation, when) if self.fault else None

    def call(self, operation: str, apply: Callable[[bool], T]) -> T:
        told = self.at(0, operation, "before")
        if told == DOUBLED:
            apply(False)
        answer = apply(told == PART)
        self.at(0, operation, "after")
        return answer

    @property
    def print(self) -> str:
        """Of all calls so far, in their order."""
        return self._print.hexdigest()


@lru_cache
def _printed(operation: str, when: str) -> bytes:
    return f"{operation} {when}\n".encode()


class Buckets:
    """S3, as far as `Files` uses it: versioned buckets, and writes that only take a new key."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.files: dict[tuple[str, str], bytes] = {}
        self._versions: dict[tuple[str, str], list[bytes]] = {}

    def put_object(
        self,
        *,
        Bucket: str,  # noqa: N803
        Key: str,  # noqa: N803
        Body: Any,  # noqa: N803
        ContentType: str,  # noqa: N803
        IfNoneMatch: str = "",  # noqa: N803
    ) -> dict[str, Any]:
        body = Body if isinstance(Body, bytes) else Body.read()

        def apply(_part: bool) -> dict[str, Any]:
            if IfNoneMatch and (Bucket, Key) in self.files:
                raise ClientError({"Error": {"Code": "PreconditionFailed"}}, "PutObject")
            self.files[Bucket, Key] = body
            self._versions.setdefault((Bucket, Key), []).append(body)
            return {}

        return self._wire.call("PutObject", apply)

    def get_object(
        self,
        *,
        Bucket: str,  # noqa: N803
        Key: str,  # noqa: N803
        VersionId: str = "",  # noqa: N803
        Range: str = "",  # noqa: N803
    ) -> dict[str, Any]:
        def apply(_part: bool) -> dict[str, Any]:
            if (Bucket, Key) not in self.files:
                raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
            body = self._versions[Bucket, Key][int(VersionId)] if VersionId else self.files[Bucket, Key]
            if not Range:
                return {"Body": _Body(body)}
            first, last = map(int, Range.removeprefix("bytes=").split("-"))
            return {"Body": _Body(body[first : last + 1]), "ContentRange": f"bytes {first}-{last}/{len(body)}"}

        return self._wire.call("GetObject", apply)

    def generate_presigned_post(self, **asked: Any) -> Any:
        """Signed by the real library, which asks nobody."""
        return _signer().generate_presigned_post(**asked)

    def generate_presigned_url(self, **asked: Any) -> Any:
        return _signer().generate_presigned_url(**asked)

    def delete_object(self, *, Bucket: str, Key: str, VersionId: str = "") -> dict[str, Any]:  # noqa: N803
        """Hides it, and its versions stay; or takes away one version, the newest before the others."""

        def apply(_part: bool) -> dict[str, Any]:
            self.files.pop((Bucket, Key), None)
            if VersionId:
                del self._versions[Bucket, Key][int(VersionId) :]
            return {}

        return self._wire.call("DeleteObject", apply)

    def get_paginator(self, operation: str) -> Any:
        assert operation == "list_object_versions"

        def paginate(*, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:  # noqa: N803
            yield self._wire.call("ListObjectVersions", lambda _part: {"Versions": self._listed(Bucket, Prefix)})

        return SimpleNamespace(paginate=paginate)

    def _listed(self, bucket: str, prefix: str) -> list[dict[str, str]]:
        """By key, of each the newest first."""
        keys = sorted(key for b, key in self._versions if b == bucket and key.startswith(prefix))
        return [
            {"Key": key, "VersionId": str(n)} for key in keys for n in reversed(range(len(self._versions[bucket, key])))
        ]


@lru_cache(maxsize=1)
def _signer() -> Any:
    import boto3

    keys: Any = {"aws_access_key_id": "AKIATEST", "aws_secret_access_key": "tests", "region_name": "eu-central-1"}
    return boto3.client("s3", **keys, config=Config(signature_version="s3v4", s3={"addressing_style": "path"}))


class _Body(io.BytesIO):
    def iter_chunks(self, size: int) -> Iterator[bytes]:
        while chunk := self.read(size):
            yield chunk


class Mail:
    """SES: what was taken, and addresses that it will not write to."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.taken: list[tuple[tuple[str, ...], bytes]] = []
        self.bouncing: set[str] = set()

    def send_email(self, **request: Any) -> dict[str, Any]:
        def apply(_part: bool) -> dict[str, Any]:
            to = tuple(request["Destination"]["ToAddresses"])
            if self.bouncing & set(to):
                raise ClientError({"Error": {"Code": "MessageRejected"}}, "SendEmail")
            self.taken.append((to, request["Content"]["Raw"]["Data"]))
            return {"MessageId": f"m{len(self.taken)}"}

        return self._wire.call("SendEmail", apply)


class Queues:
    """SQS: at least once, in any order; what is handled wrongly comes again."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.waiting: list[tuple[str, str]] = []
        self.attributes: list[dict[str, Any]] = []

    def send_message(
        self,
        *,
        QueueUrl: str,  # noqa: N803
        MessageBody: str,  # noqa: N803
        MessageSystemAttributes: Any = None,  # noqa: N803
    ) -> dict[str, Any]:
        def apply(_part: bool) -> dict[str, Any]:
            self.attributes.append(MessageSystemAttributes or {})
            self.waiting.append((QueueUrl, MessageBody))
            return {"MessageId": str(len(self.waiting))}

        return self._wire.call("SendMessage", apply)

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        """May take some of them only, and says which."""
        assert len(Entries) <= 10 and sum(len(entry["MessageBody"]) for entry in Entries) <= 256 * 1024

        def apply(part: bool) -> dict[str, Any]:
            served = len(Entries) // 2 if part else len(Entries)
            self.attributes += [entry.get("MessageSystemAttributes", {}) for entry in Entries[:served]]
            self.waiting += [(QueueUrl, entry["MessageBody"]) for entry in Entries[:served]]
            failed = [{"Id": entry["Id"], "Code": "ThrottlingException"} for entry in Entries[served:]]
            return {"Successful": [{"Id": entry["Id"]} for entry in Entries[:served]], "Failed": failed}

        return self._wire.call("SendMessageBatch", apply)


class Keys:
    """KMS, as far as we use it: a wrapped key opens only in its own context; a signing key is there for each name."""

    def __init__(self, wire: Wire, chance: Random) -> None:
        self._wire, self._chance = wire, chance
        self._wrapped: dict[bytes, tuple[bytes, dict[str, str]]] = {}

    def generate_data_key(self, *, KeyId: str, KeySpec: str, EncryptionContext: dict[str, str]) -> dict[str, Any]:  # noqa: N803
        def apply(_part: bool) -> dict[str, Any]:
            plain, blob = self._chance.randbytes(32), self._chance.randbytes(40)
            self._wrapped[blob] = plain, EncryptionContext
            return {"Plaintext": plain, "CiphertextBlob": blob, "KeyId": KeyId}

        return self._wire.call("GenerateDataKey", apply)

    def generate_data_key_without_plaintext(
        self,
        *,
        KeyId: str,  # noqa: N803
        KeySpec: str,  # noqa: N803
        EncryptionContext: dict[str, str],  # noqa: N803
    ) -> dict[str, Any]:
        def apply(_part: bool) -> dict[str, Any]:
            plain, blob = self._chance.randbytes(32), self._chance.randbytes(40)
            self._wrapped[blob] = plain, EncryptionContext
            return {"CiphertextBlob": blob, "KeyId": KeyId}

        return self._wire.call("GenerateDataKeyWithoutPlaintext", apply)

    def decrypt(self, *, CiphertextBlob: bytes, KeyId: str, EncryptionContext: dict[str, str]) -> dict[str, Any]:  # noqa: N803
        def apply(_part: bool) -> dict[str, Any]:
            plain, context = self._wrapped[CiphertextBlob]
            if context != EncryptionContext:
                raise ClientError({"Error": {"Code": "InvalidCiphertextException"}}, "Decrypt")
            return {"Plaintext": plain}

        return self._wire.call("Decrypt", apply)

    def get_public_key(self, *, KeyId: str) -> dict[str, Any]:  # noqa: N803
        public = _signing_key(KeyId).public_key()
        found = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        return self._wire.call("GetPublicKey", lambda _part: {"PublicKey": found})

    def sign(self, *, KeyId: str, Message: bytes, MessageType: str, SigningAlgorithm: str) -> dict[str, Any]:  # noqa: N803
        assert (MessageType, SigningAlgorithm) == ("RAW", "ECDSA_SHA_256") and len(Message) <= 4096
        how = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
        return self._wire.call("Sign", lambda _part: {"Signature": _signing_key(KeyId).sign(Message, how)})


def _signing_key(name: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(sha256(name.encode()).digest()[:31], "big"), ec.SECP256R1())


class EventBus:
    """EventBridge: takes a part of a call when it is busy."""

    exceptions = SimpleNamespace(ClientError=ClientError)

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.taken: list[dict[str, Any]] = []

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        def apply(part: bool) -> dict[str, Any]:
            served = len(Entries) // 2 if part else len(Entries)
            self.taken += Entries[:served]
            busy = [{"ErrorCode": "ThrottlingException"}] * (len(Entries) - served)
            return {"Entries": [*({"EventId": "e"} for _ in range(served)), *busy]}

        return self._wire.call("PutEvents", apply)


class StateMachines:
    """Step Functions: remembers what was started."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.started: list[dict[str, Any]] = []

    def start_execution(self, **request: Any) -> dict[str, Any]:
        def apply(_part: bool) -> dict[str, Any]:
            self.started.append(json.loads(request["input"]))
            return {"executionArn": f"execution:{len(self.started)}"}

        return self._wire.call("StartExecution", apply)


class Functions:
    """Lambda, as one function calls another and waits: the other one runs under a role of its own."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803
        def apply(_part: bool) -> dict[str, Any]:
            answer = run_hosted(FunctionName, json.loads(Payload))
            return {"Payload": io.BytesIO(json.dumps(answer).encode())}

        return self._wire.call("Invoke", apply)


def run_hosted(name: str, event: dict[str, Any]) -> Any:
    """Run a hosted function, by its name in infra/cdk/functions.py, under the policies of its role."""
    with acting(name):
        module, _, handler = HANDLERS[name].rpartition(".")
        return getattr(importlib.import_module(module), handler)(event, None)


class BookGateway:
    """The gateway port straight onto the book of the gateway simulator: no HTTP between, and the wire's faults."""

    name = "simulator"

    def __init__(self, wire: Wire, book: Book, clock: Callable[[], datetime]) -> None:
        self._wire, self.book, self._clock = wire, book, clock
        self.refusing = False

    def create_checkout(self, request: CheckoutRequest) -> Checkout:
        if self.refusing:
            self._ask("CreateCheckout", lambda: None)
            raise Refusal("gateway_refused", "this currency is not taken")
        row = self._ask("CreateCheckout", lambda: self.book.open_checkout(request, self._clock()))
        return Checkout(row["ref"], f"http://gateway.invalid/pay/{row['ref']}", report(row))

    def find_checkout(self, payment_id: str) -> Checkout | None:
        row = self._ask("FindCheckout", lambda: self.book.by_payment(payment_id))
        return None if row is None else Checkout(row["ref"], f"http://gateway.invalid/pay/{row['ref']}", report(row))

    def create_setup(self, request: SetupRequest) -> Checkout:
        row = self._ask("CreateSetup", lambda: self.book.open_setup(request, self._clock()))
        return Checkout(row["ref"], f"http://gateway.invalid/save/{row['ref']}")

    def find_setup(self, method_id: str) -> Checkout | None:
        row = self._ask("FindSetup", lambda: self.book.setup_of(method_id))
        return None if row is None else Checkout(row["ref"], f"http://gateway.invalid/save/{row['ref']}")

    def look_up_setup(self, method_id: str) -> MethodReport | None:
        row = self._ask("LookUpSetup", lambda: self.book.setup_of(method_id))
        return None if row is None else setup_report(row)

    def forget(self, method_id: str) -> None:
        self._ask("ForgetMethod", lambda: self.book.forget(method_id))

    def look_up(self, ref: str) -> GatewayPayment | None:
        row = self._ask("LookUp", lambda: self.book.by_ref(ref))
        return None if row is None else report(row)

    def _ask(self, operation: str, apply: Callable[[], T]) -> T:
        try:
            return self._wire.call(operation, lambda _part: apply())
        except (ClientError, BotoCoreError) as error:
            raise Unavailable("the payment gateway did not answer") from error


class WiredTax:
    """A tax service behind the wire: it may not answer, or answer and not be heard."""

    def __init__(self, wire: Wire, service: TaxService) -> None:
        self._wire, self._service, self.name = wire, service, service.name

    def rate(self, document: TaxDocument) -> Rated:
        return self._ask("RateTax", lambda: self._service.rate(document))

    def record(self, document: TaxDocument) -> Rated:
        return self._ask("RecordTax", lambda: self._service.record(document))

    def _ask(self, operation: str, apply: Callable[[], Rated]) -> Rated:
        try:
            return self._wire.call(operation, lambda _part: apply())
        except (ClientError, BotoCoreError) as error:
            raise Unavailable("the tax service did not answer") from error


class Register:
    """The register of tax ids: knows all but those that it is told of, when it answers."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.unknown: set[str] = set()

    def knows(self, _country: str, number: str) -> bool:
        try:
            return self._wire.call("AskRegister", lambda _part: number not in self.unknown)
        except (ClientError, BotoCoreError) as error:
            raise Unavailable("the register did not answer") from error


class Region:
    """One region. `now` is the time everything believes in; `chance` all randomness there is."""

    def __init__(
        self, now: datetime = datetime(2026, 1, 1, 8, tzinfo=UTC), seed: str = "0", mood: Mood | None = None
    ) -> None:
        self.now = now
        self.chance = Random(seed)
        self.gateways_chance = Random(f"{seed} gateway")  # its ids do not depend on what is drawn here
        self.wire = Wire()
        self.records = MemoryDynamoDB(schema.AGENDA_FIELDS)
        self.records.fault = self.wire.at
        self.buckets, self.mail, self.queues = Buckets(self.wire), Mail(self.wire), Queues(self.wire)
        self.kms, self.bus, self.machines = Keys(self.wire, self.chance), EventBus(self.wire), StateMachines(self.wire)
        self.functions = Functions(self.wire)
        self.book = Book(Path(":memory:"), SECRET, PACE, mood or Mood())
        self.gateway = BookGateway(self.wire, self.book, self.clock)
        self.notes: dict[str, str] = {}  # what a workflow's preparation leaves for its work
        self.gate: Gate | None = None  # other policies than the deployed ones
        self.has_more = False  # whether anything else was opened for this region
        self._more = ExitStack()

    def clock(self) -> datetime:
        return self.now

    def open(self, beside: AbstractContextManager[T]) -> T:
        """Something else that belongs to this region and is closed with it."""
        self.has_more = True
        return self._more.enter_context(beside)

    @property
    def store(self) -> Store:
        """The records as a fresh process sees them."""
        return Store(self.client("dynamodb"), "records")

    def sealer(self) -> Sealer:
        return Sealer(self.keys(), "records")

    def keys(self) -> KeyRing:
        clients = self.client("kms"), self.client("dynamodb")
        return KeyRing(*clients, table="keys", kms_key_id="key-1", region_code="eu", clock=self.clock)

    def client(self, service: str, **_: Any) -> Any:
        """As boto3 makes it; what a hosted function calls on it is checked against its deployed policies."""
        secrets = SimpleNamespace(get_secret_value=lambda **_: {"SecretString": SECRET.decode()})
        clients: dict[str, Any] = {
            "dynamodb": self.records,
            "s3": self.buckets,
            "sesv2": self.mail,
            "sqs": self.queues,
            "kms": self.kms,
            "events": self.bus,
            "stepfunctions": self.machines,
            "secretsmanager": secrets,
            "lambda": self.functions,
            "sts": SimpleNamespace(assume_role=self._assume_role),
        }
        return Guarded(self._policies, service, clients[service])

    def _assume_role(
        self,
        *,
        RoleArn: str,  # noqa: N803
        RoleSessionName: str,  # noqa: N803
        Policy: str,  # noqa: N803
        DurationSeconds: int,  # noqa: N803
    ) -> dict[str, Any]:
        """Credentials by which the gate knows the session policy."""
        assert len(Policy) <= 2048 and re.fullmatch(r"[\w+=,.@-]{2,64}", RoleSessionName)

        def apply(_part: bool) -> dict[str, Any]:
            key = self._policies().assume(RoleArn, Policy)
            until = self.clock() + timedelta(seconds=DurationSeconds)
            given = {"AccessKeyId": key, "SecretAccessKey": "-", "SessionToken": "-", "Expiration": until}
            return {"Credentials": given}

        return self.wire.call("AssumeRole", apply)

    def _policies(self) -> Gate:
        return self.gate or enforced()

    @contextmanager
    def undisturbed(self) -> Iterator[None]:
        """What is done here is not the workflow's: preparation, and looking at what came of it."""
        fault, self.wire.fault = self.wire.fault, None
        try:
            with acting(""):
                yield
        finally:
            self.wire.fault = fault

    def restart(self) -> None:
        """The process is gone; the next call starts a new one, which remembers nothing."""
        from functions import services
        from saldo.storage import clients

        loaded = (sys.modules.get(f"functions.{edge}.services") for edge in ("portal", "api"))
        for module in (services, clients, *filter(None, loaded)):
            for made in vars(module).values():
                if hasattr(made, "cache_clear"):
                    made.cache_clear()

    @contextmanager
    def serving(self) -> Iterator[Region]:
        """Within it, the hosted functions run on this region, and chance is this region's."""
        import functions.services  # noqa: F401 - so that it is there to be patched
        from saldo.integration.eventbridge import Bus

        real = datetime
        time = SimpleNamespace(sleep=_no_time)
        instants = SimpleNamespace(now=lambda _zone: self.now, fromisoformat=real.fromisoformat)
        with ExitStack() as stack:
            for target, there in (
                ("saldo.storage.clients.session", lambda: self),
                ("saldo.payments.simulator.SimulatedGateway", lambda *_: self.gateway),
                ("saldo.kernel.clock.datetime", instants),
                ("saldo.storage.store.time", time),
                ("secrets.token_hex", lambda n=16: self.chance.randbytes(n).hex()),
                ("secrets.token_urlsafe", lambda n=32: self.chance.randbytes(n).hex()),
                ("secrets.randbits", self.chance.getrandbits),
                ("saldo.storage.sealing.os", SimpleNamespace(urandom=self.chance.randbytes)),
                ("local.gateway.book.uuid4", lambda: SimpleNamespace(hex=self.gateways_chance.randbytes(16).hex())),
            ):
                stack.enter_context(patch(target, there))
            stack.enter_context(patch.object(Bus.__init__, "__defaults__", (_no_time, str)))
            stack.enter_context(patch.dict(os.environ, ENVIRONMENT))
            self.restart()
            try:
                yield self
            finally:
                self._more.close()
                self.restart()


@lru_cache(maxsize=1)
def enforced() -> Gate:
    """The deployed policies, for every region of this process: what they allowed is known from here, too."""
    return deployed_gate(ENVIRONMENT)


def _no_time(_seconds: float) -> None:
    """Waiting takes no time here."""


@contextmanager
def quiet() -> Iterator[None]:
    """Without the log lines and metrics of the functions."""
    logging.disable(logging.CRITICAL)
    try:
        with redirect_stdout(io.StringIO()):
            yield
    finally:
        logging.disable(logging.NOTSET)


@contextmanager
def uncollected() -> Iterator[None]:
    """Without the garbage collector's rounds over a world's records, of which none is garbage: a tenth of the time.

    What the world before left is collected first.
    """
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class Seen:
    """Which of the product's functions were on the stack of a call that changes something: how a workflow's use cases
    are known. direct: those that made it themselves, by what others write by. asked: on that of any call."""

    def __init__(self) -> None:
        self.functions: set[str] = set()
        self.direct: set[str] = set()
        self.asked: set[str] = set()

    def __call__(self, operation: str) -> None:
        frame: Any = sys._getframe(1)
        reads = operation in READS
        direct = not reads
        while frame is not None:
            module = frame.f_globals.get("__name__", "")
            if module.startswith(("saldo.", "functions.")):
                name = f"{module}.{frame.f_code.co_qualname}".partition(".<locals>")[0]
                self.asked.add(name)
                if not reads:
                    self.functions.add(name)
                if direct and not name.startswith(BY_WHAT_OTHERS_WRITE):
                    self.direct.add(name)
                    direct = False
            frame = frame.f_back
