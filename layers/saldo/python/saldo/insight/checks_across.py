"""Invariants that span owners: each owner gives its share, small and exchangeable, and the shares are held together."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import pairwise

from saldo.accounts.agenda import MONTHLY
from saldo.insight.model import Owner, Violation
from saldo.invoicing.minimum_records import minimum_from
from saldo.invoicing.model import LineKind
from saldo.invoicing.run.records import NUMBERED, attempt_from, ranked_line
from saldo.ledger.model import LedgerAccount
from saldo.storage.claims import CLAIM
from saldo.storage.items import Item

# A document's rank, day and id; what its run's audit record must hold of it, "" where it has a record of its own.
Numbers = list[tuple[int, str, str, str]]
RUN = "run_"


@dataclass(slots=True)
class Share:
    """What one owner, or all of them, contribute, by seller and series. numbers: documents that have one.

    audited: (first, count, digest) of the blocks that runs' audit records tell of. reserved: numbers that a run which
    is not closed holds for its drafts. minimums: by account, subscription and first day, how much more
    is on record as asked for to make up a minimum than invoices, a payer's among them, ask for. under_way: what is not
    done yet, by name. monthly: by seller, the first day on which anything in a monthly place of the agenda is billed.
    listed: by seller, the day of the last run of all. claims: of records that are being billed in parts, by what, and
    whose; billing: what wallets say of that.
    """

    entity_sums: Counter[tuple[str, str]] = field(default_factory=Counter)
    numbers: dict[tuple[str, str], Numbers] = field(default_factory=lambda: defaultdict(list))
    series: dict[tuple[str, str], int] = field(default_factory=dict)
    reserved: dict[tuple[str, str], list[range]] = field(default_factory=lambda: defaultdict(list))
    audited: dict[tuple[str, str], list[tuple[int, int, str]]] = field(default_factory=lambda: defaultdict(list))
    clearing: Counter[tuple[str, str]] = field(default_factory=Counter)
    minimums: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    under_way: list[tuple[str, str]] = field(default_factory=list)
    monthly: dict[str, str] = field(default_factory=dict)
    listed: dict[str, str] = field(default_factory=dict)
    claims: set[tuple[str, str]] = field(default_factory=set)
    billing: set[str] = field(default_factory=set)

    def add(self, other: Share) -> None:
        self.entity_sums.update(other.entity_sums)
        self.series |= other.series
        self.clearing.update(other.clearing)
        self.minimums.update(other.minimums)
        self.under_way += other.under_way
        self.claims |= other.claims
        self.billing |= other.billing
        for key, numbers in other.numbers.items():
            self.numbers[key] += numbers
        for key, ranges in other.reserved.items():
            self.reserved[key] += ranges
        for key, blocks in other.audited.items():
            self.audited[key] += blocks
        for seller, on in other.monthly.items():
            self.monthly[seller] = min(on, self.monthly.get(seller, on))
        for seller, on in other.listed.items():
            self.listed[seller] = max(on, self.listed.get(seller, on))


def share_of(owner: Owner) -> Share:
    share = Share()
    for item in owner.of("entry"):  # as stored: what does not balance must show in its seller's sum
        for leg in item["postings"]:
            share.entity_sums[item["entity_id"], item["currency"]] += leg["minor"]
            if leg["account"] == LedgerAccount.GATEWAY_CLEARING:
                share.clearing[item["entity_id"], item["currency"]] += leg["minor"]
    for item in owner.of("invoice"):
        if item["number"] and item["run_id"]:
            series, sequence = _place_in_series(item)
            numbered = (sequence, item["issued_on"], item["invoice_id"], _said_by_its_run(owner, item))
            share.numbers[item["entity_id"], series].append(numbered)
    for item in owner.of("audit"):
        if item["action"] == NUMBERED:
            for block in item["after"]["blocks"]:
                said = (block["first"], block["count"], block["digest"])
                share.audited[owner.id, block["series"]].append(said)
    for item in owner.of("series"):
        share.series[owner.id, item["sk"].split("#", 1)[1]] = item["next"]
    for seller, series, numbers in _reserved(owner):
        share.reserved[seller, series].append(numbers)
    for item in owner.of("subscription"):
        if item.get("agenda_on", "").startswith(MONTHLY):
            on, seller = item["next_bill_on"], item["entity_id"]
            share.monthly[seller] = min(on, share.monthly.get(seller, on))
    for item in owner.of("run"):
        if item["status"] == "closed" and not attempt_from(item).is_one_off:
            share.listed[owner.id] = max(item["as_of"], share.listed.get(owner.id, ""))
    share.claims = {(owner.id, item[CLAIM]) for items in owner.by_kind.values() for item in items if CLAIM in item}
    share.billing = {item["being_billed"] for item in owner.of("wallet") if "being_billed" in item}
    share.minimums = _asked_for(owner)
    share.under_way = [(owner.id, name) for name in _under_way(owner)]
    return share


def _said_by_its_run(owner: Owner, item: Item) -> str:
    """What the record of its block of numbers was made of; "" for a document with an audit record of its own."""
    alone = (f"{item['document']}.issued", item["invoice_id"]) in owner.audited
    if alone or not item["run_id"].startswith(RUN):
        return ""
    return ranked_line(owner.id, item["invoice_id"], item["currency"], item["total_minor"])


def _reserved(owner: Owner) -> Iterator[tuple[str, str, range]]:
    """Of a run: the blocks of its attempts that are not closed."""
    sellers = {item["attempt"]: item["entity_id"] for item in owner.of("attempt") if item["status"] != "closed"}
    for item in owner.of("numbered"):
        seller = sellers.get(int(item["sk"].split("#")[1]))
        for block in item["blocks"] if seller else ():
            yield str(seller), block["series"], range(block["first"], block["first"] + block["count"])


def _asked_for(owner: Owner) -> Counter[tuple[str, str, str]]:
    """To make up minimums: what is on record of this account, less what is on this owner's invoices. A credit note by
    staff and an invoice billed again ask for nothing anew; what rounding a document moved on a line counts for none."""
    found: Counter[tuple[str, str, str]] = Counter()
    for item in owner.of("minimum"):
        part = minimum_from(item)
        if part.days is not None:
            found[owner.id, part.key.subscription_id, part.days.start.isoformat()] += part.trued_up_minor
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


def violations_across(all_: Share) -> Iterator[Violation]:
    for (entity_id, currency), minor in all_.entity_sums.items():
        if minor:
            yield Violation(2, entity_id, f"entries sum to {minor} {currency}")
    if not any("pay_" in name or "run_" in name for _, name in all_.under_way):
        for (entity_id, currency), minor in all_.clearing.items():
            if minor:
                yield Violation(5, entity_id, f"{minor} {currency} lie in clearing with nothing under way")
    for seller, on in all_.monthly.items():
        if on <= all_.listed.get(seller, ""):
            yield Violation(6, seller, f"what is due on {on} is where no run after {all_.listed[seller]} looks for it")
    for owner_id, claim in sorted(all_.claims):
        if claim not in all_.billing:
            yield Violation(6, owner_id, f"something is claimed by {claim}, which bills nothing: nobody gives it back")
    for (account_id, subscription_id, since), minor in all_.minimums.items():
        if minor:
            said = f"{minor} more is on record as asked for than is on invoices"
            yield Violation(6, account_id, f"minimum of {subscription_id} since {since}: {said}")
    for series, numbers in sorted(all_.numbers.items()):
        yield from _series_violations(
            " ".join(series), sorted(numbers), all_.reserved.get(series, ()), all_.series.get(series)
        )
        yield from _audit_violations(" ".join(series), sorted(numbers), sorted(all_.audited.get(series, ())))


def _audit_violations(series: str, numbers: Numbers, blocks: Sequence[tuple[int, int, str]]) -> Iterator[Violation]:
    """Each document that a run numbered lies in a block on record; a block of which all are issued is what it was."""
    at = 0
    for first, count, digest in [*blocks, (numbers[-1][0] + 1, 0, "")]:
        while at < len(numbers) and numbers[at][0] < first:
            if numbers[at][3]:
                yield Violation(24, series, f"number {numbers[at][0]} ({numbers[at][2]}) has no audit record")
            at += 1
        start = at
        while at < len(numbers) and numbers[at][0] < first + count:
            at += 1
        lines = [line for _, _, _, line in numbers[start:at]]
        if count and len(lines) == count and all(lines) and sha256("".join(lines).encode()).hexdigest() != digest:
            yield Violation(4, series, f"numbers {first} to {first + count - 1} are not what was put on record")


def left_undone(all_: Share) -> Iterator[Violation]:
    """Work in progress, for a moment at which there should be none."""
    for owner_id, name in all_.under_way:
        yield Violation(25, owner_id, name)


def _series_violations(
    series: str, numbers: Numbers, reserved: Sequence[range], following: int | None
) -> Iterator[Violation]:
    """Numbers in their order, each followed by the next one or by numbers that a run holds for its drafts."""
    for (n, on, invoice_id, _), (m, later_on, other_id, _) in pairwise(numbers):
        if n == m:
            yield Violation(7, series, f"{invoice_id} and {other_id} share number {n}")
        elif missing := _missing(n + 1, m, reserved):
            yield Violation(8, series, f"numbers {missing} to {m - 1} are missing")
        if later_on < on:
            yield Violation(8, series, f"number {m} is dated {later_on}, before number {n} of {on}")
    if missing := _missing(1, numbers[0][0], reserved):
        yield Violation(8, series, f"the first number is {numbers[0][0]}, {missing} is missing")
    if following is not None and (numbers[-1][0] >= following or _missing(numbers[-1][0] + 1, following, reserved)):
        yield Violation(8, series, f"the last number is {numbers[-1][0]}, the next free one is {following}")


def _missing(first: int, end: int, reserved: Sequence[range]) -> int:
    """The first number from `first` to before `end` that nobody holds; 0 when there is none."""
    while first < end:
        held = next((numbers for numbers in reserved if first in numbers), None)
        if held is None:
            return first
        first = held.stop
    return 0
