"""Use cases of certificates that customers hand in: hand one in, accept it, refuse it.

Accepting is one unit: the exemption on the account, the certificate, the decision, the audit records, the mail, and
that the file was looked at. Invoices of supplies from its first day on bear no such tax; issued ones stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from saldo.access.notes import News, NoteKind, add_news
from saldo.accounts.model import ExemptionCertificate
from saldo.accounts.tax_standing import TaxStanding
from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.certificates import records, rules
from saldo.certificates.model import CertificateRequest, RequestState
from saldo.kernel.clock import Clock
from saldo.kernel.errors import NotFound, Refusal
from saldo.kernel.ids import fingerprint
from saldo.storage.sealing import Sealer
from saldo.storage.store import Store
from saldo.storage.units import Unit
from saldo.uploads.model import Name, Upload, UploadKind, UploadState
from saldo.uploads.records import upload_key
from saldo.uploads.service import Uploads, Wish

ABOUT = "certificate"
_NEWS_FOR = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class HandedIn:
    """What a customer says of its certificate. `request`: the form's own id; `percent`: None for what is no number."""

    account_id: str
    organisation_id: str
    entity_id: str
    title: str
    number: str
    jurisdictions: frozenset[str]
    from_on: date | None
    until_on: date | None
    request: str
    actor: Actor
    percent: Decimal | None = Decimal(100)


@dataclass(frozen=True, slots=True)
class Certificates:
    store: Store
    sealer: Sealer
    clock: Clock
    uploads: Uploads

    def hand_in(self, said: HandedIn) -> Upload:
        """On record that a certificate is to come, and what it says; the file is handed in by its upload.

        Refusals `invalid_certificate_request`, `invalid_upload`.
        """
        rules.check_request(said.number, said.jurisdictions, said.from_on, said.until_on, said.percent)
        assert said.from_on and said.until_on and said.percent, "what is missing was refused"
        from_on, until_on, percent = said.from_on, said.until_on, said.percent
        ids = (said.organisation_id, said.title, said.request, said.actor)

        def beside(unit: Unit, upload: Upload) -> None:
            request = CertificateRequest(
                said.account_id,
                upload.id,
                said.organisation_id,
                said.entity_id,
                said.jurisdictions,
                from_on,
                until_on,
                upload.asked_at,
                said.actor.id,
                said.number.strip(),
                percent=percent,
            )
            unit.insert(records.request_item(request, self.sealer))

        return self.uploads.ask(Wish(said.account_id, ABOUT, UploadKind.CERTIFICATE, *ids), beside)

    def get(self, account_id: str, upload_id: str) -> CertificateRequest:
        item = self.store.get(*records.request_key(account_id, upload_id))
        if item is None:
            raise NotFound("no such certificate")
        return records.request_from(item, self.sealer)

    def of(self, account_id: str) -> list[CertificateRequest]:
        """All that an account handed in, oldest first; one call."""
        found = self.store.query_all(account_id, prefix=records.PREFIX)
        return sorted((records.request_from(item, self.sealer) for item in found), key=lambda one: one.asked_at)

    def accept(self, account_id: str, upload_id: str, standing: TaxStanding, actor: Actor) -> CertificateRequest:
        """Exempt from its first day on. Refusals `certificate_decided`, `upload_not_clean`, `changed_meanwhile`, and
        those of `TaxStanding.add_certificate`."""
        old = self.get(account_id, upload_id)
        new = rules.decided(old, RequestState.ACCEPTED)
        name = Name(account_id, ABOUT, upload_id)
        if not self.uploads.get(name).is_clean:
            raise Refusal("upload_not_clean", "the file has not been looked at yet")

        def beside(unit: Unit) -> None:
            unit.require(upload_key(name), when={"status": UploadState.CLEAN.value})
            self._decide(unit, old, new, actor)

        certificate = ExemptionCertificate(account_id, old.number, rules.exemption_of(old))
        standing.add_certificate(certificate, actor, beside)
        return self.get(account_id, upload_id)

    def refuse(self, account_id: str, upload_id: str, words: str, actor: Actor) -> CertificateRequest:
        """The customer reads why. Refusals `certificate_decided`, `invalid_certificate_request`,
        `changed_meanwhile`."""
        old = self.get(account_id, upload_id)
        new = rules.decided(old, RequestState.REFUSED, words)
        unit = Unit(f"refuse {upload_id}")
        self._decide(unit, old, new, actor)
        if self.store.write_one(unit):
            raise Refusal("changed_meanwhile", "somebody else decided at the same time; look again")
        return new

    def _decide(self, unit: Unit, old: CertificateRequest, new: CertificateRequest, actor: Actor) -> None:
        """The decision, its audit record and the mail that there is one."""
        unit.put(records.request_item(new, self.sealer), when={"revision": old.revision})
        now, after = self.clock(), {"state": new.state.value, "jurisdictions": sorted(new.jurisdictions)}
        action = f"certificate_request.{new.state}"
        unit.put(audit_item(AuditRecord(new.account_id, now, actor, action, new.upload_id, after=after)))
        path = f"/accounts/{new.account_id}/certificate/{new.upload_id}"
        note_id = f"note_{fingerprint('certificate', new.upload_id)}"
        news = News(note_id, NoteKind.CERTIFICATE_DECIDED, path, now, now + _NEWS_FOR)
        add_news(unit, new.account_id, new.asked_by, news, self.store, self.sealer)
