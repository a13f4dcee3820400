"""A seller's choices in billing, where there is more than one right way.

`<entity>` / `billing`: one item; without it, Saldo's defaults.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any  # rows as they lie in the table

from saldo.accounts.model import Settle
from saldo.invoicing.model import (
    BelowZero,
    BillingOptions,
    ChangeLegs,
    NetRounding,
    PayableRounding,
    PrepaidOrder,
)
from saldo.invoicing.rules_tolerance import Tolerance
from saldo.kernel.rounding import Rounding
from saldo.storage.items import Item, Key
from saldo.tax.model import TaxRounding


def seller_billing_key(entity_id: str) -> Key:
    return entity_id, "billing"


def options_item(entity_id: str, options: BillingOptions) -> Item:
    pk, sk = seller_billing_key(entity_id)
    to = options.payable_rounding
    return {
        "pk": pk,
        "sk": sk,
        "kind": "billing",
        "change_legs": options.change_legs.value,
        "below_zero": options.below_zero.value,
        "net_rounding": options.net_rounding.value,
        "prepaid": options.prepaid.value,
        "tax_rounding": options.tax_rounding.value,
        "tax_mode": options.tax_mode.value,
        "settle": options.settle.value,
        **({"payable_rounding": [to.currency, to.to_minor, to.mode.value]} if to else {}),
        **({"tolerances": dict(map(_tolerance_row, options.tolerances))} if options.tolerances else {}),
    }


def options_from(item: Item | None) -> BillingOptions:
    if item is None:
        return BillingOptions()
    to = item.get("payable_rounding")
    return BillingOptions(
        change_legs=ChangeLegs(item["change_legs"]),
        below_zero=BelowZero(item["below_zero"]),
        net_rounding=NetRounding(item["net_rounding"]),
        prepaid=PrepaidOrder(item["prepaid"]),
        tax_rounding=TaxRounding(item["tax_rounding"]),
        tax_mode=Rounding(item["tax_mode"]),
        settle=Settle(item.get("settle", Settle.OLDEST)),
        payable_rounding=PayableRounding(to[0], int(to[1]), Rounding(to[2])) if to else None,
        tolerances=tuple((currency, _tolerance_from(row)) for currency, row in item.get("tolerances", {}).items()),
    )


def _tolerance_row(of: tuple[str, Tolerance]) -> tuple[str, list[int | str | None]]:
    currency, one = of
    return currency, [one.amount_minor, None if one.percent is None else str(one.percent), one.clerk_minor]


def _tolerance_from(row: list[Any]) -> Tolerance:
    amount, percent, clerk = row
    return Tolerance(
        None if amount is None else int(amount),
        None if percent is None else Decimal(percent),
        None if clerk is None else int(clerk),
    )
