"""Documents signed so that any reader of PDFs sees whether they were altered since."""

from __future__ import annotations

import asyncio
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from shutil import which
from unittest.mock import Mock

import pytest
from asn1crypto import csr, x509
from cryptography import x509 as cryptography_x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import async_validate_pdf_signature
from pyhanko.sign.validation.status import PdfSignatureStatus
from pyhanko_certvalidator import ValidationContext
from pypdf import PdfReader

from functions.documents.settled import SettledInStore
from saldo.audit.records import PREFIX
from saldo.documents.service import Documents
from saldo.documents.signing import DocumentSigning
from saldo.documents.signing_certificates import SigningCertificates
from saldo.kernel.errors import Refusal
from saldo.storage.signing import KmsSigningKey
from tests.contexts.conftest import Region
from tests.contexts.documents.scenes import INVOICE, PAYMENT, Scene, scene
from tests.contexts.sellers import ACCOUNT, CLERK, ENTITY, entity


def kms_key(region: Region) -> KmsSigningKey:
    made = region.kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    return KmsSigningKey(region.kms, made["KeyMetadata"]["KeyId"])


@pytest.fixture
def key(region: Region) -> KmsSigningKey:
    region.clock.now = datetime.now(UTC)  # pyHanko and readers go by the time that it is
    return kms_key(region)


@pytest.fixture
def signing(region: Region, key: KmsSigningKey) -> Scene:
    """A seller with a certificate; documents are signed as functions sign them."""
    s = scene(region)
    SigningCertificates(region.store, s.accounts, key, region.clock).make(ENTITY, CLERK)
    settled, by = SettledInStore(region.store), DocumentSigning(region.store, key)
    return replace(s, documents=Documents(region.store, s.accounts, settled, s.files, "https://portal.example", by))


def validated(pdf: bytes, *trusted: bytes) -> PdfSignatureStatus:
    roots = [x509.Certificate.load(one) for one in trusted]
    (signature,) = PdfFileReader(BytesIO(pdf)).embedded_signatures
    context = ValidationContext(trust_roots=roots, allow_fetching=False)
    return asyncio.run(async_validate_pdf_signature(signature, context))


def certificate(region: Region) -> bytes:
    item = region.store.get(ENTITY, "signing_certificate")
    assert item is not None
    return bytes(item["certificate"])


def test_a_signed_invoice_holds_for_pyhankos_own_validation_and_for_pdfsig(
    region: Region, signing: Scene, tmp_path: Path
) -> None:
    pdf = signing.documents.invoice_pdf(ACCOUNT, INVOICE)
    status = validated(pdf, certificate(region))
    assert status.intact and status.valid and status.trusted and status.bottom_line
    assert not validated(pdf).trusted, "a certificate of our own is trusted by who was given it"
    text = "".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages)
    assert "RW-2026-000001" in text and b"/ETSI.CAdES.detached" in pdf
    if which("pdfsig"):
        file = tmp_path / "invoice.pdf"
        file.write_bytes(pdf)
        said = subprocess.run(["pdfsig", str(file)], capture_output=True, text=True, check=False).stdout
        assert "Signature is Valid" in said and "Total document signed" in said and "Rechenwerk GmbH" in said


def test_the_document_itself_is_in_it_byte_for_byte_and_what_is_altered_is_noticed(
    region: Region, signing: Scene, key: KmsSigningKey
) -> None:
    signed = signing.documents.invoice_pdf(ACCOUNT, INVOICE)
    plain = scene_without(signing).invoice_pdf(ACCOUNT, INVOICE)
    assert signed.startswith(plain) and len(signed) - len(plain) < 12_000
    at = plain.index(b"stream") + 40
    altered = signed[:at] + bytes([signed[at] ^ 1]) + signed[at + 1 :]
    (signature,) = PdfFileReader(BytesIO(altered)).embedded_signatures
    signature.compute_integrity_info()
    context = ValidationContext(trust_roots=[x509.Certificate.load(certificate(region))], allow_fetching=False)
    assert not asyncio.run(async_validate_pdf_signature(signature, context)).intact


def scene_without(signing: Scene) -> Documents:
    store, files = signing.region.store, Mock(find=lambda _key: None, put_new=lambda *_: True)
    return Documents(store, signing.accounts, SettledInStore(store), files, "https://portal.example")


def test_the_key_is_asked_once_a_document_and_of_two_made_at_once_the_first_stays(
    region: Region, signing: Scene, key: KmsSigningKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, sign = list[int](), key.sign

    def counted(message: bytes) -> bytes:
        asked.append(len(message))
        return sign(message)

    monkeypatch.setattr(key, "sign", counted)
    first = signing.documents.invoice_pdf(ACCOUNT, INVOICE)
    assert signing.documents.invoice_pdf(ACCOUNT, INVOICE) == first and len(asked) == 1 and max(asked) <= 4096
    _, again = signing.documents._make_invoice(ACCOUNT, INVOICE)
    assert again == first and len(asked) == 2


def test_what_is_made_after_another_certificate_was_put_carries_it(
    region: Region, signing: Scene, key: KmsSigningKey
) -> None:
    by, pdf = DocumentSigning(region.store, key), scene_without(signing).invoice_pdf(ACCOUNT, INVOICE)
    before = certificate(region)
    assert before in bytes.fromhex(contents(by.signed(pdf, ENTITY)))
    SigningCertificates(region.store, signing.accounts, key, region.clock).make(ENTITY, CLERK)
    signed = bytes.fromhex(contents(by.signed(pdf, ENTITY)))
    assert certificate(region) in signed and before not in signed


def contents(pdf: bytes) -> str:
    """The signature as it lies in the file, in hexadecimal digits."""
    begins = pdf.rindex(b"/Contents <") + len(b"/Contents <")
    return pdf[begins : pdf.index(b">", begins)].decode()


def test_receipts_and_sellers_without_a_certificate_are_not_signed(region: Region, signing: Scene) -> None:
    assert b"/ByteRange" not in signing.documents.receipt_pdf(ACCOUNT, PAYMENT)
    pdf = signing.documents.receipt_pdf(ACCOUNT, PAYMENT)
    assert DocumentSigning(region.store, kms_key(region)).signed(pdf, "ent_eu_other") == pdf


def test_an_authority_issues_for_the_key_and_only_such_certificates_are_taken(
    region: Region, signing: Scene, key: KmsSigningKey
) -> None:
    own = SigningCertificates(region.store, signing.accounts, key, region.clock)
    asked = cryptography_x509.load_der_x509_csr(own.request(ENTITY))
    assert asked.is_signature_valid and "Rechenwerk GmbH" in asked.subject.rfc4514_string()
    assert csr.CertificationRequest.load(own.request(ENTITY)).native
    other = SigningCertificates(region.store, signing.accounts, kms_key(region), region.clock)
    signing.accounts.register_entity(entity("ent_eu_other"), CLERK)
    theirs, before = other.make("ent_eu_other", CLERK), certificate(region)
    for wrong, code in ((theirs, "another_key"), (b"x", "not_a_certificate"), (b"-----BEGIN X", "not_a_certificate")):
        with pytest.raises(Refusal) as refused:
            own.put(ENTITY, wrong, CLERK)
        assert refused.value.code == code and certificate(region) == before
    region.clock.advance(days=1)
    made = own.make(ENTITY, CLERK)
    region.clock.advance(days=3653)
    with pytest.raises(Refusal, match="certificate_expired"):
        own.put(ENTITY, made, CLERK)
    actions = [i["action"] for i in region.store.query_all(ENTITY, prefix=PREFIX)]
    assert actions.count("entity.certificate_put") == 2
