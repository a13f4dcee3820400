"""How requests lie in the table: `<account>` / `certificate_request#<upload>`, number and words sealed; while one
waits, on the agenda `certificate_requests#<entity>` under the instant it was asked."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from saldo.certificates.model import CertificateRequest, RequestState
from saldo.kernel.clock import instant_from, instant_text
from saldo.kernel.exact import plain
from saldo.storage.items import Item, Key
from saldo.storage.sealing import Erased, Sealer

PREFIX = "certificate_request#"
FIELDS = "certificate_request/1"
_PLAIN = ("organisation_id", "entity_id", "asked_by", "revision")


def request_key(account_id: str, upload_id: str) -> Key:
    return account_id, PREFIX + upload_id


def waiting_agenda(entity_id: str) -> str:
    return f"certificate_requests#{entity_id}"


def request_item(request: CertificateRequest, sealer: Sealer) -> Item:
    pk, sk = request_key(request.account_id, request.upload_id)
    sealed = {"number": request.number, "words": request.words}
    item: Item = {"pk": pk, "sk": sk, "kind": "certificate_request", "account_id": pk, "status": request.state.value}
    item |= {name: getattr(request, name) for name in _PLAIN}
    item |= {
        "jurisdictions": sorted(request.jurisdictions),
        "from_on": request.from_on.isoformat(),
        "until_on": request.until_on.isoformat(),
        "asked_at": instant_text(request.asked_at),
        "percent": plain(request.percent),
        "sealed": sealer.seal(request.organisation_id, (pk, sk), FIELDS, sealed),
    }
    if request.state is RequestState.WAITING:
        item |= {"agenda_pk": waiting_agenda(request.entity_id), "agenda_on": instant_text(request.asked_at)}
    return item


def request_from(item: Item, sealer: Sealer) -> CertificateRequest:
    """Without number and words once the organisation's key is shredded."""
    try:
        opened = opened_fields(item, sealer)
    except Erased:
        opened = {"number": "", "words": ""}
    return CertificateRequest(
        account_id=item["pk"],
        upload_id=item["sk"].removeprefix(PREFIX),
        jurisdictions=frozenset(item["jurisdictions"]),
        from_on=date.fromisoformat(item["from_on"]),
        until_on=date.fromisoformat(item["until_on"]),
        asked_at=instant_from(item["asked_at"]),
        state=RequestState(item["status"]),
        number=opened["number"],
        words=opened["words"],
        percent=Decimal(item.get("percent", 100)),
        **{name: item[name] for name in _PLAIN},
    )


def opened_fields(item: Item, sealer: Sealer) -> dict[str, str]:
    """Erased once the organisation's key is shredded."""
    opened = sealer.open(item["organisation_id"], (item["pk"], item["sk"]), FIELDS, item["sealed"])
    return {name: str(opened[name]) for name in ("number", "words")}
