"""How bundles lie in the table: `<account>` / `bundle#<id>`, for thirty days. That one was asked for is news."""

from __future__ import annotations

from datetime import timedelta

from saldo.documents.model_bundles import Bundle, BundleState
from saldo.kernel.clock import instant_from, instant_text
from saldo.storage.items import Item, Key

PREFIX = "bundle#"
_REMEMBERED = timedelta(days=30)
_PLAIN = ("entity_id", "asked_by", "done", "size")


def bundle_record_key(account_id: str, bundle_id: str) -> Key:
    return account_id, PREFIX + bundle_id


def bundle_item(bundle: Bundle) -> Item:
    pk, sk = bundle_record_key(bundle.account_id, bundle.id)
    item: Item = {"pk": pk, "sk": sk, "kind": "bundle", "bundle_id": bundle.id, "status": bundle.state.value}
    item |= {name: getattr(bundle, name) for name in _PLAIN}
    return item | {
        "asked_at": instant_text(bundle.asked_at),
        "until": instant_text(bundle.until),
        "documents": [list(one) for one in bundle.documents],
        "left_out": list(bundle.left_out),
        "expires_at_s": int((bundle.asked_at + _REMEMBERED).timestamp()),
    }


def bundle_from(item: Item) -> Bundle:
    return Bundle(
        account_id=item["pk"],
        id=item["bundle_id"],
        asked_at=instant_from(item["asked_at"]),
        until=instant_from(item["until"]),
        documents=tuple((invoice_id, number) for invoice_id, number in item["documents"]),
        state=BundleState(item["status"]),
        left_out=tuple(item["left_out"]),
        **{name: item[name] for name in _PLAIN},
    )
