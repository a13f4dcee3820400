"""Pay links: one invoice opens and is paid without signing in, by a signed link that expires and can be revoked.

`<account>` / `pay_link#<invoice id>`: which generation of the link holds, until when. Nothing in it opens the invoice:
the signature is made when a letter is written. Tokens stand in no log (routes are logged by their template).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from saldo.access.links import MOST_ID, LinkPurpose, is_ours, link_from, token_of
from saldo.access.model_visibility import SelfService
from saldo.access.rules_visibility import visibility_from
from saldo.accounts.records import ACCOUNT
from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.invoicing.reading import Invoice, invoice
from saldo.invoicing.records import body_key, header_key
from saldo.kernel.clock import Clock, instant_from, instant_text
from saldo.kernel.errors import NotFound, Refusal
from saldo.payments.lately import is_being_paid
from saldo.payments.records import payments_key, request_guard_key
from saldo.storage.items import Item, Key
from saldo.storage.sealing import Sealer
from saldo.storage.store import Store
from saldo.storage.units import Unit

HOLDS = timedelta(days=120)
_MOST_TRIES = 3
# What a token says: which link, and, of most of those written since sellers are read with it, whose invoice it is.
_NAMED = re.compile(r"(?P<link>[0-9a-z_]+?_[0-9]+)(?:_(?P<entity>ent_[0-9a-z_]+))?")


@dataclass(frozen=True, slots=True)
class PayLink:
    """The link of one invoice. A new generation makes every token of an earlier one worthless."""

    account_id: str
    invoice_id: str
    organisation_id: str
    generation: int
    expires_at: datetime
    is_revoked: bool = False

    @property
    def id(self) -> str:
        return f"{self.invoice_id}_{self.generation}"

    def holds(self, now: datetime) -> bool:
        return not self.is_revoked and now < self.expires_at


@dataclass(frozen=True, slots=True)
class Payable:
    """What the link shows: the account's item, the one invoice with its seller, whether a payment is under way."""

    account: Item
    invoice: Invoice
    is_being_paid: bool


def pay_link_key(account_id: str, invoice_id: str) -> Key:
    return account_id, f"pay_link#{invoice_id}"


def pay_link_from(item: Item | None) -> PayLink | None:
    if item is None:
        return None
    facts = (item["organisation_id"], item["generation"], instant_from(item["until"]), item["revoked"])
    return PayLink(item["pk"], item["invoice_id"], *facts)


