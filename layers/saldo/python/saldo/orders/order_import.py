"""Import a file of orders from S3: CSV, or X12 850 with its acknowledgement.

First everything is checked and nothing written; then each good order is received by the same use case as any other,
so a
crashed import is repeated from the start and the same file again changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from saldo.accounts.records import entity_from
from saldo.audit.model import Actor
from saldo.kernel.clock import Clock, instant_text
from saldo.kernel.errors import NotFound, Problem, Refusal
from saldo.kernel.periods import local_date
from saldo.kernel.rows import RejectedRow, count_codes
from saldo.orders import records_orders as records
from saldo.orders.facts import FactsReader
from saldo.orders.model_orders import OrderRequest, OrderStatus
from saldo.orders.rows import read_orders
from saldo.orders.rules_orders import check_request
from saldo.orders.service import Orders, Receipt
from saldo.orders.x12 import Fault, Group, Interchange, TransactionSet, read_interchanges
from saldo.orders.x12_850 import order_from
from saldo.orders.x12_997 import acknowledgement
from saldo.storage.files import Files
from saldo.storage.items import Item, Key
from saldo.storage.store import Store
from saldo.storage.units import Unit

MOST_EDI_BYTES = 10_000_000
_EDI_ENDINGS = ("edi", "x12", "850")


@dataclass(frozen=True, slots=True)
class OrderImportRequest:
    """A file of orders. `skip_bad_rows` takes the good orders of a file that has bad ones; `preview` writes nothing."""

    entity_id: str
    key: str
    skip_bad_rows: bool = False
    preview: bool = False


@dataclass(slots=True)
class OrderImportSummary:
    """What became of a file: orders = placed + held + unchanged (+ those held back by bad rows or by a preview).

    rows: lines of a CSV, transaction sets of an EDI file. committed: False when nothing was written. codes: problems of
    rows; discrepancies: what put orders into the queue. report_key: a JSON line per rejected row, "" when there is
    none.
    acknowledgement_key: the 997 to send back, "" for CSV and previews. repeated: these bytes were imported before.
    """

    key: str
    rows: int = 0
    orders: int = 0
    placed: int = 0
    held: int = 0
    unchanged: int = 0
    rejected: int = 0
    committed: bool = False
    repeated: bool = False
    codes: dict[str, int] = field(default_factory=dict)
    discrepancies: dict[str, int] = field(default_factory=dict)
    order_ids: list[str] = field(default_factory=list)
    report_key: str = ""
    acknowledgement_key: str = ""


@dataclass(slots=True)
class _Found:
    """What a file holds, before anything is written. `orders`: request and EDI control numbers (none for CSV)."""

    rows: int = 0
    orders: list[tuple[OrderRequest, tuple[str, ...]]] = field(default_factory=list)
    rejected: list[RejectedRow] = field(default_factory=list)
    interchanges: list[Interchange] = field(default_factory=list)
    faults: dict[tuple[str, ...], tuple[Fault, ...]] = field(default_factory=dict)

    def reject(self, control: tuple[str, ...], faults: tuple[Fault, ...]) -> None:
        self.faults[control] = faults
        problems = tuple(
            Problem(f"{f.segment}{f.element:02d}" if f.element else f.segment, f"x12_{f.level}_{f.code}", str(f))
            for f in faults
        )
        self.rejected.append(
            RejectedRow(len(self.rejected) + len(self.orders) + 1, f"set {'/'.join(control)}", problems)
        )


class OrderImport:
    """Imports files of orders of one region."""

    def __init__(self, store: Store, files: Files, clock: Clock) -> None:
        self._store, self._files, self._clock = store, files, clock

    def run(self, request: OrderImportRequest, actor: Actor) -> OrderImportSummary:
        """Import a file, or say everything that is wrong with it. Repeating is safe.

        With a bad row nothing of a CSV is taken, unless told to skip it. Sets of an EDI file are taken or rejected
        one by
        one, as its acknowledgement tells the sender, who sends the rejected ones again. Raises NotFound without such a
        file or seller, Refusal for a file that cannot be read at all.
        """
        digest = self._files.digest(request.key)
        guard = records.file_key(request.entity_id, digest)
        before = self._store.get(*guard)
        if before is not None:
            return _summary_from(before)
        found = self._read(request)
        summary = OrderImportSummary(request.key, found.rows, len(found.orders))
        by_set = bool(found.interchanges)
        if not request.preview and (by_set or request.skip_bad_rows or not found.rejected):
            self._commit(request, found, summary, actor)
        summary.rejected, summary.codes = len(found.rejected), count_codes(found.rejected)
        if found.rejected:
            summary.report_key = self._files.put_report(request.key, [r.as_dict() for r in found.rejected])
        if by_set and not request.preview:
            summary.acknowledgement_key = self._acknowledge(request.key, found)
        if summary.committed and not found.rejected:
            self._store.write_one(Unit(f"imported {request.key}").put(self._guard_item(guard, summary)))
        return summary

    def _read(self, request: OrderImportRequest) -> _Found:
        item = self._store.get(request.entity_id, "entity")
        if item is None:
            raise NotFound(f"no such legal entity: {request.entity_id}")
        today = local_date(self._clock(), entity_from(item).time_zone)
        ending = request.key.rpartition(".")[2].lower()
        if ending == "csv":
            orders, rejected = read_orders(self._files.chunks(request.key), today)
            rows = sum(len(o.rows) for o in orders) + len(rejected)
            return _Found(rows, [(o.request, ()) for o in orders], rejected)
        if ending not in _EDI_ENDINGS:
            raise Refusal("unknown_format", f"{request.key}: files of orders end in .csv, .edi, .x12 or .850")
        found = _Found(interchanges=read_interchanges(self._text(request.key)))
        for interchange, group, one in _sets_of(found.interchanges):
            found.rows += 1
            control = (interchange.control, group.control, one.control)
            result = _order_of(interchange, group, one, today)
            if interchange.test and not request.preview and isinstance(result, OrderRequest):
                result = (Fault("ISA", 1, 15, "5", "a test interchange is only previewed, never taken", "set"),)
            if isinstance(result, OrderRequest):
                found.orders.append((result, control))
            else:
                found.reject(control, result)
        return found

    def _text(self, key: str) -> str:
        body = b"".join(self._files.chunks(key))
        if len(body) > MOST_EDI_BYTES:
            raise Refusal("too_large", f"an EDI file has at most {MOST_EDI_BYTES} bytes; send it in parts")
        try:
            return body.decode("utf-8")
        except UnicodeDecodeError:
            return body.decode("latin-1")

    def _commit(self, request: OrderImportRequest, found: _Found, summary: OrderImportSummary, actor: Actor) -> None:
        orders = Orders(self._store, self._clock)
        reader = FactsReader(self._store, self._clock, request.entity_id)
        for asked, control in found.orders:
            key = "/".join(("edi", *control)) if control else ""
            try:
                receipt = orders.receive(request.entity_id, asked, actor, key=key, origin=request.key, reader=reader)
            except Refusal as refusal:
                if refusal.code != "key_reused":
                    raise
                found.reject(control, (Fault("ST", 1, 2, "23", "this control number came with another order", "set"),))
                summary.orders -= 1
                continue
            _count(summary, receipt)
        summary.committed = True

    def _acknowledge(self, key: str, found: _Found) -> str:
        """The 997 of every interchange of the file, beside it."""
        texts = []
        for interchange in found.interchanges:
            faults = {
                control[1:]: wrong for control, wrong in found.faults.items() if control[0] == interchange.control
            }
            texts.append(acknowledgement(interchange, faults, self._clock()))
        acknowledgement_key = f"{key}.997.edi"
        self._files.put(acknowledgement_key, "".join(texts).encode(), "application/edi-x12")
        return acknowledgement_key

    def _guard_item(self, key: Key, summary: OrderImportSummary) -> Item:
        fields = {name: getattr(summary, name) for name in _KEPT}
        return {"pk": key[0], "sk": key[1], "kind": "guard", "imported_at": instant_text(self._clock()), **fields}


_KEPT = [name for name in OrderImportSummary.__dataclass_fields__ if name != "repeated"]


def _summary_from(guard: Item) -> OrderImportSummary:
    return OrderImportSummary(**{name: guard[name] for name in _KEPT}, repeated=True)


def _sets_of(interchanges: Sequence[Interchange]) -> Iterator[tuple[Interchange, Group, TransactionSet]]:
    for interchange in interchanges:
        for group in interchange.groups:
            for one in group.sets:
                yield interchange, group, one


def _order_of(
    interchange: Interchange, group: Group, one: TransactionSet, today: date
) -> OrderRequest | tuple[Fault, ...]:
    """The order of a set, or everything that keeps it from being taken."""
    found = order_from(interchange, one)
    if not isinstance(found, OrderRequest) or group.faults:
        return found if isinstance(found, tuple) else group.faults
    try:
        check_request(found, today)
    except Refusal as refusal:
        return tuple(Fault("BEG", 2, 0, "8", f"{p.field}: {p.message}", "segment") for p in refusal.problems)
    return found


def _count(summary: OrderImportSummary, receipt: Receipt) -> None:
    summary.order_ids.append(receipt.order_id)
    if receipt.repeated:
        summary.unchanged += 1
    elif receipt.status is OrderStatus.HELD:
        summary.held += 1
    else:
        summary.placed += 1
    for one in () if receipt.repeated else receipt.discrepancies:
        summary.discrepancies[one.code] = summary.discrepancies.get(one.code, 0) + 1
