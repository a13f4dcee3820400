"""How uploads lie in the table: `<account or entity>` / `upload#<about>#<id>`, the title of an account's sealed under
the organisation's key. While something is to be done about one, it is on the agenda `uploads` under that instant."""

from __future__ import annotations

from saldo.kernel.clock import instant_from, instant_text
from saldo.storage.items import Item, Key
from saldo.storage.sealing import Erased, Sealer
from saldo.storage.units import Unit
from saldo.uploads.model import FileKind, Name, Upload, UploadKind, UploadState

PREFIX = "upload#"
FIELDS = "upload/1"
AGENDA = "uploads"
UPLOADS = "uploads"
_PLAIN = ("organisation_id", "asked_by", "by_seller", "size", "sha256", "reason", "revision")


def upload_key(name: Name) -> Key:
    return name.owner_id, f"{PREFIX}{name.about}#{name.upload_id}"


def upload_item(upload: Upload, sealer: Sealer) -> Item:
    pk, sk = upload_key(upload.name)
    item: Item = {"pk": pk, "sk": sk, "kind": "upload", "upload_kind": upload.kind.value, "status": upload.state.value}
    item |= {name: getattr(upload, name) for name in _PLAIN}
    item |= {"asked_at": instant_text(upload.asked_at), "file_kind": upload.file_kind.value if upload.file_kind else ""}
    if upload.organisation_id:
        item["sealed"] = sealer.seal(upload.organisation_id, (pk, sk), FIELDS, {"title": upload.title})
    else:
        item["title"] = upload.title
    if upload.next_at:
        item |= {"agenda_pk": AGENDA, "agenda_on": instant_text(upload.next_at)}
    return item


def uploads_key(owner_id: str) -> Key:
    """How often a file of the owner's came, or came further (`kept.py`)."""
    return owner_id, UPLOADS


def change(unit: Unit, old: Upload, new: Upload) -> Unit:
    """Have the unit move a record on from the revision that was read. Its title stays sealed: no key is needed."""
    told = {"status": new.state.value, "file_kind": new.file_kind.value if new.file_kind else ""}
    told |= {name: getattr(new, name) for name in ("size", "sha256", "reason", "revision")}
    agenda = {"agenda_pk": AGENDA, "agenda_on": instant_text(new.next_at)} if new.next_at else {}
    gone = () if new.next_at else ("agenda_pk", "agenda_on")
    unit.update(upload_key(old.name), set=told | agenda, remove=gone, when={"revision": old.revision})
    return unit.count_once(uploads_key(old.name.owner_id))


def upload_from(item: Item, sealer: Sealer | None = None) -> Upload:
    """Without a sealer: without its title."""
    return Upload(
        name=name_of(item),
        kind=UploadKind(item["upload_kind"]),
        title=title_of(item, sealer) if sealer else "",
        state=UploadState(item["status"]),
        asked_at=instant_from(item["asked_at"]),
        next_at=instant_from(item["agenda_on"]) if "agenda_on" in item else None,
        file_kind=FileKind(item["file_kind"]) if item["file_kind"] else None,
        **{name: item[name] for name in _PLAIN},
    )


def name_of(item: Item) -> Name:
    """Also of what the agenda carries."""
    _, about, upload_id = item["sk"].split("#")
    return Name(item["pk"], about, upload_id)


def title_of(item: Item, sealer: Sealer) -> str:
    """Empty once the organisation's key is shredded."""
    try:
        return opened_title(item, sealer)
    except Erased:
        return ""


def opened_title(item: Item, sealer: Sealer) -> str:
    """Erased once the organisation's key is shredded."""
    if not item["organisation_id"]:
        return str(item["title"])
    return str(sealer.open(item["organisation_id"], (item["pk"], item["sk"]), FIELDS, item["sealed"])["title"])
