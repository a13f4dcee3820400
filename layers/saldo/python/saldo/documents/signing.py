"""Signs PDFs: PAdES baseline B-B (ETSI EN 319 142-1), by a key that never leaves KMS. pyHanko writes what a PDF needs
of it; loading it costs 0.28 s, so it is loaded where a document is made and nowhere else.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

from saldo.documents.records import certificate_key
from saldo.storage.signing import SigningKey
from saldo.storage.store import Store

if TYPE_CHECKING:
    from pyhanko.sign.signers.pdf_cms import Signer

FIELD = "Seller"
_LONGEST = 72  # bytes of an ECDSA signature on P-256 in DER


class DocumentSigning:
    """Of one region's sellers. Documents of a seller without a certificate (`signing_certificates`) are not signed."""

    def __init__(self, store: Store, key: SigningKey) -> None:
        self._store, self._key = store, key

    def signed(self, pdf: bytes, entity_id: str) -> bytes:
        """The PDF with the seller's signature appended; what it was stays in it, byte for byte. One call of the key.

        The certificate is the one on record now: a process lives for hours, and another may have been put meanwhile.
        """
        item = self._store.get(*certificate_key(entity_id))
        return signed_pdf(pdf, item["certificate"], self._key) if item else pdf


def signed_pdf(pdf: bytes, certificate: bytes, key: SigningKey) -> bytes:
    """certificate: of the key's public half, in DER."""
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign.fields import SigSeedSubFilter
    from pyhanko.sign.signers.pdf_signer import PdfSignatureMetadata, PdfSigner

    said = PdfSignatureMetadata(field_name=FIELD, md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES)
    signer = PdfSigner(said, signer=_signer(certificate, key))
    out: Any = signer.sign_pdf(IncrementalPdfFileWriter(BytesIO(pdf)), output=BytesIO())
    return bytes(out.getvalue())


def _signer(certificate: bytes, key: SigningKey) -> Signer:
    from asn1crypto import algos, x509
    from pyhanko.sign.signers.pdf_cms import Signer
    from pyhanko_certvalidator.registry import SimpleCertificateStore

    class ByTheKey(Signer):  # of pyHanko's class, which is loaded only here
        async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
            """A dry run measures how much room the signature takes: nobody is asked for it."""
            assert digest_algorithm == "sha256"
            return bytes(_LONGEST) if dry_run else key.sign(data)

    own = x509.Certificate.load(certificate)
    how = algos.SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"})
    registry = SimpleCertificateStore.from_certs([own])  # type: ignore[no-untyped-call]  # its own stubs say nothing
    return ByTheKey(signing_cert=own, cert_registry=registry, signature_mechanism=how, embed_roots=True)
