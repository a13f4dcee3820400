"""Certificates of the key that signs documents: one we make ourselves, or one that an authority issued for it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from saldo.accounts.service import Accounts
from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.documents.records import certificate_item
from saldo.kernel.clock import Clock
from saldo.kernel.errors import Refusal
from saldo.storage.signing import SigningKey
from saldo.storage.store import Store
from saldo.storage.units import Unit

if TYPE_CHECKING:
    from cryptography.x509 import Name

HOLDS = timedelta(days=10 * 365)


class SigningCertificates:
    """Of one region's sellers. What was signed under a certificate of before stays so."""

    def __init__(self, store: Store, accounts: Accounts, key: SigningKey, clock: Clock) -> None:
        self._store, self._accounts, self._key, self._clock = store, accounts, key, clock

    def make(self, entity_id: str, actor: Actor) -> bytes:
        """Put a certificate on record that the key signs for itself, in the seller's name: it proves that nothing was
        altered since, and nobody vouches for the name. In DER."""
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.serialization import load_der_public_key

        name, now, public = self._name(entity_id), self._clock(), load_der_public_key(self._key.public())
        assert isinstance(public, ec.EllipticCurvePublicKey)
        usage = dict.fromkeys(("key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign"), False)
        usage |= dict.fromkeys(("crl_sign", "encipher_only", "decipher_only"), False)
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now)
            .not_valid_after(now + HOLDS)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.KeyUsage(digital_signature=True, content_commitment=True, **usage), critical=True)
        )
        # The builder signs with a key at hand only: what it makes is signed anew by the one in KMS.
        drawn = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
        return self.put(entity_id, self._signed(drawn.tbs_certificate_bytes), actor)

    def put(self, entity_id: str, certificate: bytes, actor: Actor) -> bytes:
        """Put a certificate (DER or PEM) on record; documents made from now on carry it. Refusals `not_a_certificate`,
        `another_key` (not of the region's key), `certificate_expired`."""
        found, now = _read(certificate), self._clock()
        if _public(found) != self._key.public():
            raise Refusal("another_key", "the certificate is of another key than the one that signs")
        if not found.not_valid_before_utc <= now < found.not_valid_after_utc:
            raise Refusal("certificate_expired", "the certificate does not hold today")
        self._accounts.entity(entity_id)
        der, until = _der(found), found.not_valid_after_utc.date().isoformat()
        unit = Unit(f"certificate of {entity_id}").put(certificate_item(entity_id, der))
        after = {"until": until, "issuer_is_self": found.issuer == found.subject}
        record = AuditRecord(entity_id, now, actor, "entity.certificate_put", entity_id, after=after)
        self._store.write_one(unit.put(audit_item(record)))
        return der

    def request(self, entity_id: str) -> bytes:
        """What an authority is sent so that it issues a certificate for the key (PKCS #10, RFC 2986), in DER."""
        from asn1crypto import csr, keys, x509

        subject = x509.Name.load(self._name(entity_id).public_bytes())
        public = keys.PublicKeyInfo.load(self._key.public())
        asked_for = {"version": "v1", "subject": subject, "subject_pk_info": public, "attributes": []}
        info = csr.CertificationRequestInfo(asked_for)
        signed = {"certification_request_info": info, "signature_algorithm": {"algorithm": "sha256_ecdsa"}}
        asked = csr.CertificationRequest({**signed, "signature": self._key.sign(info.dump())})
        return bytes(asked.dump())

    def _name(self, entity_id: str) -> Name:
        from cryptography import x509
        from cryptography.x509.oid import NameOID

        seller = self._accounts.entity(entity_id)
        parts = ((NameOID.COUNTRY_NAME, seller.country), (NameOID.ORGANIZATION_NAME, seller.name[:64]))
        return x509.Name(
            [x509.NameAttribute(oid, text) for oid, text in (*parts, (NameOID.COMMON_NAME, seller.name[:64]))]
        )

    def _signed(self, tbs: bytes) -> bytes:
        from asn1crypto import x509

        parts = {"tbs_certificate": x509.TbsCertificate.load(tbs), "signature_algorithm": {"algorithm": "sha256_ecdsa"}}
        return bytes(x509.Certificate({**parts, "signature_value": self._key.sign(tbs)}).dump())


def _read(certificate: bytes) -> Any:
    from cryptography import x509

    load = (
        x509.load_pem_x509_certificate if certificate.lstrip().startswith(b"-----") else x509.load_der_x509_certificate
    )
    try:
        return load(certificate)
    except ValueError as error:
        raise Refusal("not_a_certificate", "this is no X.509 certificate") from error


def _public(certificate: Any) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    public: bytes = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return public


def _der(certificate: Any) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    der: bytes = certificate.public_bytes(Encoding.DER)
    return der
