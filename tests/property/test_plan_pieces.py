"""However much is due on the accounts of a batch, its plan says all of it, in items of bounded size."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from saldo.invoicing.run.model import DueAccount
from saldo.invoicing.run.records import MOST_IDS_OF_AN_ITEM, more_of_plan, plan_from, plan_items
from saldo.invoicing.run.rules_plan import in_pieces, together
from saldo.storage.items import weight

counts = st.integers(0, 12)


@st.composite
def batches(draw: st.DrawFn) -> list[DueAccount]:
    found = []
    for n in range(draw(st.integers(0, 6))):
        members = tuple(_account(f"m{n}_{m}", draw(counts), draw(counts)) for m in range(draw(st.integers(0, 4))))
        own = _account(f"a{n}", draw(counts), draw(counts))
        found.append(DueAccount(own.account_id, own.subscription_ids, own.item_ids, members))
    return found


def _account(account_id: str, subscriptions: int, items: int) -> DueAccount:
    return DueAccount(
        account_id,
        tuple(f"{account_id}_s{n}" for n in range(subscriptions)),
        tuple(f"{account_id}_i{n}" for n in range(items)),
    )


def _size(account: DueAccount) -> int:
    return sum(len(one.subscription_ids) + len(one.item_ids) for one in account.all)


@given(batches(), st.integers(1, 20))
def test_pieces_put_together_are_the_batch(accounts: list[DueAccount], most: int) -> None:
    pieces = in_pieces(accounts, most)
    assert together(share for piece in pieces for share in piece) == accounts
    assert all(sum(map(_size, piece)) <= most for piece in pieces)


def test_an_ordinary_batch_is_one_item() -> None:
    accounts = [_account(f"acct_{n}", 3, 1) for n in range(50)]
    (item,) = plan_items("run_1", "p1", "00000", accounts)
    assert more_of_plan(item) == [] and plan_from([item]) == accounts


def test_fifty_accounts_of_a_thousand_subscriptions_fit() -> None:
    accounts = [_account(f"acct_{n:060d}", 1000, 10) for n in range(50)]
    first, *more = plan_items("run_1", "p1", "00000", accounts)
    assert MOST_IDS_OF_AN_ITEM < 50 * 1000 and max(weight(item) for item in (first, *more)) < 400_000
    assert [(item["pk"], item["sk"]) for item in more] == more_of_plan(first)
    assert plan_from([first, *more]) == accounts
