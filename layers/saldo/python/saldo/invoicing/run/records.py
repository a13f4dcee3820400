"""How runs lie in the table.

`<run>` / `attempt#<n>` · `<run>` / `plan#<plan>#<batch>` (accounts of a batch) and `…#<n>` (those it does not hold) ·
`<run>` / `result#<n>#<batch>` (drafts of a batch) · `<run>` / `aside#<n>#<batch>` (whom it set aside, where it did) ·
`<run>` / `ranks#<list>#<batch>` (drafts in number order) ·
`<run>` / `numbered#<n>#<part>` (blocks of numbers and the ranks they belong to) ·
`<entity>` / `run#<as_of>#<n>` (the seller's list of runs)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from saldo.invoicing.records_numbers import series_fields
from saldo.invoicing.rules_numbers import Series
from saldo.invoicing.run.model import Attempt, Drafted, DueAccount, RunState, SetAside
from saldo.invoicing.run.rules_plan import in_pieces, together
from saldo.invoicing.status import DocumentKind
from saldo.storage.items import Item, Key

# Ids are some 30 bytes, and may be 70; an item holds 400 kB.
MOST_IDS_OF_AN_ITEM = 5_000

_PLAIN = [
    "run_id",
    "entity_id",
    "plan_id",
    "accounts",
    "dry_run",
    "opened_at",
    "closed_at",
    "error",
    "invoices",
    "set_aside",
    "first_number",
    "last_number",
]


def attempt_key(run_id: str, number: int) -> Key:
    return run_id, f"attempt#{number:04d}"


def attempt_item(attempt: Attempt) -> Item:
    pk, sk = attempt_key(attempt.run_id, attempt.number)
    return {"pk": pk, "sk": sk, "kind": "attempt", **attempt_fields(attempt)}


def attempt_fields(attempt: Attempt) -> Item:
    fields: dict[str, Any] = {name: getattr(attempt, name) for name in _PLAIN}
    fields |= {
        "attempt": attempt.number,
        "as_of": attempt.as_of.isoformat(),
        "status": attempt.state.value,
        "totals": dict(attempt.totals),
        "differences": [dict(d) for d in attempt.differences],
    }
    return fields


def attempt_from(item: Item) -> Attempt:
    return Attempt(
        number=item["attempt"],
        as_of=date.fromisoformat(item["as_of"]),
        state=RunState(item["status"]),
        totals=item["totals"],
        differences=tuple(item["differences"]),
        **{name: item[name] for name in _PLAIN},
    )


def listing_key(attempt: Attempt) -> Key:
    """Those that staff asked for lie before the attempts of the day's run, each under its request."""
    place = f"{attempt.number:04d}"
    if attempt.is_one_off:
        place = f"0000#{attempt.run_id.rpartition('_')[2]}#{place}"
    return attempt.entity_id, f"run#{attempt.as_of.isoformat()}#{place}"


def listing_item(attempt: Attempt) -> Item:
    """The attempt as the seller's list of runs shows it."""
    pk, sk = listing_key(attempt)
    return {"pk": pk, "sk": sk, "kind": "run", **attempt_fields(attempt)}


def plan_key(run_id: str, plan_id: str, batch: str) -> Key:
    return run_id, f"plan#{plan_id}#{batch}"


def plan_items(run_id: str, plan_id: str, batch: str, accounts: Sequence[DueAccount]) -> list[Item]:
    """Who is due in a batch: one item, with more beside it where all that is due on them is more than it holds."""
    pk, sk = plan_key(run_id, plan_id, batch)
    first, *more = in_pieces(accounts, MOST_IDS_OF_AN_ITEM)
    item: Item = {"pk": pk, "sk": sk, "kind": "plan", "accounts": [_due_row(account) for account in first]}
    keys = _more_keys((pk, sk), len(more))
    beside = [
        {"pk": key[0], "sk": key[1], "kind": "plan", "accounts": [_due_row(account) for account in piece]}
        for key, piece in zip(keys, more, strict=True)
    ]
    return [item | {"more": len(more)} if more else item, *beside]


def more_of_plan(item: Item) -> list[Key]:
    """Where the rest of a batch's plan lies, in its order."""
    return _more_keys((item["pk"], item["sk"]), item.get("more", 0))


