"""Price models, minimums, coupons and prepaid credit."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from tests.cases.reading import (
    Area,
    Case,
    Document,
    fee,
    number,
    percent_of,
    plan,
    quoted,
    rate,
    same,
    sold,
    tiers,
    usage_amount,
    used,
)

FLAT_AT_ZERO = {"first tier's flat fee is due with no usage": {"flat_at_zero": True}}


def _expected(expected: Case) -> object:
    return expected.get("amounts", expected.get("amount", expected.get("fee")))


def _amounts(price: Document, units: object) -> object:
    return [usage_amount(price, u) for u in units] if isinstance(units, list) else usage_amount(price, units)


def per_unit(inputs: Case, expected: Case, _option: Document) -> None:
    same(_amounts({"kind": "per_unit", "unit_price": inputs["unit_price"]}, inputs["units"]), _expected(expected))


def dynamic(inputs: Case, expected: Case, _option: Document) -> None:
    price = {"kind": "per_unit", "unit_price": inputs["multiplier"]}
    same(usage_amount(price, inputs["meter_value"]), expected["amount"])


def volume(inputs: Case, expected: Case, option: Document) -> None:
    same(_amounts(tiers(inputs["tiers"], "volume", **option), inputs["units"]), _expected(expected))


def graduated(inputs: Case, expected: Case, option: Document) -> None:
    same(_amounts(tiers(inputs["tiers"], **option), inputs["units"]), _expected(expected))


def graduated_split_period(inputs: Case, expected: Case, _option: Document) -> None:
    same(usage_amount(tiers(inputs["tiers"]), inputs["units"], inputs["units_before_line"]), expected["amount"])


def graduated_percentage(inputs: Case, expected: Case, _option: Document) -> None:
    """Tiers over amounts of money, whose unit prices are rates."""
    price = tiers(inputs["tiers"])
    if "transactions" not in inputs:
        same(usage_amount(price, inputs["amount"]), expected["fee"])
        return
    seen, increments = Decimal(0), []
    for transaction in map(number, inputs["transactions"]):
        increments.append(usage_amount(price, transaction, seen))
        seen += transaction
    same(increments, expected["increments"])
    same(usage_amount(price, seen), expected["total"])


def package(inputs: Case, expected: Case, _option: Document) -> None:
    price = {
        "kind": "package",
        "size": inputs["package_size"],
        "price": str(inputs.get("package_price", inputs.get("price"))),
        "free_units": inputs.get("free_units", 0),
    }
    same(_amounts(price, inputs["units"]), _expected(expected))
    if "split" in inputs:
        same(usage_amount(price, inputs["split"]["now"], inputs["split"]["before"]), expected["split_amount"])


def tier_blocks(inputs: Case, expected: Case, _option: Document) -> None:
    """Tiers of so many blocks of a size; a tier begins where the blocks before it are used up."""
    rows, above = [], 0
    blocks = inputs["blocks(size,max,price)"]
    for n, (size, most, price) in enumerate(blocks):
        above += size * most
        last = n == len(blocks) - 1
        rows.append({"up_to": None if last else above, "unit_price": str(price), "size": size})
    kind = {"ALL_TIERS": "graduated", "TOP_TIER": "volume"}[inputs["policy"]]
    same(usage_amount({"kind": kind, "tiers": rows}, inputs["units"]), expected["amount"])


def percentage(inputs: Case, expected: Case, _option: Document) -> None:
    events = inputs["events"]
    amounts = events if isinstance(events, list) else _amounts_like(inputs)
    price: Document = {
        "kind": "percentage",
        "rate": inputs["rate"] if "rate" in inputs else str(number(inputs["rate_percent"]) / 100),
        "per_event": inputs.get("fixed_per_event", inputs.get("fixed")),
        "free_amount": inputs.get("free_total") or "0",
        "free_events": inputs.get("free_events"),
    }
    same(_fee(price, amounts), expected.get("total", expected.get("amount")))
    if "fees" in expected:
        running = [_fee(price, amounts[: n + 1]) for n in range(len(amounts))]
        same([b - a for a, b in zip([Decimal(0), *running], running, strict=False)], expected["fees"])


def _amounts_like(inputs: Case) -> list[str]:
    """Amounts that make the total told: such that the free amount runs out on the third event, as the case's note says;
    without a free amount any will do."""
    total, count = number(inputs["total"]), inputs["events"]
    each = number(inputs["free_total"] or 0) * 2 / 5 or total / count
    return [str(each)] * (count - 1) + [str(total - each * (count - 1))]


def _fee(price: Document, amounts: list[str]) -> Decimal:
    invoice = used(price, 0, usage={"totals": [{"meter_id": "units", "amounts": amounts}]})
    return number(invoice["net"]) if invoice else Decimal(0)


def consumable(inputs: Case, expected: Case, _option: Document) -> None:
    document: Document = {
        "billing": {"dates": ["2025-01-01", "2025-02-01"]},
        "plans": [
            plan("plan", fee(inputs["base"], timing="arrears"), fee(tiers(inputs["tiers"]), "used", meter_id="units"))
        ],
        "subscriptions": [{"plan": "plan", "started_on": "2025-01-01"}],
        "usage": {"totals": [{"meter_id": "units", "quantity": inputs["units"]}]},
    }
    (invoice,) = quoted(document)
    same([line["amount"] for line in invoice["lines"] if line["component"] == "used"], [expected["usage"]])
    same(invoice["total"], expected["invoice"])


def commitment(inputs: Case, expected: Case, _option: Document) -> None:
    price = {
        "kind": "commitment",
        "amount": inputs["commitment"],
        "price": {"kind": "per_unit", "unit_price": inputs["unit_price"]},
        "overage_factor": inputs.get("overage_factor", "1"),
    }
    invoice = used(price, inputs["units"])
    assert invoice
    same(invoice["net"], expected["amount"])
    if "true_up" in expected:
        steps = {step["rule"]: step["amount"] for step in invoice["lines"][0]["steps"]}
        same([steps["per_unit"], steps["true_up"]], [expected["usage"], expected["true_up"]])


def minimum(inputs: Case, expected: Case, option: Document) -> None:
    """A plan's minimum, towards which fees paid ahead and usage count."""
    usage_price = tiers(inputs["tiers"], "volume") if "tiers" in inputs else {"kind": "per_unit", "unit_price": "1"}
    quantity = inputs.get("units", inputs.get("usage_amount", "0"))
    ahead = inputs.get("already_billed", inputs.get("plan_fee", "0"))
    least = inputs.get("charge_minimum", inputs.get("minimum", inputs.get("minimum_commitment")))
    invoices = quoted(
        {
            "billing": {"from": "2025-01-01", "through": "2025-02-01"},
            "plans": [plan("plan", fee(ahead), fee(usage_price, "used", meter_id="units"), minimum=least)],
            "subscriptions": [{"plan": "plan", "started_on": "2025-01-01"}],
            "usage": {"totals": [{"meter_id": "units", "quantity": str(quantity)}]},
        }
    )
    lines = [line for line in invoices[-1]["lines"] if line["from"] == "2025-01-01"]
    same(
        [line["amount"] for line in lines if line["kind"] == "true_up"],
        [expected.get("true_up", expected.get("top_up"))],
    )
    if "total" in expected:
        same(sum(number(line["amount"]) for line in lines), expected["total"])
    if "usage" in expected:
        same([line["amount"] for line in lines if line["component"] == "used"], [expected["usage"]])


