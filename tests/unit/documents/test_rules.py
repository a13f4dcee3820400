"""From the frozen body to the view, and that any body can be set."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from saldo.accounts.model import Address, BillingProfile, LegalEntity
from saldo.catalog.model import Timing
from saldo.documents.render import pdf_of
from saldo.documents.rules import explaining_steps, invoice_view, unit_price
from saldo.invoicing.model import AppliedCredit, CreditSource, InvoiceBody, Line
from saldo.kernel.periods import Period
from saldo.kernel.rounding import Rounding
from saldo.rating.model import Share, Step
from saldo.tax.model import TaxRounding, TaxShare, TaxTotal, TaxTreatment

ENTITY = LegalEntity(
    id="ent_eu_seller",
    name="Nordlicht Cloud GmbH",
    country="DE",
    region="",
    time_zone="Europe/Berlin",
    currency="EUR",
    number_prefix="DE",
    tax_registrations={"DE": "DE811907980"},
    address=Address(("Hafenstraße 12",), "20457", "Hamburg", "DE"),
    bank_name="Hamburger Sparkasse",
    iban="DE02200505501015871393",
    bic="HASPDEHHXXX",
    email="rechnung@nordlicht.example",
)


def profile(version: int = 1, **names: str) -> BillingProfile:
    address = Address((names.get("street", "Industriestraße 104"),), "70565", names.get("city", "Stuttgart"), "DE")
    legal_name = names.get("legal_name", "Müller GmbH")
    return BillingProfile("acct_eu_a", version, legal_name, "", address, "DE1", ("ap@mueller.example",), "")


def step(rule: str, units: str, price: str, *, above: str | None = None, up_to: str | None = None) -> Step:
    amount = Decimal(units) * Decimal(price)
    bounds = [Decimal(b) if b is not None else None for b in (above, up_to)]
    return Step(rule, Decimal(units), Decimal(price), amount, Decimal(0), *bounds)


def test_a_price_per_unit_stands_on_the_line_and_needs_no_steps() -> None:
    steps = (step("per_unit", "3", "1.5"),)
    assert unit_price(Decimal(3), steps) == Decimal("1.5") and explaining_steps(steps) == ()


def test_a_volume_tier_shows_the_price_and_the_tier_it_came_from() -> None:
    steps = (step("volume_tier", "30", "2", above="10", up_to="100"),)
    assert unit_price(Decimal(30), steps) == Decimal(2) and len(explaining_steps(steps)) == 1


def test_packages_and_several_tiers_have_no_single_price() -> None:
    package = (step("package", "3", "10"),)
    tiers = (step("tier", "10", "2", above="0", up_to="10"), step("tier", "5", "1", above="10"))
    assert unit_price(Decimal(2500), package) is None and unit_price(Decimal(15), tiers) is None
    assert len(explaining_steps(package)) == 1 and len(explaining_steps(tiers)) == 2


amounts = st.integers(-(10**11), 10**11)
decimals = st.decimals(0, 10**9, places=6)
texts = st.text(max_size=60)
names = st.fixed_dictionaries({"en": texts}, optional={"de": texts})


@st.composite
def steps(draw: st.DrawFn) -> Step:
    rule = draw(
        st.sampled_from(["flat", "per_unit", "tier", "stair", "package", "free_units", "percentage", "cap", "new"])
    )
    bounds = [draw(st.none() | decimals), draw(st.none() | decimals)]
    return Step(rule, draw(decimals), draw(decimals), draw(decimals), draw(decimals), *bounds)


@st.composite
def lines(draw: st.DrawFn) -> Line:
    start = draw(st.dates(date(2020, 1, 1), date(2030, 1, 1)))
    treatment = draw(st.sampled_from(TaxTreatment))
    return Line(
        id="1",
        subscription_id="sub_1",
        plan_version_id="pv_1",
        component_id="c",
        timing=Timing.ARREARS,
        period=Period(start, start + timedelta(days=draw(st.integers(1, 400)))),
        names=draw(names),
        unit_names=draw(names),
        quantity=draw(decimals),
        exact=draw(decimals),
        share=draw(st.sampled_from([Share(), Share(18, 30)])),
        rounding=Rounding.HALF_UP,
        net_minor=draw(amounts),
        steps=tuple(draw(st.lists(steps(), max_size=4))),
        tax_category="standard",
        revenue_tag="r",
        taxes=(TaxShare("DE", "VAT", treatment, Decimal(19)),),
    )


@st.composite
def bodies(draw: st.DrawFn) -> InvoiceBody:
    treatment = draw(st.sampled_from(TaxTreatment))
    return InvoiceBody(
        id="inv_1",
        account_id="acct_eu_a",
        organisation_id="org_eu_a",
        entity_id="ent_eu_seller",
        currency=draw(st.sampled_from(["EUR", "USD", "JPY", "KWD"])),
        issued_on=date(2026, 12, 1),
        due_on=date(2026, 12, 15),
        language=draw(st.sampled_from(["de", "en", "fr", "de-AT"])),
        buyer_profile=1,
        charges=(),
        lines=tuple(draw(st.lists(lines(), max_size=5))),
        tax_totals=(TaxTotal("DE", draw(st.sampled_from(["VAT", "", "PST"])), treatment, Decimal(19), 1, 1),),
        tax_source="table",
        tax_estimated=False,
        tax_rounding=TaxRounding.DOCUMENT,
        net_minor=draw(amounts),
        tax_minor=draw(amounts),
        total_minor=draw(amounts),
    )


def test_an_invoice_says_whose_each_charge_is_by_which_order_it_was_split_and_what_credit_paid() -> None:
    one = Line(
        "1",
        "sub_1",
        "plv_1",
        "fee",
        Timing.ADVANCE,
        Period(date(2026, 1, 1), date(2026, 2, 1)),
        {"en": "Fee"},
        {},
        Decimal(1),
        Decimal(10),
        Share(),
        Rounding.HALF_UP,
        1000,
        (),
        "standard",
        "fee",
        (),
        account_id="acct_eu_site",
    )
    body = InvoiceBody(
        id="inv_1",
        account_id="acct_eu_a",
        organisation_id="org_eu_a",
        entity_id=ENTITY.id,
        currency="EUR",
        issued_on=date(2026, 1, 1),
        due_on=date(2026, 1, 31),
        language="en",
        buyer_profile=1,
        charges=("sub_1@2026-01-01",),
        lines=(one, one._replace(id="2", account_id="")),
        tax_totals=(),
        tax_source="table",
        tax_estimated=False,
        tax_rounding=TaxRounding.DOCUMENT,
        net_minor=2000,
        tax_minor=0,
        total_minor=2000,
        purchase_order="PO-7",
        cost_centre="Lab",
    )
    view = invoice_view("N-1", body, ENTITY, profile(), "https://portal.example")
    assert [line.description for line in view.lines] == ["Fee · acct_eu_site", "Fee"]
    assert view.buyer.purchase_order == "PO-7 / Lab"
    credits = (
        AppliedCredit(CreditSource.CREDIT_NOTE, "", 300),
        AppliedCredit(CreditSource.PREPAID, "pre_1", 200),
        AppliedCredit(CreditSource.PREPAID, "pre_2", 100, before_tax=True),
    )
    paid = invoice_view("N-1", replace(body, credits=credits), ENTITY, profile(), "https://portal.example")
    assert (paid.paid_minor, paid.payable_minor) == (500, 1500), "what was taken off before tax is in the lines"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(bodies(), texts, texts)
def test_any_body_and_any_name_can_be_set(body: InvoiceBody, legal_name: str, city: str) -> None:
    view = invoice_view("DE-1", body, ENTITY, profile(legal_name=legal_name, city=city), "https://portal.example/i/1")
    assert pdf_of(view).startswith(b"%PDF-")
