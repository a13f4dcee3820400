"""Invariants that span owners: each owner gives its share, small and exchangeable, and the shares are held together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import groupby
from typing import Any, Protocol

from saldo.accounts.agenda import MONTHLY
from saldo.insight.model import Owner, Violation
from saldo.invoicing.model import LineKind
from saldo.invoicing.run.records import NUMBERED, attempt_from, ranked_line
from saldo.storage.claims import CLAIM, Claim
from saldo.storage.items import Item

# What there is much of, as rows that are held together in their order, so that nobody need have all of them at once:
# `minimum`, account, subscription, first day, how much more is on record as asked for to make up a minimum than
# invoices, a payer's among them, ask for, and who says so;
# `series`, seller, series, a number, and what of it: see `Of`.
Row = tuple[Any, ...]
MINIMUM, SERIES = "minimum", "series"
RUN = "run_"


class Of:
    """What a row of a series says of its number. Of one number, what comes first is said first.

    NEXT (number 0): the next free number. RESERVED: the end of the numbers that a run which is not closed holds for its
    drafts from this one on. BLOCK: count and digest of a block that a run's audit record tells of, from this number on.
    DOCUMENT: its day and id, and what its run's audit record must hold of it, "" where it has a record of its own.
    """

    NEXT, RESERVED, BLOCK, DOCUMENT = range(4)


@dataclass(slots=True)
class Share:
    """What one owner, or all of them, contribute. rows: in any order.

    under_way: what is not done yet, by name. monthly: by seller, the first day on which anything in a monthly place of
    the agenda is billed, and whose it is. listed: by seller, the day of the last run of all. claims: of records that
    are being billed in parts, by what, and whose; billing: what wallets say of that.
    """

    entity_sums: Counter[tuple[str, str]] = field(default_factory=Counter)
    rows: list[Row] = field(default_factory=list)
    under_way: list[tuple[str, str]] = field(default_factory=list)
    monthly: dict[str, tuple[str, str]] = field(default_factory=dict)
    listed: dict[str, str] = field(default_factory=dict)
    claims: set[tuple[str, str]] = field(default_factory=set)
    billing: set[str] = field(default_factory=set)

    def add(self, other: Share) -> None:
        self.entity_sums.update(other.entity_sums)
        self.rows += other.rows
        self.under_way += other.under_way
        self.claims |= other.claims
        self.billing |= other.billing
        for seller, at in other.monthly.items():
            self.monthly[seller] = min(at, self.monthly.get(seller, at))
        for seller, on in other.listed.items():
            self.listed[seller] = max(on, self.listed.get(seller, on))


def share_of(owner: Owner) -> Share:
    share = Share()
    for item in owner.of("entry"):  # as stored: what does not balance must show in its seller's sum
        for leg in item["postings"]:
            share.entity_sums[item["entity_id"], item["currency"]] += leg["minor"]
    documents = (document_row(owner, item) for item in owner.of("invoice"))
    share.rows += [row for row in documents if row]
    share.rows += [row for item in owner.of("audit") for row in block_rows(owner.id, item)]
    for item in owner.of("series"):
        share.rows.append((SERIES, owner.id, item["sk"].split("#", 1)[1], 0, Of.NEXT, item["next"]))
    for seller, series, numbers in held(owner):
        share.rows.append((SERIES, seller, series, numbers.start, Of.RESERVED, numbers.stop))
    for item in owner.of("subscription"):
        if item.get("agenda_on", "").startswith(MONTHLY):
            at, seller = (item["next_bill_on"], owner.id), item["entity_id"]
            share.monthly[seller] = min(at, share.monthly.get(seller, at))
    for item in owner.of("run"):
        if item["status"] == "closed" and not attempt_from(item).is_one_off:
            share.listed[owner.id] = max(item["as_of"], share.listed.get(owner.id, ""))
    share.claims = {(owner.id, item[CLAIM]) for items in owner.by_kind.values() for item in items if CLAIM in item}
    share.billing = {item["being_billed"] for item in owner.of("wallet") if "being_billed" in item}
    share.rows += [(MINIMUM, *where, minor, owner.id) for where, minor in _asked_for(owner).items()]
    share.under_way = [(owner.id, name) for name in _under_way(owner)]
    return share


def document_row(owner: Owner, item: Item) -> Row | None:
    """What an invoice says of its number, if it has one of a series."""
    if not item["number"] or not item["run_id"]:
        return None
    series, sequence = _place_in_series(item)
    document = item["issued_on"], item["invoice_id"], _said_by_its_run(owner, item)
    return SERIES, item["entity_id"], series, sequence, Of.DOCUMENT, *document


def block_rows(seller: str, audit: Item) -> Iterator[Row]:
    """The blocks that an audit record of a seller tells of."""
    for block in audit["after"]["blocks"] if audit["action"] == NUMBERED else ():
        yield SERIES, seller, block["series"], block["first"], Of.BLOCK, block["count"], block["digest"]


def _said_by_its_run(owner: Owner, item: Item) -> str:
    """What the record of its block of numbers was made of; "" for a document with an audit record of its own."""
    alone = (f"{item['document']}.issued", item["invoice_id"]) in owner.audited
    if alone or not item["run_id"].startswith(RUN):
        return ""
    return ranked_line(owner.id, item["invoice_id"], item["currency"], item["total_minor"])


def held(owner: Owner) -> Iterator[tuple[str, str, range]]:
    """Of a run: the blocks of its attempts that are not closed."""
    sellers = {item["attempt"]: item["entity_id"] for item in owner.of("attempt") if item["status"] != "closed"}
    for item in owner.of("numbered"):
        seller = sellers.get(int(item["sk"].split("#")[1]))
        for block in item["blocks"] if seller else ():
            yield str(seller), block["series"], range(block["first"], block["first"] + block["count"])


def _asked_for(owner: Owner) -> Counter[tuple[str, str, str]]:
    """To make up minimums, maximums and percents: what is on record of this account, less what is on this owner's
    invoices. A credit note by staff and an invoice billed again ask for nothing anew; what rounding a document moved on
    a line counts for none."""
    found: Counter[tuple[str, str, str]] = Counter()
    for tally in owner.tallies:
        if tally.days is not None:
            found[owner.id, tally.key.subscription_id, tally.days.start.isoformat()] += tally.trued_up_minor
    for body in owner.bodies:
        for line in () if body.of_invoice or body.replaces else body.lines:
            if line.kind is LineKind.TRUE_UP:
                where = line.account_id or body.account_id, line.subscription_id, line.period.start.isoformat()
                found[where] -= line.priced_in.minor if line.priced_in else line.net_minor - line.residual_minor
    return Counter({where: minor for where, minor in found.items() if minor})


def _under_way(owner: Owner) -> Iterator[str]:
    for item in owner.of("payment"):
        if "agenda_pk" in item or (item["status"] == "settled" and not item.get("paid_out_at")):
            yield f"{item['payment_id']} is {item['status']}"
    for item in owner.of("attempt"):
        if item["status"] != "closed" and not item["dry_run"]:
            yield f"{item['pk']} is {item['status']}"
    for item in owner.of("wallet"):
        if "being_billed" in item:
            yield f"it is being billed: {item['billing_is']}"
    for item in owner.of("delivery"):
        if item["status"] in ("queued", "unknown"):
            yield f"{item['sk']} is {item['status']}"


def _place_in_series(item: Item) -> tuple[str, int]:
    """Series and rank of a number; those issued before these were kept beside it all looked like `RW-2026-000042`."""
    if "series" in item:
        return item["series"], item["sequence"]
    series, _, digits = item["number"].rpartition("-")
    return series, int(digits)


class Again(Protocol):
    """Whoever can look again at what was found, at just what it concerns (`second_look`)."""

    def share(self, *owner_ids: str) -> Share | None: ...

    def payer(self, account_id: str) -> str: ...

    def next_number(self, seller: str, series: str) -> int | None: ...

    def block(self, seller: str, series: str, number: int) -> Row | None: ...

    def numbers(self, seller: str, series: str, first: int, end: int) -> Iterator[Row]: ...


def violations_across(all_: Share, rows: Iterable[Row], again: Again | None = None) -> Iterator[Violation]:
    """What the shares say together. rows: theirs, in order; they are gone through once. again: asked before anything is
    told that shares which were read one after the other would say of records that moved meanwhile."""
    for (entity_id, currency), minor in all_.entity_sums.items():
        if minor:
            yield Violation(2, entity_id, f"entries sum to {minor} {currency}")
    for seller, (on, owner_id) in all_.monthly.items():
        listed = all_.listed.get(seller, "")
        if on <= listed and _is_monthly_still(again, seller, on, owner_id):
            yield Violation(6, seller, f"what is due on {on} is where no run after {listed} looks for it")
    for owner_id, claim in sorted(all_.claims):
        if claim not in all_.billing and _is_claimed_still(again, owner_id, claim):
            yield Violation(6, owner_id, f"something is claimed by {claim}, which bills nothing: nobody gives it back")
    for (kind, first, second), group in groupby(rows, lambda row: (row[0], row[1], row[2])):
        if kind == MINIMUM:
            yield from _minimum_violations(first, second, group, again)
        else:
            yield from _Held(first, second, again).violations(group)


def _is_monthly_still(again: Again | None, seller: str, on: str, owner_id: str) -> bool:
    """Or a run moved it on after it was read, and closed before the seller was."""
    share = again.share(owner_id) if again else None
    return not again or (share is not None and share.monthly.get(seller, ("", ""))[0] == on)


def _is_claimed_still(again: Again | None, owner_id: str, claim: str) -> bool:
    share = again.share(owner_id, Claim.from_text(claim).owner) if again else None
    return not again or (share is not None and (owner_id, claim) in share.claims and claim not in share.billing)


def left_undone(all_: Share) -> Iterator[Violation]:
    """Work in progress, for a moment at which there should be none."""
    for owner_id, name in all_.under_way:
        yield Violation(25, owner_id, name)


def _minimum_violations(
    account_id: str, subscription_id: str, rows: Iterable[Row], again: Again | None
) -> Iterator[Violation]:
    for since, group in groupby(rows, lambda row: row[3]):
        found = list(group)
        minor = sum(row[4] for row in found)
        if minor and again:
            share = again.share(account_id, again.payer(account_id), *(row[5] for row in found))
            where = (MINIMUM, account_id, subscription_id, since)
            minor = sum(row[4] for row in share.rows if row[:4] == where) if share else 0
        if minor:
            said = f"{minor} more is on record as asked for than is on invoices"
            yield Violation(6, account_id, f"minimum of {subscription_id} since {since}: {said}")


class _Held:
    """A series, number after number: each is followed by the next one or by numbers that a run holds for its drafts,
    days rise with them, and each document that a run numbered lies in a block on record, which is what it was.

    What seems to be missing is looked for again, and taken as if it had been there.
    """

    def __init__(self, seller: str, series: str, again: Again | None) -> None:
        self._key, self._series, self._again = (seller, series), f"{seller} {series}", again
        self._following: int | None = None
        self._reserved: list[range] = []
        self._block = _Block(0, 0, "")
        self._last: Row | None = None

    def violations(self, rows: Iterable[Row]) -> Iterator[Violation]:
        """rows: the series', in order. One without documents is not looked at."""
        for row in rows:
            number, what = row[3], row[4]
            if what == Of.NEXT:
                self._following = row[5]
            elif what == Of.RESERVED:
                self._reserved.append(range(number, row[5]))
            elif what == Of.BLOCK:
                yield from self._begins(row)
            else:
                yield from self._between(number)
                yield from self._document(row)
        if self._last is not None and self._following is not None:
            yield from self._end(self._following)
        yield from self._ended()

    def _begins(self, row: Row) -> Iterator[Violation]:
        yield from self._ended()
        self._block = _Block(row[3], row[5], row[6])

    def _between(self, number: int) -> Iterator[Violation]:
        """Look again at what is missing before a number."""
        after = self._last_number + 1
        if self._again and _missing(after, number, self._reserved):
            for row in self._again.numbers(*self._key, after, number):
                if row[4] == Of.RESERVED:
                    self._reserved.append(range(row[3], row[5]))
                else:
                    yield from self._document(row)

    def _document(self, row: Row) -> Iterator[Violation]:
        yield from self._next(row)
        yield from self._on_record(row)
        self._last = row

    def _next(self, row: Row) -> Iterator[Violation]:
        number, on, invoice_id = row[3], row[5], row[6]
        if self._last is None:
            if missing := _missing(1, number, self._reserved):
                yield Violation(8, self._series, f"the first number is {number}, {missing} is missing")
            return
        n, before_on, before_id = self._last[3], self._last[5], self._last[6]
        if n == number:
            yield Violation(7, self._series, f"{before_id} and {invoice_id} share number {n}")
        elif missing := _missing(n + 1, number, self._reserved):
            yield Violation(8, self._series, f"numbers {missing} to {number - 1} are missing")
        if on < before_on:
            yield Violation(8, self._series, f"number {number} is dated {on}, before number {n} of {before_on}")

    def _on_record(self, row: Row) -> Iterator[Violation]:
        number, invoice_id, line = row[3], row[6], row[7]
        again = self._again if line and number >= self._block.end else None
        if again and (block := again.block(*self._key, number)):
            yield from self._begins(block)
        if number < self._block.end:
            self._block.take(line)
        elif line:
            yield Violation(24, self._series, f"number {number} ({invoice_id}) has no audit record")

    def _ended(self) -> Iterator[Violation]:
        block = self._block
        if block.is_other:
            yield Violation(4, self._series, f"numbers {block.first} to {block.end - 1} are not what was put on record")

    def _end(self, following: int) -> Iterator[Violation]:
        """All numbers before the next free one are there."""
        if self._again and self._is_other_than(following):
            following = self._again.next_number(*self._key) or following
            yield from self._between(following)
        if self._is_other_than(following):
            said = f"the last number is {self._last_number}, the next free one is {following}"
            yield Violation(8, self._series, said)

    def _is_other_than(self, following: int) -> bool:
        return self._last_number >= following or bool(_missing(self._last_number + 1, following, self._reserved))

    @property
    def _last_number(self) -> int:
        return self._last[3] if self._last else 0


class _Block:
    """A block of numbers on record, and what was issued of it so far."""

    def __init__(self, first: int, count: int, digest: str) -> None:
        self.first, self.end, self._said = first, first + count, digest
        self._lines, self._all_said, self._digest = 0, True, sha256()

    def take(self, line: str) -> None:
        self._lines += 1
        self._all_said = self._all_said and bool(line)
        self._digest.update(line.encode())

    @property
    def is_other(self) -> bool:
        """Whether all of it is issued, and is not what was put on record."""
        whole = 0 < self._lines == self.end - self.first and self._all_said
        return whole and self._digest.hexdigest() != self._said


def _missing(first: int, end: int, reserved: Sequence[range]) -> int:
    """The first number from `first` to before `end` that nobody holds; 0 when there is none."""
    while first < end:
        held = next((numbers for numbers in reserved if first in numbers), None)
        if held is None:
            return first
        first = held.stop
    return 0
