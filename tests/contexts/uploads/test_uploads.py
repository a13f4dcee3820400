"""Uploads on a table and a bucket: nothing is opened before it was looked at, whatever somebody sends and when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import boto3
import pytest

from local.virus_scanner import Manner, scanning
from saldo.accounts.erasure import ErasedCustomer, Erasure
from saldo.accounts.model import Organisation
from saldo.accounts.service import Accounts
from saldo.accounts.shredding import Shredding
from saldo.audit.model import Actor
from saldo.kernel.errors import NotFound, Refusal, Unavailable
from saldo.storage.files import Files
from saldo.storage.sealing import Erased
from saldo.storage.store import OutOfScope
from saldo.uploads import rules
from saldo.uploads.clamd import Clamd
from saldo.uploads.known_harm import EICAR, KnownHarm
from saldo.uploads.model import FileKind, Name, Upload, UploadKind, UploadState
from saldo.uploads.records import upload_from, upload_key
from saldo.uploads.service import Uploads, UploadWork, Wish
from tests.contexts import sellers
from tests.contexts.conftest import Region
from tests.unit.uploads import samples

PAUL = Actor("user_eu_paul", "user")
ACCOUNT, ORGANISATION, INVOICE = "acct_eu_1", "org_eu_1", "inv_1"
WISH = Wish(ACCOUNT, INVOICE, UploadKind.EVIDENCE, ORGANISATION, "Photo of the meter", "form-1", PAUL)


@dataclass
class Desk:
    region: Region
    s3: Any
    uploads: Uploads
    work: UploadWork

    def came(self, upload: Upload, content: bytes) -> str:
        """As the browser lays it down."""
        self.s3.put_object(Bucket="uploads", Key=rules.incoming_key(upload), Body=content)
        return rules.incoming_key(upload)

    def keys(self) -> list[str]:
        return sorted(o["Key"] for o in self.s3.list_objects_v2(Bucket="uploads").get("Contents", []))

    def actions(self, owner: str = ACCOUNT) -> list[str]:
        return [item["action"] for item in self.region.store.query_all(owner, prefix="audit#")]


@pytest.fixture
def desk(region: Region) -> Iterator[Desk]:
    s3 = boto3.client("s3", region_name="eu-central-1")
    s3.create_bucket(Bucket="uploads", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    files = Files(s3, "uploads")
    yield Desk(
        region,
        s3,
        Uploads(region.store.within(ACCOUNT), region.sealer, region.clock, files),
        UploadWork(region.store, region.clock, files, KnownHarm()),
    )


def test_a_file_is_opened_once_it_was_looked_at_and_not_before(desk: Desk) -> None:
    upload, picture = desk.uploads.ask(WISH), samples.picture("PNG")
    key = desk.came(upload, picture)
    with pytest.raises(NotFound):
        desk.uploads.content(desk.uploads.get(upload.name))
    desk.work.examine(key)
    clean = desk.uploads.get(upload.name)
    assert (clean.state, clean.file_kind, clean.size) == (UploadState.CLEAN, FileKind.PNG, len(picture))
    assert desk.uploads.content(clean) == picture and rules.file_name(clean) == "Photo of the meter.png"
    assert desk.keys() == [rules.clean_key(clean)] and set(desk.actions()) == {"upload.asked", "upload.accepted"}


def test_eicar_is_refused_and_gone(desk: Desk) -> None:
    upload = desk.uploads.ask(WISH)
    desk.work.examine(desk.came(upload, EICAR))
    refused = desk.uploads.get(upload.name)
    assert (refused.state, refused.reason) == (UploadState.REFUSED, "file_harmful") and desk.keys() == []
    with pytest.raises(NotFound):
        desk.uploads.content(refused)


def test_what_it_is_not_is_refused_with_its_reason(desk: Desk) -> None:
    upload = desk.uploads.ask(WISH)
    desk.work.examine(desk.came(upload, b"<svg onload=alert(1)>"))
    assert desk.uploads.get(upload.name).reason == "file_markup" and desk.keys() == []


def test_a_form_that_is_sent_again_changes_nothing_that_was_looked_at(desk: Desk) -> None:
    upload, picture = desk.uploads.ask(WISH), samples.picture("PNG")
    desk.work.examine(desk.came(upload, picture))
    clean = desk.uploads.get(upload.name)
    desk.work.examine(desk.came(upload, EICAR))
    assert desk.uploads.get(upload.name) == clean and desk.uploads.content(clean) == picture
    assert desk.keys() == [rules.clean_key(clean)]
    with pytest.raises(Refusal, match="upload_closed"):
        desk.uploads.form(clean, "http://localhost/back")


def test_a_file_that_was_swapped_behind_our_back_is_not_handed_out(desk: Desk) -> None:
    upload = desk.uploads.ask(WISH)
    desk.work.examine(desk.came(upload, samples.picture("PNG")))
    clean = desk.uploads.get(upload.name)
    desk.s3.put_object(Bucket="uploads", Key=rules.clean_key(clean), Body=EICAR)
    with pytest.raises(NotFound):
        desk.uploads.content(clean)


def test_what_nobody_asked_for_is_thrown_away(desk: Desk) -> None:
    for key in ("incoming/evidence/acct_eu_1/inv_1/upl_x", "incoming/evidence/acct_eu_1/inv_1/../up", "incoming/x"):
        desk.s3.put_object(Bucket="uploads", Key=key, Body=b"x")
        assert desk.work.examine(key) is None
    assert desk.keys() == []


def test_a_key_of_another_kind_does_not_lengthen_how_long_a_file_is_kept(desk: Desk) -> None:
    upload = desk.uploads.ask(WISH)
    other = rules.incoming_key(replace(upload, kind=UploadKind.CERTIFICATE))
    desk.s3.put_object(Bucket="uploads", Key=other, Body=b"x")
    assert desk.work.examine(other) is None and desk.uploads.get(upload.name).state is UploadState.WAITING


def test_another_accounts_upload_is_as_good_as_none(desk: Desk, region: Region) -> None:
    upload = desk.uploads.ask(WISH)
    other = Uploads(region.store.within("acct_eu_2"), region.sealer, region.clock, desk.uploads.files)
    with pytest.raises(OutOfScope):
        other.get(upload.name)
    with pytest.raises(NotFound):
        other.get(Name("acct_eu_2", INVOICE, upload.id))


def test_the_form_is_for_one_key_one_size_and_a_quarter_of_an_hour(desk: Desk) -> None:
    import base64
    import json

    upload = desk.uploads.ask(WISH)
    form = desk.uploads.form(upload, "http://localhost/back")
    policy = json.loads(base64.b64decode(form.fields["policy"]))
    assert form.fields["key"] == rules.incoming_key(upload)
    assert ["content-length-range", 1, rules.MOST_BYTES] in policy["conditions"]
    for name in ("Content-Type", "Content-Disposition", "success_action_redirect"):
        assert {name: form.fields[name]} in policy["conditions"]
    assert form.fields["Content-Type"] == "application/octet-stream"
    assert {"key": form.fields["key"]} in policy["conditions"] and {"bucket": "uploads"} in policy["conditions"]
    assert not any(str(one).startswith("['starts-with") for one in policy["conditions"])


def test_the_same_form_makes_one_upload(desk: Desk) -> None:
    assert desk.uploads.ask(WISH).id == desk.uploads.ask(WISH).id
    assert desk.uploads.ask(replace(WISH, request="form-2")).id != desk.uploads.ask(WISH).id
    assert len(desk.uploads.of(ACCOUNT, INVOICE)) == 2


def test_a_subject_has_twenty_files_and_no_more(desk: Desk) -> None:
    for n in range(rules.MOST_OF_A_SUBJECT):
        desk.uploads.ask(replace(WISH, request=f"form-{n}"))
    with pytest.raises(Refusal) as caught:
        desk.uploads.ask(replace(WISH, request="one more"))
    assert caught.value.problems[0].code == "too_many_files"


def test_a_title_is_sealed_and_on_no_trail(desk: Desk, region: Region) -> None:
    upload = desk.uploads.ask(WISH)
    desk.work.examine(desk.came(upload, samples.picture("JPEG")))
    assert "meter" not in str(region.dynamodb.scan(TableName="records")["Items"])


@pytest.mark.parametrize("manner", [Manner.FAILING, Manner.CUT_OFF, Manner.SLOW])
def test_a_scanner_that_does_not_say_clean_leaves_the_file_waiting_until_one_does(desk: Desk, manner: Manner) -> None:
    upload = desk.uploads.ask(WISH)
    key = desk.came(upload, samples.pdf())
    with scanning(manner) as server:
        with pytest.raises(Unavailable):
            replace(desk.work, scanner=Clamd(server.address, patience_s=0.2)).examine(key)
        assert desk.uploads.get(upload.name).state is UploadState.FAILED and desk.keys() == [key]
        with pytest.raises(NotFound):
            desk.uploads.content(desk.uploads.get(upload.name))
        server.manner = Manner.WELL
        desk.region.clock.advance(minutes=31)
        work = replace(desk.work, scanner=Clamd(server.address))
        assert work.keep() == {"examined": 1}
    assert desk.uploads.get(upload.name).is_clean


def test_clamd_finds_what_it_knows_in_many_chunks_and_nothing_in_others() -> None:
    with scanning() as server:
        clamd = Clamd(server.address)
        assert clamd.scan(b"a" * 3_000_000).is_clean
        assert clamd.scan(b"a" * 65_530 + EICAR + b"a" * 999_999).found == "Eicar-Test-Signature"
    with pytest.raises(Unavailable):
        clamd.scan(b"a")


def test_a_wish_that_comes_to_nothing_ends_after_a_day(desk: Desk) -> None:
    upload = desk.uploads.ask(WISH)
    desk.region.clock.advance(hours=23)
    assert desk.work.keep() == {}
    desk.region.clock.advance(hours=2)
    with pytest.raises(Refusal, match="upload_closed"):
        desk.uploads.form(upload, "http://localhost/back")
    assert desk.work.keep() == {"never_came": 1} and desk.work.keep() == {}
    assert desk.uploads.get(upload.name).state is UploadState.DELETED


def test_a_file_that_no_event_told_of_is_found_by_the_hourly_run(desk: Desk) -> None:
    upload = desk.uploads.ask(WISH)
    desk.came(upload, samples.sheet())
    desk.region.clock.advance(hours=25)
    assert desk.work.keep() == {"examined": 1} and desk.uploads.get(upload.name).is_clean


def test_evidence_is_deleted_after_three_years_and_the_trail_says_so(desk: Desk) -> None:
    upload = desk.uploads.ask(WISH)
    desk.work.examine(desk.came(upload, samples.pdf()))
    desk.region.clock.now += timedelta(days=1095)
    assert desk.work.keep() == {}
    desk.region.clock.now += timedelta(days=2)
    assert desk.work.keep() == {"time_over": 1} and desk.keys() == []
    assert desk.uploads.get(upload.name).state is UploadState.DELETED and desk.actions()[-1] == "upload.deleted"


def test_erased_customers_titles_and_files_open_for_nobody(desk: Desk) -> None:
    upload = desk.uploads.ask(WISH)
    desk.work.examine(desk.came(upload, samples.pdf()))
    desk.region.store.put_many([{"pk": ORGANISATION, "sk": "organisation", "kind": "organisation"}])
    Shredding(desk.region.store, desk.region.keys, desk.region.clock).shred(ORGANISATION, PAUL, "asked for")
    gone = Uploads(desk.region.store, desk.region.sealer, desk.region.clock, desk.uploads.files).get(upload.name)
    assert gone.title == ""
    with pytest.raises(NotFound):
        desk.uploads.content(gone)
    desk.region.clock.now += timedelta(days=1100)
    assert desk.work.keep() == {"time_over": 1}


def _handed_in(desk: Desk) -> dict[str, Upload]:
    """Evidence and a certificate that are clean, evidence that came and one that is to come; another customer's too."""
    desk.s3.put_bucket_versioning(Bucket="uploads", VersioningConfiguration={"Status": "Enabled"})
    store = desk.region.store
    owners = {ACCOUNT: ORGANISATION, "acct_eu_2": "org_eu_2"}
    accounts = Accounts(store, desk.region.sealer, desk.region.clock)
    for account_id, organisation_id in owners.items():
        accounts.register_organisation(Organisation(organisation_id, "Ada Kern", "DE"), PAUL)
        account = sellers.account(account_id, organisation_id=organisation_id, name="Ada Kern")
        accounts.open_account(account, sellers.profile(account_id), PAUL)
    uploads = replace(desk.uploads, store=store)
    made = {
        "clean": uploads.ask(WISH),
        "certificate": uploads.ask(replace(WISH, kind=UploadKind.CERTIFICATE, about="certificate")),
        "came": uploads.ask(replace(WISH, request="form-2")),
        "waiting": uploads.ask(replace(WISH, request="form-3")),
        "others": uploads.ask(replace(WISH, owner_id="acct_eu_2", organisation_id="org_eu_2")),
    }
    for name in ("clean", "certificate", "others"):
        desk.work.examine(desk.came(made[name], samples.pdf()))
    desk.came(made["came"], samples.pdf())
    return made