def plan_from(items: Iterable[Item]) -> list[DueAccount]:
    """Who is due in a batch, from all of its items."""
    return together(_due_from(row) for item in items for row in item["accounts"])


def _more_keys(key: Key, count: int) -> list[Key]:
    return [(key[0], f"{key[1]}#{n:04d}") for n in range(1, count + 1)]


def _due_row(account: DueAccount) -> list[Any]:
    members = [_due_row(member) for member in account.members]
    return [account.account_id, list(account.subscription_ids), list(account.item_ids), members]


def _due_from(row: Sequence[Any]) -> DueAccount:
    return DueAccount(row[0], tuple(row[1]), tuple(row[2]), tuple(_due_from(member) for member in row[3]))


def result_prefix(attempt: int) -> str:
    return f"result#{attempt:04d}#"


def result_item(run_id: str, attempt: int, batch: str, drafts: Iterable[Drafted]) -> Item:
    sk = result_prefix(attempt) + batch
    return {"pk": run_id, "sk": sk, "kind": "result", "drafts": [_drafted_row(d) for d in drafts]}


def drafted_from(item: Item) -> tuple[Drafted, ...]:
    """The drafts of a batch."""
    return tuple(_drafted_from(row) for row in item["drafts"])


def aside_key(run_id: str, attempt: int, batch: str) -> Key:
    return run_id, aside_prefix(attempt) + batch


def aside_prefix(attempt: int) -> str:
    """Before `attempt#<n>`, so that one range holds an attempt and whom it set aside."""
    return f"aside#{attempt:04d}#"


def aside_item(run_id: str, attempt: int, batch: str, set_aside: Iterable[SetAside]) -> Item:
    pk, sk = aside_key(run_id, attempt, batch)
    return {"pk": pk, "sk": sk, "kind": "aside", "accounts": [[s.account_id, s.code, s.reason] for s in set_aside]}


def set_aside_from(item: Item) -> tuple[SetAside, ...]:
    return tuple(SetAside(*row) for row in item["accounts"])


def _drafted_from(row: Sequence[Any]) -> Drafted:
    account_id, invoice_id, currency, total_minor, payable_minor, kind, *regular = row
    return Drafted(account_id, invoice_id, currency, total_minor, payable_minor, DocumentKind(kind), *regular)


def _drafted_row(d: Drafted) -> list[Any]:
    regular = [] if d.regular_minor is None else [d.regular_minor]
    return [d.account_id, d.invoice_id, d.currency, d.total_minor, d.payable_minor, d.kind.value, *regular]


def ranks_key(run_id: str, list_id: str, batch: int) -> Key:
    return run_id, f"ranks#{list_id}#{batch:05d}"


def ranks_item(run_id: str, list_id: str, batch: int, drafts: Sequence[Drafted], series: Series) -> Item:
    """Drafts in number order, with how their numbers are written: settings that change later do not touch them."""
    pk, sk = ranks_key(run_id, list_id, batch)
    rows = [[d.account_id, d.invoice_id] for d in drafts]
    return {"pk": pk, "sk": sk, "kind": "ranks", "drafts": rows, **series_fields(series)}


# The audit record, the seller's, of all documents that a run's unit numbered.
NUMBERED = "invoices.numbered"


def numbered_block(series: Series, first: int, count: int, digest: str) -> Item:
    """What the audit record says of one block. digest: SHA-256 of its `ranked_line`s in number order, in hex."""
    return {"series": series.name, "first": first, "count": count, "digest": digest}


def ranked_line(account_id: str, invoice_id: str, currency: str, total_minor: int) -> str:
    return f"{account_id} {invoice_id} {currency} {total_minor}\n"


def numbered_prefix(attempt: int) -> str:
    return f"numbered#{attempt:04d}#"


def numbered_item(attempt: Attempt, part: int, blocks: Sequence[Item]) -> Item:
    sk = f"{numbered_prefix(attempt.number)}{part:04d}"
    return {"pk": attempt.run_id, "sk": sk, "kind": "numbered", "blocks": list(blocks)}


def billed_by(attempt: Attempt) -> str:
    """What records that an attempt billed say of it."""
    return f"{attempt.run_id}#{attempt.number}"
