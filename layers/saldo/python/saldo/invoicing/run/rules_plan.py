"""The accounts of a batch in pieces, each with few enough ids for one item, and put together again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from saldo.invoicing.run.model import DueAccount


def in_pieces(accounts: Sequence[DueAccount], most: int) -> list[list[DueAccount]]:
    """The accounts in their order, so many ids at most a piece; of one with more, a share in each of several pieces."""
    pieces: list[list[DueAccount]] = [[]]
    count = 0
    for share in (share for account in accounts for share in _shares(account, most)):
        if count + _ids(share) > most:
            pieces.append([])
            count = 0
        pieces[-1].append(share)
        count += _ids(share)
    return pieces


def together(shares: Iterable[DueAccount]) -> list[DueAccount]:
    """The accounts of which these are shares, each once, in the order in which they come."""
    found: dict[str, DueAccount] = {}
    for share in shares:
        known = found.get(share.account_id)
        found[share.account_id] = share if known is None else _joined(known, share)
    return list(found.values())


def _joined(known: DueAccount, more: DueAccount) -> DueAccount:
    return replace(
        known,
        subscription_ids=known.subscription_ids + more.subscription_ids,
        item_ids=known.item_ids + more.item_ids,
        members=tuple(together((*known.members, *more.members))),
    )


def _shares(account: DueAccount, most: int) -> Iterator[DueAccount]:
    """The account whole where it has few enough ids; else share by share, its own ids before its members'."""
    if _ids(account) <= most:
        yield account
        return
    yield from _cut(account, most)
    for member in account.members:
        for share in _cut(member, most):
            yield DueAccount(account.account_id, members=(share,))


def _cut(one: DueAccount, most: int) -> Iterator[DueAccount]:
    """One account's own ids, `most` at a time; without any, itself."""
    ids = [(s, "") for s in one.subscription_ids] + [("", i) for i in one.item_ids]
    for start in range(0, max(len(ids), 1), most):
        some = ids[start : start + most]
        yield DueAccount(one.account_id, tuple(s for s, _ in some if s), tuple(i for _, i in some if i))


def _ids(account: DueAccount) -> int:
    """How much room it takes: its ids, and those of accounts."""
    return sum(1 + len(one.subscription_ids) + len(one.item_ids) for one in account.all)