class PayLinks:
    """Of invoices of one region. `store` is the region's, not narrowed to a customer."""

    def __init__(self, store: Store, sealer: Sealer, clock: Clock) -> None:
        self._store, self._sealer, self._clock = store, sealer, clock

    def token(self, account_id: str, invoice_id: str) -> str:
        """The token for a letter; "" where the account does without, or the link was revoked. Made when first asked
        for, renewed when it has expired; asking again gives the same."""
        for _ in range(_MOST_TRIES):
            account, link = self._read(account_id, invoice_id)
            if account is None or not _allows(account) or (link and link.is_revoked):
                return ""
            now = self._clock()
            if link and link.holds(now):
                return self._token(link, account["entity_id"])
            generation = link.generation + 1 if link else 1
            new = PayLink(account_id, invoice_id, account["organisation_id"], generation, now + HOLDS)
            self._store.write_one(_changed(Unit(f"pay link {new.id}"), link, new))
        raise Refusal("changed_meanwhile", "somebody else changed this link at the same time")

    def look(self, token: str) -> Payable:
        """What the link opens, and nothing else; NotFound for every reason why not."""
        found = link_from(token)
        named = _NAMED.fullmatch(found.id) if found else None
        if found is None or named is None or not found.owner_id.startswith("acct_"):
            raise NotFound("no such link")
        account_id, invoice_id = found.owner_id, named["link"].rpartition("_")[0]
        ahead = self._ahead(account_id, invoice_id, named["entity"])
        account, link = ahead[account_id, ACCOUNT], pay_link_from(ahead[pay_link_key(account_id, invoice_id)])
        if account is None or link is None or link.id != named["link"] or not link.holds(self._clock()):
            raise NotFound("no such link")
        if not _allows(account) or not is_ours(self._sealer, link.organisation_id, LinkPurpose.PAY, found):
            raise NotFound("no such link")
        own = self._store.within(account_id, account["entity_id"], ahead=ahead)
        seen = invoice(own, account_id, invoice_id, ((account["entity_id"], "entity"),))
        return Payable(account, seen, is_being_paid(own, account_id, invoice_id))

    def _ahead(self, account_id: str, invoice_id: str, entity_id: str | None) -> dict[Key, Item | None]:
        """All that the page of a link needs, in one call; nobody looks at it before the link is proven."""
        keys = [(account_id, ACCOUNT), pay_link_key(account_id, invoice_id), header_key(account_id, invoice_id)]
        keys += [body_key(account_id, invoice_id), payments_key(account_id)]
        keys += [(entity_id, "entity")] if entity_id else []
        return {**dict.fromkeys(keys), **self._store.get_many(keys, consistent=True)}

    def has_begun(self, account_id: str, request_key: str) -> bool:
        """Whether this form became a payment already: sending it again leads back to that one."""
        return self._store.get(*request_guard_key(account_id, request_key)) is not None

    def note_opened(self, payable: Payable, actor: Actor) -> None:
        header = payable.invoice.header
        record = AuditRecord(header.account_id, self._clock(), actor, "pay_link.opened", header.invoice_id)
        self._store.put_many([audit_item(record)])

    def revoke(self, account_id: str, invoice_id: str, actor: Actor, reason: str = "") -> None:
        """No link opens this invoice, also none of a later letter, until `allow_again`. NotFound without a link."""
        _, link = self._read(account_id, invoice_id)
        if link is None:
            raise NotFound("no such link")
        self._write(link, replace(link, is_revoked=True), actor, "pay_link.revoked", reason)

    def allow_again(self, account_id: str, invoice_id: str, actor: Actor) -> None:
        """The next letter carries a new link; those that were revoked stay so."""
        _, link = self._read(account_id, invoice_id)
        if link is None or not link.is_revoked:
            raise NotFound("no such link")
        new = replace(link, is_revoked=False, generation=link.generation + 1, expires_at=self._clock() + HOLDS)
        self._write(link, new, actor, "pay_link.allowed", "")

    def _write(self, old: PayLink, new: PayLink, actor: Actor, action: str, reason: str) -> None:
        unit = _changed(Unit(f"{action} {new.id}"), old, new)
        after = {"generation": new.generation}
        record = AuditRecord(new.account_id, self._clock(), actor, action, new.invoice_id, {}, after, reason)
        if self._store.write_one(unit.put(audit_item(record))):
            raise Refusal("changed_meanwhile", "somebody else changed this link at the same time")

    def _read(self, account_id: str, invoice_id: str) -> tuple[Item | None, PayLink | None]:
        account_key, key = (account_id, ACCOUNT), pay_link_key(account_id, invoice_id)
        found = self._store.get_many([account_key, key], consistent=True)
        return found.get(account_key), pay_link_from(found.get(key))

    def _token(self, link: PayLink, entity_id: str) -> str:
        """It names the seller, to be read with the link, where both ids leave room for it."""
        named = f"{link.id}_{entity_id}"
        said = named if len(named) <= MOST_ID else link.id
        return token_of(self._sealer, link.organisation_id, LinkPurpose.PAY, link.account_id, said)


def _allows(account: Item) -> bool:
    return visibility_from(account.get("visibility")).allows(SelfService.PAY_LINKS)


def _changed(unit: Unit, old: PayLink | None, new: PayLink) -> Unit:
    pk, sk = pay_link_key(new.account_id, new.invoice_id)
    item: Item = {
        "pk": pk,
        "sk": sk,
        "kind": "pay_link",
        "invoice_id": new.invoice_id,
        "organisation_id": new.organisation_id,
        "generation": new.generation,
        "until": instant_text(new.expires_at),
        "revoked": new.is_revoked,
    }
    if old is None:
        return unit.insert(item)
    return unit.put(item, when={"generation": old.generation, "revoked": old.is_revoked})