def _stored(desk: Desk) -> set[tuple[str, str]]:
    """Kind and owner of whatever lies in the bucket in any version."""
    listed = desk.s3.list_object_versions(Bucket="uploads")
    found = [*listed.get("Versions", []), *listed.get("DeleteMarkers", [])]
    return {(one["Key"].split("/")[1], one["Key"].split("/")[2]) for one in found}


def test_erasing_a_customer_ends_its_files_in_every_version_but_certificates(desk: Desk) -> None:
    made = _handed_in(desk)
    erasure = Erasure(desk.region.store, desk.region.keys, desk.region.clock, desk.uploads.files)
    done = erasure.erase(ORGANISATION, PAUL, "asked for")
    assert done.files_deleted and done.certificates_kept == 1
    assert _stored(desk) == {("certificate", ACCOUNT), ("evidence", "acct_eu_2")}
    named = {item["pk"] for item in desk.region.store.scan() if item.get("name") == "Ada Kern"}
    assert named == {"acct_eu_2", "org_eu_2", sellers.ENTITY}
    assert {item["account_id"] for item in desk.region.store.query_all(sellers.ENTITY, prefix="customer_word#")} == {
        "acct_eu_2"
    }
    states = {name: upload_from(desk.region.store.get(*upload_key(one.name)) or {}).state for name, one in made.items()}
    assert [name for name, state in states.items() if state is UploadState.CLEAN] == ["certificate", "others"]
    assert desk.actions().count("upload.deleted") == 3
    assert erasure.erase(ORGANISATION, PAUL, "asked for") == ErasedCustomer(done.shredded_at, 0, 1)
    assert erasure.erase(ORGANISATION, PAUL, "asked for", certificates=True).certificates_kept == 0
    assert _stored(desk) == {("evidence", "acct_eu_2")}