def maximum(inputs: Case, expected: Case, option: Document) -> None:
    if "package_size" not in inputs:
        price = {"kind": "capped", "amount": inputs["maximum"], "price": tiers(inputs["tiers"], "volume", **option)}
        invoice = used(price, inputs["units"])
        assert invoice
        same(invoice["net"], expected["total"])
        steps = invoice["lines"][0]["steps"]
        same(sum(number(s["amount"]) for s in steps if s["rule"] != "cap"), expected["usage"])
        same([-number(s["amount"]) for s in steps if s["rule"] == "cap"], [expected["discount"]])
        return
    model = {"kind": "package", "size": inputs["package_size"], "price": inputs["price"]}
    price = {"kind": "capped", "amount": inputs["maximum_total"], "price": model}
    before, now = inputs["units_before"], inputs["units"]
    same(usage_amount(price, before), expected["billed_before"])
    same(usage_amount(model, now, before), expected["gross_now"])
    same(usage_amount(price, now, before), expected["net_now"])
    same(number(expected["gross_now"]) - usage_amount(price, now, before), expected["discount"])


def progressive_billing(inputs: Case, expected: Case, _option: Document) -> None:
    """What an interim invoice billed is taken off the final one."""
    items = [{"unit_price": f} for f in inputs["period_fees"]]
    invoice = sold(*items, {"unit_price": f"-{inputs['threshold_invoice']}", "id": "interim"})
    same([-number(line["amount"]) for line in invoice["lines"] if line["component"] == "interim"], [expected["credit"]])
    same(invoice["total"], expected["final_total"])


