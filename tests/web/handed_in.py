"""What customers ask the seller for and hand in, and what the seller publishes: promises, terms, files, certificates,
bundles, views. Which state such a record is in turns with the account, so that pages are seen in all of them."""

from __future__ import annotations

from datetime import timedelta

from functions.portal import services
from saldo.access.model_notices import NoticeKind
from saldo.access.model_views import SavedView
from saldo.access.records_views import table_views_item
from saldo.accounts.model_payment_terms import PaymentTerms
from saldo.certificates.service import HandedIn
from saldo.documents.bundles import BundleMaker
from saldo.invoicing.listing import ListWish
from saldo.invoicing.reading import open_rows, register
from saldo.kernel.errors import Refusal
from saldo.promises.model import Every, Wanted
from saldo.promises.model import Why as WhyPromise
from saldo.promises.service import Wish as PromiseWish
from saldo.reconciliation.service import Differences
from saldo.storage.clients import client
from saldo.storage.files import Files
from saldo.terms.model import Asked
from saldo.terms.model import Why as WhyTerms
from saldo.uploads.known_harm import EICAR, KnownHarm
from saldo.uploads.model import Upload, UploadKind
from saldo.uploads.rules import MOST_TITLE, incoming_key
from saldo.uploads.service import UploadWork
from saldo.uploads.service import Wish as UploadWish
from tests.contexts.sellers import ENTITY
from tests.functions.portal import scenes
from tests.web.world import LONG, MANY, STATES, USUAL, Texts, World

_HARMLESS = b"Reading of the meter: 4711\n"
# What becomes of a file: looked at, still to be sent, refused.
_CAME = {USUAL: b"", LONG: _HARMLESS, MANY: EICAR}


def _promises(world: World, account_id: str, texts: Texts) -> None:
    """The first is within the limits, those after it are not: the seller is asked."""
    desk, rows = services.promises(services.store()), open_rows(services.store(), account_id)
    for n, owed in enumerate(reversed(rows[-min(texts.times + 1, 20) :])):
        on = scenes.TODAY + timedelta(days=3 + n)
        wanted = Wanted((owed.invoice_id,), on, 1 + 3 * (n % 4), Every.WEEK, "", WhyPromise.CASH)
        seen_minor = desk.offer(account_id, wanted).minor
        desk.make(PromiseWish(account_id, wanted, f"promise {n} of {account_id}", seen_minor, world.admin))


def _terms(world: World, account_id: str, texts: Texts) -> None:
    asked = Asked(PaymentTerms(90), min(texts.largest_minor * 10, 10**12))
    services.terms_requests(services.store()).ask(
        account_id, asked, WhyTerms.GROWTH, f"terms of {account_id}", world.admin
    )


def _files(world: World, account_id: str, texts: Texts) -> None:
    """About the invoices that are in dispute; from both sides."""
    desk = services.uploads(services.store())
    for n, owed in enumerate(open_rows(services.store(), account_id)[: max(2, min(texts.times, 40))]):
        for by_seller, actor in ((False, world.admin), (True, world.clerk())):
            title, request = texts.subject[:MOST_TITLE], f"file {n} of {account_id}"
            facts = (account_id, owed.invoice_id, UploadKind.EVIDENCE, scenes.ORGANISATION, title, request)
            came(world, desk.ask(UploadWish(*facts, actor, by_seller)), _CAME[account_id] if n % 2 else _HARMLESS)


def came(world: World, upload: Upload, content: bytes) -> None:
    """The browser's part and the examiner's; nothing without content."""
    if content:
        key = incoming_key(upload)
        client("s3").put_object(Bucket="uploads", Key=key, Body=content, ContentType="x")
        files = Files(client("s3"), "uploads")
        UploadWork(services.store(), world.portal.clock, files, KnownHarm()).examine(key)


def _certificates(world: World, account_id: str, texts: Texts) -> None:
    """One that waits for its file, one to be decided, one refused with the seller's words."""
    desk = services.certificates(services.store())
    for n in range(2):
        said = HandedIn(
            account_id, scenes.ORGANISATION, ENTITY, "Certificate of exemption", f"{texts.order[:50]}-{n}",
            frozenset({"US-NY", "US-CA"}), scenes.TODAY, scenes.TODAY + timedelta(days=365), f"form {n}", world.admin,
        )  # fmt: skip
        upload = desk.hand_in(said)
        came(world, upload, _HARMLESS if n == 0 else _CAME[account_id])
        if account_id == LONG and n == 1:
            desk.refuse(account_id, upload.id, texts.words[:500], world.clerk())


def _bundles(world: World, account_id: str, texts: Texts) -> None:
    """Ready, waiting, and ready without some documents that cannot be made. Only a mail leads there."""

    def pdf_of(_account: str, invoice_id: str) -> bytes:
        if account_id == MANY and invoice_id > rows[9].invoice_id:
            raise Refusal("no_invoice_body", "brought in without its lines")
        return b"%PDF " + invoice_id.encode()

    store = services.store()
    rows = sorted(register(store, account_id, ListWish(), scenes.TODAY), key=lambda row: row.invoice_id)
    chosen = [(row.invoice_id, row.number) for row in rows]
    bundle = services.bundles(store).ask(account_id, ENTITY, chosen, f"bundle of {account_id}", world.admin)
    if account_id != LONG:
        files = Files(client("s3"), "documents")
        BundleMaker(store, services.sealer(), world.portal.clock, files, pdf_of).make(account_id, bundle.id)
    world.mailed[account_id] = [f"/accounts/{account_id}/bundles/{bundle.id}"]


PARTS = (_promises, _terms, _files, _certificates, _bundles)


def papers(world: World) -> None:
    """Of the seller: one looked at, one whose file is still to come."""
    desk = services.uploads(services.store())
    for n, title in enumerate(("W-9 of this year", "Terms of delivery")):
        facts = (ENTITY, "paper", UploadKind.PAPER, "", title, f"paper {n}")
        came(world, desk.ask(UploadWish(*facts, world.clerk(), True)), b"" if n else _HARMLESS)


def differences(world: World) -> None:
    """One that somebody looks into, one of a long name with many lines, one that is gone."""
    desk = Differences(services.store(), world.portal.clock)
    gone, taken = (14, STATES["usual"], "1 EUR more is open"), (3, STATES["usual"], "receivables of 1 EUR is stored")
    many = [(8, f"{ENTITY} INV-2026", f"numbers {n} to {n + 3} are missing") for n in range(10, 90, 10)]
    desk.look([gone], [ENTITY], world.portal.clock())
    desk.look([taken, *many], [ENTITY], world.portal.clock())
    for one in desk.of(ENTITY, 9):
        if one.invariant == 3:
            desk.take(ENTITY, one.id, world.clerk(), "The nightly import wrote it twice; see the ticket of the bank")


def views(user_id: str) -> None:
    """Two saved lists of each account."""
    asked = (("Late ones", "status=overdue"), ("L" * 40, "status=part_paid&sort=due_on&order=asc"))
    made = tuple(
        SavedView(f"view_{n}{account_id[8:]}", account_id, name, query)
        for account_id in STATES.values()
        for n, (name, query) in enumerate(asked)
    )
    services.store().put_many([table_views_item(user_id, made, 1)])


def stop_link(world: World) -> str:
    """What a mail carries for whoever wants no more of its kind."""
    token = services.chosen_notices().stop_token
    return f"/unsubscribe/{token(scenes.ORGANISATION, world.portal.user_id('viewer'), NoticeKind.TICKET_ANSWERED)}"