def test_a_file_that_comes_for_an_erased_customer_is_thrown_away(desk: Desk) -> None:
    upload = _handed_in(desk)["waiting"]
    Erasure(desk.region.store, desk.region.keys, desk.region.clock, desk.uploads.files).erase(ORGANISATION, PAUL, "y")
    desk.work.examine(desk.came(upload, samples.pdf()))
    assert {key.split("/")[0] for key in list(desk.keys())} == {"clean"}
    with pytest.raises(Erased):
        replace(desk.uploads, store=desk.region.store).ask(replace(WISH, request="form-9"))


def test_a_sellers_paper_is_for_all_its_customers_and_is_taken_back_by_hand(desk: Desk, region: Region) -> None:
    entity = "ent_eu_1"
    papers = Uploads(region.store.within(entity), region.sealer, region.clock, desk.uploads.files)
    staff = Actor("staff_eu_1", "staff")
    paper = papers.ask(Wish(entity, "paper", UploadKind.PAPER, "", "W-9", "form-1", staff, by_seller=True))
    with pytest.raises(Refusal):
        papers.take_back(paper.name, staff)
    desk.work.examine(desk.came(paper, samples.pdf()))
    desk.region.clock.now += timedelta(days=9999)
    assert desk.work.keep() == {} and papers.content(papers.get(paper.name)).startswith(b"%PDF")
    papers.take_back(paper.name, staff)
    papers.take_back(paper.name, staff)
    assert papers.get(paper.name).state is UploadState.DELETED and desk.keys() == []
    assert desk.actions(entity)[-1] == "upload.deleted"
