"""Whatever a room seals, a drill opens: whole, and as erased once the customer's key is shredded."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import saldo
from saldo.access.model import Grant, Role, User
from saldo.access.model_passkeys import Passkey
from saldo.access.model_people import Invitation, Member
from saldo.access.model_sso import AppClient, Connection, SsoProtocol
from saldo.access.model_staff import Staff, StaffPerson
from saldo.access.notes import Note, NoteKind, note_item
from saldo.access.records import user_item
from saldo.access.records_passkeys import passkey_item
from saldo.access.records_people import invitation_item, member_item
from saldo.access.records_sso import connection_item
from saldo.access.records_staff import staff_item
from saldo.accounts.model import Exemption, ExemptionCertificate
from saldo.accounts.records_profiles import certificate_item, profile_items
from saldo.certificates.model import CertificateRequest
from saldo.certificates.records import request_item
from saldo.disputes import model as disputes
from saldo.disputes.records import words_item
from saldo.recovery.model import Finding, SealedFields
from saldo.recovery.sealed import OPENED_BY, open_all
from saldo.storage.classified import IN_CLEAR, SEALED
from saldo.storage.items import Item
from saldo.storage.sealing import Sealer
from saldo.support import model as support
from saldo.support.records import ticket_item
from saldo.uploads.model import Name, Upload, UploadKind, UploadState
from saldo.uploads.records import upload_item
from tests.contexts import sellers
from tests.contexts.conftest import Region
from tests.contexts.recovery.scenes import disaster
from tests.contexts.sellers import ACCOUNT, CLERK, ENTITY, ORGANISATION

AT = datetime(2026, 11, 1, 9, tzinfo=UTC)
USER, MAIL = "user_eu_one", "ada@customer.example"
# Which function seals records of which kind. What lies in no table: the set-up of an authenticator, in its browser.
SEALS = {
    "access/notes.py note_item": "note",
    "access/records.py user_item": "user",
    "access/records_passkeys.py sealed_name": "passkey",
    "access/records_people.py invitation_item": "invitation",
    "access/records_people.py member_item": "member",
    "access/records_sso.py connection_item": "sso_connection",
    "access/records_staff.py staff_item": "staff",
    "access/service.py begin_totp": "",
    "accounts/records_profiles.py _profile_item": "profile",
    "accounts/records_profiles.py certificate_item": "certificate",
    "certificates/records.py request_item": "certificate_request",
    "disputes/records.py words_item": "dispute_words",
    "support/records.py ticket_item": "ticket",
    "uploads/records.py upload_item": "upload",
}


def _sealing() -> Iterator[str]:
    """Every function of the product that calls `seal`."""
    (root,) = saldo.__path__
    for path in Path(root).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and any(
                isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute) and n.func.attr == "seal"
                for n in ast.walk(node)
            ):
                yield f"{path.relative_to(root)} {node.name}"


def _papers(sealer: Sealer) -> list[Item]:
    """Of certificates, disputes, support and uploads."""
    exemption = Exemption("cert_1", frozenset({"DE"}), frozenset(), date(2026, 1, 1), date(2027, 1, 1))
    asked = CertificateRequest(
        *(ACCOUNT, "upl_1", ORGANISATION, ENTITY, frozenset({"DE"}), date(2026, 1, 1), date(2027, 1, 1), AT, USER),
        number="EX-1",
    )
    said = disputes.Message(AT, disputes.Side.CUSTOMER, USER, "words")
    dispute = disputes.Dispute(
        *(ACCOUNT, "dsp_1", ORGANISATION, ENTITY, "inv_1", "RW-1", "EUR", disputes.DisputeReason.PRICE),
        *(disputes.Claim(100), disputes.DisputeState.OPEN, AT, USER, (), (said,)),
    )
    message = support.Message(AT, USER, by_staff=False, text="words")
    ticket = support.Ticket(
        *(ACCOUNT, "tkt_1", ENTITY, ORGANISATION, support.Topic.ORDER, "subject", "", support.Priority.NORMAL),
        *(support.TicketState.OPEN, USER, AT, (message,), AT),
    )
    upload = Upload(
        *(Name(ACCOUNT, "dsp_1", "upl_1"), UploadKind.EVIDENCE, ORGANISATION, "title", UploadState.WAITING),
        *(AT, USER, False, None),
    )
    return [
        certificate_item(ExemptionCertificate(ACCOUNT, "EX-1", exemption), ORGANISATION, sealer),
        request_item(asked, sealer),
        words_item(dispute, sealer),
        ticket_item(ticket, sealer),
        upload_item(upload, sealer),
    ]


def _people(sealer: Sealer) -> list[Item]:
    user = User(USER, ORGANISATION, MAIL, "Ada", "en", (Grant(ACCOUNT, Role.VIEWER),))
    until = AT + timedelta(days=7)
    who = (ORGANISATION, MAIL, "Ada", "en", Role.VIEWER)
    client = AppClient("client", "a secret of the customer's provider")
    return [
        *profile_items(sellers.profile(), ORGANISATION, sealer),
        user_item(user, sealer, AT),
        member_item(Member(ACCOUNT, ORGANISATION, USER, Role.VIEWER, suspended=False, email=MAIL, name="Ada"), sealer),
        invitation_item(Invitation(ACCOUNT, "ivt_1", *who, CLERK.id, AT, until), sealer),
        note_item(Note(ACCOUNT, "note_1", next(iter(NoteKind)), ORGANISATION, ENTITY, "en", MAIL, AT, until), sealer),
        staff_item(Staff("staff_eu_1", "en", (), AT), StaffPerson("staff@seller.example", "Bo"), sealer),
        passkey_item(Passkey(USER, "key_1", ORGANISATION, "phone", b"credential", 0, False, AT), sealer),
        connection_item(Connection(ORGANISATION, SsoProtocol.OIDC, "idp", client, (), "https://idp", AT), sealer),
    ]


def _opened(region: Region, items: list[Item]) -> tuple[SealedFields, list[Finding]]:
    found = SealedFields()
    return found, list(open_all(items, region.keys, "records", found))


def test_every_function_that_seals_is_known_by_the_kind_it_seals_and_every_kind_has_an_opener() -> None:
    assert set(_sealing()) == set(SEALS)
    assert set(SEALS.values()) - {""} == set(OPENED_BY)


def test_each_kind_is_opened_by_its_room_and_counted_as_erased_once_shredded(region: Region) -> None:
    scene = disaster(region)
    region.store.put_many([*_people(region.sealer), *_papers(region.sealer)])
    stored = [item for item in region.store.scan() if "sealed" in item]
    assert {item["kind"] for item in stored} == set(OPENED_BY)
    found, findings = _opened(region, stored)
    assert (found.opened, found.erased, found.unreadable, findings) == (len(stored), 0, 0, [])
    scene.shredding().shred(ORGANISATION, CLERK, "asked")
    found, findings = _opened(region, stored)
    assert (found.opened, found.erased, found.unreadable, findings) == (1, len(stored) - 1, 0, []), "but for staff"


class _Watched(Sealer):
    """Notes which fields are sealed for which place."""

    def __init__(self, sealer: Sealer) -> None:
        vars(self).update(vars(sealer))
        self.fields: dict[tuple[str, str], set[str]] = defaultdict(set)

    def seal(self, organisation_id: str, key: tuple[str, str], kind: str, fields: Mapping[str, Any]) -> bytes:
        self.fields[key] |= set(fields)
        return super().seal(organisation_id, key, kind, fields)


def test_what_rooms_seal_is_what_the_table_of_fields_says_and_only_what_is_personal_or_secret(region: Region) -> None:
    sealer = _Watched(region.sealer)
    stored = [*_people(sealer), *_papers(sealer)]
    assert {item["kind"]: sealer.fields[item["pk"], item["sk"]] for item in stored} == {
        kind: set(fields) for kind, fields in SEALED.items()
    }
    assert all(its.is_hidden for fields in SEALED.values() for its in fields.values())
    for item in stored:
        assert not set(SEALED[item["kind"]]) & set(item), "it lies in clear as well"


def test_what_is_personal_and_lies_in_clear_says_why() -> None:
    assert all(len(why) > 20 for fields in IN_CLEAR.values() for _, why in fields.values())
    assert not any(set(SEALED.get(kind, ())) & set(fields) for kind, fields in IN_CLEAR.items())


def test_what_lies_in_anothers_place_and_what_no_room_opens_is_unreadable(region: Region) -> None:
    (passkey,) = [item for item in _people(region.sealer) if item["kind"] == "passkey"]
    found, findings = _opened(region, [passkey | {"sk": "passkey#other"}, passkey | {"kind": "new"}])
    assert (found.unreadable, [f.check for f in findings]) == (2, ["sealed fields"] * 2)