def wallet(inputs: Case, expected: Case, _option: Document) -> None:
    if "paid_credits" in inputs:
        invoice = sold({"unit_price": "100"}, prepaid_credits=[{"amount": inputs["paid_credits"]}])
        same([c["amount"] for c in invoice["credits"]], [expected["credit_amount"]])
        assert invoice["total_minor"] - invoice["payable_minor"] == expected["cents"]
        return
    days = ["2025-01-01", "2025-01-02"]
    items = [{"unit_price": a, "on": on} for a, on in zip(inputs["charges_in_order"], days, strict=True)]
    document: Document = {
        "billing": {"dates": days},
        "items": items,
        "taxes": {"rates": [rate(percent_of(inputs["tax_rate"]))]},
        "prepaid_credits": [{"amount": inputs["wallet"]}],
    }
    invoices = quoted(document)
    same([i["total"] for i in invoices], expected["invoice_gross"])
    same([i["payable"] for i in invoices], expected["invoice_due"])
    drawn = [sum(number(c["amount"]) for c in i["credits"]) for i in invoices]
    same([number(inputs["wallet"]) - drawn[0], number(inputs["wallet"]) - sum(drawn)], expected["wallet_after"])


def invoice_math(inputs: Case, expected: Case, _option: Document) -> None:
    taxes = {"rates": [rate(percent_of(inputs["tax_rate"]))]}
    if "fees" in inputs:
        invoice = sold(
            *({"unit_price": f} for f in inputs["fees"]),
            taxes=taxes,
            coupons=[{"amount": inputs["coupon"]}],
            credit_note_balance=inputs["credit_note_balance"],
            prepaid_credits=[{"amount": inputs["prepaid"]}],
        )
        same(
            [invoice[n] for n in ("net", "tax", "total", "payable")],
            [expected[n] for n in ("net", "tax", "gross", "due")],
        )
        return
    invoice = sold(
        {"id": "usage", "unit_price": inputs["usage"]},
        {"id": "fee", "unit_price": inputs["fee"]},
        taxes=taxes,
        coupons=[
            {"percent": inputs["usage_line_coupon_percent"], "components": ["usage"]},
            {"amount": inputs["subscription_coupon"]},
        ],
        prepaid_credits=[{"amount": inputs["wallet"]}],
    )
    same([invoice["net"], invoice["tax"], invoice["payable"]], [expected[n] for n in ("taxable", "tax", "total")])


def coupons(inputs: Case, expected: Case, _option: Document) -> None:
    percents = [{"percent": p} for p in inputs.get("coupons_percent", [])]
    amounts = [{"amount": a} for a in inputs.get("fixed_coupons", [])]
    invoice = sold({"unit_price": inputs["amount"]}, coupons=percents + amounts)
    same(invoice["net"], expected["net"])
    if "unused_discount" in expected:
        same(sum(number(c["unused"]) for c in invoice["coupons"]), expected["unused_discount"])


def tax_stack(inputs: Case, expected: Case, _option: Document) -> None:
    rates = [rate(percent_of(r), name=f"tax {n}") for n, r in enumerate(inputs["rates"])]
    same(sold({"unit_price": inputs["amount"]}, taxes={"rates": rates})["tax"], expected["tax"])


def coupon_spread_tax(inputs: Case, expected: Case, _option: Document) -> None:
    """A category for each line, so that the tax of each can be seen."""
    rows = inputs["fees(amount,rate)"]
    items = [{"unit_price": a, "tax_category": f"c{n}"} for n, (a, _) in enumerate(rows)]
    rates = [rate(percent_of(r), f"c{n}", name=f"tax {n}") for n, (_, r) in enumerate(rows)]
    invoice = sold(*items, taxes={"rates": rates}, coupons=[{"amount": inputs["coupon"]}])
    off = [line["amount"] for line in invoice["lines"] if line["kind"] == "discount"]
    same([-number(a) for a in off], expected["coupon_split"])
    same([t["tax"] for t in invoice["taxes"]], expected["taxes"])
    same([invoice["tax"], invoice["total"]], [expected["tax_total"], expected["total"]])


AREAS: Mapping[str, Area] = {
    "pricing.commitment": Area(commitment),
    "pricing.commitment_true_up": Area(minimum),
    "pricing.consumable": Area(consumable),
    "pricing.coupon_spread_tax": Area(coupon_spread_tax),
    "pricing.coupons": Area(coupons),
    "pricing.dynamic": Area(dynamic),
    "pricing.graduated": Area(graduated, FLAT_AT_ZERO),
    "pricing.graduated_percentage": Area(graduated_percentage),
    "pricing.graduated_split_period": Area(graduated_split_period),
    "pricing.invoice_math": Area(invoice_math),
    "pricing.maximum": Area(maximum, FLAT_AT_ZERO),
    "pricing.minimum": Area(minimum),
    "pricing.package": Area(package),
    "pricing.per_unit": Area(per_unit),
    "pricing.percentage": Area(percentage),
    "pricing.progressive_billing": Area(progressive_billing),
    "pricing.tax_stack": Area(tax_stack),
    "pricing.tier_blocks": Area(tier_blocks),
    "pricing.volume": Area(volume, FLAT_AT_ZERO),
    "pricing.wallet": Area(wallet),
}
